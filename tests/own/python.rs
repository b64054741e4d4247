//! The example in Python, as somebody would write it who has read the page.

use crate::daemon::Daemon;
use crate::support::{Repository, installed, settle};
use anyhow::{Result, ensure};
use std::fs;
use std::io::Write as _;
use std::net::Shutdown;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/protocol.py")
}

/// What it says, with a daemon that listens where the example looks.
fn compile(repository: &Repository, source: &str, object: &str) -> Result<Output> {
    let mut command = repository.command("python3");
    command.arg(example()).args([source, object]).env("XDG_RUNTIME_DIR", &repository.home);
    Ok(command.output()?)
}

#[test]
fn a_client_of_a_hundred_lines_in_python_revives_what_it_recorded() -> Result<()> {
    if !installed("python3") || !installed("gcc") {
        return Ok(());
    }
    let lines = fs::read_to_string(example())?.lines().count();
    ensure!(lines <= 100, "{lines} lines are no example");

    let repository = Repository::new()?;
    repository.write("a.h", "#define A 1\n")?;
    repository.write("a.c", "#include \"a.h\"\n#warning said\nint a = A;\n")?;
    repository.write("wrong.c", "int a = ;\n")?;
    settle();
    let said = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();

    // Without a daemon it compiles.
    let plain = compile(&repository, "a.c", "plain.o")?;
    ensure!(plain.status.success() && said(&plain).contains("uncached: "), "{plain:?}");

    let socket = repository.home.join("reviver/socket");
    let _daemon = Daemon::start_at(&repository, socket)?;
    let first = compile(&repository, "a.c", "a.o")?;
    ensure!(first.status.success() && said(&first).ends_with("recorded a.o\n"), "{first:?}");
    ensure!(repository.read("a.o")? == repository.read("plain.o")?);
    repository.remove(&["a.o"])?;
    let again = compile(&repository, "a.c", "a.o")?;
    ensure!(again.status.success() && said(&again).ends_with("revived a.o\n"), "{again:?}");
    ensure!(said(&again).contains("#warning said"), "{again:?}");
    ensure!(repository.read("a.o")? == repository.read("plain.o")?);

    let wrong = compile(&repository, "wrong.c", "wrong.o")?;
    ensure!(wrong.status.code() == Some(1) && said(&wrong).contains("ran: exit status 1"), "{wrong:?}");
    let absent = compile(&repository, "absent.c", "absent.o")?;
    ensure!(absent.status.code() == Some(1) && said(&absent).contains("absent.c"), "{absent:?}");
    Ok(())
}

/// Where a daemon went in the middle of a length, the example waited for the rest for ever.
#[test]
fn a_daemon_that_goes_in_the_middle_of_a_word_is_none() -> Result<()> {
    if !installed("python3") || !installed("gcc") {
        return Ok(());
    }
    let repository = Repository::new()?;
    repository.write("a.c", "int a;\n")?;
    let socket = repository.home.join("reviver/socket");
    fs::create_dir_all(repository.home.join("reviver"))?;
    let listener = UnixListener::bind(&socket)?;
    for said in ["", "(", "(4", "(4:", "(4:la", "(4:lang7:reviver(1:11:0))(1:12"] {
        let mut command = repository.command("timeout");
        command.args(["20", "python3"]).arg(example()).args(["a.c", "a.o"]);
        command.env("XDG_RUNTIME_DIR", &repository.home).stderr(Stdio::piped());
        let child = command.spawn()?;
        let (mut stream, _) = listener.accept()?;
        stream.write_all(said.as_bytes())?;
        stream.shutdown(Shutdown::Write)?;
        let output = child.wait_with_output()?;
        let words = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success() && words.contains("uncached: "), "{said}: {output:?}");
    }
    Ok(())
}
