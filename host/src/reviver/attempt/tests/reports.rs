//! Plugins that replace arguments, read reports and make files themselves.

use super::*;

const SEARCH: &str = "cat first 2>/dev/null > out || cat second > out; echo first second > $1";

#[test]
fn what_a_report_names_is_part_of_the_key_and_so_is_what_was_not_there() {
    let place = Place::new(Policy { reports: true, ..Policy::default() });
    place.write("in", "");
    place.write("second", "2");
    assert_eq!(outcome(&place.attempt(SEARCH).report), RECORDED);
    drop(place.found(SEARCH));
    place.write("first", "1");
    assert_eq!(outcome(&place.attempt(SEARCH).report), RECORDED, "a file that appears earlier");
    place.remove("first");
    let found = place.found(SEARCH);
    assert_eq!(outcome(&place.reviver().revive_found(found).unwrap().report), HIT);
    assert_eq!(place.read("out").as_deref(), Some("2"));
    assert_eq!(outcome(&place.run(SEARCH).0), HIT);
}

/// What leads to an entry is the first that the next lookup tries.
#[test]
fn the_list_of_what_was_found_goes_to_the_front() {
    let place = Place::new(Policy { reports: true, ..Policy::default() });
    let script = "cat in > out; cat names > $1";
    place.write("in", "");
    place.write("names", "a");
    place.write("a", "one");
    assert_eq!(outcome(&place.attempt(script).report), RECORDED);
    place.write("names", "b");
    place.write("a", "two");
    place.write("b", "one");
    let pending = place.open(script);
    let layout = place.partition.store().layout();
    let path = layout.companion(place.partition.id(), pending.ready.prepared.either);
    assert_eq!(outcome(&place.finish(pending).report), RECORDED);
    place.write("a", "one");
    place.write("b", "two");
    let lists = || fs::read(&path).unwrap();
    let recorded = lists();
    place.found(script);
    let moved = lists();
    place.found(script);
    assert_eq!((moved != recorded, moved == lists()), (true, true));
}

#[test]
fn a_report_that_is_missing_or_not_understood_leaves_it_unrecorded() {
    let place = Place::new(Policy { reports: true, ..Policy::default() });
    place.write("in", "words");
    let missing = place.attempt(COPY);
    assert!(missing.report.record.reason.contains("left no report"), "{missing:?}");
    place.remove("out");
    let refused = place.attempt("cat in > out; echo nonsense > $1").report;
    assert_eq!((refused.record.reason.as_str(), refused.is_refusal), ("no idea", true));
    assert_eq!(place.keys(), 0);
}

#[test]
fn what_the_plugin_makes_itself_is_put_in_place_recorded_and_revived() {
    let instead = Some(("cat in > out; echo in > $1", "extra"));
    let place = Place::new(Policy { reports: true, instead, ..Policy::default() });
    place.write("in", "words");
    let finished = place.attempt("cat in > out; echo made > extra");
    assert_eq!((outcome(&finished.report), finished.again.is_none()), (RECORDED, true));
    assert_eq!(place.read("extra").as_deref(), Some("by the plugin"));
    place.remove("extra");
    let found = place.found("cat in > out; echo made > extra");
    place.reviver().revive_found(found).unwrap();
    assert_eq!(place.read("extra").as_deref(), Some("by the plugin"));
}

/// The command ran with replaced arguments, so what the plugin was to make in place of the command is missing where the
/// plugin fails. We start nothing here: the caller has to, and others must not take its writes for their own meanwhile.
#[test]
fn a_file_that_the_plugin_cannot_make_is_for_the_caller_to_make() {
    let instead = Some(("cat in > out; echo nonsense > $1", "extra"));
    let place = Place::new(Policy { reports: true, instead, ..Policy::default() });
    place.write("in", "words");
    let script = "cat in > out; echo made > extra";
    let finished = place.attempt(script);
    assert_eq!((outcome(&finished.report), place.read("extra")), ((journal::Result::Miss, "no idea"), None));
    let again = finished.again.unwrap();
    assert!(place.open(script).unrecorded().is_some());
    place.execute(&place.task(script).operation.argv);
    assert_eq!(place.read("extra").as_deref(), Some("made\n"));
    drop(again);
    assert_eq!(place.open(script).unrecorded(), None);
}

/// What the plugin makes would come with its directory, and the command would succeed where it fails by itself.
#[test]
fn a_command_that_fails_for_want_of_a_directory_is_bare() {
    let instead = Some(("cat in > out; echo in > $1", "extra"));
    let place = Place::new(Policy { reports: true, instead, ..Policy::default() });
    place.write("in", "words");
    let mut task = place.task("cat in > out");
    task.operation.directory = "missing".into();
    task.environment.directory.push("missing");
    let Begun::Bare(report) = place.reviver().begin(task) else { panic!("it runs as it is") };
    assert_eq!(report.record.result, journal::Result::Miss);
    assert!(report.record.reason.contains("there is no directory for"), "{report:?}");
    assert_eq!(place.journal().len(), 1);
    assert_eq!(place.locks(), 0);
}

/// A report that was a pipe was waited for with the locks of all writes held, also after its client had gone; and one of any
/// size was read whole.
#[test]
fn a_report_that_is_no_file_or_too_large_is_none() {
    let place = Place::new(Policy { reports: true, ..Policy::default() });
    place.write("in", "words");
    let scripts = ["mkfifo $1", "mkdir $1", "truncate -s 1G $1", "ln -s /dev/zero $1"];
    for script in scripts {
        let finished = place.attempt(&format!("cat in > out; {script}"));
        assert!(finished.report.record.reason.contains("left no report"), "{script}: {finished:?}");
        place.remove("out");
    }
    assert_eq!((place.keys(), place.locks()), (0, 0));
}
