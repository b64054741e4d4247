//! Standard input: nothing, a file, or something that cannot be known before it is read.

use crate::support::{Ran, Repository};
use anyhow::{Context as _, Result};
use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::process::{Command, Stdio};

const TEE: [&str; 5] = ["--out", "out", "--", "tee", "out"];

/// Runs with these bytes in a pipe.
fn piped(command: &mut Command, bytes: &[u8]) -> Result<Ran> {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn()?;
    // A command without standard input closes the pipe before all is written.
    process.stdin.take().context("it is piped")?.write_all(bytes).ok();
    Ok(Ran::from(process.wait_with_output()?))
}

#[test]
fn the_null_device_is_nothing() -> Result<()> {
    let repository = Repository::new()?;
    repository.run(&TEE)?.miss()?;
    repository.run(&TEE)?.hit()?;
    Ok(())
}

#[test]
fn a_file_counts_from_its_offset_on() -> Result<()> {
    let repository = Repository::new()?;
    repository.write("words", "head body")?;
    repository.write("others", "much longer head body")?;
    let run = |name: &str, offset: u64| {
        let mut file = File::open(repository.path(name))?;
        file.seek(SeekFrom::Start(offset))?;
        Ran::of(repository.runs(&TEE).stdin(file))
    };
    assert_eq!(run("words", 0)?.miss()?.out(), "head body");
    assert_eq!(run("words", 5)?.miss()?.out(), "body");
    assert_eq!(run("others", 17)?.hit()?.out(), "body");
    assert_eq!(repository.text("out")?, "body");
    assert_eq!(run("words", 0)?.hit()?.out(), "head body");
    assert_eq!(run("words", 9)?.miss()?.out(), "", "the end of a file is not the null device");
    Ok(())
}

#[test]
fn a_pipe_is_uncached_unless_its_user_says_more() -> Result<()> {
    let repository = Repository::new()?;
    let mut command = repository.runs(&TEE);
    assert_eq!(piped(&mut command, b"one")?.without(0, "standard input is a pipe")?.out(), "one");
    let with = |rule: &str, bytes: &[u8]| {
        piped(repository.runs(&[&[rule], &TEE[..]].concat()).env("TMPDIR", &repository.home), bytes)
    };
    assert_eq!(with("--stdin=read", b"one")?.miss()?.out(), "one");
    assert_eq!(with("--stdin=read", b"two")?.miss()?.out(), "two");
    assert_eq!(with("--stdin=read", b"one")?.hit()?.out(), "one");
    assert_eq!(repository.text("out")?, "one");
    assert_eq!(with("--stdin=none", b"not for it")?.miss()?.out(), "");
    assert_eq!(with("--stdin=none", b"nor this")?.hit()?.out(), "");
    assert_eq!(with("--stdin=auto", b"three")?.without(0, "standard input is a pipe")?.out(), "three");
    Ok(())
}

#[test]
fn what_was_read_of_a_pipe_reaches_a_command_that_is_not_cached_after_all() -> Result<()> {
    let repository = Repository::new()?;
    let mut command = repository.runs(&["--stdin=read", "--out", "/dev/null/no", "--", "cat"]);
    let ran = piped(&mut command, b"all of it")?;
    assert_eq!((ran.out().as_str(), ran.code), ("all of it", Some(0)), "{ran:?}");
    Ok(())
}

#[test]
fn a_closed_standard_input_is_nothing() -> Result<()> {
    let repository = Repository::new()?;
    let run = || {
        let mut command = repository.command("sh");
        command.args(["-c", "exec \"$@\" <&-", "sh", crate::support::REVIVER, "run", "--verbose"]);
        Ran::of(command.args(["--out", "out", "--", "sh", "-c", ": >out"]))
    };
    run()?.miss()?;
    run()?.hit()?;
    Ok(())
}
