//! What clients once said, with damage: whatever is understood of it, the store stays right and nothing outside is touched.

use super::{Attacked, store_is_right};
use crate::dice::Dice;
use crate::fixture::Fixture;
use crate::rounds::rounds;
use crate::speech::{Speech, values};
use crate::tree;
use anyhow::{Context as _, Result, ensure};
use reviver::protocol::Sexp;
use std::fs;

#[test]
fn whatever_is_understood_of_damaged_words_the_store_stays_right() -> Result<()> {
    let mut attacked = Attacked::new()?;
    for round in rounds(60)? {
        garble(&attacked, round).with_context(|| format!("REVIVER_DUNE_SEED={round}"))?;
    }
    let root = attacked.place.root();
    ensure!(store_is_right(&root)? > 0, "nothing was understood");
    for (path, rule) in tree::store(&root)?.into_iter().filter(|(path, _)| path.contains("meta/")) {
        let found = values(&tree::from_latin(&rule)).with_context(|| path.clone())?;
        let [Sexp::List(fields)] = &*found else { anyhow::bail!("{path}: {rule}") };
        let names: Vec<_> = fields.iter().filter_map(|field| Some(field.as_named()?.0)).collect();
        ensure!(names == [&b"metadata"[..], b"files"], "{path}: {rule}");
    }
    attacked.serves()
}

fn garble(attacked: &Attacked, round: u64) -> Result<()> {
    let mut dice = Dice::new(round);
    let fixture =
        Fixture { name: dice.one(&["dune-2.9.3_gen", "dune-2.9.3_git", "dune-2.5.1_gen", "dune-2.0.1_gen"]) };
    let work = attacked.place.path(format!("g{round}"));
    fixture.lay_out(&work.join("_build"))?;
    fs::write(work.join("outside"), "outside\n")?;
    let mut words = fixture.said_from("conn1.c2s.bin", &work.join("_build"))?;
    // Mostly behind the greeting and the root, so that there is something to lose.
    let start = if dice.once_in(4) { 0 } else { 39 + 20 + work.as_os_str().len() };
    for _ in 0..=dice.below(4) {
        let at = start + dice.below(words.len() - start);
        match dice.below(4) {
            0 => words[at] ^= 1 << dice.below(8),
            1 => words[at] = dice.one(b"()0123456789:./\0\n"),
            2 => drop(words.remove(at)),
            _ => words.insert(at, dice.one(b"()0123456789:./\0\n")),
        }
    }
    let before = tree::build(&work)?.remove("outside");
    let mut speech = Speech::with(&attacked.daemon)?;
    // In parts, as a socket may give them.
    for part in words.chunks(1 + dice.below(500)) {
        speech.say(part)?;
    }
    speech.end().map(drop)?;
    ensure!(tree::build(&work)?.remove("outside") == before, "what is outside was touched");
    Ok(())
}
