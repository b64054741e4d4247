//! Members of a JSON object, read with the way to them, so that an error names the one that is wrong.

use super::place::{Place, Step};
use crate::repository::document::closest;
use serde_json::{Map, Value as Json};
use std::fmt;

/// What is no question.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QuestionError {
    /// Where in the object; empty for the object itself.
    pub place: Place,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong with a member of a question.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Problem {
    /// It is of another kind than it has to be.
    Kind {
        /// What it has to be.
        expected: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// It lacks a member.
    Missing(&'static str),
    /// It has a member that nobody knows.
    Unknown {
        /// The member.
        name: String,
        /// What it may have been meant to be.
        advice: String,
    },
    /// It is none of the names that there are.
    NoneOf {
        /// What it is.
        name: String,
        /// What it may be.
        names: String,
    },
    /// The plugin's role has no such function.
    Role {
        /// The function.
        function: &'static str,
        /// The functions of the role.
        functions: &'static str,
    },
    /// It does not tell which function is called.
    NoFunction,
}

impl fmt::Display for QuestionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.place.is_top() {
            write!(f, "`{}`: ", self.place)?;
        }
        match &self.problem {
            Problem::Kind { expected, found } => write!(f, "{expected} is expected here, and not {found}"),
            Problem::Missing(name) => write!(f, "the member `{name}` is missing here"),
            Problem::Unknown { name, advice } => write!(f, "there is no member `{name}` here; {advice}"),
            Problem::NoneOf { name, names } => write!(f, "`{name}` is none of {names}"),
            Problem::Role { function, functions } => {
                write!(f, "`{function}` is no function of the plugin's role, which has {functions}")
            }
            Problem::NoFunction => f.write_str(
                "which function is called is not told: say \"function\": derive, discover, encode, decode or score",
            ),
        }
    }
}

impl std::error::Error for QuestionError {}

/// A value with the way to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member<'a> {
    value: &'a Json,
    above: Option<(&'a Self, Name<'a>)>,
}

#[derive(Clone, Copy, Debug)]
enum Name<'a> {
    Member(&'a str),
    Item(usize),
}

impl<'a> Member<'a> {
    pub(super) const fn top(value: &'a Json) -> Self {
        Self { value, above: None }
    }

    pub(super) const fn json(&self) -> &'a Json {
        self.value
    }

    pub(super) fn wrong(&self, problem: Problem) -> QuestionError {
        let mut steps = Vec::new();
        let mut here = self;
        while let Some((above, name)) = here.above {
            steps.push(match name {
                Name::Member(name) => Step::Member(name.to_owned()),
                Name::Item(position) => Step::Item(position),
            });
            here = above;
        }
        steps.reverse();
        QuestionError { place: Place(steps), problem }
    }

    pub(super) fn expected(&self, expected: &'static str) -> QuestionError {
        let found = match self.value {
            Json::Null => "null",
            Json::Bool(_) => "a truth value",
            Json::Number(_) => "this number",
            Json::String(_) => "a text",
            Json::Array(_) => "a list",
            Json::Object(_) => "an object",
        };
        self.wrong(Problem::Kind { expected, found })
    }

    fn object(&self) -> Result<&'a Map<String, Json>, QuestionError> {
        self.value.as_object().ok_or_else(|| self.expected("an object"))
    }

    /// Refuses every member but these.
    pub(super) fn allow(&self, names: &[&str]) -> Result<(), QuestionError> {
        let Some(name) = self.object()?.keys().find(|name| !names.contains(&name.as_str())) else {
            return Ok(());
        };
        let advice = match closest(name, names.iter().copied()) {
            Some(close) => format!("did you mean `{close}`?"),
            None => format!("known are {}", names.join(", ")),
        };
        Err(self.wrong(Problem::Unknown { name: name.clone(), advice }))
    }

    /// A member, where it is there. One that is null is not.
    pub(super) fn get<'m>(&'m self, name: &'m str) -> Result<Option<Member<'m>>, QuestionError> {
        let value = self.object()?.get(name).filter(|value| !value.is_null());
        Ok(value.map(|value| Member { value, above: Some((self, Name::Member(name))) }))
    }

    /// A member that must be there.
    pub(super) fn need<'m>(&'m self, name: &'static str) -> Result<Member<'m>, QuestionError> {
        self.get(name)?.ok_or_else(|| self.wrong(Problem::Missing(name)))
    }

    pub(super) fn text(&self) -> Result<&'a str, QuestionError> {
        self.value.as_str().ok_or_else(|| self.expected("a text"))
    }

    pub(super) fn boolean(&self) -> Result<bool, QuestionError> {
        self.value.as_bool().ok_or_else(|| self.expected("true or false"))
    }

    pub(super) fn number(&self) -> Result<u64, QuestionError> {
        self.value.as_u64().ok_or_else(|| self.expected("a whole number from 0 to 2^64-1"))
    }

    pub(super) fn small(&self) -> Result<u32, QuestionError> {
        let number = self.value.as_u64().and_then(|number| u32::try_from(number).ok());
        number.ok_or_else(|| self.expected("a whole number from 0 to 2^32-1"))
    }

    pub(super) fn signed(&self) -> Result<i32, QuestionError> {
        let number = self.value.as_i64().and_then(|number| i32::try_from(number).ok());
        number.ok_or_else(|| self.expected("a whole number from -2^31 to 2^31-1"))
    }

    /// The items of a list, each read by `read`.
    pub(super) fn list<T>(
        &self,
        read: impl Fn(&Member<'_>) -> Result<T, QuestionError>,
    ) -> Result<Vec<T>, QuestionError> {
        let list = self.value.as_array().ok_or_else(|| self.expected("a list"))?;
        let item = |(position, value)| read(&Member { value, above: Some((self, Name::Item(position))) });
        list.iter().enumerate().map(item).collect()
    }

    /// The two items of a pair.
    pub(super) fn pair<T>(
        &self,
        expected: &'static str,
        read: impl FnOnce(&Member<'_>, &Member<'_>) -> Result<T, QuestionError>,
    ) -> Result<T, QuestionError> {
        let Some([first, second]) = self.value.as_array().map(Vec::as_slice) else {
            return Err(self.expected(expected));
        };
        let item = |value, position| Member { value, above: Some((self, Name::Item(position))) };
        read(&item(first, 0), &item(second, 1))
    }

    pub(super) fn texts(&self) -> Result<Vec<String>, QuestionError> {
        self.list(|item| item.text().map(str::to_owned))
    }

    /// The members of an object, each read by `read`.
    pub(super) fn entries<T>(
        &self,
        read: impl Fn(&Member<'_>) -> Result<T, QuestionError>,
    ) -> Result<Vec<(String, T)>, QuestionError> {
        let entry = |(name, value): (&'a String, &'a Json)| {
            let value = read(&Member { value, above: Some((self, Name::Member(name))) })?;
            Ok((name.clone(), value))
        };
        self.object()?.iter().map(entry).collect()
    }

    /// The only member of an object, which is how a variant with content is written.
    pub(super) fn only<T>(
        &self,
        expected: &'static str,
        read: impl FnOnce(&str, &Member<'_>) -> Result<Option<T>, QuestionError>,
    ) -> Result<T, QuestionError> {
        let mut members = self.value.as_object().ok_or_else(|| self.expected(expected))?.iter();
        let (Some((name, value)), None) = (members.next(), members.next()) else {
            return Err(self.expected(expected));
        };
        let read = read(name, &Member { value, above: Some((self, Name::Member(name))) })?;
        read.ok_or_else(|| self.wrong(Problem::NoneOf { name: name.clone(), names: expected.to_owned() }))
    }
}
