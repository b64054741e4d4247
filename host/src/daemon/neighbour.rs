//! Whose process is at the other end of a connection on this machine.
//!
//! Anybody here may connect to Dune's endpoint, and whoever may promote decides what later builds of its user take for the results
//! of their rules. Dune's own daemon takes anybody. The system knows the owner of each socket, and is asked for that one
//! (`sock_diag(7)`; `/proc/net/tcp` is read in pieces, and may miss one while others come and go):
//!
//! | the system says of the peer's socket | the peer is |
//! |---|---|
//! | it is this user's, or root's, who may do everything anyway | [`Whose::Trusted`] |
//! | it is another user's | [`Whose::Another`] |
//! | it is no process's any more, or there is none | [`Whose::Gone`] |
//! | nothing for want of descriptors, for two seconds | [`Whose::Gone`] |
//! | nothing, since it cannot be asked | [`Whose::Trusted`], as ever: there is nothing to tell it by |
//!
//! This is asked before we greet. A client says nothing more than its greeting before it has ours, so it is still there.

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, send, socket_with,
};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::Duration;

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

/// How often it is asked where descriptors are short, and with which pause.
const TRIES: u32 = 200;
const PAUSE: Duration = Duration::from_millis(10);

/// Numbers of `linux/netlink.h`, `linux/sock_diag.h` and `linux/inet_diag.h`.
const ERROR: u16 = 2;
const BY_FAMILY: u16 = 20;
const REQUEST: u16 = 1;
const ABSENT: i32 = -2;
const INET: u8 = 2;
const TCP: u8 = 6;
const LISTENING: u8 = 10;

/// Where things are in an answer: after its header of 16 bytes a `struct inet_diag_msg`, or a number.
const STATE: usize = 17;
const OWNER: usize = 16 + 64;
const INODE: usize = 16 + 68;

/// Who is at the other end of a connection to this user's daemon.
pub(super) fn of(stream: &TcpStream, user: u32) -> Whose {
    let (Ok(ours), Ok(theirs)) = (stream.local_addr(), stream.peer_addr()) else { return Whose::Gone };
    let Some(question) = question(theirs, ours) else { return Whose::Trusted };
    for _ in 0..TRIES {
        match asked(&question) {
            Ok(answer) => return told(&answer, user),
            // Or who takes all descriptors would be trusted.
            Err(Errno::MFILE | Errno::NFILE) => std::thread::sleep(PAUSE),
            Err(_) => return Whose::Trusted,
        }
    }
    Whose::Gone
}

/// The question for the socket at one end of a connection.
fn question(from: SocketAddr, to: SocketAddr) -> Option<Vec<u8>> {
    let (IpAddr::V4(from_ip), IpAddr::V4(to_ip)) = (from.ip(), to.ip()) else { return None };
    let mut question = Vec::with_capacity(72);
    question.extend(72_u32.to_ne_bytes());
    question.extend(BY_FAMILY.to_ne_bytes());
    question.extend(REQUEST.to_ne_bytes());
    // Number of the question, and of who asks: one question for each socket.
    question.extend([0; 8]);
    question.extend([INET, TCP, 0, 0]);
    // In any state.
    question.extend([0xff; 4]);
    question.extend(from.port().to_be_bytes());
    question.extend(to.port().to_be_bytes());
    for ip in [from_ip, to_ip] {
        question.extend(ip.octets());
        question.extend([0; 12]);
    }
    // On any interface, with any cookie.
    question.extend([0; 4]);
    question.extend([0xff; 8]);
    Some(question)
}

fn asked(question: &[u8]) -> rustix::io::Result<Vec<u8>> {
    let (kind, flags) = (SocketType::DGRAM, SocketFlags::CLOEXEC);
    let socket = socket_with(AddressFamily::NETLINK, kind, flags, Some(netlink::SOCK_DIAG))?;
    send(&socket, question, SendFlags::empty())?;
    let mut answer = vec![0; 4096];
    // The kernel answers within the question.
    let (length, _) = recv(&socket, answer.as_mut_slice(), RecvFlags::DONTWAIT)?;
    answer.truncate(length);
    Ok(answer)
}

fn told(answer: &[u8], user: u32) -> Whose {
    let number =
        |at: usize| answer.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map(u32::from_ne_bytes);
    let kind = answer.get(4..6).and_then(|bytes| bytes.try_into().ok()).map(u16::from_ne_bytes);
    match (kind, number(OWNER), number(INODE)) {
        (Some(ERROR), ..) if number(16).map(u32::cast_signed) == Some(ABSENT) => Whose::Gone,
        // Where no connection is found, one that only listens there is told.
        (Some(BY_FAMILY), Some(_), Some(_)) if answer[STATE] == LISTENING => Whose::Gone,
        (Some(BY_FAMILY), Some(_), Some(0)) => Whose::Gone,
        (Some(BY_FAMILY), Some(owner), Some(_)) if owner == user || owner == 0 => Whose::Trusted,
        (Some(BY_FAMILY), Some(owner), Some(_)) => Whose::Another(owner),
        _ => Whose::Trusted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn answer(kind: u16, state: u8, owner: u32, inode: u32) -> Vec<u8> {
        let mut answer = vec![0; 88];
        answer[4..6].copy_from_slice(&kind.to_ne_bytes());
        answer[STATE] = state;
        answer[OWNER..OWNER + 4].copy_from_slice(&owner.to_ne_bytes());
        answer[INODE..INODE + 4].copy_from_slice(&inode.to_ne_bytes());
        answer
    }

    #[test]
    fn only_this_user_and_root_are_trusted_where_it_can_be_told() {
        let said = |state, owner, inode| told(&answer(BY_FAMILY, state, owner, inode), 1000);
        assert_eq!(said(1, 1000, 7), Whose::Trusted);
        assert_eq!(said(5, 1000, 7), Whose::Trusted, "it has half closed");
        assert_eq!(said(1, 0, 7), Whose::Trusted);
        assert_eq!(said(1, 1001, 7), Whose::Another(1001));
        assert_eq!(said(5, 0, 0), Whose::Gone, "it is closed");
        assert_eq!(said(LISTENING, 1000, 7), Whose::Gone);
        let mut absent = answer(ERROR, 0, 0, 0);
        absent[16..20].copy_from_slice(&ABSENT.to_ne_bytes());
        assert_eq!(told(&absent, 1000), Whose::Gone);
        assert_eq!(told(&answer(ERROR, 0, 0, 0), 1000), Whose::Trusted, "it cannot be asked");
        assert_eq!(told(&[], 1000), Whose::Trusted);
    }

    #[test]
    fn a_peer_of_this_process_is_this_users_until_it_goes() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, _) = listener.accept().unwrap();
        let question = question(stream.peer_addr().unwrap(), stream.local_addr().unwrap()).unwrap();
        if let Err(error) = asked(&question) {
            assert_eq!(of(&stream, 12345), Whose::Trusted, "it cannot be asked: {error}");
            return;
        }
        let user = rustix::process::geteuid().as_raw();
        assert_eq!(of(&stream, user), Whose::Trusted);
        if user != 0 {
            assert_eq!(of(&stream, user + 1), Whose::Another(user));
        }
        drop(peer);
        assert_eq!(of(&stream, user), Whose::Gone);
    }
}
