//! What each part of a plugin call costs: `cargo bench --bench plugin`, or `cargo bench --bench plugin -- --quick`.
//!
//! Each line is held against a reference that takes turns with it: the same plugin's Rust code called natively, or what is
//! named. `median` and `best` are of all rounds; on a machine that does other things the best is worth more. The goals are
//! those of the project; nothing here fails for being slow, it fails where an answer is not the right one.
#![allow(clippy::print_stdout, reason = "it shows something to people")]

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::hint::black_box;
use std::io::{BufWriter, Write as _};
use std::os::fd::AsFd as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, Result, anyhow, ensure};
use examples::{Workshop, reviver};
use reviver::digest::Digest;
use reviver::operation::Operation;
use reviver::outcome::{Chunk, Exit, Outcome, Stream};
use reviver::policy::{
    Budget, Candidate, Codec as _, Eviction, Inputs, KeyPolicy as _, LookFailure, Match, PolicyId,
    QueryAnswer, Role, SharedInputs,
};
use reviver::reviver::environment::Environment;
use reviver::reviver::identify;
use reviver::reviver::input::InputRule;
use reviver::reviver::recheck::Share;
use reviver::reviver::remember::Memory;
use reviver::reviver::run::{Request, Reviver};
use reviver::reviver::table::Table;
use reviver::runtime::{
    Bytes, Capabilities, Limits, PluginSource, Runtime, WasmCodec, WasmEviction, WasmKey,
};
use reviver::shipped;
use reviver::store::{Options, PartitionId, Store, TrimRequest};
use reviver::time::Timestamp;
use reviver_sdk::testing::TestHost;
use reviver_sdk::{EvictionPlugin as _, KeyPlugin as _, MetadataPlugin as _};

const COMPILE: [&str; 8] = ["gcc", "-O2", "-Wall", "-Iinclude", "-c", "src/a.c", "-o", "a.o"];
const NOW: u64 = 1_800_000_000_000_000_000;

fn main() -> Result<()> {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let rounds = if quick { 100 } else { 1000 };
    let workshop = Workshop::new(reviver()?)?;
    println!("{:<58}{:>10}{:>10}{:>12}{:>10}", "", "median", "best", "reference", "goal");
    loading(&workshop, rounds)?;
    calls(&workshop, rounds)?;
    remembered(&workshop, rounds)?;
    processes(&workshop, if quick { 60 } else { 400 })?;
    // Before there are other millions in memory, since it tells its peak.
    decision(&workshop, if quick { 2 } else { 5 })?;
    scoring(&workshop, if quick { 3 } else { 15 })
}

/// Lets the two take turns, and shows what they took.
fn line(
    name: &str,
    goal: &str,
    rounds: usize,
    mut run: impl FnMut() -> Result<()>,
    mut reference: impl FnMut() -> Result<()>,
) -> Result<()> {
    let timed = |run: &mut dyn FnMut() -> Result<()>| {
        let start = Instant::now();
        run()?;
        anyhow::Ok(start.elapsed())
    };
    run()?;
    reference()?;
    let (mut times, mut others) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        times.push(timed(&mut run)?);
        others.push(timed(&mut reference)?);
    }
    times.sort_unstable();
    others.sort_unstable();
    let (median, other) = (times[rounds / 2], others[rounds / 2]);
    println!("{name:<58}{:>10}{:>10}{:>12}{goal:>10}", show(median), show(times[0]), show(other));
    Ok(())
}

fn show(time: Duration) -> String {
    let micros = time.as_secs_f64() * 1e6;
    if micros < 1000.0 { format!("{micros:.2} µs") } else { format!("{:.2} ms", micros / 1e3) }
}

/// Takes an answer that nothing is done with, so that it is worked out all the same.
fn done<T>(answer: T) {
    black_box(answer);
}

fn fault(fault: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("{fault}")
}

