//! A compilation, and what it left behind.

use crate::Storm;
use crate::asked::VARIABLES;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Who compiles.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum By {
    Itself,
    Reviver,
    Ccache,
}

/// What a compilation left behind.
#[derive(Debug)]
pub(crate) struct Left {
    pub(crate) exit: Option<i32>,
    stdout: String,
    stderr: String,
    /// What the cache says became of it.
    pub(crate) told: String,
    /// The sum of the object, if there is one.
    pub(crate) object: Option<String>,
    /// All that lies where the outputs are: permissions and contents.
    pub(crate) files: BTreeMap<PathBuf, (u32, String)>,
}

impl Left {
    /// Whether the cache did what the compiler does. Where it cannot tell which headers are the system's it records nothing,
    /// and writes a depfile that names too many of them rather than too few.
    pub(crate) fn is_done_by(&self, cached: &Self) -> bool {
        let names = |text: &str| {
            text.split_ascii_whitespace()
                .map(|word| word.trim_end_matches(':').to_owned())
                .collect::<BTreeSet<_>>()
        };
        let unsure = cached.told.contains("not recorded");
        let same = |(path, own): (&PathBuf, &(u32, String))| match cached.files.get(path) {
            Some(other) if own == other => true,
            Some(other) if unsure && path.extension().is_none_or(|suffix| suffix == "d") => {
                own.0 == other.0 && names(&own.1).is_subset(&names(&other.1))
            }
            _ => false,
        };
        let said = (self.exit, &self.stdout, &self.stderr) == (cached.exit, &cached.stdout, &cached.stderr);
        said && self.files.len() == cached.files.len() && self.files.iter().all(same)
    }
}

impl Storm {
    /// Compiles.
    pub(crate) fn compile(&self, by: By) -> Left {
        let asked = &self.asked;
        let top = self.directory.path().join(if asked.by_link { "way" } else { "tree" });
        let above = if asked.below { "../" } else { "" };
        let (directory, source) = if asked.below {
            (top.join("src"), asked.source.to_owned())
        } else {
            (top, format!("src/{}", asked.source))
        };
        let compiler =
            if asked.wrapped { format!("{above}bin/{}", asked.compiler) } else { asked.compiler.to_owned() };
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(format!("umask {}; exec \"$@\"", asked.umask)).arg("sh");
        match by {
            By::Itself => {}
            By::Reviver => drop(command.args([env!("CARGO_BIN_EXE_reviver"), "run", "-v", "--"])),
            By::Ccache => drop(command.arg("ccache")),
        }
        command.arg(compiler).args(asked.form.options).args([&source, "-o"]);
        command.arg(format!("{above}out/{}", asked.object())).args(&asked.options);
        command.args(["-idirafter", "last"]).args(asked.dependencies.split_ascii_whitespace());
        for (name, _) in VARIABLES {
            command.env_remove(name);
        }
        command.env("REVIVER_CACHE_DIR", self.directory.path().join("cache"));
        command.env("XDG_CONFIG_HOME", self.directory.path().join("config"));
        if let Some(ccache) = &self.ccache {
            ccache.arrange(&mut command);
        }
        command.envs(&asked.variables).env("PWD", &directory).current_dir(&directory).stdin(Stdio::null());
        let output = command.output().unwrap();
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        let (ours, stderr): (Vec<_>, Vec<_>) =
            text(&output.stderr).lines().map(str::to_owned).partition(|line| line.starts_with("reviver: "));
        let (exit, stdout, stderr) = (output.status.code(), text(&output.stdout), stderr.join("\n"));
        let object = fs::read(self.at("out").join(asked.object())).ok().map(|bytes| shown(&bytes));
        Left { exit, stdout, stderr, object, files: self.outputs(), told: ours.join("\n") }
    }

    /// All that lies where outputs are.
    fn outputs(&self) -> BTreeMap<PathBuf, (u32, String)> {
        let mut files = BTreeMap::new();
        for place in ["out", "src/out"] {
            for entry in fs::read_dir(self.at(place)).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_file() {
                    let mode = fs::metadata(&path).unwrap().permissions().mode();
                    files.insert(path.clone(), (mode, shown(&fs::read(path).unwrap())));
                }
            }
        }
        files
    }

    /// What is in the places of the outputs before a compilation: nothing, or what an earlier one made.
    pub(crate) fn prepare(&self, before: usize) {
        let object = self.asked.object();
        for name in ["out", "src/out"] {
            let place = self.at(name);
            drop(fs::remove_dir_all(&place));
            fs::create_dir(&place).unwrap();
            if before > 0 {
                // As an earlier compilation would have made them: compilers write depfiles in place.
                let mask = u32::from_str_radix(self.asked.umask, 8).unwrap();
                for file in [&object, "main.d"] {
                    fs::write(place.join(file), "what was there before").unwrap();
                    let mode = fs::Permissions::from_mode(0o666 & !mask);
                    fs::set_permissions(place.join(file), mode).unwrap();
                }
            }
            // clang's assembler writes in place too, so that its object keeps the permissions of what was there: a revival
            // gives those that a new file has, and says so in its limits.
            let in_place = self.asked.compiler.starts_with("clang") && self.asked.source == "main.S";
            if before == 2 && !in_place {
                fs::set_permissions(place.join(&object), fs::Permissions::from_mode(0o755)).unwrap();
            }
        }
    }
}

/// A text as it is; anything else by its size and a sum of it.
fn shown(bytes: &[u8]) -> String {
    if !bytes.contains(&0)
        && let Ok(text) = std::str::from_utf8(bytes)
    {
        return text.to_owned();
    }
    let mut sum = DefaultHasher::new();
    bytes.hash(&mut sum);
    format!("{} bytes {:x}", bytes.len(), sum.finish())
}
