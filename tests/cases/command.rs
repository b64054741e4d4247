//! The cache on the command line: case 64.

use crate::cache::{of_bytes, open};
use reviver::key::{Key, Name};
use reviver::store::{Draft, Partition};
use reviver::time::Timestamp;
use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use tempfile::TempDir;

/// A repository with a cache and a home of its own.
struct Place {
    directory: TempDir,
}

/// What a command said, and its exit status.
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("repository")).unwrap();
        fs::write(directory.path().join("repository/file"), "a file of 23 bytes, say").unwrap();
        Self { directory }
    }

    /// One with the entries `elder`, which was not used for long, and `young`.
    fn with_entries() -> Self {
        let place = Self::new();
        place.done(&["add", "young", "file"]);
        place.add_elder("elder", &[7; 23], 1);
        place
    }

    /// Adds what was not used since `time`.
    fn add_elder(&self, name: &str, content: &[u8], time: u64) {
        let name = Name::new(name).unwrap();
        let draft = Draft { name: Some(&name), ..of_bytes(b"", &[content]) };
        self.partition().add(Key::named(&name), &draft, Timestamp(time)).unwrap();
    }

    fn cache(&self) -> PathBuf {
        self.directory.path().join("cache")
    }

    /// The one that the command has made.
    fn partition(&self) -> Partition {
        let store = open(&self.cache());
        let partitions = store.partitions().unwrap();
        assert_eq!(partitions.len(), 1);
        store.partition(partitions[0])
    }

    /// `reviver cache` with these arguments.
    fn ask(&self, arguments: &[impl AsRef<OsStr>]) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_reviver"));
        command.env_clear().current_dir(self.directory.path().join("repository"));
        command.env("HOME", self.directory.path()).env("REVIVER_CACHE_DIR", self.cache());
        let Output { status, stdout, stderr } = command.arg("cache").args(arguments).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Said { code: status.code(), out: text(stdout), err: text(stderr) }
    }

    /// The same for what is to succeed without complaint.
    #[track_caller]
    fn done(&self, arguments: &[&str]) -> String {
        let said = self.ask(arguments);
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{arguments:?} said {}", said.out);
        said.out
    }

    /// The names that `cache keys` lists with these options.
    #[track_caller]
    fn keys(&self, options: &[&str]) -> Vec<String> {
        let out = self.done(&[&["keys"], options].concat());
        out.lines().map(|line| line.rsplit(' ').next().unwrap().to_owned()).collect()
    }
}

#[test]
fn without_a_cache_the_command_says_so_and_exits_with_1() {
    let place = Place::new();
    for arguments in [
        &["keys"][..],
        &["find", "k"],
        &["revive", "k", "out"],
        &["rm", "k"],
        &["rm", "--whole-cache"],
        &["stats"],
        &["trim"],
        &["verify"],
    ] {
        let said = place.ask(arguments);
        assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{arguments:?}");
        assert!(said.err.contains("there is no cache in") && said.err.lines().count() == 1, "{}", said.err);
    }
    assert!(!place.cache().exists(), "who only asks makes nothing");
    assert_eq!(place.done(&["path"]), format!("{}\n", place.cache().display()));
}

#[test]
fn an_unknown_key_is_named_and_makes_the_exit_status_1() {
    let place = Place::with_entries();
    for arguments in [
        &["find", "unknown"][..],
        &["revive", "unknown", "out"],
        &["rm", "unknown"],
        &["rm", "unknown", "elder"],
    ] {
        let said = place.ask(arguments);
        assert_eq!(said.code, Some(1), "{arguments:?}");
        assert!(said.err.contains("`unknown`") && said.err.lines().count() == 1, "{}", said.err);
    }
    assert_eq!(place.keys(&[]), ["young"], "what is known is removed all the same");
    let said = place.ask(&["find", "no/segment"]);
    assert_eq!((said.code, said.out.as_str()), (Some(2), ""));
}

#[test]
fn a_trim_without_options_leaves_half_of_it() {
    let place = Place::with_entries();
    // So large that what the command itself keeps in the cache does not matter.
    for age in 1..=3 {
        place.add_elder(&format!("large-{age}"), &vec![age; 1_000_000], u64::from(age));
    }
    let large = || {
        let keys = place.keys(&[]).into_iter();
        keys.filter(|name| name.starts_with("large")).collect::<Vec<_>>()
    };
    let plan = place.done(&["trim", "--dry-run"]);
    assert!(plan.lines().last().unwrap().starts_with("3 entries would go"), "{plan}");
    assert_eq!(large().len(), 3);
    let said = place.done(&["trim"]);
    assert!(said.starts_with("3 entries gone") && said.lines().count() == 1, "{said}");
    assert_eq!(place.keys(&[]), ["large-3", "young"]);

    // Where a smaller size is configured, that.
    let config = place.directory.path().join(".config/reviver/config.toml");
    fs::create_dir_all(config.parent().unwrap()).unwrap();
    fs::write(config, "size = \"400 kB\"\n").unwrap();
    place.done(&["trim"]);
    assert_eq!(place.keys(&[]), ["young"]);
}

#[test]
fn keys_are_listed_by_their_last_use() {
    let place = Place::with_entries();
    assert_eq!(place.keys(&[]), ["elder", "young"]);
    assert_eq!(place.keys(&["--used", "1h"]), ["young"]);
    assert_eq!(place.keys(&["--unused", "1h"]), ["elder"]);
    place.done(&["revive", "elder", "new"]);
    assert_eq!(place.keys(&["--used", "1h"]), ["elder", "young"]);
    assert_eq!(place.done(&["keys", "--unused", "1h"]), "", "not even an empty line");
}

#[test]
fn stats_are_a_table_without_colours() {
    let place = Place::with_entries();
    let table = place.done(&["stats"]);
    assert!(!table.contains('\u{1b}'), "{table:?}");
    let row = |name: &str| {
        let row = table.lines().find(|line| line.split_whitespace().next() == Some(name));
        row.unwrap_or_else(|| panic!("no {name} in {table}")).split_whitespace().nth(1).unwrap().to_owned()
    };
    assert_eq!((row("hits"), row("misses"), row("entries")), ("0".into(), "0".into(), "2".into()));
    assert_ne!(row("cache"), "0");
}

#[test]
fn a_cache_that_was_emptied_is_there_and_works() {
    let place = Place::with_entries();
    assert_eq!(place.done(&["rm", "--whole-cache"]), "2 entries removed; the cache is empty\n");
    assert!(place.cache().is_dir());
    assert_eq!(place.keys(&[]), [""; 0]);
    assert_eq!(open(&place.cache()).usage().unwrap().entries, 0);
    place.done(&["add", "again", "file"]);
    place.done(&["revive", "again", "out/file"]);
    let out = place.directory.path().join("repository/out/file");
    assert_eq!(fs::read_to_string(out).unwrap(), "a file of 23 bytes, say");
    assert_eq!(place.keys(&[]), ["again"]);
}
