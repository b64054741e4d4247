//! What the demonstration and the benchmark share: the `reviver` binary, the sources of Lua, and a place to work in that
//! no setting of the machine reaches.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value as Json;
use tempfile::TempDir;

/// The options that all objects are compiled with.
pub const OPTIONS: [&str; 3] = ["-O2", "-Wall", "-DLUA_USE_LINUX"];

/// Builds the command as it is installed, and tells where it is. `REVIVER_BINARY` names another one to take.
pub fn reviver() -> Result<PathBuf> {
    if let Some(binary) = std::env::var_os("REVIVER_BINARY") {
        return Ok(Path::new(&binary).canonicalize()?);
    }
    let mut build = cargo();
    build.args(["build", "--bin", "reviver", "--message-format=json-render-diagnostics"]);
    // As this program itself was built, or everything would be compiled once more.
    if !cfg!(debug_assertions) {
        build.arg("--release");
    }
    let executable = |message: &Json| {
        let is_it = message["reason"] == "compiler-artifact" && message["target"]["name"] == "reviver";
        message["executable"].as_str().filter(|_| is_it).map(PathBuf::from)
    };
    let messages = json_lines(&mut build)?;
    messages.iter().find_map(executable).context("cargo tells of no executable")
}

/// Where the sources of Lua 5.4 are, as cargo has them.
pub fn lua() -> Result<PathBuf> {
    let metadata =
        json_lines(cargo().args(["metadata", "--format-version=1", "--filter-platform=host-tuple"]))?;
    let packages = metadata.first().and_then(|metadata| metadata["packages"].as_array());
    let package = packages.into_iter().flatten().find(|package| package["name"] == "lua-src");
    let manifest = package.and_then(|package| package["manifest_path"].as_str());
    let manifest = Path::new(manifest.context("cargo does not know the package lua-src")?);
    Ok(manifest.with_file_name("lua-5.4.7"))
}

fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // From where all packages are seen, as when this program was built: dependencies then have the same features.
    cargo.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    cargo
}

fn json_lines(command: &mut Command) -> Result<Vec<Json>> {
    let output = command.stderr(Stdio::inherit()).output().with_context(|| format!("{command:?}"))?;
    ensure!(output.status.success(), "{command:?}: {}", output.status);
    let lines = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).context("what cargo printed")).collect()
}

/// Copies the files of a directory, and of those below it if `deep`.
pub fn copy(from: &Path, to: &Path, deep: bool) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| from.display().to_string())? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        } else if deep && entry.file_name() != "target" {
            copy(&entry.path(), &to.join(entry.file_name()), deep)?;
        }
    }
    Ok(())
}

/// A directory with an empty cache, where commands see neither the user's settings nor other caches.
#[derive(Debug)]
pub struct Workshop {
    reviver: PathBuf,
    directory: TempDir,
}

impl Workshop {
    /// A new one for this `reviver`.
    pub fn new(reviver: PathBuf) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("reviver-").tempdir()?;
        Ok(Self { reviver, directory })
    }

    /// A path in it.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A command in one of its directories.
    #[must_use]
    pub fn command(&self, program: impl AsRef<OsStr>, directory: &str) -> Command {
        let mut command = Command::new(program);
        command.stdin(Stdio::null());
        let place = self.path(directory);
        // A process that is to begin elsewhere is forked first, which costs more than a small program.
        if std::env::current_dir().ok().as_ref() != Some(&place) {
            command.current_dir(place);
        }
        for (variable, _) in std::env::vars_os() {
            let name = variable.to_string_lossy();
            if name.starts_with("REVIVER_") || name.starts_with("CCACHE_") || name.starts_with("CARGO") {
                command.env_remove(&variable);
            }
        }
        // cargo's own: every program that is linked dynamically would look for its libraries in a dozen directories first.
        command.env_remove("LD_LIBRARY_PATH");
        command.env("REVIVER_CACHE_DIR", self.path("cache"));
        command.env("XDG_CONFIG_HOME", self.path("settings"));
        command.env("CCACHE_DIR", self.path("ccache")).env("CCACHE_CONFIGPATH", self.path("ccache.conf"));
        command
    }

    /// `reviver` in one of its directories.
    #[must_use]
    pub fn reviver(&self, directory: &str) -> Command {
        self.command(&self.reviver, directory)
    }

    /// Makes Reviver forget what plugins answered, but not what compilers did.
    pub fn forget(&self) -> Result<()> {
        for partition in fs::read_dir(self.path("cache/v1/partitions"))? {
            for shard in fs::read_dir(partition?.path().join("derivations"))? {
                for file in fs::read_dir(shard?.path())? {
                    let path = file?.path();
                    if fs::read(&path)?.starts_with(b"RVDERIV") {
                        fs::remove_file(path)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// What `reviver` with these arguments prints.
    pub fn ask(&self, directory: &str, arguments: &[&str]) -> Result<String> {
        let mut command = self.reviver(directory);
        let output = command.args(arguments).output()?;
        if !output.status.success() {
            bail!("{command:?}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8(output.stdout)?)
    }
}

/// The files of a directory with this extension, sorted.
pub fn files(directory: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension() == Some(OsStr::new(extension)) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The arguments that compile a source into an object.
#[must_use]
pub fn compilation(source: &OsStr, object: &OsStr) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = OPTIONS.iter().map(OsString::from).collect();
    arguments.extend(["-c".into(), source.to_owned(), "-o".into(), object.to_owned()]);
    arguments
}
