//! What the layout is, and what is none.

use super::*;
use reviver_sdk::testing::TestHost;
use reviver_sdk::{Chunk, ExitStatus, Stream};

reviver_sdk::conformance!(metadata: Csexp);

/// The hunk of [`example`], as every later version must read it.
const GOLDEN: &[u8] = b"(7:outcome(7:version1:1)(4:exit6:signal2:-9)(7:started20:18446744073709551615)\
    (8:duration2:42)(6:output(6:stdout4:h(\n:)(6:stderr2:\xff\0)(4:both0:))(5:notes(4:host5:0.1.0)(0:2:\xc3\xa9)))";

fn example() -> Outcome {
    let mut outcome = Outcome::new(ExitStatus::Signal(-9));
    outcome.started = u64::MAX;
    outcome.duration = 42;
    outcome.output = vec![
        Chunk::new(Stream::Stdout, "h(\n:"),
        Chunk::new(Stream::Stderr, b"\xff\0"),
        Chunk::new(Stream::Both, b""),
    ];
    outcome.notes = vec![("host".into(), "0.1.0".into()), (String::new(), "é".into())];
    outcome
}

fn decode(hunk: &[u8]) -> Result<Outcome, String> {
    TestHost::new().decode::<Csexp>(hunk)
}

#[test]
fn the_layout_is_the_documented_one() {
    assert_eq!(TestHost::new().encode::<Csexp>(&example()), Ok(GOLDEN.to_vec()));
    assert_eq!(decode(GOLDEN), Ok(example()));
    let empty = b"(7:outcome(7:version1:1)(4:exit4:code1:0)(7:started1:0)(8:duration1:0)(6:output)(5:notes))";
    assert_eq!(TestHost::new().encode::<Csexp>(&Outcome::new(ExitStatus::Code(0))), Ok(empty.to_vec()));
}

#[test]
fn what_is_no_outcome_is_refused_and_says_why() {
    let changed = |from: &[u8], to: &[u8]| {
        let places: Vec<_> = (0..GOLDEN.len()).filter(|at| GOLDEN[*at..].starts_with(from)).collect();
        let [at] = places[..] else { panic!("{} is there {} times", from.escape_ascii(), places.len()) };
        let hunk = [&GOLDEN[..at], to, &GOLDEN[at + from.len()..]].concat();
        decode(&hunk).expect_err("a refusal")
    };
    assert_eq!(decode(b""), Err("there is no `(` where one belongs".into()));
    assert_eq!(decode(b"(7:outcome"), Err("there is no `(` where one belongs".into()));
    assert_eq!(decode(b"(7"), Err("an atom has no length".into()));
    assert_eq!(decode(&[GOLDEN, b"\n"].concat()), Err("1 bytes behind the end".into()));
    assert_eq!(changed(b"7:outcome", b"7:outcame"), "there is no `outcome` where it belongs");
    assert_eq!(changed(b"7:version1:1", b"7:version1:2"), "version `2` is not known");
    assert_eq!(changed(b"6:signal2:-9", b"4:core1:0"), "an exit is neither `code` nor `signal`");
    assert_eq!(changed(b"4:both", b"4:none"), "output is neither of `stdout` nor of `stderr` nor of `both`");
    assert_eq!(changed(b"\xc3\xa9", b"\xc3\xc3"), "a note is not UTF-8");
    assert_eq!(changed(b"5:0.1.0", b"5:0.1.01:x"), "there is no `)` where one belongs");
    for number in [&b"3:042"[..], b"3:+42", b"2:-1", b"0:", b"20:18446744073709551616", b"2:4x"] {
        let reason = changed(b"2:42", number);
        assert!(reason.ends_with("is no number that belongs there"), "{reason}");
    }
    assert!(changed(b"5:0.1.0", b"05:0.1.0").starts_with("`05` is no number"));
    assert_eq!(changed(b"5:0.1.0", b"18446744073709551615:"), "an atom has no length");
    assert_eq!(changed(b"5:0.1.0", b"999999:"), "an atom is longer than what is there");
    assert_eq!(changed(b"(8:duration2:42)", b""), "there is no `duration` where it belongs");
}

/// A hunk that was changed is refused, or it is the very hunk of another outcome.
#[test]
fn what_is_read_has_no_other_hunk() {
    let mut read = 0;
    for at in 0..GOLDEN.len() {
        for byte in 0..=255 {
            let mut hunk = GOLDEN.to_vec();
            hunk[at] = byte;
            let Ok(outcome) = Csexp::decode(&hunk) else { continue };
            read += 1;
            assert_eq!(Csexp::encode(&outcome), Ok(hunk), "byte {at} as {byte}");
        }
        assert!(Csexp::decode(&GOLDEN[..at]).is_err(), "cut at {at}");
    }
    assert!(read > 1000, "bytes of output may be any: {read}");
}

/// It stands where Dune has its own: inside `(8:metadata…)` of a metafile.
#[test]
fn a_hunk_is_one_s_expression() {
    /// Where the s-expression ends that `text` begins with.
    fn end(text: &[u8]) -> usize {
        let (mut at, mut depth) = (0, 0);
        loop {
            match text[at] {
                b'(' => (at, depth) = (at + 1, depth + 1),
                b')' => (at, depth) = (at + 1, depth - 1),
                _ => {
                    let colon = at + text[at..].iter().position(|byte| *byte == b':').expect("a colon");
                    let length = str::from_utf8(&text[at..colon]).expect("digits");
                    at = colon + 1 + length.parse::<usize>().expect("a length");
                }
            }
            if depth == 0 {
                return at;
            }
        }
    }
    assert_eq!(end(GOLDEN), GOLDEN.len());
    let file = [b"((8:metadata", GOLDEN, b")(5:files(5:a.txt32:0123456789abcdef0123456789abcdef)))"].concat();
    assert_eq!(end(&file), file.len());
}
