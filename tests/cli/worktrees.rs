//! Which repositories share entries.

use crate::support::{Ran, Repository, installed, settle};
use anyhow::{Result, ensure};
use std::path::Path;

pub(crate) fn git(repository: &Repository, directory: &Path, arguments: &[&str]) -> Result<()> {
    let mut command = repository.command("git");
    command.args(["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]);
    let output = command.args(arguments).current_dir(directory).output()?;
    ensure!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

#[test]
fn worktrees_of_one_repository_share_what_they_compile() -> Result<()> {
    if !installed("git") || !installed("gcc") {
        return Ok(());
    }
    let repository = Repository::new()?;
    repository.write("one/src/a.c", "#include \"a.h\"\nint a = A;\n")?;
    repository.write("one/src/a.h", "#define A 1\n")?;
    let (one, two) = (repository.path("one"), repository.path("two"));
    git(&repository, &one, &["init", "-q"])?;
    git(&repository, &one, &["add", "."])?;
    git(&repository, &one, &["commit", "-qm", "x"])?;
    git(&repository, &one, &["worktree", "add", "-q", "../two"])?;
    git(&repository, &repository.root, &["clone", "-q", "one", "three"])?;
    settle();
    let run = |directory: &Path| {
        let mut command = repository.runs(&["--", "gcc", "-O1", "-c", "-o", "a.o", "a.c"]);
        Ran::of(command.current_dir(directory.join("src")))
    };
    run(&one)?.miss()?;
    run(&two)?.hit()?;
    assert_eq!(std::fs::read(one.join("src/a.o"))?, std::fs::read(two.join("src/a.o"))?);
    // What changes in one is another key in that one alone.
    std::fs::write(two.join("src/a.h"), "#define A 2\n")?;
    settle();
    run(&two)?.miss()?;
    run(&one)?.hit()?;
    // A clone is somebody else's, unless its user says otherwise.
    run(&repository.path("three"))?.miss()?;
    Ok(())
}

#[test]
fn a_user_may_join_repositories_that_no_repository_can() -> Result<()> {
    let repository = Repository::new()?;
    let list = |names: [&str; 2]| names.map(|name| format!("{:?}", repository.path(name))).join(", ");
    let config = format!("[[join]]\nroots = [{}]\n", list(["one", "two"]));
    std::fs::write(repository.home.join("config/reviver/config.toml"), config)?;
    for name in ["one", "two", "three"] {
        let settings = "[plugin.p]\nshipped = \"key-command\"\nconfig = { relocatable = true }\n\
            [[rule]]\ncommand = \"cp\"\nplugin = \"p\"\n";
        repository.write(&format!("{name}/reviver.toml"), settings)?;
        repository.write(&format!("{name}/in"), "x")?;
    }
    let run = |name: &str| {
        let mut command = repository.runs(&["--in", "in", "--out", "out", "--", "cp", "in", "out"]);
        Ran::of(command.current_dir(repository.path(name)))
    };
    run("one")?.miss()?;
    run("two")?.hit()?;
    assert_eq!(repository.text("two/out")?, "x");
    run("three")?.miss()?;
    Ok(())
}
