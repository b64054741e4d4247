//! What became of a run, as its user sees it.

use anyhow::{Context as _, Result, bail};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Output};

/// What became of an operation, as `--verbose` says it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    /// It was revived.
    Hit,
    /// It ran and was recorded.
    Miss,
    /// It ran and was not recorded, for this reason.
    Unrecorded(String),
    /// It ran as if nobody was there, for this reason.
    Uncached(String),
    /// It was found and run again, and this differs; nothing where it did the same.
    Rechecked(String),
    /// Nothing was said.
    Silent,
}

/// A process that has ended.
pub(crate) struct Ran {
    /// Its exit status as a shell shows it: 128 + n for signal n.
    pub(crate) code: Option<i32>,
    /// Its standard output.
    pub(crate) stdout: Vec<u8>,
    /// Its standard error without our own lines.
    pub(crate) stderr: Vec<u8>,
    /// Our own lines, the verdict left out.
    pub(crate) said: Vec<String>,
    pub(crate) verdict: Verdict,
}

/// As much of a long output as tells which one it is.
impl std::fmt::Debug for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let front = |bytes: &[u8]| String::from_utf8_lossy(&bytes[..bytes.len().min(400)]).into_owned();
        let Self { code, stdout, stderr, said, verdict } = self;
        write!(
            f,
            "{verdict:?}, status {code:?}, said {said:?}, stdout {:?}, stderr {:?}",
            front(stdout),
            front(stderr)
        )
    }
}

impl Ran {
    /// Runs a command to its end.
    pub(crate) fn of(command: &mut Command) -> Result<Self> {
        let output = command.output().with_context(|| format!("cannot start {command:?}"))?;
        Ok(Self::from(output))
    }

    /// Our warnings.
    pub(crate) fn warnings(&self) -> Vec<&str> {
        self.said.iter().filter_map(|line| line.strip_prefix("warning: ")).collect()
    }

    /// Standard output as text.
    pub(crate) fn out(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Standard error as text, our own lines left out.
    pub(crate) fn err(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    #[track_caller]
    fn became(self, code: i32, verdict: &Verdict) -> Result<Self> {
        if self.code != Some(code) || self.verdict != *verdict {
            let at = std::panic::Location::caller();
            bail!("at {at}: exit status {code} and {verdict:?} were expected of {self:?}");
        }
        Ok(self)
    }

    /// It was revived, and exited with 0.
    #[track_caller]
    pub(crate) fn hit(self) -> Result<Self> {
        self.became(0, &Verdict::Hit)
    }

    /// It ran, was recorded, and exited with 0.
    #[track_caller]
    pub(crate) fn miss(self) -> Result<Self> {
        self.became(0, &Verdict::Miss)
    }

    /// It ran uncached or unrecorded for a reason that holds this text.
    #[track_caller]
    pub(crate) fn without(self, code: i32, reason: &str) -> Result<Self> {
        match &self.verdict {
            Verdict::Uncached(why) | Verdict::Unrecorded(why)
                if why.contains(reason) && self.code == Some(code) =>
            {
                Ok(self)
            }
            _ => {
                let at = std::panic::Location::caller();
                bail!("at {at}: exit status {code}, for `{reason}`, was expected of {self:?}")
            }
        }
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let mut ran = Self {
            code: output.status.code().or_else(|| Some(128 + output.status.signal()?)),
            stdout: output.stdout,
            stderr: Vec::new(),
            said: Vec::new(),
            verdict: Verdict::Silent,
        };
        for line in output.stderr.split_inclusive(|byte| *byte == b'\n') {
            match line.strip_prefix(b"reviver: ") {
                Some(ours) => ran.take(String::from_utf8_lossy(ours).trim_end()),
                None => ran.stderr.extend_from_slice(line),
            }
        }
        ran
    }
}

impl Ran {
    fn take(&mut self, line: &str) {
        let (word, rest) = line.split_once([' ', ':']).unwrap_or((line, ""));
        let reason = || rest.split_once("not recorded: ").map(|(_, reason)| reason.to_owned());
        self.verdict = match word {
            "hit" => Verdict::Hit,
            "miss" => reason().map_or(Verdict::Miss, Verdict::Unrecorded),
            "rechecked" | "differs" => {
                Verdict::Rechecked(rest.split_once(": ").map_or("", |(_, why)| why).to_owned())
            }
            "uncached" => Verdict::Uncached(rest.trim().to_owned()),
            _ => {
                self.said.push(line.to_owned());
                return;
            }
        };
    }
}