fn source(name: &str) -> Result<PluginSource> {
    let shipped = shipped::find(name).with_context(|| name.to_owned())?;
    Ok(PluginSource {
        name: name.to_owned(),
        bytes: Bytes::Embedded(shipped.bytes),
        digest: shipped.digest,
        configuration: "{}".into(),
        limits: Limits::default(),
        capabilities: Capabilities::ALL,
    })
}

/// A runtime as each process has it, with artefacts that are there.
fn runtime(workshop: &Workshop) -> Arc<Runtime> {
    Arc::new(Runtime::new(Some(workshop.path("artifacts"))))
}

/// Loads a plugin of whichever role.
fn load(workshop: &Workshop, name: &str, started: bool) -> Result<impl FnOnce() -> Result<()>> {
    let (runtime, source) = (runtime(workshop), source(name)?);
    if started {
        runtime.start().map_err(fault)?;
    }
    let role = shipped::find(name).context("it is shipped")?.role;
    Ok(move || {
        let loaded = match role {
            Role::Eviction => WasmEviction::new(runtime, source).load(),
            Role::Metadata => WasmCodec::new(runtime, source).load(),
            Role::Key => WasmKey::new(runtime, source).load(),
        };
        loaded.map_err(fault)
    })
}

fn loading(workshop: &Workshop, rounds: usize) -> Result<()> {
    println!("\nloading; reference: the digest of the component");
    let bytes = shipped::find("key-cc").context("it is shipped")?.bytes;
    let digest = |bytes: &'static [u8]| {
        move || {
            black_box(Digest::of(bytes));
            Ok(())
        }
    };
    let engine = || Runtime::new(None).start().map_err(fault);
    line("the engine started", "", rounds, engine, digest(bytes))?;
    for shipped in shipped::all() {
        load(workshop, shipped.name, true)?()?;
        let mut times = Vec::new();
        for _ in 0..=rounds {
            let load = load(workshop, shipped.name, true)?;
            let start = Instant::now();
            load()?;
            times.push(start.elapsed());
        }
        let mut times = times[1..].iter().copied();
        // Only the load itself counts, and not the engine that it needs: the times were taken above.
        show_taken(&format!("{} mapped, checked and linked", shipped.name), "100 µs", &mut times, || {
            digest(shipped.bytes)()
        })?;
    }
    Ok(())
}

/// As [`line`], of times that were taken already.
fn show_taken(
    name: &str,
    goal: &str,
    times: &mut dyn Iterator<Item = Duration>,
    mut reference: impl FnMut() -> Result<()>,
) -> Result<()> {
    let mut times: Vec<_> = times.collect();
    times.sort_unstable();
    let mut others = Vec::new();
    for _ in 0..times.len() {
        let start = Instant::now();
        reference()?;
        others.push(start.elapsed());
    }
    others.sort_unstable();
    let (median, other) = (times[times.len() / 2], others[others.len() / 2]);
    println!("{name:<58}{:>10}{:>10}{:>12}{goal:>10}", show(median), show(times[0]), show(other));
    Ok(())
}

/// Answers what the real compiler answers, which is asked once.
#[derive(Default)]
struct Compiler(BTreeMap<Vec<String>, QueryAnswer>);

impl Inputs for Compiler {
    fn variable(&mut self, _: &str) -> Result<Option<String>, LookFailure> {
        Ok(None)
    }

    fn terminal(&mut self) -> bool {
        false
    }

    fn read(&mut self, _: &str) -> Result<Vec<u8>, LookFailure> {
        Err(LookFailure::Absent)
    }

    fn scan(&mut self, _: &str, _: &[String]) -> Result<Vec<Match>, LookFailure> {
        Ok(Vec::new())
    }

