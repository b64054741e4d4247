//! Races and doubts: it is done, and not recorded.

use super::super::{Declared, HashError, Native, Unrecorded, Write};
use super::{Place, Ran, ended, partition, recorded, revived, unrecorded};
use crate::outcome::Exit;
use crate::policy::Plain;
use crate::reviver::execute::Unsure;
use crate::reviver::unchanged::Changed;
use crate::reviver::writes::Unproved;
use crate::store::Options;
use std::fs;
use std::os::unix::fs::symlink;
use std::sync::Barrier;

#[test]
fn an_input_that_is_edited_between_hash_and_record_leaves_it_unrecorded() {
    let place = Place::new();
    let input = place.write("in", "one");
    let declared = Declared::new(place.shell("")).reads([&input]).writes([place.at("out")]);
    let reviver = place.reviver();
    let hashed = reviver.hash(&declared).unwrap();
    place.write("in", "two");
    place.write("out", "made of two");
    let refused = reviver.record(&hashed, &ended(Exit::Code(0)));
    assert!(matches!(&refused, Err(Unrecorded::Changed(Changed::Differs(path))) if *path == input));
    place.write("in", "one");
    let refused = reviver.record(&hashed, &ended(Exit::Code(0)));
    assert!(refused.is_err(), "the same words again, and another file: {refused:?}");
    assert_eq!(place.keys(), 0);
}

#[test]
fn an_input_that_is_edited_during_the_run_leaves_it_unrecorded() {
    let place = Place::new();
    let input = place.write("in", "one");
    let script = "cat in > out; echo twice >> in";
    let declared = Declared::new(place.shell(script)).reads([&input]).writes([place.at("out")]);
    let why = unrecorded(place.run(&declared));
    assert!(matches!(why, Unrecorded::Changed(Changed::Differs(path)) if path == input));
    let replaced = Native::new("replaces its input", "", || {
        fs::write(place.at("out"), "")?;
        Ok(fs::rename(place.write("new", "one"), place.at("in2"))?)
    });
    let input = place.write("in2", "one");
    let declared = Declared::new(replaced).reads([&input]).writes([place.at("out")]);
    assert!(matches!(unrecorded(place.run(&declared)), Unrecorded::Changed(_)), "equal, and not the same");
    assert_eq!(place.keys(), 0);
}

#[test]
fn what_lies_below_a_directory_that_is_read_is_compared_too() {
    let place = Place::new();
    place.write("src/a", "");
    let declared = Declared::new(place.shell("echo > src/new; echo > out"));
    let declared = declared.reads([place.at("src")]).writes([place.at("out")]);
    let why = unrecorded(place.run(&declared));
    assert!(matches!(why, Unrecorded::Changed(Changed::Differs(_))), "{why:?}");
}

#[test]
fn an_input_behind_a_link_that_was_made_during_the_run_leaves_it_unrecorded() {
    let place = Place::new();
    place.write("real", "x");
    symlink("real", place.at("in")).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(30));
    let declared = Declared::new(place.shell("rm in; ln -s real in; echo > out"));
    let declared = declared.reads([place.at("in")]).writes([place.at("out")]);
    assert!(matches!(unrecorded(place.run(&declared)), Unrecorded::Changed(Changed::Young(_))));
}

#[test]
fn an_operation_that_writes_what_it_reads_is_done_and_not_recorded() {
    let place = Place::new();
    let file = place.write("src/f", "x");
    for declared in [
        Declared::new(place.shell("echo y >> src/f")).reads([&file]).writes([&file]),
        Declared::new(place.shell("echo y >> src/f")).reads([place.at("src")]).writes([&file]),
    ] {
        let ran = place.run(&declared);
        assert!(matches!(unrecorded(ran), Unrecorded::Unkeyed(HashError::Misdeclared(_))));
    }
    assert_eq!((place.read("src/f").as_deref(), place.keys()), (Some("xy\ny\n"), 0));
}

#[test]
fn an_output_that_was_left_alone_proves_nothing() {
    let place = Place::new();
    place.write("out", "foreign");
    let declared = Declared::new(place.shell("")).writes([place.at("out")]);
    let why = unrecorded(place.run(&declared));
    assert!(matches!(why, Unrecorded::Unproved(Unproved::Untouched(path)) if path == place.at("out")));
    let declared = Declared::new(place.shell("echo > d/new; # all of d"));
    let declared = declared.writes([place.at("d")]).below(place.at(""));
    place.write("d/old", "");
    assert!(matches!(unrecorded(place.run(&declared)), Unrecorded::Unproved(Unproved::Untouched(_))));
}

/// What is recorded for the path of a link that was there before would be what somebody else keeps behind it.
#[test]
fn an_output_behind_a_link_that_was_there_proves_nothing() {
    let place = Place::new();
    place.write("elsewhere", "");
    symlink("elsewhere", place.at("out")).unwrap();
    let declared = Declared::new(place.shell("echo new > out")).writes([place.at("out")]);
    assert!(matches!(unrecorded(place.run(&declared)), Unrecorded::Unproved(Unproved::Untouched(_))));
}

#[test]
fn an_output_that_is_a_directory_needs_a_manifest() {
    let place = Place::new();
    let declared = Declared::new(place.shell("mkdir out")).writes([place.at("out")]);
    assert!(matches!(unrecorded(place.run(&declared)), Unrecorded::Unproved(Unproved::Kind(_))));
}

#[test]
fn who_leaves_a_process_behind_that_may_still_speak_is_not_recorded() {
    let place = Place::new();
    let declared = Declared::new(place.shell("sleep 3 & echo said"));
    assert!(matches!(unrecorded(place.run(&declared)), Unrecorded::Unsure(Unsure::Held)));
}

