//! What is doubtful is not recorded, and the caller's word makes it no less so.

use super::*;
use std::os::unix::fs::PermissionsExt as _;

fn reason(finished: &Finished) -> &str {
    &finished.report.record.reason
}

#[test]
fn an_input_that_changes_between_begin_and_finish_leaves_it_unrecorded() {
    let place = Place::new(Policy::default());
    place.write("in", "before");
    let pending = place.open(COPY);
    let executed = place.execute(pending.arguments());
    place.write("in", "after!");
    let finished = place.reviver().finish(pending, executed);
    assert!(reason(&finished).contains("changed while the command ran"), "{finished:?}");
    // Changed before the command ran: it is not known which content was read.
    let pending = place.open(COPY);
    place.write("in", "before");
    let finished = place.finish(pending);
    assert!(reason(&finished).contains("changed while the command ran"), "{finished:?}");
    assert_eq!((place.keys(), place.journal().len()), (0, 2));
}

#[test]
fn what_the_command_did_not_write_is_not_recorded() {
    let place = Place::new(Policy::default());
    place.write("in", "words");
    let finished = place.attempt("true");
    assert!(reason(&finished).contains("did not write"), "{finished:?}");
    place.write("out", "from elsewhere");
    let finished = place.attempt("true");
    assert!(reason(&finished).contains("was there before"), "{finished:?}");
    assert_eq!(place.keys(), 0);
}

#[test]
fn an_exit_that_is_not_accepted_is_not_recorded() {
    let place = Place::new(Policy::default());
    place.write("in", "words");
    let script = "cat in > out; exit 1";
    assert_eq!(reason(&place.attempt(script)), "exit status 1");
    let pending = place.open("cat in > out; exit 2");
    let killed = Executed { exit: Exit::Signal(9), ..place.execute(pending.arguments()) };
    assert_eq!(reason(&place.reviver().finish(pending, killed)), "ended by signal 9");
    let accepted = |script| Task { accepted: [0, 1].into(), ..place.task(script) };
    place.remove("out");
    let Begun::Open(pending) = place.reviver().begin(accepted(script)) else { panic!("nothing is bound") };
    assert_eq!(outcome(&place.finish(*pending).report), RECORDED);
    let Begun::Found(found) = place.reviver().begin(accepted(script)) else { panic!("it is bound") };
    assert_eq!(place.reviver().revive_found(*found).unwrap().outcome.exit, Exit::Code(1));
}

#[test]
fn output_that_is_not_all_known_is_not_recorded() {
    let place = Place::new(Policy::default());
    place.write("in", "words");
    let much = || vec![Chunk { stream: Stream::Stdout, bytes: vec![b'x'; (8 << 20) + 1] }];
    let told: [&dyn Fn(Executed) -> Executed; 3] = [
        &|executed| Executed { output: much(), ..executed },
        &|executed| Executed { cut: true, ..executed },
        &|executed| Executed { held: true, ..executed },
    ];
    for tell in told {
        let pending = place.open(COPY);
        let executed = tell(place.execute(pending.arguments()));
        let finished = place.reviver().finish(pending, executed);
        assert!(
            reason(&finished).contains("said more") || reason(&finished).contains("holds"),
            "{finished:?}"
        );
    }
    assert_eq!(place.keys(), 0);
}

/// A client's clock may be wrong, or lie: what a file was before the attempt it is not to say.
#[test]
fn a_later_start_makes_no_young_input_old() {
    let place = Place::new(Policy { reports: true, ..Policy::default() });
    place.write("in", "words");
    let script = "echo young > made; cat in made > out; echo made > $1";
    let just_now = |executed| {
        settle();
        Executed { started: now(), ended: now(), ..executed }
    };
    for tell in [an_hour_ahead, just_now] {
        let pending = place.open(script);
        let executed = tell(place.execute(pending.arguments()));
        let finished = place.reviver().finish(pending, executed);
        assert!(reason(&finished).contains("made is too young"), "{finished:?}");
    }
    // Where the caller says that it started earlier, it may know.
    place.write("made", "old by now");
    let script = "cat in made > out; echo made > $1";
    let pending = place.open(script);
    let executed = place.execute(pending.arguments());
    let told = Executed { started: Timestamp(pending.began().0 - 5_000_000_000), ..executed };
    let finished = place.reviver().finish(pending, told);
    assert!(reason(&finished).contains("too young"), "{finished:?}");
    assert_eq!(outcome(&place.attempt(script).report), RECORDED);
}

fn an_hour_ahead(executed: Executed) -> Executed {
    let later = |time: Timestamp| Timestamp(time.0 + 3_600_000_000_000);
    Executed { started: later(executed.started), ended: later(executed.ended), ..executed }
}

