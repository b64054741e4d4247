//! Questions that plugins of a role are typically asked, the same in every run. Nothing of the machine is looked at.

use super::Case;
use crate::author::call::{Asked, Caller, Host, Question, Reply};
use crate::operation::Operation;
use crate::outcome::{Chunk, Exit, Outcome, Stream};
use crate::policy::{Budget, Candidate, QueryAnswer, Role};
use crate::time::Timestamp;
use std::collections::BTreeMap;

/// How many candidates a policy is asked for at once.
const CANDIDATES: u64 = 100_000;

/// Typical questions of a role, for a plugin and another one.
#[must_use]
pub fn typical(role: Role, sides: [&Caller; 2]) -> Vec<Case> {
    match role {
        Role::Key => operations(),
        Role::Metadata => outcomes(sides),
        Role::Eviction => vec![candidates()],
    }
}

fn operations() -> Vec<Case> {
    let texts = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let operation = |argv: &[&str], reads: Vec<String>, writes: Vec<String>| Operation {
        argv: texts(argv),
        root: "/repository".to_owned(),
        directory: String::new(),
        reads,
        writes,
        variables: vec!["MODE".to_owned()],
    };
    let many = |prefix: &str, number: u32| (100..100 + number).map(|one| format!("{prefix}/{one}")).collect();
    let compilation = ["gcc", "-O2", "-Wall", "-Iinclude", "-c", "src/a.c", "-o", "src/a.o"];
    [
        ("a compilation", operation(&compilation, texts(&["src/a.c"]), texts(&["src/a.o"]))),
        ("a generator", operation(&["./generate.sh"], texts(&["words.txt"]), texts(&["words.c", "words.h"]))),
        ("a program with 200 reads", operation(&["pack", "-o", "all"], many("part", 200), texts(&["all"]))),
    ]
    .map(|(name, operation)| {
        Case::alike(name, Question { asked: Asked::Derive(operation), host: Some(host()) })
    })
    .into()
}

/// A machine with a gcc, as Debian 12 has it.
fn host() -> Host {
    let install = "/usr/lib/gcc/x86_64-linux-gnu/12/";
    let searched = format!(
        "ignoring nonexistent directory \"/usr/local/include/x86_64-linux-gnu\"\n\
         ignoring nonexistent directory \"{install}include-fixed\"\n\
         #include \"...\" search starts here:\n#include <...> search starts here:\n {install}include\n\
         \x20/usr/local/include\n /usr/include/x86_64-linux-gnu\n /usr/include\nEnd of search list.\n"
    );
    let version =
        "gcc (Debian 12.2.0-14+deb12u1) 12.2.0\nCopyright (C) 2022 Free Software Foundation, Inc.\n";
    let answers = [
        (&["--version"][..], version.to_owned(), String::new()),
        (&["-E", "-v", "-x", "c", "/dev/null"], String::new(), searched),
        (&["-print-prog-name=cc1"], format!("{install}cc1\n"), String::new()),
        (&["-print-prog-name=as"], "as\n".to_owned(), String::new()),
        (&["-print-search-dirs"], format!("install: {install}\n"), String::new()),
    ];
    let answer = |(arguments, stdout, stderr): (&[&str], String, String)| {
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let (stdout, stderr) = (stdout.into_bytes(), stderr.into_bytes());
        (arguments, QueryAnswer { exit: Exit::Code(0), stdout, stderr })
    };
    Host {
        variables: BTreeMap::from([("MODE".to_owned(), "fast".to_owned())]),
        files: BTreeMap::from([
            ("src/a.c".to_owned(), b"#include \"a.h\"\nint main(void) { return 0; }\n".to_vec()),
            ("words.txt".to_owned(), b"begin\nend\n# a remark\n".repeat(50)),
        ]),
        answers: answers.map(answer).into(),
        ..Host::default()
    }
}

/// Outcomes of several sizes, and for each codec the hunks that it made of them itself.
fn outcomes(sides: [&Caller; 2]) -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, chunks, size) in [
        ("a silent run", 0, 0),
        ("a warning of 1 kB", 4, 250),
        ("64 kB of output", 64, 1000),
        ("1 MB of output", 100, 10_000),
    ] {
        let chunk = |number: usize| {
            let stream = if number.is_multiple_of(3) { Stream::Stderr } else { Stream::Stdout };
            Chunk { stream, bytes: b"a line of output\n".iter().copied().cycle().take(size).collect() }
        };
        let asked = Asked::Encode(Outcome {
            exit: Exit::Code(0),
            output: (0..chunks).map(chunk).collect(),
            started: 1_700_000_000_000_000_000,
            duration: 123_456_789,
            notes: vec![("host".to_owned(), "0.1.0".to_owned())],
        });
        let encode = Question { asked, host: None };
        let hunks = sides.map(|side| side.ask(&encode).reply);
        cases.push(Case::alike(format!("encode {name}"), encode));
        // Where a codec does not encode, the case above says so.
        if let [Reply::Hunk(hunk), Reply::Hunk(other)] = hunks {
            let questions = [hunk, other].map(|hunk| Question { asked: Asked::Decode(hunk), host: None });
            cases.push(Case { name: format!("decode {name}"), questions });
        }
    }
    cases
}

fn candidates() -> Case {
    let now = 1_700_000_000_000_000_000;
    let candidate = |number: u64| {
        // Any order that is no order will do.
        let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
        Candidate {
            size: mixed % 10_000_000,
            files: (mixed % 7) as u32,
            created: Timestamp(now - mixed),
            last_use: Timestamp(now - mixed / 2),
            uses: mixed % 50,
            cost: mixed % 60_000_000_000,
            unused: mixed.is_multiple_of(97),
        }
    };
    let candidates: Vec<_> = (0..CANDIDATES).map(candidate).collect();
    let used = candidates.iter().map(|candidate| candidate.size).sum();
    let budget = Budget { limit: used / 2, used, entries: CANDIDATES };
    let asked = Asked::Score { now: Timestamp(now), budget, candidates };
    Case::alike(format!("score {CANDIDATES} candidates"), Question { asked, host: None })
}
