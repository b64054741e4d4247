//! What key plugins look at, and what comes of it.

use super::*;
use crate::operation::Source;
use crate::runtime::{Capability, Level};

/// The text of the only ingredient of what the good guest derives for a program with this first letter.
fn seen(
    program: &str,
    capabilities: Capabilities,
    answer: Result<&'static str, LookFailure>,
) -> Result<String, Refusal> {
    let mut source = source(component("key", GOOD));
    source.capabilities = capabilities;
    let inputs = inputs(answer);
    let derivation = WasmKey::new(runtime(), source).derive(&operation(program), Rc::clone(&inputs)).unwrap();
    assert_eq!(Rc::strong_count(&inputs), 1, "nothing of the call is left");
    derivation.map(|derivation| match &derivation.ingredients[0].source {
        Source::Text(text) => text.clone(),
        other => panic!("{other:?}"),
    })
}

#[test]
fn a_variables_value_reaches_the_guest_and_comes_back() {
    assert_eq!(seen("v", Capabilities::NONE, Ok("C.UTF-8")), Ok("C.UTF-8".into()));
    assert_eq!(seen("v", Capabilities::NONE, Err(LookFailure::Absent)), Ok("00".into()));
}

#[test]
fn a_variable_that_cannot_be_told_leaves_the_operation_without_a_key() {
    let failed = LookFailure::Failed("`LANG` is not UTF-8".into());
    let refusal = Refusal::NotCacheable("`LANG` is not UTF-8".into());
    assert_eq!(seen("v", Capabilities::NONE, Err(failed)), Err(refusal));
}

#[test]
fn looks_answer_fail_or_are_denied() {
    let all = Capabilities::ALL;
    let with = |capability| Capabilities::NONE.with(capability);
    for (program, own) in
        [("r", with(Capability::Read)), ("q", with(Capability::Query)), ("s", Capabilities::NONE)]
    {
        assert_eq!(&seen(program, own, Ok("")).unwrap()[..1], "0", "{program}");
        assert_eq!(seen(program, all, Err(LookFailure::Denied(String::new()))), Ok("10".into()));
        assert_eq!(seen(program, all, Err(LookFailure::Absent)), Ok("11".into()));
        assert_eq!(seen(program, all, Err(LookFailure::TooLarge(1))), Ok("12".into()));
        let failed = seen(program, all, Err(LookFailure::Failed("disk".into())));
        assert_eq!(failed, Err(Refusal::NotCacheable("disk".into())), "whatever the guest answers");
    }
    assert_eq!(seen("r", with(Capability::Query), Ok("")), Ok("10".into()));
    assert_eq!(seen("q", with(Capability::Read), Ok("")), Ok("10".into()));
}

#[test]
fn arguments_are_replaced_only_with_leave() {
    let mut source = source(component("key", guest!("arguments")));
    let derivation = derive(&WasmKey::new(runtime(), source.clone())).unwrap().unwrap();
    assert_eq!(derivation.arguments, Some(vec![]));
    source.capabilities = Capabilities::ALL.and(Capabilities::NONE.with(Capability::Read));
    let refusal = derive(&WasmKey::new(runtime(), source)).unwrap().unwrap_err();
    assert!(refusal.reason().contains("capability `arguments`"), "{refusal:?}");
}

#[test]
fn what_a_guest_logs_is_kept_for_the_caller() {
    let runtime = Arc::new(Runtime::new(None));
    let key = WasmKey::new(Arc::clone(&runtime), source(component("key", GOOD)));
    assert!(derive(&key).is_ok());
    let log = runtime.take_log();
    assert_eq!((log.len(), log[0].level, &*log[0].message), (1, Level::Info, "good"));
    assert_eq!(runtime.take_log(), []);
}
