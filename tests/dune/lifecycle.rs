//! A daemon from its start to its end, however it ends.

use crate::peer::{dune_is_here, skipped};
use crate::scene::{Scene, done, end, gone, holder};
use anyhow::{Context as _, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, Permissions};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Output;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Less than what clients could make a daemon wait for, and enough for a machine with much else to do.
const SOON: Duration = Duration::from_secs(10);

const LANG: &[u8] = b"(4:lang19:dune-cache-protocol(1:11:2))";

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.clone(), output.stderr.clone()].concat()).into_owned()
}

/// A client that has greeted and was greeted.
fn client(scene: &Scene) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(fs::read_to_string(scene.port())?)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    stream.write_all(LANG)?;
    let mut greeting = vec![0; LANG.len()];
    stream.read_exact(&mut greeting)?;
    ensure!(greeting == LANG, "{}", greeting.escape_ascii());
    Ok(stream)
}

#[test]
fn a_daemon_runs_once_and_says_so_until_it_is_stopped() -> Result<()> {
    let scene = Scene::new()?;
    let none = scene.ask(&["daemon", "status"])?;
    ensure!(none.status.code() == Some(1) && text(&none).starts_with("No daemon runs on "), "{none:?}");
    let none = scene.ask(&["daemon", "stop"])?;
    ensure!(none.status.code() == Some(0) && text(&none).starts_with("No daemon runs on "), "{none:?}");

    let pid = scene.start(&["--dune"])?;
    let again = scene.ask(&["daemon", "start", "--dune"])?;
    let endpoint = fs::read_to_string(scene.port())?;
    ensure!(again.status.success(), "{again:?}");
    ensure!(text(&again).contains("already running on ") && text(&again).contains(&endpoint), "{again:?}");
    ensure!(text(&again).contains(&format!("(pid {pid})")), "{again:?}");
    let again = scene.ask(&["daemon", "start", "--foreground"])?;
    ensure!(!again.status.success() && text(&again).contains(&format!("(pid {pid})")), "{again:?}");
    // What asks and goes must not take the lock away, nor the socket.
    ensure!(holder(&scene.port())? == Some(pid) && scene.path("run/reviver/socket").exists());
    client(&scene)?;

    let status = scene.ask(&["daemon", "status"])?;
    ensure!(status.status.success() && text(&status).contains(&endpoint), "{status:?}");
    ensure!(scene.status()?["running"] == true && scene.status()?["dune"] == endpoint.as_str());
    let stopped = scene.ask(&["daemon", "stop"])?;
    ensure!(stopped.status.success() && text(&stopped).contains(&pid.to_string()), "{stopped:?}");
    ensure!(gone(pid) && fs::read(scene.port())?.is_empty());
    for name in ["socket", "socket.json"] {
        ensure!(!scene.path("run/reviver").join(name).exists(), "{name} is left");
    }
    Ok(())
}

/// With a mistake in config.toml, made while a daemon ran, neither `status` nor `stop` knew it any more: both read the settings to
/// find a socket that the settings do not name.
#[test]
fn a_mistake_in_the_settings_does_not_keep_a_daemon_from_being_stopped() -> Result<()> {
    let scene = Scene::new()?;
    let pid = scene.start(&["--dune"])?;
    fs::create_dir_all(scene.path("home/.config/reviver"))?;
    fs::write(scene.path("home/.config/reviver/config.toml"), "[dune]\nsize = 5\n")?;
    let again = scene.ask(&["daemon", "start", "--dune"])?;
    ensure!(again.status.code() == Some(2) && text(&again).contains("config.toml:2:8"), "{again:?}");
    let status = scene.ask(&["daemon", "status"])?;
    ensure!(status.status.success() && text(&status).contains(&format!("(pid {pid})")), "{status:?}");
    let stopped = scene.ask(&["daemon", "stop"])?;
    ensure!(stopped.status.success() && gone(pid), "{stopped:?}");
    Ok(())
}

