//! The circuit breaker: a plugin that keeps being at fault is not asked for a while.
//!
//! One stands for each plugin file, by its digest, in each partition. What is remembered costs no call and does not touch it.
//!
//! ```text
//! closed --[3 faults in a row]--> open --[10 minutes]--> half-open: one call is let through
//!    ^                              ^                         |
//!    |                              +------ a fault ----------+
//!    +--------------------- an answer ------------------------+
//! ```
//!
//! | what a call gives | counts |
//! |---|---|
//! | an answer; a refusal, which is one | closes it |
//! | `trap`, `panic`, `limit.*`, `protocol` | a fault |
//! | `load`, `abi`, `import` | nothing: no guest ran, which costs no more the next time |
//!
//! Faults and answers of one function are counted together: a key plugin that derives well and always traps in `discover` is
//! switched off as well.
//!
//! While it is open a call is answered with a fault of the kind [`FaultKind::Off`], which is told where one asks and warned
//! of nowhere: the fault that opened it was.
//!
//! The state is a small file that appears by rename:
//!
//! ```text
//! "RVBREAK1" | digest of the rest | faults in a row | time of the last, or of the try | its code | function | plugin | role
//! ```
//!
//! Without the file, and with one that is damaged or from the future, the breaker is closed, or half-open. Two processes that
//! count at once may count one fault less.

use super::remember::{check, checked};
use crate::bytes::{Layout, Malformed, Reader, Writer, from_bytes, to_bytes};
use crate::digest::Digest;
use crate::operation::{Derivation, Discovery, Operation, Refusal};
use crate::outcome::Outcome;
use crate::policy::{
    Budget, Candidate, Codec, Eviction, Fault, FaultKind, KeyPolicy, PolicyId, Role, SharedInputs,
};
use crate::store::{Partition, Store};
use crate::time::{Clock, Timestamp};
use std::fs;
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

const MAGIC: &[u8; 8] = b"RVBREAK1";

/// How many faults in a row open it.
pub const FAULTS: u64 = 3;

/// What no file of a state is larger than.
const SIZE: u64 = 64 << 10;

/// How long it stays open.
pub const OPEN: Duration = Duration::from_mins(10);

/// How long a plugin is remembered that is not called any more.
const FORGOTTEN: Duration = Duration::from_hours(24);

/// What is known of a plugin that was at fault.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct State {
    /// How many times in a row.
    pub faults: u64,
    /// When it was last, or when it was last tried again.
    pub time: Timestamp,
    /// The code of the last fault.
    pub code: String,
    /// The function that it was in.
    pub function: String,
    /// The plugin's name.
    pub plugin: String,
    /// Its role.
    pub role: Role,
}

impl State {
    /// When it is tried again, where it is open.
    #[must_use]
    pub fn until(&self, now: Timestamp) -> Option<Timestamp> {
        let until = Timestamp(self.time.0.saturating_add(OPEN.as_nanos() as u64));
        (self.faults >= FAULTS && self.time <= now && now < until).then_some(until)
    }
}

impl Layout for State {
    fn put(&self, out: &mut Writer) {
        out.u64(self.faults);
        out.u64(self.time.0);
        self.code.put(out);
        self.function.put(out);
        self.plugin.put(out);
        self.role.name().to_owned().put(out);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            faults: from.u64()?,
            time: Timestamp(from.u64()?),
            code: String::take(from)?,
            function: String::take(from)?,
            plugin: String::take(from)?,
            role: Role::from_name(&String::take(from)?).ok_or(Malformed { expected: "a role" })?,
        })
    }
}

/// The plugins of a partition that were at fault in their last call, open breakers among them.
#[must_use]
pub fn list(store: &Store, partition: &Partition) -> Vec<(Digest, State)> {
    let Ok(files) = fs::read_dir(store.layout().breakers(partition.id())) else { return Vec::new() };
    let known =
        |file: fs::DirEntry| Some((Digest::from_hex(file.file_name().to_str()?)?, state(&file.path())?));
    let mut states: Vec<_> = files.flatten().filter_map(known).collect();
    states.sort_by(|(_, a), (_, b)| a.plugin.cmp(&b.plugin));
    states
}

/// Closes the breaker of a plugin: somebody looked at it, and wants it to be tried.
pub fn forget(store: &Store, partition: &Partition, plugin: Digest) -> io::Result<()> {
    match fs::remove_file(store.layout().breaker(partition.id(), plugin)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn state(path: &Path) -> Option<State> {
    // Something else in its place must not be waited for, nor read to its end.
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = fs::File::options().read(true).custom_flags(flags).open(path).ok()?;
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(SIZE).read_to_end(&mut bytes).ok()?;
    from_bytes(check(MAGIC, &bytes).ok()?).ok()
}

/// A policy behind its breaker.
pub struct Guarded<P> {
    policy: P,
    store: Store,
    partition: Partition,
    clock: Rc<dyn Clock>,
}

impl<P> std::fmt::Debug for Guarded<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guarded").field("partition", &self.partition.id()).finish_non_exhaustive()
    }
}

