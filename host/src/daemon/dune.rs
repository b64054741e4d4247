//! Dune's protocol on a connection.

use super::clients::Client;
use super::peer::{Peer, PeerError};
use super::shared::Shared;
use crate::protocol::Lang;
use crate::protocol::dune::NEWEST;
use std::net::TcpStream;
use std::sync::Arc;

/// Speaks with a client until it leaves, or the daemon ends.
pub(super) fn serve(stream: TcpStream, client: &Client, shared: &Arc<Shared>) -> Result<(), PeerError> {
    let mut peer = Peer::new(stream);
    let lang = Lang { name: Lang::DUNE.to_owned(), versions: vec![NEWEST] };
    peer.greet(&lang, shared.given.patience)?;
    client.greeted();
    while peer.message()?.is_some() {}
    Ok(())
}
