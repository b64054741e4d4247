//! An example repository with operations, for a plugin that was never asked anything here.

use super::scene::{Scenes, ScenesError};
use crate::operation::Operation;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Writes the example's files, and gives its operations.
pub fn example(scenes: &Scenes) -> Result<Vec<Operation>, ScenesError> {
    let root = scenes.directory("example");
    let files = [
        ("a.c", 0o644, "#include \"b.h\"\nint main(void) { return ANSWER; }\n"),
        ("b.h", 0o644, "#define ANSWER 42\n"),
        ("in.txt", 0o644, "one\ntwo\n"),
        ("data/deep/x", 0o644, "x\n"),
        ("data/y", 0o644, "y\n"),
        ("generate.sh", 0o755, "#!/bin/sh\ncat in.txt data/y >out.txt\n"),
    ];
    for (name, mode, content) in files {
        write(&root.join(name), content, mode)?;
    }
    let all = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let operation =
        |directory: &str, argv: &[&str], reads: &[&str], writes: &[&str], variables: &[&str]| Operation {
            argv: all(argv),
            root: root.to_string_lossy().into_owned(),
            directory: directory.to_owned(),
            reads: all(reads),
            writes: all(writes),
            variables: all(variables),
        };
    let variables = ["REVIVER_EXAMPLE_1", "REVIVER_EXAMPLE_2"];
    Ok(vec![
        operation("", &["./generate.sh"], &["data/", "in.txt"], &["made/", "out.txt"], &variables),
        operation("", &["./generate.sh", "--fast", "x"], &["in.txt"], &["out.txt"], &[]),
        operation("data", &["../generate.sh", "y"], &["../in.txt", "absent", "y"], &["z"], &variables[..1]),
        operation("", &["sh", "-c", "cat in.txt >out.txt"], &["in.txt"], &["out.txt"], &[]),
        operation("", &["cc", "-O2", "-c", "a.c", "-o", "a.o"], &["in.txt"], &[], &variables),
        operation("", &["true"], &[], &[], &[]),
    ])
}

fn write(path: &Path, content: &str, mode: u32) -> Result<(), ScenesError> {
    let cannot = |source| ScenesError::Io { path: path.to_owned(), source };
    if let Some(above) = path.parent() {
        fs::create_dir_all(above).map_err(cannot)?;
    }
    fs::write(path, content).map_err(cannot)?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(cannot)
}
