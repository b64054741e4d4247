//! Why a miss: what was known of an operation with the same label, held against what it is now.

use super::value::Value;
use crate::bytes::{Layout, Malformed, Reader, Writer};
use crate::digest::Digest;
use crate::operation::{Ingredient, Source};
use std::collections::BTreeMap;
use std::fmt;

/// The longest text that is kept as it is.
const LONGEST_TEXT: usize = 4096;

/// An ingredient as it is kept for explanations: texts by value, the value of a variable never.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Explained {
    /// The plugin's label.
    pub label: String,
    /// The kind of the source.
    pub kind: String,
    /// The place, name or text.
    pub place: String,
    /// What it resolved to, sealed.
    pub value: Value,
}

impl Explained {
    /// The ingredient with its value, as it may be kept.
    #[must_use]
    pub fn new(ingredient: &Ingredient, value: &Value, secret: &Digest) -> Self {
        Self::kept(ingredient, &value.sealed(&ingredient.source, secret))
    }

    /// The ingredient with a value that was kept, and is sealed already.
    #[must_use]
    pub fn kept(ingredient: &Ingredient, value: &Value) -> Self {
        let place = ingredient.source.place();
        let mut end = place.len().min(LONGEST_TEXT);
        while !place.is_char_boundary(end) {
            end -= 1;
        }
        Self {
            label: if ingredient.label.is_empty() {
                place[..end].to_owned()
            } else {
                ingredient.label.clone()
            },
            kind: ingredient.source.kind().to_owned(),
            place: place[..end].to_owned(),
            value: *value,
        }
    }

    /// What people are shown of the value.
    #[must_use]
    pub fn shown(&self) -> String {
        match self.value {
            Value::Absent => "absent".to_owned(),
            Value::Directory => "a directory".to_owned(),
            Value::File { content, executable } => {
                format!("{}{}", content.short(), if executable { " executable" } else { "" })
            }
            Value::Other(_) if self.kind == "text" => format!("{:?}", self.place),
            Value::Other(digest) => digest.short(),
        }
    }
}

/// One thing that differs between two operations with one label.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// The plugin's label.
    pub label: String,
    /// The kind of the source.
    pub kind: String,
    /// The place, or empty for a text.
    pub place: String,
    /// What it was; `None` where there was no such ingredient.
    pub was: Option<String>,
    /// What it is now; `None` where there is no such ingredient any more.
    pub now: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { label, kind, place, was, now } = self;
        write!(f, "{kind} {label}")?;
        if !place.is_empty() && place != label {
            write!(f, " ({place})")?;
        }
        match (was, now) {
            (Some(was), Some(now)) => write!(f, " changed: {was} -> {now}"),
            (None, Some(now)) => write!(f, " is new: {now}"),
            (Some(was), None) => write!(f, " is gone: {was}"),
            (None, None) => Ok(()),
        }
    }
}

