//! Paths as commands spell them, without looking at any file.
//!
//! What is below a link is not what its path looks like, so `..` stays where it is here: [`normal`] says the same place
//! wherever links lead. [`Operation::absolute`](crate::Operation::absolute) and
//! [`Operation::under_root`](crate::Operation::under_root) resolve `..` too, for
//! [labels](crate::Operation::relocated) and for telling where something belongs.
//!
//! ```
//! use reviver_sdk::path::{below, join, normal, parent};
//!
//! assert_eq!(normal("./a//b/./c/"), "a/b/c");
//! assert_eq!(normal("a/../b"), "a/../b");
//! assert_eq!(join("include", "./x.h"), "include/x.h");
//! assert_eq!(join("include", "/usr/x.h"), "/usr/x.h");
//! assert_eq!(parent("include/x.h"), "include");
//! assert_eq!(below("include/sys/x.h", "include"), Some("sys/x.h"));
//! assert_eq!(below("includes/x.h", "include"), None);
//! ```

/// The path without `.` and without doubled slashes; `..` stays, since what is before it may be a link.
#[must_use]
pub fn normal(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    if path.starts_with('/') {
        out.push('/');
    }
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if !out.is_empty() && !out.ends_with('/') {
            out.push('/');
        }
        out.push_str(part);
    }
    out
}

/// The normal path of `name` in a normal directory; an absolute one is in none.
#[must_use]
pub fn join(directory: &str, name: &str) -> String {
    if directory.is_empty() || name.starts_with('/') {
        normal(name)
    } else {
        normal(&[directory, "/", name].concat())
    }
}

/// The directory of a normal path; empty for the working directory.
#[must_use]
pub fn parent(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some(("", _)) => "/",
        Some((parent, _)) => parent,
        None => "",
    }
}

/// The name of a normal path as it is below a normal directory.
#[must_use]
pub fn below<'a>(path: &'a str, directory: &str) -> Option<&'a str> {
    if directory.is_empty() {
        return (!path.starts_with('/')).then_some(path);
    }
    let rest = path.strip_prefix(directory)?;
    if directory.ends_with('/') { Some(rest) } else { rest.strip_prefix('/') }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_normal_as_far_as_links_allow() {
        for (path, expected) in
            [("./a//b/./c", "a/b/c"), ("/", "/"), ("//a/", "/a"), (".", ""), ("a/../b", "a/../b")]
        {
            assert_eq!(normal(path), expected);
        }
        assert_eq!(join("", "./x.h"), "x.h");
        assert_eq!(join("/a", "/x.h"), "/x.h");
        assert_eq!(parent("/x"), "/");
        assert_eq!(below("/a/b/c", "/a"), Some("b/c"));
        assert_eq!(below("/ab", "/a"), None);
        assert_eq!(below("/x", "/"), Some("x"));
        assert_eq!(below("/x", ""), None);
    }
}
