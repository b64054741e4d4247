//! Instances that are kept alive for an author's sake.

use super::roles::candidate;
use super::*;
use crate::outcome::{Exit, Outcome};
use crate::policy::{Budget, Codec as _, Eviction as _};
use crate::time::Timestamp;

fn questions(number: usize) -> Vec<(Operation, SharedInputs)> {
    (0..number).map(|_| (operation("cc"), inputs(Err(LookFailure::Absent)))).collect()
}

fn in_turn(text: &str, number: usize) -> Result<Vec<Result<Derivation, Refusal>>, Box<Fault>> {
    let questions = questions(number);
    let asked: Vec<_> = questions.iter().map(|(operation, inputs)| (operation, inputs.clone())).collect();
    key(text).derive_in_turn(&asked)
}

#[test]
fn a_kept_instance_of_a_good_guest_answers_like_a_fresh_one() {
    let fresh = derive(&key(GOOD)).unwrap();
    let answers = in_turn(GOOD, 5).unwrap();
    assert_eq!(answers.len(), 5);
    assert!(answers.iter().all(|answer| *answer == fresh));
    assert_eq!(in_turn(GOOD, 0).unwrap(), []);
}

#[test]
fn what_a_guest_keeps_is_found_by_the_second_question_alone() {
    let poison = guest!("poison");
    assert!(in_turn(poison, 1).is_ok());
    assert!(derive(&key(poison)).is_ok());
    let fault = in_turn(poison, 2).expect_err("its second call traps");
    assert!(matches!(fault.kind, FaultKind::Trap(_)), "{fault}");
}

#[test]
fn codecs_and_policies_answer_alike_in_turn_and_in_batches_of_any_size() {
    let codec = codec(guest!("metadata-good"));
    let outcome = Outcome { exit: Exit::Code(0), output: vec![], started: 0, duration: 0, notes: vec![] };
    let hunk = codec.encode(&outcome).unwrap();
    let turn = vec![outcome; 4];
    assert_eq!(codec.encode_in_turn(&turn).unwrap(), vec![hunk.clone(); 4]);
    let decoded = codec.decode(hunk.as_ref().unwrap()).unwrap();
    assert_eq!(codec.decode_in_turn(&vec![hunk.unwrap(); 4]).unwrap(), vec![decoded; 4]);

    let policy = eviction(guest!("eviction-good"));
    let candidates: Vec<_> = (0..50).map(candidate).collect();
    let budget = Budget { limit: 0, used: 0, entries: 0 };
    let scores = policy.score(Timestamp(0), budget, &candidates).unwrap();
    for size in [0, 1, 7, 50, 4096] {
        assert_eq!(
            policy.score_in_batches(Timestamp(0), budget, &candidates, size).unwrap(),
            scores,
            "{size}"
        );
    }
}
