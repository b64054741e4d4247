//! Where a command's output goes: which of its streams are pipes of ours, and which are one.

use crate::outcome::Stream;
use std::fs::File;
use std::io::{self, PipeReader};
use std::process::{Command, Stdio};

/// What a command's standard output and standard error are.
#[derive(Debug)]
pub enum Topology {
    /// Both are pipes of ours.
    Piped {
        /// Whether they are one pipe.
        joined: bool,
    },
    /// Each is a file, or a pipe of ours where there is none.
    Apart {
        /// Standard output.
        stdout: Option<File>,
        /// Standard error.
        stderr: Option<File>,
    },
}

impl Topology {
    /// Gives a command its outputs, and us the ends of the pipes among them.
    pub(super) fn connect(self, command: &mut Command) -> io::Result<Vec<(PipeReader, Stream)>> {
        let (stdout, stderr) = match self {
            Self::Piped { joined: true } => {
                let (reader, writer) = io::pipe()?;
                command.stdout(writer.try_clone()?).stderr(writer);
                return Ok(vec![(reader, Stream::Both)]);
            }
            Self::Piped { joined: false } => (None, None),
            Self::Apart { stdout, stderr } => (stdout, stderr),
        };
        let mut pipes = Vec::new();
        let mut end = |file: Option<File>, stream| -> io::Result<Stdio> {
            if let Some(file) = file {
                return Ok(file.into());
            }
            let (reader, writer) = io::pipe()?;
            pipes.push((reader, stream));
            Ok(writer.into())
        };
        command.stdout(end(stdout, Stream::Stdout)?).stderr(end(stderr, Stream::Stderr)?);
        Ok(pipes)
    }
}
