//! Clients that leave, are killed, say nothing, or are somebody else.

use crate::daemon::Daemon;
use crate::operations::{derive, open};
use crate::support::other_user::NOBODY;
use crate::support::{REVIVER, Repository, installed, is_root};
use anyhow::{Result, ensure};
use reviver::protocol::own::request::Derive;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::time::{Duration, Instant};

#[test]
fn what_a_client_leaves_open_is_let_go_with_its_locks() -> Result<()> {
    let repository = Repository::new()?;
    let daemon = Daemon::start(&repository)?;
    let make = Derive { writes: vec!["out".into()], ..derive(&["sh", "-c", "echo >out"]) };
    let mut killed = daemon.at(&repository)?;
    killed.derive(make.clone())?;
    let mut other = daemon.at(&repository)?;
    let contended = other.derive(make.clone())?;
    ensure!(open(&contended)?.unrecorded.is_some());
    other.forget(contended.operation)?;
    // To the daemon this is what a kill is: its socket is closed.
    drop(killed);
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        let derived = other.derive(make.clone())?;
        if open(&derived)?.unrecorded.is_none() {
            return Ok(());
        }
        other.forget(derived.operation)?;
        ensure!(Instant::now() < until, "its lock is still held");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_client_that_does_not_listen_keeps_nobody_waiting() -> Result<()> {
    let repository = Repository::new()?;
    let mut daemon = Daemon::start(&repository)?;
    let mut deaf = daemon.raw()?;
    deaf.0.set_nonblocking(true)?;
    // More replies than its socket holds, which it never reads.
    let many = b"(1:a5:stats)".repeat(1000);
    let until = Instant::now() + Duration::from_secs(3);
    while Instant::now() < until {
        if std::io::Write::write(&mut deaf.0, &many).is_err() {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
    let before = Instant::now();
    daemon.serves(&repository)?;
    ensure!(before.elapsed() < Duration::from_secs(10));
    Ok(())
}

#[test]
fn another_user_is_turned_away() -> Result<()> {
    if !is_root() || !installed("python3") {
        return Ok(());
    }
    let repository = Repository::new()?;
    let mut daemon = Daemon::start(&repository)?;
    // Somebody opened all the doors.
    let mut door = daemon.socket.parent();
    while let Some(directory) = door.filter(|directory| directory.starts_with(std::env::temp_dir())) {
        if directory != std::env::temp_dir() {
            fs::set_permissions(directory, fs::Permissions::from_mode(0o755))?;
        }
        door = directory.parent();
    }
    fs::set_permissions(&daemon.socket, fs::Permissions::from_mode(0o777))?;
    chown(&daemon.socket, Some(NOBODY), Some(NOBODY))?;
    let script = "import socket, sys\ns = socket.socket(socket.AF_UNIX)\ns.connect(sys.argv[1])\ns.settimeout(20)\n\
                  try:\n  s.sendall(b'(4:lang7:reviver(1:11:0))')\n  print(s.recv(100))\nexcept OSError: print(b'')";
    let mut command = Command::new("python3");
    command.args(["-c", script]).arg(&daemon.socket).uid(NOBODY).gid(NOBODY);
    let output = command.output()?;
    ensure!(output.status.success(), "{output:?}");
    ensure!(output.stdout == b"b''\n", "it was greeted: {output:?}");
    daemon.serves(&repository)?;
    Ok(())
}

/// Whoever closes any descriptor of a file drops the locks of its process on it. A client that had the lock's file hashed, as one
/// of a directory that its command reads, made everybody believe that no daemon ran: the next one took the socket away.
#[test]
fn a_client_that_has_the_lock_itself_read_drops_it_only_for_a_moment() -> Result<()> {
    let repository = Repository::new()?;
    let daemon = Daemon::start(&repository)?;
    let lock = daemon.socket.with_extension("lock");
    let runs = || -> Result<bool> {
        let mut command = repository.command(REVIVER);
        let status = command.args(["daemon", "status", "--socket"]).arg(&daemon.socket).output()?.status;
        Ok(status.success())
    };
    ensure!(runs()? && lock.exists());
    let mut client = daemon.at(&repository)?;
    for is_connected in [true, false] {
        daemon.at(&repository)?.hash(&lock)?;
        client.hash(&lock)?;
        let until = Instant::now() + Duration::from_secs(10);
        while !runs()? {
            ensure!(Instant::now() < until, "nobody holds the lock any more ({is_connected})");
        }
    }
    Ok(())
}
