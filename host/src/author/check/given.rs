//! Operations that an author gives: JSON objects, one behind the other, with the members of the contract's `operation`.
//!
//! ```json
//! {"argv": ["gen.sh", "a"], "root": "/r", "directory": "", "reads": ["a.txt"], "writes": ["out"], "variables": ["V"]}
//! ```
//!
//! All but `argv` may be left out.

use crate::author::call::{QuestionError, read_operation};
use crate::operation::Operation;
use serde_json::{Deserializer, Value};
use std::fmt;

/// A text that is no list of operations.
#[derive(Debug)]
#[non_exhaustive]
pub enum GivenError {
    /// It is no JSON.
    Json(serde_json::Error),
    /// A member is wrong.
    Member {
        /// Which of the objects, from one.
        object: usize,
        /// What is wrong with it.
        source: QuestionError,
    },
    /// The root is no absolute path.
    Root {
        /// Which of the objects, from one.
        object: usize,
    },
}

impl fmt::Display for GivenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(error) => write!(f, "no JSON: {error}"),
            Self::Member { object, source } => write!(f, "operation {object}: {source}"),
            Self::Root { object } => write!(f, "operation {object}: `root` is no absolute path"),
        }
    }
}

impl std::error::Error for GivenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Json(error) => Some(error),
            Self::Member { source, .. } => Some(source),
            Self::Root { .. } => None,
        }
    }
}

/// The operations in a text. `root` is that of an operation which says none.
pub fn operations(text: &str, root: &str) -> Result<Vec<Operation>, GivenError> {
    let objects = Deserializer::from_str(text).into_iter::<Value>();
    objects
        .enumerate()
        .map(|(position, object)| {
            let (object, json) = (position + 1, object.map_err(GivenError::Json)?);
            let mut operation =
                read_operation(&json, root).map_err(|source| GivenError::Member { object, source })?;
            if !operation.root.starts_with('/') {
                return Err(GivenError::Root { object });
            }
            // Callers declare these in any order, and the host hands them over sorted.
            for list in [&mut operation.reads, &mut operation.writes, &mut operation.variables] {
                list.sort();
                list.dedup();
            }
            Ok(operation)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_read_one_behind_the_other_and_what_is_wrong_is_told() {
        let text = r#"{"argv":["a"],"variables":["B","A"]} {"argv":["b","c"],"root":"/x","reads":["d/"]}"#;
        let all = operations(text, "/r").unwrap();
        assert_eq!((all[0].root.as_str(), all[0].variables.join(" ")), ("/r", "A B".into()));
        assert_eq!((all[1].argv.len(), all[1].root.as_str(), all[1].reads.len()), (2, "/x", 1));
        for (text, why) in [
            ("{", "no JSON"),
            ("[]", "operation 1: "),
            ("{\"argv\":[\"a\"]} {\"argv\":[]}", "a list that begins with the program"),
            ("{\"argv\":[1]}", "operation 1: "),
            ("{\"argv\":[\"a\"],\"read\":[]}", "there is no member `read`"),
            ("{\"argv\":[\"a\"],\"root\":\"r\"}", "`root` is no absolute path"),
        ] {
            let error = operations(text, "/r").unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
