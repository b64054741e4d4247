//! What rustc writes of its inputs: a makefile that names each file once as a target of its own, and comments that name
//! the variables.
//!
//! ```text
//! deps/libx.rlib: src/lib.rs src/a\ b.txt
//!
//! src/lib.rs:
//! src/a\ b.txt:
//!
//! # env-dep:GREETING=hello
//! # env-dep:NOT_SET
//! ```

/// Files and variables that a compilation read.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct DepInfo {
    /// The files as spelled.
    pub(crate) files: Vec<String>,
    /// The names of the variables.
    pub(crate) variables: Vec<String>,
}

impl DepInfo {
    /// Reads what rustc wrote, or says why it did not.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, &'static str> {
        let text = std::str::from_utf8(text).map_err(|_| "the dep-info is not UTF-8")?;
        let mut read = Self::default();
        for line in text.split('\n') {
            if let Some(variable) = line.strip_prefix("# env-dep:") {
                let name = variable.split_once('=').map_or(variable, |(name, _)| name);
                if name.contains('\\') {
                    return Err("the dep-info names a variable that is not understood");
                }
                read.variables.push(name.to_owned());
            } else if line.starts_with('#') {
                // Such as checksums, which are asked for by options that are refused.
                return Err("the dep-info holds what is not understood");
            } else if let Some(file) = line.strip_suffix(':') {
                read.files.push(unescaped(file));
            }
        }
        if read.files.is_empty() {
            return Err("the dep-info names no files");
        }
        Ok(read)
    }
}

/// Blanks in paths have a backslash before them; nothing else is escaped.
fn unescaped(file: &str) -> String {
    let mut path = String::with_capacity(file.len());
    let mut characters = file.chars().peekable();
    while let Some(character) = characters.next() {
        if character != '\\' || characters.peek() != Some(&' ') {
            path.push(character);
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_variables_are_read() {
        let text = b"o/a.d: a.rs b\\ c.txt\n\no/liba.rlib: a.rs b\\ c.txt\n\na.rs:\nb\\ c.txt:\n\n# env-dep:A=x\\ny=z\n\
            # env-dep:B\n";
        let read = DepInfo::parse(text).expect("rustc wrote so");
        assert_eq!(
            (read.files, read.variables),
            (vec!["a.rs".to_owned(), "b c.txt".to_owned()], vec!["A".to_owned(), "B".to_owned()])
        );
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in [&b""[..], b"a: b\n", b"\xff:\n", b"a.rs:\n# checksum:x\n", b"a.rs:\n# env-dep:A\\nB=1\n"]
        {
            assert!(DepInfo::parse(text).is_err(), "{}", String::from_utf8_lossy(text));
        }
    }
}
