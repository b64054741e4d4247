//! A daemon from its first to its last moment.
//!
//! ```text
//! open      lock and socket of our own; Dune's port files claimed, its socket listened on
//! publish   clients find it
//! run       connections are taken
//! withdraw  clients find it no more; who already knows where it is is still taken for a moment
//! end       sessions finish what they do, and are ended where they do not; the lock goes with the process
//! ```
//!
//! | told to end | ends |
//! |---|---|
//! | by a byte from `stop` | within two seconds, whatever its clients do |
//! | by its lock being gone from its place, which is seen when it wakes up | the same: nobody would find it |
//! | by being left, where it [leaves](Setup::leaves) then | when the last client has left, or none came within [`GRACE`] |

use super::background::Background;
use super::clients::Clients;
use super::listen::{Listeners, Woken};
use super::prepare::prepare;
use super::publish::{Claimed, Published, Withdrawn};
use super::shared::{Given, Shared};
use super::socket::{Bound, Place};
use super::start::StartError;
use super::status::Status;
use serde_json::json;
use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a daemon that leaves waits for its first client.
pub const GRACE: Duration = Duration::from_mins(1);

/// How long somebody is still taken who read where we listen before that was withdrawn.
const LATE: Duration = Duration::from_millis(150);

/// How long connections have in the end to greet, sessions to finish what they are doing, and those that were ended to go.
const GREET: Duration = Duration::from_millis(250);
const FINISH: Duration = Duration::from_millis(800);
const GO: Duration = Duration::from_millis(600);

/// Where a daemon is, and how long it stays.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Our own socket.
    pub place: Place,
    /// Where Dune's clients look, if they are served.
    pub ports: Vec<PathBuf>,
    /// Whose daemon it is.
    pub user: u32,
    /// Whether it ends when its last client leaves.
    pub leaves: bool,
}

/// A daemon that can be found.
#[derive(Debug)]
pub struct Daemon {
    shared: Arc<Shared>,
    listeners: Listeners,
    left: UnixStream,
    bound: Bound,
    dune: Option<SocketAddr>,
    published: Option<Published>,
    withdrawn: Option<Withdrawn>,
    /// Whether a port file is gone and cannot be made again yet, which was told.
    is_hindered: bool,
    status: Status,
    leaves: bool,
}

impl Daemon {
    /// Listens, and lets clients know. Without a store of Dune's its clients are not served.
    pub fn open(setup: Setup, given: Given) -> Result<Self, StartError> {
        let bound = setup.place.bind(setup.user)?;
        let socket = bound.place().socket().to_owned();
        match Self::behind(bound, &setup.ports, setup.leaves, given) {
            Ok(daemon) => Ok(daemon),
            Err(error) => {
                // It would tell of one that listens.
                std::fs::remove_file(socket).ok();
                Err(error)
            }
        }
    }

    fn behind(bound: Bound, ports: &[PathBuf], leaves: bool, given: Given) -> Result<Self, StartError> {
        let socket = bound.place().socket().to_owned();
        let failed = |what| StartError::system(what, &socket);
        let started = (given.now)();
        let (mut dune, mut listener, mut published) = (None, None, None);
        let (left, wake) = UnixStream::pair().map_err(failed("listen on"))?;
        left.set_nonblocking(true).and_then(|()| wake.set_nonblocking(true)).map_err(failed("listen on"))?;
        let shared = Arc::new(Shared::new(given, Arc::new(Clients::new(wake))));
        if shared.given.dune.is_some() {
            prepare(&shared);
            let claimed = Claimed::all(ports)?;
            let listening = TcpListener::bind(("127.0.0.1", 0)).map_err(failed("listen beside"))?;
            let address = listening.local_addr().map_err(failed("listen beside"))?;
            published = Some(claimed.publish(address)?);
            (dune, listener) = (Some(address), Some(listening));
        }
        let own = bound.listener.try_clone().map_err(failed("listen on"))?;
        let listeners = Listeners::new(own, listener).map_err(failed("listen on"))?;
        let fixed = json!({
            "pid": std::process::id(),
            "since": started.0,
            "socket": socket.to_string_lossy(),
            "dune": dune.map(|address| address.to_string()),
            "ports": ports.iter().map(|path| path.to_string_lossy()).collect::<Vec<_>>(),
        });
        let mut status = Status::at(bound.place().status(), fixed);
        status.refresh(&shared);
        let (withdrawn, is_hindered) = (None, false);
        Ok(Self { shared, listeners, left, bound, dune, published, withdrawn, is_hindered, status, leaves })
    }