#[test]
fn a_period_that_is_none_is_told_with_one_that_is() -> Result<()> {
    let scene = Scene::new()?;
    for wrong in ["soon", "0s", "10"] {
        let told = scene.ask(&["daemon", "start", "--trim-period", wrong])?;
        ensure!(told.status.code() == Some(2) && text(&told).contains("write it as `10m`"), "{told:?}");
    }
    Ok(())
}

#[test]
fn one_that_serves_only_our_own_clients_is_not_taken_for_one_that_serves_dunes() -> Result<()> {
    let scene = Scene::new()?;
    scene.start(&[])?;
    ensure!(!scene.port().exists());
    let other = scene.ask(&["daemon", "start", "--dune"])?;
    ensure!(!other.status.success() && text(&other).contains("without --dune"), "{other:?}");
    Ok(())
}

#[test]
fn after_a_kill_the_next_one_starts() -> Result<()> {
    let scene = Scene::new()?;
    let pid = scene.start(&["--dune"])?;
    let mut client_of_it = client(&scene)?;
    end(pid, Signal::KILL)?;
    ensure!(scene.path("run/reviver/socket").exists() && !fs::read(scene.port())?.is_empty());
    ensure!(scene.status()?["running"] == false, "a killed daemon is taken for a living one");
    let next = scene.start(&["--dune"])?;
    ensure!(next != pid && holder(&scene.port())? == Some(next));
    client(&scene)?;
    ensure!(client_of_it.read(&mut [0]).unwrap_or(0) == 0);
    Ok(())
}

/// Systems clear a user's runtime directory when he has logged out. The daemon then went on for ever, where nobody found it, and
/// the next one beside it; and when it was told to end it took the other one's socket away.
#[test]
fn one_whose_directory_was_cleared_ends_and_leaves_the_next_one_alone() -> Result<()> {
    let scene = Scene::new()?;
    let first = scene.start(&["--dune", "--trim-period", "2s"])?;
    fs::remove_dir_all(scene.path("run"))?;
    fs::create_dir(scene.path("run"))?;
    let next = scene.start(&["--dune"])?;
    ensure!(next != first && gone(first), "it goes on where nobody finds it");
    ensure!(scene.path("run/reviver/socket").exists(), "it took the next one's socket away");
    ensure!(
        scene.status()?["pid"] == i64::from(next.as_raw_nonzero().get())
            && holder(&scene.port())? == Some(next)
    );
    client(&scene)?;
    Ok(())
}

/// Without a runtime directory the port files are in Dune's cache, which users clear. The daemon said that it serves Dune's
/// clients, and all of them started their own.
#[test]
fn port_files_that_were_cleared_are_written_again() -> Result<()> {
    let scene = Scene::without_runtime()?;
    let pid = scene.start(&["--dune", "--trim-period", "200ms"])?;
    let endpoint = scene.status()?["dune"].as_str().context("an endpoint")?.to_owned();
    let ports = ["", "v2/"].map(|below| scene.root().join(below).join("runtime/dune-cache-daemon/port"));
    for cleared in [scene.path("cache/dune"), scene.root().join("v2")] {
        ensure!(ports.iter().all(|port| holder(port).ok() == Some(Some(pid))));
        fs::remove_dir_all(cleared)?;
        let until = Instant::now() + SOON;
        // Its lock is taken for reading only when the file says all.
        while !ports.iter().all(|port| fs::read_to_string(port).is_ok_and(|said| said == endpoint)) {
            ensure!(Instant::now() < until, "{}", fs::read_to_string(scene.log())?);
            sleep(Duration::from_millis(10));
        }
    }
    ensure!(ports.iter().all(|port| holder(port).ok() == Some(Some(pid))));
    end(pid, Signal::TERM)?;
    ensure!(ports.iter().all(|port| fs::read(port).is_ok_and(|said| said.is_empty())));
    Ok(())
}

