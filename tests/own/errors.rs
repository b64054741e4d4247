//! Why there is no answer: each code, and that the connection lives on after it.

use crate::daemon::{Daemon, Raw, record, refused, revive, unpinned};
use crate::operations::derive;
use crate::support::Repository;
use anyhow::{Result, ensure};
use reviver::protocol::own::request::Derive;
use reviver::protocol::own::{Code, OPERATIONS};
use std::fs;
use std::path::Path;

/// What is answered to these bytes: up to the end of the one reply, whose words are left out.
fn code_of(raw: &mut Raw, id: &str, request: &[u8]) -> Result<String> {
    raw.say(request)?;
    let mut reply = Vec::new();
    let mut parser = reviver::protocol::Parser::new(reviver::protocol::Limits::SESSION);
    loop {
        let mut byte = [0];
        std::io::Read::read_exact(&mut raw.0, &mut byte)?;
        reply.push(byte[0]);
        parser.feed(&byte);
        if let Some(value) = parser.next()? {
            let atoms: Vec<_> =
                value.as_list().unwrap_or_default().iter().map(|v| v.as_text().unwrap_or("")).collect();
            ensure!(atoms[0] == id, "{value}");
            return Ok(if atoms[1] == "ok" { "ok".to_owned() } else { atoms[2].to_owned() });
        }
    }
}

#[test]
fn requests_of_another_form_are_told_so_and_change_nothing() -> Result<()> {
    let repository = Repository::new()?;
    let daemon = Daemon::start(&repository)?;
    let mut raw = daemon.raw()?;
    let root = repository.root.to_str().unwrap_or_default();
    let name = format!("(1:110:repository(4:path{}:{root}))", root.len());
    ensure!(code_of(&mut raw, "1", b"(1:15:stats)")? == "no-repository");
    ensure!(code_of(&mut raw, "1", b"(1:110:repository(4:path3:rel))")? == "settings");
    ensure!(code_of(&mut raw, "1", b"(1:110:repository(4:path7:/absent))")? == "settings");
    ensure!(code_of(&mut raw, "1", name.as_bytes())? == "ok");
    ensure!(code_of(&mut raw, "1", name.as_bytes())? == "repository-named");
    let cases: [(&[u8], &str); 18] = [
        (b"(1:x)", "malformed"),
        (b"(1:x())", "malformed"),
        (b"(1:x3:fly)", "unknown-command"),
        (b"(1:x5:stats(3:all3:yes))", "malformed"),
        (b"(1:x5:stats4:atom)", "malformed"),
        (b"(1:x5:stats())", "malformed"),
        (b"(1:x4:find)", "malformed"),
        (b"(1:x4:find(4:name1:a)(4:name1:a))", "malformed"),
        (b"(1:x4:find(4:name1:a)(3:key1:a))", "malformed"),
        (b"(1:x4:find(3:key1:a))", "malformed"),
        (b"(1:x4:find(4:name3:a/b))", "malformed"),
        (b"(1:x4:find(4:name))", "malformed"),
        (b"(1:x4:hash(4:path0:))", "malformed"),
        (b"(1:x4:hash(4:path3:a\0b))", "malformed"),
        (b"(1:x4:trim(4:size2:-1))", "malformed"),
        (b"(1:x6:revive(4:name1:a)(2:to1:b)(4:root1:c))", "malformed"),
        (b"(1:x6:derive(4:argv))", "malformed"),
        (b"(1:x6:record(9:operation1:1)(4:exit1:0)(6:signal1:9)(7:started1:0)(5:ended1:0))", "malformed"),
    ];
    for (request, code) in cases {
        ensure!(code_of(&mut raw, "x", request)? == code, "{}", request.escape_ascii());
    }
    ensure!(code_of(&mut raw, "x", b"(1:x5:stats)")? == "ok");
    Ok(())
}

#[test]
fn what_has_no_id_is_answered_and_ends_its_connection_alone() -> Result<()> {
    let repository = Repository::new()?;
    let mut daemon = Daemon::start(&repository)?;
    let long = format!("(65:{}5:stats)", "i".repeat(65));
    let cases: [&[u8]; 9] = [
        b"1:a",
        b"()",
        b"(0:5:stats)",
        b"((1:a)5:stats)",
        long.as_bytes(),
        b"x",
        b")",
        b"\n",
        b"(99999999999:",
    ];
    for bytes in cases {
        let mut raw = daemon.raw()?;
        raw.say(bytes)?;
        let rest = raw.rest()?;
        ensure!(
            rest.starts_with(b"(0:5:error9:malformed"),
            "{} -> {}",
            bytes.escape_ascii(),
            rest.escape_ascii()
        );
        daemon.serves(&repository)?;
    }
    Ok(())
}

