//! Guests written as text against the adapters. The core modules beside `tests/hostile/shell-*.wat` are put into those.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod artifacts;
mod hostile;
mod looks;
mod roles;
mod thousand;
mod turns;

use super::{Bytes, Capabilities, Limits, PluginSource, Runtime, WasmCodec, WasmEviction, WasmKey};
use crate::digest::Digest;
use crate::operation::{Derivation, Operation, Refusal};
use crate::policy::{
    Fault, FaultKind, Inputs, KeyPolicy as _, LookFailure, Match, QueryAnswer, SharedInputs,
};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, OnceLock};

macro_rules! guest {
    ($name:literal) => {
        include_str!(concat!("../../../../tests/hostile/", $name, ".wat"))
    };
}
use guest;

const GOOD: &str = guest!("good");

/// The component in a text, which may be a core module for the shell of `role`.
fn component(role: &str, text: &str) -> Vec<u8> {
    let shell = match role {
        "key" => guest!("shell-key"),
        "metadata" => guest!("shell-metadata"),
        _ => guest!("shell-eviction"),
    };
    let wrapped;
    let text = if text.contains("(core module $guest") {
        wrapped = shell.replacen("  GUEST\n", text, 1);
        &wrapped
    } else {
        text
    };
    wat::parse_str(text).expect("the guest is well-formed")
}

/// One runtime for the tests that share no state but the engine.
fn runtime() -> Arc<Runtime> {
    static RUNTIME: OnceLock<Arc<Runtime>> = OnceLock::new();
    Arc::clone(RUNTIME.get_or_init(|| Arc::new(Runtime::new(None))))
}

fn source(bytes: Vec<u8>) -> PluginSource {
    PluginSource {
        name: "guest".into(),
        digest: Digest::of(&bytes),
        bytes: Bytes::Embedded(bytes.leak()),
        configuration: "{}".into(),
        limits: Limits { fuel: 200_000_000, ..Limits::default() },
        capabilities: Capabilities::ALL,
    }
}

fn key(text: &str) -> WasmKey {
    WasmKey::new(runtime(), source(component("key", text)))
}

fn codec(text: &str) -> WasmCodec {
    WasmCodec::new(runtime(), source(component("metadata", text)))
}

fn eviction(text: &str) -> WasmEviction {
    WasmEviction::new(runtime(), source(component("eviction", text)))
}

/// Inputs that answer every look alike.
struct Fixed(Result<&'static str, LookFailure>);

impl Fixed {
    fn answer<T>(&self, answer: impl FnOnce(&'static str) -> T) -> Result<T, LookFailure> {
        self.0.clone().map(answer)
    }
}

impl Inputs for Fixed {
    fn variable(&mut self, _: &str) -> Result<Option<String>, LookFailure> {
        self.answer(|text| Some(text.to_owned()))
    }

    fn terminal(&mut self) -> bool {
        false
    }

    fn read(&mut self, _: &str) -> Result<Vec<u8>, LookFailure> {
        self.answer(Into::into)
    }

    fn scan(&mut self, _: &str, _: &[String]) -> Result<Vec<Match>, LookFailure> {
        self.answer(|text| vec![Match { needle: 0, line: text.into() }])
    }

    fn query(&mut self, _: &[String]) -> Result<QueryAnswer, LookFailure> {
        let exit = crate::outcome::Exit::Code(0);
        self.answer(|text| QueryAnswer { exit, stdout: text.into(), stderr: vec![] })
    }
}

fn inputs(answer: Result<&'static str, LookFailure>) -> SharedInputs {
    Rc::new(RefCell::new(Fixed(answer)))
}

fn operation(program: &str) -> Operation {
    Operation { argv: vec![program.to_owned()], root: "/r".into(), ..Operation::default() }
}

fn derive(key: &WasmKey) -> Result<Result<Derivation, Refusal>, Box<Fault>> {
    key.derive(&operation("cc"), inputs(Err(LookFailure::Absent)))
}

/// The fault of a guest of the key role.
fn fault_of(text: &str) -> FaultKind {
    derive(&key(text)).expect_err("the guest is at fault").kind
}