/// What differs between two lists of ingredients, in the order of `now`, then what is gone.
///
/// Several ingredients may have one label and kind, as the arguments of a command do: of those it counts which there are, and
/// one that was put between others changes none of them.
#[must_use]
pub fn differences(was: &[Explained], now: &[Explained]) -> Vec<Difference> {
    let same = |a: &Explained, b: &Explained| a.label == b.label && a.kind == b.kind;
    let difference = |was: Option<&Explained>, now: Option<&Explained>| {
        let one = now.or(was)?;
        Some(Difference {
            label: one.label.clone(),
            kind: one.kind.clone(),
            place: if one.kind == "text" { String::new() } else { one.place.clone() },
            was: was.map(Explained::shown),
            now: now.map(Explained::shown),
        })
    };
    let mut old: BTreeMap<(&str, &str), Vec<&Explained>> = BTreeMap::new();
    for one in was {
        old.entry((&one.label, &one.kind)).or_default().push(one);
    }
    // What was there just so is no difference, wherever it stands.
    let mut new = Vec::new();
    for one in now {
        let known = old.entry((&one.label, &one.kind)).or_default();
        match known.iter().position(|known| known.value == one.value) {
            Some(position) => drop(known.remove(position)),
            None => new.push(one),
        }
    }
    let mut found = Vec::new();
    for one in new {
        let known = old.entry((&one.label, &one.kind)).or_default();
        let known = if known.is_empty() { None } else { Some(known.remove(0)) };
        // Whether its streams are one file matters only to a command that said something.
        if known.is_some() || one.label != STREAMS {
            found.extend(difference(known, Some(one)));
        }
    }
    let gone = was.iter().filter(|one| {
        old.get(&(&*one.label, &*one.kind))
            .is_some_and(|left| left.iter().any(|left| std::ptr::eq(*left, *one)))
    });
    found.extend(gone.filter_map(|old| difference(Some(old), None)));
    let moved = |kind: &str, label: &str| {
        let of = |all: &'_ [Explained]| -> Vec<Value> {
            all.iter().filter(|one| one.kind == kind && one.label == label).map(|one| one.value).collect()
        };
        of(was) != of(now)
    };
    if found.is_empty()
        && let Some(one) =
            now.iter().find(|one| moved(&one.kind, &one.label) && was.iter().any(|old| same(old, one)))
    {
        found.push(Difference {
            label: one.label.clone(),
            kind: one.kind.clone(),
            place: String::new(),
            was: Some("another order".to_owned()),
            now: Some("this order".to_owned()),
        });
    }
    found
}

/// The label of what standard output and standard error are to each other.
const STREAMS: &str = "output";

/// What standard output and standard error are to each other, as it is told.
#[must_use]
pub fn streams(joined: bool) -> Explained {
    let place = if joined { "to one file" } else { "to two files" };
    let value = Value::of(place.as_bytes());
    Explained { label: STREAMS.to_owned(), kind: "text".to_owned(), place: place.to_owned(), value }
}

/// A list of ingredients, explained.
#[must_use]
pub fn explained(ingredients: &[Ingredient], values: &[Value], secret: &Digest) -> Vec<Explained> {
    ingredients
        .iter()
        .zip(values)
        .map(|(ingredient, value)| Explained::new(ingredient, value, secret))
        .collect()
}

/// Standard input as an ingredient, so that it is explained like any other.
#[must_use]
pub fn input() -> Ingredient {
    Ingredient { label: "standard input".to_owned(), source: Source::Bytes(Vec::new()) }
}

impl Layout for Explained {
    fn put(&self, out: &mut Writer) {
        out.text(&self.label);
        out.text(&self.kind);
        out.text(&self.place);
        self.value.put(out);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            label: String::take(from)?,
            kind: String::take(from)?,
            place: String::take(from)?,
            value: Value::take(from)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(label: &str, content: &[u8]) -> Explained {
        let value = Value::File { content: Digest::of(content), executable: false };
        Explained { label: label.into(), kind: "file".into(), place: label.into(), value }
    }

    #[test]
    fn what_changed_came_and_went_is_told() {
        let (was, now) = (
            [file("a", b"1"), file("b", b"1"), file("c", b"1")],
            [file("a", b"1"), file("b", b"2"), file("d", b"1")],
        );
        let found = differences(&was, &now);
        let told: Vec<_> =
            found.iter().map(|d| (d.label.as_str(), d.was.is_some(), d.now.is_some())).collect();
        assert_eq!(told, [("b", true, true), ("d", false, true), ("c", true, false)]);
        assert!(differences(&was, &was).is_empty());
    }

    #[test]
    fn the_value_of_a_variable_is_not_kept() {
        let ingredient = Ingredient { label: "v".into(), source: Source::Variable("TOKEN".into()) };
        let value = Value::of(b"hunter2");
        let (one, other) = (Digest::of(b"1"), Digest::of(b"2"));
        let kept = Explained::new(&ingredient, &value, &one);
        assert_ne!(kept.value, value);
        assert_ne!(kept.value, Explained::new(&ingredient, &value, &other).value);
    }
}
