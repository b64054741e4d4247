//! How a core module and the world that it is meant for fit together: by names and core signatures.
//!
//! The encoder checks this too, one thing at a time and in its own words. Here every misfit is told at once, with what was
//! expected, since whoever writes bindings by hand has no compiler that does.

use std::collections::BTreeMap;
use std::fmt;

use wasmparser::{
    BinaryReaderError, CompositeInnerType, ExternalKind, FuncType, Parser, Payload, TypeRef, ValType,
};
use wit_parser::abi::{AbiVariant, WasmType};
use wit_parser::{Function, Mangling, Resolve, WorldId, WorldItem};

/// Something that a core module has otherwise than its world demands.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Misfit {
    /// An export is not there.
    Missing {
        /// Its name.
        name: String,
        /// What it would be.
        expected: String,
    },
    /// An export is there and is something else.
    Export {
        /// Its name.
        name: String,
        /// What it would be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// Something is imported that the world does not have.
    Foreign {
        /// From which module.
        module: String,
        /// By which name.
        name: String,
    },
    /// A function of the world is imported as something else.
    Import {
        /// From which module.
        module: String,
        /// By which name.
        name: String,
        /// What it would be.
        expected: String,
        /// As what it is imported.
        found: String,
    },
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { name, expected } => write!(f, "lacks the export `{name}`: {expected}"),
            Self::Export { name, expected, found } => {
                write!(f, "`{name}` is exported as {found}, expected {expected}")
            }
            Self::Foreign { module, name } => {
                write!(f, "imports `{module}` `{name}`, which is not the contract's")
            }
            Self::Import { module, name, expected, found } => {
                write!(f, "`{module}` `{name}` is imported as {found}, expected {expected}")
            }
        }
    }
}

/// What makes all memory that the host hands over.
const REALLOC: [&str; 2] = ["cabi_realloc", "cm32p2_realloc"];
const MEMORY: [&str; 2] = ["memory", "cm32p2_memory"];

/// All that does not fit between a well-formed core module and a world; imports first, in the module's order.
pub(super) fn misfits(
    module: &[u8],
    resolve: &Resolve,
    world: WorldId,
) -> Result<Vec<Misfit>, BinaryReaderError> {
    let shape = Shape::of(module)?;
    let mut misfits = imports(&shape, resolve, world);
    let mut demand = |names: &[String], expected: String| {
        let there = names.iter().find_map(|name| Some((name, shape.exports.get(name)?)));
        match there {
            None => misfits.push(Misfit::Missing { name: names[0].clone(), expected }),
            Some((name, found)) if *found != expected => {
                misfits.push(Misfit::Export { name: name.clone(), expected, found: found.clone() });
            }
            Some(_) => {}
        }
    };
    demand(&MEMORY.map(str::to_owned), LINEAR_MEMORY.to_owned());
    demand(&REALLOC.map(str::to_owned), "(i32, i32, i32, i32) -> i32".to_owned());
    for (key, item) in &resolve.worlds[world].exports {
        let interface = resolve.name_world_key(key);
        for function in functions(resolve, item) {
            let names = [Mangling::Legacy, Mangling::Standard32]
                .map(|mangling| function.core_export_name(Some(&interface), mangling).into_owned());
            demand(&names, signature(resolve, AbiVariant::GuestExport, function));
        }
    }
    Ok(misfits)
}

fn imports(shape: &Shape, resolve: &Resolve, world: WorldId) -> Vec<Misfit> {
    let mut known = BTreeMap::new();
    for (key, item) in &resolve.worlds[world].imports {
        let interface = resolve.name_world_key(key);
        for function in functions(resolve, item) {
            let expected = signature(resolve, AbiVariant::GuestImport, function);
            known.insert((format!("cm32p2|{interface}"), function.name.clone()), expected.clone());
            known.insert((interface.clone(), function.name.clone()), expected);
        }
    }
    let misfit = |(module, name, found): &(String, String, String)| {
        let (module, name, found) = (module.clone(), name.clone(), found.clone());
        match known.get(&(module.clone(), name.clone())) {
            None => Some(Misfit::Foreign { module, name }),
            Some(expected) if *expected != found => {
                Some(Misfit::Import { module, name, expected: expected.clone(), found })
            }
            Some(_) => None,
        }
    };
    shape.imports.iter().filter_map(misfit).collect()
}

