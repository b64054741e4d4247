//! Operations over the cache: cases 50 to 59, 62 and 63.

use crate::cache::{Cache, NOW, Old, of_bytes, umask};
use reviver::digest::Digest;
use reviver::key::Key;
use reviver::outcome::{Chunk, Exit, Outcome, Stream};
use reviver::policy::Plain;
use reviver::reviver::declared::{
    Absence, Accepted, Copy, Declared, DeclaredReviver, Failure, HashError, Native, Passing, Ran, Revival,
    Sink, Spawn, Unrecorded, Write,
};
use reviver::reviver::execute::Outputs;
use reviver::time::Timestamp;
use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, SystemTime};

/// A cache with what is needed to record and revive operations in it.
struct Operations {
    cache: Cache,
    codec: Plain,
}

impl Operations {
    fn new() -> Self {
        Self { cache: Cache::new(), codec: Plain::default() }
    }

    fn reviver(&self) -> DeclaredReviver<'_> {
        let clock = Rc::new(|| Timestamp::of(SystemTime::now()));
        DeclaredReviver::new(&self.cache.partition, &self.codec, clock, umask())
    }

    /// Writes files and waits until they are old enough to be sure of.
    fn inputs<const N: usize>(&self, inputs: [(&str, &str); N]) -> [PathBuf; N] {
        let paths = inputs.map(|(name, content)| self.cache.write(name, content));
        settle();
        paths
    }

    /// A shell script in the directory around the cache.
    fn shell(&self, script: &str) -> Spawn {
        let path = std::env::var_os("PATH").unwrap_or_default();
        Spawn::new("sh", self.cache.path("")).arguments(["-c", script]).unstamped_variable("PATH", path)
    }

    /// Nothing is bound to any key.
    fn assert_nothing_recorded(&self) {
        assert_eq!(self.cache.partition.keys().unwrap(), []);
    }
}

fn settle() {
    std::thread::sleep(Duration::from_millis(30));
}

/// Does an operation, and gives what was shown beside what became of it.
fn run(reviver: &DeclaredReviver<'_>, declared: &Declared<'_>) -> (Ran, String) {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let ran = reviver.run(declared, &mut Outputs { stdout: &mut stdout, stderr: &mut stderr });
    (ran, String::from_utf8([stdout, stderr].concat()).unwrap())
}

/// Does an operation that must be done and recorded.
#[track_caller]
fn recorded(reviver: &DeclaredReviver<'_>, declared: &Declared<'_>) -> (Outcome, String) {
    match run(reviver, declared) {
        (Ran::Executed { outcome, recorded: Ok(_), .. }, shown) => (outcome, shown),
        (other, _) => panic!("not recorded: {other:?}"),
    }
}

/// Does an operation that must be revived.
#[track_caller]
fn revived(reviver: &DeclaredReviver<'_>, declared: &Declared<'_>) -> (Outcome, String) {
    match run(reviver, declared) {
        (Ran::Revived(revived), shown) => (revived.outcome, shown),
        (other, _) => panic!("not revived: {other:?}"),
    }
}

fn key(reviver: &DeclaredReviver<'_>, declared: &Declared<'_>) -> Key {
    reviver.hash(declared).unwrap().key().unwrap()
}

fn outcome(exit: Exit) -> Outcome {
    Outcome { exit, output: Vec::new(), started: 5, duration: 7, notes: Vec::new() }
}

