//! Several processes at once, and processes that are killed.

use crate::support::{REVIVER, Ran, Repository, Verdict, files, settle};
use anyhow::{Context as _, Result, ensure};
use std::fs;
use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::time::Duration;

#[test]
fn two_processes_with_one_key_both_succeed_and_leave_one_entry() -> Result<()> {
    let repository = Repository::new()?;
    for round in 0..20 {
        repository.write("in", format!("{round}\n"))?;
        settle();
        let run = ["--in", "in", "--out", "out", "--", "sh", "-c", "cat in; cat in >out"];
        let start = || repository.runs(&run).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let processes = [start()?, start()?];
        for process in processes {
            let ran = Ran::from(process.wait_with_output()?);
            ensure!(ran.code == Some(0) && ran.out() == format!("{round}\n"), "{ran:?}");
            ensure!(ran.warnings().is_empty() && !matches!(ran.verdict, Verdict::Uncached(_)), "{ran:?}");
        }
        assert_eq!(repository.text("out")?, format!("{round}\n"));
        // Where each was in the other's way neither recorded; the next one does.
        ensure!(matches!(repository.run(&run)?.verdict, Verdict::Hit | Verdict::Miss));
        repository.run(&run)?.hit()?;
        assert_eq!(repository.stats()?["entries"], round + 1);
    }
    ensure!(repository.cached("tmp").is_empty());
    Ok(())
}

