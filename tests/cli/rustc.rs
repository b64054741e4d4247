//! cargo with `RUSTC_WRAPPER`: a workspace in which libraries, macros, a build script, a procedural macro and a program
//! depend on one another. Whatever is edited, the libraries are those of a plain build, byte for byte.

use crate::support::{REVIVER, Repository, files, settle};
use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A member of the workspace: name, what the manifest says more, files.
type Member = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const MEMBERS: &[Member] = &[
    (
        "app",
        "[dependencies]\nfacade = { path = '../facade' }\nmade = { path = '../made' }\nanswer = { path = '../answer' }\n",
        &[(
            "src/main.rs",
            "fn main() {\n    let text: String = facade::most();\n    println!(\"{text}|{}|{}|{}|{}\", \
             facade::square!(7), facade::text::SHOWN, made::MADE, answer::answer!());\n}\n",
        )],
    ),
    // Instantiates what lies behind an extern of its own: `leaf` is none.
    (
        "facade",
        "[dependencies]\nmiddle = { path = '../middle' }\ntext = { path = '../text' }\n",
        &[(
            "src/lib.rs",
            "pub use middle::square;\npub use text;\npub fn most() -> String { middle::most(1) }\n",
        )],
    ),
    (
        "middle",
        "[dependencies]\nleaf = { path = '../leaf' }\n",
        &[("src/lib.rs", "pub use leaf::{most, square};\n")],
    ),
    (
        "leaf",
        "",
        &[
            (
                "src/lib.rs",
                "mod inner;\npub use inner::most;\n#[macro_export]\nmacro_rules! square { ($x:expr) => { $x * $x } }\n",
            ),
            (
                "src/inner.rs",
                "pub fn most<T: std::fmt::Display>(one: T) -> String { format!(\"most {one}\") }\n",
            ),
        ],
    ),
    (
        "text",
        "",
        &[
            (
                "src/lib.rs",
                "pub const SHOWN: &str = concat!(include_str!(\"sh own.txt\"), env!(\"GREETING\"));\n",
            ),
            ("src/sh own.txt", "shown "),
        ],
    ),
    (
        "made",
        "",
        &[
            (
                "build.rs",
                "fn main() {\n    let out = std::env::var(\"OUT_DIR\").unwrap();\n    \
              std::fs::write(format!(\"{out}/made.rs\"), \"pub const MADE: u32 = 5;\").unwrap();\n    \
              println!(\"cargo::rerun-if-changed=build.rs\");\n}\n",
            ),
            ("src/lib.rs", "include!(concat!(env!(\"OUT_DIR\"), \"/made.rs\"));\n"),
        ],
    ),
    (
        "answer",
        "[lib]\nproc-macro = true\n",
        &[(
            "src/lib.rs",
            "use proc_macro::TokenStream;\n#[proc_macro]\npub fn answer(_: TokenStream) -> TokenStream { \
           \"42\".parse().unwrap() }\n",
        )],
    ),
];

/// The libraries, which rustc makes alone; what is linked is refused.
const LIBRARIES: [&str; 5] = ["facade", "leaf", "made", "middle", "text"];

