//! Reading an operation, and making one in tests.

use crate::Operation;

impl Operation {
    /// The operation that runs `argv`, the program first, at the root `/repository`, and declares nothing.
    #[must_use]
    pub fn new<T: Into<String>>(argv: impl IntoIterator<Item = T>) -> Self {
        Self {
            argv: owned(argv),
            root: "/repository".to_owned(),
            directory: String::new(),
            reads: Vec::new(),
            writes: Vec::new(),
            variables: Vec::new(),
        }
    }

    /// The same below another root, an absolute path.
    #[must_use]
    pub fn root(self, root: impl Into<String>) -> Self {
        Self { root: root.into(), ..self }
    }

    /// The same in another working directory, relative to the root.
    #[must_use]
    pub fn directory(self, directory: impl Into<String>) -> Self {
        Self { directory: directory.into(), ..self }
    }

    /// The same with these reads declared, sorted.
    #[must_use]
    pub fn reads<T: Into<String>>(self, reads: impl IntoIterator<Item = T>) -> Self {
        Self { reads: sorted(reads), ..self }
    }

    /// The same with these writes declared, sorted.
    #[must_use]
    pub fn writes<T: Into<String>>(self, writes: impl IntoIterator<Item = T>) -> Self {
        Self { writes: sorted(writes), ..self }
    }

    /// The same with the names of these variables declared, sorted.
    #[must_use]
    pub fn variables<T: Into<String>>(self, variables: impl IntoIterator<Item = T>) -> Self {
        Self { variables: sorted(variables), ..self }
    }

    /// The program as it was invoked; empty for an operation without arguments.
    #[must_use]
    pub fn program(&self) -> &str {
        self.argv.first().map_or("", String::as_str)
    }

    /// The program without the directories before it.
    #[must_use]
    pub fn program_name(&self) -> &str {
        let program = self.program();
        program.rsplit('/').next().unwrap_or(program)
    }

    /// The arguments behind the program.
    #[must_use]
    pub fn arguments(&self) -> &[String] {
        self.argv.get(1..).unwrap_or_default()
    }

    /// The absolute path of the working directory.
    #[must_use]
    pub fn working_directory(&self) -> String {
        self.absolute("")
    }

    /// `path`, which is relative to the working directory or absolute, as an absolute path, `.` and `..` resolved
    /// without looking at any file. A trailing slash is dropped.
    #[must_use]
    pub fn absolute(&self, path: &str) -> String {
        let mut parts = Vec::new();
        let places =
            if path.starts_with('/') { vec![path] } else { vec![&*self.root, &*self.directory, path] };
        for part in places.into_iter().flat_map(|place| place.split('/')) {
            match part {
                "" | "." => {}
                ".." => drop(parts.pop()),
                part => parts.push(part),
            }
        }
        format!("/{}", parts.join("/"))
    }

    /// `path` relative to the root; `None` where it lies outside. The root itself is empty.
    #[must_use]
    pub fn under_root(&self, path: &str) -> Option<String> {
        let root = self.absolute(&self.root);
        let path = self.absolute(path);
        let rest = if root == "/" { &*path } else { path.strip_prefix(&*root)? };
        if rest.is_empty() { Some(String::new()) } else { rest.strip_prefix('/').map(str::to_owned) }
    }

    /// What `path` is called wherever the repository lies: relative to the root, or as it is spelled where it lies
    /// outside. This is what labels are made of that checkouts at other places share.
    #[must_use]
    pub fn relocated(&self, path: &str) -> String {
        self.under_root(path).unwrap_or_else(|| path.to_owned())
    }
}

fn owned<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> Vec<String> {
    texts.into_iter().map(Into::into).collect()
}

fn sorted<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> Vec<String> {
    let mut texts = owned(texts);
    texts.sort();
    texts.dedup();
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_placed_below_the_root_without_looking_at_files() {
        let operation = Operation::new(["cc"]).root("/w/repo").directory("src/lib");
        assert_eq!(operation.working_directory(), "/w/repo/src/lib");
        assert_eq!(operation.absolute("../a.c"), "/w/repo/src/a.c");
        assert_eq!(operation.under_root("./b/"), Some("src/lib/b".into()));
        assert_eq!(operation.under_root("../.."), Some(String::new()));
        assert_eq!(operation.under_root("/w/repo/x"), Some("x".into()));
        assert_eq!(operation.under_root("/w/repository/x"), None);
        assert_eq!(operation.under_root("../../../x"), None);
        assert_eq!(operation.relocated("/w/repo/x"), "x");
        assert_eq!(operation.relocated("../../../x"), "../../../x");
    }

    #[test]
    fn an_operation_without_arguments_has_an_empty_program() {
        let operation = Operation::new(Vec::<String>::new());
        assert_eq!((operation.program(), operation.program_name()), ("", ""));
        assert!(operation.arguments().is_empty());
        assert_eq!(Operation::new(["/usr/bin/cc", "-c"]).program_name(), "cc");
    }
}
