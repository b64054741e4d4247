//! Each kind, done, recorded and revived.

use super::super::{self as declared, Copy, Declared, Native, Sink};
use super::{Outputs, Place, recorded, revived};
use crate::store::{LinkMode, Options};
use std::cell::Cell;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::time::Duration;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

#[test]
fn a_command_is_revived_without_running_again() {
    let place = Place::new();
    let input = place.write("in", "words");
    let script = "cat in > out; chmod 750 out; echo ran >> log";
    let declared = Declared::new(place.shell(script)).reads([&input]).writes([place.at("out")]);
    recorded(place.run(&declared));
    fs::remove_file(place.at("out")).unwrap();
    let revived = revived(place.run(&declared));
    assert_eq!(revived.writes, [place.at("out")]);
    assert_eq!((place.read("out").as_deref(), mode(&place.at("out"))), (Some("words"), 0o750));
    assert_eq!(place.read("log").as_deref(), Some("ran\n"), "an undeclared write is not revived");
}

#[test]
fn a_command_has_the_variables_that_were_declared_and_no_other() {
    let place = Place::new();
    let spawn = place.shell("env | grep -v -e ^PWD= -e ^SHLVL= -e ^_= -e ^OLDPWD= | sort");
    let declared = Declared::new(spawn.variable("A", "1").unstamped_variable("B", "2"));
    let (_, stdout, _) = place.heard(&declared);
    assert_eq!(stdout, "A=1\nB=2\nPATH=/usr/bin:/bin\n");
}

#[test]
fn standard_input_is_the_file_or_nothing() {
    let place = Place::new();
    let input = place.write("in", "given");
    assert_eq!(place.heard(&Declared::new(place.shell("cat").stdin(&input))).1, "given");
    assert_eq!(place.heard(&Declared::new(place.shell("cat"))).1, "");
}

#[test]
fn redirected_output_makes_its_directories() {
    let place = Place::new();
    let declared = |top: &str| {
        let spawn = place.shell("echo out; echo err >&2");
        let stdout = Sink::File(place.at(top).join("hey/ho/out"));
        Declared::new(spawn.stdout(stdout).stderr(Sink::Tee(place.at(top).join("err"))))
    };
    let first = declared("build");
    let (ran, stdout, stderr) = place.heard(&first);
    recorded(ran);
    assert_eq!((stdout.as_str(), stderr.as_str()), ("", "err\n"));
    let read = |name: &str| place.read(name).unwrap();
    assert_eq!((read("build/hey/ho/out"), read("build/err")), ("out\n".to_owned(), "err\n".to_owned()));
    let elsewhere = declared("elsewhere");
    let (ran, stdout, stderr) = place.heard(&elsewhere);
    revived(ran);
    assert_eq!((stdout.as_str(), stderr.as_str()), ("", "err\n"));
    assert_eq!(read("elsewhere/hey/ho/out"), "out\n");
    assert_eq!(read("elsewhere/err"), "err\n");
}

/// Somebody who listens slowly.
struct Slow;