    fn query(&mut self, arguments: &[String]) -> Result<QueryAnswer, LookFailure> {
        if let Some(answer) = self.0.get(arguments) {
            return Ok(answer.clone());
        }
        let mut gcc = Command::new(COMPILE[0]);
        let output = gcc.args(arguments).env("LC_ALL", "C").stdin(Stdio::null()).output();
        let output = output.map_err(|error| LookFailure::Failed(error.to_string()))?;
        let exit = Exit::Code(output.status.code().unwrap_or(-1));
        let answer = QueryAnswer { exit, stdout: output.stdout, stderr: output.stderr };
        self.0.insert(arguments.to_vec(), answer.clone());
        Ok(answer)
    }
}

fn operation(argv: &[&str]) -> Operation {
    Operation {
        argv: argv.iter().map(|argument| (*argument).to_owned()).collect(),
        root: "/repository".into(),
        writes: vec!["a.o".into()],
        ..Operation::default()
    }
}

fn outcome() -> Outcome {
    let bytes = "src/a.c:3:5: warning: unused variable `a` [-Wunused-variable]\n".repeat(4).into_bytes();
    let output = vec![Chunk { stream: Stream::Stderr, bytes }];
    Outcome { exit: Exit::Code(0), output, started: NOW, duration: 40_000_000, notes: vec![] }
}

fn calls(workshop: &Workshop, rounds: usize) -> Result<()> {
    println!("\na fresh instance and a typical call; reference: the plugin's own code, natively");
    let runtime = runtime(workshop);
    let compiler = Rc::new(RefCell::new(Compiler::default()));
    let inputs = || -> SharedInputs { Rc::<RefCell<Compiler>>::clone(&compiler) };

    let key = WasmKey::new(Arc::clone(&runtime), source("key-cc")?);
    let compile = operation(&COMPILE);
    let derive = |key: &WasmKey, operation: &Operation| {
        let answer = key.derive(operation, inputs()).map_err(fault)?;
        answer.map(drop).map_err(|refusal| anyhow!("{refusal:?}"))
    };
    derive(&key, &compile)?;
    let mut host = TestHost::new();
    for (arguments, answer) in &compiler.borrow().0 {
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        host = host.answer(&arguments, answer.stdout.clone(), answer.stderr.clone());
    }
    let mut native = reviver_sdk::Operation::new(COMPILE);
    (native.root, native.writes) = (compile.root.clone(), compile.writes.clone());
    let natively = || {
        let answer = host.run(|| key_cc::Cc::derive(&native));
        answer.map(drop).map_err(|refusal| anyhow!("{refusal:?}"))
    };
    line(
        "key-cc derive: gcc -O2 -Wall -Iinclude -c src/a.c -o a.o",
        "100 µs",
        rounds,
        || derive(&key, &compile),
        natively,
    )?;
    println!("    {} units of fuel, {} bytes of memory", key.usage().fuel, key.usage().memory);
    let other = operation(&["make", "-c", "a.c"]);
    let refuse = || {
        let answer = key.derive(&other, inputs()).map_err(fault)?;
        ensure!(answer.is_err(), "a make is no compiler");
        Ok(())
    };
    let refuse_natively = || {
        let answer = host.run(|| key_cc::Cc::derive(&reviver_sdk::Operation::new(["make", "-c", "a.c"])));
        ensure!(answer.is_err(), "a make is no compiler");
        Ok(())
    };
    line("key-cc derive: a refusal, little more than the instance", "", rounds, refuse, refuse_natively)?;

    let command = WasmKey::new(Arc::clone(&runtime), source("key-command")?);
    let natively = || {
        let answer = host.run(|| key_command::Command::derive(&native));
        answer.map(drop).map_err(|refusal| anyhow!("{refusal:?}"))
    };
    line("key-command derive: the same", "100 µs", rounds, || derive(&command, &compile), natively)?;

    let codec = WasmCodec::new(Arc::clone(&runtime), source("metadata-compact")?);
    let outcome = outcome();
    let hunk = codec.encode(&outcome).map_err(fault)?.map_err(fault)?;
    let native = native_outcome(&outcome);
    let encode = || codec.encode(&outcome).map_err(fault)?.map(done).map_err(fault);
    let natively = || metadata_compact::Compact::encode(&native).map(done).map_err(fault);
    line("metadata-compact encode: a warning of 260 bytes", "", rounds, encode, natively)?;
    let decode = || {
        ensure!(codec.decode(&hunk).map_err(fault)?.map_err(fault)? == outcome, "another outcome");
        Ok(())
    };
    let natively = || metadata_compact::Compact::decode(&hunk).map(done).map_err(fault);
    line("metadata-compact decode: the same", "", rounds, decode, natively)?;

    let eviction = WasmEviction::new(Arc::clone(&runtime), source("evict-lru")?);
    let candidates: Vec<_> = (0..32_768).map(candidate).collect();
    let score = |number: usize| {
        let scores = eviction.score(Timestamp(NOW), budget(), &candidates[..number]).map_err(fault)?;
        ensure!(scores.len() == number, "{} scores", scores.len());
        Ok(())
    };
    let natively = |number: usize| {
        done(native_scores(&candidates[..number]));
        Ok(())
    };
    line("evict-lru score: one candidate", "", rounds, || score(1), || natively(1))?;
    line("evict-lru score: 4096 candidates", "", rounds, || score(4096), || natively(4096))?;
    line("the same eight times on one live instance", "", rounds / 4, || score(32_768), || natively(32_768))
}

