//! What goes wrong around a command must go wrong as it does without us, and must never be revived.
#![allow(
    clippy::unwrap_used,
    clippy::type_complexity,
    missing_docs,
    reason = "in a test it is the assertion"
)]

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Duration;

const REVIVER: &str = env!("CARGO_BIN_EXE_reviver");

struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("work")).unwrap();
        Self { directory }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.directory.path().join("work").join(path)
    }

    fn write(&self, path: &str, text: &str) {
        fs::write(self.at(path), text).unwrap();
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.at(path)).unwrap()
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.at("")).stdin(Stdio::null()).env_remove("REVIVER_DISABLE");
        command.env("REVIVER_CACHE_DIR", self.directory.path().join("cache"));
        command.env("XDG_CONFIG_HOME", self.directory.path().join("config"));
        command
    }

    fn reviver(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(REVIVER);
        command.args(["run", "-v"]).args(arguments);
        command
    }

    /// Runs and says what became of it: `hit`, `miss`, …
    fn run(&self, arguments: &[&str]) -> String {
        let output = self.reviver(arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        became(&output)
    }
}

fn became(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    text.lines().rev().find_map(|line| line.strip_prefix("reviver: ")).unwrap_or_default().to_owned()
}

fn sleep(milliseconds: u64) {
    thread::sleep(Duration::from_millis(milliseconds));
}

#[test]
fn a_link_is_revived_as_a_link() {
    let place = Place::new();
    place.write("b", "one");
    for expected in ["miss", "hit"] {
        let told = place.run(&["--in", "a", "--out", "l", "--", "ln", "-sf", "b", "l"]);
        assert!(told.starts_with(expected), "{told}");
        assert_eq!(fs::read_link(place.at("l")).unwrap(), Path::new("b"));
        fs::remove_file(place.at("l")).unwrap();
    }
}

#[test]
fn what_is_written_through_a_link_is_written() {
    let place = Place::new();
    place.write("a", "new");
    let run = || place.run(&["--in", "a", "--out", "o", "--", "sh", "-c", "cat a > o"]);
    assert!(run().starts_with("miss"));
    fs::remove_file(place.at("o")).unwrap();
    place.write("real", "old");
    symlink("real", place.at("o")).unwrap();
    assert!(run().contains("not recorded"));
    assert_eq!(place.read("real"), "new");
}

#[test]
fn links_out_of_a_declared_tree_count() {
    let place = Place::new();
    fs::create_dir(place.at("d")).unwrap();
    symlink("../settings", place.at("d/l")).unwrap();
    for text in ["1", "2", "1"] {
        place.write("settings", text);
        place.run(&["--in", "d", "--out", "o", "--", "cp", "d/l", "o"]);
        assert_eq!(place.read("o"), text);
    }
}

#[test]
fn a_script_is_told_the_name_that_it_was_called_by() {
    let place = Place::new();
    fs::create_dir(place.at("bin")).unwrap();
    place.write("bin/tool", "#!/bin/sh\necho $0 > o\n");
    fs::set_permissions(place.at("bin/tool"), fs::Permissions::from_mode(0o755)).unwrap();
    place.run(&["--out", "o", "--", "./bin/tool"]);
    assert_eq!(place.read("o"), "./bin/tool\n");
    let output =
        place.reviver(&["--out", "o", "--", "tool"]).env("PATH", "bin:/usr/bin:/bin").output().unwrap();
    assert!(output.status.success());
    assert_eq!(place.read("o"), "bin/tool\n");
}

#[test]
fn a_command_that_nobody_listens_to_any_more_ends() {
    let place = Place::new();
    let script = "\"$0\" run --out o -- sh -c 'echo x > o; while :; do echo y; done' | head -n 1";
    let output = place.command("sh").args(["-c", script, REVIVER]).output().unwrap();
    assert_eq!(output.stdout, b"y\n");
    let stats = place.command(REVIVER).args(["stats", "--json"]).output().unwrap();
    assert!(String::from_utf8_lossy(&stats.stdout).contains("\"entries\":0"));
}

