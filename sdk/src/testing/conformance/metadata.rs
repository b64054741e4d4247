//! The laws of metadata plugins, on generated outcomes.

use super::random::Random;
use crate::testing::TestHost;
use crate::{MetadataPlugin, Outcome};

/// How many outcomes each law is tried on.
const OUTCOMES: usize = 1000;

fn each<P: MetadataPlugin>(law: impl Fn(&TestHost, &Outcome, Vec<u8>, &mut Random)) {
    let (host, mut random) = (TestHost::new(), Random::new());
    for round in 0..OUTCOMES {
        let outcome = random.outcome();
        let hunk = host.encode::<P>(&outcome).unwrap_or_else(|reason| panic!("outcome {round}: {reason}"));
        law(&host, &outcome, hunk, &mut random);
    }
}

fn decoded<P: MetadataPlugin>(host: &TestHost, hunk: &[u8]) -> Outcome {
    host.decode::<P>(hunk).unwrap_or_else(|reason| panic!("what was encoded is refused: {reason}"))
}

/// The exit status and the output are decoded as they were encoded.
pub fn what_was_encoded_comes_back<P: MetadataPlugin>() {
    each::<P>(|host, outcome, hunk, _| {
        let decoded = decoded::<P>(host, &hunk);
        assert_eq!((decoded.exit, &decoded.output), (outcome.exit, &outcome.output));
    });
}

/// So are the times and the notes.
pub fn times_and_notes_come_back<P: MetadataPlugin>() {
    each::<P>(|host, outcome, hunk, _| assert_eq!(decoded::<P>(host, &hunk), *outcome));
}

/// Encoding depends on nothing but the outcome.
pub fn the_same_outcome_has_the_same_hunk<P: MetadataPlugin>() {
    each::<P>(|host, outcome, hunk, _| assert_eq!(host.encode::<P>(outcome), Ok(hunk)));
}

/// No bytes whatsoever make decoding panic: a hunk with a bit turned, cut short or with something behind it is refused,
/// or stands for some outcome.
pub fn no_damage_makes_it_panic<P: MetadataPlugin>() {
    each::<P>(|host, _, hunk, random| {
        let mut turned = hunk.clone();
        if let Some(byte) = turned.get_mut(random.below(hunk.len().max(1))) {
            *byte ^= 1 << random.below(8);
        }
        let cut = &hunk[..random.below(hunk.len() + 1)];
        let longer = [&*hunk, &random.bytes(9)].concat();
        for damaged in [&*turned, cut, &longer] {
            drop(host.decode::<P>(damaged));
        }
    });
}
