//! Leaving early, silence, greetings that are none, and bytes that are no message.
//!
//! Dune's own daemon ends, for everybody, at a client that leaves before it has greeted, and at two minors of one major.

use super::{Attacked, next_key, promotion};
use crate::speech::{GREETING, Speech};
use anyhow::{Result, ensure};
use reviver::protocol::Sexp;
use std::time::Duration;

#[test]
fn who_leaves_at_once_disturbs_nobody() -> Result<()> {
    let mut attacked = Attacked::new()?;
    for _ in 0..50 {
        drop(attacked.daemon.connect()?);
    }
    attacked.serves()
}

#[test]
fn who_resets_the_connection_disturbs_nobody() -> Result<()> {
    let mut attacked = Attacked::new()?;
    let client = attacked.client()?;
    let file = client.file("default/a", b"reset\n")?;
    let words = client.words(&[promotion(next_key(), &[file])])?;
    for said in [b"".as_slice(), &GREETING[..9], GREETING, &words[..words.len() - 10], &words] {
        for _ in 0..5 {
            let mut speech = Speech::with(&attacked.daemon)?;
            // Whoever goes with something unread goes with a reset.
            speech.is_spoken_to()?;
            speech.say(said)?;
            drop(speech);
        }
        attacked.serves()?;
    }
    Ok(())
}

#[test]
fn who_stops_in_the_middle_disturbs_nobody() -> Result<()> {
    let mut attacked = Attacked::new()?;
    let mut silent = Vec::new();
    for said in [b"".as_slice(), b"(4:la", GREETING, b"(4:lang19:dune-cache-protocol(1:11:2))(7:promote(3:k"]
    {
        let mut speech = Speech::with(&attacked.daemon)?;
        speech.say(said)?;
        silent.push(speech);
        attacked.serves()?;
    }
    drop(silent);
    attacked.serves()
}

/// Lists to the end of the world, or nearly; what is no value ends its own connection and no other.
#[test]
fn what_is_no_value_ends_its_own_connection_alone() -> Result<()> {
    let mut attacked = Attacked::new()?;
    let deep = b"(".repeat(10_000);
    let wrong: [&[u8]; 8] = [
        &deep,
        b"2147483647:",
        b"(4:lang2147483648:",
        b"99999999999999999999999999999999999999999999:",
        b"\n",
        b")",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\xff\xfe\x00",
    ];
    for said in wrong {
        for before in [b"".as_slice(), GREETING] {
            let shown = said[..said.len().min(50)].escape_ascii();
            let mut speech = Speech::with(&attacked.daemon)?;
            speech.say(&[before, said].concat())?;
            ensure!(speech.hear(Duration::from_secs(10))?, "{shown} does not end its connection");
            attacked.serves()?;
        }
    }
    Ok(())
}

/// What is a value and no message is one of many in a session that goes on.
#[test]
fn what_is_no_message_ends_no_connection() -> Result<()> {
    let mut attacked = Attacked::new()?;
    let client = attacked.client()?;
    let file = client.file("default/a", b"after all that\n")?;
    let key = next_key();
    let mut words = client.words(&[])?;
    let wrong: [&[u8]; 9] = [
        b"()",
        b"3:abc",
        b"(())",
        b"(7:promote)",
        b"(14:set-build-root)",
        b"(9:set-repos1:x)",
        b"(4:hint(1:x))",
        b"(5:dedup(1:a32:00000000000000000000000000000000))",
        b"(7:promote(3:key((((((())))))))(5:files)(8:metadata()))",
    ];
    words.extend(wrong.concat());
    promotion(key, &[file]).to_sexp(reviver::protocol::dune::NEWEST).write_to(&mut words);
    let mut speech = Speech::with(&attacked.daemon)?;
    speech.say(&words)?;
    let heard = speech.end()?;
    ensure!(heard.len() == 1 && attacked.rule(key).exists(), "{}", Sexp::list(heard));
    attacked.serves()
}

/// Dune's daemon ended at this greeting, and all its clients lost their cache.
#[test]
fn two_minors_of_one_major_are_the_newer_one() -> Result<()> {
    let mut attacked = Attacked::new()?;
    let client = attacked.client()?;
    let (first, second) = (client.file("default/a", b"minors\n")?, client.file("default/b", b"minors\n")?);
    let words = client.words(&[promotion(next_key(), &[first]), promotion(next_key(), &[second])])?;
    let mut speech = Speech::with(&attacked.daemon)?;
    speech.say(b"(4:lang19:dune-cache-protocol(1:11:0)(1:11:2)(1:11:1))")?;
    speech.say(&words[GREETING.len()..])?;
    let heard = speech.end()?;
    // Of two elements, as since 1.2.
    let [_, dedup] = &*heard else { anyhow::bail!("{}", Sexp::list(heard)) };
    ensure!(
        dedup.to_string().starts_with("(dedup (default/b ") && !dedup.to_string().contains("files"),
        "{dedup}"
    );
    attacked.serves()
}

#[test]
fn who_speaks_nothing_that_we_do_is_let_go() -> Result<()> {
    let mut attacked = Attacked::new()?;
    let greetings: [&[u8]; 6] = [
        b"(4:lang19:dune-cache-protocol(1:21:0))",
        b"(4:lang19:dune-cache-protocol)",
        b"(4:lang5:other(1:11:2))",
        b"(4:lang)",
        b"(5:error5:never)",
        b"(4:lang19:dune-cache-protocol(20:999999999999999999991:1))",
    ];
    for said in greetings {
        let mut speech = Speech::with(&attacked.daemon)?;
        speech.say(said)?;
        ensure!(speech.hear(Duration::from_secs(10))?, "{} is not let go", said.escape_ascii());
        attacked.serves()?;
    }
    Ok(())
}
