//! The reviver with native policies: what it promises holds without any Wasm.

use reviver::digest::Digest;
use reviver::operation::{
    Derivation, Discovery, Ingredient, Input, Operation, REPORT, Refusal, Source, Write, WriteKind,
};
use reviver::outcome::{Exit, Outcome};
use reviver::policy::{Codec, Fault, FaultKind, KeyPolicy, PolicyId, Role, key::SharedInputs};
use reviver::reviver::environment::Environment;
use reviver::reviver::execute::Outputs;
use reviver::reviver::input::InputRule;
use reviver::reviver::journal::Result as Became;
use reviver::reviver::recheck::Share;
use reviver::reviver::run::{Ran, Report, Request, Reviver};
use reviver::reviver::table::Table;
use reviver::store::{Options, PartitionId, Store};
use reviver::time::Timestamp;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::fd::AsFd as _;
use std::path::Path;
use std::rc::Rc;
use std::thread;
use std::time::{Duration, SystemTime};

fn id(name: &str) -> PolicyId {
    let component = Digest::of(name.as_bytes());
    PolicyId { name: name.into(), component, configuration: "{}".into(), abi: "0.1.0".into() }
}

type Answer<T> = Result<Result<T, Refusal>, Box<Fault>>;

type Derive = dyn Fn(&Operation, SharedInputs) -> Answer<Derivation>;
type Discover = dyn Fn(&[u8], SharedInputs) -> Answer<Discovery>;

/// A key policy made of two closures, which counts how often it is asked.
struct Policy {
    id: PolicyId,
    asked: Cell<u32>,
    derive: Box<Derive>,
    discover: Box<Discover>,
}

impl Policy {
    fn new(derive: impl Fn(&Operation, SharedInputs) -> Answer<Derivation> + 'static) -> Self {
        let discover = Box::new(|_: &[u8], _: SharedInputs| Ok(Ok(Discovery::default())));
        Self { id: id("native"), asked: Cell::new(0), derive: Box::new(derive), discover }
    }
}

impl KeyPolicy for Policy {
    fn id(&self) -> &PolicyId {
        &self.id
    }

    fn derive(&self, operation: &Operation, inputs: SharedInputs) -> Answer<Derivation> {
        self.asked.set(self.asked.get() + 1);
        (self.derive)(operation, inputs)
    }

    fn discover(&self, _: &Operation, report: &[u8], inputs: SharedInputs) -> Answer<Discovery> {
        (self.discover)(report, inputs)
    }
}

/// Writes outcomes down through their own layout; `lossy` drops the output.
struct Plain {
    id: PolicyId,
    lossy: bool,
}

impl Codec for Plain {
    fn id(&self) -> &PolicyId {
        &self.id
    }

    fn encode(&self, outcome: &Outcome) -> Result<Result<Vec<u8>, String>, Box<Fault>> {
        let mut outcome = outcome.clone();
        if self.lossy {
            outcome.output.clear();
        }
        Ok(Ok(reviver::bytes::to_bytes(&outcome)))
    }

    fn decode(&self, hunk: &[u8]) -> Result<Result<Outcome, String>, Box<Fault>> {
        Ok(reviver::bytes::from_bytes(hunk).map_err(|error| error.to_string()))
    }
}

struct Place {
    directory: tempfile::TempDir,
    environment: Environment,
    codec: Plain,
}

/// What a run gave.
struct Given {
    exit: Option<Exit>,
    report: Report,
    stdout: String,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        fs::create_dir(directory.path().join("repo")).expect("a repository");
        let variables = [("PATH".into(), "/usr/bin:/bin".into()), ("MODE".into(), "one".into())].into();
        let root = directory.path().join("repo").canonicalize().expect("its path");
        let environment = Environment { variables, directory: root, umask: 0o022, terminal: false };
        Self { directory, environment, codec: Plain { id: id("plain"), lossy: false } }
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.environment.directory.join(name), text).expect("a file");
        // What changed within a tick of the kernel's clock is too young to be sure of.
        thread::sleep(Duration::from_millis(25));
    }

    fn read(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.environment.directory.join(name)).ok()
    }

    fn remove(&self, name: &str) {
        fs::remove_file(self.environment.directory.join(name)).expect("a file to remove");
    }

    fn run(&self, policy: &Policy, script: &str) -> Given {
        let store = Store::open(&self.directory.path().join("cache"), Options::default()).expect("a store");
        let partition = store.partition(PartitionId::of(Digest::of(b"partition")));
        let reviver = Reviver {
            store: &store,
            partition: &partition,
            table: Rc::new(Table::new(store.layout().hashes())),
            clock: Rc::new(|| Timestamp::of(SystemTime::now())),
            key_policy: policy,
            limits: Digest::of(b"limits"),
            codec: &self.codec,
        };
        let root = self.environment.directory.to_str().expect("a path").to_owned();
        let argv = ["sh", "-c", script].map(str::to_owned).to_vec();
        let stdin = File::open("/dev/null").expect("nothing");
        let request = Request {
            operation: Rc::new(Operation { argv, root, ..Operation::default() }),
            environment: Rc::new(self.environment.clone()),
            accepted: &BTreeSet::from([0]),
            input: InputRule::Auto,
            stdin: Some(stdin.as_fd()),
            joined: false,
            here: false,
            told: &[],
            recheck: Share::NONE,
            anew: None,
        };
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let outputs = &mut Outputs { stdout: &mut stdout, stderr: &mut stderr };
        let (exit, report) = match reviver.run(&request, outputs).expect("a shell that starts") {
            Ran::Done { exit, report } => (Some(exit), report),
            Ran::Bare { report, .. } => (None, report),
        };
        Given { exit, report, stdout: String::from_utf8(stdout).expect("text") }
    }
}