#[test]
fn settings_that_are_wrong_name_the_line() -> Result<()> {
    let repository = Repository::new()?;
    repository.write("reviver.toml", "size = 'much'\n")?;
    let daemon = Daemon::start(&repository)?;
    let mut client = daemon.client()?;
    let words = refused(Code::Settings, client.repository(&repository.root))?;
    ensure!(words.contains("reviver.toml") && words.contains("much"), "{words}");
    // Once they are right, the same client goes on.
    repository.write("reviver.toml", "")?;
    client.repository(&repository.root)?;
    Ok(())
}

#[test]
fn a_plugin_that_is_not_pinned_and_an_operation_without_a_key_are_told_apart() -> Result<()> {
    let repository = unpinned()?;
    let daemon = Daemon::start(&repository)?;
    let mut client = daemon.at(&repository)?;
    let words = refused(Code::Plugin, client.derive(derive(&["mine"])))?;
    ensure!(words.contains("reviver plugin pin p"), "{words}");
    let words = refused(Code::Refused, client.derive(derive(&["gcc", "a.c", "-o", "a"])))?;
    ensure!(!words.is_empty());
    let glob = Derive { reads: vec!["*.none".into()], ..derive(&["true"]) };
    refused(Code::Malformed, client.derive(glob))?;
    let elsewhere = Derive { directory: Some("absent".into()), ..derive(&["true"]) };
    refused(Code::Io, client.derive(elsewhere))?;
    client.stats()?;
    Ok(())
}

#[test]
fn a_client_may_have_so_many_operations_open_and_no_more() -> Result<()> {
    let repository = Repository::new()?;
    let daemon = Daemon::start(&repository)?;
    let mut client = daemon.at(&repository)?;
    let make = |number: usize| Derive { writes: vec![format!("out{number}")], ..derive(&["true"]) };
    for number in 0..OPERATIONS {
        client.derive(make(number))?;
    }
    let words = refused(Code::TooMany, client.derive(make(OPERATIONS)))?;
    ensure!(words.contains("256"), "{words}");
    client.forget(1)?;
    client.derive(make(OPERATIONS))?;
    // Others have as many of their own.
    daemon.at(&repository)?.derive(make(OPERATIONS + 1))?;
    Ok(())
}

#[test]
fn a_cache_that_is_only_read_still_finds_and_revives() -> Result<()> {
    let repository = Repository::new()?;
    repository.write("a", "a")?;
    let daemon = Daemon::start(&repository)?;
    let make = Derive { writes: vec!["out".into()], ..derive(&["true"]) };
    let mut before = daemon.at(&repository)?;
    before.record(record("n", &["a"])?)?;
    // Its plugin is compiled then, which a cache that is only read could not keep.
    before.derive(make.clone())?;
    repository.write("reviver.toml", "read-only = true\n")?;
    let mut client = daemon.client()?;
    let named = client.repository(&repository.root)?;
    ensure!(named.read_only);
    client.revive(revive("n", &["b"])?)?;
    ensure!(repository.text("b")? == "a");
    refused(Code::ReadOnly, client.record(record("n", &["a"])?))?;
    refused(Code::ReadOnly, client.trim(Some(0)))?;
    refused(Code::ReadOnly, client.derive(make))?;
    client.stats()?;
    Ok(())
}

#[test]
fn what_is_wrong_with_a_path_or_the_cache_is_told_apart() -> Result<()> {
    let repository = Repository::new()?;
    repository.write("a", "a")?;
    fs::create_dir(repository.path("directory"))?;
    let daemon = Daemon::start(&repository)?;
    let mut client = daemon.at(&repository)?;
    client.record(record("n", &["a"])?)?;
    refused(Code::Io, client.record(record("m", &["directory"])?))?;
    refused(Code::Io, client.revive(revive("n", &["directory"])?))?;
    refused(Code::Io, client.revive(revive("n", &["a/below"])?))?;
    refused(Code::Io, client.hash(Path::new("absent")))?;
    let hexadecimal = "0".repeat(64);
    refused(Code::Malformed, client.record(record(&hexadecimal, &["a"])?))?;
    // Something else where the cache has its entries.
    let entries = repository.cache.join("v1/partitions");
    fs::remove_dir_all(&entries)?;
    fs::write(&entries, "no directory")?;
    refused(Code::Store, client.record(record("n", &["a"])?))?;
    fs::remove_file(&entries)?;
    client.record(record("n", &["a"])?)?;
    Ok(())
}