#[test]
fn who_finds_the_output_taken_runs_and_does_not_record() -> Result<()> {
    let repository = Repository::new()?;
    ensure!(repository.command("mkfifo").arg("fifo").status()?.success());
    let mut first = repository
        .runs(&["--out", "out", "--", "sh", "-c", "echo ready; read line <fifo; echo first >out"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    first.stdout.as_mut().context("it is piped")?.read_exact(&mut [0; 6])?;
    let second = ["--out", "out", "--", "sh", "-c", "echo second >out"];
    repository.run(&second)?.without(0, "another operation writes")?;
    fs::write(repository.path("fifo"), "go\n")?;
    ensure!(first.wait()?.success());
    repository.run(&second)?.miss()?;
    repository.run(&second)?.hit()?;
    Ok(())
}

#[test]
fn an_input_that_is_edited_while_the_command_runs_is_not_recorded() -> Result<()> {
    let repository = Repository::new()?;
    repository.write("in", "before\n")?;
    repository.write("tree/file", "before\n")?;
    settle();
    for edited in ["in", "tree/file", "tree/new"] {
        let text = format!("cat in tree/* >out; echo {edited} >{edited}");
        let run = ["--in", "in", "--in", "tree", "--out", "out", "--", "sh", "-c", &text];
        repository.run(&run)?.without(0, "changed while the command ran")?;
    }
    // Edited and put back, with the former time: the change of the inode tells.
    let text = "cat in >out; cp -p in kept; echo x >in; cp -p kept in";
    repository.run(&["--in", "in", "--out", "out", "--", "sh", "-c", text])?.without(0, "changed while")?;
    assert_eq!(repository.stats()?["entries"], 0);
    Ok(())
}

#[test]
fn a_header_that_is_edited_while_the_compiler_runs_is_not_recorded() -> Result<()> {
    if !crate::support::installed("gcc") {
        return Ok(());
    }
    let repository = Repository::new()?;
    let gcc = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .map(|path| path.join("gcc"))
        .find(|path| path.is_file())
        .context("gcc is there")?;
    // A compiler that reads the header before it is edited; only when it really compiles.
    let body = format!(
        "{} \"$@\" || exit; case \"$*\" in *' -c '*) [ ! -e edit ] || cp edit a.h;; esac\n",
        gcc.display()
    );
    repository.script("tools/gcc", &body)?;
    repository.write("a.c", "#include \"a.h\"\nint a = A;\n")?;
    repository.write("a.h", "#define A 1\n")?;
    repository.write("edit", "#define A 2\n")?;
    settle();
    let run = ["--", "./tools/gcc", "-Wall", "-c", "a.c"];
    repository.run(&run)?.without(0, "a.h")?;
    settle();
    repository.remove(&["edit"])?;
    repository.run(&run)?.miss()?;
    let object = repository.read("a.o")?;
    ensure!(repository.command(gcc).args(&run[2..]).status()?.success());
    assert_eq!(repository.read("a.o")?, object, "the object of the header as it is now");
    Ok(())
}

/// Kills the whole group of a run after so many microseconds.
fn killed_after(repository: &Repository, arguments: &[&str], delay: u64) -> Result<()> {
    let mut command = repository.runs(arguments);
    // Two files, as in all other runs: which outputs are one file is an ingredient.
    let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0).spawn()?;
    std::thread::sleep(Duration::from_micros(delay));
    let group = format!("-{}", process.id());
    Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status()?;
    process.wait()?;
    // What it had started dies on its own time, and still writes until then.
    for _ in 0..20 {
        let mut alive = Command::new("kill");
        if !alive.args(["-0", "--", &group]).stderr(Stdio::null()).status()?.success() {
            break;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

#[test]
fn whenever_a_run_is_killed_the_next_one_is_right() -> Result<()> {
    let repository = Repository::new()?;
    let text = "head -c 300000 /dev/zero | tr '\\0' $0 >out; mkdir -p d; echo $0 >d/$0; echo made $0";
    for round in 0..20_u64 {
        let word = char::from(b'a' + round as u8).to_string();
        let run = ["--out", "out", "--out", "d/", "--", "sh", "-c", text, &word];
        fs::remove_dir_all(repository.path("d")).ok();
        killed_after(&repository, &run, 1000 + round * 1500)?;
        fs::remove_dir_all(repository.path("d")).ok();
        let ran = repository.run(&run)?;
        ensure!(ran.code == Some(0) && ran.out() == format!("made {word}\n"), "round {round}: {ran:?}");
        if matches!(&ran.verdict, Verdict::Unrecorded(why) if why.contains("another operation writes") || why.contains("an output changed"))
        {
            // What the killed one had started lives on: it has the locks too, or still writes the output.
            repository.run(&run)?.miss()?;
        } else {
            ensure!(matches!(ran.verdict, Verdict::Hit | Verdict::Miss), "round {round}: {ran:?}");
        }
        ensure!(repository.read("out")? == vec![b'a' + round as u8; 300_000], "round {round}");
        // A revival that is killed leaves each output old or new, never torn.
        fs::write(repository.path("out"), "old")?;
        killed_after(&repository, &run, 500 + round * 400)?;
        let out = repository.read("out")?;
        let torn = || format!("round {round}: {} bytes, {:?}", out.len(), out.get(..3));
        ensure!(out == b"old" || out == vec![b'a' + round as u8; 300_000], "{}", torn());
        repository.run(&run)?.hit()?;
    }
    assert_eq!(repository.counts()?[2], 20);
    assert_eq!(repository.ask(&["cache", "trim", "--size", "1 MB"])?.code, Some(0));
    // A kill between staging and renaming may leave hidden files, and nothing else that was not made.
    let visible = |path: &std::path::PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        !(name.starts_with('.') && name.ends_with(".reviver"))
    };
    assert_eq!(files(&repository.root).into_iter().filter(visible).count(), 2);
    Ok(())
}

#[test]
fn many_at_once_in_an_empty_cache_all_succeed() -> Result<()> {
    let repository = Repository::new()?;
    let text = format!(
        "for n in 1 2 3 4 5 6 7 8 9 10 11 12; do {REVIVER} run --out out$n -- sh -c \"echo $n >out$n\" & done; wait"
    );
    ensure!(repository.command("sh").args(["-c", &text]).output()?.stderr.is_empty());
    for number in 1..=12 {
        assert_eq!(repository.text(&format!("out{number}"))?, format!("{number}\n"));
    }
    assert_eq!(repository.counts()?, [0, 12, 12]);
    Ok(())
}