#[test]
fn a_shim_has_no_key_and_runs() {
    let place = Place::new();
    let shim = place.write("shims/tool", "#!/bin/sh\necho ran\n");
    fs::set_permissions(&shim, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let declared = Declared::new(super::super::Spawn::new(&shim, "/"));
    let (ran, stdout, _) = place.heard(&declared);
    assert!(matches!(unrecorded(ran), Unrecorded::Unkeyed(HashError::Doubt(_))));
    assert_eq!(stdout, "ran\n");
}

#[test]
fn a_cache_that_cannot_be_written_fails_nothing() {
    let place = Place::new();
    fs::write(place.directory.path().join("cache"), "no directory").unwrap();
    let declared = Declared::new(Write::new(place.at("out"), "", || Ok(b"x".to_vec())));
    let ran = place.run(&declared);
    assert!(matches!(&ran, Ran::Executed { recorded: Err(Unrecorded::Store(_)), .. }), "{ran:?}");
    assert_eq!(place.read("out").as_deref(), Some("x"));
}

#[test]
fn while_another_writes_the_same_path_it_is_done_and_not_recorded() {
    let place = Place::new();
    let declared = Declared::new(Write::new(place.at("out"), "", || Ok(b"x".to_vec())));
    let held = place.partition.store().lock_path(&place.at("out")).unwrap();
    let why = unrecorded(place.run(&declared));
    assert!(matches!(why, Unrecorded::Contended(path) if path == place.at("out")));
    drop(held);
    recorded(place.run(&declared));
}

#[test]
fn an_output_that_another_revives_meanwhile_leaves_it_unrecorded() {
    let place = Place::new();
    let meddle = Native::new("meddled with", "", || {
        fs::write(place.at("out"), "mine")?;
        drop(place.partition.store().disturb_path(&place.at("out")));
        Ok(())
    });
    place.write("x", "");
    let declared = Declared::new(meddle).writes([place.at("out")]);
    assert!(matches!(unrecorded(place.run(&declared)), Unrecorded::Disturbed(_)));
    assert_eq!(place.keys(), 0);
}

/// Many threads do two operations that write the same files; whoever reads finds those of one of them.
#[test]
fn in_company_every_revival_is_of_one_run() {
    let place = Place::new();
    let (source, barrier) = (place.directory.path(), Barrier::new(4));
    place.write("x", "");
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (barrier, place) = (&barrier, &place);
            scope.spawn(move || {
                let (own, codec) = (partition(&place.directory, Options::default()), Plain::default());
                let reviver = super::DeclaredReviver::new(&own, &codec, std::rc::Rc::new(super::now), 0o022);
                barrier.wait();
                for round in 0..15 {
                    // Each in its own tree, so that what is there is its own; the keys are the same for all.
                    let top = source.join(format!("own{thread}"));
                    let text = format!("{}", round % 3);
                    let function = || {
                        fs::create_dir_all(top.join("d"))?;
                        for name in ["a", "d/b"] {
                            let file = top.join(name);
                            if file.exists() {
                                fs::remove_file(&file)?;
                            }
                            fs::write(file, &text)?;
                        }
                        Ok(())
                    };
                    let declared = Declared::new(Native::new("pair", text.clone(), function));
                    let declared = declared.writes([top.join("a"), top.join("d/b")]);
                    let (mut stdout, mut stderr) = (std::io::sink(), std::io::sink());
                    let outputs = &mut super::Outputs { stdout: &mut stdout, stderr: &mut stderr };
                    match reviver.run(&declared, outputs) {
                        Ran::Revived(_) | Ran::Executed { recorded: Ok(_), .. } => {}
                        other => panic!("{other:?}"),
                    }
                    for name in ["a", "d/b"] {
                        assert_eq!(fs::read_to_string(top.join(name)).unwrap(), text);
                    }
                }
            });
        }
    });
    assert_eq!(place.keys(), 3);
    let declared = Declared::new(Native::new("pair", "0", || Err("it is revived".into())));
    let declared = declared.writes([place.at("a"), place.at("b")]);
    revived(place.run(&declared));
}

/// The same paths for all: whatever is recorded or revived, the files of one operation are never mixed in the cache.
#[test]
fn in_company_on_the_same_files_no_entry_is_mixed() {
    let place = Place::new();
    place.write("x", "");
    let barrier = Barrier::new(4);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (barrier, place) = (&barrier, &place);
            scope.spawn(move || {
                let (own, codec) = (partition(&place.directory, Options::default()), Plain::default());
                let reviver = super::DeclaredReviver::new(&own, &codec, std::rc::Rc::new(super::now), 0o022);
                barrier.wait();
                for round in 0..10 {
                    let text = format!("{}", (thread + round) % 2);
                    let script = format!("rm -f a b; echo {text} > a; echo {text} > b; true");
                    let declared = Declared::new(place.shell(&script)).writes([place.at("a"), place.at("b")]);
                    let (mut stdout, mut stderr) = (std::io::sink(), std::io::sink());
                    let outputs = &mut super::Outputs { stdout: &mut stdout, stderr: &mut stderr };
                    // Another may take a file away between the two steps of a command: that is no matter of a cache.
                    drop(reviver.run(&declared, outputs));
                }
            });
        }
    });
    for info in place.partition.keys().unwrap() {
        let entry = place.partition.find(info.key).unwrap().unwrap();
        assert_eq!(entry.bytes(0).unwrap(), entry.bytes(1).unwrap());
    }
}
