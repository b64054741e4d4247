//! A client of the daemon, for build systems in Rust: see [`protocol::own`](crate::protocol::own) for what can be asked.
//!
//! # Model
//!
//! A [`Client`] is one connection, of one thread at a time. The simple methods ask one thing and wait for its answer. With
//! [`send`](Client::send) several requests are in flight; [`receive`](Client::receive) gives what is answered next, and
//! [`wait`](Client::wait) what one of them is answered, keeping the answers to others until they are waited for.
//!
//! | | when |
//! |---|---|
//! | an answer | it is done |
//! | [`ClientError::Refused`] | the daemon says why not; the connection lives on |
//! | any other error | the connection is of no further use; a build goes on without a cache |
//!
//! Requests are sent with the next `receive` or `wait` at the latest. Who asks a great many without hearing any answer waits for
//! ever: the daemon reads no more than it is heard.
//!
//! ```no_run
//! use reviver::client::Client;
//! use reviver::key::Name;
//! use reviver::protocol::own::reply::Revived;
//! use reviver::protocol::own::request::{Destination, Record, Revive, Which};
//! use std::path::Path;
//!
//! let mut client = Client::connect(Path::new("/run/user/1000/reviver/socket"))?;
//! client.repository(Path::new("/home/me/work"))?;
//!
//! let name = Name::new("parser-tables")?;
//! let revive = Revive {
//!     which: Which::Name(name.clone()),
//!     to: Destination::Each(vec!["gen/tables.c".into()]),
//!     umask: None,
//! };
//! if let Revived::No(_) = client.revive(revive)? {
//!     // … generate gen/tables.c …
//!     let files = vec!["gen/tables.c".into()];
//!     client.record(Record { name, metadata: b"by hand".to_vec(), files, root: None })?;
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod methods;

pub use error::ClientError;

use crate::protocol::own::fields::Fields;
use crate::protocol::own::reply::Answer;
use crate::protocol::own::{Id, Malformed, Reply, Request, greeting};
use crate::protocol::{Lang, Limits, Parser, Sexp, Version};
use std::collections::{HashMap, HashSet};
use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;

/// Answers hold what was recorded, which is a little less than they are.
const LIMITS: Limits = Limits { atom: 128 << 20, depth: 64, value: 512 << 20 };

/// As many bytes of requests are sent at once.
const AT_ONCE: usize = 64 << 10;

/// A request that was sent.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Ticket(u64);

/// A connection to the daemon.
#[derive(Debug)]
pub struct Client {
    socket: UnixStream,
    parser: Parser,
    buffer: Box<[u8]>,
    outgoing: Vec<u8>,
    version: Version,
    last: u64,
    /// Requests that were not answered yet.
    open: HashSet<Ticket>,
    /// Answers that were not waited for yet.
    kept: HashMap<Ticket, Reply>,
}

impl Client {
    /// Connects to the daemon that listens at `socket`, and greets it.
    pub fn connect(socket: &Path) -> Result<Self, ClientError> {
        UnixStream::connect(socket).map_err(ClientError::Io).and_then(Self::over)
    }

    /// Greets over a socket that is connected. Its time limits, where it has any, hold for every answer.
    pub fn over(socket: UnixStream) -> Result<Self, ClientError> {
        let mut client = Self {
            socket,
            parser: Parser::new(LIMITS),
            buffer: vec![0; AT_ONCE].into(),
            outgoing: greeting().to_sexp().to_bytes(),
            version: crate::protocol::own::VERSION,
            last: 0,
            open: HashSet::new(),
            kept: HashMap::new(),
        };
        let theirs = client.message()?;
        let theirs = Lang::from_sexp(&theirs).map_err(ClientError::Lang)?;
        client.version = greeting().settle(&theirs).map_err(ClientError::Lang)?;
        Ok(client)
    }

    /// The version that is spoken.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// Asks, without waiting for the answer.
    pub fn send(&mut self, request: &Request) -> Result<Ticket, ClientError> {
        self.last += 1;
        let ticket = Ticket(self.last);
        request.to_sexp(&ticket.id()).write_to(&mut self.outgoing);
        self.open.insert(ticket);
        if self.outgoing.len() >= AT_ONCE {
            self.flush()?;
        }
        Ok(ticket)
    }

    /// Sends what was asked so far.
    pub fn flush(&mut self) -> Result<(), ClientError> {
        self.socket.write_all(&self.outgoing).map_err(ClientError::Io)?;
        self.outgoing.clear();
        Ok(())
    }

    /// What is answered next, whichever request it is to. [`answer`] says what is in it.
    pub fn receive(&mut self) -> Result<(Ticket, Reply), ClientError> {
        if let Some(ticket) = self.kept.keys().next().copied()
            && let Some(reply) = self.kept.remove(&ticket)
        {
            return Ok((ticket, reply));
        }
        self.next()
    }

    /// The answer to one request, which is given once.
    pub fn wait<A: Answer>(&mut self, ticket: Ticket) -> Result<A, ClientError> {
        if let Some(reply) = self.kept.remove(&ticket) {
            return answer(reply);
        }
        if !self.open.contains(&ticket) {
            return Err(ClientError::Answered);
        }
        loop {
            let (other, reply) = self.next()?;
            if other == ticket {
                return answer(reply);
            }
            self.kept.insert(other, reply);
        }
    }

    /// Asks, and waits for the answer.
    pub fn ask<A: Answer>(&mut self, request: &Request) -> Result<A, ClientError> {
        let ticket = self.send(request)?;
        self.wait(ticket)
    }

    fn next(&mut self) -> Result<(Ticket, Reply), ClientError> {
        let (id, reply) = Reply::of(self.message()?).map_err(ClientError::Malformed)?;
        let ticket = Sexp::Atom(id).as_number().map(Ticket);
        match (ticket, reply) {
            (Some(ticket), reply) if self.open.remove(&ticket) => Ok((ticket, reply)),
            // It could not tell what this is the answer to.
            (None, Reply::Error { code, message }) => Err(ClientError::Refused { code, message }),
            (Some(_), _) | (None, Reply::Ok(_)) => {
                Err(ClientError::Malformed(Malformed::because("a reply to nobody")))
            }
        }
    }

    fn message(&mut self) -> Result<Sexp, ClientError> {
        self.flush()?;
        loop {
            if let Some(message) = self.parser.next().map_err(ClientError::Parse)? {
                return Ok(message);
            }
            match self.socket.read(&mut self.buffer) {
                Ok(0) => return Err(ClientError::Gone),
                Ok(read) => self.parser.feed(&self.buffer[..read]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(ClientError::Io(error)),
            }
        }
    }
}

impl Ticket {
    fn id(self) -> Id {
        Id::new(self.0.to_string().as_bytes()).expect("invariant: a number has 1 to 20 digits")
    }
}

/// What a reply says. Fields of newer versions are passed over.
pub fn answer<A: Answer>(reply: Reply) -> Result<A, ClientError> {
    match reply {
        Reply::Ok(fields) => {
            let answer = Fields::of(fields).and_then(|mut fields| A::of(&mut fields));
            answer.map_err(ClientError::Malformed)
        }
        Reply::Error { code, message } => Err(ClientError::Refused { code, message }),
    }
}
