//! From a core module to a component, whatever compiler made the module.
//!
//! A core module speaks in numbers; what they stand for is told by types of the contract. A WIT generator leaves these in
//! the module, in a custom section. Where nobody did, as with bindings that are written by hand, the role says which
//! world of the contract it is, whose text this program carries.
//!
//! | the bytes | |
//! |---|---|
//! | a module that has what its world demands and imports nothing else | the component, validated |
//! | not WebAssembly, malformed, or a component already | [`ModuleError`] that says which |
//! | a module without types, and no role is given | [`ModuleError::RoleNeeded`] |
//! | types of something else than the contract, or of another role than the given one | [`ModuleError::OtherWorld`] |
//! | exports missing or of another shape, or foreign imports | [`ModuleError::Unfit`] with each of them |
//!
//! Equal modules make equal components.

use std::error::Error;
use std::fmt;

use wasmparser::{BinaryReaderError, Encoding, Parser, Payload};
use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::{Resolve, WorldId};

use super::shape::{self, Misfit};
use crate::policy::Role;

/// The contract, as `sdk/` has it.
const TEXT: &str = include_str!("../../../../sdk/wit/v0.1.0/reviver.wit");

/// What the names of the contract's interfaces start with.
const CONTRACT: &str = "reviver:plugin/";

/// Why a core module makes no component.
#[derive(Debug)]
#[non_exhaustive]
pub enum ModuleError {
    /// It is no WebAssembly at all.
    NotWasm,
    /// It is a component already.
    AlreadyComponent,
    /// It is no well-formed module.
    Malformed(BinaryReaderError),
    /// It carries no types, and nobody said which role it has.
    RoleNeeded,
    /// It carries types, but not those that are wanted.
    OtherWorld {
        /// What it exports by its types.
        exports: Vec<String>,
        /// The role that was asked for.
        wanted: Option<Role>,
    },
    /// It lacks what its world demands, or demands what its world lacks.
    Unfit(Vec<Misfit>),
    /// The encoder refuses it, for a reason that is not among the others.
    Refused(Box<dyn Error + Send + Sync>),
}

impl fmt::Display for ModuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotWasm => f.write_str("it is no WebAssembly at all"),
            Self::AlreadyComponent => f.write_str(
                "it is a component already and needs no building; `reviver plugin inspect` shows what it is",
            ),
            Self::Malformed(_) => f.write_str("the module is malformed"),
            Self::RoleNeeded => f.write_str(
                "the module carries no types of the contract: say which it is meant for with \
                 `--role key`, `--role metadata` or `--role eviction`",
            ),
            Self::OtherWorld { exports, wanted } => {
                let exports = if exports.is_empty() { "nothing".to_owned() } else { exports.join(", ") };
                match wanted {
                    Some(role) => write!(f, "by the types in it, it exports {exports} and no {role} role"),
                    None => write!(f, "by the types in it, it exports {exports} and no role of the contract"),
                }
            }
            Self::Unfit(misfits) => {
                f.write_str("the module does not fit the contract:")?;
                misfits.iter().try_for_each(|misfit| write!(f, "\n    {misfit}"))
            }
            Self::Refused(_) => f.write_str("no component can be made of the module"),
        }
    }
}

impl Error for ModuleError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Malformed(source) => Some(source),
            Self::Refused(source) => Some(&**source),
            _ => None,
        }
    }
}

impl From<BinaryReaderError> for ModuleError {
    fn from(error: BinaryReaderError) -> Self {
        Self::Malformed(error)
    }
}

/// The component that a core module makes; `role` is needed where the module carries no types. Outcomes see the
/// [module](self).
pub fn component(module: &[u8], role: Option<Role>) -> Result<Vec<u8>, ModuleError> {
    let mut module = module.to_vec();
    if !carries_types(&module)? {
        let (resolve, world) = contract(role.ok_or(ModuleError::RoleNeeded)?);
        wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
            .map_err(refuse)?;
    }
    let (_, bound) = wit_component::metadata::decode(&module).map_err(refuse)?;
    let exports = bound.resolve.worlds[bound.world].exports.keys();
    let exports: Vec<_> = exports.map(|key| bound.resolve.name_world_key(key)).collect();
    let is_wanted = |export: &String| {
        export.strip_prefix(CONTRACT).is_some_and(|interface| {
            role.is_none_or(|role| interface.split('@').next() == Some(&format!("{role}-role")))
        })
    };
    if !exports.iter().any(is_wanted) {
        return Err(ModuleError::OtherWorld { exports, wanted: role });
    }
    let misfits = shape::misfits(&module, &bound.resolve, bound.world)?;
    if !misfits.is_empty() {
        return Err(ModuleError::Unfit(misfits));
    }
    let mut encoder = ComponentEncoder::default().validate(true).module(&module).map_err(refuse)?;
    encoder.encode().map_err(refuse)
}

/// The encoder's own words.
fn refuse(error: impl Into<Box<dyn Error + Send + Sync>>) -> ModuleError {
    ModuleError::Refused(error.into())
}

/// Whether a module carries types of its world, as WIT generators leave them.
fn carries_types(module: &[u8]) -> Result<bool, ModuleError> {
    if !module.starts_with(b"\0asm") {
        return Err(ModuleError::NotWasm);
    }
    let mut carries = false;
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::Version { encoding: Encoding::Component, .. } => {
                return Err(ModuleError::AlreadyComponent);
            }
            Payload::CustomSection(section) => carries |= section.name().starts_with("component-type"),
            _ => {}
        }
    }
    Ok(carries)
}

/// The contract, and the world of a role in it.
fn contract(role: Role) -> (Resolve, WorldId) {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("reviver.wit", TEXT).expect("invariant: the contract is valid");
    let world = resolve.select_world(&[package], Some(role.name()));
    let world = world.expect("invariant: each role has a world of its name");
    (resolve, world)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "in a test it is the assertion")]
