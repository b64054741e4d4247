//! What a plugin says of its settings: a section of the component that people read before they write a configuration.
//!
//! The section is called `reviver:settings` and holds one line for each setting, `NAME TAB KIND TAB ABOUT LF`. It tells
//! nothing to the host and changes no answer; `reviver plugin inspect` shows it.

/// The bytes of `text`, which must be `N` of them, and is what the section holds.
///
/// Evaluated when a plugin is compiled: a line that could not be read back does not compile.
#[doc(hidden)]
#[must_use]
pub const fn section<const N: usize>(text: &str) -> [u8; N] {
    let text = text.as_bytes();
    let mut bytes = [0; N];
    let (mut at, mut tabs) = (0, 0);
    while at < N {
        bytes[at] = text[at];
        match text[at] {
            b'\t' => tabs += 1,
            b'\n' => {
                assert!(tabs == 2, "what a setting is about is one line without tabs");
                tabs = 0;
            }
            _ => {}
        }
        at += 1;
    }
    bytes
}

/// The line of one setting.
#[doc(hidden)]
#[macro_export]
macro_rules! setting {
    (@kind text) => { "text" };
    (@kind boolean) => { "boolean" };
    (@kind integer) => { "integer" };
    (@kind texts) => { "texts" };
    (@kind $other:ident) => {
        compile_error!("a setting is of the kind `text`, `boolean`, `integer` or `texts`")
    };
    (@name $name:ident) => { stringify!($name) };
    (@name $name:literal) => { $name };
    ($name:tt $kind:ident $about:literal) => {
        concat!($crate::setting!(@name $name), "\t", $crate::setting!(@kind $kind), "\t", $about, "\n")
    };
}

#[cfg(test)]
mod tests {
    const SETTINGS: &str = concat!(
        crate::setting!(comment text "what starts a comment"),
        crate::setting!("max-depth" integer "é")
    );

    #[test]
    fn a_setting_is_a_line() {
        let section = super::section::<{ SETTINGS.len() }>(SETTINGS);
        let lines = "comment\ttext\twhat starts a comment\nmax-depth\tinteger\té\n";
        assert_eq!(section, lines.as_bytes());
    }

    #[test]
    #[should_panic(expected = "one line without tabs")]
    fn what_could_not_be_read_back_does_not_compile() {
        let _section = super::section::<11>("a\ttext\tb\nc\n");
    }
}
