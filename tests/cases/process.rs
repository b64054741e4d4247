//! This test program once more, as another process or another user.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

/// Nobody, on all systems that have one.
const NOBODY: u32 = 65534;

/// Whether this process has the rights of root.
pub(crate) fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

/// Runs one test as somebody whom permissions stop, and fails as it does.
pub(crate) fn as_nobody(test: &str) {
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
    // Where it lies may be closed to others. Another process copies it: this one could not run what it just had open.
    let program = directory.path().join("cases");
    let copied = Command::new("cp").arg(std::env::current_exe().unwrap()).arg(&program).status();
    assert!(copied.unwrap().success());
    let mut command = Command::new(program);
    command.args(["--exact", test]).uid(NOBODY).gid(NOBODY).current_dir("/");
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

/// Starts one test in another process, which a variable tells what to do.
pub(crate) fn start(test: &str, variable: &str, value: &std::ffi::OsStr) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test]).env(variable, value);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}
