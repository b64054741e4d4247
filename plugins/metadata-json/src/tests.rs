//! What the readable layout is, and what is none.

use super::*;
use reviver_sdk::testing::TestHost;
use reviver_sdk::{Chunk, ExitStatus, Stream, Value};

reviver_sdk::conformance!(metadata: Json);

/// The hunk of [`example`], as every later version must read it.
const GOLDEN: &str = r#"{
  "version": 1,
  "exit": {"signal": -9},
  "started": 18446744073709551615,
  "duration": 42,
  "output": [
    {"stream": "stdout", "text": "hé\n\u001b[m\"\\"},
    {"stream": "stderr", "hex": "ff00"},
    {"stream": "both", "text": ""}
  ],
  "notes": [
    ["host", "0.1.0"],
    ["", "\u0000"]
  ]
}
"#;

fn example() -> Outcome {
    let mut outcome = Outcome::new(ExitStatus::Signal(-9));
    outcome.started = u64::MAX;
    outcome.duration = 42;
    outcome.output = vec![
        Chunk::new(Stream::Stdout, "hé\n\x1b[m\"\\"),
        Chunk::new(Stream::Stderr, b"\xff\0"),
        Chunk::new(Stream::Both, b""),
    ];
    outcome.notes = vec![("host".into(), "0.1.0".into()), (String::new(), "\0".into())];
    outcome
}

fn decode(hunk: impl AsRef<[u8]>) -> Result<Outcome, String> {
    TestHost::new().decode::<Json>(hunk.as_ref())
}

#[test]
fn the_layout_is_the_documented_one() {
    let hunk = TestHost::new().encode::<Json>(&example()).expect("a hunk");
    assert_eq!(String::from_utf8(hunk).as_deref(), Ok(GOLDEN));
    assert_eq!(decode(GOLDEN), Ok(example()));
    let empty = TestHost::new().encode::<Json>(&Outcome::new(ExitStatus::Code(0))).expect("a hunk");
    let text = "{\n  \"version\": 1,\n  \"exit\": {\"code\": 0},\n  \"started\": 0,\n  \"duration\": 0,\n  \
                \"output\": [],\n  \"notes\": []\n}\n";
    assert_eq!(String::from_utf8(empty).as_deref(), Ok(text));
}

#[test]
fn the_members_count_and_not_how_they_are_laid_out() {
    let value = Value::parse(GOLDEN).expect("it is JSON");
    assert_eq!(decode(value.to_json()), Ok(example()), "on one line");
    let Value::Table(mut members) = value else { panic!("an object") };
    members.reverse();
    assert_eq!(decode(Value::Table(members).to_json()), Ok(example()), "in another order");
}

#[test]
fn output_grows_to_twice_its_size_at_most() {
    let encode = |bytes: &[u8]| {
        let mut outcome = Outcome::new(ExitStatus::Code(0));
        outcome.output = vec![Chunk::new(Stream::Stdout, bytes)];
        let hunk = TestHost::new().encode::<Json>(&outcome)?;
        assert_eq!(decode(&hunk), Ok(outcome));
        Ok::<_, String>(String::from_utf8(hunk).expect("JSON"))
    };
    assert!(encode(b"\x1b[31mred\x1b[0m\n").is_ok_and(|hunk| hunk.contains(r"\u001b[31mred\u001b[0m\n")));
    assert!(encode(b"\0\0\0").is_ok_and(|hunk| hunk.contains("\"hex\": \"000000\"")));
    assert!(encode(&vec![0xff; 2 << 20]).is_ok_and(|hunk| hunk.len() < (4 << 20) + 200));
    assert!(encode(&vec![b'x'; 6 << 20]).is_ok(), "text that does not grow");
    assert!(encode(&vec![0xff; 4 << 20]).is_err_and(|reason| reason.starts_with("the output is too large")));
}

#[test]
fn what_is_no_outcome_is_refused_and_says_why() {
    let changed = |from: &str, to: &str| {
        assert_eq!(GOLDEN.matches(from).count(), 1, "{from}");
        decode(GOLDEN.replace(from, to)).expect_err(to)
    };
    assert_eq!(decode(b"\xff"), Err("the hunk is not UTF-8".into()));
    assert_eq!(decode(""), Err("the hunk is no JSON".into()));
    assert_eq!(decode([GOLDEN, "}"].concat()), Err("the hunk is no JSON".into()));
    assert_eq!(decode("[]"), Err("the hunk says no version".into()));
    assert_eq!(decode("{\"version\": \"1\"}"), Err("the hunk says no version".into()));
    assert_eq!(decode("{\"version\": 1}"), Err("`exit` is missing".into()));
    assert_eq!(changed("\"version\": 1", "\"version\": 2"), "version 2 is not known");
    assert_eq!(changed("\"duration\": 42", "\"duration\": 42, \"cpu\": 1"), "`cpu` is not known");
    assert_eq!(
        changed("\"duration\": 42", "\"duration\": 42, \"duration\": 42"),
        "`duration` is there twice"
    );
    for number in ["-1", "1.0", "1e3", "18446744073709551616", "\"1\"", "null"] {
        let reason = changed("\"duration\": 42", &["\"duration\": ", number].concat());
        assert_eq!(reason, "`duration` is not what it should be", "{number}");
    }
    for exit in ["{}", "9", "{\"code\": 0, \"signal\": 0}", "{\"core\": 0}", "{\"code\": 2147483648}"] {
        assert_eq!(changed("{\"signal\": -9}", exit), "`exit` is not what it should be", "{exit}");
    }
    assert_eq!(changed("\"both\"", "\"neither\""), "`stream` is not what it should be");
    assert_eq!(changed("\"ff00\"", "\"ff0\""), "`hex` is not what it should be");
    assert_eq!(changed("\"ff00\"", "1"), "`hex` is not what it should be");
    assert_eq!(changed("\"ff00\"", "\"\", \"text\": \"\""), "`hex` is not known");
    assert_eq!(changed("[\"host\", \"0.1.0\"]", "[\"host\"]"), "`notes` is not what it should be");
}

/// Whatever became of a hunk, it is refused or stands for an outcome, and that one comes back as it is.
#[test]
fn no_change_of_a_byte_makes_an_outcome_that_cannot_be_written_down() {
    let mut read = 0;
    for at in 0..GOLDEN.len() {
        for byte in (0..=255).step_by(if cfg!(debug_assertions) { 7 } else { 1 }) {
            let mut hunk = GOLDEN.as_bytes().to_vec();
            hunk[at] = byte;
            let Ok(outcome) = Json::decode(&hunk) else { continue };
            read += 1;
            let again = Json::encode(&outcome).and_then(|hunk| Json::decode(&hunk));
            assert_eq!(again, Ok(outcome), "byte {at} as {byte}");
        }
        assert!(Json::decode(&GOLDEN.as_bytes()[..at]).is_err() || at + 1 == GOLDEN.len(), "cut at {at}");
    }
    assert!(read > 100, "letters of texts may be others: {read}");
}