struct Workspace {
    repository: Repository,
    /// Given by rustup to those whom it starts, and to the cargo of this test.
    toolchain: Vec<(&'static str, std::ffi::OsString)>,
    greeting: String,
}

/// What a build did.
#[derive(Default)]
struct Build {
    code: Option<i32>,
    hits: BTreeSet<String>,
    misses: BTreeSet<String>,
    /// Why others ran uncached.
    refused: BTreeSet<String>,
    /// What cargo said.
    said: String,
}

impl Workspace {
    fn new() -> Result<Self> {
        let repository = Repository::new()?;
        let names: Vec<_> = MEMBERS.iter().map(|(name, ..)| format!("'{name}'")).collect();
        repository.write(
            "Cargo.toml",
            format!("[workspace]\nresolver = '2'\nmembers = [{}]\n", names.join(", ")),
        )?;
        for (name, more, files) in MEMBERS {
            let package = format!("[package]\nname = '{name}'\nversion = '0.1.0'\nedition = '2021'\n{more}");
            repository.write(&format!("{name}/Cargo.toml"), package)?;
            for (path, text) in *files {
                repository.write(&format!("{name}/{path}"), text)?;
            }
        }
        let wrapper = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/rustc/reviver-rustc");
        fs::copy(wrapper, repository.path("reviver-rustc"))?;
        // A home of the test's own has no toolchains: those of this machine are meant.
        let own = std::env::var_os("HOME").map(PathBuf::from).context("a home")?;
        let place = |name: &'static str, usual: &str| {
            (name, std::env::var_os(name).unwrap_or_else(|| own.join(usual).into_os_string()))
        };
        let mut toolchain = vec![place("RUSTUP_HOME", ".rustup"), place("CARGO_HOME", ".cargo")];
        toolchain.extend(std::env::var_os("RUSTUP_TOOLCHAIN").map(|name| ("RUSTUP_TOOLCHAIN", name)));
        // The root is where this is.
        repository.write("reviver.toml", "")?;
        settle();
        Ok(Self { repository, toolchain, greeting: "hello".to_owned() })
    }

    fn cargo(&self, what: &str) -> Command {
        // The variables of the outer cargo are cleared with all others.
        let mut command = self.repository.command("cargo");
        command.args([what, "--offline", "--target-dir"]).arg(self.repository.path("target"));
        command.envs(self.toolchain.iter().cloned());
        command.env("CARGO_INCREMENTAL", "0").env("GREETING", &self.greeting);
        command
    }

    /// A build by way of the cache, from nothing or from what the last one left.
    fn build(&self, clean: bool) -> Result<Build> {
        if clean {
            self.forget()?;
        }
        settle();
        let before = self.runs()?.len();
        let mut command = self.cargo("build");
        command.env("RUSTC_WRAPPER", self.repository.path("reviver-rustc")).env("REVIVER", REVIVER);
        let done = command.output()?;
        let mut build =
            Build { code: done.status.code(), said: String::from_utf8(done.stderr)?, ..Build::default() };
        ensure!(!build.said.contains("reviver: warning"), "{}", build.said);
        for run in self.runs()?.split_off(before) {
            let text = |name: &str| run[name].as_str().unwrap_or_default();
            let name = text("label").strip_prefix("rustc ").and_then(|rest| rest.split('-').next());
            match (text("result"), name) {
                ("hit", Some(name)) => drop(build.hits.insert(name.to_owned())),
                ("miss", Some(name)) => {
                    // A failed build records nothing, and says so.
                    ensure!(text("reason").is_empty() || build.code != Some(0), "{run}");
                    build.misses.insert(name.to_owned());
                }
                ("uncached", _) => drop(build.refused.insert(text("reason").to_owned())),
                _ => bail!("{run}"),
            }
        }
        Ok(build)
    }

    fn forget(&self) -> Result<()> {
        if self.repository.exists("target") { self.repository.remove(&["target"]) } else { Ok(()) }
    }

    /// What the journal holds.
    fn runs(&self) -> Result<Vec<Json>> {
        let journal = self.repository.ask(&["explain", "--json", "-n", "100000"])?;
        Ok(serde_json::from_slice(&journal.stdout).unwrap_or_default())
    }

    /// Builds, in part or whole, and compares the libraries with those of a plain build at the same place.
    fn built(&self, clean: bool, hits: &[&str], misses: &[&str]) -> Result<Build> {
        let build = self.build(clean)?;
        ensure!(build.code == Some(0), "{}", build.said);
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        assert_eq!((&build.hits, &build.misses), (&set(hits), &set(misses)), "hits and misses");
        let revived = self.libraries()?;
        fs::rename(self.repository.path("target"), self.repository.path("kept"))?;
        let plain = self.cargo("build").output()?;
        ensure!(plain.status.success(), "{}", String::from_utf8_lossy(&plain.stderr));
        for (name, content) in self.libraries()? {
            ensure!(revived.get(&name) == Some(&content), "{name} differs from a plain build's");
        }
        self.forget()?;
        fs::rename(self.repository.path("kept"), self.repository.path("target"))?;
        Ok(build)
    }

