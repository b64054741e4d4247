//! Remembered derivations: a plugin's answer, the conditions that it holds under, and what its ingredients were last seen
//! to be. While it holds no Wasm runs.
//!
//! The file, under the digest of the question:
//!
//! ```text
//! "RVDERIV1" | digest of the rest | conditions | their values | their hints | answer | its values | its hints
//! ```
//!
//! A file that is damaged or of another format is no memory; the plugin is asked again.

use super::hints::Hints;
use super::resolve::{Doubt, Resolver};
use super::value::{Value, names};
use crate::bytes::{Layout, Malformed, Reader, Writer};
use crate::digest::Digest;
use crate::operation::{Derivation, Ingredient, Refusal};
use crate::time::Timestamp;

const MAGIC: &[u8; 8] = b"RVDERIV1";

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
    /// The bytes of its file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
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
        checked(MAGIC, &out.into_bytes())
    }

    /// The memory in the bytes of a file.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut from = Reader::new(check(MAGIC, bytes)?);
        let conditions = Resolved::take(&mut from)?;
        let mut answer = match from.u8()? {
            0 => Answer::Derivation(Derivation::take(&mut from)?),
            1 => Answer::Refusal(Refusal::take(&mut from)?),
            _ => return Err(Malformed { expected: "an answer" }),
        };
        let resolved = Resolved::take(&mut from)?;
        from.end()?;
        if let Answer::Derivation(derivation) = &mut answer {
            derivation.ingredients.clone_from(&resolved.ingredients);
        }
        Ok(Self { conditions, answer, resolved })
    }
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

impl Layout for Resolved {
    fn put(&self, out: &mut Writer) {
        self.names.put(out);
        out.list(&self.ingredients);
        out.list(&self.values);
        self.hints.put(out);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let resolved = Self {
            names: Digest::take(from)?,
            ingredients: from.list()?,
            values: from.list()?,
            hints: Hints::take(from)?,
        };
        let length = resolved.ingredients.len();
        if resolved.values.len() == length && resolved.hints.each.len() == length {
            Ok(resolved)
        } else {
            Err(Malformed { expected: "a value and a hint for each ingredient" })
        }
    }
}
