//! Messages in, replies out.
//!
//! | what comes | goes |
//! |---|---|
//! | a request | its reply, when it is done |
//! | a request whose ID is in flight | an error with that ID |
//! | a message without an ID, bytes that are no message | an error with an empty ID; then nothing more is read |
//! | a panic of ours | `internal`; then nothing more is read |
//! | the end | what is in flight is finished and answered; then the socket is closed |

use super::answer::{self, Done};
use super::crew::{Crew, Pass, Turn};
use super::refusal::Refused;
use super::repository::Bench;
use super::session::Session;
use crate::daemon::peer::{Peer, PeerError};
use crate::daemon::shared::Shared;
use crate::protocol::Sexp;
use crate::protocol::own::request;
use crate::protocol::own::{Code, Id, Reply, Request};
use std::collections::HashSet;
use std::io::Write as _;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, Scope};

/// A connection, which several threads serve.
pub(super) struct Connection<'a> {
    session: Session<'a>,
    peer: Mutex<Peer<UnixStream>>,
    replies: Mutex<UnixStream>,
    in_flight: Mutex<HashSet<Id>>,
    crew: Crew,
    failed: Mutex<Option<PeerError>>,
}

impl<'a> Connection<'a> {
    /// With a peer that has greeted, and another handle of its socket.
    pub(super) fn new(peer: Peer<UnixStream>, replies: UnixStream, shared: &'a Arc<Shared>) -> Self {
        Self {
            session: Session::new(shared),
            peer: Mutex::new(peer),
            replies: Mutex::new(replies),
            in_flight: Mutex::default(),
            crew: Crew::new(),
            failed: Mutex::default(),
        }
    }

    /// Reads and answers, in turns with the other threads, until there is nothing more to read.
    pub(super) fn work<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>) {
        let mut bench = None;
        while let Some(mut turn) = self.crew.turn() {
            while turn.is_held() {
                let next = lock(&self.peer).message();
                match next {
                    Ok(Some(message)) => self.take(message, &mut bench, &mut || self.pass(&mut turn, scope)),
                    Ok(None) => return self.crew.end(),
                    Err(error) => {
                        self.reply(&Id::none(), Reply::error(Code::Malformed, error.to_string()));
                        *lock(&self.failed) = Some(error);
                        return self.crew.end();
                    }
                }
                if self.crew.is_ended() {
                    return;
                }
            }
        }
    }

    /// Lets another thread read.
    fn pass<'scope>(&'scope self, turn: &mut Turn<'_>, scope: &'scope Scope<'scope, '_>) {
        if !turn.pass() {
            return;
        }
        let more = Builder::new().name("request".to_owned()).spawn_scoped(scope, move || self.work(scope));
        if more.is_err() {
            // Then the next message waits until this one is done.
            self.crew.lacks_one();
        }
    }

    /// Closes the connection. Errors: why it was not the client who did.
    pub(super) fn end(self) -> Result<(), PeerError> {
        let Self { session, replies, failed, .. } = self;
        // First: who hears that the connection ended may count on the locks being free.
        drop(session);
        // Somebody else may have a handle of the socket still.
        lock(&replies).shutdown(Shutdown::Both).ok();
        failed.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
    }

    fn take(&self, message: Sexp, bench: &mut Option<Bench>, pass: &mut Pass<'_>) {
        self.session.shared.counts.requests.add(1);
        let Ok((id, request)) = request::read(message) else {
            let words = "a request begins with an id of 1 to 64 bytes";
            self.reply(&Id::none(), Reply::error(Code::Malformed, words));
            return self.crew.end();
        };
        if !lock(&self.in_flight).insert(id.clone()) {
            return self.reply(&id, Reply::error(Code::Duplicate, "a request with this id is in flight"));
        }
        let done = match request {
            Ok(request) => self.answer(request, bench, pass),
            Err((code, words)) => Done::from(Reply::error(code, words)),
        };
        // Before the client can know that the ID is free.
        lock(&self.in_flight).remove(&id);
        self.reply(&id, done.reply);
        if let (Some(size), Some(ready)) = (done.grown, bench.as_ref()) {
            let trim = || super::upkeep::trim_when_due(&self.session, ready, size);
            if catch_unwind(AssertUnwindSafe(trim)).is_err() {
                self.session.shared.log(format_args!("a trim broke"));
                *bench = None;
            }
        }
    }

    fn answer(&self, request: Request, bench: &mut Option<Bench>, pass: &mut Pass<'_>) -> Done {
        let command = request.command();
        let answered = catch_unwind(AssertUnwindSafe(|| answer::answer(&self.session, request, bench, pass)));
        match answered {
            Ok(Ok(done)) => done,
            Ok(Err(Refused { code, words })) => Done::from(Reply::error(code, words)),
            Err(_) => {
                // What it left half done is not used any more.
                *bench = None;
                self.session.shared.log(format_args!("`{command}` broke"));
                self.crew.end();
                lock(&self.replies).shutdown(Shutdown::Read).ok();
                Done::from(Reply::error(Code::Internal, "reviver broke over this request"))
            }
        }
    }

    /// Sends a reply, all of it before any other.
    fn reply(&self, id: &Id, reply: Reply) {
        let bytes = reply.into_sexp(id).to_bytes();
        // Who does not want to hear it leaves, which shows where it is read.
        lock(&self.replies).write_all(&bytes).ok();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // After a panic the connection ends; until then what is there is whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
