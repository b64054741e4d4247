//! A function of the caller's.

use std::error::Error;
use std::fmt;

/// Why a caller's function failed.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// A function of the caller's, with the reads and writes that are declared beside it. The host cannot see what the function
/// is: name and stamp must change when it does. What it reads beyond its reads no key knows, and what it writes beyond its
/// writes nobody revives.
///
/// ```
/// use reviver::reviver::declared::Native;
///
/// let link = Native::new("archive", "2", || Err("no archiver".into()));
/// assert_eq!(link.name, "archive");
/// ```
pub struct Native<'a> {
    /// What it is called.
    pub name: String,
    /// Its version, its options: whatever else identifies it.
    pub stamp: Vec<u8>,
    /// Does it.
    pub function: Box<dyn Fn() -> Result<(), BoxError> + 'a>,
}

impl<'a> Native<'a> {
    /// The function with this name and stamp.
    pub fn new(
        name: impl Into<String>,
        stamp: impl Into<Vec<u8>>,
        function: impl Fn() -> Result<(), BoxError> + 'a,
    ) -> Self {
        Self { name: name.into(), stamp: stamp.into(), function: Box::new(function) }
    }
}

impl fmt::Debug for Native<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Native").field("name", &self.name).finish_non_exhaustive()
    }
}
