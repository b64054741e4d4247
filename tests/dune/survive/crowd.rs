//! Many who say nothing, some who never listen, one who is killed; and the memory for all that.

use super::{Attacked, eventually, file_digest, next_key, promotion};
use crate::speech::{GREETING, Speech};
use anyhow::{Context as _, Result, ensure};
use reviver::protocol::dune::{Command as Message, NEWEST};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Less than any time limit of the daemon, and enough for a machine with much else to do: what has to wait for another client
/// waits for half a minute or for ever.
const SOON: Duration = Duration::from_secs(10);

#[test]
fn among_two_hundred_silent_clients_one_is_served_at_once() -> Result<()> {
    let mut attacked = Attacked::new()?;
    let before = attacked.daemon.peak()?;
    let silent = (0..200).map(|_| attacked.daemon.connect()).collect::<Result<Vec<_>>>()?;
    let started = Instant::now();
    attacked.serves()?;
    ensure!(started.elapsed() < SOON, "after {:?}", started.elapsed());
    let grown = attacked.daemon.peak()? - before;
    ensure!(grown < 64 << 20, "{} MiB for 200 who say nothing", grown >> 20);
    drop(silent);
    attacked.serves()
}

/// Those who have greeted may be silent as long as they want: a build may take hours.
#[test]
fn among_two_hundred_who_greeted_one_is_served_at_once() -> Result<()> {
    let mut attacked = Attacked::new()?;
    let mut idle = Vec::new();
    for _ in 0..200 {
        let mut speech = Speech::with(&attacked.daemon)?;
        speech.say(GREETING)?;
        speech.is_spoken_to()?;
        idle.push(speech);
    }
    let started = Instant::now();
    attacked.serves()?;
    ensure!(started.elapsed() < SOON, "after {:?}", started.elapsed());
    Ok(())
}

/// `dune build -w` connects anew for each build and never ends a connection, so whoever saves a file a thousand times has a thousand
/// of them. Then there was room for nobody: the newest was turned away, and every build of every workspace failed with "premature
/// end of input".
#[test]
fn a_thousand_connections_that_are_not_used_any_more_make_room_for_the_next_build() -> Result<()> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?;
    let mut attacked = Attacked::new()?;
    let mut unused = Vec::new();
    for _ in 0..1100 {
        let mut speech = Speech::with(&attacked.daemon)?;
        speech.say(GREETING)?;
        speech.is_spoken_to()?;
        unused.push(speech);
    }
    for _ in 0..3 {
        attacked.serves()?;
    }
    Ok(())
}

/// Strangers are turned away where they are too many, and once that hit who had only just come: a client of Dune that is turned
/// away fails its build.
#[test]
fn who_comes_among_many_and_greets_is_served() -> Result<()> {
    let mut attacked = Attacked::new()?;
    let client = attacked.client()?;
    let mut coming = Vec::new();
    for number in 0..200 {
        let file = client.file(&format!("default/f{number}"), format!("of {number}\n").as_bytes())?;
        let key = next_key();
        coming.push((client.words(&[promotion(key, &[file])])?, key));
    }
    // All are there before the first says a word, as where many builds start at once on a machine that is busy with them.
    let speeches = coming.iter().map(|_| Speech::with(&attacked.daemon)).collect::<Result<Vec<_>>>()?;
    let mut speaking = Vec::new();
    for (mut speech, (words, key)) in speeches.into_iter().zip(coming) {
        speech.say(&words)?;
        speaking.push((speech, key));
    }
    for (number, (speech, key)) in speaking.into_iter().enumerate() {
        let heard = speech.end()?;
        ensure!(heard.len() == 1, "client {number} hears {heard:?}");
        ensure!(attacked.rule(key).exists(), "client {number} is not served");
    }
    attacked.serves()
}

