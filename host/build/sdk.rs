//! The SDK's sources as a crate that needs no workspace, for `reviver plugin new` to write.
//!
//! What a manifest takes from the workspace stands in it instead, and its dependencies are pinned to the versions that
//! this workspace's lock file names: with them the SDK is known to build. Tests, examples and lints stay behind; they are
//! about changing the SDK.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};
use toml::{Table, Value};

/// What lies beside the SDK's manifest and is not embedded.
const LEFT_OUT: [&str; 6] = ["Cargo.lock", "Cargo.toml", "benches", "examples", "target", "tests"];

/// Writes `sdk.rs` into the directory of generated sources: all files, by path.
pub(super) fn embed(workspace: &Path) -> Result<(), Box<dyn Error>> {
    let sdk = workspace.join("sdk");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    for read in [workspace.join("Cargo.toml"), workspace.join("Cargo.lock"), sdk.clone()] {
        println!("cargo::rerun-if-changed={}", read.display());
    }
    let manifest = out.join("sdk.toml");
    fs::write(&manifest, self::manifest(workspace, &sdk)?)?;
    let mut files = vec![("Cargo.toml".to_owned(), manifest)];
    for entry in fs::read_dir(&sdk)? {
        let entry = entry?;
        if !LEFT_OUT.contains(&&*entry.file_name().to_string_lossy()) {
            collect(&sdk, entry.path(), &mut files)?;
        }
    }
    files.sort();
    let mut source = String::from("const FILES: &[(&str, &str)] = &[\n");
    for (name, path) in files {
        writeln!(source, "    ({name:?}, include_str!({:?})),", path.display().to_string())?;
    }
    source.push_str("];\n");
    fs::write(out.join("sdk.rs"), source)?;
    Ok(())
}

fn collect(sdk: &Path, path: PathBuf, files: &mut Vec<(String, PathBuf)>) -> Result<(), Box<dyn Error>> {
    if path.is_dir() {
        for entry in fs::read_dir(&path)? {
            collect(sdk, entry?.path(), files)?;
        }
        return Ok(());
    }
    let name = path.strip_prefix(sdk)?.to_str().ok_or("a name that is not UTF-8")?.to_owned();
    files.push((name, path));
    Ok(())
}

/// The SDK's manifest without the workspace.
fn manifest(workspace: &Path, sdk: &Path) -> Result<String, Box<dyn Error>> {
    let read = |path: PathBuf| Ok::<Table, Box<dyn Error>>(fs::read_to_string(path)?.parse()?);
    let (whole, lock) = (read(workspace.join("Cargo.toml"))?, read(workspace.join("Cargo.lock"))?);
    let mut manifest = read(sdk.join("Cargo.toml"))?;
    for key in ["lints", "dev-dependencies", "bench", "example", "test"] {
        manifest.remove(key);
    }
    let inherited = |section: &str, key: &str| {
        let value = whole.get("workspace").and_then(|all| all.get(section)).and_then(|all| all.get(key));
        value.cloned().ok_or_else(|| format!("the workspace has no `{section}.{key}`"))
    };
    for (key, value) in manifest.get_mut("package").and_then(Value::as_table_mut).ok_or("no package")? {
        if inherits(value) {
            *value = inherited("package", key)?;
        }
    }
    for dependencies in tables(&mut manifest) {
        for (name, value) in dependencies {
            let mut own = match &*value {
                Value::Table(own) => own.clone(),
                version => Table::from_iter([("version".to_owned(), version.clone())]),
            };
            if own.remove("workspace").is_some() {
                match inherited("dependencies", name)? {
                    Value::Table(shared) => {
                        for (key, shared) in shared {
                            match (own.get_mut(&key), shared) {
                                (Some(Value::Array(own)), Value::Array(shared)) => own.extend(shared),
                                (Some(_), _) => {}
                                (None, shared) => drop(own.insert(key, shared)),
                            }
                        }
                    }
                    version => drop(own.insert("version".to_owned(), version)),
                }
            }
            if own.contains_key("path") || own.contains_key("package") {
                return Err(
                    format!("`{name}` of the SDK would not be found where the SDK is written to").into()
                );
            }
            own.insert("version".to_owned(), format!("={}", locked(&lock, name)?).into());
            *value = Value::Table(own);
        }
    }
    // A workspace of its own, whatever lies around the place where it is written to.
    manifest.insert("workspace".to_owned(), Value::Table(Table::new()));
    let head = "# The SDK of Reviver's plugins, as `reviver plugin new` wrote it. `reviver plugin new --sdk` renews it.\n\n";
    Ok(format!("{head}{manifest}"))
}

fn inherits(value: &Value) -> bool {
    value.get("workspace").and_then(Value::as_bool) == Some(true)
}

/// The tables of dependencies, those for one target included.
fn tables(manifest: &mut Table) -> Vec<&mut Table> {
    let mut tables = Vec::new();
    for (key, value) in manifest {
        match (&**key, value) {
            ("dependencies" | "build-dependencies", Value::Table(table)) => tables.push(table),
            ("target", Value::Table(targets)) => {
                let targets = targets.iter_mut().filter_map(|(_, target)| target.as_table_mut());
                for target in targets {
                    target.remove("dev-dependencies");
                    tables.extend(target.iter_mut().filter_map(|(_, table)| table.as_table_mut()));
                }
            }
            _ => {}
        }
    }
    tables
}

/// The version that the lock file has the SDK use of a crate.
fn locked(lock: &Table, name: &str) -> Result<String, String> {
    let packages = lock.get("package").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let named = |package: &&Value, name: &str| package.get("name").and_then(Value::as_str) == Some(name);
    // `NAME`, or `NAME VERSION` where there are several.
    let used = packages
        .iter()
        .find(|package| named(package, "reviver-sdk"))
        .and_then(|sdk| sdk.get("dependencies")?.as_array())
        .and_then(|used| {
            let mut used = used.iter().filter_map(Value::as_str);
            used.find_map(|used| {
                used.strip_prefix(name).filter(|rest| rest.is_empty() || rest.starts_with(' '))
            })
        })
        .ok_or_else(|| format!("Cargo.lock does not say that the SDK uses `{name}`"))?;
    if let Some(version) = used.split(' ').nth(1) {
        return Ok(version.to_owned());
    }
    let package = packages.iter().find(|package| named(package, name));
    let version = package.and_then(|package| package.get("version")?.as_str());
    Ok(version.ok_or_else(|| format!("Cargo.lock has no `{name}`"))?.to_owned())
}
