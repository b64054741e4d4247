//! Operations that an author gives: JSON objects, one behind the other, with the members of the contract's `operation`.
//!
//! ```json
//! {"argv": ["gen.sh", "a"], "root": "/r", "directory": "", "reads": ["a.txt"], "writes": ["out"], "variables": ["V"]}
//! ```
//!
//! All but `argv` may be left out.

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
        why: String,
    },
}

impl fmt::Display for GivenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(error) => write!(f, "no JSON: {error}"),
            Self::Member { object, why } => write!(f, "operation {object}: {why}"),
        }
    }
}

impl std::error::Error for GivenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Json(error) => Some(error),
            Self::Member { .. } => None,
        }
    }
}

/// The operations in a text. `root` is that of an operation which says none.
pub fn operations(text: &str, root: &str) -> Result<Vec<Operation>, GivenError> {
    let objects = Deserializer::from_str(text).into_iter::<Value>();
    objects
        .enumerate()
        .map(|(position, object)| {
            let wrong = |why| GivenError::Member { object: position + 1, why };
            operation(&object.map_err(GivenError::Json)?, root).map_err(wrong)
        })
        .collect()
}

fn operation(object: &Value, root: &str) -> Result<Operation, String> {
    const MEMBERS: [&str; 6] = ["argv", "root", "directory", "reads", "writes", "variables"];
    let object = object.as_object().ok_or("it is no object")?;
    if let Some(foreign) = object.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
        return Err(format!("there is no member `{foreign}`; there are {}", MEMBERS.join(", ")));
    }
    let text = |name: &str, else_: &str| match object.get(name) {
        None => Ok(else_.to_owned()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(format!("`{name}` is no text")),
    };
    let texts = |name: &str| -> Result<Vec<String>, String> {
        let Some(list) = object.get(name) else { return Ok(Vec::new()) };
        let list = list.as_array().and_then(|list| {
            list.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
        });
        list.ok_or_else(|| format!("`{name}` is no list of texts"))
    };
    // Callers declare these in any order, and the host hands them over sorted.
    let sorted = |name: &str| {
        texts(name).map(|mut list| {
            list.sort();
            list.dedup();
            list
        })
    };
    let argv = texts("argv")?;
    if argv.is_empty() {
        return Err("`argv` is missing or empty".to_owned());
    }
    let root = text("root", root)?;
    if !root.starts_with('/') {
        return Err("`root` is no absolute path".to_owned());
    }
    let directory = text("directory", "")?;
    let (reads, writes, variables) = (sorted("reads")?, sorted("writes")?, sorted("variables")?);
    Ok(Operation { argv, root, directory, reads, writes, variables })
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
            ("[]", "operation 1: it is no object"),
            ("{\"argv\":[\"a\"]} {\"argv\":[]}", "operation 2: `argv` is missing or empty"),
            ("{\"argv\":[1]}", "`argv` is no list of texts"),
            ("{\"argv\":[\"a\"],\"read\":[]}", "there is no member `read`"),
            ("{\"argv\":[\"a\"],\"root\":\"r\"}", "`root` is no absolute path"),
        ] {
            let error = operations(text, "/r").unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
