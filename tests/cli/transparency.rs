//! A command under `run` does what it does without: the same arguments, output, order and exit status.

use crate::support::{REVIVER, Ran, Repository, Verdict, settle};
use anyhow::{Context as _, Result, ensure};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

/// A command that tells its arguments, each in a line of its own, and writes `out`.
const TELL: &str = "for word; do printf '%s\\n' \"[$word]\"; done\n: >out\n";

#[test]
fn arguments_arrive_as_they_are() -> Result<()> {
    let repository = Repository::new()?;
    repository.script("tell", TELL)?;
    let words =
        ["a b", "", "'single' \"double\"", "--", "-v", "--in", "*.c", "$HOME", "\\", "ключ 🗝", "line\nbreak"];
    let mut arguments = vec!["--out", "out", "--", "./tell"];
    arguments.extend(words);
    let plain = Ran::of(repository.command("./tell").args(words))?;
    for verdict in [Verdict::Miss, Verdict::Hit] {
        let ran = repository.run(&arguments)?;
        assert_eq!((ran.out(), ran.code, ran.verdict), (plain.out(), Some(0), verdict));
    }
    // Without the two dashes the first word that is no option begins the command.
    let ran = repository.run(&["--out", "out", "./tell", "--out", "x"])?.miss()?;
    assert_eq!(ran.out(), "[--out]\n[x]\n");
    Ok(())
}

#[test]
fn only_accepted_exit_statuses_are_recorded() -> Result<()> {
    let repository = Repository::new()?;
    repository.script("ends", "echo said; echo warned >&2; echo made >out; exit $1\n")?;
    for _ in 0..2 {
        let ran = repository.run(&["--out", "out", "--", "./ends", "3"])?.without(3, "exit status 3")?;
        assert_eq!((ran.out(), ran.err()), ("said\n".to_owned(), "warned\n".to_owned()));
    }
    let accepting = ["--ok-exit", "3", "--out", "out", "--", "./ends", "3"];
    let first = repository.run(&accepting)?;
    assert_eq!((first.code, first.verdict), (Some(3), Verdict::Miss));
    repository.remove(&["out"])?;
    let second = repository.run(&accepting)?;
    assert_eq!((second.code, &second.verdict), (Some(3), &Verdict::Hit));
    assert_eq!((second.out(), second.err()), ("said\n".to_owned(), "warned\n".to_owned()));
    assert_eq!(repository.text("out")?, "made\n");
    let ok = ["--ok-exit", "3", "--out", "out", "--", "./ends", "0"];
    repository.run(&ok)?.miss()?;
    repository.run(&ok)?.hit()?;
    Ok(())
}

#[test]
fn death_by_a_signal_is_told_as_shells_tell_it_and_not_recorded() -> Result<()> {
    let repository = Repository::new()?;
    repository.script("dies", "echo made >out; kill -$1 $$\n")?;
    for (signal, code) in [("TERM", 143), ("KILL", 137), ("SEGV", 139)] {
        for _ in 0..2 {
            repository.run(&["--out", "out", "--", "./dies", signal])?.without(code, "ended by signal")?;
        }
    }
    assert_eq!(repository.counts()?, [0, 6, 0]);
    Ok(())
}

#[test]
fn what_cannot_be_run_ends_as_in_a_shell() -> Result<()> {
    let repository = Repository::new()?;
    repository.write("data", "not a program")?;
    repository.write("script", "#!/no/such/interpreter\n")?;
    fs::set_permissions(repository.path("script"), fs::Permissions::from_mode(0o755))?;
    for options in [vec![], vec!["--out", "out"]] {
        // Shells do not agree about a script whose interpreter is not there.
        let cases: [(&str, &[i32]); 4] =
            [("absent-program", &[127]), ("./absent", &[127]), ("./data", &[126]), ("./script", &[126, 127])];
        for (program, codes) in cases {
            let mut arguments = options.clone();
            arguments.extend(["--", program]);
            let ran = repository.run(&arguments)?;
            ensure!(ran.code.is_some_and(|code| codes.contains(&code)), "{program}: {ran:?}");
            ensure!(ran.stdout.is_empty() && !ran.said.is_empty(), "{program}: {ran:?}");
        }
    }
    Ok(())
}

