//! A new author's walk: from nothing to a plugin in their own repository, by the commands of `docs/writing-a-plugin.md`.
//!
//! What is added to `reviver.toml` is what `plugin new` says, taken from its output. Cargo works offline: what a new
//! crate needs is what the workspace was built with.

use crate::support::{Ran, Repository, settle};
use anyhow::{Context as _, Result, bail, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Expands the lines `include FILE` of its input, and says on standard output that it ran.
const GENERATOR: &str = r#"expand() {
    while read -r word rest; do
        case $word in
            include) (expand "${1%/*}/$rest") ;;
            *) echo "$word $rest" ;;
        esac
    done <"$1"
}
expand "./$1" >"$2"
echo generated
"#;

/// The repository of an author, who has cargo.
struct Walk {
    repository: Repository,
}

impl Walk {
    fn begin(name: &str) -> Result<Self> {
        let repository = Repository::at(name)?;
        repository.write("reviver.toml", "# This repository's own.\n")?;
        repository.script("generate.sh", GENERATOR)?;
        repository.write("in.txt", "one\ninclude part.txt\n")?;
        repository.write("part.txt", "two\n")?;
        settle();
        Ok(Self { repository })
    }

    /// Where cargo puts what it makes: one place for all plugins and all times, or each run would compile what the SDK
    /// depends on again. The tests of the components use it too.
    fn target() -> PathBuf {
        Path::new(env!("CARGO_TARGET_TMPDIR")).join("guests")
    }

    /// A command in a directory of the repository, with the toolchain of this process.
    fn in_directory(&self, directory: &str, mut command: Command) -> Result<Command> {
        let home = std::env::home_dir().context("a home")?;
        for (name, usual) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
            command.env(name, std::env::var_os(name).unwrap_or_else(|| home.join(usual).into()));
        }
        command.envs(std::env::var_os("RUSTUP_TOOLCHAIN").map(|toolchain| ("RUSTUP_TOOLCHAIN", toolchain)));
        command.env("CARGO_NET_OFFLINE", "true").current_dir(self.repository.path(directory));
        Ok(command)
    }

    /// `reviver plugin` with these arguments, in a directory of the repository.
    fn plugin(&self, directory: &str, arguments: &[&str]) -> Result<Ran> {
        let mut command = self.repository.reviver(&["plugin"]);
        command.args(arguments);
        Ran::of(&mut self.in_directory(directory, command)?)
    }

    /// The same, which must succeed.
    fn does(&self, directory: &str, arguments: &[&str]) -> Result<Ran> {
        let ran = self.plugin(directory, arguments)?;
        ensure!(ran.code == Some(0), "{arguments:?}: {ran:?}");
        Ok(ran)
    }

    /// `plugin new`, and into `reviver.toml` what it says.
    fn new_plugin(&self, role: &str, name: &str) -> Result<()> {
        let said = self.does(".", &["new", "--role", role, name, "--directory", "tools"])?.out();
        let (_, rest) = said.split_once("\nAdd to ").context("what to add")?;
        let (settings, commands) = rest.split_once("\nThen:\n").context("what comes then")?;
        ensure!(settings.contains("/repository/reviver.toml:"), "{said}");
        ensure!(commands.contains(&format!("cd tools/{name}")), "{said}");
        let lines: Vec<&str> = settings.lines().filter_map(|line| line.strip_prefix("    ")).collect();
        let tables = lines.iter().position(|line| line.starts_with('[')).context("a table")?;
        let (above, tables) = lines.split_at(tables);
        let before = self.repository.text("reviver.toml")?;
        let settings = [&above.join("\n"), &*before, &tables.join("\n")].join("\n");
        self.repository.write("reviver.toml", settings.replace("COMMAND", "generate.sh") + "\n")
    }

    fn cargo_test(&self, name: &str) -> Result<()> {
        let mut cargo = self.repository.command("cargo");
        cargo.arg("test").env("CARGO_TARGET_DIR", Self::target());
        let ran = Ran::of(&mut self.in_directory(&format!("tools/{name}"), cargo)?)?;
        ensure!(ran.code == Some(0), "{}{}", ran.out(), ran.err());
        ensure!(
            ran.out().contains(" passed") && !ran.err().contains("warning"),
            "{}{}",
            ran.out(),
            ran.err()
        );
        Ok(())
    }

    /// `plugin test`: its exit status and our lines.
    fn test(&self, name: &str) -> Result<(Option<i32>, String)> {
        let target = Self::target().display().to_string();
        let ran =
            self.plugin(&format!("tools/{name}"), &["test", "--install-target", "--target-dir", &target])?;
        Ok((ran.code, ran.said.join("\n")))
    }

    fn build(&self, name: &str) -> Result<()> {
        let target = Self::target().display().to_string();
        self.does(&format!("tools/{name}"), &["build", "--install-target", "--target-dir", &target])?;
        settle();
        Ok(())
    }

    fn role(&self, name: &str) -> Result<String> {
        let shown = self.does(".", &["inspect", "--json", &format!("tools/{name}/{name}.wasm")])?;
        let shown: serde_json::Value = serde_json::from_slice(&shown.stdout)?;
        Ok(shown["role"].as_str().context("a role")?.to_owned())
    }

    /// `reviver run -- ./generate.sh in.txt OUTPUT`.
    fn generate(&self, output: &str) -> Result<Ran> {
        self.repository.run(&["--", "./generate.sh", "in.txt", output])
    }

    fn edit(&self, file: &str, from: &str, to: &str) -> Result<()> {
        let text = self.repository.text(file)?;
        ensure!(text.contains(from), "{file} has no {from}");
        self.repository.write(file, text.replace(from, to))?;
        settle();
        Ok(())
    }

    /// A plugin that is not pinned as it is now is told with its cure, and the command runs without it.
    fn unpinned(&self, name: &str) -> Result<()> {
        let ran = self.generate("out.txt")?;
        let [warning] = ran.warnings()[..] else { bail!("one warning was expected: {ran:?}") };
        ensure!(warning.contains(&format!("reviver plugin pin {name}")), "{warning}");
        ensure!(ran.code == Some(0) && ran.out() == "generated\n", "{ran:?}");
        let strict = self.repository.run(&["--strict", "--", "./generate.sh", "in.txt", "out.txt"])?;
        ensure!(strict.code == Some(125) && strict.out().is_empty(), "{strict:?}");
        Ok(())
    }

    fn pin(&self, name: &str) -> Result<()> {
        self.does(".", &["pin", name])?;
        self.does(".", &["pin", "--check"])?;
        settle();
        Ok(())
    }
}

