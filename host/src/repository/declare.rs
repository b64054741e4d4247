//! What a caller declares: `--in` and `--out` as people write them become the sorted lists of an operation.
//!
//! A read may be a glob, which is expanded in order of names and must match something unless it holds no special
//! character. Directories end with a slash in reads; in writes a slash that was written stays.

use super::expand::{ExpandError, MOST, expand};
use glob::Pattern;
use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

/// A declaration that means nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum DeclareError {
    /// A glob is none.
    Glob {
        /// What was declared.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// A glob that matches nothing: most likely a slip, and a key without its inputs.
    Nothing(String),
    /// A glob that leads through more directories than anybody means.
    Boundless(String),
    /// A path that is not UTF-8.
    NotText(PathBuf),
    /// A glob where a path is written.
    GlobWrite(String),
}

impl fmt::Display for DeclareError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Glob { text, why } => write!(f, "`{text}` is no glob: {why}"),
            Self::Nothing(text) => write!(f, "`{text}` matches nothing"),
            Self::Boundless(text) => write!(f, "`{text}` leads through more than {MOST} directories"),
            Self::NotText(path) => write!(f, "{} is not UTF-8", path.display()),
            Self::GlobWrite(text) => {
                write!(f, "`{text}` is a glob; name the outputs, or the directory that they are all in")
            }
        }
    }
}

impl std::error::Error for DeclareError {}

/// Expanded reads, with the directory that they are relative to.
pub fn reads(declared: &[String], directory: &Path) -> Result<BTreeSet<String>, DeclareError> {
    let mut all = BTreeSet::new();
    for text in declared {
        let whole = directory.join(text);
        if !is_glob(text) || whole.symlink_metadata().is_ok() {
            all.insert(with_slash(text.clone(), &whole));
            continue;
        }
        let prefix =
            Pattern::escape(directory.to_str().ok_or_else(|| DeclareError::NotText(directory.to_owned()))?);
        let pattern = if text.starts_with('/') { text.clone() } else { format!("{prefix}/{text}") };
        let wrong = |error| match error {
            ExpandError::Pattern(error) => {
                DeclareError::Glob { text: text.clone(), why: error.msg.to_owned() }
            }
            ExpandError::Boundless => DeclareError::Boundless(text.clone()),
            ExpandError::NotText(path) => DeclareError::NotText(path),
        };
        let mut matches = false;
        for path in expand(&pattern).map_err(wrong)? {
            let shown =
                if text.starts_with('/') { &path } else { path.strip_prefix(directory).unwrap_or(&path) };
            let shown = shown.to_str().ok_or_else(|| DeclareError::NotText(path.clone()))?.to_owned();
            all.insert(with_slash(shown, &path));
            matches = true;
        }
        if !matches {
            return Err(DeclareError::Nothing(text.clone()));
        }
    }
    Ok(all)
}

/// Writes, as they are.
pub fn writes(declared: &[String]) -> Result<BTreeSet<String>, DeclareError> {
    let wrong = declared.iter().find(|text| is_glob(text));
    match wrong {
        Some(text) => Err(DeclareError::GlobWrite(text.clone())),
        None => Ok(declared.iter().cloned().collect()),
    }
}

/// Whether what is declared may be a glob.
pub(super) fn is_glob(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

fn with_slash(mut text: String, path: &Path) -> String {
    if path.is_dir() && !text.ends_with('/') {
        text.push('/');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn expand(directory: &Path, texts: &[&str]) -> Result<Vec<String>, DeclareError> {
        let texts: Vec<_> = texts.iter().map(|text| (*text).to_owned()).collect();
        Ok(reads(&texts, directory)?.into_iter().collect())
    }

    #[test]
    fn globs_are_expanded_and_directories_end_with_a_slash() {
        let directory = tempfile::tempdir().unwrap();
        let top = directory.path();
        fs::create_dir_all(top.join("d/sub")).unwrap();
        for name in ["b.txt", "a.txt", "d/c.txt", "d/sub/e.txt", "[x].md"] {
            fs::write(top.join(name), "").unwrap();
        }
        assert_eq!(expand(top, &["*.txt", "d"]).unwrap(), ["a.txt", "b.txt", "d/"]);
        assert_eq!(expand(top, &["**/*.txt"]).unwrap(), ["a.txt", "b.txt", "d/c.txt", "d/sub/e.txt"]);
        assert_eq!(expand(top, &["[x].md", "absent"]).unwrap(), ["[x].md", "absent"]);
        assert_eq!(expand(top, &["*.none"]), Err(DeclareError::Nothing("*.none".into())));
        assert!(writes(&["gen/*".to_owned()]).is_err());
    }

    /// A glob whose files had been named before was said to match nothing, and a build failed for it.
    #[test]
    fn a_glob_may_match_what_is_named_already() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("a.txt"), "").unwrap();
        assert_eq!(expand(directory.path(), &["a.txt", "*.txt", "a.*"]).unwrap(), ["a.txt"]);
    }
}
