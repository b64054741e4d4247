//! Commands that declare what they read and write.

use crate::support::{Ran, Repository, Verdict, files, installed, settle};
use anyhow::{Result, ensure};
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;

/// A generator: for each template a page, and a page that lists them.
const GENERATE: &str = "set -eu\nrm -rf pages; mkdir -p pages/all\n\
    for template in templates/*.txt; do\n\
    name=$(basename $template .txt); sed 's/^/> /' $template >pages/all/$name.html; echo $name >>pages/index\n\
    done\necho generated\n";

const RUN: [&str; 6] = ["--in", "templates", "--out", "pages/", "--", "./generate"];

fn generator() -> Result<Repository> {
    let repository = Repository::new()?;
    repository.script("generate", GENERATE)?;
    repository.write("templates/one.txt", "1\n")?;
    repository.write("templates/two.txt", "2\n")?;
    settle();
    Ok(repository)
}

/// The names and contents below `pages`.
fn pages(repository: &Repository) -> Result<Vec<(PathBuf, Vec<u8>)>> {
    files(&repository.path("pages")).into_iter().map(|path| Ok((path.clone(), fs::read(path)?))).collect()
}

#[test]
fn a_directory_is_revived_as_it_was_made() -> Result<()> {
    let repository = generator()?;
    repository.run(&RUN)?.miss()?;
    let made = pages(&repository)?;
    assert_eq!(made.len(), 3);
    repository.remove(&["pages"])?;
    let revived = repository.run(&RUN)?.hit()?;
    assert_eq!((revived.out().as_str(), pages(&repository)?), ("generated\n", made));
    Ok(())
}

#[test]
fn one_byte_anywhere_below_a_declared_directory_is_another_key() -> Result<()> {
    let repository = generator()?;
    repository.run(&RUN)?.miss()?;
    repository.write("templates/two.txt", "3\n")?;
    settle();
    repository.run(&RUN)?.miss()?;
    assert_eq!(repository.text("pages/all/two.html")?, "> 3\n");
    repository.write("templates/two.txt", "2\n")?;
    settle();
    repository.run(&RUN)?.hit()?;
    assert_eq!(repository.text("pages/all/two.html")?, "> 2\n");
    // A name that nobody reads is a byte too.
    repository.write("templates/deep/er/note", "")?;
    settle();
    repository.run(&RUN)?.miss()?;
    Ok(())
}

/// A page that was staged beside its destination was taken for a foreign one, with a warning that named it.
#[test]
fn what_an_earlier_revival_made_and_this_one_does_not_is_gone() -> Result<()> {
    let repository = generator()?;
    repository.run(&RUN)?.miss()?;
    repository.write("templates/three.txt", "3\n")?;
    settle();
    repository.run(&RUN)?.miss()?;
    let three = pages(&repository)?;
    repository.remove(&["templates/three.txt"])?;
    let two = repository.run(&RUN)?.hit()?;
    ensure!(two.warnings().is_empty() && !repository.exists("pages/all/three.html"), "{two:?}");
    assert_eq!(repository.text("pages/index")?, "one\ntwo\n");
    repository.write("templates/three.txt", "3\n")?;
    settle();
    repository.run(&RUN)?.hit()?;
    assert_eq!(pages(&repository)?, three);
    Ok(())
}

#[test]
fn a_foreign_file_in_an_output_directory_stays_and_is_named() -> Result<()> {
    let repository = generator()?;
    repository.run(&RUN)?.miss()?;
    repository.write("pages/all/mine.html", "by hand")?;
    let ran = repository.run(&RUN)?.hit()?;
    ensure!(ran.warnings().len() == 1 && ran.warnings()[0].contains("pages/all/mine.html"), "{ran:?}");
    assert_eq!(repository.text("pages/all/mine.html")?, "by hand");
    // What was made, and edited since, is somebody's work too – unless it is made again.
    repository.write("pages/all/one.html", "edited")?;
    repository.run(&RUN)?.hit()?;
    assert_eq!(repository.text("pages/all/one.html")?, "> 1\n");
    Ok(())
}

/// Files that are to go keep another name beside their place until all is done, so that they can come back. Their directory was
/// therefore not empty when its turn came, the revival failed, and the generator ran again.
#[test]
fn a_directory_that_is_no_longer_made_goes_unless_somebody_put_something_into_it() -> Result<()> {
    let repository = Repository::new()?;
    let text =
        "rm -rf d; mkdir d; for name in $(cat names); do mkdir -p d/$name; echo $name >d/$name/file; done";
    let run = ["--in", "names", "--out", "d/", "--", "sh", "-c", text];
    let list = |names: &str| repository.write("names", names).map(|()| settle());
    list("one")?;
    repository.run(&run)?.miss()?;
    list("one two/below")?;
    repository.run(&run)?.miss()?;
    list("one")?;
    let ran = repository.run(&run)?.hit()?;
    ensure!(ran.warnings().is_empty() && !repository.exists("d/two"), "{ran:?}");
    list("one two/below")?;
    repository.run(&run)?.hit()?;
    repository.write("d/two/mine", "by hand")?;
    list("one")?;
    let ran = repository.run(&run)?.hit()?;
    assert_eq!(ran.warnings().len(), 1, "{ran:?}");
    ensure!(repository.exists("d/two/mine") && !repository.exists("d/two/below"));
    Ok(())
}

