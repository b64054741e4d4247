//! What a key plugin answered is remembered, and forgotten exactly when something changes that the answer depends on.
//!
//! Each plugin here logs a line whenever it is asked, so that `--verbose` tells whether Wasm ran.

use crate::support::other_user::{NOBODY, OtherUser};
use crate::support::{Ran, Repository, is_root, settle};
use anyhow::{Context as _, Result, ensure};
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

/// A guest that logs `good` and then looks at what the first letter of the program's name says.
fn guest(change: impl FnOnce(String) -> String) -> Result<Vec<u8>> {
    let text = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../tests/hostile/{name}.wat"));
        fs::read_to_string(&path).with_context(|| path.display().to_string())
    };
    Ok(wat::parse_str(text("shell-key")?.replacen("  GUEST\n", &change(text("good")?), 1))?)
}

const SETTINGS: &str = "[plugin.asked]\npath = \"plugin.wasm\"\ncapabilities = [\"query\", \"read\"]\n\
    [plugin.asked.config]\nlevel = 1\n\
    [[rule]]\ncommand = \"?rogram\"\nplugin = \"asked\"\n";

/// A repository with a plugin, and a program of this name in it. `LANG` is the name of what a guest looks at, so it is also a
/// file's.
fn repository(program: &str) -> Result<Repository> {
    let repository = Repository::new()?;
    fs::write(repository.home.join("config/reviver/config.toml"), "capabilities = [\"query\", \"read\"]\n")?;
    repository.script(program, "echo \"made $1\" >out\n")?;
    repository.write("plugin.wasm", guest(|text| text)?)?;
    repository.write("reviver.toml", SETTINGS)?;
    repository.write("LANG", "content\n")?;
    pin(&repository)?;
    settle();
    Ok(repository)
}

/// What makes a repository's plugins usable once they, or what `reviver.toml` says of them, have changed.
fn pin(repository: &Repository) -> Result<()> {
    let pinned = repository.ask(&["plugin", "pin", "asked"])?;
    ensure!(pinned.code == Some(0), "{pinned:?}");
    Ok(())
}

/// The command behind `--`, found through the path that is given.
struct Operation<'a> {
    repository: &'a Repository,
    program: &'a str,
    variables: Vec<(&'a str, &'a str)>,
}

impl<'a> Operation<'a> {
    fn new(repository: &'a Repository, program: &'a str) -> Self {
        Self { repository, program, variables: Vec::new() }
    }

    fn with(mut self, name: &'a str, value: &'a str) -> Self {
        self.variables.push((name, value));
        self
    }

    fn run(&self) -> Result<Ran> {
        let path = std::env::join_paths(
            [self.repository.root.clone()]
                .into_iter()
                .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())),
        )?;
        let mut command = self.repository.runs(&["--", self.program]);
        command.env("PATH", path).envs(self.variables.iter().copied());
        Ran::of(&mut command)
    }

    /// It runs, and the plugin is asked.
    #[track_caller]
    fn asks(&self) -> Result<()> {
        self.tells(true)
    }

    /// It runs, and its remembered answer holds.
    #[track_caller]
    fn remembers(&self) -> Result<()> {
        self.tells(false)
    }

    #[track_caller]
    fn tells(&self, asked: bool) -> Result<()> {
        let at = std::panic::Location::caller();
        let ran = self.run()?;
        ensure!(ran.code == Some(0) && ran.warnings().is_empty(), "at {at}: {ran:?}");
        let logs = ran.said.iter().filter(|line| line.contains("asked: good")).count();
        ensure!(logs == usize::from(asked), "at {at}: asked {logs} times: {ran:?}");
        Ok(())
    }
}

/// Asked first and remembered then; once more after each change; remembered again where it is taken back, if answers of
/// before are kept.
fn forgotten(repository: &Repository, program: &str, change: impl FnOnce() -> Result<()>) -> Result<()> {
    let operation = Operation::new(repository, program);
    operation.asks()?;
    operation.remembers()?;
    change()?;
    pin(repository)?;
    settle();
    operation.asks()?;
    operation.remembers()
}

