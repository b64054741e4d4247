//! Between the vocabulary and the generated types, field by field: a new field in either is an error here.

use super::bindings::types;
use crate::operation::{
    Derivation, Discovery, Ingredient, Input, Operation, Refusal, Source, Write, WriteKind,
};
use crate::outcome::{Chunk, Outcome, Stream};
use crate::policy::{Budget, Candidate};

fn all<A: Into<B>, B>(values: Vec<A>) -> Vec<B> {
    values.into_iter().map(Into::into).collect()
}

impl From<&Operation> for types::Operation {
    fn from(operation: &Operation) -> Self {
        let Operation { argv, root, directory, reads, writes, variables } = operation.clone();
        Self { argv, root, directory, reads, writes, variables }
    }
}

impl From<types::Source> for Source {
    fn from(source: types::Source) -> Self {
        match source {
            types::Source::Text(text) => Self::Text(text),
            types::Source::Bytes(bytes) => Self::Bytes(bytes),
            types::Source::File(path) => Self::File(path),
            types::Source::Tree(path) => Self::Tree(path),
            types::Source::Listing(path) => Self::Listing(path),
            types::Source::Variable(name) => Self::Variable(name),
            types::Source::Program(name) => Self::Program(name),
            types::Source::Umask => Self::Umask,
            types::Source::Terminal => Self::Terminal,
        }
    }
}

impl From<types::Ingredient> for Ingredient {
    fn from(types::Ingredient { label, source }: types::Ingredient) -> Self {
        Self { label, source: source.into() }
    }
}

impl From<types::Write> for Write {
    fn from(types::Write { label, path, kind, optional }: types::Write) -> Self {
        let kind = match kind {
            types::WriteKind::File => WriteKind::File,
            types::WriteKind::Directory => WriteKind::Directory,
            types::WriteKind::Either => WriteKind::Either,
        };
        Self { label, path, kind, optional }
    }
}

impl From<types::Derivation> for Derivation {
    fn from(derivation: types::Derivation) -> Self {
        let types::Derivation { label, ingredients, writes, input, arguments, report } = derivation;
        let input = match input {
            types::Input::Unused => Input::Unused,
            types::Input::Read => Input::Read,
        };
        Self { label, ingredients: all(ingredients), writes: all(writes), input, arguments, report }
    }
}

impl From<types::Discovery> for Discovery {
    fn from(types::Discovery { ingredients, produced, uncacheable }: types::Discovery) -> Self {
        Self { ingredients: all(ingredients), produced, uncacheable }
    }
}

impl From<types::Refusal> for Refusal {
    fn from(refusal: types::Refusal) -> Self {
        match refusal {
            types::Refusal::NotCacheable(reason) => Self::NotCacheable(reason),
            types::Refusal::Malformed(reason) => Self::Malformed(reason),
        }
    }
}

impl From<&Outcome> for types::Outcome {
    fn from(outcome: &Outcome) -> Self {
        let Outcome { exit, output, started, duration, notes } = outcome.clone();
        Self { exit: exit.into(), output: all(output), started, duration, notes }
    }
}

impl From<types::Outcome> for Outcome {
    fn from(outcome: types::Outcome) -> Self {
        let types::Outcome { exit, output, started, duration, notes } = outcome;
        Self { exit: exit.into(), output: all(output), started, duration, notes }
    }
}

impl From<Chunk> for types::Chunk {
    fn from(Chunk { stream, bytes }: Chunk) -> Self {
        let stream = match stream {
            Stream::Stdout => types::Stream::Stdout,
            Stream::Stderr => types::Stream::Stderr,
            Stream::Both => types::Stream::Both,
        };
        Self { stream, bytes }
    }
}

impl From<types::Chunk> for Chunk {
    fn from(types::Chunk { stream, bytes }: types::Chunk) -> Self {
        let stream = match stream {
            types::Stream::Stdout => Stream::Stdout,
            types::Stream::Stderr => Stream::Stderr,
            types::Stream::Both => Stream::Both,
        };
        Self { stream, bytes }
    }
}

impl From<&Candidate> for types::Candidate {
    fn from(candidate: &Candidate) -> Self {
        let Candidate { size, files, created, last_use, uses, cost, unused } = *candidate;
        Self { size, files, created: created.0, last_use: last_use.0, uses, cost, unused }
    }
}

impl From<Budget> for types::Budget {
    fn from(Budget { limit, used, entries }: Budget) -> Self {
        Self { limit, used, entries }
    }
}