#[test]
fn a_clock_that_is_ahead_is_believed_how_long_it_took_and_what_is_recorded_is_not_of_the_future() {
    let place = Place::new(Policy::default());
    place.write("in", "words");
    let pending = place.open("sleep 0.05; cat in > out");
    let executed = place.execute(pending.arguments());
    let took = executed.ended.0 - executed.started.0;
    let finished = place.reviver().finish(pending, an_hour_ahead(executed));
    assert_eq!((outcome(&finished.report), finished.report.record.duration), (RECORDED, took));
    let revived = place.reviver().revive_found(place.found("sleep 0.05; cat in > out")).unwrap();
    assert_eq!(revived.outcome.duration, took);
    assert!(revived.outcome.started + took <= now().0);
}

/// The output changed after the command had ended, and before anybody looked at it.
#[test]
fn what_others_wrote_after_the_command_had_ended_is_not_its_own() {
    let place = Place::new(Policy::default());
    place.write("in", "words");
    let pending = place.open(COPY);
    let executed = place.execute(pending.arguments());
    settle();
    place.write("out", "by somebody else");
    let finished = place.reviver().finish(pending, executed);
    assert!(reason(&finished).contains("changed after the command had ended"), "{finished:?}");
    assert_eq!(place.keys(), 0);
}

#[test]
fn a_refusal_is_bare_and_says_so_in_the_journal() {
    let place = Place::new(Policy { refuses: Some("linking"), ..Policy::default() });
    let report = place.bare(COPY);
    assert_eq!((outcome(&report), report.is_refusal), ((journal::Result::Uncached, "linking"), true));
    assert!(place.journal()[0].contains("linking"));
}

/// A client told no `PATH`, and the system found the program by one of its own: what it was stood in no key.
#[test]
fn a_program_that_is_not_found_is_bare() {
    let place = Place::new(Policy::default());
    place.write("in", "words");
    let mut task = place.task(COPY);
    task.environment.variables.clear();
    let Begun::Bare(report) = place.reviver().begin(task) else { panic!("nobody knows what runs") };
    assert_eq!(outcome(&report), (journal::Result::Uncached, "sh: command not found"));
}

/// A plugin is pinned anew while a command runs: what it says of the report is said of another key.
#[test]
fn what_was_begun_with_one_plugin_is_not_finished_with_another() {
    let place = Place::new(Policy { reports: true, ..Policy::default() });
    place.write("in", "words");
    let pending = place.open("cat in > out; echo in > $1");
    let executed = place.execute(pending.arguments());
    let mut other = Policy { reports: true, ..Policy::default() };
    other.id.configuration = "{\"other\": true}".into();
    let finished = place.reviver_with(&other).finish(pending, executed);
    assert!(reason(&finished).contains("another plugin"), "{finished:?}");
    assert!(finished.again.is_some(), "its arguments were not the user's");
    assert_eq!(place.keys(), 0);
}

/// A client had asked for many operations at once, and had them revived later. A source that was edited in between got the
/// output of what it had been, with the present as its time: newer than the edit, and so nothing was built anew.
#[test]
fn what_changed_after_it_was_found_is_looked_up_anew() {
    let place = Place::new(Policy::default());
    for words in ["one", "two"] {
        place.write("in", words);
        assert_eq!(outcome(&place.attempt(COPY).report), RECORDED);
        place.remove("out");
    }
    let found = place.found(COPY);
    place.write("in", "one");
    assert_eq!(outcome(&place.reviver().revive_found(found).unwrap().report), HIT);
    assert_eq!(place.read("out").as_deref(), Some("one"), "what is known too is revived");
    let found = place.found(COPY);
    place.write("in", "three");
    let Err(Begun::Open(pending)) = place.reviver().revive_found(found) else { panic!("nobody knows it") };
    assert_eq!(outcome(&place.finish(*pending).report), RECORDED);
    assert_eq!(place.read("out").as_deref(), Some("three"));
    assert_eq!(place.keys(), 3);
}

/// Of what was absent only the directory is looked at, where that is enough.
#[test]
fn what_appeared_after_it_was_found_is_looked_up_anew() {
    let script = "cat lib/first 2>/dev/null > out || cat second > out; echo lib/first second > $1";
    let place = Place::new(Policy { reports: true, ..Policy::default() });
    place.write("in", "");
    place.write("second", "2");
    fs::create_dir(place.at("lib")).unwrap();
    settle();
    assert_eq!(outcome(&place.attempt(script).report), RECORDED);
    let found = place.found(script);
    assert!(
        found.seen.seen.contains_key(&place.at("lib"))
            && !found.seen.seen.contains_key(&place.at("lib/first"))
    );
    place.write("lib/first", "1");
    let Err(Begun::Open(pending)) = place.reviver().revive_found(found) else { panic!("it appeared") };
    assert_eq!(outcome(&place.finish(*pending).report), RECORDED);
    assert_eq!(place.read("out").as_deref(), Some("1"));
}

