//! Walking the arguments of a command.
//!
//! A [`Walk`] goes through them one by one and knows the ways in which an option comes with its value: joined
//! (`-Iinclude`), as the next argument (`-I include`), or behind an `=` (`--edition=2024`). What was passed is there as it
//! was [spelled](Valued::spelled), since spelling is what usually enters a key.
//!
//! ```
//! use reviver_sdk::argv::{Missing, Walk};
//!
//! let arguments = ["-I", "include", "-O2", "-Iother", "--std=c99", "a.c"].map(str::to_owned);
//! let (mut directories, mut operands, mut texts) = (Vec::new(), Vec::new(), Vec::new());
//! let mut walk = Walk::new(&arguments);
//! while let Some(argument) = walk.next() {
//!     if let Some(option) = walk.valued(&["-I", "-isystem", "--std="])? {
//!         if option.name == "-I" {
//!             directories.push(option.value);
//!         }
//!         texts.extend(option.spelled);
//!     } else if argument.starts_with('-') {
//!         texts.extend(walk.spelled());
//!     } else {
//!         operands.push(argument);
//!     }
//! }
//! assert_eq!(directories, ["include", "other"]);
//! assert_eq!(operands, ["a.c"]);
//! assert_eq!(texts, ["-I", "include", "-O2", "-Iother", "--std=c99"]);
//! # Ok::<(), Missing>(())
//! ```

use std::fmt;

use crate::Refusal;

/// The arguments of a command, of which one is the present one.
#[derive(Clone, Debug)]
pub struct Walk<'a> {
    arguments: &'a [String],
    /// Where the present argument begins.
    start: usize,
    /// Where the next one does.
    end: usize,
}

/// An option that came with a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Valued<'a, 'n> {
    /// The name that it was found by.
    pub name: &'n str,
    /// Its value.
    pub value: &'a str,
    /// The one or two arguments that it is made of.
    pub spelled: &'a [String],
}

/// An option stands at the end and lacks its value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Missing(String);

impl<'a> Walk<'a> {
    /// A walk before the first of `arguments`, which do not hold the program.
    #[must_use]
    pub const fn new(arguments: &'a [String]) -> Self {
        Self { arguments, start: 0, end: 0 }
    }

    /// Goes on to the next argument.
    #[allow(clippy::should_implement_trait, reason = "an iterator could not be asked about where it is")]
    pub fn next(&mut self) -> Option<&'a str> {
        let argument = self.arguments.get(self.end)?;
        self.start = self.end;
        self.end += 1;
        Some(argument)
    }

    /// What belongs to the present argument: itself, and the value that was taken from behind it.
    #[must_use]
    pub fn spelled(&self) -> &'a [String] {
        self.arguments.get(self.start..self.end).unwrap_or_default()
    }

    /// Takes the argument behind the present one as its value, whatever it looks like.
    pub fn value(&mut self) -> Result<&'a str, Missing> {
        let missing = || Missing(self.arguments.get(self.start).cloned().unwrap_or_default());
        let value = self.arguments.get(self.end).ok_or_else(missing)?;
        self.end += 1;
        Ok(value)
    }

    /// The present argument as one of the options `names`, each of which has a value: what is joined to the name, or else
    /// the next argument. Of several names that fit, the longest one does. A name that ends with `=` has its value behind
    /// that sign alone, where it may be empty.
    pub fn valued<'n>(&mut self, names: &[&'n str]) -> Result<Option<Valued<'a, 'n>>, Missing> {
        let Some(argument) = self.arguments.get(self.start).filter(|_| self.start < self.end) else {
            return Ok(None);
        };
        let fitting = names.iter().filter(|name| argument.starts_with(**name)).max_by_key(|name| name.len());
        let Some(name) = fitting else { return Ok(None) };
        let joined = argument.strip_prefix(name).unwrap_or_default();
        let value = if joined.is_empty() && !name.ends_with('=') { self.value()? } else { joined };
        Ok(Some(Valued { name, value, spelled: self.spelled() }))
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words())
    }
}

impl std::error::Error for Missing {}

impl Missing {
    fn words(&self) -> String {
        ["`", &self.0, "` lacks its value"].concat()
    }
}

impl From<Missing> for Refusal {
    fn from(missing: Missing) -> Self {
        Self::Malformed(missing.words())
    }
}

impl From<Missing> for String {
    fn from(missing: Missing) -> Self {
        missing.words()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(list: &[&str]) -> Vec<String> {
        list.iter().map(|one| (*one).to_owned()).collect()
    }

    #[test]
    fn the_longest_name_wins_and_values_may_look_like_options() {
        let given = arguments(&["-include", "-I", "-Iinclude", "-o"]);
        let mut walk = Walk::new(&given);
        assert_eq!(walk.valued(&["-I"]), Ok(None), "no argument is present yet");
        walk.next();
        let option = walk.valued(&["-i", "-include", "-inc"]).expect("a value").expect("an option");
        assert_eq!((option.name, option.value), ("-include", "-I"));
        assert_eq!(option.spelled, ["-include", "-I"]);
        walk.next();
        assert_eq!(walk.valued(&["-o"]), Ok(None));
        assert_eq!(walk.spelled(), ["-Iinclude"]);
        walk.next();
        let missing = walk.valued(&["-o"]).expect_err("it is the last one");
        assert_eq!(missing.to_string(), "`-o` lacks its value");
        assert_eq!(walk.next(), None);
    }

    #[test]
    fn a_value_behind_an_equals_sign_is_never_the_next_argument() {
        let given = arguments(&["--std=", "a"]);
        let mut walk = Walk::new(&given);
        walk.next();
        let option = walk.valued(&["--std="]).expect("a value").expect("an option");
        assert_eq!((option.value, option.spelled.len()), ("", 1));
        assert_eq!(walk.next(), Some("a"));
        assert_eq!(walk.value(), Err(Missing("a".into())));
    }
}
