//! The plugin's own table of `reviver.toml`.

use std::fmt;

use crate::{Refusal, Value};

/// The plugin's configuration: its `config` table of `reviver.toml`.
///
/// Each accessor gives `None` for a setting that is not there, and an error for one of another kind, so that a wrong
/// setting is told instead of being ignored.
///
/// ```
/// use reviver_sdk::{configuration, testing::TestHost};
///
/// let host = TestHost::new().configuration(r##"{"comment": "#", "deep": true}"##);
/// host.run(|| {
///     let configuration = configuration()?;
///     configuration.only(&["comment", "deep"])?;
///     assert_eq!(configuration.text("comment")?, Some("#"));
///     assert_eq!(configuration.boolean("deep")?, Some(true));
///     assert_eq!(configuration.integer("limit")?, None);
///     assert!(configuration.text("deep").is_err());
///     Ok::<(), reviver_sdk::Misconfigured>(())
/// })?;
/// # Ok::<(), reviver_sdk::Misconfigured>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Configuration(Vec<(String, Value)>);

/// The plugin's configuration; an error where the host hands over what is no JSON object.
pub fn configuration() -> Result<Configuration, Misconfigured> {
    #[cfg(target_arch = "wasm32")]
    let text = crate::wire::key::reviver::plugin::host::configuration();
    #[cfg(not(target_arch = "wasm32"))]
    let text = crate::testing::host::current(crate::testing::TestHost::configuration_text);
    match Value::parse(&text) {
        Some(Value::Table(settings)) => Ok(Configuration(settings)),
        _ => Err(Misconfigured("the configuration is no JSON object".to_owned())),
    }
}

impl Configuration {
    /// The setting `name`, whatever its kind.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.0.iter().find_map(|(key, value)| (key == name).then_some(value))
    }

    /// The text `name`.
    pub fn text(&self, name: &str) -> Result<Option<&str>, Misconfigured> {
        self.get(name, "a string", Value::text)
    }

    /// The truth value `name`.
    pub fn boolean(&self, name: &str) -> Result<Option<bool>, Misconfigured> {
        self.get(name, "`true` or `false`", Value::boolean)
    }

    /// The whole number `name`.
    pub fn integer(&self, name: &str) -> Result<Option<i64>, Misconfigured> {
        self.get(name, "a whole number", Value::number)
    }

    /// The list of texts `name`.
    pub fn texts(&self, name: &str) -> Result<Option<Vec<&str>>, Misconfigured> {
        self.get(name, "a list of strings", |value| value.list()?.iter().map(Value::text).collect())
    }

    /// Nothing, where every setting is one of `known`; else the error that names the first one that is not.
    pub fn only(&self, known: &[&str]) -> Result<(), Misconfigured> {
        match self.0.iter().find(|(name, _)| !known.contains(&&**name)) {
            None => Ok(()),
            Some((name, _)) if known.is_empty() => {
                Err(Misconfigured(["unknown setting `", name, "`: the plugin has no settings"].concat()))
            }
            Some((name, _)) => Err(Misconfigured(
                ["unknown setting `", name, "`: the plugin knows `", &known.join("`, `"), "`"].concat(),
            )),
        }
    }

    fn get<'a, T>(
        &'a self,
        name: &str,
        expected: &str,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, Misconfigured> {
        self.value(name)
            .map(|value| {
                read(value).ok_or_else(|| Misconfigured(["setting `", name, "` must be ", expected].concat()))
            })
            .transpose()
    }
}

/// A setting that is not what it should be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Misconfigured(String);

impl fmt::Display for Misconfigured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Misconfigured {}

impl From<Misconfigured> for Refusal {
    fn from(error: Misconfigured) -> Self {
        Self::Malformed(error.0)
    }
}

impl From<Misconfigured> for String {
    fn from(error: Misconfigured) -> Self {
        error.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestHost;

    fn configured<T>(
        text: &str,
        ask: impl FnOnce(Configuration) -> Result<T, Misconfigured>,
    ) -> Result<T, String> {
        TestHost::new().configuration(text).run(|| Ok(configuration().and_then(ask)?))
    }

    #[test]
    fn settings_of_another_kind_and_unknown_ones_are_told() {
        let text =
            |configuration: Configuration| configuration.texts("paths").map(|paths| paths.map(|p| p.len()));
        assert_eq!(configured(r#"{"paths": ["a", "b"]}"#, text), Ok(Some(2)));
        assert_eq!(configured("{}", text), Ok(None));
        assert_eq!(
            configured(r#"{"paths": ["a", 1]}"#, text),
            Err("setting `paths` must be a list of strings".into())
        );
        assert_eq!(
            configured(r#"{"path": 1}"#, |configuration| configuration.only(&["paths", "root"])),
            Err("unknown setting `path`: the plugin knows `paths`, `root`".into())
        );
        assert_eq!(configured("[]", text), Err("the configuration is no JSON object".into()));
    }
}
