//! Remembered derivations: a plugin's answer, the conditions that it holds under, and what its ingredients were last seen
//! to be. While it holds no Wasm runs.
//!
//! The file, under the digest of the question:
//!
//! ```text
//! "RVDERIV3" | sum of the rest | conditions | answer | its ingredients | operation
//! ```
//!
//! Conditions and ingredients lie as [`Resolved`] does:
//!
//! ```text
//! names | directories: path, identity, how many were missed in it | number | each: label, source, value, hint
//! ```
//!
//! The operation that was asked about stands behind its length. A hit steps over it: it is there for [`operations`], which
//! tell an author what a plugin is asked in earnest.
//!
//! A file that is damaged or of another format is no memory; the plugin is asked again.

use super::hints::{Hint, Hints, Look};
use super::resolve::{Doubt, Resolver};
use super::value::{Value, names};
use crate::bytes::{Layout, Malformed, Reader, Writer, from_bytes, to_bytes};
use crate::digest::Digest;
use crate::operation::{Derivation, Ingredient, Operation, Refusal};
use crate::store::{Partition, Store};
use crate::sum;
use crate::time::Timestamp;
use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

const MAGIC: &[u8; 8] = b"RVDERIV3";

/// Ingredients with what they resolved to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Resolved {
    /// What stands for their labels and kinds in a key.
    pub names: Digest,
    /// The ingredients. A label that says the same as the place is left out.
    pub ingredients: Vec<Ingredient>,
    /// What each resolved to; variables are sealed.
    pub values: Vec<Value>,
    /// What was seen.
    pub hints: Hints,
}

impl Resolved {
    /// Ingredients with their present values, as they may be kept.
    #[must_use]
    pub fn new(
        resolver: &Resolver,
        ingredients: Vec<Ingredient>,
        values: &[Value],
        secret: &Digest,
        now: Timestamp,
    ) -> Self {
        let names = names(&ingredients);
        let hints = resolver.hints(&ingredients, values, now);
        let sealed = |(ingredient, value): (&Ingredient, &Value)| value.sealed(&ingredient.source, secret);
        let values = ingredients.iter().zip(values).map(sealed).collect();
        Self { names, ingredients, values, hints }
    }

    /// No ingredients.
    #[must_use]
    pub fn nothing() -> Self {
        let hints = Hints::default();
        Self { names: names(&[]), ingredients: Vec::new(), values: Vec::new(), hints }
    }

    /// What the ingredients resolve to now.
    pub fn now(&self, resolver: &Resolver) -> Result<Vec<Value>, Doubt> {
        resolver.values(&self.ingredients, Some((&self.values, &self.hints)))
    }

    /// Whether all of them still resolve to what they did.
    pub fn holds(&self, resolver: &Resolver, secret: &Digest) -> Result<bool, Doubt> {
        let now = self.now(resolver)?;
        let same = |((ingredient, now), then): ((&Ingredient, &Value), &Value)| {
            now.sealed(&ingredient.source, secret) == *then
        };
        Ok(self.ingredients.iter().zip(&now).zip(&self.values).all(same))
    }
}

/// What a plugin answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// A derivation, whose ingredients are in [`Memory::resolved`].
    Derivation(Derivation),
    /// A refusal.
    Refusal(Refusal),
}

/// A remembered answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Memory {
    /// What must still be so.
    pub conditions: Resolved,
    /// What the plugin answered.
    pub answer: Answer,
    /// What the answer's ingredients were last seen to be.
    pub resolved: Resolved,
}

impl Memory {
    /// The bytes of its file, with the operation that the plugin was asked about.
    #[must_use]
    pub fn to_bytes(&self, operation: &Operation) -> Vec<u8> {
        let mut out = Writer::default();
        self.conditions.put(&mut out);
        match &self.answer {
            Answer::Derivation(derivation) => {
                out.u8(0);
                // The ingredients are in `resolved`; here they would be there twice.
                Derivation { ingredients: Vec::new(), ..derivation.clone() }.put(&mut out);
            }
            Answer::Refusal(refusal) => {
                out.u8(1);
                refusal.put(&mut out);
            }
        }
        self.resolved.put(&mut out);
        out.bytes(&to_bytes(operation));
        summed(MAGIC, &out.into_bytes())
    }

