//! Keys: what identifies an operation, hashed.
//!
//! | key | over |
//! |---|---|
//! | question | the key plugin with its configuration and limits, the contract's version, the operation: what a remembered derivation is found by |
//! | base key | partition, key plugin, metadata plugin, accepted exits, standard input, the derivation with its ingredients' values; with the topology of the output, where it mattered to what was said |
//! | key | the base key, a list of discovered ingredients and their values; an empty list where nothing is discovered |
//!
//! The arguments that replace the user's are in the base key without the root's path: it is for the ingredients to say where
//! a place shows.

use super::value::{Value, frame};
use crate::digest::{Digest, Framer};
use crate::key::Key;
use crate::operation::{Derivation, Operation, WriteKind};
use crate::outcome::Chunk;
use crate::store::PartitionId;
use std::collections::BTreeSet;

/// Whether it mattered to a command that said this whether its streams are one file: what was said on one of two files is said
/// the same where they are one.
#[must_use]
pub fn streams_matter(joined: bool, output: &[Chunk]) -> bool {
    let mut said = output.iter().filter(|chunk| !chunk.bytes.is_empty()).map(|chunk| chunk.stream);
    let first = said.next();
    first.is_some() && (joined || said.any(|stream| Some(stream) != first))
}

/// The base key of the runs to which that mattered.
#[must_use]
pub fn with_streams(base: Digest, joined: bool) -> Digest {
    Framer::new("reviver.base.streams").digest(base).number(u64::from(joined)).finish()
}

/// What surrounds a derivation in its base key.
#[derive(Debug)]
pub struct Frame<'a> {
    /// The repository's partition.
    pub partition: PartitionId,
    /// The key plugin with its configuration.
    pub key_policy: Digest,
    /// The metadata plugin with its configuration.
    pub codec: Digest,
    /// The exit statuses that are recorded.
    pub accepted: &'a BTreeSet<u8>,
    /// What standard input resolved to.
    pub input: Value,
    /// The repository's root.
    pub root: &'a str,
}

/// What a remembered derivation is found by.
#[must_use]
pub fn question(key_policy: Digest, limits: Digest, operation: &Operation) -> Digest {
    let Operation { argv, root, directory, reads, writes, variables } = operation;
    let mut framer = Framer::new("reviver.question");
    framer.digest(key_policy).digest(limits).texts(argv).text(root).text(directory);
    framer.texts(reads).texts(writes).texts(variables).finish()
}

/// The base key of a derivation whose ingredients have these [names](super::value::names) and resolved to these values.
#[must_use]
pub fn base(surroundings: &Frame<'_>, derivation: &Derivation, names: Digest, values: &[Value]) -> Digest {
    let Frame { partition, key_policy, codec, accepted, input, root } = surroundings;
    let mut framer = Framer::new("reviver.base");
    framer.bytes(partition.as_bytes()).digest(*key_policy).digest(*codec);
    framer.number(accepted.len() as u64);
    for exit in *accepted {
        framer.number(u64::from(*exit));
    }
    frame(&mut framer, &[*input]);
    frame(framer.digest(names), values);
    framer.number(derivation.writes.len() as u64);
    for write in &derivation.writes {
        let kind = match write.kind {
            WriteKind::File => 0,
            WriteKind::Directory => 1,
            WriteKind::Either => 2,
        };
        framer.text(&write.label).number(kind).number(u64::from(write.optional));
    }
    framer.number(u64::from(derivation.arguments.is_some()));
    let arguments = derivation.arguments.as_deref().unwrap_or_default();
    framer.number(arguments.len() as u64);
    for argument in arguments {
        // Where something is written is no part of the key, here as above.
        let place = derivation.writes.iter().find(|write| write.path == *argument);
        framer.number(u64::from(place.is_some()));
        match place {
            Some(write) => framer.text(&write.label),
            None => framer.text(&placeless(argument, root)),
        };
    }
    framer.text(derivation.report.as_deref().unwrap_or_default());
    framer.finish()
}

/// An argument without the path of a root.
fn placeless(argument: &str, root: &str) -> String {
    if root == "/" { argument.to_owned() } else { argument.replace(root, "\u{1}") }
}

/// The key of an operation with this base key, the [names](super::value::names) of what was discovered, and its values.
#[must_use]
pub fn full(base: Digest, discovered: Digest, values: &[Value]) -> Key {
    let mut framer = Framer::new("reviver.key");
    frame(framer.digest(base).digest(discovered), values);
    Key::new(framer.finish())
}

#[cfg(test)]
mod tests {
    use super::super::value::names;
    use super::*;
    use crate::operation::{Ingredient, Input, Source, Write};
    use crate::outcome::Stream;

    fn derivation() -> Derivation {
        Derivation {
            label: "x".into(),
            ingredients: vec![
                Ingredient { label: "a".into(), source: Source::Text("b".into()) },
                Ingredient { label: "c".into(), source: Source::File("d".into()) },
            ],
            writes: vec![Write {
                label: "w".into(),
                path: "p".into(),
                kind: WriteKind::File,
                optional: false,
            }],
            input: Input::Unused,
            arguments: None,
            report: None,
        }
    }