fn ingredient(source: Source) -> Ingredient {
    Ingredient { label: source.place().to_owned(), source }
}

fn file(label: &str) -> Write {
    Write { label: label.into(), path: label.into(), kind: WriteKind::File, optional: false }
}

/// The script itself, one input and one output.
fn copy(operation: &Operation) -> Derivation {
    Derivation {
        label: "copy".into(),
        ingredients: vec![
            ingredient(Source::Text(operation.argv[2].clone())),
            ingredient(Source::File("in".into())),
        ],
        writes: vec![file("out")],
        input: Input::Unused,
        arguments: None,
        report: None,
    }
}

const COPY: &str = "echo copying; cat in > out";

fn outcome(given: &Given) -> (Became, &str) {
    (given.report.record.result, given.report.record.reason.as_str())
}

const HIT: (Became, &str) = (Became::Hit, "");
const RECORDED: (Became, &str) = (Became::Miss, "");

#[test]
fn a_run_is_revived_without_asking_the_policy_again() {
    let place = Place::new();
    let policy = Policy::new(|operation, _| Ok(Ok(copy(operation))));
    place.write("in", "words");
    assert_eq!(outcome(&place.run(&policy, COPY)), RECORDED);
    place.remove("out");
    let given = place.run(&policy, COPY);
    assert_eq!(outcome(&given), HIT);
    assert_eq!((given.exit, given.stdout.as_str()), (Some(Exit::Code(0)), "copying\n"));
    assert_eq!((place.read("out").as_deref(), policy.asked.get()), (Some("words"), 1));
}

#[test]
fn a_changed_input_misses_and_says_what_changed_and_its_return_hits() {
    let place = Place::new();
    let policy = Policy::new(|operation, _| Ok(Ok(copy(operation))));
    place.write("in", "one");
    assert_eq!(outcome(&place.run(&policy, COPY)), RECORDED);
    place.write("in", "two");
    let given = place.run(&policy, COPY);
    assert_eq!(outcome(&given), RECORDED);
    let differences = given.report.record.differences.expect("something known");
    assert_eq!(differences.iter().map(|found| found.label.as_str()).collect::<Vec<_>>(), ["in"]);
    place.write("in", "one");
    assert_eq!(outcome(&place.run(&policy, COPY)), HIT);
    assert_eq!(place.read("out").as_deref(), Some("one"));
}

#[test]
fn a_remembered_answer_holds_as_long_as_its_conditions_do() {
    let place = Place::new();
    let policy = Policy::new(|operation, inputs| {
        let settings = inputs.borrow_mut().read("settings").unwrap_or_default();
        let mut derivation = copy(operation);
        derivation.ingredients.push(ingredient(Source::Bytes(settings)));
        Ok(Ok(derivation))
    });
    place.write("in", "x");
    place.run(&policy, COPY);
    place.run(&policy, COPY);
    assert_eq!(policy.asked.get(), 1, "an absent file is a condition that holds");
    place.write("settings", "a");
    assert_eq!(outcome(&place.run(&policy, COPY)), RECORDED);
    assert_eq!(policy.asked.get(), 2);
    place.write("settings", "a");
    assert_eq!(outcome(&place.run(&policy, COPY)), HIT);
    assert_eq!(policy.asked.get(), 2, "the same content again");
}

