//! What a component says of itself, read from its names before anything is compiled.
//!
//! | the bytes | |
//! |---|---|
//! | a plugin of any role for this version of the contract | `Ok` |
//! | a core module, text, something else or nothing | `Load` that says which |
//! | a component for another version, of no role or of several | `Abi` |
//! | a component that imports what no plugin of its role may have | `Import` with the name |
//!
//! Only the outermost names are read: nested modules and components are stepped over by their lengths. That a component
//! is valid throughout is found out when it is compiled.

use super::contract;
use crate::digest::Digest;
use crate::policy::{FaultKind, Role};
use wasmparser::{Chunk, Encoding, Parser, Payload};

/// What a component says of itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Inspection {
    /// Its role.
    pub role: Role,
    /// The version of the contract that it was built for.
    pub abi: String,
    /// The names of what it imports, in its own order.
    pub imports: Vec<String>,
    /// The names of what it exports, in its own order.
    pub exports: Vec<String>,
    /// Its number of bytes.
    pub size: u64,
    /// The digest of its bytes.
    pub digest: Digest,
}

/// Inspects a component.
pub fn inspect(bytes: &[u8]) -> Result<Inspection, FaultKind> {
    let Names { imports, exports } = names(bytes)?;
    let exports_of = || exports.iter().map(String::as_str);
    let (role, abi) = contract::role(exports_of())?;
    contract::check(role, imports.iter().map(String::as_str), exports_of())?;
    let abi = abi.to_owned();
    Ok(Inspection { role, abi, imports, exports, size: bytes.len() as u64, digest: Digest::of(bytes) })
}

/// Checks that a component can serve `role`, as [`inspect`] does.
pub(super) fn check(bytes: &[u8], role: Role) -> Result<(), FaultKind> {
    let Names { imports, exports } = names(bytes)?;
    contract::check(role, imports.iter().map(String::as_str), exports.iter().map(String::as_str))
}

/// The names of what a component imports and exports, in its own order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Names {
    /// What it imports.
    pub imports: Vec<String>,
    /// What it exports.
    pub exports: Vec<String>,
}

/// The names in a component of any kind, also of one that can be no plugin.
pub fn names(bytes: &[u8]) -> Result<Names, FaultKind> {
    if !bytes.starts_with(b"\0asm") {
        let what = if bytes.is_empty() { "the file is empty" } else { "the file is no WebAssembly at all" };
        return Err(FaultKind::Load(what.into()));
    }
    outermost_names(bytes).map_err(|error| match error {
        NoNames::CoreModule => FaultKind::Load(
            "this is a core module and no component; `reviver plugin build` makes a component of it".into(),
        ),
        NoNames::Malformed(error) => FaultKind::Load(format!("the component is malformed: {error}")),
    })
}

enum NoNames {
    CoreModule,
    Malformed(String),
}

impl From<wasmparser::BinaryReaderError> for NoNames {
    fn from(error: wasmparser::BinaryReaderError) -> Self {
        Self::Malformed(error.to_string())
    }
}

fn outermost_names(bytes: &[u8]) -> Result<Names, NoNames> {
    let (mut imports, mut exports) = (Vec::new(), Vec::new());
    let mut parser = Parser::new(0);
    let mut offset = 0;
    loop {
        let rest = bytes.get(offset..).ok_or_else(|| NoNames::Malformed("it is cut off".into()))?;
        let Chunk::Parsed { consumed, payload } = parser.parse(rest, true)? else {
            return Ok(Names { imports, exports });
        };
        offset += consumed;
        match payload {
            Payload::Version { encoding: Encoding::Module, .. } => return Err(NoNames::CoreModule),
            Payload::ComponentImportSection(section) => {
                for import in section {
                    imports.push(import?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section {
                    exports.push(export?.name.name.to_owned());
                }
            }
            Payload::ModuleSection { unchecked_range, .. }
            | Payload::ComponentSection { unchecked_range, .. } => offset = unchecked_range.end,
            Payload::End(_) => return Ok(Names { imports, exports }),
            _ => {}
        }
    }
}