    fn key(
        change: impl FnOnce(&mut Derivation, &mut Vec<Value>, &mut Frame<'_>, &mut BTreeSet<u8>),
    ) -> Digest {
        let (mut derivation, mut values) = (derivation(), vec![Value::of(b"b"), Value::Absent]);
        let mut accepted = BTreeSet::from([0]);
        let none = BTreeSet::new();
        let mut surroundings = Frame {
            partition: PartitionId::of(Digest::of(b"p")),
            key_policy: Digest::of(b"k"),
            codec: Digest::of(b"m"),
            accepted: &none,
            input: Value::Absent,
            root: "/r",
        };
        change(&mut derivation, &mut values, &mut surroundings, &mut accepted);
        let surroundings = Frame { accepted: &accepted, ..surroundings };
        base(&surroundings, &derivation, names(&derivation.ingredients), &values)
    }

    #[test]
    fn whatever_identifies_an_operation_changes_its_key() {
        let keys = [
            key(|_, _, _, _| ()),
            key(|_, values, _, _| values[1] = Value::Directory),
            key(|_, values, _, _| values.swap(0, 1)),
            key(|derivation, _, _, _| derivation.ingredients[0].label = "ab".into()),
            key(|derivation, _, _, _| derivation.ingredients[1].source = Source::Tree("d".into())),
            key(|derivation, values, _, _| {
                derivation.ingredients.pop();
                values.pop();
            }),
            key(|derivation, _, _, _| derivation.writes[0].optional = true),
            key(|derivation, _, _, _| derivation.writes[0].label = "v".into()),
            key(|derivation, _, _, _| derivation.arguments = Some(vec![])),
            key(|derivation, _, _, _| derivation.arguments = Some(vec!["-m=/r/a".into()])),
            key(|derivation, _, _, _| derivation.arguments = Some(vec!["p".into()])),
            key(|derivation, _, _, _| derivation.arguments = Some(vec!["w".into()])),
            key(|derivation, _, _, _| derivation.arguments = Some(vec!["-op".into()])),
            key(|derivation, _, _, _| derivation.report = Some("w".into())),
            key(|_, _, surroundings, _| surroundings.partition = PartitionId::of(Digest::of(b"q"))),
            key(|_, _, surroundings, _| surroundings.key_policy = Digest::of(b"l")),
            key(|_, _, surroundings, _| surroundings.codec = Digest::of(b"n")),
            with_streams(key(|_, _, _, _| ()), false),
            with_streams(key(|_, _, _, _| ()), true),
            key(|_, _, surroundings, _| surroundings.input = Value::of(b"")),
            key(|_, _, _, accepted| {
                accepted.insert(3);
            }),
        ];
        for (i, one) in keys.iter().enumerate() {
            assert!(keys[i + 1..].iter().all(|other| other != one), "{i}");
        }
    }

    #[test]
    fn streams_matter_to_what_is_said_on_both_or_in_one_file() {
        let said = |streams: &[Stream]| -> Vec<Chunk> {
            streams.iter().map(|stream| Chunk { stream: *stream, bytes: b"x".to_vec() }).collect()
        };
        for (joined, streams, matter) in [
            (false, &[][..], false),
            (true, &[], false),
            (false, &[Stream::Stderr, Stream::Stderr], false),
            (false, &[Stream::Stdout], false),
            (false, &[Stream::Stdout, Stream::Stderr], true),
            (true, &[Stream::Both], true),
        ] {
            assert_eq!(streams_matter(joined, &said(streams)), matter, "{joined} {streams:?}");
        }
    }

    #[test]
    fn the_places_of_writes_and_files_do_not_change_it() {
        let plain = key(|_, _, _, _| ());
        assert_eq!(plain, key(|derivation, _, _, _| derivation.writes[0].path = "elsewhere".into()));
        assert_eq!(
            plain,
            key(|derivation, _, _, _| derivation.ingredients[1].source = Source::File("e".into()))
        );
        assert_eq!(plain, key(|derivation, _, _, _| derivation.label = "y".into()));
        let under = |root: &'static str, argument: &str| {
            key(|derivation, _, surroundings, _| {
                derivation.arguments = Some(vec![argument.to_owned()]);
                surroundings.root = root;
            })
        };
        assert_eq!(under("/r", "-m=/r/a"), under("/else/where", "-m=/else/where/a"));
        assert_ne!(under("/r", "-m=/r/a"), under("/else/where", "-m=/r/a"));
        let to = |path: &str| {
            key(|derivation, _, _, _| {
                derivation.writes[0].path = path.into();
                derivation.arguments = Some(vec!["-o".into(), path.into()]);
            })
        };
        assert_eq!(to("p"), to("elsewhere"), "an argument that is the place of a write says nothing else");
    }
}