impl Write for Slow {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        std::thread::sleep(Duration::from_millis(20));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What a command left in its pipe is written into the file after its end, which is no work of somebody else.
#[test]
fn output_that_is_shown_and_kept_in_a_file_is_recorded_however_late_it_comes() {
    let place = Place::new();
    let spawn = place.shell("exec head -c 60000 /dev/zero").stdout(Sink::Tee(place.at("log")));
    let declared = Declared::new(spawn);
    recorded(place.reviver().run(&declared, &mut Outputs { stdout: &mut Slow, stderr: &mut Slow }));
    assert_eq!(fs::metadata(place.at("log")).unwrap().len(), 60_000);
}

#[test]
fn both_streams_may_go_into_one_file() {
    let place = Place::new();
    let sink = Sink::File(place.at("log"));
    let spawn = place.shell("echo 1; echo 2 >&2; echo 3").stdout(sink.clone()).stderr(sink);
    let declared = Declared::new(spawn);
    recorded(place.run(&declared));
    fs::remove_file(place.at("log")).unwrap();
    revived(place.run(&declared));
    assert_eq!(place.read("log").as_deref(), Some("1\n2\n3\n"));
}

#[test]
fn output_in_a_file_may_be_larger_than_what_is_kept_of_output() {
    let place = Place::new();
    let spawn = place.shell("head -c 20000000 /dev/zero").stdout(Sink::File(place.at("out")));
    let declared = Declared::new(spawn);
    recorded(place.run(&declared));
    fs::remove_file(place.at("out")).unwrap();
    revived(place.run(&declared));
    assert_eq!(fs::metadata(place.at("out")).unwrap().len(), 20_000_000);
}

#[test]
fn a_write_asks_for_its_bytes_on_a_miss_alone() {
    let place = Place::new();
    let asked = Cell::new(0);
    let data = || {
        asked.set(asked.get() + 1);
        Ok(b"bytes".to_vec())
    };
    let declared = Declared::new(declared::Write::new(place.at("deep/out"), "1", data).mode(0o755));
    recorded(place.run(&declared));
    assert_eq!((place.read("deep/out").as_deref(), mode(&place.at("deep/out"))), (Some("bytes"), 0o755));
    fs::remove_dir_all(place.at("deep")).unwrap();
    revived(place.run(&declared));
    assert_eq!((place.read("deep/out").as_deref(), mode(&place.at("deep/out"))), (Some("bytes"), 0o755));
    assert_eq!(asked.get(), 1);
}

#[test]
fn a_copy_has_its_mode_and_its_line() {
    let place = Place::new();
    let source = place.write("a \"b\".c", "int x;\n");
    for (line, front) in [
        (None, String::new()),
        (
            Some(7),
            format!(
                "#line 7 \"{}/a \\\"b\\\".c\"\n",
                place.at("").display().to_string().trim_end_matches('/')
            ),
        ),
    ] {
        let copy = Copy { line, ..Copy::new(&source, place.at("out")).mode(0o4444) };
        let declared = Declared::new(copy);
        let check = |how: &str| {
            assert_eq!(place.read("out").unwrap(), format!("{front}int x;\n"), "{how}");
            assert_eq!(mode(&place.at("out")), 0o444, "{how}");
            fs::remove_file(place.at("out")).unwrap();
        };
        recorded(place.run(&declared));
        check("done");
        revived(place.run(&declared));
        check("revived");
    }
}

#[test]
fn modes_are_revived_under_the_umask_of_who_revives() {
    let place = Place::new();
    let declared = Declared::new(declared::Write::new(place.at("out"), "", || Ok(Vec::new())).mode(0o664));
    recorded(place.run(&declared));
    assert_eq!(mode(&place.at("out")), 0o644);
    let open = super::super::DeclaredReviver::new(
        &place.partition,
        &place.codec,
        std::rc::Rc::new(super::now),
        0o002,
    );
    let hashed = open.hash(&declared).unwrap();
    assert!(matches!(open.revive(&hashed).unwrap(), super::super::Revival::Revived(_)));
    assert_eq!(mode(&place.at("out")), 0o664);
}

#[test]
fn a_function_is_called_on_a_miss_alone() {
    let place = Place::new();
    let input = place.write("in", "abc");
    let called = Cell::new(0);
    let function = || {
        called.set(called.get() + 1);
        fs::write(place.at("out"), fs::read_to_string(&input)?.to_uppercase())?;
        fs::write(place.at("undeclared"), "x")?;
        Ok(())
    };
    let declared =
        Declared::new(Native::new("upper", "1", function)).reads([&input]).writes([place.at("out")]);
    recorded(place.run(&declared));
    for name in ["out", "undeclared"] {
        fs::remove_file(place.at(name)).unwrap();
    }
    revived(place.run(&declared));
    assert_eq!((place.read("out").as_deref(), place.read("undeclared")), (Some("ABC"), None));
    assert_eq!(called.get(), 1);
}

#[test]
fn a_manifest_holds_whole_directories_and_is_revived_below_another_root() {
    let place = Place::new();
    let script =
        "mkdir -p one/gen/sub one/gen/empty; echo a > one/gen/sub/a; ln -s sub/a one/gen/l; echo b > 'one/b
b'; chmod 700 one/gen/empty";
    let at = |root: &str| {
        let root = place.at(root);
        Declared::new(place.shell(script)).writes([root.join("gen"), root.join("b\nb")]).below(&root)
    };
    recorded(place.run(&at("one")));
    let two = at("two");
    let revived = revived(place.run(&two));
    let names = ["gen", "gen/empty", "gen/l", "gen/sub", "gen/sub/a", "b\nb"];
    assert_eq!(revived.writes, names.map(|name| place.at("two").join(name)));
    assert_eq!(place.read("two/gen/l").as_deref(), Some("a\n"));
    assert_eq!(fs::read_link(place.at("two/gen/l")).unwrap(), Path::new("sub/a"));
    assert_eq!(place.read("two/b\nb").as_deref(), Some("b\n"));
    assert_eq!(mode(&place.at("two/gen/empty")), 0o700);
}

#[test]
fn a_write_that_is_declared_below_another_counts_once() {
    let place = Place::new();
    let declared = Declared::new(place.shell("mkdir -p d; echo a > d/a"));
    let declared = declared.writes([place.at("d"), place.at("d/a")]).below(place.at(""));
    recorded(place.run(&declared));
    fs::remove_dir_all(place.at("d")).unwrap();
    assert_eq!(revived(place.run(&declared)).writes, [place.at("d"), place.at("d/a")]);
    assert_eq!(place.read("d/a").as_deref(), Some("a\n"));
}

#[test]
fn a_manifest_without_files_is_revived() {
    let place = Place::new();
    let declared = Declared::new(place.shell("echo said")).below(place.at("out"));
    recorded(place.run(&declared));
    assert_eq!(revived(place.run(&declared)).writes, [""; 0].map(std::path::PathBuf::from));
}

#[test]
fn a_link_that_a_run_made_is_revived_as_a_link() {
    let place = Place::new();
    place.write("target", "behind");
    let declared = Declared::new(place.shell("ln -s target out")).writes([place.at("out")]);
    recorded(place.run(&declared));
    fs::remove_file(place.at("out")).unwrap();
    revived(place.run(&declared));
    assert_eq!(fs::read_link(place.at("out")).unwrap(), Path::new("target"));
}

#[test]
fn a_destination_that_is_a_link_is_replaced_and_not_followed() {
    let place = Place::new();
    let precious = place.write("precious", "mine");
    let declared = Declared::new(declared::Write::new(place.at("out"), "", || Ok(b"new".to_vec())));
    recorded(place.run(&declared));
    fs::remove_file(place.at("out")).unwrap();
    symlink(&precious, place.at("out")).unwrap();
    revived(place.run(&declared));
    assert_eq!(
        (place.read("out").as_deref(), place.read("precious").as_deref()),
        (Some("new"), Some("mine"))
    );
    assert!(!place.at("out").is_symlink());
}

/// A command that rewrites its output in place would rewrite the object that a hard link leads to.
#[test]
fn a_command_never_writes_through_a_hard_link_into_the_cache() {
    let place = Place::with(Options { link: LinkMode::Hardlink, ..Options::default() });
    let write = |text: &str| {
        let script = format!("test -e out || : > out; chmod u+w out; yes {text} | head -c 100000 > out");
        Declared::new(place.shell(&script)).writes([place.at("out")])
    };
    let (one, two) = (write("one"), write("two"));
    recorded(place.run(&one));
    fs::remove_file(place.at("out")).unwrap();
    revived(place.run(&one));
    assert!(fs::metadata(place.at("out")).unwrap().nlink() > 1);
    recorded(place.run(&two));
    fs::remove_file(place.at("out")).unwrap();
    revived(place.run(&one));
    assert!(place.read("out").unwrap().starts_with("one\n"));
    assert_eq!(fs::metadata(place.at("out")).unwrap().permissions().mode() & 0o222, 0);
}