    /// What rustc wrote for the libraries, by the names of the files.
    fn libraries(&self) -> Result<BTreeMap<String, Vec<u8>>> {
        let mut found = BTreeMap::new();
        for path in files(&self.repository.path("target/debug/deps")) {
            let name = path.file_name().and_then(|name| name.to_str()).context("a name")?.to_owned();
            let stem = name.split('-').next().unwrap_or_default();
            let known = LIBRARIES.iter().any(|library| stem.strip_prefix("lib").unwrap_or(stem) == *library);
            if known {
                found.insert(name, fs::read(&path)?);
            }
        }
        ensure!(found.len() == 3 * LIBRARIES.len(), "{:?}", found.keys());
        Ok(found)
    }

    fn says(&self) -> Result<String> {
        let said = self.repository.command(self.repository.path("target/debug/app")).output()?;
        ensure!(said.status.success());
        Ok(String::from_utf8(said.stdout)?.trim_end().to_owned())
    }

    /// Replaces a text in a file.
    fn edit(&self, path: &str, from: &str, to: &str) -> Result<()> {
        let text = self.repository.text(path)?;
        ensure!(text.contains(from), "{path} holds no `{from}`");
        self.repository.write(path, text.replace(from, to))?;
        settle();
        Ok(())
    }
}

#[test]
fn libraries_are_revived_and_the_program_runs() -> Result<()> {
    let workspace = Workspace::new()?;
    let first = workspace.built(true, &[], &LIBRARIES)?;
    assert_eq!(workspace.says()?, "most 1|49|shown hello|5|42");
    let second = workspace.built(true, &LIBRARIES, &[])?;
    assert_eq!(workspace.says()?, "most 1|49|shown hello|5|42");
    // What is linked runs in any case, for a reason that is told.
    for build in [&first, &second] {
        for kind in ["`bin`", "`proc-macro`"] {
            ensure!(build.refused.iter().any(|why| why.contains(kind)), "{:?}", build.refused);
        }
    }
    Ok(())
}

#[test]
fn warnings_come_back_and_the_next_build_is_fresh() -> Result<()> {
    let workspace = Workspace::new()?;
    workspace.edit("leaf/src/inner.rs", "pub fn", "fn unused() {}\npub fn")?;
    let first = workspace.build(true)?;
    ensure!(first.said.contains("`unused` is never used"), "{}", first.said);
    let second = workspace.build(true)?;
    ensure!(
        second.hits.contains("leaf") && second.said.contains("`unused` is never used"),
        "{}",
        second.said
    );
    let third = workspace.build(false)?;
    ensure!(third.hits.is_empty() && third.misses.is_empty(), "cargo finds nothing to do");
    Ok(())
}

#[test]
fn an_edit_misses_where_it_matters_and_nowhere_else() -> Result<()> {
    let workspace = Workspace::new()?;
    workspace.built(true, &[], &LIBRARIES)?;
    // A comment that moves nothing changes `leaf` and is told to `middle`, whose metadata stay as they were. `facade`
    // holds code of `leaf`, which is no extern of it, and still is what a plain build makes.
    workspace.edit("leaf/src/inner.rs", "}\n", "}\n// the end\n")?;
    workspace.built(false, &["facade"], &["leaf", "middle"])?;
    workspace.edit("leaf/src/inner.rs", "pub fn", "// the beginning\npub fn")?;
    workspace.built(false, &[], &["leaf", "middle", "facade"])?;
    workspace.edit("leaf/src/inner.rs", "most {one}", "least {one}")?;
    workspace.built(false, &[], &["leaf", "middle", "facade"])?;
    assert_eq!(workspace.says()?, "least 1|49|shown hello|5|42");
    workspace.edit("leaf/src/lib.rs", "$x * $x", "$x * $x + 1")?;
    workspace.built(false, &[], &["leaf", "middle", "facade"])?;
    assert_eq!(workspace.says()?, "least 1|50|shown hello|5|42");
    workspace.edit("leaf/src/lib.rs", "$x * $x + 1", "$x * $x")?;
    workspace.built(false, &["leaf", "middle", "facade"], &[])?;
    assert_eq!(workspace.says()?, "least 1|49|shown hello|5|42");
    Ok(())
}