#[test]
fn a_key_plugin_from_nothing_to_its_second_version() -> Result<()> {
    let walk = Walk::begin("walk-key")?;
    walk.new_plugin("key", "words")?;
    walk.cargo_test("words")?;
    walk.build("words")?;
    ensure!(walk.role("words")? == "key");

    walk.unpinned("words")?;
    walk.pin("words")?;
    ensure!(walk.generate("out.txt")?.miss()?.out() == "generated\n");
    ensure!(walk.repository.text("out.txt")? == "one \ntwo \n");
    walk.repository.remove(&["out.txt"])?;
    ensure!(walk.generate("out.txt")?.hit()?.out() == "generated\n");
    ensure!(walk.repository.text("out.txt")? == "one \ntwo \n");
    // Nobody declared the part: the plugin found it.
    walk.edit("part.txt", "two", "three")?;
    walk.generate("out.txt")?.miss()?;
    ensure!(walk.repository.text("out.txt")? == "one \nthree \n");
    // An output of another name is another operation, as the plugin is now.
    walk.generate("other.txt")?.miss()?;

    // The generator does not write the name of its output, so the author leaves that out.
    fs::copy(walk.repository.path("tools/words/words.wasm"), walk.repository.path("before.wasm"))?;
    walk.edit("tools/words/src/lib.rs", ".ingredient(Ingredient::text(\"output\", output))", "")?;
    walk.build("words")?;
    let stale = walk.plugin(".", &["pin", "--check"])?;
    ensure!(stale.code == Some(1), "{stale:?}");
    walk.unpinned("words")?;
    walk.pin("words")?;
    walk.generate("out.txt")?.miss()?;
    walk.repository.remove(&["other.txt"])?;
    walk.generate("other.txt")?.hit()?;
    ensure!(walk.repository.text("other.txt")? == "one \nthree \n");

    let diff = walk.plugin(".", &["diff", "--json", "before.wasm", "words"])?;
    let told: serde_json::Value = serde_json::from_slice(&diff.stdout)?;
    // The outputs of two names were two operations, and are one now.
    let merged = told["merged"].as_array().with_context(|| format!("what merged, in {told}"))?;
    ensure!(diff.code == Some(1) && merged.len() == 1, "{told}");
    let same = walk.plugin(".", &["diff", "words", "tools/words/words.wasm"])?;
    ensure!(same.code == Some(0), "{}", same.out());
    Ok(())
}