fn native_outcome(outcome: &Outcome) -> reviver_sdk::Outcome {
    let chunk = |chunk: &Chunk| reviver_sdk::Chunk {
        stream: reviver_sdk::Stream::Stderr,
        bytes: chunk.bytes.clone(),
    };
    reviver_sdk::Outcome {
        exit: reviver_sdk::ExitStatus::Code(0),
        output: outcome.output.iter().map(chunk).collect(),
        started: outcome.started,
        duration: outcome.duration,
        notes: vec![],
    }
}

fn candidate(number: u64) -> Candidate {
    Candidate {
        size: 4096 + number % 100_000,
        files: 1,
        created: Timestamp(NOW - number * 1_000_003 % 1_000_000_000_000),
        last_use: Timestamp(NOW - number * 7_919_003 % 1_000_000_000_000),
        uses: number % 17,
        cost: number * 1000,
        unused: number.is_multiple_of(97),
    }
}

const fn budget() -> Budget {
    Budget { limit: 1 << 30, used: 2 << 30, entries: 1_000_000 }
}

fn native_scores(candidates: &[Candidate]) -> Vec<f64> {
    let budget = reviver_sdk::Budget { limit: 1 << 30, used: 2 << 30, entries: 1_000_000 };
    let score = |candidate: &Candidate| {
        let Candidate { size, files, created, last_use, uses, cost, unused } = *candidate;
        let (created, last_use) = (created.0, last_use.0);
        let candidate = reviver_sdk::Candidate { size, files, created, last_use, uses, cost, unused };
        evict_lru::LeastRecentlyUsed::score(NOW, &budget, &candidate)
    };
    candidates.iter().map(score).collect()
}

