//! A daemon from its first to its last moment.

use super::clients::Clients;
use super::listen::{Listeners, Woken};
use super::shared::{Given, Shared};
use super::start::StartError;
use std::io;
use std::net::{Shutdown, TcpListener};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::time::Duration;

/// How long sessions have to finish what they are doing, and then to go.
const FINISH: Duration = Duration::from_millis(1200);
const GO: Duration = Duration::from_millis(600);

/// A daemon that listens.
#[derive(Debug)]
pub struct Daemon {
    shared: Arc<Shared>,
    listeners: Listeners,
    left: UnixStream,
}

impl Daemon {
    /// A daemon on these sockets.
    pub fn on(own: UnixListener, dune: Option<TcpListener>, given: Given) -> Result<Self, StartError> {
        let (left, wake) = UnixStream::pair().map_err(StartError::System)?;
        left.set_nonblocking(true).and_then(|()| wake.set_nonblocking(true)).map_err(StartError::System)?;
        let shared = Arc::new(Shared::new(given, Arc::new(Clients::new(wake))));
        Ok(Self { shared, listeners: Listeners::new(own, dune).map_err(StartError::System)?, left })
    }

    /// Serves until something can be read from `stop`.
    pub fn run(mut self, stop: &UnixStream) -> io::Result<()> {
        while self.listeners.wait(stop, &self.left, None, &self.shared)? != Woken::Stop {}
        let Self { shared, listeners, .. } = self;
        drop(listeners);
        shared.end();
        // Who waits for a message is at the end of them; who works on one finishes it.
        shared.clients.end(Shutdown::Read);
        if !shared.clients.wait(FINISH) {
            shared.clients.end(Shutdown::Both);
            if !shared.clients.wait(GO) {
                shared.log(format_args!("{} sessions did not end in time", shared.clients.len()));
            }
        }
        Ok(())
    }
}