#[test]
fn another_plugin_is_asked_itself() -> Result<()> {
    let repository = repository("program")?;
    forgotten(&repository, "program", || {
        // As good as the other one, and not the same.
        repository.write("plugin.wasm", guest(|text| text.replace("\"argv\" \"out\"", "\"argw\" \"out\""))?)
    })
}

#[test]
fn the_same_plugin_written_again_is_not_asked_again() -> Result<()> {
    let repository = repository("program")?;
    let operation = Operation::new(&repository, "program");
    operation.asks()?;
    repository.write("plugin.wasm", guest(|text| text)?)?;
    settle();
    operation.remembers()?;
    fs::create_dir(repository.path("tools"))?;
    fs::rename(repository.path("plugin.wasm"), repository.path("tools/other.wasm"))?;
    repository.write("reviver.toml", SETTINGS.replace("plugin.wasm", "tools/other.wasm"))?;
    pin(&repository)?;
    operation.remembers()
}

#[test]
fn another_configuration_is_another_question() -> Result<()> {
    let repository = repository("program")?;
    let settings = |level: &str| repository.write("reviver.toml", SETTINGS.replace("level = 1", level));
    forgotten(&repository, "program", || settings("level = 2"))?;
    // What was asked once is still known, and the same table in other words is the same.
    let operation = Operation::new(&repository, "program");
    for same in ["level = 1", "level=1 # as before", "\"level\" = 0x1"] {
        settings(same)?;
        pin(&repository)?;
        operation.remembers()?;
    }
    settings("level = 1\nmore = true")?;
    pin(&repository)?;
    operation.asks()
}

#[test]
fn lower_limits_are_another_question_and_others_settings_are_not() -> Result<()> {
    let repository = repository("program")?;
    let limits = |limits: &str| {
        repository.write("reviver.toml", format!("{SETTINGS}[plugin.asked.limits]\n{limits}\n"))?;
        pin(&repository)
    };
    let operation = Operation::new(&repository, "program");
    operation.asks()?;
    for lower in ["memory = \"32 MiB\"", "fuel = 1000000", "output = \"1 MiB\""] {
        limits(lower)?;
        operation.asks()?;
        operation.remembers()?;
    }
    // Nothing that a call could meet, or nothing of this plugin.
    limits("fuel = 1000000\n[plugin.other]\npath = \"other.wasm\"")?;
    limits("fuel = 1000000\n[[rule]]\ncommand = \"make\"\nplugin = \"key-command\"")?;
    operation.remembers()
}

#[test]
fn a_capability_that_is_withdrawn_or_granted_is_another_question() -> Result<()> {
    let repository = repository("program")?;
    let user = repository.home.join("config/reviver/config.toml");
    forgotten(&repository, "program", || {
        repository.write("reviver.toml", SETTINGS.replace("[\"query\", \"read\"]", "[\"read\"]"))
    })?;
    repository.write("reviver.toml", SETTINGS)?;
    pin(&repository)?;
    let operation = Operation::new(&repository, "program");
    operation.remembers()?;
    fs::write(&user, "capabilities = [\"query\"]\n")?;
    operation.asks()?;
    fs::write(&user, "capabilities = [\"query\", \"read\"]\nsize = \"1 GB\"\n")?;
    operation.remembers()
}

#[test]
fn another_operation_is_another_question() -> Result<()> {
    let repository = repository("program")?;
    let operation = Operation::new(&repository, "program");
    operation.asks()?;
    let run = |arguments: &[&str]| repository.run(&[&["--"], arguments].concat());
    for other in [&["./program"][..], &["./program", "argument"]] {
        for asked in [true, false] {
            let ran = run(other)?;
            ensure!(ran.code == Some(0), "{ran:?}");
            assert_eq!(ran.said.iter().any(|line| line.contains("asked: good")), asked, "{other:?}: {ran:?}");
        }
    }
    operation.remembers()
}

/// A program whose name starts with `r` is one whose plugin reads the file `LANG`.
#[test]
fn a_file_that_was_read_is_a_condition() -> Result<()> {
    let repository = repository("rrogram")?;
    forgotten(&repository, "rrogram", || repository.write("LANG", "content2\n"))?;
    let operation = Operation::new(&repository, "rrogram");
    // The same content under another identity, and whatever else is there.
    fs::remove_file(repository.path("LANG"))?;
    repository.write("LANG", "content2\n")?;
    repository.write("LANGUAGE", "another\n")?;
    settle();
    operation.remembers()?;
    operation.with("LANG", "C.UTF-8").remembers()
}