#[test]
fn ignored_signals_stay_ignored_and_a_killed_command_is_seen_as_killed() {
    let place = Place::new();
    let script = "trap '' HUP INT; exec \"$0\" run --out o -- sh -c 'echo x > o; kill -HUP $$; kill -HUP $PPID; sleep 0.1; echo alive'";
    let output = place.command("sh").args(["-c", script, REVIVER]).output().unwrap();
    assert_eq!(output.stdout, b"alive\n");
    let status = place.reviver(&["--out", "o", "--", "sh", "-c", "kill -TERM $$"]).status().unwrap();
    assert_eq!(status.signal(), Some(15));
}

#[test]
fn a_deleted_working_directory_and_an_empty_variable_end_no_build() {
    let place = Place::new();
    let script = "mkdir d; cd d; rmdir ../d; exec \"$0\" run --out /nowhere -- echo alive";
    let output = place.command("sh").args(["-c", script, REVIVER]).output().unwrap();
    assert_eq!(output.stdout, b"alive\n", "{output:?}");
    let mut command = place.reviver(&["--out", "o", "--", "sh", "-c", "echo > o"]);
    command.env("REVIVER_CACHE_DIR", "").env("HOME", place.directory.path());
    assert!(command.status().unwrap().success());
}

#[test]
fn directories_keep_their_permissions_and_nothing_of_ours_is_called_foreign() {
    let place = Place::new();
    let script =
        "umask 002; rm -rf g; \"$0\" run -v --out g -- sh -c 'mkdir g g/q; mkdir -m 700 g/p; echo 1 > g/p/f'";
    let modes = || {
        ["g", "g/p", "g/q", "g/p/f"]
            .map(|path| fs::metadata(place.at(path)).unwrap().permissions().mode() & 0o777)
    };
    for expected in ["miss", "hit"] {
        let output = place.command("sh").args(["-c", script, REVIVER]).output().unwrap();
        assert!(became(&output).starts_with(expected), "{output:?}");
        assert!(!String::from_utf8_lossy(&output.stderr).contains("warning"), "{output:?}");
        assert_eq!(modes(), [0o775, 0o700, 0o775, 0o664]);
    }
}

#[test]
fn one_output_declared_twice_is_one_output() {
    let place = Place::new();
    let run = || {
        place.run(&[
            "--out",
            "g",
            "--out",
            "./g",
            "--out",
            "g/a",
            "--",
            "sh",
            "-c",
            "mkdir -p g; echo 1 > g/a",
        ])
    };
    assert!(run().starts_with("miss"));
    fs::remove_dir_all(place.at("g")).unwrap();
    assert!(run().starts_with("hit"));
    assert_eq!(place.read("g/a"), "1\n");
}

/// Whatever changes and changes back while a command reads it.
#[test]
fn races_are_lost() {
    type Act<'a> = &'a dyn Fn(&Place);
    let disturb: [(&str, Act<'_>, Act<'_>); 3] = [
        ("edit", &|place| place.write("d/a", "2"), &|place| place.write("d/a", "1")),
        (
            "swap directories",
            &|place| {
                fs::rename(place.at("d"), place.at("c")).unwrap();
                fs::rename(place.at("e"), place.at("d")).unwrap();
            },
            &|place| {
                fs::rename(place.at("d"), place.at("e")).unwrap();
                fs::rename(place.at("c"), place.at("d")).unwrap();
            },
        ),
        ("edit standard input", &|place| place.write("in", "2"), &|place| place.write("in", "1")),
    ];
    for (what, change, restore) in disturb {
        let place = Place::new();
        for (path, text) in [("d", "1"), ("e", "2")] {
            fs::create_dir(place.at(path)).unwrap();
            place.write(&format!("{path}/a"), text);
        }
        place.write("in", "1");
        let run = || {
            let script = "echo > began; until [ -e go ]; do sleep 0.01; done; cat d/a - > o; echo > read; \
                          until [ -e end ]; do sleep 0.01; done";
            let mut command = place.reviver(&["--in", "d/a", "--out", "o", "--", "sh", "-c", script]);
            command.stdin(fs::File::open(place.at("in")).unwrap()).stderr(Stdio::piped()).spawn().unwrap()
        };
        let child = run();
        let wait_for = |name: &str| (0..1000).any(|_| place.at(name).exists() || (sleep(10), false).1);
        assert!(wait_for("began"));
        sleep(20);
        change(&place);
        place.write("go", "");
        assert!(wait_for("read"));
        restore(&place);
        place.write("end", "");
        let told = became(&child.wait_with_output().unwrap());
        assert!(told.contains("not recorded"), "{what}: {told}");
        run().wait().unwrap();
        assert_eq!(place.read("o"), "11", "{what}");
    }
}