#[test]
fn an_archive_is_revived_with_its_bytes_and_its_bits() -> Result<()> {
    let repository = generator()?;
    let run = ["--in", "templates", "--out", "out/all.tar", "--", "tar", "-cf", "out/all.tar", "templates"];
    fs::create_dir(repository.path("out"))?;
    repository.run(&run)?.miss()?;
    let archive = repository.read("out/all.tar")?;
    repository.remove(&["out"])?;
    repository.run(&run)?.hit()?;
    assert_eq!(repository.read("out/all.tar")?, archive);
    Ok(())
}

#[test]
fn bits_links_and_empty_directories_come_back() -> Result<()> {
    let repository = Repository::new()?;
    repository.script(
        "make",
        "rm -rf d; mkdir -p d/empty; echo x >d/program; chmod 755 d/program; ln -s program d/link; : >d/nothing\n",
    )?;
    let run = ["--in", "make", "--out", "d/", "--", "./make"];
    repository.run(&run)?.miss()?;
    repository.remove(&["d"])?;
    repository.run(&run)?.hit()?;
    let mode = fs::metadata(repository.path("d/program"))?.permissions().mode();
    assert_eq!(mode & 0o777, 0o755);
    assert_eq!(fs::read_link(repository.path("d/link"))?, PathBuf::from("program"));
    ensure!(repository.path("d/empty").is_dir() && repository.read("d/nothing")?.is_empty());
    Ok(())
}

#[test]
fn large_and_equal_contents_are_revived_and_stored_once() -> Result<()> {
    let repository = Repository::new()?;
    let text = "head -c 3000000 /dev/zero | tr '\\0' x >a; cp a b";
    let run = ["--out", "a", "--out", "b", "--", "sh", "-c", text];
    repository.run(&run)?.miss()?;
    let object = repository.cached("objects");
    assert_eq!(object.len(), 1);
    repository.remove(&["a", "b"])?;
    repository.run(&run)?.hit()?;
    ensure!(repository.read("a")? == vec![b'x'; 3_000_000] && repository.read("a")? == repository.read("b")?);
    // What is revived is the user's: writing into it in place does not reach the cache.
    fs::OpenOptions::new().append(true).open(repository.path("a"))?.set_len(5)?;
    assert_eq!(fs::metadata(&object[0])?.len(), 3_000_000);
    repository.run(&run)?.hit()?;
    assert_eq!(repository.read("a")?.len(), 3_000_000);
    Ok(())
}

#[test]
fn an_output_that_the_command_did_not_write_is_not_recorded() -> Result<()> {
    let repository = Repository::new()?;
    repository.write("out", "from before")?;
    settle();
    repository.run(&["--out", "out", "--", "true"])?.without(0, "did not write")?;
    repository.run(&["--out", "absent", "--", "true"])?.without(0, "did not write")?;
    repository.run(&["--in", "out", "--out", "out", "--", "touch", "out"])?.without(0, "reads")?;
    assert_eq!(repository.stats()?["entries"], 0);
    Ok(())
}

#[test]
fn a_revival_that_a_destination_refuses_leaves_all_as_it_was_and_the_command_runs() -> Result<()> {
    let repository = Repository::new()?;
    let run = ["--out", "a", "--out", "b", "--", "sh", "-c", "rm -rf a b; echo 1 >a; echo 2 >b"];
    repository.run(&run)?.miss()?;
    repository.remove(&["a", "b"])?;
    repository.write("b/full", "")?;
    let ran = repository.run(&run)?;
    ensure!(ran.code == Some(0) && ran.verdict == Verdict::Miss, "{ran:?}");
    assert_eq!((repository.text("a")?, repository.text("b")?), ("1\n".to_owned(), "2\n".to_owned()));
    Ok(())
}

#[test]
fn a_link_at_the_place_of_an_output_is_left_to_the_command() -> Result<()> {
    let repository = Repository::new()?;
    let run = ["--out", "out", "--", "sh", "-c", "rm -f out; echo made >out"];
    repository.run(&run)?.miss()?;
    repository.remove(&["out"])?;
    repository.write("precious", "kept")?;
    symlink("precious", repository.path("out"))?;
    // Whether it is written through or replaced is for the command to say.
    repository.run(&run)?.miss()?;
    assert_eq!(
        (repository.text("out")?, repository.text("precious")?),
        ("made\n".to_owned(), "kept".to_owned())
    );
    Ok(())
}