mod tests {
    use super::*;
    use crate::runtime::inspect;

    /// A module of the eviction role, with what stands for `EXPORTS` and `IMPORTS`.
    fn eviction(imports: &str, exports: &str) -> Vec<u8> {
        let text = format!(
            "(module {imports} (memory (export \"memory\") 1)
                (func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32) i32.const 0) {exports})"
        );
        wat::parse_str(text).unwrap()
    }

    const SCORE: &str = "(func (export \"reviver:plugin/eviction-role@0.1.0#score\")
        (param i64 i64 i64 i64 i32 i32) (result i32) i32.const 0)";

    fn told(module: &[u8], role: Option<Role>) -> String {
        component(module, role).expect_err("it is no plugin").to_string()
    }

    #[test]
    fn a_module_of_any_compiler_becomes_a_plugin_of_its_role() {
        for imports in ["", "(import \"reviver:plugin/host@0.1.0\" \"configuration\" (func (param i32)))"] {
            let made = component(&eviction(imports, SCORE), Some(Role::Eviction)).unwrap();
            assert_eq!(inspect(&made).unwrap().role, Role::Eviction);
            assert_eq!(made, component(&eviction(imports, SCORE), Some(Role::Eviction)).unwrap());
        }
    }

    #[test]
    fn types_that_a_module_carries_need_no_role_and_stand_no_other() {
        let mut module = eviction("", SCORE);
        let (resolve, world) = contract(Role::Eviction);
        wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
        let made = component(&module, None).unwrap();
        assert_eq!(made, component(&eviction("", SCORE), Some(Role::Eviction)).unwrap());
        let other = told(&module, Some(Role::Key));
        assert!(other.contains("exports reviver:plugin/eviction-role@0.1.0 and no key role"), "{other}");
        assert!(matches!(component(&eviction("", SCORE), None), Err(ModuleError::RoleNeeded)));
    }

    #[test]
    fn types_of_something_else_are_not_of_the_contract() {
        let mut resolve = Resolve::default();
        let package = resolve.push_str("x.wit", "package a:b; world w { export f: func(); }").unwrap();
        let world = resolve.select_world(&[package], None).unwrap();
        let mut module = wat::parse_str("(module (func (export \"f\")))").unwrap();
        wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
        let other = told(&module, None);
        assert!(other.contains("exports f and no role of the contract"), "{other}");
    }

    #[test]
    fn what_is_no_core_module_is_told_by_its_kind() {
        let made = component(&eviction("", SCORE), Some(Role::Eviction)).unwrap();
        assert!(matches!(component(&made, None), Err(ModuleError::AlreadyComponent)));
        assert!(matches!(component(b"text", None), Err(ModuleError::NotWasm)));
        assert!(matches!(component(b"", None), Err(ModuleError::NotWasm)));
        let whole = eviction("", SCORE);
        for cut in [9, whole.len() / 2, whole.len() - 1] {
            let error = component(&whole[..cut], Some(Role::Eviction)).expect_err("it is cut off");
            assert!(matches!(error, ModuleError::Malformed(_)), "{cut}: {error:?}");
        }
    }

    #[test]
    fn a_module_that_is_damaged_anywhere_never_ends_the_process() {
        let whole = eviction("", SCORE);
        let mut refused = 0;
        for at in 0..whole.len() {
            for flipped in [0x01, 0x20, 0x80, 0xff] {
                let mut module = whole.clone();
                module[at] ^= flipped;
                refused += usize::from(component(&module, Some(Role::Eviction)).is_err());
            }
        }
        assert!(refused > whole.len(), "{refused} of {} were refused", 4 * whole.len());
    }

    #[test]
    fn every_misfit_is_told_with_what_was_expected() {
        let wrong = SCORE.replace("i64 i64 i64 i64", "i32");
        let imports =
            "(import \"wasi_snapshot_preview1\" \"fd_write\" (func (param i32 i32 i32 i32) (result i32)))
            (import \"env\" \"g\" (global i32))
            (import \"reviver:plugin/host@0.1.0\" \"print\" (func))
            (import \"reviver:plugin/host@0.1.0\" \"log\" (func (param i32)))";
        let told = told(&eviction(imports, &wrong), Some(Role::Eviction));
        for line in [
            "imports `wasi_snapshot_preview1` `fd_write`, which is not the contract's",
            "imports `env` `g`, which is not the contract's",
            "imports `reviver:plugin/host@0.1.0` `print`, which is not the contract's",
            "`reviver:plugin/host@0.1.0` `log` is imported as (i32), expected (i32, i32, i32)",
            "`reviver:plugin/eviction-role@0.1.0#score` is exported as (i32, i32, i32) -> i32, \
             expected (i64, i64, i64, i64, i32, i32) -> i32",
        ] {
            assert!(told.lines().any(|told| told.trim() == line), "{line} is not in {told}");
        }
        assert_eq!(told.lines().count(), 6, "{told}");
    }

    #[test]
    fn exports_that_are_missing_are_named_with_their_signatures() {
        let told = told(&wat::parse_str("(module)").unwrap(), Some(Role::Key));
        for line in [
            "lacks the export `memory`: its linear memory",
            "lacks the export `cabi_realloc`: (i32, i32, i32, i32) -> i32",
            "lacks the export `reviver:plugin/key-role@0.1.0#derive`: \
             (i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32) -> i32",
        ] {
            assert!(told.lines().any(|told| told.trim() == line), "{line} is not in {told}");
        }
        assert!(told.contains("#discover`") && told.lines().count() == 5, "{told}");
    }
}
