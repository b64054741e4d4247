//! One connection: whole messages in and out, with a time limit where the peer has to say something.

use crate::protocol::version::LangError;
use crate::protocol::{Lang, Limits, ParseError, Parser, Sexp, Version};
use std::fmt;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// A connected socket of either kind.
pub trait Socket: Read + Write + Send {
    /// How long a read waits before it fails; `None` for ever.
    fn wait_at_most(&self, time: Option<Duration>) -> io::Result<()>;

    /// Ends one direction, or both.
    fn end(&self, which: Shutdown) -> io::Result<()>;
}

impl Socket for TcpStream {
    fn wait_at_most(&self, time: Option<Duration>) -> io::Result<()> {
        self.set_read_timeout(time)
    }

    fn end(&self, which: Shutdown) -> io::Result<()> {
        self.shutdown(which)
    }
}

impl Socket for UnixStream {
    fn wait_at_most(&self, time: Option<Duration>) -> io::Result<()> {
        self.set_read_timeout(time)
    }

    fn end(&self, which: Shutdown) -> io::Result<()> {
        self.shutdown(which)
    }
}

/// Why nothing more comes of a peer.
#[derive(Debug)]
#[non_exhaustive]
pub enum PeerError {
    /// It sent what is no message.
    Parse(ParseError),
    /// Its greeting is none of ours.
    Lang(LangError),
    /// It did not greet in time.
    Silent(Duration),
    /// It went away before it greeted.
    Gone,
    /// It is another user's, who has no business here.
    Stranger(u32),
    /// The system said so.
    Io(io::Error),
}

impl fmt::Display for PeerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parse(error) => error.fmt(f),
            Self::Lang(error) => error.fmt(f),
            Self::Silent(time) => write!(f, "no greeting within {} s", time.as_secs_f32()),
            Self::Gone => f.write_str("the peer left without a greeting"),
            Self::Stranger(user) => write!(f, "the peer belongs to the user with number {user}"),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for PeerError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Parse(error) => Some(error),
            Self::Lang(error) => Some(error),
            Self::Io(error) => Some(error),
            Self::Silent(_) | Self::Gone | Self::Stranger(_) => None,
        }
    }
}

/// A peer, and what it sent that nobody has taken yet.
#[derive(Debug)]
pub struct Peer<S> {
    socket: S,
    parser: Parser,
    buffer: Box<[u8]>,
}

impl<S: Socket> Peer<S> {
    /// A peer that has said nothing.
    #[must_use]
    pub fn new(socket: S) -> Self {
        Self { socket, parser: Parser::new(Limits::GREETING), buffer: vec![0; 64 << 10].into() }
    }

    /// Greets, waits for the peer's greeting so long and no longer, however slowly its bytes come, and settles on a version.
    pub fn greet(&mut self, ours: &Lang, patience: Duration) -> Result<Version, PeerError> {
        self.send(&ours.to_sexp().to_bytes()).map_err(PeerError::Io)?;
        let until = Instant::now() + patience;
        let theirs = loop {
            if let Some(value) = self.parser.next().map_err(PeerError::Parse)? {
                break Lang::from_sexp(&value).map_err(PeerError::Lang)?;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(PeerError::Silent(patience));
            }
            self.socket.wait_at_most(Some(left)).map_err(PeerError::Io)?;
            match self.fill() {
                Ok(0) => return Err(PeerError::Gone),
                Ok(_) => {}
                Err(error) if is_late(&error) => return Err(PeerError::Silent(patience)),
                Err(error) => return Err(PeerError::Io(error)),
            }
        };
        let version = ours.settle(&theirs).map_err(PeerError::Lang)?;
        self.parser.set_limits(Limits::SESSION);
        self.socket.wait_at_most(None).map_err(PeerError::Io)?;
        Ok(version)
    }

    /// The next message; `None` at the end of what the peer sends.
    pub fn message(&mut self) -> Result<Option<Sexp>, PeerError> {
        loop {
            if let Some(value) = self.parser.next().map_err(PeerError::Parse)? {
                return Ok(Some(value));
            }
            if self.fill().map_err(PeerError::Io)? == 0 {
                self.parser.finish().map_err(PeerError::Parse)?;
                return Ok(None);
            }
        }
    }

    /// The next message that came already, without waiting for more.
    pub fn waiting(&mut self) -> Result<Option<Sexp>, PeerError> {
        self.parser.next().map_err(PeerError::Parse)
    }

    /// Sends bytes, all of them.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.socket.write_all(bytes)
    }

    /// The socket.
    pub fn socket(&self) -> &S {
        &self.socket
    }

    fn fill(&mut self) -> io::Result<usize> {
        let read = loop {
            match self.socket.read(&mut self.buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        self.parser.feed(&self.buffer[..read]);
        Ok(read)
    }
}

fn is_late(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}