impl<P> Guarded<P> {
    /// The policy, behind the breaker that it has in this partition.
    pub fn new(policy: P, store: &Store, partition: &Partition, clock: Rc<dyn Clock>) -> Self {
        Self { policy, store: store.clone(), partition: partition.clone(), clock }
    }

    fn path(&self, id: &PolicyId) -> PathBuf {
        self.store.layout().breaker(self.partition.id(), id.component)
    }

    /// Whether the breaker lets a call through now.
    fn lets(&self, role: Role, id: &PolicyId) -> Result<(), Box<Fault>> {
        state(&self.path(id)).map_or(Ok(()), |state| closed(&state, self.clock.now(), role, id, ""))
    }

    /// Calls the policy unless its breaker is open, and notes how that went.
    fn call<T>(
        &self,
        role: Role,
        id: &PolicyId,
        function: &'static str,
        ask: impl FnOnce(&P) -> Result<T, Box<Fault>>,
    ) -> Result<T, Box<Fault>> {
        let path = self.path(id);
        let before = state(&path);
        let now = self.clock.now();
        if let Some(state) = &before {
            closed(state, now, role, id, function)?;
            if state.faults >= FAULTS && state.function == function {
                // Half-open: whoever comes while this one tries finds it open.
                self.keep(&path, &State { time: now, ..state.clone() });
            }
        }
        let answer = ask(&self.policy);
        match &answer {
            _ if self.store.options().read_only => {}
            Ok(_) if before.as_ref().is_some_and(|state| state.function == function) => {
                // Where it cannot be removed the plugin is tried less often than it could be.
                fs::remove_file(&path).ok();
            }
            Err(fault) if counts(&fault.kind) => {
                let faults = before.map_or(0, |state| state.faults).saturating_add(1);
                let (code, plugin) = (fault.kind.code().to_owned(), id.name.clone());
                let (time, function) = (self.clock.now(), function.to_owned());
                self.keep(&path, &State { faults, time, code, function, plugin, role });
            }
            _ => {}
        }
        answer
    }

    /// Where this fails a fault is not counted. Those of plugins that were not called for a day go.
    fn keep(&self, path: &Path, state: &State) {
        if self.store.options().read_only {
            return;
        }
        let since = self.clock.now().before(FORGOTTEN);
        for old in fs::read_dir(path.parent().unwrap_or(path)).into_iter().flatten().flatten() {
            let old = old.path();
            if self::state(&old).is_none_or(|state| state.time < since) {
                fs::remove_file(old).ok();
            }
        }
        self.store.publish(path, &checked(MAGIC, &to_bytes(state))).ok();
    }
}

fn closed(
    state: &State,
    now: Timestamp,
    role: Role,
    id: &PolicyId,
    function: &'static str,
) -> Result<(), Box<Fault>> {
    let Some(until) = state.until(now) else { return Ok(()) };
    let minutes = Duration::from_nanos(until.0.saturating_sub(now.0)).as_secs().div_ceil(60);
    let kind = FaultKind::Off { faults: state.faults, code: state.code.clone(), minutes };
    let (plugin, digest) = (id.name.clone(), id.component);
    Err(Box::new(Fault { plugin, digest, role, function, kind }))
}

const fn counts(kind: &FaultKind) -> bool {
    !matches!(
        kind,
        FaultKind::Load(_)
            | FaultKind::Abi { .. }
            | FaultKind::Import(_)
            | FaultKind::Uncompiled
            | FaultKind::Off { .. }
    )
}

impl<P: KeyPolicy> KeyPolicy for Guarded<P> {
    fn id(&self) -> &PolicyId {
        self.policy.id()
    }

    fn ready(&self) -> Result<(), Box<Fault>> {
        self.lets(Role::Key, self.id())
    }

    fn derive(
        &self,
        operation: &Operation,
        inputs: SharedInputs,
    ) -> Result<Result<Derivation, Refusal>, Box<Fault>> {
        self.call(Role::Key, self.id(), "derive", |policy| policy.derive(operation, inputs))
    }

    fn discover(
        &self,
        operation: &Operation,
        report: &[u8],
        inputs: SharedInputs,
    ) -> Result<Result<Discovery, Refusal>, Box<Fault>> {
        self.call(Role::Key, self.id(), "discover", |policy| policy.discover(operation, report, inputs))
    }
}