#[test]
fn included_files_variables_and_what_is_generated_count() -> Result<()> {
    let mut workspace = Workspace::new()?;
    workspace.built(true, &[], &LIBRARIES)?;
    workspace.edit("text/src/sh own.txt", "shown", "seen")?;
    workspace.built(false, &[], &["text", "facade"])?;
    assert_eq!(workspace.says()?, "most 1|49|seen hello|5|42");
    "goodbye".clone_into(&mut workspace.greeting);
    workspace.built(false, &[], &["text", "facade"])?;
    assert_eq!(workspace.says()?, "most 1|49|seen goodbye|5|42");
    "hello".clone_into(&mut workspace.greeting);
    workspace.built(true, &LIBRARIES, &[])?;
    assert_eq!(workspace.says()?, "most 1|49|seen hello|5|42");
    workspace.edit("made/build.rs", "= 5;", "= 6;")?;
    workspace.built(false, &[], &["made"])?;
    workspace.edit("answer/src/lib.rs", "42", "43")?;
    workspace.built(true, &LIBRARIES, &[])?;
    assert_eq!(workspace.says()?, "most 1|49|seen hello|6|43");
    Ok(())
}

#[test]
fn a_module_that_is_found_twice_is_an_error_still() -> Result<()> {
    let workspace = Workspace::new()?;
    workspace.build(true)?;
    workspace.repository.write("leaf/src/inner/mod.rs", "")?;
    let build = workspace.build(true)?;
    ensure!(build.code != Some(0) && build.said.contains("E0761"), "{}", build.said);
    workspace.repository.remove(&["leaf/src/inner"])?;
    workspace.built(true, &LIBRARIES, &[])?;
    Ok(())
}

#[test]
fn what_would_be_incremental_runs_and_says_how_it_can_be_revived() -> Result<()> {
    let workspace = Workspace::new()?;
    let mut command = workspace.cargo("build");
    command.env("RUSTC_WRAPPER", workspace.repository.path("reviver-rustc")).env("REVIVER", REVIVER);
    let done = command.env_remove("CARGO_INCREMENTAL").output()?;
    ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(workspace.says()?, "most 1|49|shown hello|5|42");
    let told = |run: &Json| run["reason"].as_str().is_some_and(|why| why.contains("CARGO_INCREMENTAL=0"));
    ensure!(workspace.runs()?.iter().any(told), "the reason tells the way out");
    // Without the cache the wrapper is as if it was not there.
    workspace.forget()?;
    let mut command = workspace.cargo("build");
    command
        .env("RUSTC_WRAPPER", workspace.repository.path("reviver-rustc"))
        .env("REVIVER", "/nowhere/reviver");
    ensure!(command.status()?.success());
    Ok(())
}

/// cargo runs rustc for a crate of a registry in the directory where that was unpacked, outside of any repository.
#[test]
fn crates_that_lie_elsewhere_belong_to_the_repository_that_is_built() -> Result<()> {
    let workspace = Workspace::new()?;
    fs::rename(workspace.repository.path("leaf"), workspace.repository.home.join("leaf"))?;
    workspace.edit("Cargo.toml", "'leaf', ", "")?;
    let elsewhere = workspace.repository.home.join("leaf").display().to_string();
    workspace.edit("middle/Cargo.toml", "../leaf", &elsewhere)?;
    workspace.built(true, &[], &LIBRARIES)?;
    workspace.built(true, &LIBRARIES, &[])?;
    assert_eq!(workspace.says()?, "most 1|49|shown hello|5|42");
    fs::write(
        Path::new(&elsewhere).join("src/inner.rs"),
        "pub fn most(_: u8) -> String { \"none\".to_owned() }\n",
    )?;
    workspace.built(true, &["made", "text"], &["leaf", "middle", "facade"])?;
    assert_eq!(workspace.says()?, "none|49|shown hello|5|42");
    Ok(())
}
