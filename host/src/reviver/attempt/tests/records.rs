//! What is recorded one way is found every way.

use super::*;

#[test]
fn an_attempt_that_is_recorded_is_found_by_the_next_and_by_a_run() {
    let place = Place::new(Policy::default());
    place.write("in", "words");
    let pending = place.open(COPY);
    assert_eq!((pending.label(), pending.arguments()[0].as_str(), pending.report()), ("copy", "sh", None));
    let writes: Vec<_> = pending.writes().iter().map(|write| (&*write.write.label, &*write.path)).collect();
    assert_eq!(writes, [("out", &*place.at("out"))]);
    let Finished { report, again } = place.finish(pending);
    assert_eq!((outcome(&report), again.is_none()), (RECORDED, true));

    place.remove("out");
    let found = place.found(COPY);
    assert_eq!((found.key().to_string(), found.label()), (report.record.key, "copy"));
    let Revived { key, outcome: then, report } = place.reviver().revive_found(found).unwrap();
    assert_eq!((outcome(&report), key.to_string()), (HIT, report.record.key.clone()));
    assert_eq!((then.exit, &*then.output[0].bytes), (Exit::Code(0), &b"copying\n"[..]));
    assert_eq!(place.read("out").as_deref(), Some("words"));

    place.remove("out");
    let (report, said) = place.run(COPY);
    assert_eq!((outcome(&report), said.as_str()), (HIT, "copying\n"));
    assert_eq!(place.read("out").as_deref(), Some("words"));
    let words: Vec<_> = ["miss", "hit", "hit"].map(|word| format!("\"{word}\"")).to_vec();
    let journal = place.journal();
    assert_eq!(journal.len(), words.len());
    assert!(journal.iter().zip(&words).all(|(line, word)| line.contains(word)), "{journal:?}");
}

#[test]
fn a_run_that_is_recorded_is_found_by_an_attempt() {
    let place = Place::new(Policy { reports: true, ..Policy::default() });
    place.write("in", "words");
    place.write("more", "");
    let script = "cat in > out; echo more > $1";
    assert_eq!(outcome(&place.run(script).0), RECORDED);
    place.write("out", "something else");
    let found = place.found(script);
    assert_eq!(place.read("out").as_deref(), Some("something else"), "finding changes nothing");
    assert_eq!(outcome(&place.reviver().revive_found(found).unwrap().report), HIT);
    assert_eq!(place.read("out").as_deref(), Some("words"));
}

#[test]
fn what_a_cache_that_is_only_read_does_not_have_is_bare() {
    let mut place = Place::new(Policy::default());
    place.write("in", "words");
    assert_eq!(outcome(&place.attempt(COPY).report), RECORDED);
    let options = Options { read_only: true, ..Options::default() };
    let store = Store::open(&place.directory.path().join("cache"), options).unwrap();
    place.partition = store.partition(place.partition.id());
    let found = place.found(COPY);
    assert_eq!(outcome(&place.reviver().revive_found(found).unwrap().report), HIT);
    assert_eq!(outcome(&place.bare("cat in in > out")), (journal::Result::Miss, "the cache is only read"));
    assert_eq!(place.journal().len(), 1);
}

/// A link lies where the file belongs: only the command may write through it, and asking again would find the same entry.
#[test]
fn what_proves_to_be_no_hit_goes_on_as_an_open_attempt() {
    let place = Place::new(Policy::default());
    place.write("in", "words");
    assert_eq!(outcome(&place.attempt(COPY).report), RECORDED);
    place.remove("out");
    place.write("elsewhere", "old");
    std::os::unix::fs::symlink("elsewhere", place.at("out")).unwrap();
    let pending = match place.reviver().revive_found(place.found(COPY)) {
        Err(Begun::Open(pending)) => *pending,
        other => panic!("the command has to run: {other:?}"),
    };
    assert_eq!(place.read("elsewhere").as_deref(), Some("old"));
    let report = place.finish(pending).report;
    assert!(report.record.reason.contains("was there before"), "{report:?}");
    assert_eq!(place.read("elsewhere").as_deref(), Some("words"));
}

/// Another thread finds, and by the time that this one revives there is another file at the destination.
#[test]
fn what_is_found_on_one_thread_is_revived_on_another_as_things_are_then() {
    let place = Place::new(Policy::default());
    place.write("in", "words");
    assert_eq!(outcome(&place.attempt(COPY).report), RECORDED);
    let found = place.found(COPY);
    place.write("out", "wards");
    let partition = &place.partition;
    let revived = std::thread::scope(|scope| {
        let revive = move || {
            let (policy, codec) = (Policy::default(), Plain::default());
            let reviver = Reviver {
                store: partition.store(),
                partition,
                table: Rc::new(Table::new(partition.store().layout().hashes())),
                clock: Rc::new(now),
                key_policy: &policy,
                limits: Digest::of(b"limits"),
                codec: &codec,
            };
            reviver.revive_found(found).map(|revived| revived.outcome.exit)
        };
        scope.spawn(revive).join().unwrap()
    });
    assert_eq!(revived.unwrap(), Exit::Code(0));
    assert_eq!(place.read("out").as_deref(), Some("words"));
}