#[test]
fn an_outcome_comes_back_field_by_field() {
    let operations = Operations::new();
    let reviver = operations.reviver();
    let segv = Accepted::These([Exit::Signal(11)].into());
    let cases = [
        (operations.shell(":"), Exit::Code(0), ""),
        (operations.shell("echo hi; exit 3").accepted(Accepted::AnyStatus), Exit::Code(3), "hi\n"),
        (operations.shell("echo boo >&2; kill -SEGV $$").accepted(segv), Exit::Signal(11), "boo\n"),
    ];
    for (spawn, exit, said) in cases {
        let declared = Declared::new(spawn);
        let (made, shown) = recorded(&reviver, &declared);
        assert_eq!((made.exit, shown.as_str()), (exit, said));
        assert!(made.started > 0 && made.duration > 0);
        assert_eq!(revived(&reviver, &declared), (made, said.to_owned()));
    }
    // Every field, also those that no run here fills.
    let declared = Declared::new(operations.shell("true"));
    let hashed = reviver.hash(&declared).unwrap();
    let chunk = |stream, bytes: &[u8]| Chunk { stream, bytes: bytes.to_vec() };
    let output =
        vec![chunk(Stream::Stderr, b"\0\xff"), chunk(Stream::Stdout, b"hi\n"), chunk(Stream::Stderr, b"boo")];
    let notes = vec![("name".to_owned(), "value".to_owned())];
    let full = Outcome { output, notes, ..outcome(Exit::Code(0)) };
    reviver.record(&hashed, &full).unwrap();
    let Revival::Revived(revived) = reviver.revive(&hashed).unwrap() else { panic!("it is bound") };
    assert_eq!(revived.outcome, full);
}

/// The original had written all files before it could not decode this.
#[test]
fn an_entry_whose_metadata_is_no_outcome_is_a_miss() {
    let operations = Operations::new();
    let reviver = operations.reviver();
    let old = Old::write(&operations.cache, &["out/a", "out/b"]);
    let declared = Declared::new(operations.shell("exit 9")).writes(old.paths());
    let hashed = reviver.hash(&declared).unwrap();
    let key = hashed.key().unwrap();
    for hunk in [&b""[..], b"no outcome", &[0; 40]] {
        operations.cache.partition.add(key, &of_bytes(hunk, &[b"new", b"new"]), NOW).unwrap();
        let revival = reviver.revive(&hashed).unwrap();
        assert!(matches!(revival, Revival::Absent(Absence::Hunk(_))), "{revival:?}");
        old.assert_untouched();
    }
}

#[test]
fn another_accepted_exit_is_another_key() {
    let operations = Operations::new();
    let reviver = operations.reviver();
    let any = Declared::new(operations.shell("exit 3").accepted(Accepted::AnyStatus));
    recorded(&reviver, &any);
    let zero = Declared::new(operations.shell("exit 3"));
    assert_ne!(key(&reviver, &any), key(&reviver, &zero));
    let (ran, _) = run(&reviver, &zero);
    assert!(matches!(&ran, Ran::Failed(Failure::Exit(outcome)) if outcome.exit == Exit::Code(3)), "{ran:?}");
    assert_eq!(revived(&reviver, &any).0.exit, Exit::Code(3));
}

