//! The shipped plugins, as components in the runtime, answer what their sources answer natively.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use reviver::author::build::{Options, build};
use reviver::operation::{Operation, Refusal, Source};
use reviver::outcome::{Chunk, Exit, Outcome, Stream};
use reviver::policy::{
    Budget, Candidate, Codec as _, Eviction as _, FaultKind, Inputs, KeyPolicy as _, LookFailure, Match,
    QueryAnswer, SharedInputs,
};
use reviver::runtime::{
    Bytes, Capabilities, Capability, Limits, PluginSource, Runtime, WasmCodec, WasmEviction, WasmKey,
};
use reviver::{digest::Digest, shipped, time::Timestamp};

/// A shipped plugin with this configuration.
fn source(name: &str, configuration: &str) -> Result<PluginSource> {
    let shipped = shipped::find(name).context("it is shipped")?;
    Ok(PluginSource {
        name: name.to_owned(),
        bytes: Bytes::Embedded(shipped.bytes),
        digest: shipped.digest,
        configuration: configuration.to_owned(),
        limits: Limits::default(),
        capabilities: Capabilities::default(),
    })
}

/// What a plugin may look at here: some files.
struct Files(BTreeMap<&'static str, &'static [u8]>);

fn files(files: &[(&'static str, &'static [u8])]) -> SharedInputs {
    Rc::new(RefCell::new(Files(files.iter().copied().collect())))
}

impl Inputs for Files {
    fn variable(&mut self, _: &str) -> Result<Option<String>, LookFailure> {
        Ok(None)
    }

    fn terminal(&mut self) -> bool {
        false
    }

    fn read(&mut self, path: &str) -> Result<Vec<u8>, LookFailure> {
        self.0.get(path).map(|content| content.to_vec()).ok_or(LookFailure::Absent)
    }

    fn scan(&mut self, _: &str, _: &[String]) -> Result<Vec<Match>, LookFailure> {
        Err(LookFailure::Absent)
    }

    fn query(&mut self, _: &[String]) -> Result<QueryAnswer, LookFailure> {
        Err(LookFailure::Absent)
    }
}

fn operation(argv: &[&str]) -> Operation {
    Operation {
        argv: argv.iter().map(|argument| (*argument).to_owned()).collect(),
        root: "/project".to_owned(),
        ..Operation::default()
    }
}