#[test]
fn a_file_that_was_missed_is_a_condition() -> Result<()> {
    let repository = repository("rrogram")?;
    fs::remove_file(repository.path("LANG"))?;
    forgotten(&repository, "rrogram", || repository.write("LANG", "here now\n"))?;
    let operation = Operation::new(&repository, "rrogram");
    fs::remove_file(repository.path("LANG"))?;
    settle();
    operation.asks()?;
    repository.write("LANX", "not asked for\n")?;
    settle();
    operation.remembers()
}

/// One whose name starts with `s` searches through that file.
#[test]
fn a_file_that_was_searched_is_a_condition() -> Result<()> {
    let repository = repository("srogram")?;
    forgotten(&repository, "srogram", || repository.write("LANG", "content with good in it\n"))?;
    repository.write("unrelated", "good\n")?;
    settle();
    Operation::new(&repository, "srogram").remembers()
}

/// One whose name starts with `v` asks for the variable of that name.
#[test]
fn a_variable_that_was_asked_for_is_a_condition() -> Result<()> {
    let repository = repository("vrogram")?;
    let operation = |name, value| Operation::new(&repository, "vrogram").with(name, value);
    operation("LANG", "one").asks()?;
    operation("LANG", "one").remembers()?;
    operation("LANG", "one").with("LANGUAGE", "another").remembers()?;
    operation("LANG", "two").asks()?;
    operation("LANG", "two").remembers()?;
    // That there is none is an answer too.
    let without = Operation::new(&repository, "vrogram");
    without.asks()?;
    without.remembers()?;
    operation("LANGUAGE", "another").remembers()
}

/// One whose name starts with `q` asks the program itself.
#[test]
fn a_program_that_was_asked_is_a_condition() -> Result<()> {
    let repository = repository("qrogram")?;
    let body = "echo \"made $1\" >out\n";
    forgotten(&repository, "qrogram", || {
        fs::remove_file(repository.path("qrogram"))?;
        repository.script("qrogram", &format!("{body}# another version\n"))
    })?;
    let operation = Operation::new(&repository, "qrogram");
    // The same program, copied.
    let (old, new) = (repository.path("qrogram"), repository.path("copied"));
    fs::copy(&old, &new)?;
    fs::rename(&new, &old)?;
    repository.write("unrelated", "")?;
    settle();
    operation.remembers()
}

#[test]
fn without_its_artefact_a_remembered_answer_holds_and_none_is_made() -> Result<()> {
    let repository = repository("program")?;
    let operation = Operation::new(&repository, "program");
    operation.asks()?;
    operation.remembers()?;
    let artifacts = repository.cached("artifacts");
    ensure!(!artifacts.is_empty());
    artifacts.iter().try_for_each(fs::remove_file)?;
    operation.remembers()?;
    // The metadata plugin may have been asked; the key plugin was not.
    let digest = |path: &PathBuf| path.file_name().map(|name| name.to_string_lossy()[..64].to_owned());
    let made: Vec<_> = repository.cached("artifacts").iter().filter_map(digest).collect();
    let own = reviver::digest::Digest::of(&repository.read("plugin.wasm")?).to_hex();
    ensure!(!made.contains(&own), "{made:?}");
    Ok(())
}

