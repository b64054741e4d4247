//! Values of JSON: what a configuration is made of, and what a plugin may write its own texts with.

use crate::json;

/// A value of JSON.
///
/// ```
/// use reviver_sdk::Value;
///
/// let value = Value::parse(r#"{"name": "a", "sizes": [1, 18446744073709551615]}"#).expect("it is JSON");
/// assert_eq!(value.member("name").and_then(Value::text), Some("a"));
/// let sizes: Option<Vec<u64>> = value.member("sizes").and_then(Value::list).map(|sizes| {
///     sizes.iter().filter_map(Value::number).collect()
/// });
/// assert_eq!(sizes, Some(vec![1, u64::MAX]));
/// assert_eq!(value.to_json(), r#"{"name":"a","sizes":[1,18446744073709551615]}"#);
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    /// No value.
    Null,
    /// A truth value.
    Boolean(bool),
    /// A number as it is written.
    Number(String),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Self>),
    /// Names and values, in their order.
    Table(Vec<(String, Self)>),
}

impl Value {
    /// The value that `text` stands for; `None` where it is no JSON, or nested more than 64 levels deep.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        json::parse(text)
    }

    /// The value on one line of JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut json = String::new();
        self.write(&mut json);
        json
    }

    /// The first value of this name in a table.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Self> {
        self.table()?.iter().find_map(|(key, value)| (key == name).then_some(value))
    }

    /// The truth value that this is.
    #[must_use]
    pub const fn boolean(&self) -> Option<bool> {
        if let Self::Boolean(boolean) = self { Some(*boolean) } else { None }
    }

    /// The number that this is, where the type can hold it.
    #[must_use]
    pub fn number<T: std::str::FromStr>(&self) -> Option<T> {
        if let Self::Number(number) = self { number.parse().ok() } else { None }
    }

    /// The text that this is.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The list that this is.
    #[must_use]
    pub fn list(&self) -> Option<&[Self]> {
        if let Self::List(values) = self { Some(values) } else { None }
    }

    /// The names and values of the table that this is.
    #[must_use]
    pub fn table(&self) -> Option<&[(String, Self)]> {
        if let Self::Table(members) = self { Some(members) } else { None }
    }

    fn write(&self, json: &mut String) {
        match self {
            Self::Null => json.push_str("null"),
            Self::Boolean(boolean) => json.push_str(if *boolean { "true" } else { "false" }),
            Self::Number(number) => json.push_str(number),
            Self::Text(text) => write_text(json, text),
            Self::List(values) => {
                json.push('[');
                for (index, value) in values.iter().enumerate() {
                    json.push_str(if index == 0 { "" } else { "," });
                    value.write(json);
                }
                json.push(']');
            }
            Self::Table(members) => {
                json.push('{');
                for (index, (name, value)) in members.iter().enumerate() {
                    json.push_str(if index == 0 { "" } else { "," });
                    write_text(json, name);
                    json.push(':');
                    value.write(json);
                }
                json.push('}');
            }
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<bool> for Value {
    fn from(boolean: bool) -> Self {
        Self::Boolean(boolean)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(number.to_string())
    }
}

impl From<i32> for Value {
    fn from(number: i32) -> Self {
        Self::Number(number.to_string())
    }
}

/// The text in quotes. Control characters are escaped, all others stand for themselves.
fn write_text(json: &mut String, text: &str) {
    json.push('"');
    for c in text.chars() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            '\0'..='\x1f' | '\x7f' => {
                json.push_str("\\u00");
                let digit = |four: u32| char::from_digit(four, 16).unwrap_or('0');
                json.extend([digit(u32::from(c) >> 4), digit(u32::from(c) & 15)]);
            }
            _ => json.push(c),
        }
    }
    json.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_as_it_was() {
        let every: String = (0..0x250).chain([0xfffd, 0x1_f600]).filter_map(char::from_u32).collect();
        let value = Value::Table(vec![
            (every.clone(), Value::List(vec![Value::Null, true.into(), u64::MAX.into(), i32::MIN.into()])),
            (String::new(), Value::Text(every)),
            ("none".into(), Value::Table(vec![])),
        ]);
        let json = value.to_json();
        assert!(!json.contains(char::is_control) || !json.contains(['\n', '\r', '\0']), "one line");
        assert_eq!(Value::parse(&json), Some(value));
    }

    #[test]
    fn a_value_of_another_kind_is_none() {
        let value = Value::from("1");
        assert_eq!((value.number::<u64>(), value.boolean(), value.list()), (None, None, None));
        assert_eq!(Value::from(256_u64).number::<u8>(), None, "a number that does not fit");
        assert_eq!(value.member("a"), None);
    }
}
