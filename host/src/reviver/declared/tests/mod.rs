//! The laws of declared operations. Numbers are those of the behavioural cases of the original.
//!
//! | case | test |
//! |---|---|
//! | 50 | `outcomes::what_a_command_said_and_how_it_ended_is_revived_equal` |
//! | 51 | `misses::an_outcome_that_cannot_be_read_is_absent_and_touches_nothing` |
//! | 52 | `keys::other_accepted_ends_are_another_operation` |
//! | 53 | `keys::whatever_is_declared_changes_the_key`, `keys::the_paths_of_writes_do_not` |
//! | 54 | `keys::a_missing_read_is_named` |
//! | 55 | `passing::what_is_never_cached_has_no_key_is_not_recorded_and_not_revived` |
//! | 56 | `failures::a_failed_operation_is_not_recorded`, `failures::a_missing_write_is_named_and_not_recorded` |
//! | 57 | `outcomes::a_command_without_writes_is_revived` |
//! | 58 | `kinds::redirected_output_makes_its_directories` |
//! | 59 | `failures::missing_reads_and_writes_are_listed_in_order` |
//! | 62 | `doubts::an_input_that_is_edited_between_hash_and_record_leaves_it_unrecorded` |
//! | 63 | `long_lived::a_file_that_was_edited_after_it_was_hashed_has_a_new_key` |

mod codecs;
mod doubts;
mod failures;
mod keys;
mod kinds;
mod long_lived;
mod misses;
mod outcomes;
mod passing;

use super::{Declared, DeclaredReviver, Ran, Recorded, Revived, Spawn, Unrecorded};
use crate::digest::Digest;
use crate::outcome::{Exit, Outcome};
use crate::policy::Plain;
use crate::reviver::execute::Outputs;
use crate::store::{Options, Partition, PartitionId, Store};
use crate::time::Timestamp;
use std::fs;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::SystemTime;
use tempfile::TempDir;

struct Place {
    directory: TempDir,
    partition: Partition,
    codec: Plain,
}

impl Place {
    fn new() -> Self {
        Self::with(Options::default())
    }

    fn with(options: Options) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let partition = partition(&directory, options);
        Self { directory, partition, codec: Plain::default() }
    }

    fn reviver(&self) -> DeclaredReviver<'_> {
        DeclaredReviver::new(&self.partition, &self.codec, Rc::new(now), 0o022)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.directory.path().join("tree").join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.at(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn read(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.at(name)).ok()
    }

    /// A shell that does this.
    fn shell(&self, script: &str) -> Spawn {
        fs::create_dir_all(self.at("")).unwrap();
        Spawn::new("/bin/sh", self.at("")).arguments(["-c", script]).variable("PATH", "/usr/bin:/bin")
    }

    fn run(&self, declared: &Declared<'_>) -> Ran {
        self.heard(declared).0
    }

    /// What became of it, and what it said on both streams.
    fn heard(&self, declared: &Declared<'_>) -> (Ran, String, String) {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let ran = self.reviver().run(declared, &mut Outputs { stdout: &mut stdout, stderr: &mut stderr });
        (ran, String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
    }

    fn keys(&self) -> usize {
        self.partition.keys().unwrap().len()
    }
}

fn partition(directory: &TempDir, options: Options) -> Partition {
    let store = Store::open(&directory.path().join("cache"), options).unwrap();
    store.partition(PartitionId::of(Digest::of(b"partition")))
}

fn now() -> Timestamp {
    Timestamp::of(SystemTime::now())
}

fn recorded(ran: Ran) -> Recorded {
    unrecorded_or(ran).unwrap()
}

fn unrecorded(ran: Ran) -> Unrecorded {
    unrecorded_or(ran).unwrap_err()
}

fn unrecorded_or(ran: Ran) -> Result<Recorded, Unrecorded> {
    match ran {
        Ran::Executed { recorded, .. } => recorded,
        other => panic!("it was not executed: {other:?}"),
    }
}

fn revived(ran: Ran) -> Revived {
    match ran {
        Ran::Revived(revived) => revived,
        other => panic!("it was not revived: {other:?}"),
    }
}

fn ended(exit: Exit) -> Outcome {
    Outcome { exit, output: Vec::new(), started: 1, duration: 2, notes: Vec::new() }
}
