//! What a program says of itself, asked once for as long as it is the same program.
//!
//! The program runs in an empty directory with nothing but `PATH`, `LC_ALL=C` and `REVIVER_DISABLE=1` around it, without standard input, for at
//! most 10 s and 1 MiB of output. The answer is remembered under the program's value, the arguments and `PATH`.

use super::program;
use super::remember::{check, checked};
use super::resolve::Resolver;
use super::start::start;
use super::value::Value;
use crate::bytes::{Layout, Malformed, Reader, Writer, from_bytes, to_bytes};
use crate::digest::{Digest, Framer};
use crate::outcome::Exit;
use crate::policy::{LookFailure, QueryAnswer};
use crate::store::{Partition, Store};
use std::fs;
use std::io::Read;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

const MAGIC: &[u8; 8] = b"RVQUERY1";
const TIME_LIMIT: Duration = Duration::from_secs(10);
const OUTPUT_LIMIT: u64 = 1 << 20;

/// What is asked.
#[derive(Debug)]
pub struct Question<'a> {
    /// The program as the operation invokes it.
    pub program: &'a str,
    /// What it resolved to.
    pub value: Value,
    /// Its arguments.
    pub arguments: &'a [String],
    /// The search path.
    pub path: &'a str,
}

impl Question<'_> {
    fn digest(&self) -> Digest {
        let mut framer = Framer::new("reviver.query");
        framer.bytes(&to_bytes(&self.value)).text(self.program).texts(self.arguments).text(self.path);
        framer.finish()
    }
}

/// The remembered answer, else the program's own.
pub fn answer(
    question: &Question<'_>,
    resolver: &Resolver,
    store: &Store,
    partition: &Partition,
) -> Result<QueryAnswer, LookFailure> {
    let kept = store.layout().derivation(partition.id(), question.digest());
    let known = fs::read(&kept).ok().and_then(|bytes| from_bytes(check(MAGIC, &bytes).ok()?).ok());
    if let Some(answer) = known {
        return Ok(answer);
    }
    let failed = |what: &dyn std::fmt::Display| {
        LookFailure::Failed(format!("cannot ask {}: {what}", question.program))
    };
    let program = program::find(resolver, question.program).map_err(|doubt| failed(&doubt))?;
    let program = program.ok_or_else(|| failed(&"there is no such program"))?;
    let directory = store.temporary().map_err(|error| failed(&error))?;
    let mut command = Command::new(program);
    command
        .arg0(question.program)
        .args(question.arguments)
        .env_clear()
        .env("PATH", question.path)
        .env("LC_ALL", "C")
        // A wrapper may come back to us by the name of what it wraps, and we must not ask it in turn.
        .env("REVIVER_DISABLE", "1")
        .current_dir(directory.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    let child = start(&mut command).map_err(|error| failed(&error))?;
    let answer = wait(child).map_err(|what| failed(&what))?;
    // An answer that cannot be kept is asked for again.
    store.publish(&kept, &checked(MAGIC, &to_bytes(&answer))).ok();
    Ok(answer)
}

/// Reads both outputs side by side, so that neither pipe blocks the program, and gives up after the time limit.
fn wait(mut child: Child) -> Result<QueryAnswer, String> {
    let (sender, receiver) = mpsc::channel();
    let outputs: [Option<Box<dyn Read + Send>>; 2] = [
        child.stdout.take().map(|output| Box::new(output) as Box<dyn Read + Send>),
        child.stderr.take().map(|output| Box::new(output) as Box<dyn Read + Send>),
    ];
    for (which, output) in outputs.into_iter().enumerate() {
        let (sender, output) = (sender.clone(), output.expect("invariant: both outputs are pipes"));
        thread::spawn(move || {
            let mut bytes = Vec::new();
            let read = output.take(OUTPUT_LIMIT + 1).read_to_end(&mut bytes);
            // Nobody listens any more where the time ran out.
            sender.send((which, read.map(|_| bytes))).ok();
        });
    }
    let mut answers = [Vec::new(), Vec::new()];
    for _ in 0..2 {
        let problem = match receiver.recv_timeout(TIME_LIMIT) {
            Ok((_, Ok(bytes))) if bytes.len() as u64 > OUTPUT_LIMIT => {
                format!("it said more than {OUTPUT_LIMIT} bytes")
            }
            Ok((which, Ok(bytes))) => {
                answers[which] = bytes;
                continue;
            }
            Ok((_, Err(error))) => error.to_string(),
            Err(_) => format!("it did not answer within {} s", TIME_LIMIT.as_secs()),
        };
        if let Some(group) = rustix::process::Pid::from_raw(child.id().cast_signed()) {
            rustix::process::kill_process_group(group, rustix::process::Signal::KILL).ok();
        }
        child.wait().ok();
        return Err(problem);
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    let exit = status.code().map_or_else(|| Exit::Signal(status.signal().unwrap_or_default()), Exit::Code);
    let [stdout, stderr] = answers;
    Ok(QueryAnswer { exit, stdout, stderr })
}

impl Layout for QueryAnswer {
    fn put(&self, out: &mut Writer) {
        self.exit.put(out);
        out.bytes(&self.stdout);
        out.bytes(&self.stderr);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self { exit: Exit::take(from)?, stdout: from.bytes()?.to_vec(), stderr: from.bytes()?.to_vec() })
    }
}