/// An operation in a repository, as `run` has it.
fn remembered(workshop: &Workshop, rounds: usize) -> Result<()> {
    println!("\na remembered derivation, no Wasm; reference: a `stat` of the source");
    let root = workshop.path("repository");
    fs::create_dir_all(root.join("src"))?;
    fs::create_dir_all(root.join("include"))?;
    fs::write(root.join("src/a.c"), "int a;\n")?;
    std::thread::sleep(Duration::from_millis(50));
    let clock = || Timestamp::of(SystemTime::now());
    let store = Store::open(&workshop.path("library"), Options::default())?;
    let partition = store.partition(PartitionId::new([7; 16]));
    let runtime = runtime(workshop);
    let source = source("key-cc")?;
    let limits = source.bounds();
    let key = WasmKey::new(Arc::clone(&runtime), source);
    let codec = WasmCodec::new(runtime, self::source("metadata-compact")?);
    let null = fs::File::open("/dev/null")?;
    let operation = Rc::new(Operation {
        argv: COMPILE.map(str::to_owned).to_vec(),
        root: root.to_str().context("it is text")?.to_owned(),
        ..Operation::default()
    });
    let environment = Rc::new(Environment {
        variables: std::env::vars_os().collect(),
        directory: root.clone(),
        umask: 0o022,
        terminal: false,
    });
    let accepted = BTreeSet::from([0]);
    // A process asks once: what files are is looked at anew each time.
    let base = || {
        let reviver = Reviver {
            store: &store,
            partition: &partition,
            table: Rc::new(Table::new(store.layout().hashes())),
            clock: Rc::new(clock),
            key_policy: &key,
            limits,
            codec: &codec,
        };
        let request = Request {
            operation: Rc::clone(&operation),
            environment: Rc::clone(&environment),
            accepted: &accepted,
            input: InputRule::None,
            stdin: Some(null.as_fd()),
            joined: false,
            here: false,
            told: &[],
            recheck: Share::NONE,
            anew: None,
        };
        reviver.base(&request).map_err(|why| anyhow!(why))
    };
    let first = base()?;
    let fuel = key.usage();
    let question = identify::question(key.id().digest(), limits, &operation);
    let path = store.layout().derivation(partition.id(), question);
    let stat = || Ok(fs::metadata(root.join("src/a.c")).map(done)?);
    let read = || {
        let question = identify::question(key.id().digest(), limits, &operation);
        let path = store.layout().derivation(partition.id(), question);
        Memory::from_bytes(&fs::read(path)?).map(drop).map_err(fault)
    };
    line("the question hashed, its answer read and parsed", "20 µs", rounds, read, stat)?;
    println!("    {} bytes", fs::metadata(path)?.len());
    let again = || {
        ensure!(base()? == first, "another key");
        Ok(())
    };
    line("its conditions and ingredients resolved too: the base key", "", rounds, again, stat)?;
    ensure!(key.usage() == fuel, "the plugin was asked again");
    Ok(())
}