    /// The memory in the bytes of a file.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        Self::parts(bytes).map(|(memory, _)| memory)
    }

    /// The memory in the bytes of a file, and the bytes of its operation, which are not looked into.
    fn parts(bytes: &[u8]) -> Result<(Self, &[u8]), Malformed> {
        let mut from = Reader::new(unsummed(MAGIC, bytes)?);
        let conditions = Resolved::take(&mut from)?;
        let mut answer = match from.u8()? {
            0 => Answer::Derivation(Derivation::take(&mut from)?),
            1 => Answer::Refusal(Refusal::take(&mut from)?),
            _ => return Err(Malformed { expected: "an answer" }),
        };
        let resolved = Resolved::take(&mut from)?;
        let operation = from.bytes()?;
        from.end()?;
        if let Answer::Derivation(derivation) = &mut answer {
            derivation.ingredients.clone_from(&resolved.ingredients);
        }
        Ok((Self { conditions, answer, resolved }, operation))
    }
}

/// The operations that plugins were asked about in this partition and whose answers are remembered: each once, the latest
/// first, `most` at most. What cannot be read is passed over.
#[must_use]
pub fn operations(store: &Store, partition: &Partition, most: usize) -> Vec<Operation> {
    let inside = |directory: PathBuf| fs::read_dir(directory).into_iter().flatten().flatten();
    let mut files: Vec<(SystemTime, PathBuf)> = inside(store.layout().derivations(partition.id()))
        .flat_map(|part| inside(part.path()))
        .filter_map(|file| Some((file.metadata().ok()?.modified().ok()?, file.path())))
        .collect();
    files.sort_unstable();
    // One operation has an answer for each configuration and version of a plugin that it was asked of.
    let (mut found, mut known) = (Vec::new(), HashSet::new());
    for (_, path) in files.into_iter().rev() {
        if found.len() == most {
            break;
        }
        let Ok(bytes) = fs::read(path) else { continue };
        let Ok((_, operation)) = Memory::parts(&bytes) else { continue };
        if let Ok(read) = from_bytes::<Operation>(operation)
            && !read.argv.is_empty()
            && known.insert(Digest::of(operation))
        {
            found.push(read);
        }
    }
    found
}

/// A magic, the digest of the payload, the payload.
#[must_use]
pub fn checked(magic: &[u8; 8], payload: &[u8]) -> Vec<u8> {
    [magic, Digest::of(payload).as_bytes().as_slice(), payload].concat()
}

/// The payload behind a magic and a digest that is its own.
pub fn check<'a>(magic: &[u8; 8], bytes: &'a [u8]) -> Result<&'a [u8], Malformed> {
    let mut from = Reader::new(bytes);
    if from.array::<8>()? != *magic {
        return Err(Malformed { expected: "a file of this format" });
    }
    let digest = Digest::take(&mut from)?;
    let payload = from.raw(from.left())?;
    if Digest::of(payload) == digest {
        Ok(payload)
    } else {
        Err(Malformed { expected: "the digest of its content" })
    }
}

/// A magic, the sum of the payload, the payload: for what a hit reads, where a digest would take as long as all else.
#[must_use]
pub fn summed(magic: &[u8; 8], payload: &[u8]) -> Vec<u8> {
    [magic, sum::of(payload).as_slice(), payload].concat()
}

/// The payload behind a magic and a sum that is its own.
pub fn unsummed<'a>(magic: &[u8; 8], bytes: &'a [u8]) -> Result<&'a [u8], Malformed> {
    let mut from = Reader::new(bytes);
    if from.array::<8>()? != *magic {
        return Err(Malformed { expected: "a file of this format" });
    }
    let sum = from.array::<32>()?;
    let payload = from.raw(from.left())?;
    if sum::of(payload) == sum { Ok(payload) } else { Err(Malformed { expected: "the sum of its content" }) }
}