#[test]
fn no_two_operations_have_one_key_and_paths_of_outputs_do_not_count() {
    let operations = Operations::new();
    let reviver = operations.reviver();
    let [f0, f1] = operations.inputs([("f0", "content 0"), ("f1", "content 1")]);
    let echo = || Spawn::new("/bin/echo", "/");
    let nothing = || Ok(Vec::new());
    let out = |name: &str| operations.cache.path(name);
    let raw = Digest::of(b"content 0").as_bytes().to_vec();
    let different = [
        Declared::new(echo()),
        // The table of the original's collisions, which hashed its fields without lengths.
        Declared::new(echo().arguments(["ab", "c"])),
        Declared::new(echo().arguments(["b", "ca"])),
        Declared::new(echo().arguments(["a", "b"])),
        Declared::new(echo().arguments(["ba"])),
        Declared::new(echo().arguments(["x"]).variable("A", "1")),
        Declared::new(echo().arguments(["A=1", "x"])),
        Declared::new(echo().arguments(["xA=1"])),
        Declared::new(echo().variable("A", "1")),
        Declared::new(Copy::new(&f0, out("o")).mode(20).line(4)),
        Declared::new(Write::new(out("o"), raw.clone(), nothing).mode(420)),
        Declared::new(Write::new(out("o"), "", nothing).mode(420)).reads([&f0]),
        Declared::new(Native::new("write", raw, || Ok(()))),
        Declared::new(echo().accepted(Accepted::AnyStatus)),
        Declared::new(Spawn::new("/bin/echo", "/usr")),
        Declared::new(echo().stdin(&f0)),
        Declared::new(echo().stdin(&f1)),
        // And whatever else decides.
        Declared::new(Spawn::new("/bin/cat", "/")),
        Declared::new(echo().stamp("stamp")),
        Declared::new(echo()).reads([&f0]),
        Declared::new(echo()).reads([&f0, &f1]),
        Declared::new(echo()).reads([&f1, &f0]),
        Declared::new(echo()).writes([out("o")]),
        Declared::new(echo()).writes([out("o"), out("p")]),
        Declared::new(echo()).writes([out("o")]).below(out("")),
        Declared::new(echo().stdout(Sink::File(out("o")))),
        Declared::new(echo().stderr(Sink::File(out("o")))),
        Declared::new(echo().stdout(Sink::Tee(out("o")))),
        Declared::new(echo().joined()),
    ];
    let keys: Vec<Key> = different.iter().map(|declared| key(&reviver, declared)).collect();
    for (at, one) in keys.iter().enumerate() {
        let same = keys[..at].iter().position(|other| other == one);
        assert_eq!(same, None, "{:?} has the key of that one", different[at]);
    }

    let equal = [
        (
            Declared::new(echo().stdout(Sink::File(out("a")))),
            Declared::new(echo().stdout(Sink::File(out("b")))),
        ),
        (Declared::new(echo()).writes([out("a")]), Declared::new(echo()).writes([out("b")])),
        (Declared::new(Copy::new(&f0, out("a"))), Declared::new(Copy::new(&f0, out("b")))),
        (Declared::new(echo().unstamped("x")), Declared::new(echo().unstamped("y"))),
        (Declared::new(echo().unstamped_variable("A", "1")), Declared::new(echo())),
    ];
    for (one, other) in equal {
        assert_eq!(key(&reviver, &one), key(&reviver, &other), "{one:?} and {other:?}");
    }
}

#[test]
fn a_missing_read_is_a_typed_error_that_names_it() {
    let operations = Operations::new();
    let reviver = operations.reviver();
    let [there] = operations.inputs([("there", "x")]);
    let [b, a] = ["b", "a"].map(|name| operations.cache.path(name));
    for declared in [
        Declared::new(operations.shell(":")).reads([&there, &b, &a]),
        Declared::new(Native::new("n", "", || Ok(()))).reads([&b, &there, &a, &b]),
    ] {
        let error = reviver.hash(&declared).unwrap_err();
        assert!(matches!(&error, HashError::MissingReads(missing) if *missing == [a.clone(), b.clone()]));
        assert!(error.to_string().contains(a.to_str().unwrap()));
    }
    let copy = Declared::new(Copy::new(&a, operations.cache.path("copy")));
    let error = reviver.hash(&copy).unwrap_err();
    assert!(matches!(error, HashError::MissingReads(missing) if missing == [a]));
}

#[test]
fn what_is_never_cached_has_no_key_and_stores_nothing() {
    let operations = Operations::new();
    let reviver = operations.reviver();
    let [read] = operations.inputs([("read", "x")]);
    let path = operations.cache.path("directory/deep");
    for passing in [
        Passing::Mkdir(path.clone()),
        Passing::Delete(path.clone()),
        Passing::Notify("note".into()),
        Passing::Wait,
    ] {
        let declared = Declared::new(passing).reads([&read]);
        let hashed = reviver.hash(&declared).unwrap();
        assert_eq!(hashed.key(), None);
        assert!(matches!(reviver.record(&hashed, &outcome(Exit::Code(0))), Err(Unrecorded::Passing)));
        assert!(matches!(reviver.revive(&hashed), Ok(Revival::Absent(Absence::Passing))));
        for _ in 0..2 {
            let (ran, _) = run(&reviver, &declared);
            assert!(matches!(ran, Ran::Executed { recorded: Err(Unrecorded::Passing), .. }), "{ran:?}");
        }
        operations.assert_nothing_recorded();
    }
    assert!(path.parent().unwrap().is_dir() && !path.exists(), "they were done all the same");
}