/// Who comes before they are written again starts Dune's own daemon. Ours went on to say that it serves Dune's clients.
#[test]
fn while_another_daemon_serves_dunes_clients_ours_does_not_say_so() -> Result<()> {
    if !dune_is_here() {
        return Ok(());
    }
    let scene = Scene::without_runtime()?;
    let pid = scene.start(&["--dune", "--trim-period", "4s"])?;
    let serves = |does: bool| -> Result<()> {
        let until = Instant::now() + SOON;
        while scene.status()?["dune"].is_string() != does {
            ensure!(Instant::now() < until, "{}: {}", scene.status()?, fs::read_to_string(scene.log())?);
            sleep(Duration::from_millis(20));
        }
        Ok(())
    };
    serves(true)?;
    fs::create_dir(scene.path("w"))?;
    fs::remove_dir_all(scene.path("cache/dune"))?;
    done(scene.dune("w", &["cache", "start"]))?;
    serves(false)?;
    let other = scene.ask(&["daemon", "start", "--dune"])?;
    ensure!(!other.status.success() && text(&other).contains("another daemon serves"), "{other:?}");
    done(scene.dune("w", &["cache", "stop"]))?;
    serves(true)?;
    ensure!(holder(&scene.root().join("runtime/dune-cache-daemon/port"))? == Some(pid));
    Ok(())
}

/// Dune's own daemon writes its address over what is there, and what is longer stays behind it: `127.0.0.1:5689367890`.
#[test]
fn what_a_port_file_said_before_is_gone() -> Result<()> {
    let scene = Scene::new()?;
    fs::create_dir_all(scene.port().parent().context("above")?)?;
    fs::write(scene.port(), "127.0.0.1:1234567890 and more")?;
    scene.start(&["--dune"])?;
    let said = fs::read_to_string(scene.port())?;
    ensure!(Some(said.as_str()) == scene.status()?["dune"].as_str(), "{said}");
    client(&scene)?;
    Ok(())
}

#[test]
fn where_dunes_own_daemon_runs_that_is_said() -> Result<()> {
    if !dune_is_here() {
        return Ok(());
    }
    let scene = Scene::new()?;
    fs::create_dir(scene.path("w"))?;
    done(scene.dune("w", &["cache", "start"]))?;
    let pid = holder(&scene.port())?.context("it runs")?;
    let ours = scene.ask(&["daemon", "start", "--dune"])?;
    ensure!(!ours.status.success() && text(&ours).contains(&format!("pid {pid};")), "{ours:?}");
    ensure!(scene.status()?["running"] == false && !scene.path("run/reviver/socket").exists());
    // It is as it was.
    client(&scene)?;
    done(scene.dune("w", &["cache", "stop"]))?;
    scene.start(&["--dune"])?;
    Ok(())
}

#[test]
fn told_to_end_it_ends_whatever_its_clients_do() -> Result<()> {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let scene = Scene::new()?;
        let pid = scene.start(&["--dune"])?;
        let silent = TcpStream::connect(fs::read_to_string(scene.port())?)?;
        let idle = client(&scene)?;
        let mut within = client(&scene)?;
        within.write_all(b"(7:promote(3:key32:0123")?;
        // One that gets answers and reads none: the system soon has no room for more of them.
        let root = scene.path("w/_build");
        let files: Vec<_> = (0..200).map(|number| format!("{number:0>200}")).collect();
        fs::create_dir_all(&root)?;
        for file in &files {
            fs::write(root.join(file), "same\n")?;
        }
        let mut deaf = client(&scene)?;
        deaf.write_all(
            format!("(14:set-build-root{}:{})", root.as_os_str().len(), root.display()).as_bytes(),
        )?;
        let digest = "80a4bd281160a93d5d048c90178c4366";
        let named: Vec<_> = files.iter().map(|file| format!("({}:{file}32:{digest})", file.len())).collect();
        let named = named.concat();
        let promote = format!("(7:promote(3:key32:{digest})(5:files{named})(8:metadata()))");
        deaf.set_write_timeout(Some(Duration::from_secs(1)))?;
        rustix::net::sockopt::set_socket_recv_buffer_size(&deaf, 4096)?;
        // One of the three signals is enough for that: it takes some megabytes.
        let is_stuck =
            signal != Signal::TERM || (0..1000).any(|_| deaf.write_all(promote.as_bytes()).is_err());
        ensure!(is_stuck, "there was room for all answers");
        let took = end(pid, signal)?;
        ensure!(took < SOON, "{signal:?}: {took:?}");
        ensure!(fs::read(scene.port())?.is_empty() && scene.left().is_empty());
        ensure!(!scene.path("run/reviver/socket").exists());
        let log = fs::read_to_string(scene.log())?;
        ensure!(log.trim_end().ends_with("ended"), "{log}");
        drop((silent, idle));
    }
    Ok(())
}