fn functions<'a>(resolve: &'a Resolve, item: &'a WorldItem) -> impl Iterator<Item = &'a Function> {
    let interface = match item {
        WorldItem::Interface { id, .. } => Some(&resolve.interfaces[*id]),
        WorldItem::Function(_) | WorldItem::Type { .. } => None,
    };
    interface.into_iter().flat_map(|interface| interface.functions.values())
}

/// The core signature of a function of the contract.
fn signature(resolve: &Resolve, variant: AbiVariant, function: &Function) -> String {
    let signature = resolve.wasm_signature(variant, function);
    let name = |kind: &WasmType| match kind {
        WasmType::I32 | WasmType::Pointer | WasmType::Length => "i32",
        WasmType::I64 | WasmType::PointerOrI64 => "i64",
        WasmType::F32 => "f32",
        WasmType::F64 => "f64",
    };
    written(signature.params.iter().map(name), signature.results.iter().map(name))
}

fn written<'a>(params: impl Iterator<Item = &'a str>, mut results: impl Iterator<Item = &'a str>) -> String {
    let params = params.collect::<Vec<_>>().join(", ");
    match results.next() {
        Some(result) => {
            format!("({params}) -> {}", results.fold(result.to_owned(), |all, one| all + ", " + one))
        }
        None => format!("({params})"),
    }
}

const LINEAR_MEMORY: &str = "its linear memory";

/// What a core module imports and exports, with what each is in words.
#[derive(Default)]
struct Shape {
    /// Module, name, and what it is.
    imports: Vec<(String, String, String)>,
    exports: BTreeMap<String, String>,
}

impl Shape {
    fn of(module: &[u8]) -> Result<Self, BinaryReaderError> {
        let mut shape = Self::default();
        let (mut types, mut functions) = (Vec::new(), Vec::new());
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::TypeSection(section) => {
                    for group in section {
                        types.extend(group?.into_types().map(|one| match one.composite_type.inner {
                            CompositeInnerType::Func(function) => of_type(&function),
                            _ => "no function".to_owned(),
                        }));
                    }
                }
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let import = import?;
                        let is = match import.ty {
                            TypeRef::Func(index) | TypeRef::FuncExact(index) => {
                                functions.push(index);
                                called(&types, index)
                            }
                            _ => "no function".to_owned(),
                        };
                        shape.imports.push((import.module.to_owned(), import.name.to_owned(), is));
                    }
                }
                Payload::FunctionSection(section) => {
                    for index in section {
                        functions.push(index?);
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export?;
                        let is = match export.kind {
                            ExternalKind::Func | ExternalKind::FuncExact => {
                                let index = functions.get(export.index as usize);
                                index.map_or_else(|| "nothing".to_owned(), |index| called(&types, *index))
                            }
                            ExternalKind::Memory => LINEAR_MEMORY.to_owned(),
                            ExternalKind::Table => "a table".to_owned(),
                            ExternalKind::Global => "a global".to_owned(),
                            ExternalKind::Tag => "a tag".to_owned(),
                        };
                        shape.exports.insert(export.name.to_owned(), is);
                    }
                }
                _ => {}
            }
        }
        Ok(shape)
    }
}

/// A type by its index; the encoder's validation refuses a module that names one that it does not have.
fn called(types: &[String], index: u32) -> String {
    types.get(index as usize).cloned().unwrap_or_else(|| "a function without a type".to_owned())
}

fn of_type(function: &FuncType) -> String {
    let name = |kind: &ValType| match *kind {
        ValType::I32 => "i32",
        ValType::I64 => "i64",
        ValType::F32 => "f32",
        ValType::F64 => "f64",
        ValType::V128 => "v128",
        ValType::Ref(_) => "reference",
    };
    written(function.params().iter().map(name), function.results().iter().map(name))
}