    /// Our own socket.
    #[must_use]
    pub fn place(&self) -> &Place {
        self.bound.place()
    }

    /// Where Dune's clients are served.
    #[must_use]
    pub fn dune(&self) -> Option<SocketAddr> {
        self.dune
    }

    /// Serves until something can be read from `stop`, or everybody left.
    pub fn run(mut self, stop: &UnixStream, background: Background) -> io::Result<()> {
        background.start(&self.shared)?;
        let served = self.serve(stop);
        self.withdraw();
        // Whoever just read where we listen would fail to build if nobody greeted.
        let late = Instant::now() + LATE;
        self.shared.end();
        self.shared.clients.end_greeted(Shutdown::Read);
        while let Some(left) = left_until(late) {
            self.listeners.wait(None, &self.left, Some(left), &self.shared)?;
        }
        let Self { shared, listeners, bound, withdrawn, status, .. } = self;
        drop(listeners);
        if !shared.clients.wait(GREET) {
            while shared.clients.turn_half_away() {}
            if !shared.clients.wait(FINISH) {
                shared.clients.end(Shutdown::Both);
                if !shared.clients.wait(GO) {
                    shared.log(format_args!("{} sessions did not end in time", shared.clients.len()));
                }
            }
        }
        if bound.renew() {
            status.remove();
        }
        // The locks say that we run, so they go last.
        drop((withdrawn, bound));
        served
    }

    fn serve(&mut self, stop: &UnixStream) -> io::Result<()> {
        let (mut until, mut served) = (Instant::now() + GRACE, 0);
        loop {
            let mut waits = [self.status.refresh(&self.shared), None];
            if self.leaves && self.shared.clients.is_empty() {
                let greeted = self.shared.clients.greeted();
                if greeted != served {
                    // Whoever read where we are before this is served before the end.
                    self.withdraw();
                    (until, served) = (Instant::now() + LATE, greeted);
                }
                waits[1] = left_until(until);
                if waits[1].is_none() {
                    return Ok(());
                }
            }
            let wait = waits.into_iter().flatten().min();
            if self.listeners.wait(Some(stop), &self.left, wait, &self.shared)? == Woken::Stop {
                return Ok(());
            }
            if !self.renew() {
                return Ok(());
            }
        }
    }

    /// Takes our locks once more, which clients may have made us drop. Whether we are still the daemon.
    fn renew(&mut self) -> bool {
        if self.published.as_ref().is_some_and(|published| !published.renew()) {
            // What the files say is another daemon's by now.
            self.published = None;
            self.shared.log(format_args!("another daemon serves Dune's clients now"));
        }
        if !self.bound.renew() {
            self.shared.log(format_args!("this place is another daemon's now, or was cleared away"));
            return false;
        }
        if let (Some(published), Some(address)) = (&mut self.published, self.dune) {
            let hindered = published.restore(address).err();
            if let Some(error) = hindered.as_ref().filter(|_| !self.is_hindered) {
                self.shared.log(format_args!("Dune's clients cannot find the daemon: {error}"));
            }
            self.is_hindered = hindered.is_some();
        }
        self.status.is_found = self.published.is_some() && !self.is_hindered;
        true
    }

    /// Lets nobody find us any more.
    fn withdraw(&mut self) {
        if let Some(published) = self.published.take() {
            let (withdrawn, done) = published.withdraw();
            self.withdrawn = Some(withdrawn);
            if let Err(error) = done {
                self.shared.log(format_args!("cannot empty a port file: {error}"));
            }
        }
        if !self.bound.renew() {
            return;
        }
        match self.bound.withdraw() {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                self.shared.log(format_args!("cannot remove the socket: {error}"));
            }
            _ => {}
        }
    }
}

fn left_until(time: Instant) -> Option<Duration> {
    Some(time.saturating_duration_since(Instant::now())).filter(|left| !left.is_zero())
}
