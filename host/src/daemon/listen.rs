//! Taking connections, each into a thread of its own.
//!
//! One thread waits: for connections, for somebody to leave, for the end. It reads nothing of what a peer says, so no peer can
//! keep it from the next one.
//!
//! | accepting a connection | then |
//! |---|---|
//! | gives one | a thread greets it and serves it |
//! | gives none, since the peer went again | the next one |
//! | fails for want of descriptors or memory | the client of Dune's that was silent for longest goes, or else the older half of the strangers, and nobody is taken until they have gone |
//!
//! Where no thread can be had the connection is closed. A panic in a session is told in the log, and ends that session.

use super::clients::{Client, Handle, MOST};
use super::peer::PeerError;
use super::shared::Shared;
use super::{dune, own};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::any::Any;
use std::io::{self, Read as _};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long nobody is taken after there was no room: while those go who were ended for it, and where there are none.
const SOME_GO: Duration = Duration::from_millis(10);
const OTHERS_GO: Duration = Duration::from_millis(200);

/// So often it is told that there is no room.
const TOLD: Duration = Duration::from_mins(1);

/// The sockets that are listened on.
#[derive(Debug)]
pub(super) struct Listeners {
    own: UnixListener,
    dune: Option<TcpListener>,
    /// Nobody is taken before.
    paused: Option<Instant>,
    /// When it was last told that there is no room.
    told: Option<Instant>,
}

/// Why the waiting thread went on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Woken {
    /// The daemon is to end.
    Stop,
    /// Somebody came or left, or the time is over.
    Other,
}

impl Listeners {
    /// Over these sockets, which must not block any more.
    pub(super) fn new(own: UnixListener, dune: Option<TcpListener>) -> io::Result<Self> {
        own.set_nonblocking(true)?;
        dune.as_ref().map_or(Ok(()), |dune| dune.set_nonblocking(true))?;
        Ok(Self { own, dune, paused: None, told: None })
    }

    /// Waits until something happens, and at most so long; lets in who came. Without a `stop` nothing ends the wait early.
    pub(super) fn wait(
        &mut self,
        stop: Option<&UnixStream>,
        left: &UnixStream,
        time: Option<Duration>,
        shared: &Arc<Shared>,
    ) -> io::Result<Woken> {
        if self.paused.is_some_and(|until| until <= Instant::now()) {
            self.paused = None;
        }
        if self.paused.is_none() && shared.clients.len() >= MOST {
            self.pause(shared);
        }
        let is_open = self.paused.is_none();
        let pause = self.paused.map(|until| until.saturating_duration_since(Instant::now()));
        let time = [time, pause].into_iter().flatten().min();
        let stop = stop.unwrap_or(left);
        let mut waited = vec![PollFd::new(left, PollFlags::IN), PollFd::new(stop, PollFlags::IN)];
        if is_open {
            waited.push(PollFd::from_borrowed_fd(self.own.as_fd(), PollFlags::IN));
            waited.extend(self.dune.as_ref().map(|dune| PollFd::new(dune, PollFlags::IN)));
        }
        let time = time.map(|time| Timespec {
            tv_sec: time.as_secs().cast_signed(),
            tv_nsec: i64::from(time.subsec_nanos()),
        });
        match poll(&mut waited, time.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let is_ready = |index: usize| waited.get(index).is_some_and(|fd| !fd.revents().is_empty());
        let (anybody_left, is_stop, own, dune) = (is_ready(0), is_ready(1), is_ready(2), is_ready(3));
        if anybody_left {
            // As many as left since then are one.
            while matches!((&*left).read(&mut [0; 256]), Ok(256)) {}
        }
        if is_stop && !std::ptr::eq(stop, left) {
            return Ok(Woken::Stop);
        }
        if own {
            let came = self.own.accept().map(|(stream, _)| stream);
            self.take(came, shared, enter_own);
        }
        if dune && let Some(listener) = &self.dune {
            let came = listener.accept().map(|(stream, _)| stream);
            self.take(came, shared, enter_dune);
        }
        Ok(Woken::Other)
    }

    fn take<S>(
        &mut self,
        came: io::Result<S>,
        shared: &Arc<Shared>,
        enter: fn(S, &Arc<Shared>) -> io::Result<()>,
    ) {
        let entered = match came {
            Ok(stream) => enter(stream, shared),
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted => {
                    Ok(())
                }
                _ => Err(error),
            },
        };
        if let Err(error) = entered {
            if self.told.is_none_or(|told| told.elapsed() > TOLD) {
                shared.log(format_args!("cannot take a connection: {error}"));
                self.told = Some(Instant::now());
            }
            self.pause(shared);
        }
    }

    /// Takes nobody before somebody had time to go.
    fn pause(&mut self, shared: &Shared) {
        let pause = if make_room(shared) { SOME_GO } else { OTHERS_GO };
        self.paused = Some(Instant::now() + pause);
    }
}

fn enter_own(stream: UnixStream, shared: &Arc<Shared>) -> io::Result<()> {
    let client = shared.clients.enter(Handle::Unix(again(shared, || stream.try_clone())?));
    start(client, shared, move |client, shared| own::serve(stream, client, shared))
}

fn enter_dune(stream: TcpStream, shared: &Arc<Shared>) -> io::Result<()> {
    // Where there is no store nobody listens.
    let Some(store) = shared.given.dune.clone() else { return Ok(()) };
    stream.set_nodelay(true)?;
    let client = shared.clients.enter(Handle::Tcp(again(shared, || stream.try_clone())?));
    start(client, shared, move |client, shared| dune::serve(stream, store, client, shared))
}

/// Ends somebody who needs it least. Whether there was anybody.
fn make_room(shared: &Shared) -> bool {
    if let Some(id) = shared.clients.end_longest_silent() {
        shared.log(format_args!("client {id} is let go, for there is no room: it was silent for longest"));
        return true;
    }
    shared.clients.turn_half_away()
}

/// Does what wants one more descriptor. Whoever was taken with the last one shall not be let go for that.
fn again<T>(shared: &Shared, get: impl Fn() -> io::Result<T>) -> io::Result<T> {
    for _ in 0..20 {
        match get() {
            Err(_) if make_room(shared) => std::thread::sleep(SOME_GO),
            got => return got,
        }
    }
    get()
}

fn start<F>(client: Client, shared: &Arc<Shared>, serve: F) -> io::Result<()>
where
    F: FnOnce(&Client, &Arc<Shared>) -> Result<(), PeerError> + Send + 'static,
{
    let shared = Arc::clone(shared);
    let session = move || {
        let id = client.id();
        match catch_unwind(AssertUnwindSafe(|| serve(&client, &shared))) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => shared.log(format_args!("client {id}: {error}")),
            Err(panic) => shared.log(format_args!("client {id}: the session broke: {}", said(&*panic))),
        }
    };
    std::thread::Builder::new().name("session".to_owned()).spawn(session).map(drop)
}

/// What a panic said.
fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a word")
}