impl<P: Codec> Codec for Guarded<P> {
    fn id(&self) -> &PolicyId {
        self.policy.id()
    }

    fn ready(&self) -> Result<(), Box<Fault>> {
        self.lets(Role::Metadata, self.id())
    }

    fn encode(&self, outcome: &Outcome) -> Result<Result<Vec<u8>, String>, Box<Fault>> {
        self.call(Role::Metadata, self.id(), "encode", |policy| policy.encode(outcome))
    }

    fn decode(&self, hunk: &[u8]) -> Result<Result<Outcome, String>, Box<Fault>> {
        self.call(Role::Metadata, self.id(), "decode", |policy| policy.decode(hunk))
    }
}

impl<P: Eviction> Eviction for Guarded<P> {
    fn id(&self) -> &PolicyId {
        self.policy.id()
    }

    fn score(
        &self,
        now: Timestamp,
        budget: Budget,
        candidates: &[Candidate],
    ) -> Result<Vec<f64>, Box<Fault>> {
        self.call(Role::Eviction, self.id(), "score", |policy| policy.score(now, budget, candidates))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Options, PartitionId};
    use std::cell::{Cell, RefCell};

    /// A policy that answers what it is told to.
    struct Told {
        id: PolicyId,
        answers: RefCell<Vec<Result<(), FaultKind>>>,
        asked: Cell<usize>,
    }

    impl Eviction for &Told {
        fn id(&self) -> &PolicyId {
            &self.id
        }

        fn score(&self, _: Timestamp, _: Budget, _: &[Candidate]) -> Result<Vec<f64>, Box<Fault>> {
            self.asked.set(self.asked.get() + 1);
            let kind = match self.answers.borrow_mut().remove(0) {
                Ok(()) => return Ok(Vec::new()),
                Err(kind) => kind,
            };
            let (plugin, digest) = (self.id.name.clone(), self.id.component);
            Err(Box::new(Fault { plugin, digest, role: Role::Eviction, function: "score", kind }))
        }
    }

    struct Scene {
        _directory: tempfile::TempDir,
        store: Store,
        time: Rc<Cell<u64>>,
    }

    impl Scene {
        fn new() -> Self {
            let directory = tempfile::tempdir().unwrap();
            let store = Store::open(&directory.path().join("cache"), Options::default()).unwrap();
            Self { _directory: directory, store, time: Rc::new(Cell::new(1_000_000_000)) }
        }

        fn partition(&self, byte: u8) -> Partition {
            self.store.partition(PartitionId::new([byte; 16]))
        }

        /// What each call gives, and how often the policy was asked; all in one partition.
        fn calls(
            &self,
            byte: u8,
            component: u8,
            answers: Vec<Result<(), FaultKind>>,
            calls: usize,
        ) -> (Vec<String>, usize) {
            let id = PolicyId {
                name: "told".into(),
                component: Digest::new([component; 32]),
                configuration: "{}".into(),
                abi: "0.1.0".into(),
            };
            let told = Told { id, answers: RefCell::new(answers), asked: Cell::new(0) };
            let time = Rc::clone(&self.time);
            let clock: Rc<dyn Clock> = Rc::new(move || Timestamp(time.get()));
            let guarded = Guarded::new(&told, &self.store, &self.partition(byte), clock);
            let budget = Budget { limit: 0, used: 0, entries: 0 };
            let codes = (0..calls)
                .map(|_| match guarded.score(Timestamp(0), budget, &[]) {
                    Ok(_) => "ok".to_owned(),
                    Err(fault) => fault.kind.code().to_owned(),
                })
                .collect();
            (codes, told.asked.get())
        }

        fn wait(&self, duration: Duration) {
            self.time.set(self.time.get() + duration.as_nanos() as u64);
        }
    }

    fn trap() -> Result<(), FaultKind> {
        Err(FaultKind::Trap("unreachable".into()))
    }

    #[test]
    fn three_faults_in_a_row_open_it_for_ten_minutes_and_one_answer_closes_it() {
        let scene = Scene::new();
        let answers = vec![trap(), Err(FaultKind::Fuel { limit: 1 }), Err(FaultKind::Memory { limit: 1 })];
        let (codes, asked) = scene.calls(1, 1, answers, 5);
        assert_eq!((codes.join(" "), asked), ("trap limit.fuel limit.memory off off".into(), 3));
        let [(_, state)] = &list(&scene.store, &scene.partition(1))[..] else { panic!("one is open") };
        assert_eq!((&*state.plugin, state.role, &*state.code), ("told", Role::Eviction, "limit.memory"));
        assert!(state.until(Timestamp(scene.time.get())).is_some());

        scene.wait(OPEN.saturating_sub(Duration::from_nanos(1)));
        assert_eq!(scene.calls(1, 1, vec![], 1).0, ["off"]);
        scene.wait(Duration::from_nanos(1));
        // Half-open: a fault opens it again for the whole time, an answer closes it.
        assert_eq!(scene.calls(1, 1, vec![trap()], 3), (vec!["trap".into(), "off".into(), "off".into()], 1));
        scene.wait(OPEN);
        let answers = vec![Ok(()), trap(), trap(), Ok(())];
        assert_eq!(scene.calls(1, 1, answers, 4).0, ["ok", "trap", "trap", "ok"]);
        assert_eq!(list(&scene.store, &scene.partition(1)), []);
    }