#[test]
fn a_revival_beside_a_running_command_is_not_taken_for_its_work() {
    let place = Place::new();
    place.write("a", "A");
    place.write("b", "B");
    let other = || place.run(&["--in", "b", "--out", "o", "--", "cp", "b", "o"]);
    let mut slow = place.reviver(&["--in", "a", "--out", "o", "--", "sh", "-c", "cat a > o; sleep 0.4"]);
    other();
    fs::remove_file(place.at("o")).unwrap();
    let mut child = slow.spawn().unwrap();
    while !place.at("o").exists() {
        sleep(10);
    }
    sleep(50);
    assert!(other().starts_with("hit"));
    child.wait().unwrap();
    assert!(slow.status().unwrap().success());
    assert_eq!(place.read("o"), "A");
}

/// All files in the cache, damaged at several places, one at a time: the result is right each time.
#[test]
fn no_damage_to_the_cache_changes_a_result() {
    let place = Place::new();
    let cache = place.directory.path().join("cache");
    place.write("x.h", "int x;\n");
    place.write("x.c", "#include \"x.h\"\n#warning careful\n");
    let large = "0123456789".repeat(10_000);
    place.write("large", &large);
    let compiled = Path::new("/usr/bin/gcc").exists();
    let mut expected = None;
    let mut check = |what: &str| {
        for name in ["g", "x.o", "x.d"] {
            drop(fs::remove_file(place.at(name)));
            drop(fs::remove_dir_all(place.at(name)));
        }
        let script = "mkdir g; cp large g/l; ln -s l g/s; echo said; echo wrong >&2; exit 3";
        let one = place
            .command(REVIVER)
            .args(["run", "--ok-exit", "3", "--in", "large", "--out", "g", "--", "sh", "-c", script])
            .output()
            .unwrap();
        assert_eq!(
            (one.status.code(), one.stdout.as_slice()),
            (Some(3), b"said\n".as_slice()),
            "{what}: {one:?}"
        );
        assert!(one.stderr.ends_with(b"wrong\n") || one.stderr.starts_with(b"wrong\n"), "{what}: {one:?}");
        assert_eq!(place.read("g/s"), large, "{what}");
        if !compiled {
            return;
        }
        let two = place.command(REVIVER).args(["run", "--", "gcc", "-MMD", "-c", "x.c"]).output().unwrap();
        assert!(
            two.status.success() && String::from_utf8_lossy(&two.stderr).contains("careful"),
            "{what}: {two:?}"
        );
        let made = (fs::read(place.at("x.o")).unwrap(), place.read("x.d"));
        let first = expected.get_or_insert_with(|| made.clone());
        assert!(*first == made, "{what}: {}", made.1);
    };
    for round in 0..3 {
        check(&format!("round {round}"));
    }
    let mut files = Vec::new();
    let mut pending = vec![cache];
    while let Some(directory) = pending.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { pending.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    let mut dice = 7_u64;
    for path in files {
        // The table of hashes is sparse, and almost all of it is empty.
        for _ in 0..4 {
            let Ok(bytes) = fs::read(&path) else { continue };
            if bytes.is_empty() {
                continue;
            }
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let filled: Vec<usize> = if bytes.len() > 1 << 20 {
                (0..bytes.len()).filter(|at| bytes[*at] != 0).collect()
            } else {
                (0..bytes.len()).collect()
            };
            let at = filled[(dice >> 33) as usize % filled.len()];
            let mut damaged = bytes.clone();
            match dice % 3 {
                0 => damaged.truncate(at),
                1 => damaged[at] ^= 1 << ((dice >> 20) % 8),
                _ => damaged[at..].fill(0xff),
            }
            drop(fs::set_permissions(&path, fs::Permissions::from_mode(0o600)));
            fs::write(&path, damaged).unwrap();
            check(&format!("{} at {at} by {}", path.display(), dice % 3));
        }
    }
}