/// Each promotion of a known content is answered, so who never reads fills the way back.
#[test]
fn who_never_reads_keeps_nobody() -> Result<()> {
    let mut attacked = Attacked::new()?;
    let client = attacked.client()?;
    let long = format!("default/{}", "n".repeat(200));
    let files = [client.file("default/a", b"unread\n")?, client.file(&long, b"unread\n")?];
    let mut words = client.words(&[promotion(next_key(), &files[..1])])?;
    for _ in 0..100 {
        Message::Promote(promotion(next_key(), &files[1..])).to_sexp(NEWEST)?.write_to(&mut words);
    }
    let mut stream = attacked.daemon.connect()?;
    stream.set_nonblocking(true)?;
    let (mut sent, until) = (0, Instant::now() + Duration::from_secs(10));
    // Until nothing goes any more: the daemon waits for us to read, or throws away what we do not.
    let mut stuck = 0;
    while Instant::now() < until && stuck < 50 {
        match stream.write(&words[sent % words.len()..]) {
            Ok(wrote) => (sent, stuck) = (sent + wrote, 0),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                stuck += 1;
                thread::sleep(Duration::from_millis(20));
            }
            Err(_) => break,
        }
    }
    attacked.serves()?;
    ensure!(
        sent > 1 << 20 && attacked.daemon.peak()? < 256 << 20,
        "{sent} bytes: {}",
        attacked.daemon.peak()?
    );
    ensure!(attacked.daemon.ends()? < SOON, "it waits for one who never reads");
    Ok(())
}

#[test]
fn a_client_that_is_killed_in_mid_promote_leaves_nothing_behind() -> Result<()> {
    let mut attacked = Attacked::new()?;
    let client = attacked.client()?;
    let key = next_key();
    let content = vec![7; 3_000_000];
    let file = client.file("default/large", &content)?;
    let words = client.words(&[promotion(key, &[file])])?;
    for cut in [words.len(), words.len() - 1, words.len() / 2] {
        // The shell's own sockets: a process that holds the connection, and dies with it.
        let port = attacked.daemon.endpoint().port();
        let script = format!("exec 3<>/dev/tcp/127.0.0.1/{port} && exec cat >&3");
        let mut child =
            Command::new("bash").args(["-c", &script]).stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
        let mut input = child.stdin.take().context("it has one")?;
        input.write_all(&words[..cut])?;
        input.flush()?;
        thread::sleep(Duration::from_millis(30));
        child.kill()?;
        child.wait()?;
        attacked.serves()?;
    }
    let whole = attacked.kept(file_digest(&content, false));
    let root = attacked.place.root();
    eventually("temporaries are gone", || {
        let names = fs::read_dir(&root)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        Ok(!names.collect::<Result<Vec<_>>>()?.iter().any(|name| name.starts_with("promoting")))
    })?;
    ensure!(!attacked.rule(key).exists() || fs::read(whole)? == content);
    attacked.serves()
}

/// Whatever single peers ask for, one after the other, the daemon needs no more memory than one of them may.
#[test]
fn memory_is_bounded() -> Result<()> {
    let mut attacked = Attacked::new()?;
    attacked.serves()?;
    let before = attacked.daemon.peak()?;
    let bombs: [(&[u8], &[u8]); 5] = [
        (b"", b"("),
        (b"2147483647:", b"a"),
        (b"(7:promote(3:key", b"(1:a)"),
        (
            b"(7:promote(3:key32:00000000000000000000000000000000)(5:files",
            b"(1:a32:00000000000000000000000000000000)",
        ),
        (b"(19:set-common-metadata", b"()"),
    ];
    for (beginning, rest) in bombs {
        let mut stream = attacked.daemon.connect()?;
        let part = rest.repeat((1 << 20) / rest.len());
        stream.write_all(&[GREETING, beginning].concat())?;
        let more = (0..100).take_while(|_| stream.write_all(&part).is_ok()).count();
        ensure!(more < 100, "{} is heard without end", beginning.escape_ascii());
        drop(stream);
        attacked.serves()?;
    }
    // Just within the limits, and whole: a rule of so many files, none of which is there.
    let client = attacked.client()?;
    let missing = vec![(PathBuf::from("a"), file_digest(b"", false)); 280_000];
    client.promotes(&attacked.daemon, &[promotion(next_key(), &missing)])?;
    attacked.serves()?;
    let grown = attacked.daemon.peak()? - before;
    ensure!(grown < 192 << 20, "{} MiB more", grown >> 20);
    Ok(())
}
