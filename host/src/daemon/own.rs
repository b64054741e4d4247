//! Our own protocol on a connection.

use super::clients::Client;
use super::peer::{Peer, PeerError};
use super::shared::Shared;
use crate::protocol::{Lang, Version};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

/// Speaks with a client until it leaves, or the daemon ends.
pub(super) fn serve(stream: UnixStream, client: &Client, shared: &Arc<Shared>) -> Result<(), PeerError> {
    let mut peer = Peer::new(stream);
    let lang = Lang { name: "reviver".to_owned(), versions: vec![Version::new(1, 0)] };
    peer.greet(&lang, shared.given.patience)?;
    client.greeted();
    while peer.message()?.is_some() {}
    Ok(())
}
