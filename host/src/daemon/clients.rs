//! Who is connected.
//!
//! Each connection has a thread, and a [`Client`] here as long as the thread runs. Those who have not greeted are strangers: only
//! so many of them are kept, and the oldest goes when one more comes. So whoever connects and says nothing takes no place from
//! those who do.
//!
//! | somebody comes | |
//! |---|---|
//! | fewer strangers than [`STRANGERS`], or all of them came just [now](NEW) | is let in |
//! | as many | is let in, and the oldest stranger's socket is ended |
//! | [`MOST`] connections altogether | the client of Dune's that said nothing for longest goes, or else the older half of the strangers; nobody is taken from the queue of the system before |
//!
//! A client of Dune that is turned away fails its build, so those who may be about to greet are not, as long as there is room. One
//! that has greeted goes on without a cache, and many do not even notice: `dune build -w` connects anew for each build, and ends no
//! connection before it ends itself.

use super::peer::Socket as _;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// So many connections that have not greeted are kept: more than builds start at once on a machine that is busy with them, where
/// greeting may take longer than is [new](NEW).
pub const STRANGERS: usize = 512;

/// Who came so lately may be about to greet.
pub const NEW: Duration = Duration::from_secs(1);

/// So many connections are served at once.
pub const MOST: usize = 1000;

/// Which language is spoken on a connection.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// Dune's.
    Dune,
    /// Our own.
    Own,
}

/// A second handle of a connection, by which it can be ended.
#[derive(Debug)]
pub enum Handle {
    /// Of Dune's endpoint.
    Tcp(TcpStream),
    /// Of our own.
    Unix(UnixStream),
}

impl Handle {
    fn end(&self, which: Shutdown) {
        // Who has gone needs no ending.
        match self {
            Self::Tcp(socket) => socket.end(which).ok(),
            Self::Unix(socket) => socket.end(which).ok(),
        };
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Tcp(_) => Kind::Dune,
            Self::Unix(_) => Kind::Own,
        }
    }
}

#[derive(Debug)]
struct Open {
    handle: Handle,
    since: Instant,
    is_stranger: bool,
    /// When it last said something, of one that has greeted and may be ended for another.
    heard: Option<Instant>,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    open: BTreeMap<u64, Open>,
    /// Clients that ever greeted.
    greeted: u64,
}

/// All that are connected.
#[derive(Debug)]
pub struct Clients {
    state: Mutex<State>,
    left: Condvar,
    /// Wakes whoever accepts connections.
    wake: UnixStream,
}

impl Clients {
    /// Nobody; `wake`, which must not block, gets a byte whenever somebody leaves.
    #[must_use]
    pub fn new(wake: UnixStream) -> Self {
        Self { state: Mutex::default(), left: Condvar::new(), wake }
    }

    /// Lets somebody in.
    #[must_use]
    pub fn enter(self: &Arc<Self>, handle: Handle) -> Client {
        let mut state = self.state();
        let mut strangers = state.open.values().filter(|open| open.is_stranger);
        let is_old = strangers.next().is_some_and(|oldest| oldest.since.elapsed() > NEW);
        if is_old && strangers.count() + 1 >= STRANGERS {
            turn_one_away(&mut state);
        }
        let id = state.next;
        state.next += 1;
        state.open.insert(id, Open { handle, since: Instant::now(), is_stranger: true, heard: None });
        Client { id, clients: Arc::clone(self) }
    }

    /// Ends the connections of the older half of the strangers, or of the only one. Whether there were any.
    pub fn turn_half_away(&self) -> bool {
        let mut state = self.state();
        let half = state.open.values().filter(|open| open.is_stranger).count().div_ceil(2);
        (0..half).filter(|_| turn_one_away(&mut state)).count() > 0
    }

    /// Ends the connection of the client of Dune's that said nothing for longest, if that is not just [now](NEW). Which one it was.
    pub fn end_longest_silent(&self) -> Option<u64> {
        let mut state = self.state();
        let silent = state.open.iter_mut().filter_map(|(id, open)| Some((open.heard?, *id, open)));
        let (heard, id, open) = silent.min_by_key(|(heard, id, _)| (*heard, *id))?;
        if heard.elapsed() < NEW {
            return None;
        }
        open.handle.end(Shutdown::Both);
        // Or it would be the same one again until it has left.
        open.heard = None;
        Some(id)
    }

    /// How many are connected, strangers too.
    #[must_use]
    pub fn len(&self) -> usize {
        self.state().open.len()
    }

    /// Whether nobody is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many of one language are connected.
    #[must_use]
    pub fn of(&self, kind: Kind) -> usize {
        self.state().open.values().filter(|open| open.handle.kind() == kind).count()
    }

    /// How many have ever greeted.
    #[must_use]
    pub fn greeted(&self) -> u64 {
        self.state().greeted
    }

    /// Ends one direction of the connections of those who have greeted, or both.
    pub fn end_greeted(&self, which: Shutdown) {
        let state = self.state();
        state.open.values().filter(|open| !open.is_stranger).for_each(|open| open.handle.end(which));
    }

    /// The same for all connections.
    pub fn end(&self, which: Shutdown) {
        self.state().open.values().for_each(|open| open.handle.end(which));
    }

    /// Waits until nobody is connected, but not longer than this. Whether that is so.
    #[must_use]
    pub fn wait(&self, time: Duration) -> bool {
        let until = Instant::now() + time;
        let mut state = self.state();
        while !state.open.is_empty() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self.left.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// Wakes whoever waits for connections.
    pub fn wake(&self) {
        // One that finds no room finds others before it.
        (&self.wake).write_all(&[0]).ok();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing is half done where a thread could end.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the connection of the oldest stranger, whose thread leaves then. Whether there was one.
fn turn_one_away(state: &mut State) -> bool {
    let oldest = state.open.values_mut().find(|open| open.is_stranger);
    oldest.is_some_and(|open| {
        open.handle.end(Shutdown::Both);
        // Or it would be the oldest again until it has left.
        open.is_stranger = false;
        true
    })
}

/// One connection, as long as this is kept.
#[derive(Debug)]
pub struct Client {
    id: u64,
    clients: Arc<Clients>,
}

impl Client {
    /// Its number: the how many-th connection it is, from nought.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Says that it has greeted, and is no stranger any more.
    pub fn greeted(&self) {
        let mut state = self.clients.state();
        state.greeted += 1;
        if let Some(open) = state.open.get_mut(&self.id) {
            open.is_stranger = false;
        }
    }

    /// Says that it is in use, and that there is no harm but to its cache where it has to go for another.
    pub fn heard(&self) {
        if let Some(open) = self.clients.state().open.get_mut(&self.id) {
            open.heard = Some(Instant::now());
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.clients.state().open.remove(&self.id);
        self.clients.left.notify_all();
        self.clients.wake();
    }
}
