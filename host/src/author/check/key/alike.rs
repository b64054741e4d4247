//! Nothing but the question counts: neither chance, nor what an instance answered before, nor the order of declarations.

use super::{Bench, Case, command};
use crate::author::check::verdict::{Law, Tally, Tried, Verdict};
use crate::operation::Operation;
use crate::policy::KeyPolicy as _;
use crate::reviver::rehearse::Rehearsed;
use std::rc::Rc;

/// How many other operations an instance is asked about before.
const OTHERS: usize = 6;

/// The laws of this module.
pub(super) fn alike(bench: &Bench<'_>, cases: &[Case<'_>], copies: &[Rc<Operation>]) -> [Verdict; 3] {
    let (mut same, mut reused, mut order) =
        (Tally::new(Law::Same), Tally::new(Law::Reused), Tally::new(Law::Order));
    for copy in copies {
        twice(bench, copy, &mut same);
    }
    for case in cases {
        discovered(bench, case, &mut same);
        in_turn(bench, case, copies, &mut reused);
        permuted(bench, case, &mut order);
    }
    [same.verdict(), reused.verdict(), order.verdict()]
}

/// Two fresh instances.
fn twice(bench: &Bench<'_>, operation: &Rc<Operation>, tally: &mut Tally) {
    let ask = || bench.scenes.ask(operation, &bench.scenes.variables, &bench.plugin);
    // What programs say of themselves is remembered from the first time on.
    let ((first, fuel), (second, again)) = (ask(), ask());
    let what = command(operation);
    tally.test(match (&first, &second) {
        (Rehearsed::Named(one), Rehearsed::Named(other)) if one == other => None,
        (Rehearsed::Named(one), Rehearsed::Named(other)) => {
            Some(format!("{what}: {}", bench.differences(one, other)))
        }
        (Rehearsed::Refused(one), Rehearsed::Refused(other)) if one == other => None,
        (Rehearsed::Faulty(one), Rehearsed::Faulty(other)) if one == other => None,
        _ => Some(format!("{what}: two fresh instances answer {first:?} and {second:?}")),
    });
    tally.test((fuel != again).then(|| format!("{what}: it uses {fuel} fuel, then {again}")));
}

/// Reports as they might come, none of them of a run: whatever a plugin makes of one, it does so twice and without fault.
const REPORTS: [&[u8]; 4] = [b"", b"\xff\0\xfe", b"out: in.txt \\\n  absent.h\n", b"{\"truncated\": ["];

/// What two fresh instances discover in a report.
fn discovered(bench: &Bench<'_>, case: &Case<'_>, tally: &mut Tally) {
    if case.named.derivation.report.is_none() {
        return;
    }
    let rehearsal = bench.scenes.rehearsal(&case.operation, &bench.scenes.variables);
    for report in REPORTS {
        let ask = || {
            let looks = rehearsal.looks(Some(report.to_vec()));
            let heard = bench.plugin.discover(&case.operation, report, looks.inputs());
            (heard, bench.plugin.usage().fuel)
        };
        let (first, second) = (ask(), ask());
        let what = format!("the report `{}`", String::from_utf8_lossy(report).escape_debug());
        if let (Err(fault), _) = &first {
            bench.fault(case, &what, fault);
            continue;
        }
        let differ = || format!("{}: {what}: two fresh instances discover different things", case.label());
        tally.test((first != second).then(differ));
    }
}

/// One instance, asked about this operation first, about others, and about this one again.
fn in_turn(bench: &Bench<'_>, case: &Case<'_>, copies: &[Rc<Operation>], tally: &mut Tally) {
    let own = &case.operation;
    let mut longer = Operation::clone(own);
    longer.argv.push("reviver-check".to_owned());
    let longer = Rc::new(longer);
    let mut turn = vec![Rc::clone(own), Rc::clone(own)];
    // What a fresh instance faults at says nothing about one that is kept.
    if !matches!(bench.scenes.ask(&longer, &bench.scenes.variables, &bench.plugin).0, Rehearsed::Faulty(_)) {
        turn.push(longer);
    }
    turn.extend(copies.iter().filter(|copy| *copy != own).take(OTHERS).cloned());
    turn.extend([Rc::clone(own), Rc::clone(own), Rc::clone(own)]);
    let answers = match bench.scenes.ask_in_turn(&turn, &bench.plugin) {
        Ok(answers) => answers,
        Err(fault) => {
            let what = "an instance that answered before faults where a fresh one does not";
            tally.test(Some(format!("{}: {what}: {fault}", case.label())));
            return;
        }
    };
    let mut heard = 0;
    for (at, answer) in answers.iter().enumerate().filter(|(at, _)| turn[*at] == *own) {
        heard += 1;
        let what = format!("question {} to one instance", at + 1);
        tally.tried(match (bench.changed(case, answer, &what), answer) {
            (Tried::Passed, Rehearsed::Named(now)) if **now != case.named => {
                Tried::Broke(format!("{}: {what}: the key is the same, and the answer another", case.label()))
            }
            (found, _) => found,
        });
    }
    if heard < 5 {
        tally.unchecked(format!("{}: a look ended the call of an instance that was kept", case.label()));
    }
}

/// Reads, variables and writes in other orders. Two more of each are declared, so that there is always an order.
fn permuted(bench: &Bench<'_>, case: &Case<'_>, tally: &mut Tally) {
    let ask = |operation: Operation| {
        bench.scenes.ask(&Rc::new(operation), &bench.scenes.variables, &bench.plugin).0
    };
    let mut more = Operation::clone(&case.operation);
    more.reads.extend(["reviver-check-1", "reviver-check-2"].map(str::to_owned));
    more.variables.extend(["REVIVER_CHECK_1", "REVIVER_CHECK_2"].map(str::to_owned));
    more.reads.sort();
    more.variables.sort();
    let straight = match ask(more.clone()) {
        Rehearsed::Named(straight) => straight,
        Rehearsed::Refused(why) => {
            return tally.unchecked(format!("{}: where more is declared it is refused: {why}", case.label()));
        }
        Rehearsed::Faulty(fault) => {
            bench.fault(case, "more is declared", &fault);
            return;
        }
    };
    let reversed = |list: &[String]| list.iter().rev().cloned().collect::<Vec<_>>();
    let turned = |list: &[String]| {
        let mut list = list.to_vec();
        list.rotate_left(1);
        list
    };
    let mut test = |what: &str, other: Operation| {
        let what = format!("{what} in another order");
        let why = match ask(other) {
            Rehearsed::Named(now) if now.unordered_key() == straight.unordered_key() => None,
            Rehearsed::Named(now) => Some(bench.differences(&straight, &now)),
            Rehearsed::Refused(why) => Some(format!("it is refused: {why}")),
            Rehearsed::Faulty(fault) => {
                bench.fault(case, &what, &fault);
                return;
            }
        };
        tally.test(why.map(|why| format!("{}: {what}: {why}", case.label())));
    };
    for change in [reversed, turned] as [fn(&[String]) -> Vec<String>; 2] {
        test("reads", Operation { reads: change(&more.reads), ..more.clone() });
        test("variables", Operation { variables: change(&more.variables), ..more.clone() });
    }
    if more.writes.len() > 1 {
        match ask(Operation { writes: reversed(&more.writes), ..more }) {
            Rehearsed::Named(now) if now.unordered_key() == straight.unordered_key() => {}
            _ => tally.note("writes are named by their position, which is right: the host sorts them"),
        }
    }
}