impl Layout for Resolved {
    fn put(&self, out: &mut Writer) {
        self.names.put(out);
        out.u32(self.hints.directories.len() as u32);
        for (look, missed) in self.hints.directories.iter().zip(self.hints.missed()) {
            look.put(out);
            out.u32(missed);
        }
        out.u32(self.ingredients.len() as u32);
        for ((ingredient, value), hint) in self.ingredients.iter().zip(&self.values).zip(&self.hints.each) {
            ingredient.put(out);
            value.put(out);
            hint.put(out);
        }
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let names = Digest::take(from)?;
        let mut hints = Hints::default();
        for _ in 0..from.number()? {
            hints.directories.push(Look::take(from)?);
            from.u32()?;
        }
        let (mut ingredients, mut values) = (Vec::new(), Vec::new());
        for _ in 0..from.number()? {
            ingredients.push(Ingredient::take(from)?);
            values.push(Value::take(from)?);
            hints.each.push(Hint::take(from)?);
        }
        Ok(Self { names, ingredients, values, hints })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::{Input, Source};
    use crate::store::{Options, PartitionId};
    use std::fs::File;
    use std::time::Duration;

    fn operation(argument: &str) -> Operation {
        Operation {
            argv: vec!["cc".into(), argument.into()],
            root: "/r".into(),
            directory: "d".into(),
            reads: vec!["a".into()],
            writes: vec!["b".into(), "c/".into()],
            variables: vec!["V".into()],
        }
    }

    fn memory() -> Memory {
        let derivation = Derivation {
            label: "cc".into(),
            ingredients: vec![Ingredient { label: "t".into(), source: Source::Text("x".into()) }],
            writes: Vec::new(),
            input: Input::Unused,
            arguments: None,
            report: None,
        };
        let ingredients = derivation.ingredients.clone();
        let hints = Hints { each: vec![super::super::hints::Hint::None], ..Hints::default() };
        let resolved =
            Resolved { names: names(&ingredients), ingredients, values: vec![Value::of(b"x")], hints };
        Memory { conditions: Resolved::nothing(), answer: Answer::Derivation(derivation), resolved }
    }

    #[test]
    fn a_memory_round_trips_with_its_operation_and_no_damaged_byte_is_one() {
        let bytes = memory().to_bytes(&operation("a.c"));
        let (read, kept) = Memory::parts(&bytes).unwrap();
        assert_eq!((read, from_bytes(kept)), (memory(), Ok(operation("a.c"))));
        for at in 0..bytes.len() {
            assert!(Memory::from_bytes(&bytes[..at]).is_err(), "cut off at {at}");
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert!(Memory::from_bytes(&damaged).is_err(), "byte {at}");
        }
    }

    #[test]
    fn a_file_of_the_former_format_is_no_memory() {
        let mut former = memory().to_bytes(&operation("a.c"));
        former[7] = b'1';
        assert!(Memory::from_bytes(&former).is_err());
    }

    #[test]
    fn operations_come_latest_first_each_once_and_what_is_damaged_is_passed_over() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path(), Options::default()).unwrap();
        let partition = store.partition(PartitionId::new([1; 16]));
        assert_eq!(operations(&store, &partition, 9), []);
        let put = |name: &str, age: u64, bytes: &[u8]| {
            let path = store.layout().derivation(partition.id(), Digest::of(name.as_bytes()));
            store.publish(&path, bytes).unwrap();
            let time = SystemTime::now() - Duration::from_secs(age);
            File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
        };
        put("1", 3, &memory().to_bytes(&operation("first")));
        put("2", 2, &memory().to_bytes(&operation("second")));
        put("3", 1, &memory().to_bytes(&operation("first")));
        put("4", 0, b"RVQUERY1");
        put("5", 0, &memory().to_bytes(&operation("cut off"))[..90]);
        put("6", 0, &memory().to_bytes(&Operation::default()));
        let all = operations(&store, &partition, 9);
        assert_eq!(all, [operation("first"), operation("second")]);
        assert_eq!(operations(&store, &partition, 1), all[..1]);
    }
}
