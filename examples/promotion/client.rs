//! A client that promotes and does nothing else.

use super::server::Server;
use anyhow::{Context as _, Result, ensure};
use reviver::dune::digest::{Content, Scheme};
use reviver::protocol::dune::{Command, Dedup, Duplication, FileDigest, NEWEST, Promotion, RuleKey};
use reviver::protocol::{Lang, Limits, Parser};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What is promoted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) count: usize,
    pub(crate) files: usize,
    pub(crate) size: usize,
}

/// How it went.
#[derive(Debug)]
pub(crate) struct Promoted {
    /// From the connection to its end.
    pub(crate) took: Duration,
    /// How many files were there already.
    pub(crate) dedups: usize,
}

impl Load {
    /// Makes files below a build root of their own and promotes all of them over one connection. The contents are the same
    /// whatever the root is called; the keys are not.
    pub(crate) fn promote(self, server: &Server, name: &str) -> Result<Promoted> {
        let root = server.path(name);
        fs::create_dir_all(root.join("default"))?;
        let mut bytes = greeting(&root)?;
        for number in 0..self.count {
            let files = (0..self.files).map(|file| self.file(&root, number * self.files + file));
            let promotion = Promotion {
                key: RuleKey::new(sixteen(name.len(), number)),
                files: files.collect::<Result<_>>()?,
                metadata: Vec::new(),
                repository: None,
                duplication: Some(Duplication::Hardlink),
            };
            promotion.to_sexp(NEWEST).write_to(&mut bytes);
        }
        let begun = Instant::now();
        let mut stream = TcpStream::connect(&server.endpoint)?;
        stream.write_all(&bytes)?;
        stream.shutdown(Shutdown::Write)?;
        let dedups = dedups(&mut stream)?;
        Ok(Promoted { took: begun.elapsed(), dedups })
    }

    fn file(self, root: &Path, number: usize) -> Result<(PathBuf, FileDigest)> {
        let path = Path::new("default").join(number.to_string());
        let content = number.to_string() + "\n";
        let content: Vec<u8> = content.bytes().cycle().take(self.size).collect();
        fs::write(root.join(&path), &content)?;
        Ok((path, Content::of(&content, 0o644).digest(Scheme::Joined)))
    }
}

/// How long the end of a client takes that was served and has been quiet since.
pub(crate) fn leave(server: &Server) -> Result<Duration> {
    let mut stream = TcpStream::connect(&server.endpoint)?;
    stream.write_all(&greeting(&server.path("quiet"))?)?;
    std::thread::sleep(Duration::from_millis(20));
    let begun = Instant::now();
    stream.shutdown(Shutdown::Write)?;
    dedups(&mut stream)?;
    Ok(begun.elapsed())
}

fn greeting(root: &Path) -> Result<Vec<u8>> {
    let lang = Lang { name: Lang::DUNE.to_owned(), versions: vec![NEWEST] };
    let mut bytes = lang.to_sexp().to_bytes();
    for command in [Command::SetBuildRoot(root.to_owned()), Command::SetRepos(Vec::new())] {
        command.to_sexp(NEWEST)?.write_to(&mut bytes);
    }
    Ok(bytes)
}

/// Reads to the end what the daemon says, and counts its dedups.
fn dedups(stream: &mut TcpStream) -> Result<usize> {
    let (mut parser, mut buffer, mut count) = (Parser::new(Limits::SESSION), vec![0; 64 << 10], 0);
    let mut greeted = false;
    loop {
        while let Some(message) = parser.next()? {
            if greeted {
                Dedup::from_sexp(&message)?;
                count += 1;
            } else {
                Lang::from_sexp(&message).context("the daemon's greeting")?;
                greeted = true;
            }
        }
        match stream.read(&mut buffer)? {
            0 => break,
            read => parser.feed(&buffer[..read]),
        }
    }
    parser.finish()?;
    ensure!(greeted, "the daemon did not greet");
    Ok(count)
}

fn sixteen(one: usize, other: usize) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&(one as u64).to_be_bytes());
    bytes[8..].copy_from_slice(&(other as u64).to_be_bytes());
    // Spread over the shards of the store, as Dune's keys are.
    bytes[0] = other as u8;
    bytes
}