#[test]
fn neither_a_failure_nor_an_unfinished_success_is_recorded() {
    let operations = Operations::new();
    let reviver = operations.reviver();
    let out = operations.cache.path("out");
    for _ in 0..2 {
        let failing = Declared::new(operations.shell("echo made >out; exit 1")).writes([&out]);
        let (ran, _) = run(&reviver, &failing);
        assert!(
            matches!(&ran, Ran::Failed(Failure::Exit(outcome)) if outcome.exit == Exit::Code(1)),
            "{ran:?}"
        );
        operations.assert_nothing_recorded();
        let hashed = reviver.hash(&failing).unwrap();
        let failure = reviver.record(&hashed, &outcome(Exit::Code(1)));
        assert!(matches!(failure, Err(Unrecorded::Failed(Exit::Code(1)))));

        fs::remove_file(&out).unwrap();
        let function = || Err("it says no".into());
        let failing = Declared::new(Native::new("failing", "", function)).writes([&out]);
        assert!(matches!(run(&reviver, &failing).0, Ran::Failed(Failure::Function(_))));

        let unfinished = Declared::new(operations.shell(":")).writes([&out]);
        let hashed = reviver.hash(&unfinished).unwrap();
        let missing = reviver.record(&hashed, &outcome(Exit::Code(0)));
        assert!(matches!(missing, Err(Unrecorded::MissingWrites(missing)) if missing == [out.clone()]));
        operations.assert_nothing_recorded();
    }
    // What was bound before stays bound.
    let declared = Declared::new(operations.shell("echo made >out")).writes([&out]);
    recorded(&reviver, &declared);
    fs::remove_file(&out).unwrap();
    let hashed = reviver.hash(&declared).unwrap();
    assert!(reviver.record(&hashed, &outcome(Exit::Code(0))).is_err());
    assert!(reviver.record(&hashed, &outcome(Exit::Code(1))).is_err());
    revived(&reviver, &declared);
    assert_eq!(fs::read(&out).unwrap(), b"made\n");
}

#[test]
fn a_command_without_writes_is_cached_with_what_it_says() {
    let operations = Operations::new();
    let reviver = operations.reviver();
    let script = "echo one; echo two >&2; exit 3";
    let spawn = operations.shell(&format!("{script} ; :")).joined().accepted(Accepted::AnyStatus);
    let declared = Declared::new(spawn);
    let made = recorded(&reviver, &declared);
    assert_eq!(made.1, "one\ntwo\n");
    assert_eq!(made.0.exit, Exit::Code(3));
    assert_eq!(revived(&reviver, &declared), made);
    assert_eq!(revived(&operations.reviver(), &declared), made);
}

#[test]
fn the_directories_above_redirected_output_are_made() {
    let operations = Operations::new();
    let reviver = operations.reviver();
    let out = operations.cache.path("build/hey/ho/out");
    let declared = Declared::new(operations.shell("echo said").stdout(Sink::File(out.clone())));
    assert_eq!(recorded(&reviver, &declared).1, "");
    assert_eq!(fs::read(&out).unwrap(), b"said\n");
    fs::remove_dir_all(operations.cache.path("build")).unwrap();
    assert_eq!(revived(&reviver, &declared).1, "");
    assert_eq!(fs::read(&out).unwrap(), b"said\n");
    // The same output elsewhere.
    let other = operations.cache.path("other/place/out");
    revived(&reviver, &Declared::new(operations.shell("echo said").stdout(Sink::File(other.clone()))));
    assert_eq!(fs::read(&other).unwrap(), b"said\n");
}

