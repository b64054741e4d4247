//! The laws of attempts, with a native key policy.

mod doubts;
mod holds;
mod records;
mod reports;

use super::{Begun, Finished, Found, Pending, Revived, Task};
use crate::digest::Digest;
use crate::operation::{
    Derivation, Discovery, Ingredient, Input, Operation, REPORT, Refusal, Source, Write, WriteKind,
};
use crate::outcome::{Chunk, Exit, Stream};
use crate::policy::{Fault, KeyPolicy, Plain, PolicyId, SharedInputs};
use crate::reviver::environment::Environment;
use crate::reviver::execute::{Executed, Outputs};
use crate::reviver::journal;
use crate::reviver::run::{Ran, Report, Reviver};
use crate::reviver::start::start;
use crate::reviver::table::Table;
use crate::store::{Options, Partition, PartitionId, Store};
use crate::time::Timestamp;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

/// What a daemon's threads hand to each other is theirs alone.
#[test]
fn what_is_found_or_pending_goes_from_thread_to_thread() {
    const fn send<T: Send + 'static>() {}
    send::<Task>();
    send::<Found>();
    send::<Pending>();
    send::<Begun>();
    send::<Finished>();
    send::<Revived>();
}

/// A key policy for `sh -c SCRIPT`, which reads `in` and writes `out`.
struct Policy {
    id: PolicyId,
    /// Whether the script leaves a report, of the names of what else it read: of files, and of directories with a slash.
    reports: bool,
    /// The arguments that replace the script, and what the policy makes itself then.
    instead: Option<(&'static str, &'static str)>,
    /// What else is known to be read.
    reads: Vec<Source>,
    /// Why there is no key.
    refuses: Option<&'static str>,
}

impl Default for Policy {
    fn default() -> Self {
        let id = PolicyId {
            name: "native".into(),
            component: Digest::of(b"native"),
            configuration: "{}".into(),
            abi: "0.1.0".into(),
        };
        Self { id, reports: false, instead: None, reads: Vec::new(), refuses: None }
    }
}

impl KeyPolicy for Policy {
    fn id(&self) -> &PolicyId {
        &self.id
    }

    fn derive(
        &self,
        operation: &Operation,
        _: SharedInputs,
    ) -> Result<Result<Derivation, Refusal>, Box<Fault>> {
        if let Some(why) = self.refuses {
            return Ok(Err(Refusal::NotCacheable(why.into())));
        }
        let write = |label: &str| Write {
            label: label.into(),
            path: label.into(),
            kind: WriteKind::File,
            optional: false,
        };
        let mut writes = vec![write("out")];
        writes.extend(self.instead.map(|(_, made)| write(made)));
        let script = self.instead.map_or(&*operation.argv[2], |(script, _)| script);
        let replaced = ["-c", script, "sh", REPORT].map(str::to_owned).to_vec();
        let told = [Source::Text(operation.argv[2].clone()), Source::File("in".into())];
        Ok(Ok(Derivation {
            label: "copy".into(),
            ingredients: told.into_iter().chain(self.reads.clone()).map(ingredient).collect(),
            writes,
            input: Input::Read,
            arguments: self.reports.then_some(replaced),
            report: self.reports.then(|| REPORT.to_owned()),
        }))
    }

    fn discover(
        &self,
        _: &Operation,
        report: &[u8],
        _: SharedInputs,
    ) -> Result<Result<Discovery, Refusal>, Box<Fault>> {
        let names = String::from_utf8_lossy(report);
        if names.contains("nonsense") {
            return Ok(Err(Refusal::Malformed("no idea".into())));
        }
        let read = |name: &str| {
            let tree = name.strip_suffix('/').map(|name| Source::Tree(name.into()));
            ingredient(tree.unwrap_or_else(|| Source::File(name.into())))
        };
        let ingredients = names.split_whitespace().map(read).collect();
        let produced =
            self.instead.map(|(_, made)| (made.to_owned(), b"by the plugin".to_vec())).into_iter().collect();
        Ok(Ok(Discovery { ingredients, produced, uncacheable: None }))
    }
}

fn ingredient(source: Source) -> Ingredient {
    Ingredient { label: source.place().to_owned(), source }
}

fn now() -> Timestamp {
    Timestamp::of(SystemTime::now())
}

/// What changed within a tick of the kernel's clock is too young to be sure of.
fn settle() {
    std::thread::sleep(Duration::from_millis(25));
}

/// A repository with its cache.
struct Place {
    directory: TempDir,
    partition: Partition,
    codec: Plain,
    policy: Policy,
}

impl Place {
    fn new(policy: Policy) -> Self {
        Self::with(Options::default(), policy)
    }

