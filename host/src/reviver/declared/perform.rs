//! Doing an operation.
//!
//! | kind | the file system afterwards | failure |
//! |---|---|---|
//! | spawn | what the command made of it; redirected output in its file, with the directories above | it did not start, ended as it may not, a file could not be opened |
//! | write, copy | the file, by rename, with the directories above | nothing is changed but for these directories |
//! | native | what the function made of it | the function's |
//! | delete, mkdir | as said | what the system refused |
//! | notify, wait | unchanged | none |

use super::super::execute::{self, ChildInput, Executed, Outputs, execute};
use super::super::program;
use super::super::resolve::Resolver;
use super::super::run::RunError;
use super::super::topology::Topology;
use super::content::{Copy, Write};
use super::declare::{Declared, Kind};
use super::native::{BoxError, Native};
use super::passing::Passing;
use super::place::place;
use super::redirect::Redirects;
use super::reviver::DeclaredReviver;
use super::spawn::Spawn;
use crate::outcome::{Exit, Stream};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Why an operation could not be done.
#[derive(Debug)]
pub(super) enum Unperformed {
    /// The command did not start.
    Start(RunError),
    /// A file could not be used.
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The function failed.
    Function(BoxError),
}

impl DeclaredReviver<'_> {
    pub(super) fn perform(
        &self,
        declared: &Declared<'_>,
        outputs: &mut Outputs<'_>,
    ) -> Result<Executed, Unperformed> {
        if let Kind::Spawn(spawn) = &declared.kind {
            return self.spawn(spawn, &self.look_around(declared), outputs);
        }
        let started = self.clock.now();
        match &declared.kind {
            Kind::Write(Write { file, mode, data, .. }) => {
                let bytes = data().map_err(Unperformed::Function)?;
                place(file, mode & !self.umask, |out| out.write_all(&bytes)).map_err(refused(file))?;
            }
            Kind::Copy(copy) => self.copy(copy)?,
            Kind::Native(Native { function, .. }) => function().map_err(Unperformed::Function)?,
            Kind::Passing(passing) => pass(passing, outputs)?,
            Kind::Spawn(_) => {}
        }
        let ended = self.clock.now();
        let exit = Exit::Code(0);
        Ok(Executed { exit, output: Vec::new(), started, ended, held: false, cut: false, interrupted: false })
    }

    fn spawn(
        &self,
        spawn: &Spawn,
        resolver: &Resolver,
        outputs: &mut Outputs<'_>,
    ) -> Result<Executed, Unperformed> {
        let name = spawn.program.to_string_lossy().into_owned();
        let found = program::find(resolver, &name).ok().flatten();
        let program = found.ok_or_else(|| Unperformed::Start(RunError::NotFound(name.clone())))?;
        let input = match &spawn.stdin {
            None => ChildInput::Null,
            Some(path) => ChildInput::File(File::open(path).map_err(refused(path))?),
        };
        let mut redirects = Redirects::open(spawn).map_err(|(path, source)| refused(&path)(source))?;
        let output = if spawn.is_joined() {
            Topology::Piped { joined: true }
        } else {
            let (stdout, stderr) = redirects.files();
            Topology::Apart { stdout, stderr }
        };
        let mut argv: Vec<&OsStr> = vec![spawn.program.as_os_str()];
        argv.extend(spawn.arguments.iter().map(|word| word.text.as_os_str()));
        let command = execute::Spawn {
            program: &program,
            argv: &argv,
            directory: Some(&spawn.directory),
            variables: Some(&resolver.environment.variables),
            told: &[],
            input,
            output,
        };
        redirects
            .teeing(outputs, |outputs| execute(command, &*self.clock, outputs))
            .map_err(|source| Unperformed::Start(RunError::Spawn { program: name, source }))
    }

    fn copy(&self, copy: &Copy) -> Result<(), Unperformed> {
        let mut source = File::open(&copy.source).map_err(refused(&copy.source))?;
        place(&copy.destination, copy.mode & !self.umask, |out| {
            if let Some(line) = copy.line {
                out.write_all(&line_in_front(line, &copy.source))?;
            }
            io::copy(&mut source, out).map(drop)
        })
        .map_err(refused(&copy.destination))
    }
}

/// What tells a compiler where the text came from.
fn line_in_front(line: u32, source: &Path) -> Vec<u8> {
    let mut text = format!("#line {line} \"").into_bytes();
    for &byte in source.as_os_str().as_encoded_bytes() {
        if matches!(byte, b'"' | b'\\') {
            text.push(b'\\');
        }
        text.push(byte);
    }
    text.extend_from_slice(b"\"\n");
    text
}

fn pass(passing: &Passing, outputs: &mut Outputs<'_>) -> Result<(), Unperformed> {
    match passing {
        Passing::Delete(path) => {
            let there = path.symlink_metadata();
            let directory = there.is_ok_and(|there| there.is_dir());
            let removed = if directory { fs::remove_dir_all(path) } else { fs::remove_file(path) };
            match removed {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(refused(path)(error)),
                _ => Ok(()),
            }
        }
        Passing::Mkdir(path) => fs::create_dir_all(path).map_err(refused(path)),
        Passing::Notify(text) => {
            // Nobody who listens is no failure.
            outputs.say(Stream::Stderr, format!("{text}\n").as_bytes());
            Ok(())
        }
        Passing::Wait => Ok(()),
    }
}

fn refused(path: &Path) -> impl FnOnce(io::Error) -> Unperformed + '_ {
    move |source| Unperformed::File { path: path.to_owned(), source }
}
