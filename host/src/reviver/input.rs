//! Standard input as an ingredient.
//!
//! | standard input | asked for nothing | `none` | `read` |
//! |---|---|---|---|
//! | the derivation says `unused` | left alone | left alone | left alone |
//! | closed, `/dev/null` | nothing | nothing | nothing |
//! | a regular file | its content from its offset on | nothing | its content |
//! | a pipe, a socket, a terminal | uncached, with that reason | nothing | read to its end, then handed to the command |

use super::execute::ChildInput;
use super::value::Value;
use crate::digest::Digest;
use crate::identity::Identity;
use crate::operation::Input;
use rustix::fs::{FileType, fstat};
use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd};

/// What the user says of standard input.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum InputRule {
    /// Nothing: what it is decides.
    #[default]
    Auto,
    /// The command does not get any.
    None,
    /// All of it is read and is an ingredient.
    Read,
}

/// Why there is no key with this standard input.
#[derive(Debug)]
pub enum InputDoubt {
    /// Its content cannot be known before it is read.
    Unknown(&'static str),
    /// Reading it failed.
    Unread(io::Error),
}

impl std::fmt::Display for InputDoubt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unknown(what) => write!(f, "standard input is {what}; say --stdin=none or --stdin=read"),
            Self::Unread(error) => write!(f, "cannot read standard input: {error}"),
        }
    }
}

impl std::error::Error for InputDoubt {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unread(error) => Some(error),
            Self::Unknown(_) => None,
        }
    }
}

/// The value of standard input, and what the command gets for it. A regular file is left where it stands.
pub fn resolve(
    stdin: Option<BorrowedFd<'_>>,
    input: Input,
    rule: InputRule,
) -> Result<(Value, ChildInput), InputDoubt> {
    let Some(stdin) = stdin else { return Ok((Value::Absent, ChildInput::Null)) };
    if input == Input::Unused {
        return Ok((Value::Absent, ChildInput::Inherit));
    }
    if rule == InputRule::None {
        return Ok((Value::Absent, ChildInput::Null));
    }
    let Ok(stat) = fstat(stdin) else { return Ok((Value::Absent, ChildInput::Inherit)) };
    let what = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => {
            return content_from_here(stdin)
                .map(|value| (value, ChildInput::Inherit))
                .map_err(InputDoubt::Unread);
        }
        FileType::CharacterDevice if is_null(stat.st_rdev) => {
            return Ok((Value::Absent, ChildInput::Inherit));
        }
        FileType::CharacterDevice => "a terminal or another device",
        FileType::Fifo => "a pipe",
        FileType::Socket => "a socket",
        _ => "neither a file nor a pipe",
    };
    if rule == InputRule::Read {
        read_all(stdin).map_err(InputDoubt::Unread)
    } else {
        Err(InputDoubt::Unknown(what))
    }
}

/// A regular file that is standard input, and where it is read from.
#[derive(Debug)]
pub(super) struct Standing {
    offset: u64,
    identity: Identity,
}

impl Standing {
    /// Standard input as it stands; `None` where it is no regular file.
    pub(super) fn of(stdin: BorrowedFd<'_>) -> Option<Self> {
        let identity = identity(stdin)?;
        let offset = rustix::fs::tell(stdin).ok()?;
        identity.is_file().then_some(Self { offset, identity })
    }

    /// Whether it is still the same file with this value.
    pub(super) fn holds(&self, stdin: BorrowedFd<'_>, value: Value) -> bool {
        identity(stdin) == Some(self.identity)
            && content_from(stdin, self.offset).is_ok_and(|now| now == value)
    }
}

fn identity(stdin: BorrowedFd<'_>) -> Option<Identity> {
    let file = File::from(stdin.try_clone_to_owned().ok()?);
    file.metadata().ok().map(|metadata| Identity::of(&metadata))
}

fn is_null(device: u64) -> bool {
    (rustix::fs::major(device), rustix::fs::minor(device)) == (1, 3)
}

fn content_from_here(stdin: BorrowedFd<'_>) -> io::Result<Value> {
    content_from(stdin, rustix::fs::tell(stdin)?)
}

fn content_from(stdin: BorrowedFd<'_>, mut offset: u64) -> io::Result<Value> {
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 65536];
    loop {
        match rustix::io::pread(stdin, &mut buffer, offset) {
            Ok(0) => return Ok(Value::Other(Digest::new(*hasher.finalize().as_bytes()))),
            Ok(read) => {
                hasher.update(&buffer[..read]);
                offset += read as u64;
            }
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn read_all(stdin: BorrowedFd<'_>) -> io::Result<(Value, ChildInput)> {
    let mut copy = tempfile::tempfile()?;
    let mut hasher = blake3::Hasher::new();
    let mut reader = File::from(stdin.as_fd().try_clone_to_owned()?);
    let mut buffer = vec![0; 65536];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => {
                hasher.update(&buffer[..read]);
                copy.write_all(&buffer[..read])?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    copy.rewind()?;
    Ok((Value::Other(Digest::new(*hasher.finalize().as_bytes())), ChildInput::File(copy)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_regular_file_counts_from_its_offset_on() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"headbody").unwrap();
        file.seek(io::SeekFrom::Start(4)).unwrap();
        let (value, _) = resolve(Some(file.as_fd()), Input::Read, InputRule::Auto).unwrap();
        assert_eq!(value, Value::of(b"body"));
        assert_eq!(file.stream_position().unwrap(), 4);
    }

    #[test]
    fn a_pipe_is_known_only_after_it_was_read() {
        let (reader, mut writer) = io::pipe().unwrap();
        writer.write_all(b"words").unwrap();
        drop(writer);
        assert!(matches!(
            resolve(Some(reader.as_fd()), Input::Read, InputRule::Auto),
            Err(InputDoubt::Unknown("a pipe"))
        ));
        let (value, input) = resolve(Some(reader.as_fd()), Input::Read, InputRule::Read).unwrap();
        assert_eq!(value, Value::of(b"words"));
        let ChildInput::File(mut file) = input else { panic!("the command gets what was read") };
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "words");
    }

    #[test]
    fn nothing_is_nothing() {
        let null = File::open("/dev/null").unwrap();
        let (value, _) = resolve(Some(null.as_fd()), Input::Read, InputRule::Auto).unwrap();
        assert_eq!(value, Value::Absent);
        let (reader, _writer) = io::pipe().unwrap();
        for (input, rule) in [(Input::Unused, InputRule::Auto), (Input::Read, InputRule::None)] {
            assert_eq!(resolve(Some(reader.as_fd()), input, rule).unwrap().0, Value::Absent);
        }
        let none = resolve(None, Input::Read, InputRule::Read).unwrap();
        assert!(matches!(none, (Value::Absent, ChildInput::Null)), "{none:?}");
    }
}