#[test]
fn one_that_leaves_with_its_clients_stays_as_long_as_there_is_one() -> Result<()> {
    let scene = Scene::new()?;
    let pid = scene.start(&["--dune", "--exit-no-client"])?;
    // Who does not greet was no client.
    drop(TcpStream::connect(fs::read_to_string(scene.port())?)?);
    sleep(Duration::from_millis(300));
    let (first, second) = (client(&scene)?, client(&scene)?);
    drop(first);
    sleep(Duration::from_millis(300));
    ensure!(holder(&scene.port())? == Some(pid), "it left before its last client");
    drop(second);
    ensure!(gone(pid) && fs::read(scene.port())?.is_empty());
    ensure!(!scene.path("run/reviver/socket").exists());
    Ok(())
}

/// A log that was full at the start took the place of standard output before `daemon start` had read there that all is well, so
/// that waited for ever.
#[test]
fn the_log_does_not_grow_for_ever() -> Result<()> {
    let scene = Scene::new()?;
    fs::create_dir_all(scene.log().parent().context("above")?)?;
    let large = (4 << 20) - 10;
    fs::write(scene.log(), vec![b'x'; large])?;
    let pid = scene.start(&["--dune"])?;
    // One client has so many lines and no more.
    let mut bad = client(&scene)?;
    let bytes = b"(5:hello)".repeat(10_000);
    bad.write_all(&bytes)?;
    bad.shutdown(std::net::Shutdown::Write)?;
    bad.read_to_end(&mut Vec::new())?;
    end(pid, Signal::TERM)?;
    let log = fs::read_to_string(scene.log())?;
    ensure!(fs::metadata(scene.log().with_extension("old"))?.len() == large as u64);
    ensure!((90..120).contains(&log.lines().count()), "{} lines", log.lines().count());
    ensure!(log.lines().all(|line| line.get(10..11) == Some("T") && line.get(19..20) == Some("Z")), "{log}");
    ensure!(log.contains("further notes are left out") && log.contains("unknown command `hello`"), "{log}");
    Ok(())
}

#[test]
fn where_others_may_enter_there_is_no_socket() -> Result<()> {
    let scene = Scene::new()?;
    let directory = scene.path("run/reviver");
    fs::create_dir(&directory)?;
    let refused = |why: &str| -> Result<()> {
        let refused = scene.ask(&["daemon", "start", "--dune"])?;
        ensure!(!refused.status.success() && text(&refused).contains(why), "{refused:?}");
        ensure!(text(&refused).contains("--socket") && !scene.port().exists(), "{refused:?}");
        Ok(())
    };
    fs::set_permissions(&directory, Permissions::from_mode(0o750))?;
    refused("others may enter")?;
    fs::set_permissions(&directory, Permissions::from_mode(0o700))?;
    if rustix::process::geteuid().is_root() {
        chown(&directory, Some(65534), None)?;
        refused("belongs to another user")?;
    } else {
        skipped("only root can give a directory away");
    }
    let long = scene.path("l".repeat(120));
    let refused = scene.ask(&["daemon", "start", "--socket", &long.to_string_lossy()])?;
    ensure!(!refused.status.success() && text(&refused).contains("too long"), "{refused:?}");
    let elsewhere = scene.path("mine/socket");
    let elsewhere = elsewhere.to_string_lossy();
    done(scene.reviver(&["daemon", "start", "--socket", &elsewhere]))?;
    done(scene.reviver(&["daemon", "stop", "--socket", &elsewhere])).map(drop)
}