#[test]
fn refusals_are_remembered_and_faults_are_not() {
    let place = Place::new();
    let refuses = Policy::new(|_, _| Ok(Err(Refusal::NotCacheable("linking".into()))));
    for _ in 0..2 {
        let given = place.run(&refuses, COPY);
        assert_eq!(outcome(&given), (Became::Uncached, "linking"));
        assert_eq!((given.exit, place.read("out")), (None, None), "the caller runs the command");
    }
    assert_eq!(refuses.asked.get(), 1);
    let kind = FaultKind::Trap("unreachable".into());
    let fault =
        Fault { plugin: "p".into(), digest: Digest::of(b""), role: Role::Key, function: "derive", kind };
    let faulty = Policy { id: id("faulty"), ..Policy::new(move |_, _| Err(Box::new(fault.clone()))) };
    for asked in 1..3 {
        let given = place.run(&faulty, COPY);
        assert_eq!((given.report.record.fault.as_str(), given.report.warnings.len()), ("trap", 1));
        assert_eq!(faulty.asked.get(), asked);
    }
}

#[test]
fn a_codec_that_loses_output_records_nothing() {
    let mut place = Place::new();
    place.codec.lossy = true;
    let policy = Policy::new(|operation, _| Ok(Ok(copy(operation))));
    place.write("in", "x");
    let given = place.run(&policy, COPY);
    assert!(outcome(&given).1.contains("does not give back"), "{:?}", outcome(&given));
    assert_eq!(place.run(&policy, COPY).report.record.result, Became::Miss);
}

#[test]
fn an_input_that_changes_while_the_command_runs_leaves_it_unrecorded() {
    let place = Place::new();
    let policy = Policy::new(|operation, _| Ok(Ok(copy(operation))));
    place.write("in", "before");
    let given = place.run(&policy, "cat in > out; echo after > in");
    assert!(outcome(&given).1.contains("changed while"), "{:?}", outcome(&given));
    // Changed and changed back: the content is the same, and yet nobody knows what was read.
    place.write("in", "before");
    let given = place.run(&policy, "echo x > in; cat in > out; printf before > in");
    assert!(outcome(&given).1.contains("changed while"), "{:?}", outcome(&given));
}

#[test]
fn what_the_command_did_not_write_is_not_recorded() {
    let place = Place::new();
    let policy = Policy::new(|operation, _| Ok(Ok(copy(operation))));
    place.write("in", "x");
    assert!(outcome(&place.run(&policy, "true")).1.contains("did not write"));
    place.write("out", "from elsewhere");
    assert!(outcome(&place.run(&policy, "true")).1.contains("was there before"));
    assert!(outcome(&place.run(&policy, "cat in > out; exit 3")).1.contains("exit status 3"));
    assert!(outcome(&place.run(&policy, "cat in > out; sleep 3 &")).1.contains("still holds its output"));
}

/// Reads as its report says: the files that it names, absent ones too.
fn reporting() -> Policy {
    let mut policy = Policy::new(|operation, _| {
        let arguments =
            Some(vec!["-c".to_owned(), operation.argv[2].clone(), "sh".to_owned(), REPORT.to_owned()]);
        let report = Some(REPORT.to_owned());
        let mut derivation = Derivation { arguments, report, ..copy(operation) };
        derivation.ingredients.pop();
        Ok(Ok(derivation))
    });
    policy.discover = Box::new(|report, _| {
        let names = String::from_utf8_lossy(report).into_owned();
        let ingredients =
            names.split_whitespace().map(|name| ingredient(Source::File(name.into()))).collect();
        Ok(Ok(Discovery { ingredients, ..Discovery::default() }))
    });
    policy
}

const SEARCH: &str = "cat first 2>/dev/null > out || cat second > out; echo first second > \"$1\"";

#[test]
fn what_a_report_names_is_part_of_the_key_and_so_is_what_was_not_there() {
    let (place, policy) = (Place::new(), reporting());
    place.write("second", "2");
    assert_eq!(outcome(&place.run(&policy, SEARCH)), RECORDED);
    assert_eq!(outcome(&place.run(&policy, SEARCH)), HIT);
    place.write("first", "1");
    assert_eq!(outcome(&place.run(&policy, SEARCH)), RECORDED, "a file that appears earlier");
    assert_eq!(place.read("out").as_deref(), Some("1"));
    place.remove("first");
    assert_eq!(outcome(&place.run(&policy, SEARCH)), HIT, "the earlier list is kept");
    assert_eq!((place.read("out").as_deref(), policy.asked.get()), (Some("2"), 1));
}

#[test]
fn a_discovered_input_that_is_too_young_leaves_the_run_unrecorded() {
    let (place, policy) = (Place::new(), reporting());
    let script = "echo 3 > made; cat made > out; echo made > \"$1\"";
    let given = place.run(&policy, script);
    assert!(outcome(&given).1.contains("too young"), "{:?}", outcome(&given));
}

