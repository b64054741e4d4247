//! The committed components are what their sources make.
//!
//! A component that differs from its source would show one thing to whoever reads it and do another. Each is built again
//! and compared byte for byte; `REVIVER_RENEW=1 cargo test -p tests --test components` writes them instead.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context as _, Result, ensure};
use reviver::author::build::{BuildError, Built, Options, build};
use reviver::shipped;
use wit_component::DecodedWasm;

// The example's own tests, so that they run with all others.
#[path = "../examples/custom-key/plugin/src/lib.rs"]
#[allow(unreachable_pub, reason = "it is the root of its own crate")]
mod custom_key;

/// The greatest size of a component: a guest carries all that it uses, and every user loads it.
const BUDGET: usize = 64 * 1024;
/// The compiler plugin knows hundreds of options and how three compilers lay out their reports.
const COMPILER_BUDGET: usize = 256 * 1024;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// One directory for all times, or each run would compile the SDK again.
fn options() -> Options {
    let target_directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("guests");
    Options { target_directory, install_target: true, locked: true }
}

/// A component of the repository.
struct Component {
    /// Where it is committed.
    path: PathBuf,
    /// What its source makes.
    built: Built,
}

/// All components of the repository, each built once for all tests.
fn components() -> Result<&'static [Component]> {
    static COMPONENTS: OnceLock<Result<Vec<Component>, BuildError>> = OnceLock::new();
    let build_all = || {
        let shipped = shipped::names()
            .iter()
            .map(|name| (format!("plugins/{name}"), format!("plugins/components/{name}.wasm")));
        let example = ("examples/custom-key/plugin".to_owned(), "examples/custom-key/plugin.wasm".to_owned());
        shipped
            .chain([example])
            .map(|(crate_directory, path)| {
                let built = build(&repository().join(crate_directory), &options())?;
                Ok(Component { path: repository().join(path), built })
            })
            .collect()
    };
    Ok(COMPONENTS.get_or_init(build_all).as_ref()?)
}

#[test]
fn committed_components_are_what_their_sources_make() -> Result<()> {
    let renew = std::env::var_os("REVIVER_RENEW").is_some_and(|renew| renew == "1");
    let mut stale = Vec::new();
    for Component { path, built } in components()? {
        if std::fs::read(path).is_ok_and(|committed| committed == built.component) {
            continue;
        }
        if renew {
            std::fs::create_dir_all(path.parent().context("a directory")?)?;
            std::fs::write(path, &built.component).with_context(|| path.display().to_string())?;
        } else {
            stale.push(&*built.package);
        }
    }
    ensure!(
        stale.is_empty(),
        "{} differ from what their sources make: run `REVIVER_RENEW=1 cargo test -p tests --test components`",
        stale.join(", ")
    );
    Ok(())
}

#[test]
fn components_are_small_and_import_the_contract_alone() -> Result<()> {
    for Component { built, .. } in components()? {
        let size = built.component.len();
        let budget = if built.package == "key-cc" { COMPILER_BUDGET } else { BUDGET };
        ensure!(size < budget, "{} has {size} bytes of {budget}", built.package);
        let DecodedWasm::Component(resolve, world) = wit_component::decode(&built.component)? else {
            anyhow::bail!("{} is no component", built.package);
        };
        let world = &resolve.worlds[world];
        let names = |items: &mut dyn Iterator<Item = _>| -> Vec<String> {
            items.map(|key| resolve.name_world_key(key)).collect()
        };
        let (imports, exports) = (names(&mut world.imports.keys()), names(&mut world.exports.keys()));
        ensure!(
            imports.iter().all(|name| name.starts_with("reviver:plugin/") && name.ends_with("@0.1.0")),
            "{} imports {imports:?}",
            built.package
        );
        ensure!(
            matches!(&exports[..], [role] if role.starts_with("reviver:plugin/") && role.ends_with("-role@0.1.0")),
            "{} exports {exports:?}",
            built.package
        );
    }
    Ok(())
}

/// The symbols of crates outside of a workspace hold a hash of their absolute path unless something is done about it, so
/// that no two checkouts agreed on the example's component.
#[test]
fn bytes_do_not_depend_on_where_the_sources_lie() -> Result<()> {
    let elsewhere = tempfile::tempdir()?;
    let copy = |from: &str| copy(&repository().join(from), &elsewhere.path().join("some/where").join(from));
    copy("sdk")?;
    copy("examples/custom-key/plugin")?;
    // The SDK is part of a workspace, of which no more than itself is there.
    let workspace: String = std::fs::read_to_string(repository().join("Cargo.toml"))?
        .lines()
        .map(|line| {
            if line.starts_with("members = ") { "members = [\"sdk\"]\n".into() } else { format!("{line}\n") }
        })
        .collect();
    std::fs::write(elsewhere.path().join("some/where/Cargo.toml"), workspace)?;
    let there = build(&elsewhere.path().join("some/where/examples/custom-key/plugin"), &options())?;
    let here = components()?.iter().find(|component| component.built.package == "words").context("words")?;
    ensure!(there.component == here.built.component, "the bytes differ");
    Ok(())
}

#[test]
fn what_does_not_compile_and_what_is_no_plugin_is_told() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let source = directory.path().join("src/lib.rs");
    std::fs::create_dir(directory.path().join("src"))?;
    std::fs::write(
        directory.path().join("Cargo.toml"),
        "[package]\nname = \"wrong\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n",
    )?;
    let options = Options { locked: false, ..options() };

    std::fs::write(&source, "pub fn f() -> u8 { \"text\" }\n")?;
    let error = build(directory.path(), &options).expect_err("a type error");
    ensure!(matches!(&error, BuildError::Compile { package, .. } if package == "wrong"), "{error:?}");
    ensure!(error.to_string().contains("mismatched types"), "{error}");

    std::fs::write(&source, "pub fn f() {}\n")?;
    let error = build(directory.path(), &options).expect_err("no export");
    ensure!(matches!(error, BuildError::NotAPlugin { .. }), "{error:?}");

    std::fs::remove_file(directory.path().join("Cargo.toml"))?;
    let error = build(directory.path(), &options).expect_err("no manifest");
    ensure!(matches!(error, BuildError::Tool { .. }), "{error:?}");
    let error = build(&directory.path().join("absent"), &options).expect_err("no directory");
    ensure!(matches!(error, BuildError::Io { .. }), "{error:?}");
    Ok(())
}

/// Copies what git would keep of a crate.
fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name()))?;
        } else if entry.file_name() != "target" {
            copy(&entry.path(), &to.join(entry.file_name()))?;
        }
    }
    Ok(())
}
