//! Dune's protocol on a connection.
//!
//! | the client | then |
//! |---|---|
//! | is [another user's](super::neighbour) | is let go, without a word; the log says so |
//! | greets in time | both speak the smaller minor of version 1 |
//! | does not, or in another language | is let go; the log says so |
//! | sends messages | all that came are done, in order, and answered with one write |
//! | sends what is no message of its version, or a promotion that cannot be stored | that is refused and logged; the session goes on |
//! | sends what is no value at all | what came before is answered, and it is let go |
//! | is silent | nothing, while there is room: a build may think for hours |
//! | ends what it sends | the rest is done and answered, and the connection closed at once: a build waits for that |
//! | does not read its answers | is let go after [`UNREAD`] |

use super::annotate::Annotator;
use super::clients::Client;
use super::neighbour::{self, Whose};
use super::peer::{Peer, PeerError};
use super::shared::Shared;
use crate::dune::DuneStore;
use crate::dune::note::Note;
use crate::dune::session::Session;
use crate::protocol::dune::{Command, NEWEST};
use crate::protocol::{Lang, Sexp, Version};
use std::fmt;
use std::io::Read as _;
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// How long a client may leave its answers unread once the system has no room for more.
const UNREAD: Duration = Duration::from_mins(1);

/// Answers are sent when they are so many bytes, even if more is to be done.
const ENOUGH: usize = 64 << 10;

/// So many lines of the log are one client's.
const LINES: u64 = 100;

/// Speaks with a client until it leaves, or the daemon ends.
pub(super) fn serve(
    stream: TcpStream,
    store: Arc<DuneStore>,
    client: &Client,
    shared: &Arc<Shared>,
) -> Result<(), PeerError> {
    match neighbour::of(&stream, rustix::process::geteuid().as_raw()) {
        Whose::Trusted => {}
        Whose::Another(user) => return Err(PeerError::Stranger(user)),
        Whose::Gone => return Err(PeerError::Gone),
    }
    let mut peer = Peer::new(stream);
    let lang = Lang { name: Lang::DUNE.to_owned(), versions: vec![NEWEST] };
    let version = peer.greet(&lang, shared.given.patience)?;
    client.greeted();
    client.heard();
    peer.socket().set_write_timeout(Some(UNREAD)).map_err(PeerError::Io)?;
    let annotator = Box::new(Annotator::new(shared, client.id()));
    let session = Session::new(store, version, Box::new(shared.given.now), Some(annotator));
    let mut talk = Talk { peer, session, version, client, shared, answers: Vec::new(), lines: 0 };
    let done = talk.all();
    let Talk { peer, session, .. } = talk;
    // What it had on its way goes before the client does, which takes no time.
    drop(session);
    close(peer.socket(), shared);
    // What ends together with the daemon may end within a message.
    if shared.is_ending() { Ok(()) } else { done }
}

struct Talk<'a> {
    peer: Peer<TcpStream>,
    session: Session,
    version: Version,
    client: &'a Client,
    shared: &'a Shared,
    answers: Vec<u8>,
    lines: u64,
}

impl Talk<'_> {
    fn all(&mut self) -> Result<(), PeerError> {
        while !self.shared.is_ending() {
            let message = match self.peer.waiting() {
                Ok(None) => {
                    self.send()?;
                    self.peer.message()
                }
                come => come,
            };
            match message {
                Ok(Some(message)) => self.take(&message)?,
                Ok(None) => break,
                Err(error) => {
                    self.send()?;
                    return Err(error);
                }
            }
        }
        self.send()
    }

    fn take(&mut self, message: &Sexp) -> Result<(), PeerError> {
        self.client.heard();
        let command = match Command::from_sexp(message, self.version) {
            Ok(command) => command,
            Err(error) => {
                self.shared.counts.refused.add(1);
                self.tell(&error);
                return Ok(());
            }
        };
        let counts = &self.shared.counts;
        let files = match &command {
            Command::Promote(promotion) => Some(promotion.files.len()),
            _ => None,
        };
        let answer = self.session.take(command);
        let is_refused = answer.notes.iter().any(|note| matches!(note, Note::Refused { .. }));
        match files {
            Some(_) if is_refused => counts.refused.add(1),
            Some(files) => {
                counts.promoted.add(1);
                counts.files.add(files.saturating_sub(answer.dedups.len()) as u64);
                counts.deduplicated.add(answer.dedups.len() as u64);
            }
            None => {}
        }
        for note in &answer.notes {
            self.tell(note);
        }
        for dedup in &answer.dedups {
            dedup.to_sexp(self.version).write_to(&mut self.answers);
        }
        if self.answers.len() >= ENOUGH { self.send() } else { Ok(()) }
    }

    fn send(&mut self) -> Result<(), PeerError> {
        if !self.answers.is_empty() {
            self.peer.send(&self.answers).map_err(PeerError::Io)?;
            self.answers.clear();
        }
        Ok(())
    }

    fn tell(&mut self, what: &dyn fmt::Display) {
        self.lines += 1;
        match self.lines {
            ..LINES => self.shared.log(format_args!("client {}: {what}", self.client.id())),
            LINES => self.shared.log(format_args!("client {}: further notes are left out", self.client.id())),
            _ => {}
        }
    }
}

/// Closes the connection. What the client has sent and nobody read would make an error of that at its end, which real clients
/// print; so in the daemon's own end it is read, for a moment.
fn close(mut socket: &TcpStream, shared: &Shared) {
    // Who has gone needs no closing.
    if !shared.is_ending() {
        socket.shutdown(Shutdown::Both).ok();
        return;
    }
    socket.shutdown(Shutdown::Write).ok();
    socket.set_read_timeout(Some(Duration::from_millis(50))).ok();
    let mut buffer = [0; 16 << 10];
    for _ in 0..64 {
        if !matches!(socket.read(&mut buffer), Ok(read) if read > 0) {
            break;
        }
    }
}
