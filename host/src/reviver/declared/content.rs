//! Operations that the host does itself: a file of given bytes, a copy of a file.

use super::native::BoxError;
use std::fmt;
use std::path::PathBuf;

/// Writes a file whose bytes a function gives, which is called on a miss alone. Its stamp and its reads identify it: the
/// function itself cannot be hashed.
///
/// ```
/// use reviver::reviver::declared::Write;
///
/// let version = "1.2";
/// let header = Write::new("/out/version.h", version, move || Ok(format!("#define V {version}\n").into_bytes()));
/// assert_eq!(header.mode, 0o644);
/// ```
pub struct Write<'a> {
    /// The file.
    pub file: PathBuf,
    /// Its permissions, but for what the umask takes away.
    pub mode: u32,
    /// What identifies the bytes.
    pub stamp: Vec<u8>,
    /// Gives the bytes.
    pub data: Box<dyn Fn() -> Result<Vec<u8>, BoxError> + 'a>,
}

impl<'a> Write<'a> {
    /// A file of mode 0644.
    pub fn new(
        file: impl Into<PathBuf>,
        stamp: impl Into<Vec<u8>>,
        data: impl Fn() -> Result<Vec<u8>, BoxError> + 'a,
    ) -> Self {
        Self { file: file.into(), mode: 0o644, stamp: stamp.into(), data: Box::new(data) }
    }

    /// Says which permissions it has.
    #[must_use]
    pub const fn mode(mut self, mode: u32) -> Self {
        self.mode = mode;
        self
    }
}

impl fmt::Debug for Write<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Write").field("file", &self.file).field("mode", &self.mode).finish_non_exhaustive()
    }
}

/// Copies a file, links followed.
///
/// ```
/// use reviver::reviver::declared::Copy;
///
/// let copy = Copy::new("/src/a.c.in", "/out/a.c").line(1);
/// assert_eq!(copy.line, Some(1));
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Copy {
    /// What is copied.
    pub source: PathBuf,
    /// What it becomes.
    pub destination: PathBuf,
    /// Its permissions, but for what the umask takes away.
    pub mode: u32,
    /// The number in a line `#line 1 "source"` in front, for compilers. It holds the path of the source, which enters the
    /// key then.
    pub line: Option<u32>,
}

impl Copy {
    /// A copy of mode 0644.
    pub fn new(source: impl Into<PathBuf>, destination: impl Into<PathBuf>) -> Self {
        Self { source: source.into(), destination: destination.into(), mode: 0o644, line: None }
    }

    /// Says which permissions the copy has.
    #[must_use]
    pub const fn mode(mut self, mode: u32) -> Self {
        self.mode = mode;
        self
    }

    /// Puts a `#line` in front.
    #[must_use]
    pub const fn line(mut self, line: u32) -> Self {
        self.line = Some(line);
        self
    }
}
