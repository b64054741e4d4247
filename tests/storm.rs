//! An edit storm: whatever happens to a tree between two compilations, a compilation through the cache is the compiler's
//! own, in its object, its depfile, its messages, its exit status and the permissions of what it makes.
//!
//! Each step changes something at random – headers that come, go, move along the search path or turn into links and
//! directories, options, variables, the compiler itself – and compiles twice from the same state, once with the cache and
//! once without. What is changed is drawn from few alternatives, so that states come again and are revived.
//!
//! `REVIVER_STORM_STEPS` and `REVIVER_STORM_SEED` make more of it.
#![allow(clippy::unwrap_used, clippy::print_stderr, missing_docs, reason = "in a test it is the assertion")]

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, Write as _};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A generator of numbers that are as good as random and the same each time (xorshift64*).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % end
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

/// What a compilation left behind.
#[derive(Debug)]
struct Left {
    exit: Option<i32>,
    stdout: String,
    stderr: String,
    /// What the cache says became of it.
    told: String,
    files: BTreeMap<PathBuf, (u32, String)>,
}

impl Left {
    /// Whether the cache did what the compiler does. Where it cannot tell which headers are the system's it records nothing,
    /// and writes a depfile that names too many of them rather than too few.
    fn is_done_by(&self, cached: &Self) -> bool {
        let names = |text: &str| {
            text.split_ascii_whitespace()
                .map(|word| word.trim_end_matches(':').to_owned())
                .collect::<std::collections::BTreeSet<_>>()
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

/// How the next compilations are asked for.
#[derive(Clone, Debug)]
struct Asked {
    compiler: &'static str,
    wrapped: bool,
    options: Vec<&'static str>,
    dependencies: &'static str,
    variables: BTreeMap<&'static str, &'static str>,
    below: bool,
    by_link: bool,
    umask: &'static str,
}

struct Storm {
    directory: tempfile::TempDir,
    dice: Dice,
    asked: Asked,
    log: Vec<String>,
}

const DIRECTORIES: [&str; 6] = ["src", "inc1", "inc2", "quoted", "system", "after"];
const NAMES: [&str; 5] = ["a.h", "b.h", "c.h", "sub/d.h", "e.h"];
const OPTIONS: [&[&str]; 17] = [
    &["-Iinc1", "-Iinc2"],
    &["-Iinc2", "-Iinc1"],
    &["-Ilink", "-Iinc1"],
    &["-isystem", "system"],
    &["-iquote", "quoted"],
    &["-iquotequoted", "-I.", "-Isrc/../inc2"],
    &["-idirafter", "after", "-I", "inc2"],
    &["-isystem", "inc1", "-Iinc1", "-Iinc2"],
    &["-Iinc1/", "-I./inc2", "-isystemsystem"],
    &["-include", "a.h"],
    &["-include", "inc2/b.h", "-DNAME=<c.h>"],
    &["-g"],
    &["-O1"],
    &["-Wall", "-Wextra"],
    &["-DNAME=\"e.h\""],
    &["-Imissing", "-Imissing/../inc1"],
    &["-g", "-fdebug-prefix-map=src=there"],
];
const DEPENDENCIES: [&str; 9] = [
    "",
    "",
    "-MD",
    "-MMD",
    "-MD -MF out/deps",
    "-MMD -MF out/deps -MP",
    "-MMD -MT target",
    "-MD -MQ a$b -MP",
    "-Wp,-MMD,out/x.d",
];
const VARIABLES: [(&str, &[&str]); 5] = [
    ("CPATH", &["inc2", "inc1:after", ":inc1"]),
    ("C_INCLUDE_PATH", &["system", "inc1"]),
    ("SOURCE_DATE_EPOCH", &["1", "86400"]),
    ("LC_ALL", &["C", "C.UTF-8"]),
    ("GCC_COLORS", &["error=01"]),
];

impl Storm {
    fn new(compiler: &'static str, seed: u64) -> Self {
        let asked = Asked {
            compiler,
            wrapped: false,
            options: vec!["-Iinc1", "-Iinc2"],
            dependencies: "",
            variables: BTreeMap::new(),
            below: false,
            by_link: false,
            umask: "022",
        };
        let mut storm = Self {
            directory: tempfile::tempdir().unwrap(),
            dice: Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1),
            asked,
            log: Vec::new(),
        };
        for name in DIRECTORIES.iter().chain(&["out", "bin"]) {
            fs::create_dir_all(storm.at(name).join("sub")).unwrap();
        }
        // From the top every name is found somewhere; from below, where relative paths lead nowhere, it need not be.
        fs::create_dir_all(storm.at("last/sub")).unwrap();
        for name in NAMES {
            fs::write(storm.at("last").join(name), "\n").unwrap();
        }
        symlink("inc2", storm.at("link")).unwrap();
        symlink("tree", storm.directory.path().join("way")).unwrap();
        storm.source();
        storm.wrapper();
        storm
    }

    fn at(&self, path: &str) -> PathBuf {
        self.directory.path().join("tree").join(path)
    }

    fn note(&mut self, what: String) {
        self.log.push(what);
    }

    /// Writes the source, with some of all ways to include.
    fn source(&mut self) {
        const LINES: [&str; 14] = [
            "#include \"a.h\"",
            "#include <a.h>",
            "#include \"b.h\"",
            "#include <b.h>",
            "#include <c.h>",
            "#include \"sub/d.h\"",
            "#include <stddef.h>",
            "#ifdef NAME\n#include NAME\n#endif",
            "#if __has_include(\"c.h\")\nint has_c;\n#endif",
            "#if defined __has_include && __has_include(<e.h>)\nint has_e;\n#endif",
            "#if 0\n#include \"e.h\"\n#endif",
            "#ifdef A\n#include \"e.h\"\n#endif",
            "const char *file = __FILE__;",
            "static int unused;",
        ];
        let mut text = String::new();
        for _ in 0..2 + self.dice.below(3) {
            text.push_str(self.dice.one(&LINES));
            text.push('\n');
        }
        text.push_str("#ifdef A\nint a[A];\n#endif\n#ifdef B\nint b[B];\n#endif\n");
        fs::write(self.at("src/main.c"), &text).unwrap();
        self.note(format!("source: {text:?}"));
    }

    fn text(&mut self, name: &str) -> String {
        let letter = name.rsplit('/').next().unwrap_or_default()[..1].to_uppercase();
        let number = self.dice.below(3) + 1;
        let more = match self.dice.below(9) {
            0 => "#include_next <a.h>\n",
            1 => "#include \"c.h\"\n",
            2 => "#include <e.h>\n",
            3 => "#if __has_include(\"sub/d.h\")\nint has_d;\n#endif\n",
            4 => "#warning careful\n",
            5 => "#include \"../inc1/e.h\"\n",
            _ => "",
        };
        // Equal in size, whatever the number is.
        format!(
            "#undef {letter}\n#define {letter} {number}\n#ifndef IN_{letter}\n#define IN_{letter}\n{more}#endif\n"
        )
    }

    fn wrapper(&mut self) {
        let number = self.dice.below(3);
        let compiler = self.asked.compiler;
        let path = self.at(&format!("bin/{compiler}"));
        fs::write(&path, format!("#!/bin/sh\nexec /usr/bin/{compiler} -DWRAPPED={number} \"$@\"\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        self.note(format!("wrapper {number}"));
    }

    /// Changes something.
    fn change(&mut self) {
        let (directory, name) = (self.dice.one(&DIRECTORIES), self.dice.one(&NAMES));
        let (relative, path) = (format!("{directory}/{name}"), self.at(&format!("{directory}/{name}")));
        let kind = self.dice.below(24);
        match kind {
            0..=5 => {
                clear(&path);
                let text = self.text(name);
                fs::write(&path, &text).unwrap();
                self.note(format!("write {relative} {text:?}"));
            }
            6 | 7 => {
                clear(&path);
                self.note(format!("remove {relative}"));
            }
            8 => {
                let text = self.text(name);
                let beside = self.at("beside");
                fs::write(&beside, &text).unwrap();
                if path.is_dir() {
                    clear(&path);
                }
                fs::rename(beside, &path).unwrap();
                self.note(format!("rename over {relative} {text:?}"));
            }
            9 => {
                let to = self.dice.one(&DIRECTORIES);
                let other = self.at(&format!("{to}/{name}"));
                if path != other && path.exists() {
                    clear(&other);
                    fs::rename(&path, &other).unwrap();
                    self.note(format!("move {relative} to {}", other.display()));
                }
            }
            10 => {
                clear(&path);
                let (to, other) = (self.dice.one(&DIRECTORIES), self.dice.one(&NAMES));
                let target = self.at(&format!("{to}/{other}"));
                symlink(&target, &path).unwrap();
                self.note(format!("link {relative} to {}", target.display()));
            }
            11 => {
                clear(&path);
                fs::create_dir(&path).unwrap();
                self.note(format!("directory {relative}"));
            }
            12 => {
                if path.is_file() {
                    let (mode, time) = (
                        self.dice.one(&[0o644, 0o755, 0o600]),
                        self.dice.one(&["2001-01-01", "2002-01-01", "2040-01-01"]),
                    );
                    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
                    Command::new("touch").args(["-d", time]).arg(&path).status().unwrap();
                    self.note(format!("touch and chmod {relative} {mode:o} {time}"));
                }
            }
            13 => {
                let target = self.dice.one(&["inc2", "quoted", "after", "nowhere"]);
                clear(&self.at("link"));
                symlink(target, self.at("link")).unwrap();
                self.note(format!("link to {target}"));
            }
            14 => {
                // Two directories change places.
                fs::rename(self.at("inc1"), self.at("swap")).unwrap();
                fs::rename(self.at("inc2"), self.at("inc1")).unwrap();
                fs::rename(self.at("swap"), self.at("inc2")).unwrap();
                self.note("swap inc1 and inc2".to_owned());
            }
            15 => self.source(),
            16 => self.wrapper(),
            17 => self.asked.wrapped = !self.asked.wrapped,
            18 | 19 => {
                self.asked.options = self.dice.one(&OPTIONS).to_vec();
                if self.dice.once_in(2) {
                    self.asked.options.extend(self.dice.one(&OPTIONS));
                }
            }
            20 => self.asked.dependencies = self.dice.one(&DEPENDENCIES),
            21 => {
                let (name, values) = self.dice.one(&VARIABLES);
                if self.asked.variables.remove(name).is_none() {
                    let value = self.dice.one(values);
                    self.asked.variables.insert(name, value);
                }
            }
            22 => {
                self.asked.below = self.dice.once_in(3);
                self.asked.by_link = self.dice.once_in(3);
            }
            _ => self.asked.umask = self.dice.one(&["022", "002", "077"]),
        }
    }

    /// Compiles, with or without the cache.
    fn compile(&self, cached: bool) -> Left {
        let asked = &self.asked;
        let top = self.directory.path().join(if asked.by_link { "way" } else { "tree" });
        let (directory, source) = if asked.below { (top.join("src"), "main.c") } else { (top, "src/main.c") };
        let compiler = match (asked.wrapped, asked.below) {
            (false, _) => asked.compiler.to_owned(),
            (true, false) => format!("bin/{}", asked.compiler),
            (true, true) => format!("../bin/{}", asked.compiler),
        };
        let object = if asked.below { "../out/main.o" } else { "out/main.o" };
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(format!("umask {}; exec \"$@\"", asked.umask)).arg("sh");
        if cached {
            command.args([env!("CARGO_BIN_EXE_reviver"), "run", "-v", "--"]);
        }
        command.arg(compiler).args(["-c", source, "-o", object]).args(&asked.options);
        command.args(["-idirafter", "last"]);
        command.args(asked.dependencies.split_ascii_whitespace());
        for name in VARIABLES.map(|(name, _)| name) {
            command.env_remove(name);
        }
        command.env("REVIVER_CACHE_DIR", self.directory.path().join("cache"));
        command.env("XDG_CONFIG_HOME", self.directory.path().join("config"));
        command.envs(&asked.variables).env("PWD", &directory).current_dir(&directory).stdin(Stdio::null());
        let output = command.output().unwrap();
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
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        let (ours, stderr): (Vec<_>, Vec<_>) =
            text(&output.stderr).lines().map(str::to_owned).partition(|line| line.starts_with("reviver: "));
        let (exit, stdout, stderr) = (output.status.code(), text(&output.stdout), stderr.join("\n"));
        Left { exit, stdout, stderr, files, told: ours.join("\n") }
    }

    /// What is in the places of the outputs before a compilation.
    fn prepare(&self, before: usize) {
        for name in ["out", "src/out"] {
            let place = self.at(name);
            drop(fs::remove_dir_all(&place));
            fs::create_dir(&place).unwrap();
            if before > 0 {
                // As an earlier compilation would have made them: compilers write depfiles in place.
                let mask = u32::from_str_radix(self.asked.umask, 8).unwrap();
                for file in ["main.o", "main.d"] {
                    fs::write(place.join(file), "what was there before").unwrap();
                    let mode = fs::Permissions::from_mode(0o666 & !mask);
                    fs::set_permissions(place.join(file), mode).unwrap();
                }
            }
            if before == 2 {
                fs::set_permissions(place.join("main.o"), fs::Permissions::from_mode(0o755)).unwrap();
            }
        }
    }

    fn step(&mut self, number: usize) {
        for _ in 0..=self.dice.below(2) {
            self.change();
        }
        let before = self.dice.below(3);
        self.prepare(before);
        let cached_first = self.dice.once_in(2);
        let mut left = self.compile(cached_first);
        self.prepare(before);
        let mut other = self.compile(!cached_first);
        if cached_first {
            std::mem::swap(&mut left, &mut other);
        }
        let tail = &self.log[self.log.len().saturating_sub(12)..];
        assert!(
            left.is_done_by(&other),
            "step {number} with {}:\n{:#?}\n{}\nplain {left:#?}\ncached {other:#?}",
            self.dice.0,
            self.asked,
            tail.join("\n")
        );
    }

    /// How many compilations were revived.
    fn hits(&self) -> u64 {
        let output = Command::new(env!("CARGO_BIN_EXE_reviver"))
            .args(["stats", "--json"])
            .env("REVIVER_CACHE_DIR", self.directory.path().join("cache"))
            .current_dir(self.at(""))
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        if std::env::var_os("REVIVER_STORM_STEPS").is_some() {
            tell(&text);
        }
        let number = text.split("\"hits\":").nth(1).unwrap_or_default().trim_start();
        number.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default().parse().unwrap_or(0)
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

/// Says something past the test runner, which shows nothing of a test that passes.
fn tell(text: &str) {
    io::stderr().write_all(format!("{text}\n").as_bytes()).ok();
}

fn clear(path: &Path) {
    drop(fs::remove_file(path));
    drop(fs::remove_dir_all(path));
}

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

fn storm(compiler: &'static str) {
    if !Path::new("/usr/bin").join(compiler).exists() {
        tell(&format!("SKIPPED: there is no {compiler} here"));
        return;
    }
    let (steps, seed) = (number("REVIVER_STORM_STEPS", 120), number("REVIVER_STORM_SEED", 1));
    let mut storm = Storm::new(compiler, seed);
    fs::create_dir(storm.at(".git")).unwrap();
    for step in 0..steps as usize {
        storm.step(step);
    }
    assert!(storm.hits() > steps / 20, "only {} of {steps} were revived", storm.hits());
}

#[test]
fn gcc_through_the_cache_is_gcc() {
    storm("gcc");
}

#[test]
fn clang_through_the_cache_is_clang() {
    storm("clang");
}
