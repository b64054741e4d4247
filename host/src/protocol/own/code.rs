//! Why a request is not done: a closed list, of which a client needs to know no more than three kinds.
//!
//! | code | when | the client |
//! |---|---|---|
//! | `malformed` | the request has not this form | is to be mended |
//! | `duplicate` | its ID is in flight | is to be mended |
//! | `unknown-command` | this version has no such command | does without it |
//! | `no-repository` | no repository was named | is to be mended |
//! | `repository-named` | one was named already | connects once more for another |
//! | `settings` | the repository cannot be looked at, or its settings are wrong | tells its user; goes on uncached |
//! | `refused` | the operation has no key, for this reason | runs it uncached; nothing is wrong |
//! | `plugin` | a plugin may not be used, or is at fault | tells its user; runs the operation uncached |
//! | `unknown-operation` | no such operation is open | is to be mended, or derives it anew |
//! | `too-many` | 256 operations are open | records or forgets some first |
//! | `read-only` | the cache is only read | records no more |
//! | `store` | the cache cannot be read or written | tells its user; goes on uncached |
//! | `io` | a path of the client's cannot be read or written | does what it would do without a cache |
//! | `internal` | Reviver is at fault; the connection ends | tells its user; goes on uncached |

use std::fmt;

/// Why a request is not done.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Code {
    /// The request has not this form.
    Malformed,
    /// Its ID is in flight.
    Duplicate,
    /// There is no such command.
    UnknownCommand,
    /// No repository was named.
    NoRepository,
    /// One was named already.
    RepositoryNamed,
    /// The repository cannot be looked at, or its settings are wrong.
    Settings,
    /// The operation has no key.
    Refused,
    /// A plugin may not be used, or is at fault.
    Plugin,
    /// No such operation is open.
    UnknownOperation,
    /// Too many operations are open.
    TooMany,
    /// The cache is only read.
    ReadOnly,
    /// The cache cannot be read or written.
    Store,
    /// A path of the client's cannot be read or written.
    Io,
    /// Reviver is at fault.
    Internal,
}

impl Code {
    /// All there are.
    pub const ALL: [Self; 14] = [
        Self::Malformed,
        Self::Duplicate,
        Self::UnknownCommand,
        Self::NoRepository,
        Self::RepositoryNamed,
        Self::Settings,
        Self::Refused,
        Self::Plugin,
        Self::UnknownOperation,
        Self::TooMany,
        Self::ReadOnly,
        Self::Store,
        Self::Io,
        Self::Internal,
    ];

    /// What it is on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Duplicate => "duplicate",
            Self::UnknownCommand => "unknown-command",
            Self::NoRepository => "no-repository",
            Self::RepositoryNamed => "repository-named",
            Self::Settings => "settings",
            Self::Refused => "refused",
            Self::Plugin => "plugin",
            Self::UnknownOperation => "unknown-operation",
            Self::TooMany => "too-many",
            Self::ReadOnly => "read-only",
            Self::Store => "store",
            Self::Io => "io",
            Self::Internal => "internal",
        }
    }

    /// The code with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.name() == name)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
