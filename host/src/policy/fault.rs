//! Faults: what can go wrong in a plugin, as types and never as texts to be searched.

use crate::digest::Digest;
use std::fmt;

/// What a plugin is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Role {
    /// Derives keys.
    Key,
    /// Encodes metadata.
    Metadata,
    /// Scores candidates for eviction.
    Eviction,
}

impl Role {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::Key, Self::Metadata, Self::Eviction];

    /// The role with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// The name of the role, as in the names of the contract's worlds.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Metadata => "metadata",
            Self::Eviction => "eviction",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A plugin that did not do its part. An operation never fails through one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The plugin's name in the repository.
    pub plugin: String,
    /// The digest of its component.
    pub digest: Digest,
    /// What it was asked for.
    pub role: Role,
    /// The function that was called; empty where none was.
    pub function: &'static str,
    /// What went wrong.
    pub kind: FaultKind,
}

/// What went wrong in a plugin. Each has a [code](FaultKind::code) that does not change between versions.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum FaultKind {
    /// The component cannot be read, is none, or cannot be compiled.
    Load(String),
    /// It was built for another version of the contract or for another role.
    Abi {
        /// What the host looked for.
        expected: String,
        /// What the component exports.
        found: String,
    },
    /// It imports what no plugin may have.
    Import(String),
    /// It used up its instructions.
    Fuel {
        /// How many it may use in one call.
        limit: u64,
    },
    /// It ran for too long by the clock on the wall.
    Time {
        /// How many milliseconds it may run.
        limit: u64,
    },
    /// It wanted more memory than it may have.
    Memory {
        /// How many bytes it may have.
        limit: u64,
    },
    /// It answered more than it may.
    Output {
        /// How many bytes it answered.
        size: u64,
        /// How many bytes it may answer.
        limit: u64,
    },
    /// It trapped; the text is the engine's name for the trap.
    Trap(String),
    /// It panicked, in its author's own words.
    Panic {
        /// What it said.
        message: String,
        /// The source file that it said it in.
        file: String,
        /// The line in that file.
        line: u32,
    },
    /// What it answered breaks the contract.
    Protocol(String),
    /// It was not asked, because it would have to be compiled and the cache is only read: no fault of its own either.
    Uncompiled,
    /// It was not asked, because it was at fault too often: no fault of its own, and never counted as one.
    Off {
        /// How often in a row.
        faults: u64,
        /// The code of the last fault.
        code: String,
        /// In how many minutes it is tried again.
        minutes: u64,
    },
}

impl FaultKind {
    /// The code that stands for this kind in statistics and for scripts.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Load(_) => "load",
            Self::Abi { .. } => "abi",
            Self::Import(_) => "import",
            Self::Fuel { .. } => "limit.fuel",
            Self::Time { .. } => "limit.time",
            Self::Memory { .. } => "limit.memory",
            Self::Output { .. } => "limit.output",
            Self::Trap(_) => "trap",
            Self::Panic { .. } => "panic",
            Self::Protocol(_) => "protocol",
            Self::Uncompiled => "uncompiled",
            Self::Off { .. } => "off",
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Load(why) => write!(f, "cannot be loaded: {why}"),
            Self::Abi { expected, found } => {
                write!(f, "does not export `{expected}`, but {found}; rebuild it with this version's SDK")
            }
            Self::Import(name) => {
                write!(f, "imports `{name}`, which no plugin may have; only the contract's interfaces link")
            }
            Self::Uncompiled => f.write_str("is not compiled yet, and the cache is only read"),
            Self::Fuel { limit } => write!(f, "used up its {limit} units of fuel"),
            Self::Time { limit } => write!(f, "ran for more than {limit} ms"),
            Self::Memory { limit } => write!(f, "wanted more than its {limit} bytes of memory"),
            Self::Output { size, limit } => write!(f, "answered {size} bytes where {limit} are allowed"),
            Self::Trap(trap) => write!(f, "trapped: {trap}"),
            Self::Panic { message, file, line } => write!(f, "panicked at {file}:{line}: {message}"),
            Self::Protocol(what) => write!(f, "broke the contract: {what}"),
            Self::Off { faults, code, minutes } => {
                write!(
                    f,
                    "is switched off after {faults} faults in a row ({code}); it is tried again in {minutes} min"
                )
            }
        }
    }
}

impl Fault {
    /// Why an operation is not cached because of it, in words that are the same for all plugins.
    #[must_use]
    pub fn reason(&self) -> String {
        let Self { role, kind, .. } = self;
        match kind {
            FaultKind::Uncompiled => {
                format!("the {role} plugin is not compiled yet, and the cache is only read")
            }
            FaultKind::Off { code, .. } => format!("the {role} plugin is switched off ({code})"),
            _ => format!("the {role} plugin is at fault ({})", kind.code()),
        }
    }

    /// Whether the plugin was not even asked.
    #[must_use]
    pub const fn is_off(&self) -> bool {
        matches!(self.kind, FaultKind::Off { .. })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { plugin, digest, role, function, kind } = self;
        write!(f, "{role} plugin `{plugin}` ({})", digest.short())?;
        if !function.is_empty() {
            write!(f, " in `{function}`")?;
        }
        write!(f, " {kind} [{}]", kind.code())
    }
}

impl std::error::Error for Fault {}