/// A plugin that is asked anew because its artefact is damaged answers from one that is made anew.
#[test]
fn a_damaged_artefact_is_never_executed_and_is_replaced() -> Result<()> {
    let repository = repository("program")?;
    let own = reviver::digest::Digest::of(&repository.read("plugin.wasm")?).to_hex();
    let artefact = || {
        let all = repository.cached("artifacts");
        let is_own =
            |path: &&PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&own));
        all.iter().find(is_own).cloned().context("the plugin's artefact")
    };
    Operation::new(&repository, "program").asks()?;
    let path = artefact()?;
    let size = fs::metadata(&path)?.len() as usize;
    // Each page of it, its ends, and cut to every kind of length: `None` is a cut.
    let flips = (0..size).step_by(1024).chain([size - 33, size - 1]).map(|at| (at, true));
    let cuts = [0, 1, 31, 32, 4096, size / 2, size - 1].map(|at| (at, false));
    for (round, (at, flip)) in flips.chain(cuts).enumerate() {
        let mut bytes = fs::read(&path)?;
        if flip {
            bytes[at] ^= 0x10;
        } else {
            bytes.truncate(at);
        }
        fs::write(&path, &bytes)?;
        // Another question each time, since answers are remembered.
        let argument = round.to_string();
        let ran = repository.run(&["--", "./program", &argument])?;
        ensure!(ran.code == Some(0) && ran.warnings().is_empty(), "byte {at}: {ran:?}");
        ensure!(ran.said.iter().any(|line| line.contains("asked: good")), "byte {at}: {ran:?}");
        ensure!(fs::read(artefact()?)? != bytes, "byte {at}: it is replaced");
    }
    Ok(())
}

/// As somebody whom permissions stop, which they do not do to root.
#[test]
fn an_artefact_that_others_own_or_may_write_is_not_used() -> Result<()> {
    if !is_root() {
        return Ok(());
    }
    let repository = repository("program")?;
    let user = OtherUser::of(&repository)?;
    // Pinning made one that is root's.
    fs::remove_dir_all(&repository.cache)?;
    fs::create_dir(&repository.cache)?;
    let own = |path: &Path, owner| chown(path, Some(owner), Some(owner));
    let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode));
    own(&repository.cache, NOBODY)?;
    for path in ["program", "plugin.wasm", "reviver.toml", "LANG"] {
        own(&repository.path(path), NOBODY)?;
    }
    let mut round = 0;
    let mut asks = || {
        round += 1;
        let ran = user.run(&["--", "./program", &round.to_string()])?;
        ensure!(ran.code == Some(0) && ran.warnings().is_empty(), "round {round}: {ran:?}");
        ensure!(ran.said.iter().any(|line| line.contains("asked: good")), "round {round}: {ran:?}");
        Ok(())
    };
    asks()?;
    let digest = reviver::digest::Digest::of(&repository.read("plugin.wasm")?).to_hex();
    let kept = repository.cached("artifacts");
    let name = |path: &&PathBuf| path.to_string_lossy().contains(&digest);
    let path = kept.iter().find(name).context("the plugin's artefact")?.clone();
    let directory = path.parent().context("a directory")?;
    let identity = || anyhow::Ok(fs::metadata(&path)?.ino());

    // A file that somebody else owns, or may write, is replaced by an own one.
    let spoils: [&dyn Fn() -> std::io::Result<()>; 3] =
        [&|| own(&path, 0), &|| mode(&path, 0o620), &|| mode(&path, 0o602)];
    for spoil in spoils {
        let before = identity()?;
        spoil()?;
        mode(&path, fs::metadata(&path)?.mode() & 0o777 | 0o044)?;
        asks()?;
        ensure!(identity()? != before, "it is replaced");
        let now = fs::metadata(&path)?;
        assert_eq!((now.uid(), now.mode() & 0o777), (NOBODY, 0o600));
        asks()?;
        ensure!(fs::metadata(&path)?.ino() == now.ino(), "and kept");
    }
    // Where the directory is such a one, nothing in it is used, and nothing is put there.
    let spoils: [&dyn Fn() -> std::io::Result<()>; 3] =
        [&|| own(directory, 0).and_then(|()| mode(directory, 0o755)), &|| mode(directory, 0o720), &|| {
            mode(directory, 0o707)
        }];
    for spoil in spoils {
        let before = identity()?;
        fs::write(&path, "not to be read")?;
        spoil()?;
        asks()?;
        assert_eq!((identity()?, fs::read(&path)?), (before, b"not to be read".to_vec()));
        own(directory, NOBODY)?;
        mode(directory, 0o700)?;
    }
    asks()?;
    ensure!(fs::read(&path)? != b"not to be read", "it is replaced where it may be");
    Ok(())
}
