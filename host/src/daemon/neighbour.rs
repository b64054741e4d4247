//! Whose process is at the other end of a connection on this machine.
//!
//! Anybody here may connect to Dune's endpoint, and whoever may promote decides what later builds of its user take for the results
//! of their rules. Dune's own daemon takes anybody. The system knows the owner of each socket (proc(5), `/proc/net/tcp`):
//!
//! | the table | the peer is |
//! |---|---|
//! | lists its socket as one of this user's, or of root's, who may do everything anyway | trusted |
//! | lists it as another user's | [`Whose::Another`] |
//! | lists it without an inode, as it does when its process has closed it, or only our end | [`Whose::Gone`]: it cannot be told |
//! | cannot be read, or does not list our own end | trusted, as ever: there is nothing to tell it by |
//!
//! This is asked before we greet. A client says nothing more than its greeting before it has ours, so it is still there.

use std::net::{IpAddr, SocketAddr, TcpStream};

/// Who is at the other end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Whose {
    /// One who may promote.
    Trusted,
    /// Another user.
    Another(u32),
    /// Nobody any more.
    Gone,
}

/// Who is at the other end of a connection to this user's daemon.
pub(super) fn of(stream: &TcpStream, user: u32) -> Whose {
    let (Ok(ours), Ok(theirs)) = (stream.local_addr(), stream.peer_addr()) else { return Whose::Gone };
    let tables =
        ["/proc/net/tcp", "/proc/net/tcp6"].map(|path| std::fs::read_to_string(path).unwrap_or_default());
    told(&tables, ours, theirs, user)
}

fn told(tables: &[String], ours: SocketAddr, theirs: SocketAddr, user: u32) -> Whose {
    let (Some(ours), Some(theirs)) = (written(ours), written(theirs)) else { return Whose::Trusted };
    let mut is_listed = false;
    for line in tables.iter().flat_map(|table| table.lines()) {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let (Some(local), Some(remote)) = (fields.next(), fields.next()) else { continue };
        // Addresses of the older kind end those of the newer one.
        let is = |from: &str, to: &str| local.ends_with(from) && remote.ends_with(to);
        is_listed |= is(&ours, &theirs);
        if is(&theirs, &ours) {
            let owner = fields.nth(4).and_then(|owner| owner.parse().ok());
            return match (owner, fields.nth(1)) {
                (None, _) | (_, None | Some("0")) => Whose::Gone,
                (Some(owner), _) if owner == user || owner == 0 => Whose::Trusted,
                (Some(owner), _) => Whose::Another(owner),
            };
        }
    }
    if is_listed { Whose::Gone } else { Whose::Trusted }
}

/// An address as the table has it: the number of its four bytes in this machine's order, and the port.
fn written(address: SocketAddr) -> Option<String> {
    match address.ip() {
        IpAddr::V4(ip) => Some(format!("{:08X}:{:04X}", u32::from_ne_bytes(ip.octets()), address.port())),
        IpAddr::V6(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    const OURS: &str = "127.0.0.1:8080";
    const THEIRS: &str = "127.0.0.1:40000";

    fn seen(lines: &[(&str, &str, u32, u32)]) -> Whose {
        let table = lines.iter().enumerate().map(|(number, (local, remote, owner, inode))| {
            let [local, remote] = [local, remote].map(|address| written(address.parse().unwrap()).unwrap());
            format!(
                " {number}: {local} {remote} 01 00000000:00000000 00:00000000 00000000 {owner} 0 {inode} 1\n"
            )
        });
        let header = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n";
        let table = std::iter::once(header.to_owned()).chain(table).collect();
        told(&[table, String::new()], OURS.parse().unwrap(), THEIRS.parse().unwrap(), 1000)
    }

    #[test]
    fn only_this_user_and_root_are_trusted_where_it_can_be_told() {
        let ours = (OURS, THEIRS, 1000, 7);
        assert_eq!(seen(&[ours, (THEIRS, OURS, 1000, 8)]), Whose::Trusted);
        assert_eq!(seen(&[ours, (THEIRS, OURS, 0, 8)]), Whose::Trusted);
        assert_eq!(seen(&[ours, (THEIRS, OURS, 1001, 8)]), Whose::Another(1001));
        assert_eq!(seen(&[ours, (THEIRS, OURS, 0, 0)]), Whose::Gone);
        assert_eq!(seen(&[ours]), Whose::Gone);
        assert_eq!(seen(&[]), Whose::Trusted);
        assert_eq!(seen(&[("127.0.0.1:1", "127.0.0.1:2", 1001, 9)]), Whose::Trusted);
    }

    #[test]
    fn a_peer_of_this_process_is_this_users() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, _) = listener.accept().unwrap();
        let user = rustix::process::geteuid().as_raw();
        assert_eq!(of(&stream, user), Whose::Trusted);
        if user != 0 {
            assert_eq!(of(&stream, user + 1), Whose::Another(user));
        }
        drop(peer);
    }
}
