//! Talking to a daemon.

use crate::peer::{Daemon, LONG};
use anyhow::{Context as _, Result, bail};
use reviver::protocol::{Limits, Parser, Sexp};
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

/// The greeting of a client of Dune 2.6 to 2.9.
pub(crate) const GREETING: &[u8] = b"(4:lang19:dune-cache-protocol(1:11:2))";

/// A connection, and what came over it.
pub(crate) struct Speech {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Speech {
    pub(crate) fn with(daemon: &Daemon) -> Result<Self> {
        Ok(Self { stream: daemon.connect()?, received: Vec::new() })
    }

    /// Sends bytes. That the other side has closed is no error: what it did is looked at later.
    pub(crate) fn say(&mut self, bytes: &[u8]) -> Result<()> {
        match self.stream.write_all(bytes) {
            Err(error) if !is_closed(&error) => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Says that nothing more comes, and hears the rest. Gives all values that ever came.
    pub(crate) fn end(mut self) -> Result<Vec<Sexp>> {
        match self.stream.shutdown(Shutdown::Write) {
            Err(error) if !is_closed(&error) && error.kind() != io::ErrorKind::NotConnected => {
                return Err(error.into());
            }
            _ => {}
        }
        if !self.hear(LONG)? {
            bail!("it does not close: {}", self.received.escape_ascii());
        }
        values(&self.received)
    }

    /// Listens so long at the most. True if the other side has closed.
    pub(crate) fn hear(&mut self, time: Duration) -> Result<bool> {
        let until = Instant::now() + time;
        let mut part = [0; 4096];
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(false);
            }
            self.stream.set_read_timeout(Some(left))?;
            match self.stream.read(&mut part) {
                Ok(0) => return Ok(true),
                Ok(read) => self.received.extend_from_slice(&part[..read]),
                Err(error) if is_closed(&error) => return Ok(true),
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted
                    ) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Waits until something has come, without taking it: who goes then goes with a reset, since nobody has read it.
    pub(crate) fn is_spoken_to(&self) -> Result<()> {
        self.stream.set_read_timeout(Some(LONG))?;
        self.stream.peek(&mut [0]).context("a word")?;
        Ok(())
    }
}

fn is_closed(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    matches!(error.kind(), BrokenPipe | ConnectionReset | ConnectionAborted)
}

/// All values of these bytes.
pub(crate) fn values(bytes: &[u8]) -> Result<Vec<Sexp>> {
    let mut parser = Parser::new(Limits::SESSION);
    parser.feed(bytes);
    let mut found = Vec::new();
    while let Some(value) = parser.next()? {
        found.push(value);
    }
    parser.finish()?;
    Ok(found)
}