    #[test]
    fn it_is_of_one_plugin_file_in_one_repository() {
        let scene = Scene::new();
        scene.calls(1, 1, vec![trap(), trap(), trap()], 3);
        assert_eq!(scene.calls(1, 1, vec![], 1).0, ["off"]);
        assert_eq!(scene.calls(1, 2, vec![Ok(())], 1).0, ["ok"]);
        assert_eq!(scene.calls(2, 1, vec![Ok(())], 1).0, ["ok"]);
    }

    /// A codec that encodes and cannot decode used to be asked for ever: each encoding seemed to heal it.
    struct Half(PolicyId);

    impl Codec for Half {
        fn id(&self) -> &PolicyId {
            &self.0
        }

        fn encode(&self, _: &Outcome) -> Result<Result<Vec<u8>, String>, Box<Fault>> {
            Ok(Ok(Vec::new()))
        }

        fn decode(&self, _: &[u8]) -> Result<Result<Outcome, String>, Box<Fault>> {
            let (plugin, digest) = (self.0.name.clone(), self.0.component);
            let kind = FaultKind::Trap("unreachable".into());
            Err(Box::new(Fault { plugin, digest, role: Role::Metadata, function: "decode", kind }))
        }
    }

    #[test]
    fn what_one_function_answers_heals_no_other() {
        let scene = Scene::new();
        let id = PolicyId {
            name: "half".into(),
            component: Digest::new([3; 32]),
            configuration: "{}".into(),
            abi: "0.1.0".into(),
        };
        let time = Rc::clone(&scene.time);
        let clock: Rc<dyn Clock> = Rc::new(move || Timestamp(time.get()));
        let guarded = Guarded::new(Half(id), &scene.store, &scene.partition(1), clock);
        let exit = crate::outcome::Exit::Code(0);
        let outcome = Outcome { exit, output: vec![], started: 0, duration: 0, notes: vec![] };
        let code = |fault: Box<Fault>| fault.kind.code();
        for _ in 0..FAULTS {
            assert!(guarded.encode(&outcome).is_ok());
            assert_eq!(guarded.decode(b"").map_err(code), Err("trap"));
        }
        assert_eq!(guarded.encode(&outcome).map_err(code), Err("off"));
        scene.wait(OPEN);
        assert!(guarded.encode(&outcome).is_ok());
        assert_eq!(guarded.decode(b"").map_err(code), Err("trap"));
        assert_eq!(guarded.encode(&outcome).map_err(code), Err("off"));
    }

    #[test]
    fn a_plugin_that_cannot_be_loaded_opens_nothing_and_what_is_damaged_is_closed() {
        let scene = Scene::new();
        let load = || Err(FaultKind::Load("gone".into()));
        assert_eq!(scene.calls(1, 1, vec![load(), load(), load(), load(), Ok(())], 5).1, 5);
        scene.calls(1, 1, vec![trap(), trap(), trap()], 3);
        let path = scene.store.layout().breaker(scene.partition(1).id(), Digest::new([1; 32]));
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x10;
            fs::write(&path, damaged).unwrap();
            assert_eq!(state(&path), None, "{at}");
            fs::write(&path, &whole[..at]).unwrap();
            assert_eq!(state(&path), None, "{at}");
        }
        assert_eq!(scene.calls(1, 1, vec![Ok(())], 1).0, ["ok"]);
        // What never ends is not read, nor waited for.
        for other in ["/dev/zero", "/dev/null", "."] {
            fs::remove_file(&path).ok();
            std::os::unix::fs::symlink(other, &path).unwrap();
            assert_eq!(state(&path), None, "{other}");
        }
        fs::remove_file(&path).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        assert_eq!(scene.calls(1, 1, vec![Ok(())], 1).0, ["ok"]);
        fs::remove_file(&path).unwrap();
        // A clock that went back does not keep it open for longer.
        fs::write(&path, &whole).unwrap();
        scene.time.set(1);
        assert_eq!(scene.calls(1, 1, vec![Ok(())], 1).0, ["ok"]);
    }
}