/// A daemon that is asked to end by a stopped process's owner cannot: that is said, and `--kill` helps.
#[test]
#[ignore = "it takes the ten seconds that a daemon has to end"]
fn one_that_does_not_end_is_killed_if_that_is_wanted() -> Result<()> {
    let scene = Scene::new()?;
    let pid = scene.start(&[])?;
    kill_process(pid, Signal::STOP)?;
    let start = Instant::now();
    let stopped = scene.ask(&["daemon", "stop", "--kill"])?;
    ensure!(stopped.status.success() && text(&stopped).contains("was killed"), "{stopped:?}");
    ensure!(start.elapsed() > Duration::from_secs(9) && gone(pid));
    Ok(())
}

/// Both stood in the log alone, and every build failed, or nothing was trimmed as its user had said.
#[test]
fn who_starts_a_daemon_is_told_what_keeps_it_from_its_work() -> Result<()> {
    let scene = Scene::new()?;
    fs::write(scene.path("cache/dune"), "in the place of a directory")?;
    let mut start = scene.reviver(&["daemon", "start", "--dune"]);
    let started = start.env("DUNE_CACHE_TRIM_SIZE", "much").output()?;
    let told = text(&started);
    ensure!(started.status.success() && told.starts_with("listening on "), "{started:?}");
    let closed = format!("warning: {} cannot be written to", scene.root().display());
    ensure!(told.contains(&closed) && told.contains("builds fail"), "{told}");
    ensure!(told.contains("warning: DUNE_CACHE_TRIM_SIZE is `much`, which is passed over"), "{told}");
    client(&scene)?;
    Ok(())
}

/// Anybody on this machine may connect, and what is promoted is what later builds take for theirs.
#[test]
fn nobody_promotes_into_the_cache_of_another_user() -> Result<()> {
    if !rustix::process::geteuid().is_root() {
        skipped("only root can be two users");
        return Ok(());
    }
    let scene = Scene::new()?;
    scene.start(&["--dune"])?;
    let endpoint = fs::read_to_string(scene.port())?;
    let port = endpoint.rsplit(':').next().context("a port")?;
    let script =
        format!("exec 3<>/dev/tcp/127.0.0.1/{port}; printf '%s' '{}' >&3; timeout 1 cat <&3", text_of(LANG)?);
    let speak = |user: u32| -> Result<Vec<u8>> {
        let mut shell = scene.command("bash");
        shell.current_dir("/").args(["-c", &script]).uid(user);
        Ok(shell.output()?.stdout)
    };
    ensure!(speak(0)? == LANG, "root is not greeted");
    ensure!(speak(65534)?.is_empty(), "nobody is greeted");
    let log = fs::read_to_string(scene.log())?;
    ensure!(log.contains("belongs to the user with number 65534"), "{log}");
    client(&scene)?;
    Ok(())
}

fn text_of(bytes: &[u8]) -> Result<&str> {
    Ok(std::str::from_utf8(bytes)?)
}

#[test]
fn without_descriptors_for_all_who_are_silent_one_who_greets_is_served() -> Result<()> {
    let scene = Scene::new()?;
    let mut shell = scene.command("sh");
    shell.args(["-c", "ulimit -n 48; exec \"$0\" daemon start --dune", env!("CARGO_BIN_EXE_reviver")]);
    done(shell)?;
    let pid = holder(&scene.port())?.context("it runs")?;
    let endpoint = fs::read_to_string(scene.port())?;
    let silent: Vec<_> = (0..100).map(|_| TcpStream::connect(&endpoint)).collect::<Result<_, _>>()?;
    let start = Instant::now();
    client(&scene)?;
    ensure!(start.elapsed() < SOON, "{:?}", start.elapsed());
    let log = fs::read_to_string(scene.log())?;
    ensure!(log.matches("cannot take a connection").count() <= 1, "{log}");
    drop(silent);
    let took = end(pid, Signal::TERM)?;
    ensure!(took < SOON, "{took:?}");
    Ok(())
}

