//! Codecs that fail, that lose something, and that take long enough for somebody else to come in between.

use super::super::{Declared, DeclaredReviver, Native, Ran, Revival, Unrecorded, Write};
use super::{Place, ended, now};
use crate::outcome::{Chunk, Exit, Outcome, Stream};
use crate::policy::{Codec, Fault, FaultKind, Plain, PolicyId, Role};
use crate::reviver::execute::Outputs;
use crate::reviver::hunk::HunkError;
use crate::reviver::writes::Unproved;
use crate::store::{Draft, DraftItem};
use crate::time::Timestamp;
use std::fs;
use std::rc::Rc;

type Encoding<'a> = dyn Fn(&mut Outcome) -> Result<(), Box<Fault>> + 'a;

/// What a [`Plain`] codec does, and something before it.
pub(super) struct Hooked<'a> {
    id: PolicyId,
    encoding: Box<Encoding<'a>>,
    decoding: Box<dyn Fn() -> Result<(), String> + 'a>,
}

impl<'a> Hooked<'a> {
    pub(super) fn new() -> Self {
        let id = PolicyId { name: "hooked".into(), abi: "0".into(), ..Plain::default().id().clone() };
        Self { id, encoding: Box::new(|_| Ok(())), decoding: Box::new(|| Ok(())) }
    }

    fn encoding(self, hook: impl Fn(&mut Outcome) -> Result<(), Box<Fault>> + 'a) -> Self {
        Self { encoding: Box::new(hook), ..self }
    }

    fn decoding(self, hook: impl Fn() -> Result<(), String> + 'a) -> Self {
        Self { decoding: Box::new(hook), ..self }
    }
}

impl Codec for Hooked<'_> {
    fn id(&self) -> &PolicyId {
        &self.id
    }

    fn encode(&self, outcome: &Outcome) -> Result<Result<Vec<u8>, String>, Box<Fault>> {
        let mut outcome = outcome.clone();
        (self.encoding)(&mut outcome)?;
        Plain::default().encode(&outcome)
    }

    fn decode(&self, hunk: &[u8]) -> Result<Result<Outcome, String>, Box<Fault>> {
        match (self.decoding)() {
            Ok(()) => Plain::default().decode(hunk),
            Err(why) => Ok(Err(why)),
        }
    }
}

fn fault() -> Box<Fault> {
    let (plugin, digest, role) = ("hooked".into(), Plain::default().id().component, Role::Metadata);
    Box::new(Fault { plugin, digest, role, function: "encode", kind: FaultKind::Trap("unreachable".into()) })
}

/// What becomes of a recording with this codec.
fn recorded_by(place: &Place, codec: &Hooked<'_>) -> Result<(), Unrecorded> {
    let reviver = DeclaredReviver::new(&place.partition, codec, Rc::new(now), 0o022);
    fs::remove_file(place.write("out", "")).unwrap();
    let declared = Declared::new(Write::new(place.at("out"), "", || Ok(Vec::new())));
    let hashed = reviver.hash(&declared).unwrap();
    place.write("out", "x");
    let output = vec![Chunk { stream: Stream::Stdout, bytes: b"said".to_vec() }];
    let outcome = Outcome { output, ..ended(Exit::Code(0)) };
    let recorded = reviver.record(&hashed, &outcome).map(drop);
    let revival = reviver.revive(&hashed).unwrap();
    assert_eq!(matches!(revival, Revival::Revived(_)), recorded.is_ok());
    recorded
}

#[test]
fn what_a_codec_loses_or_cannot_read_is_not_recorded() {
    let place = Place::new();
    let codec = || Hooked::new();
    let faults = recorded_by(&place, &codec().encoding(|_| Err(fault())));
    assert!(matches!(faults, Err(Unrecorded::Hunk(HunkError::Fault(_)))));
    let mute = recorded_by(&place, &codec().decoding(|| Err("nothing".into())));
    assert!(matches!(mute, Err(Unrecorded::Hunk(HunkError::Unreadable(_)))));
    let quiet = codec().encoding(|outcome| {
        outcome.output.clear();
        Ok(())
    });
    assert!(matches!(recorded_by(&place, &quiet), Err(Unrecorded::Hunk(HunkError::Differs))));
    let wrong = codec().encoding(|outcome| {
        outcome.exit = Exit::Code(1);
        Ok(())
    });
    assert!(matches!(recorded_by(&place, &wrong), Err(Unrecorded::Hunk(HunkError::Differs))));
    assert_eq!(place.keys(), 0);
    recorded_by(&place, &codec()).unwrap();
}

/// An output that is written again after it was proved, and before it is read into the cache.
#[test]
fn an_output_that_changes_while_it_is_recorded_is_not() {
    let place = Place::new();
    let late = Hooked::new().encoding(|_| {
        place.write("out", "late");
        Ok(())
    });
    assert!(matches!(recorded_by(&place, &late), Err(Unrecorded::Disturbed(_))));
    assert_eq!(place.keys(), 0);
}

/// An output that somebody puts there between the hash and the run, and that the run leaves alone.
#[test]
fn what_came_before_the_run_is_not_its_work() {
    let place = Place::new();
    let early = Hooked::new().decoding(|| {
        place.write("out", "foreign");
        Err("not yet".into())
    });
    let reviver = DeclaredReviver::new(&place.partition, &early, Rc::new(now), 0o022);
    let declared = Declared::new(Native::new("idle", "", || Ok(()))).writes([place.at("out")]);
    let key = reviver.hash(&declared).unwrap().key().unwrap();
    let items = Vec::<DraftItem<'_>>::new();
    place.partition.add(key, &Draft { items, ..Draft::default() }, Timestamp(1)).unwrap();
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let ran = reviver.run(&declared, &mut Outputs { stdout: &mut stdout, stderr: &mut stderr });
    let Ran::Executed { recorded: Err(why), .. } = ran else { panic!("{ran:?}") };
    assert!(matches!(why, Unrecorded::Unproved(Unproved::Untouched(_))), "{why:?}");
}