    fn with(options: Options, policy: Policy) -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("repo")).unwrap();
        let store = Store::open(&directory.path().join("cache"), options).unwrap();
        let partition = store.partition(PartitionId::of(Digest::of(b"partition")));
        Self { directory, partition, codec: Plain::default(), policy }
    }

    fn reviver(&self) -> Reviver<'_> {
        self.reviver_with(&self.policy)
    }

    fn reviver_with<'a>(&'a self, policy: &'a Policy) -> Reviver<'a> {
        let store = self.partition.store();
        Reviver {
            store,
            partition: &self.partition,
            table: Rc::new(Table::new(store.layout().hashes())),
            clock: Rc::new(now),
            key_policy: policy,
            limits: Digest::of(b"limits"),
            codec: &self.codec,
        }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.directory.path().canonicalize().unwrap().join("repo").join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.at(name), text).unwrap();
        settle();
    }

    fn read(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.at(name)).ok()
    }

    fn remove(&self, name: &str) {
        fs::remove_file(self.at(name)).unwrap();
    }

    fn task(&self, script: &str) -> Task {
        let root = self.at("").to_str().unwrap().trim_end_matches('/').to_owned();
        let variables = [("PATH".into(), "/usr/bin:/bin".into())].into();
        let directory = PathBuf::from(&root);
        let argv = ["sh", "-c", script].map(str::to_owned).to_vec();
        Task {
            operation: Operation { argv, root, ..Operation::default() },
            environment: Environment { variables, directory, umask: 0o022, terminal: false },
            accepted: BTreeSet::from([0]),
            joined: false,
        }
    }

    fn open(&self, script: &str) -> Pending {
        match self.reviver().begin(self.task(script)) {
            Begun::Open(pending) => *pending,
            other => panic!("nothing is bound: {other:?}"),
        }
    }

    fn found(&self, script: &str) -> Found {
        match self.reviver().begin(self.task(script)) {
            Begun::Found(found) => *found,
            other => panic!("an entry is bound: {other:?}"),
        }
    }

    fn bare(&self, script: &str) -> Report {
        match self.reviver().begin(self.task(script)) {
            Begun::Bare(report) => *report,
            other => panic!("it runs as it is: {other:?}"),
        }
    }

    /// Does what a client does.
    fn execute(&self, argv: &[String]) -> Executed {
        let started = now();
        let mut command = Command::new(&argv[0]);
        command.args(&argv[1..]).current_dir(self.at("")).stdout(Stdio::piped()).stderr(Stdio::piped());
        let done = start(&mut command).unwrap().wait_with_output().unwrap();
        let ended = now();
        let said = [(Stream::Stdout, done.stdout), (Stream::Stderr, done.stderr)];
        let said = said.into_iter().filter(|(_, bytes)| !bytes.is_empty());
        Executed {
            exit: Exit::Code(done.status.code().unwrap()),
            output: said.map(|(stream, bytes)| Chunk { stream, bytes }).collect(),
            started,
            ended,
            held: false,
            cut: false,
            interrupted: false,
        }
    }

    /// Runs what is pending, and finishes it.
    fn finish(&self, pending: Pending) -> Finished {
        let executed = self.execute(pending.arguments());
        self.reviver().finish(pending, executed)
    }

    fn attempt(&self, script: &str) -> Finished {
        self.finish(self.open(script))
    }

    /// The same operation as a run of our own, and what it said.
    fn run(&self, script: &str) -> (Report, String) {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let outputs = &mut Outputs { stdout: &mut stdout, stderr: &mut stderr };
        let (_, ran) = self.task(script).ask(|request| self.reviver().run(request, outputs).unwrap());
        let (Ran::Done { report, .. } | Ran::Bare { report, .. }) = ran;
        (report, String::from_utf8(stdout).unwrap())
    }

    fn keys(&self) -> usize {
        self.partition.keys().unwrap().len()
    }

    fn locks(&self) -> usize {
        names_in(self.partition.store().layout().locks())
    }

    fn journal(&self) -> Vec<String> {
        let path = self.partition.store().layout().journal(self.partition.id());
        fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
    }
}

fn names_in(directory: impl AsRef<Path>) -> usize {
    fs::read_dir(directory).map_or(0, Iterator::count)
}

fn outcome(report: &Report) -> (journal::Result, &str) {
    (report.record.result, report.record.reason.as_str())
}

const COPY: &str = "echo copying; cat in > out";
const HIT: (journal::Result, &str) = (journal::Result::Hit, "");
const RECORDED: (journal::Result, &str) = (journal::Result::Miss, "");
