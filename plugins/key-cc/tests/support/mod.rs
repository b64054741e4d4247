//! A host over the real file system and a real compiler, for tests: what the plugin looks at is looked up and told to the
//! SDK's test host, until the plugin asks for nothing new.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::print_stderr,
    reason = "each test uses its own part"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};

use key_cc::Cc;
use reviver_sdk::testing::{Look, TestHost};
use reviver_sdk::{Answer, Derivation, Discovery, ExitStatus, Operation, Refusal, Source};

/// A repository in a directory of its own, which is removed in the end.
pub struct Repository {
    pub root: PathBuf,
    pub variables: BTreeMap<String, String>,
}

/// What came of a compilation that ran as the plugin wants it to.
pub struct Ran {
    pub derivation: Derivation,
    pub discovery: Discovery,
    pub report: Vec<u8>,
}

/// Whether the compiler is there; says so where it is not.
pub fn installed(compiler: &str) -> bool {
    let there = Command::new(compiler).arg("--version").output().is_ok_and(|output| output.status.success());
    if !there {
        eprintln!("NOT TESTED: there is no `{compiler}` on this machine");
    }
    there
}

impl Repository {
    pub fn new(files: &[(&str, &str)]) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("key-cc-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let root = std::env::temp_dir().join(name);
        fs::create_dir_all(root.join(".empty")).expect("a directory for a test");
        let repository = Self { root, variables: BTreeMap::new() };
        for (path, content) in files {
            repository.write(path, content);
        }
        repository
    }

    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    pub fn write(&self, path: &str, content: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().expect("a file in a directory")).expect("a directory");
        fs::write(path, content).expect("a file");
    }

    pub fn operation(&self, argv: &[&str]) -> Operation {
        Operation::new(argv.iter().copied()).root(self.root.to_str().expect("a UTF-8 path"))
    }

    pub fn compile(&self, argv: &[String]) -> Output {
        let mut command = Command::new(&argv[0]);
        command.args(&argv[1..]).current_dir(&self.root).envs(&self.variables).output().expect("a compiler")
    }

    pub fn plain(&self, argv: &[&str]) -> Output {
        self.compile(&argv.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>())
    }

    pub fn derive(&self, argv: &[&str]) -> Result<Derivation, Refusal> {
        self.derive_of(&self.operation(argv))
    }

    pub fn derive_of(&self, operation: &Operation) -> Result<Derivation, Refusal> {
        self.host(operation.program(), &|host| host.derive::<Cc>(operation))
    }

    pub fn discover(&self, argv: &[&str], report: &[u8]) -> Result<Discovery, Refusal> {
        let operation = self.operation(argv);
        self.host(argv[0], &|host| host.discover::<Cc>(&operation, report))
    }

    /// Derives, runs with the replaced arguments and discovers.
    pub fn run(&self, argv: &[&str]) -> Ran {
        let derivation = self.derive(argv).expect("an operation that is understood");
        let report = self.root.join(".report");
        let place = report.to_str().expect("a UTF-8 path");
        let replaced = derivation.arguments.clone().expect("replaced arguments");
        let replaced = replaced.iter().map(|one| one.replace("{report}", place));
        let argv_now: Vec<String> = std::iter::once(argv[0].to_owned()).chain(replaced).collect();
        let output = self.compile(&argv_now);
        assert!(output.status.success(), "{argv_now:?}: {}", String::from_utf8_lossy(&output.stderr));
        let report = fs::read(report).expect("a report");
        let discovery = self.discover(argv, &report).expect("a report that is understood");
        Ran { derivation, discovery, report }
    }

    fn host<T>(&self, program: &str, ask: &dyn Fn(&TestHost) -> T) -> T {
        let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        let mut answers: BTreeMap<Vec<String>, Answer> = BTreeMap::new();
        loop {
            let mut host = TestHost::new();
            for (name, value) in &self.variables {
                host = host.variable(name, value);
            }
            for (path, content) in &files {
                host = host.file(path, content.clone());
            }
            for (arguments, answer) in &answers {
                let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
                host = host.answer_with(&arguments, answer.clone());
            }
            let answered = ask(&host);
            let known = files.len() + answers.len();
            for look in host.looks() {
                match look {
                    Look::Query(arguments) if !answers.contains_key(&arguments) => {
                        let answer = self.query(program, &arguments);
                        answers.insert(arguments, answer);
                    }
                    Look::Read(path) | Look::Scan(path, _) if !files.contains_key(&path) => {
                        if let Ok(content) = fs::read(self.root.join(&path)) {
                            files.insert(path, content);
                        }
                    }
                    _ => {}
                }
            }
            if files.len() + answers.len() == known {
                return answered;
            }
        }
    }

    fn query(&self, program: &str, arguments: &[String]) -> Answer {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(self.root.join(".empty"))
            .env_clear()
            .env("PATH", path)
            .env("LC_ALL", "C");
        let output = command.output().expect("a compiler");
        let exit = output.status.code().map_or(ExitStatus::Signal(0), ExitStatus::Code);
        Answer { exit, stdout: output.stdout, stderr: output.stderr }
    }
}

impl Drop for Repository {
    fn drop(&mut self) {
        let _ignored = fs::remove_dir_all(&self.root);
    }
}

impl Ran {
    /// Whether the path is an ingredient of the discovery.
    pub fn names(&self, path: &str) -> bool {
        self.discovery.ingredients.iter().any(|one| one.source == Source::File(path.to_owned()))
    }

    pub fn produced(&self) -> &[u8] {
        &self.discovery.produced.first().expect("a depfile").1
    }
}

/// The directory of a path.
pub fn below(root: &Path, path: &str) -> String {
    root.join(path).to_str().expect("a UTF-8 path").to_owned()
}