/// A misspelt option was taken for the command, which was then not found.
#[test]
fn an_option_that_does_not_exist_is_no_command() -> Result<()> {
    let repository = Repository::new()?;
    for wrong in
        [&["--inn", "in", "--", "true"][..], &["-x", "true"], &["--stdin=some", "--", "true"], &[], &["--"]]
    {
        let ran = repository.run(wrong)?;
        ensure!(ran.code == Some(125) && ran.stdout.is_empty(), "{wrong:?}: {ran:?}");
    }
    Ok(())
}

#[test]
fn a_command_that_is_not_cached_gets_standard_input() -> Result<()> {
    let repository = Repository::new()?;
    for arguments in [vec!["--", "cat"], vec!["--out", "out", "--", "tee", "out"]] {
        let mut process = repository
            .runs(&arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        process.stdin.take().context("it is piped")?.write_all(b"through and through")?;
        let output = process.wait_with_output()?;
        assert_eq!((output.stdout, output.status.code()), (b"through and through".to_vec(), Some(0)));
    }
    assert_eq!(repository.stats()?["entries"], 0);
    Ok(())
}

#[test]
fn where_both_outputs_are_one_file_their_order_is_kept() -> Result<()> {
    let repository = Repository::new()?;
    repository.script("turns", "for n in 1 2 3 4 5; do echo out $n; echo err $n >&2; done; : >out\n")?;
    let expected = "out 1\nerr 1\nout 2\nerr 2\nout 3\nerr 3\nout 4\nerr 4\nout 5\nerr 5\n";
    for verdict in ["plain", "miss", "hit"] {
        let path = repository.path(verdict);
        let file = File::create(&path)?;
        let mut command = match verdict {
            "plain" => repository.command("./turns"),
            _ => repository.reviver(&["run", "--out", "out", "--", "./turns"]),
        };
        ensure!(command.stdout(file.try_clone()?).stderr(file).status()?.success());
        assert_eq!(fs::read_to_string(path)?, expected, "{verdict}");
    }
    assert_eq!(repository.counts()?, [1, 1, 1]);
    Ok(())
}

#[test]
fn output_comes_when_it_is_said() -> Result<()> {
    let repository = Repository::new()?;
    // It goes on only when what it said was heard.
    repository.script("asks", "echo question; read answer <fifo; echo heard $answer; : >out\n")?;
    ensure!(repository.command("mkfifo").arg("fifo").status()?.success());
    let mut process = repository
        .runs(&["--out", "out", "--", "./asks"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut stdout = process.stdout.take().context("it is piped")?;
    let mut question = [0; 9];
    stdout.read_exact(&mut question)?;
    assert_eq!(&question, b"question\n");
    fs::write(repository.path("fifo"), "this\n")?;
    let mut rest = String::new();
    stdout.read_to_string(&mut rest)?;
    assert_eq!((rest.as_str(), process.wait()?.code()), ("heard this\n", Some(0)));
    Ok(())
}

#[test]
fn an_argument_that_is_not_utf8_arrives_and_makes_the_run_uncached() -> Result<()> {
    let repository = Repository::new()?;
    let odd = OsString::from_vec(b"caf\xe9".to_vec());
    let mut arguments: Vec<OsString> = ["--out", "out", "--", "printf", "%s"].map(Into::into).to_vec();
    arguments.push(odd);
    let ran = repository.run(&arguments)?.without(0, "is not UTF-8")?;
    assert_eq!(ran.stdout, b"caf\xe9");
    Ok(())
}

#[test]
fn switched_off_it_is_not_there() -> Result<()> {
    let repository = Repository::new()?;
    repository.write("reviver.toml", "this is no setting")?;
    let arguments = ["--out", "out", "--", "sh", "-c", "echo $REVIVER_DISABLE >out; exit 7"];
    let ran = Ran::of(repository.runs(&arguments).env("REVIVER_DISABLE", "1"))?;
    assert_eq!((ran.code, &ran.verdict, ran.said.len()), (Some(7), &Verdict::Silent, 0));
    assert_eq!(repository.text("out")?, "1\n");
    ensure!(!repository.cache.exists());
    Ok(())
}

#[test]
fn nothing_of_ours_is_said_unless_asked() -> Result<()> {
    let repository = Repository::new()?;
    let quiet = ["run", "--out", "out", "--", "sh", "-c", "echo one; echo two >&2; : >out"];
    for _ in 0..2 {
        let output = repository.reviver(&quiet).output()?;
        assert_eq!((output.stdout, output.stderr), (b"one\n".to_vec(), b"two\n".to_vec()));
    }
    assert_eq!(repository.counts()?, [1, 1, 1]);
    Ok(())
}

/// What a codec answers was bounded by its limit of 4 MiB whatever the command had said: a command that said more was never
/// recorded, and each of its runs blamed the codec with a warning.
#[test]
fn five_megabytes_of_output_are_revived_exactly() -> Result<()> {
    let repository = Repository::new()?;
    let text = "seq 700000; seq 300000 >&2; : >out";
    let plain = repository.command("sh").args(["-c", text]).output()?;
    ensure!(plain.stdout.len() + plain.stderr.len() > 5 << 20);
    for verdict in [Verdict::Miss, Verdict::Hit] {
        let ran = repository.run(&["--out", "out", "--", "sh", "-c", text])?;
        assert_eq!(ran.verdict, verdict);
        ensure!(ran.stdout == plain.stdout && ran.stderr == plain.stderr, "{verdict:?}");
    }
    Ok(())
}

#[test]
fn more_output_than_a_codec_is_given_is_passed_on_and_not_recorded() -> Result<()> {
    let repository = Repository::new()?;
    let ran = repository.run(&["--out", "out", "--", "sh", "-c", "seq 3000000; : >out"])?;
    let ran = ran.without(0, "more than is kept")?;
    ensure!(ran.warnings().is_empty() && ran.stdout.ends_with(b"\n3000000\n"), "{:?}", ran.said);
    assert_eq!(repository.stats()?["faults"], 0);
    Ok(())
}

#[test]
fn nobody_listening_does_not_stop_the_command() -> Result<()> {
    let repository = Repository::new()?;
    let text = "seq 100000; echo made >out";
    let mut process = repository
        .reviver(&["run", "--out", "out", "--", "sh", "-c", text])
        .stdout(Stdio::piped())
        .spawn()?;
    drop(process.stdout.take());
    ensure!(process.wait()?.success());
    assert_eq!(repository.text("out")?, "made\n");
    Ok(())
}

#[test]
fn somebody_who_keeps_the_output_open_makes_the_run_unrecorded_not_long() -> Result<()> {
    let repository = Repository::new()?;
    let text = "sleep 5 & echo said; : >out";
    let ran = repository.run(&["--out", "out", "--", "sh", "-c", text]);
    // The pipe of this test is not held: it is one between the command and us.
    ran?.without(0, "still holds its output").map(drop)
}

#[test]
fn a_signal_to_us_ends_the_command() -> Result<()> {
    let repository = Repository::new()?;
    let text = "trap 'echo trapped >out; exit 9' TERM; echo ready; while :; do sleep 0.02; done";
    let mut process = repository
        .runs(&["--out", "out", "--", "sh", "-c", text])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut ready = [0; 6];
    process.stdout.as_mut().context("it is piped")?.read_exact(&mut ready)?;
    ensure!(Command::new("kill").arg(process.id().to_string()).status()?.success());
    assert_eq!(process.wait()?.code(), Some(9));
    assert_eq!(repository.text("out")?, "trapped\n");
    assert_eq!(repository.stats()?["entries"], 0);
    Ok(())
}

#[test]
fn a_run_within_a_run_is_revived_by_itself() -> Result<()> {
    let repository = Repository::new()?;
    repository.write("in", "1")?;
    settle();
    let inner = format!("{REVIVER} run --in in --out inner -- cp in inner && cp inner outer");
    let outer = ["--in", "in", "--out", "outer", "--", "sh", "-c", &inner];
    repository.run(&outer)?.miss()?;
    repository.remove(&["inner", "outer"])?;
    repository.run(&outer)?.hit()?;
    repository.run(&["--in", "in", "--out", "inner", "--", "cp", "in", "inner"])?.hit()?;
    assert_eq!((repository.text("inner")?, repository.text("outer")?), ("1".to_owned(), "1".to_owned()));
    Ok(())
}
