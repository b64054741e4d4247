//! A reader of JSON, small enough for guests, which carry all that they use: 64 levels deep at most, numbers as they are
//! written.

use crate::Value;

/// The value that `text` stands for; `None` where it is no JSON.
pub(crate) fn parse(text: &str) -> Option<Value> {
    let mut reader = Reader { rest: text };
    let value = reader.value(64)?;
    reader.skip();
    reader.rest.is_empty().then_some(value)
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn skip(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n']);
    }

    /// Whether `token` comes next behind blanks; it is then passed.
    fn pass(&mut self, token: &str) -> bool {
        self.skip();
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn value(&mut self, levels: u32) -> Option<Value> {
        let levels = levels.checked_sub(1)?;
        if self.pass("{") {
            let mut settings = Vec::new();
            while !self.pass("}") {
                if !settings.is_empty() && !self.pass(",") {
                    return None;
                }
                if !self.pass("\"") {
                    return None;
                }
                let name = self.text()?;
                if !self.pass(":") {
                    return None;
                }
                settings.push((name, self.value(levels)?));
            }
            Some(Value::Table(settings))
        } else if self.pass("[") {
            let mut values = Vec::new();
            while !self.pass("]") {
                if !values.is_empty() && !self.pass(",") {
                    return None;
                }
                values.push(self.value(levels)?);
            }
            Some(Value::List(values))
        } else if self.pass("\"") {
            self.text().map(Value::Text)
        } else if self.pass("true") {
            Some(Value::Boolean(true))
        } else if self.pass("false") {
            Some(Value::Boolean(false))
        } else if self.pass("null") {
            Some(Value::Null)
        } else {
            self.number()
        }
    }

    fn number(&mut self) -> Option<Value> {
        let unsigned = self.rest.strip_prefix('-').unwrap_or(self.rest);
        let mut rest = unsigned.strip_prefix('0').or_else(|| digits(unsigned))?;
        if let Some(fraction) = rest.strip_prefix('.') {
            rest = digits(fraction)?;
        }
        if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
            rest = digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))?;
        }
        let number = self.rest.strip_suffix(rest)?.to_owned();
        self.rest = rest;
        Some(Value::Number(number))
    }

    /// The rest of a text whose opening quote is passed.
    fn text(&mut self) -> Option<String> {
        let mut text = String::new();
        loop {
            let end = self.rest.find(['"', '\\'])?;
            let plain = self.rest.get(..end)?;
            if plain.contains(|c: char| c < ' ') {
                return None;
            }
            text.push_str(plain);
            self.rest = self.rest.get(end..)?;
            if let Some(rest) = self.rest.strip_prefix('"') {
                self.rest = rest;
                return Some(text);
            }
            let escape = self.rest.chars().nth(1)?;
            self.rest = self.rest.get(1 + escape.len_utf8()..)?;
            text.push(match escape {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                'b' => '\u{8}',
                'f' => '\u{c}',
                '"' | '\\' | '/' => escape,
                'u' => self.escaped()?,
                _ => return None,
            });
        }
    }

    /// The character whose four digits come next, and those of its other half.
    fn escaped(&mut self) -> Option<char> {
        let high = self.unit()?;
        if !(0xd800..0xdc00).contains(&high) {
            return char::from_u32(high);
        }
        self.rest = self.rest.strip_prefix("\\u")?;
        let low = self.unit()?.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
        char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + low)
    }

    fn unit(&mut self) -> Option<u32> {
        let digits = self.rest.get(..4)?;
        self.rest = self.rest.get(4..)?;
        digits.chars().try_fold(0, |unit, digit| Some(unit * 16 + digit.to_digit(16)?))
    }
}

/// What comes behind the digits that `text` begins with, at least one.
fn digits(text: &str) -> Option<&str> {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    (rest.len() < text.len()).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_every_kind_are_read() {
        let text = r#" {"a": [1, -2.5e3, true, false, null], "b\n\u00e9\ud83d\ude00": {"c": "\"\\\/"}} "#;
        let number = |number: &str| Value::Number(number.to_owned());
        let (yes, no) = (Value::Boolean(true), Value::Boolean(false));
        assert_eq!(
            parse(text),
            Some(Value::Table(vec![
                ("a".into(), Value::List(vec![number("1"), number("-2.5e3"), yes, no, Value::Null])),
                ("b\né😀".into(), Value::Table(vec![("c".into(), Value::Text("\"\\/".into()))])),
            ]))
        );
        assert_eq!(parse("{}"), Some(Value::Table(vec![])));
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for wrong in ["", "{", "{]", "[1 2]", "{\"a\"}", "\"a", "tru", "1 2", r#""\x""#, r#""\ud83d""#, "[,]"]
        {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
        assert_eq!(parse(&"[".repeat(100_000)), None);
        for wrong in
            ["+1", "01", "1.", ".5", "1e", "1e+", "-", "--1", "1-2", "0x1", "\"\n\"", "\"\0\"", "NaN"]
        {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
        for right in ["0", "-0", "10", "0.50", "1E+20", "1e-2", "\"\u{7f}\""] {
            assert!(parse(right).is_some(), "{right}");
        }
    }
}