/// Whole processes, in turns.
fn processes(workshop: &Workshop, rounds: usize) -> Result<()> {
    println!("\nwhole processes; reference: `true`");
    let compile = || {
        let mut command = workshop.reviver("repository");
        command.args(["run", "--"]).args(COMPILE).stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let run = |command: &mut Command| {
        let status = command.status()?;
        ensure!(status.success(), "{command:?}: {status}");
        Ok(())
    };
    std::env::set_current_dir(workshop.path("repository"))?;
    run(&mut compile())?;
    let (mut hits, mut firsts, mut trues) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..=rounds {
        let timed = |times: &mut Vec<Duration>, mut command: Command| {
            let start = Instant::now();
            run(&mut command)?;
            times.push(start.elapsed());
            anyhow::Ok(())
        };
        timed(&mut hits, compile())?;
        workshop.forget()?;
        timed(&mut firsts, compile())?;
        timed(&mut trues, workshop.command("true", "repository"))?;
    }
    let [hits, firsts, trues] = [hits, firsts, trues].map(|mut times| {
        times.sort_unstable();
        times
    });
    let median = |times: &[Duration]| times[times.len() / 2];
    for (name, times) in
        [("a hit, its derivation remembered", &hits), ("a hit, its derivation forgotten: Wasm runs", &firsts)]
    {
        println!("{name:<58}{:>10}{:>10}{:>12}", show(median(times)), show(times[0]), show(median(&trues)));
    }
    let more = |of: fn(&[Duration]) -> Duration| show(of(&firsts).saturating_sub(of(&hits)));
    println!(
        "{:<58}{:>10}{:>10}{:>12}{:>10}",
        "the difference",
        more(median),
        more(|times| times[0]),
        "",
        "0.6 ms"
    );
    let stats: serde_json::Value = serde_json::from_str(&workshop.ask("repository", &["stats", "--json"])?)?;
    ensure!(stats["hits"].as_u64() == Some(2 * rounds as u64 + 2), "some hits were none: {stats}");
    Ok(())
}

fn scoring(workshop: &Workshop, rounds: usize) -> Result<()> {
    println!("\nscoring 1 000 000 candidates; reference: natively, one core");
    let eviction = WasmEviction::new(runtime(workshop), source("evict-lru")?);
    let candidates: Vec<_> = (0..1_000_000).map(candidate).collect();
    let score = || {
        let scores = eviction.score(Timestamp(NOW), budget(), &candidates).map_err(fault)?;
        ensure!(scores.len() == candidates.len(), "{} scores", scores.len());
        black_box(scores);
        Ok(())
    };
    let natively = || {
        done(native_scores(&candidates));
        Ok(())
    };
    ensure!(
        eviction.score(Timestamp(NOW), budget(), &candidates).map_err(fault)? == native_scores(&candidates),
        "other scores than natively"
    );
    line("evict-lru score", "50 ms", rounds, score, natively)
}

/// The host's own code in the place of a plugin.
struct Native(PolicyId);

impl Eviction for Native {
    fn id(&self) -> &PolicyId {
        &self.0
    }

    fn score(
        &self,
        _: Timestamp,
        _: Budget,
        candidates: &[Candidate],
    ) -> Result<Vec<f64>, Box<reviver::policy::Fault>> {
        Ok(native_scores(candidates))
    }
}

fn decision(workshop: &Workshop, rounds: usize) -> Result<()> {
    println!("\nwhat a trim of 1 000 000 entries by half decides; reference: the same with a native policy");
    let store = Store::open(&workshop.path("large"), Options::default())?;
    let partition = PartitionId::new([9; 16]);
    index(&store.layout().partition(partition))?;
    let wasm = WasmEviction::new(runtime(workshop), source("evict-lru")?);
    let native = Native(wasm.id().clone());
    let plan = |policy: &dyn Eviction| {
        let policies = |_: PartitionId| Some(policy);
        let request = TrimRequest { policies: &policies, ..TrimRequest::new(5 << 30, Timestamp(NOW)) };
        let plan = store.plan(&request)?;
        let number = plan.victims.len();
        ensure!(plan.faults.is_empty() && (300_000..700_000).contains(&number), "{number} victims");
        Ok(())
    };
    let before = peak()?;
    plan(&wasm)?;
    let after = peak()?;
    line("evict-lru, the whole plan", "0.5 s", rounds, || plan(&wasm), || plan(&native))?;
    println!("    peak memory {} MB, {} MB before; goal 200 MB", after >> 20, before >> 20);
    Ok(())
}

/// The most memory that this process had.
fn peak() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("a peak")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? << 10)
}

/// Writes the index of a partition with a million entries, as `docs/format.md` has it. Entries themselves are not looked at to
/// decide what goes.
fn index(partition: &Path) -> Result<()> {
    fs::create_dir_all(partition)?;
    let mut index = BufWriter::new(fs::File::create(partition.join("index"))?);
    for number in 0..1_000_000_u64 {
        let candidate = candidate(number);
        let mut record = b"RVI\x01".to_vec();
        record.extend(Digest::of(&number.to_le_bytes()).as_bytes());
        record.extend([0; 32]);
        record.extend(candidate.files.to_le_bytes());
        record.extend(0_u32.to_le_bytes());
        record.extend((candidate.size % 20_000).to_le_bytes());
        record.extend(0_u64.to_le_bytes());
        record.extend(candidate.last_use.0.to_le_bytes());
        record.extend(candidate.cost.to_le_bytes());
        let check = Digest::of(&record);
        record.extend(&check.as_bytes()[..4]);
        index.write_all(&record)?;
    }
    Ok(index.flush()?)
}