/// The command ran with replaced arguments, so what the plugin was to make in place of the command is missing where the
/// plugin fails: the build would break for want of it.
#[test]
fn a_file_that_the_plugin_cannot_make_is_made_by_the_command_itself() {
    let place = Place::new();
    let mut policy = Policy::new(|operation, _| {
        let arguments = Some(vec![
            "-c".to_owned(),
            "cat in > out; echo x > \"$1\"".to_owned(),
            "sh".into(),
            REPORT.into(),
        ]);
        let writes = vec![file("out"), file("extra")];
        Ok(Ok(Derivation { arguments, writes, report: Some(REPORT.into()), ..copy(operation) }))
    });
    policy.discover = Box::new(|_, _| Ok(Err(Refusal::Malformed("no idea".into()))));
    place.write("in", "x");
    let script = "cat in > out; echo made > extra";
    let given = place.run(&policy, script);
    assert_eq!((given.exit, outcome(&given)), (Some(Exit::Code(0)), (Became::Miss, "no idea")));
    assert_eq!(place.read("extra").as_deref(), Some("made\n"));
    place.remove("extra");
    let produced = || vec![("extra".to_owned(), b"by the plugin".to_vec())];
    policy.discover =
        Box::new(move |_, _| Ok(Ok(Discovery { produced: produced(), ..Discovery::default() })));
    assert_eq!(outcome(&place.run(&policy, script)), RECORDED);
    place.remove("extra");
    assert_eq!(outcome(&place.run(&policy, script)), HIT);
    assert_eq!(place.read("extra").as_deref(), Some("by the plugin"));
}

#[test]
fn a_policy_cannot_write_where_the_operation_may_not() {
    let place = Place::new();
    let policy = Policy::new(|operation, _| {
        let writes = vec![Write { path: "/etc/reviver-test".into(), ..file("out") }];
        Ok(Ok(Derivation { writes, ..copy(operation) }))
    });
    place.write("in", "x");
    assert!(outcome(&place.run(&policy, COPY)).1.contains("may not write"));
    let policy = Policy {
        id: id("other"),
        ..Policy::new(|operation, _| {
            Ok(Ok(Derivation { writes: vec![Write { path: "in".into(), ..file("out") }], ..copy(operation) }))
        })
    };
    assert!(outcome(&place.run(&policy, COPY)).1.contains("it reads"));
    assert!(!Path::new("/etc/reviver-test").exists());
}

/// A program that does not answer in time, or a variable that is no text today, may be another one tomorrow.
#[test]
fn a_refusal_after_a_failed_look_is_not_remembered() {
    let mut place = Place::new();
    let no_text = std::os::unix::ffi::OsStringExt::from_vec(vec![0xff]);
    place.environment.variables.insert("MODE".into(), no_text);
    let policy = Policy::new(|operation, inputs| match inputs.borrow_mut().variable("MODE") {
        Ok(_) => Ok(Ok(copy(operation))),
        Err(_) => Ok(Err(Refusal::NotCacheable("no text".into()))),
    });
    place.write("in", "x");
    for asked in 1..3 {
        assert_eq!(outcome(&place.run(&policy, COPY)), (Became::Uncached, "no text"));
        assert_eq!(policy.asked.get(), asked);
    }
    place.environment.variables.insert("MODE".into(), "text".into());
    assert_eq!(outcome(&place.run(&policy, COPY)), RECORDED);
}

/// The plugin makes the second output itself, and would make its directory with it: a compilation whose depfile has no
/// directory fails, and must fail with the cache too.
#[test]
fn a_command_that_fails_for_want_of_a_directory_fails() {
    let place = Place::new();
    let mut policy = Policy::new(|operation, _| {
        let arguments = Some(vec![
            "-c".to_owned(),
            "cat in > out; echo x > \"$1\"".to_owned(),
            "sh".into(),
            REPORT.into(),
        ]);
        let writes = vec![file("out"), Write { path: "deps/extra".into(), ..file("extra") }];
        Ok(Ok(Derivation { arguments, writes, report: Some(REPORT.into()), ..copy(operation) }))
    });
    let produced = || vec![("extra".to_owned(), b"x".to_vec())];
    policy.discover =
        Box::new(move |_, _| Ok(Ok(Discovery { produced: produced(), ..Discovery::default() })));
    place.write("in", "x");
    let given = place.run(&policy, "cat in > out && echo made > deps/extra");
    assert_ne!(given.exit, Some(Exit::Code(0)));
    assert!(outcome(&given).1.contains("no directory for"), "{:?}", outcome(&given));
    fs::create_dir(place.environment.directory.join("deps")).expect("a directory");
    assert_eq!(outcome(&place.run(&policy, "cat in > out && echo made > deps/extra")), RECORDED);
}
