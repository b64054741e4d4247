//! What an attempt holds, and for how long.

use super::*;

#[test]
fn a_second_attempt_on_one_path_is_not_recorded_and_neither_is_the_first() {
    let place = Place::new(Policy::default());
    place.write("in", "words");
    let first = place.open(COPY);
    assert_eq!(first.unrecorded(), None);
    let second = place.open("cat in in > out");
    assert!(second.unrecorded().is_some_and(|reason| reason.contains("another operation writes")));
    let finished = place.finish(second);
    assert!(finished.report.record.reason.contains("another operation writes"), "{finished:?}");
    let finished = place.finish(first);
    assert!(finished.report.record.reason.contains("changed after"), "{finished:?}");
    assert_eq!((place.keys(), place.locks()), (0, 0));
    assert_eq!(outcome(&place.attempt(COPY).report), RECORDED);
}

#[test]
fn a_run_beside_an_attempt_is_not_recorded() {
    let place = Place::new(Policy::default());
    place.write("in", "words");
    let pending = place.open(COPY);
    assert!(place.run(COPY).0.record.reason.contains("another operation writes"));
    drop(pending);
    place.remove("out");
    assert_eq!(outcome(&place.run(COPY).0), RECORDED);
}

#[test]
fn an_attempt_that_is_dropped_leaves_nothing() {
    let place = Place::new(Policy { reports: true, ..Policy::default() });
    place.write("in", "words");
    let pending = place.open(COPY);
    let report = pending.report().unwrap();
    let private = report.parent().unwrap().to_owned();
    assert!(private.is_dir() && pending.arguments().contains(&report.to_str().unwrap().to_owned()));
    assert_eq!(place.locks(), 1);
    drop(pending);
    assert!(!private.exists());
    assert_eq!((place.locks(), place.keys(), place.journal().len()), (0, 0, 0));
    let pending = place.open(COPY);
    assert_eq!(pending.unrecorded(), None, "the path is to be had again");
    let private = pending.report().unwrap().parent().unwrap().to_owned();
    place.finish(pending);
    assert_eq!((private.exists(), place.locks()), (false, 0));
}

/// A tool that rewrites in place must not reach the cache's own object.
#[test]
fn a_destination_with_several_links_is_gone_before_the_command_runs() {
    let options = Options { link: crate::store::LinkMode::Hardlink, ..Options::default() };
    let place = Place::with(options, Policy::default());
    place.write("in", "words");
    place.write("object", "the cache's");
    fs::hard_link(place.at("object"), place.at("out")).unwrap();
    let pending = place.open(COPY);
    assert_eq!(place.read("out"), None);
    assert_eq!(outcome(&place.finish(pending).report), RECORDED);
    assert_eq!(place.read("object").as_deref(), Some("the cache's"));
}