#[test]
fn commands_are_identified() -> Result<()> {
    let runtime = Arc::new(Runtime::new(None));
    let key = WasmKey::new(Arc::clone(&runtime), source("key-command", r#"{"relocatable":true}"#)?);
    let mut tar = operation(&["tar", "-cf", "out.tar", "src"]);
    tar.reads = vec!["src/".to_owned()];
    tar.writes = vec!["out.tar".to_owned()];
    let derivation = key.derive(&tar, files(&[]))?.map_err(|refusal| anyhow::anyhow!("{refusal:?}"))?;
    assert_eq!(derivation.label, "tar out.tar");
    assert_eq!(derivation.writes[0].path, "out.tar");
    let tree = derivation.ingredients.iter().find(|one| one.label == "read src").context("the tree")?;
    assert_eq!(tree.source, Source::Tree("src/".into()));
    ensure!(derivation.ingredients.iter().all(|one| one.label != "root"));

    let refusal = key.derive(&operation(&["date"]), files(&[]))?.expect_err("nothing is declared");
    assert_eq!(refusal, Refusal::NotCacheable("nothing is declared: say --in, --out or --env".into()));
    let refusal = key.discover(&tar, b"", files(&[]))?.expect_err("no report");
    assert_eq!(refusal, Refusal::Malformed("no report was asked for".into()));
    Ok(())
}

#[test]
fn outcomes_come_back() -> Result<()> {
    let runtime = Arc::new(Runtime::new(None));
    let outcome = Outcome {
        exit: Exit::Signal(9),
        output: vec![
            Chunk { stream: Stream::Stderr, bytes: b"killed\xff".to_vec() },
            Chunk { stream: Stream::Both, bytes: "é\n".into() },
        ],
        started: 1_800_000_000_000_000_000,
        duration: 42,
        notes: vec![("host".into(), "0.1.0".into())],
    };
    for name in ["metadata-compact", "metadata-csexp", "metadata-json"] {
        let codec = WasmCodec::new(Arc::clone(&runtime), source(name, "{}")?);
        let hunk = codec.encode(&outcome)?.map_err(anyhow::Error::msg)?;
        assert_eq!(codec.decode(&hunk)?.as_ref(), Ok(&outcome), "{name}");
        ensure!(codec.decode(b"")?.is_err());
        ensure!(codec.decode(&hunk[..hunk.len() / 2])?.is_err());
        let readable = hunk.windows(7).any(|window| window == b"started");
        ensure!(readable == (name != "metadata-compact"), "{name}: {}", hunk.escape_ascii());
    }
    Ok(())
}

#[test]
fn a_large_outcome_is_within_the_limits_of_every_codec() -> Result<()> {
    let runtime = Arc::new(Runtime::new(None));
    for (byte, size) in [(0xff, 2 << 20), (b'"', 2 << 20), (b'x', 6 << 20)] {
        let bytes = vec![byte; size];
        let outcome = Outcome {
            exit: Exit::Code(0),
            output: vec![Chunk { stream: Stream::Stdout, bytes }],
            started: 0,
            duration: 0,
            notes: Vec::new(),
        };
        for name in ["metadata-compact", "metadata-csexp", "metadata-json"] {
            let codec = WasmCodec::new(Arc::clone(&runtime), source(name, "{}")?);
            let hunk = codec.encode(&outcome).context(name)?.map_err(anyhow::Error::msg)?;
            ensure!(codec.decode(&hunk).context(name)?.as_ref() == Ok(&outcome), "{name}");
        }
    }
    Ok(())
}

/// The linker and whoever makes a component of a module keep the section, in which nothing else points to anything.
#[test]
fn settings_are_told_in_a_section_of_the_component() -> Result<()> {
    let settings = |component: &[u8]| -> Result<Vec<String>> {
        let mut sections = Vec::new();
        for payload in wasmparser::Parser::new(0).parse_all(component) {
            if let wasmparser::Payload::CustomSection(section) = payload?
                && section.name() == "reviver:settings"
            {
                sections.push(String::from_utf8(section.data().to_vec())?);
            }
        }
        Ok(sections)
    };
    let shipped = |name: &str| settings(shipped::find(name).context("it is shipped")?.bytes);
    assert_eq!(
        shipped("key-command")?,
        [
            "relocatable\tboolean\ttake paths relative to the root, so that checkouts at other places share entries\n"
        ]
    );
    assert_eq!(
        settings(include_bytes!("../examples/custom-key/plugin.wasm"))?,
        ["comment\ttext\twhat a comment line starts with; `#` unless it is set\n"]
    );
    assert_eq!(
        shipped("key-cc")?,
        [
            "relocatable\tboolean\thave the compiler see relative paths alone, so that checkouts at other places share entries\n"
        ]
    );
    for name in ["evict-lru", "key-rustc", "metadata-compact", "metadata-csexp", "metadata-json"] {
        ensure!(shipped(name)?.is_empty(), "{name} has no settings");
    }
    Ok(())
}

#[test]
fn the_least_recently_used_goes_first() -> Result<()> {
    let eviction = WasmEviction::new(Arc::new(Runtime::new(None)), source("evict-lru", "{}")?);
    let candidate = |last_use, unused| Candidate {
        size: 1,
        files: 1,
        created: Timestamp(0),
        last_use: Timestamp(last_use),
        uses: 1,
        cost: 1,
        unused,
    };
    let now = 1_800_000_000_000_000_000;
    let candidates = [candidate(now, true), candidate(1, false), candidate(now, false)];
    let budget = Budget { limit: 1, used: 3, entries: 3 };
    let scores = eviction.score(Timestamp(now), budget, &candidates)?;
    ensure!(scores.is_sorted() && scores.len() == 3, "{scores:?}");
    Ok(())
}

#[test]
fn the_examples_plugin_reads_what_it_may() -> Result<()> {
    let component = include_bytes!("../examples/custom-key/plugin.wasm");
    let plugin = |capabilities| {
        let source = PluginSource {
            name: "words".to_owned(),
            bytes: Bytes::Embedded(component),
            digest: Digest::of(component),
            configuration: r##"{"comment":"#"}"##.to_owned(),
            limits: Limits::default(),
            capabilities,
        };
        WasmKey::new(Arc::new(Runtime::new(None)), source)
    };
    let generate = operation(&["./generate.sh"]);
    let files = files(&[("words.txt", b"# no\nyes\n")]);
    let allowed = plugin([Capability::Read].into_iter().collect());
    let derivation =
        allowed.derive(&generate, Rc::clone(&files))?.map_err(|refusal| anyhow::anyhow!("{refusal:?}"))?;
    assert_eq!(derivation.ingredients[1].source, Source::Bytes(b"yes".to_vec()));
    let denied = plugin(Capabilities::default());
    let refusal = denied.derive(&generate, files)?.expect_err("no capability");
    ensure!(refusal.reason().starts_with("words.txt may not be looked at"), "{refusal:?}");
    Ok(())
}

#[test]
fn an_authors_panic_is_reported_in_their_own_words() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let sdk = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk").canonicalize()?;
    std::fs::create_dir(directory.path().join("src"))?;
    std::fs::write(
        directory.path().join("Cargo.toml"),
        format!(
            "[package]\nname = \"panics\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\
             [dependencies]\nreviver-sdk = {{ path = {sdk:?} }}\n[workspace]\n"
        ),
    )?;
    std::fs::write(
        directory.path().join("src/lib.rs"),
        "use reviver_sdk::*;\n\
         struct Panics;\n\
         impl KeyPlugin for Panics {\n\
         fn derive(operation: &Operation) -> Result<Derivation, Refusal> {\n\
         warning(\"soon\");\n\
         panic!(\"no idea what {} is\", operation.program());\n\
         }\n\
         }\n\
         export!(key: Panics);\n",
    )?;
    let options = Options {
        target_directory: std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("guests"),
        install_target: true,
        locked: false,
    };
    let path = directory.path().join("panics.wasm");
    let component = build(directory.path(), &options)?.component;
    std::fs::write(&path, &component)?;
    let source = PluginSource {
        name: "panics".to_owned(),
        bytes: Bytes::File(path),
        digest: Digest::of(&component),
        configuration: "{}".to_owned(),
        limits: Limits::default(),
        capabilities: Capabilities::default(),
    };
    let runtime = Arc::new(Runtime::new(None));
    let fault = WasmKey::new(Arc::clone(&runtime), source)
        .derive(&operation(&["odd"]), files(&[]))
        .expect_err("it panics");
    ensure!(
        matches!(&fault.kind, FaultKind::Panic { message, file, line: 6 }
            if message == "no idea what odd is" && file.ends_with("src/lib.rs")),
        "{fault:?}"
    );
    assert_eq!(runtime.take_log().first().map(|line| &*line.message), Some("soon"));
    Ok(())
}