/// Of a directory only the files were looked at once more. What had come or gone below it, and a link that led elsewhere by
/// then, got the output of what had been there before.
#[test]
fn what_came_went_or_was_linked_anew_below_a_directory_after_it_was_found_is_looked_up_anew() {
    let script = "cat lib/*/* > out; echo lib/ > $1";
    let place = Place::new(Policy { reports: true, ..Policy::default() });
    let link = |target: &str| {
        std::os::unix::fs::symlink(target, place.at("lib/sub/new")).unwrap();
        fs::rename(place.at("lib/sub/new"), place.at("lib/sub/link")).unwrap();
        settle();
    };
    for (name, text) in [("in", ""), ("one", "1"), ("two", "2")] {
        place.write(name, text);
    }
    fs::create_dir_all(place.at("lib/sub")).unwrap();
    place.write("lib/sub/a", "a");
    link("../../one");
    let changes: [(&str, &dyn Fn()); 3] = [
        ("ab1", &|| place.write("lib/sub/b", "b")),
        ("b1", &|| place.remove("lib/sub/a")),
        ("b2", &|| link("../../two")),
    ];
    assert_eq!(outcome(&place.attempt(script).report), RECORDED);
    for (words, change) in changes {
        place.remove("out");
        let found = place.found(script);
        change();
        let Err(Begun::Open(pending)) = place.reviver().revive_found(found) else { panic!("{words} is new") };
        assert_eq!(outcome(&place.finish(*pending).report), RECORDED);
        assert_eq!(place.read("out").as_deref(), Some(words));
    }
}

/// Another branch was checked out and left again while a command ran: of a directory only its files were compared, and a file of
/// the other branch, gone by then, was in the output.
#[test]
fn what_came_and_went_below_a_directory_while_the_command_ran_leaves_it_unrecorded() {
    let script = "cat lib/sub/* > out; echo lib/ > $1";
    let place =
        Place::new(Policy { reports: true, reads: vec![Source::Tree("lib".into())], ..Policy::default() });
    place.write("in", "");
    fs::create_dir_all(place.at("lib/sub")).unwrap();
    place.write("lib/sub/a", "a");
    let pending = place.open(script);
    place.write("lib/sub/b", "b");
    let executed = place.execute(pending.arguments());
    place.remove("lib/sub/b");
    assert!(reason(&place.reviver().finish(pending, executed)).contains("lib/sub changed"));
    place.remove("out");
    assert_eq!(outcome(&place.attempt(script).report), RECORDED);
    assert_eq!(place.read("out").as_deref(), Some("a"));
}

/// The same of the directory that a program lies in.
#[test]
fn a_program_whose_directory_was_another_while_the_command_ran_leaves_it_unrecorded() {
    let place = Place::new(Policy { reads: vec![Source::Program("bin/tool".into())], ..Policy::default() });
    let tool = |directory: &str, says: &str| {
        fs::create_dir(place.at(directory)).unwrap();
        let path = place.at(directory).join("tool");
        fs::write(&path, format!("#!/bin/sh\necho {says}\n")).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    };
    let is_called = |from: &str, to: &str| fs::rename(place.at(from), place.at(to)).unwrap();
    tool("bin", "one");
    tool("other", "two");
    place.write("in", "");
    let pending = place.open("bin/tool > out");
    is_called("bin", "away");
    is_called("other", "bin");
    let executed = place.execute(pending.arguments());
    is_called("bin", "other");
    is_called("away", "bin");
    assert_eq!(place.read("out").as_deref(), Some("two\n"));
    assert!(reason(&place.reviver().finish(pending, executed)).contains("bin is too young"));
}

/// An hour that came twice: what changed in the second was older than the beginning in the first, and passed for what had been
/// there before.
#[test]
fn nothing_is_recorded_while_which_the_clock_was_set_back() {
    let place = Place::new(Policy { reports: true, ..Policy::default() });
    place.write("in", "words");
    let script = "echo young > made; cat in made > out; echo made > $1";
    let fast = Reviver { clock: Rc::new(|| Timestamp(now().0 + 3_600_000_000_000)), ..place.reviver() };
    let Begun::Open(pending) = fast.begin(place.task(script)) else { panic!("nothing is bound") };
    let executed = place.execute(pending.arguments());
    assert!(reason(&place.reviver().finish(*pending, executed)).contains("the clock was set back"));

    // In a run of our own too.
    let told = std::cell::Cell::new(3_600_000_000_000_u64);
    let back = Rc::new(move || Timestamp(now().0 + told.replace(told.get().saturating_sub(600_000_000_000))));
    let reviver = Reviver { clock: back, ..place.reviver() };
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let outputs = &mut Outputs { stdout: &mut stdout, stderr: &mut stderr };
    let (_, ran) = place.task(script).ask(|request| reviver.run(request, outputs).unwrap());
    assert!(
        matches!(ran, Ran::Done { report, .. } if report.record.reason.contains("the clock was set back"))
    );
}