#[test]
fn metadata_and_eviction_plugins_from_nothing_into_use() -> Result<()> {
    let walk = Walk::begin("walk-others")?;
    for (role, name) in [("metadata", "lines"), ("eviction", "dearest")] {
        walk.new_plugin(role, name)?;
        walk.cargo_test(name)?;
        walk.build(name)?;
        ensure!(walk.role(name)? == role);
        walk.pin(name)?;
    }
    let run = [
        "--in",
        "in.txt",
        "--in",
        "part.txt",
        "--out",
        "out.txt",
        "--",
        "./generate.sh",
        "in.txt",
        "out.txt",
    ];
    let ran = walk.repository.run(&run)?.miss()?;
    ensure!(ran.warnings().is_empty(), "{ran:?}");
    walk.repository.run(&run)?.hit()?;
    let keys = walk.repository.ask(&["cache", "keys", "--json"])?;
    let keys: serde_json::Value = serde_json::from_slice(&keys.stdout)?;
    let key = keys[0]["key"].as_str().with_context(|| format!("a key in {keys}"))?;
    let found = walk.repository.ask(&["cache", "find", key, "--extract", "found"])?;
    ensure!(found.code == Some(0), "{found:?}");
    let hunk = crate::support::files(&walk.repository.path("found"));
    let hunks = hunk.iter().map(fs::read).collect::<std::io::Result<Vec<_>>>()?;
    ensure!(hunks.iter().any(|file| file.starts_with(b"outcome 1\nexit 0\n")), "{hunk:?}");
    let trim = walk.repository.ask(&["cache", "trim", "--percent", "50", "--dry-run"])?;
    ensure!(trim.code == Some(0) && trim.warnings().is_empty(), "{trim:?}");
    Ok(())
}

#[test]
fn a_test_that_fails_tells_which_half_it_failed_in() -> Result<()> {
    let walk = Walk::begin("walk-test")?;
    walk.new_plugin("eviction", "dearest")?;
    let (code, said) = walk.test("dearest")?;
    ensure!(code == Some(0) && said.ends_with("the tests pass natively and against the component"), "{said}");

    let source = "tools/dearest/src/lib.rs";
    let plain = walk.repository.text(source)?;
    let with = |body: &str| {
        let test = format!("#[cfg(test)]\n#[test]\nfn planted() {{\n    {body}\n}}\n");
        walk.repository.write(source, plain.clone() + &test)
    };
    // What it is asked about is a file that is there, and so is the program that answers for it.
    with(
        "let path = |name| std::env::var_os(name).map(std::path::PathBuf::from);\n\
         let (plugin, command) = (path(\"REVIVER_PLUGIN\"), path(\"REVIVER_COMMAND\"));\n\
         assert_eq!(plugin.is_some(), command.is_some());\n\
         let Some((plugin, command)) = plugin.zip(command) else { return };\n\
         assert!(plugin.is_absolute() && std::fs::read(plugin).unwrap().starts_with(b\"\\0asm\"));\n\
         assert!(command.is_absolute() && command.is_file());",
    )?;
    let (code, said) = walk.test("dearest")?;
    ensure!(code == Some(0), "{said}");
    with("assert!(std::env::var_os(\"REVIVER_PLUGIN\").is_none());")?;
    let (code, said) = walk.test("dearest")?;
    ensure!(code == Some(3) && said.contains("failed against the component"), "{said}");
    with("assert!(std::env::var_os(\"REVIVER_PLUGIN\").is_some());")?;
    let (code, said) = walk.test("dearest")?;
    ensure!(code == Some(3) && said.contains("failed natively") && !said.contains("2 of 2"), "{said}");
    Ok(())
}

#[test]
fn what_is_there_is_left_alone_unless_it_is_asked_for() -> Result<()> {
    let walk = Walk::begin("walk-new")?;
    walk.new_plugin("key", "words")?;
    let before = crate::support::files(&walk.repository.path("tools"));
    walk.repository.write("tools/words/src/lib.rs", "//! Mine.\n")?;
    let again = walk.plugin(".", &["new", "--role", "metadata", "words", "--directory", "tools"])?;
    ensure!(
        again.code == Some(2) && again.said.iter().any(|line| line.contains("exists already")),
        "{again:?}"
    );
    ensure!(walk.repository.text("tools/words/src/lib.rs")? == "//! Mine.\n");
    ensure!(crate::support::files(&walk.repository.path("tools")) == before);

    walk.repository.write("tools/reviver-sdk/src/lib.rs", "//! An older one.\n")?;
    let kept = walk.does(".", &["new", "--role", "key", "more", "--directory", "tools"])?;
    let [warning] = kept.warnings()[..] else { bail!("one warning was expected: {kept:?}") };
    ensure!(warning.contains("`reviver plugin new --sdk --directory tools`"), "{warning}");
    ensure!(walk.repository.text("tools/reviver-sdk/src/lib.rs")? == "//! An older one.\n");
    walk.does(".", &["new", "--sdk", "--directory", "tools"])?;
    ensure!(walk.repository.text("tools/reviver-sdk/src/lib.rs")?.contains("pub mod testing"));

    for wrong in [&["new", "words"][..], &["new", "--role", "key"], &["new", "--role", "hash", "a"], &["new"]]
    {
        ensure!(walk.plugin(".", wrong)?.code == Some(2), "{wrong:?}");
    }
    let named = walk.plugin(".", &["new", "--role", "key", "../out"])?;
    ensure!(
        named.code == Some(2) && named.said.iter().any(|line| line.contains("cannot be the name")),
        "{named:?}"
    );
    Ok(())
}