#[test]
fn globs_variables_and_the_umask_are_ingredients() -> Result<()> {
    let repository = generator()?;
    let text = "cat templates/*.txt >out; echo $MODE >>out";
    let run = |mode: &str, umask: &str| {
        let script = format!("umask {umask}; exec \"$@\"");
        let mut command = repository.command("sh");
        command.args(["-c", &script, "sh", crate::support::REVIVER, "run", "--verbose"]);
        command.args(["--in", "templates/*.txt", "--out", "out", "--env", "MODE", "--", "sh", "-c", text]);
        crate::support::Ran::of(command.env("MODE", mode))
    };
    run("a", "022")?.miss()?;
    run("b", "022")?.miss()?;
    run("a", "022")?.hit()?;
    assert_eq!(repository.text("out")?, "1\n2\na\n");
    repository.remove(&["out"])?;
    run("a", "077")?.miss()?;
    assert_eq!(fs::metadata(repository.path("out"))?.permissions().mode() & 0o777, 0o600);
    run("a", "022")?.hit()?;
    assert_eq!(fs::metadata(repository.path("out"))?.permissions().mode() & 0o777, 0o644);
    repository.write("templates/three.txt", "3\n")?;
    settle();
    run("a", "022")?.miss()?;
    Ok(())
}

/// Globs were expanded before the command alone. What came to match one while it ran, and was read by it, was in no key: once it had
/// gone, what was made of it was revived.
#[test]
fn what_comes_to_match_a_glob_while_the_command_runs_leaves_it_unrecorded() -> Result<()> {
    let repository = generator()?;
    let text = "[ -e templates/new.txt ] || echo 3 >templates/new.txt; cat templates/*.txt >out";
    let run = |text| repository.run(&["--in", "templates/*.txt", "--out", "out", "--", "sh", "-c", text]);
    run(text)?.without(0, "other files match what it reads")?;
    repository.remove(&["templates/new.txt"])?;
    run(text)?.without(0, "other files match what it reads")?;
    assert_eq!(repository.text("out")?, "3\n1\n2\n");
    settle();
    run(text)?.miss()?;
    run(text)?.hit()?;
    // What it writes itself may match.
    let own = "cat templates/*.txt >made.txt";
    let words = ["--in", "templates/*.txt", "--in", "*t", "--out", "made.txt", "--", "sh", "-c", own];
    repository.run(&words)?.miss()?;
    Ok(())
}

/// What standard output and standard error are to each other was in every key: `make 2>&1 | tee log` compiled all of what
/// `make` had compiled, and nothing told why.
#[test]
fn what_a_command_says_on_one_stream_is_the_same_where_both_are_one_file() -> Result<()> {
    if !installed("gcc") {
        return Ok(());
    }
    let repository = Repository::new()?;
    repository.write("silent.c", "int f(void) { return 0; }\n")?;
    repository.write("warns.c", "int f(void) { int unused; return 0; }\n")?;
    repository.write("both.c", "int f(void) { int unused; return 1; }\n")?;
    settle();
    let run = |source: &str, joined: bool| -> Result<(Verdict, String)> {
        let line = if joined { "exec \"$@\" 2>&1" } else { "exec \"$@\"" };
        let mut command = repository.command("sh");
        command.args(["-c", line, "sh", env!("CARGO_BIN_EXE_reviver"), "run", "--verbose", "--"]);
        let ran = Ran::of(command.args(["gcc", "-Wall", "-c", source]))?;
        let said = if joined { ran.out() } else { ran.err() };
        // Our own line is in the same file.
        let ours = said.lines().find(|line| line.starts_with("reviver: "));
        let verdict = match ours {
            Some(line) if line.contains(" hit ") => Verdict::Hit,
            Some(line) if line.contains(" miss ") => Verdict::Miss,
            _ => ran.verdict,
        };
        let said: String = said.lines().filter(|line| !line.starts_with("reviver: ")).collect();
        Ok((verdict, said))
    };
    let (warning, again) = (run("warns.c", false)?, run("warns.c", true)?);
    assert_eq!((&warning.0, &again.0), (&Verdict::Miss, &Verdict::Hit));
    assert!(warning.1 == again.1 && warning.1.contains("unused"), "{warning:?} {again:?}");
    for (joined, verdict) in [(true, Verdict::Miss), (false, Verdict::Hit), (true, Verdict::Hit)] {
        assert_eq!(run("silent.c", joined)?.0, verdict, "silent, joined: {joined}");
    }
    // What came on which stream is not known of one file.
    for (joined, verdict) in [(true, Verdict::Miss), (true, Verdict::Hit), (false, Verdict::Miss)] {
        assert_eq!(run("both.c", joined)?.0, verdict, "both, joined: {joined}");
    }
    Ok(())
}
