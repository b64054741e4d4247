//! Files that a command's output goes into.

use super::super::execute::Outputs;
use super::spawn::{Sink, Spawn};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The opened files of both streams. All of them append, so that both streams may go into one file.
#[derive(Debug)]
pub(super) struct Redirects {
    stdout: (Sink, Option<File>),
    stderr: (Sink, Option<File>),
}

impl Redirects {
    /// Opens the files, empty, and makes the directories above them.
    pub(super) fn open(spawn: &Spawn) -> Result<Self, (PathBuf, io::Error)> {
        let open = |sink: &Sink| match sink.path() {
            None => Ok((sink.clone(), None)),
            Some(path) => match open(path) {
                Ok(file) => Ok((sink.clone(), Some(file))),
                Err(error) => Err((path.to_owned(), error)),
            },
        };
        Ok(Self { stdout: open(&spawn.stdout)?, stderr: open(&spawn.stderr)? })
    }

    /// The files that the command itself writes to.
    pub(super) fn files(&mut self) -> (Option<File>, Option<File>) {
        let file = |(sink, file): &mut (Sink, Option<File>)| match sink {
            Sink::File(_) => file.take(),
            Sink::Shown | Sink::Tee(_) => None,
        };
        (file(&mut self.stdout), file(&mut self.stderr))
    }

    /// Has what is shown written to the files that are left, too.
    pub(super) fn teeing<T>(self, outputs: &mut Outputs<'_>, body: impl FnOnce(&mut Outputs<'_>) -> T) -> T {
        let mut stdout = Tee { shown: &mut *outputs.stdout, file: self.stdout.1 };
        let mut stderr = Tee { shown: &mut *outputs.stderr, file: self.stderr.1 };
        body(&mut Outputs { stdout: &mut stdout, stderr: &mut stderr })
    }
}

fn open(path: &Path) -> io::Result<File> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    File::create(path)?;
    OpenOptions::new().append(true).open(path)
}

struct Tee<'a> {
    shown: &'a mut dyn Write,
    file: Option<File>,
}

impl Write for Tee<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // All or an error: the file must hold neither more nor less than is shown.
        if let Some(file) = &mut self.file {
            file.write_all(bytes)?;
        }
        self.shown.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.shown.flush()
    }
}
