//! Our own protocol on a connection: [`protocol::own`](crate::protocol::own) says what is said.
//!
//! | module | is |
//! |---|---|
//! | `connection` | messages in, replies out |
//! | `crew` | which thread of a connection reads |
//! | `session` | what the requests of a connection are about |
//! | `repository` | what a client named, and what each thread has of it |
//! | `answer` | a request, and who answers it |
//! | `entries` | entries with keys of the client's own |
//! | `globs` | what operations read by globs, as it comes and goes |
//! | `operations` | operations that the repository's plugins name |
//! | `table` | those that are not closed |
//! | `upkeep` | hashes, statistics, trims |
//! | `refusal` | why there is no answer |
//!
//! # Laws
//!
//! * What a client says costs at most itself: memory is bounded by the limits of a message, the size of the crew, and the number of
//!   operations that may be open.
//! * Nothing of a connection outlives it: no open operation, no lock, no file of a report.
//! * A request that may take long lets the next one be read; one after another, quick ones cost no change of threads.
//! * The cache, a plugin, a path at fault are replies, never the end of a connection; a panic is the end of this one alone.

mod answer;
mod connection;
mod crew;
mod entries;
mod globs;
mod operations;
mod refusal;
mod repository;
mod session;
mod table;
mod upkeep;

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "in a test it is the assertion")]
mod tests;

use super::clients::Client;
use super::peer::{Peer, PeerError};
use super::shared::Shared;
use crate::protocol::own::greeting;
use connection::Connection;
use rustix::net::sockopt::socket_peercred;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread::scope;

/// Speaks with a client until it leaves, or the daemon ends.
pub(super) fn serve(stream: UnixStream, client: &Client, shared: &Arc<Shared>) -> Result<(), PeerError> {
    // The directory of the socket keeps others away already, unless somebody opened it to them.
    let other = socket_peercred(&stream).map_err(|error| PeerError::Io(error.into()))?.uid;
    if other != rustix::process::geteuid() {
        shared.log(format_args!("client {}: it is the user {} and turned away", client.id(), other.as_raw()));
        return Ok(());
    }
    let replies = stream.try_clone().map_err(PeerError::Io)?;
    let mut peer = Peer::new(stream);
    peer.greet(&greeting(), shared.given.patience)?;
    client.greeted();
    let connection = Connection::new(peer, replies, shared);
    scope(|scope| connection.work(scope));
    connection.end()
}