#[test]
fn missing_reads_and_missing_writes_fail_with_sorted_lists() {
    let operations = Operations::new();
    let reviver = operations.reviver();
    let path = |name: &str| operations.cache.path(name);
    let done = Cell::new(0);
    let count = || {
        done.set(done.get() + 1);
        fs::write(path("y"), "y").map_err(Into::into)
    };
    let reading = Declared::new(Native::new("count", "", count)).reads([path("c"), path("a"), path("b")]);
    let (ran, _) = run(&reviver, &reading);
    assert!(
        matches!(&ran, Ran::Failed(Failure::MissingReads(missing))
        if *missing == [path("a"), path("b"), path("c")]),
        "{ran:?}"
    );
    assert_eq!(done.get(), 0, "nothing is done without its reads");

    let writing = Declared::new(Native::new("count", "", count)).writes([path("z"), path("y"), path("x")]);
    let (ran, _) = run(&reviver, &writing);
    assert!(
        matches!(&ran, Ran::Failed(Failure::MissingWrites(missing, _))
        if *missing == [path("x"), path("z")]),
        "{ran:?}"
    );
    assert_eq!(done.get(), 1);
    operations.assert_nothing_recorded();
}

/// Edits a file so that neither its size nor its time tells.
fn edit(path: &Path, content: &str) {
    let before = fs::metadata(path).unwrap();
    assert_eq!(before.len(), content.len() as u64);
    fs::write(path, content).unwrap();
    fs::File::open(path).unwrap().set_modified(before.modified().unwrap()).unwrap();
}

#[test]
fn what_was_read_before_an_edit_is_not_recorded() {
    let operations = Operations::new();
    let reviver = operations.reviver();
    let [input] = operations.inputs([("input", "old")]);
    let out = operations.cache.path("out");
    let declared = Declared::new(operations.shell("cp input out")).reads([&input]).writes([&out]);
    let hashed = reviver.hash(&declared).unwrap();
    fs::copy(&input, &out).unwrap();
    edit(&input, "new");
    let refused = reviver.record(&hashed, &outcome(Exit::Code(0)));
    assert!(matches!(refused, Err(Unrecorded::Changed(_))), "{refused:?}");
    operations.assert_nothing_recorded();

    // The same where the operation itself is slower than the edit.
    fs::remove_file(&out).unwrap();
    settle();
    let function = || {
        fs::copy(&input, &out)?;
        edit(&input, "two");
        Ok(())
    };
    let declared = Declared::new(Native::new("copy", "", function)).reads([&input]).writes([&out]);
    let (ran, _) = run(&reviver, &declared);
    assert!(matches!(ran, Ran::Executed { recorded: Err(Unrecorded::Changed(_)), .. }), "{ran:?}");
    operations.assert_nothing_recorded();
}

#[test]
fn a_process_that_lives_long_sees_every_edit() {
    let operations = Operations::new();
    let reviver = operations.reviver();
    let [input] = operations.inputs([("input", "one")]);
    let out = operations.cache.path("out");
    let declared = Declared::new(operations.shell("cat input >out")).reads([&input]).writes([&out]);
    let mut keys = Vec::new();
    for content in ["one", "two", "six"] {
        edit(&input, content);
        settle();
        keys.push(key(&reviver, &declared));
        recorded(&reviver, &declared);
        assert_eq!(fs::read_to_string(&out).unwrap(), content);
        revived(&reviver, &declared);
    }
    assert!(keys[0] != keys[1] && keys[1] != keys[2]);
    edit(&input, "one");
    assert_eq!(key(&reviver, &declared), keys[0]);
    revived(&reviver, &declared);
    assert_eq!(fs::read_to_string(&out).unwrap(), "one");
}