#[test]
fn what_no_build_tree_needs_goes_in_the_background_when_it_is_too_much() -> Result<()> {
    // Flags count before the variables of Dune's own daemon, and these before config.toml.
    let never = "[dune]\nsize = '10 GB'\nperiod = '1h'\n";
    let flags = ["--trim-period", "200ms", "--trim-size", "5 kB"];
    trims(&flags, &[("DUNE_CACHE_TRIM_PERIOD", "3600"), ("DUNE_CACHE_TRIM_SIZE", "10000000000")], never)?;
    trims(&[], &[("DUNE_CACHE_TRIM_PERIOD", "1"), ("DUNE_CACHE_TRIM_SIZE", "5000")], never)?;
    trims(&[], &[("DUNE_CACHE_TRIM_SIZE", "large")], "[dune]\nsize = '5 kB'\nperiod = '1s'\n")
}

fn trims(flags: &[&str], variables: &[(&str, &str)], settings: &str) -> Result<()> {
    let scene = Scene::new()?;
    fs::create_dir_all(scene.path("home/.config/reviver"))?;
    fs::write(scene.path("home/.config/reviver/config.toml"), settings)?;
    let mut start = scene.reviver(&["daemon", "start", "--dune"]);
    start.args(flags).envs(variables.iter().copied());
    done(start)?;
    let pid = holder(&scene.port())?.context("it runs")?;
    let root = scene.path("w/_build");
    fs::create_dir_all(&root)?;
    let mut talking = client(&scene)?;
    talking
        .write_all(format!("(14:set-build-root{}:{})", root.as_os_str().len(), root.display()).as_bytes())?;
    for (name, letter) in [("needed", "n"), ("rubbish", "r")] {
        fs::write(root.join(name), letter.repeat(10_000))?;
    }
    // As `(echo -n $(md5 of content) in bytes; printf '\0') | md5sum` says.
    let digests = ["171b9f08cc88424ece9008edf35b42c8", "9778e9eca9488cd67e0d010e88d55ada"];
    for (name, digest) in ["needed", "rubbish"].iter().zip(digests) {
        let (length, key) = (name.len(), digest);
        let promote =
            format!("(7:promote(3:key32:{key})(5:files({length}:{name}32:{digest}))(8:metadata()))");
        talking.write_all(promote.as_bytes())?;
    }
    let stored = |digest: &str| scene.root().join("files/v4").join(&digest[..2]).join(digest);
    let until = Instant::now() + Duration::from_secs(10);
    while !digests.iter().all(|digest| stored(digest).exists()) {
        ensure!(Instant::now() < until, "nothing is stored: {}", fs::read_to_string(scene.log())?);
        sleep(Duration::from_millis(10));
    }
    fs::remove_file(root.join("rubbish"))?;
    while stored(digests[1]).exists() {
        ensure!(Instant::now() < until, "nothing is trimmed: {}", fs::read_to_string(scene.log())?);
        sleep(Duration::from_millis(10));
    }
    ensure!(stored(digests[0]).exists(), "what a build tree has is trimmed");
    // The client that was there all the time is still served.
    talking.shutdown(std::net::Shutdown::Write)?;
    ensure!(talking.read_to_end(&mut Vec::new())? == 0);
    end(pid, Signal::TERM)?;
    ensure!(fs::read_to_string(scene.log())?.contains("trimmed "));
    Ok(())
}

/// The daemon is the leader of a session of its own, in the cache directory, and reads nothing.
#[test]
fn in_the_background_it_holds_nothing_of_who_started_it() -> Result<()> {
    let scene = Scene::new()?;
    let pid: Pid = scene.start(&[])?;
    ensure!(rustix::process::getsid(Some(pid))? == pid);
    let link = |name: &str| fs::read_link(format!("/proc/{pid}/{name}"));
    ensure!(link("cwd")? == scene.path("cache/reviver").canonicalize()?);
    ensure!(link("fd/0")? == Path::new("/dev/null"));
    for output in ["fd/1", "fd/2"] {
        ensure!(link(output)? == scene.log().canonicalize()?, "{:?}", link(output));
    }
    Ok(())
}
