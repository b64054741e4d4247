//! Response files: arguments that stand in a file, `@FILE`.
//!
//! This is how gcc and clang read them, and most that came after: words are parted by white space; a backslash takes the
//! next character as it is, in quotes of either sort too; quotes of one sort hold those of the other. A file that a
//! response file names is read from the working directory. What is expanded should enter the key, not the file: that one's
//! content, which was read, is a condition of the answer.
//!
//! ```
//! use reviver_sdk::{Refusal, read, response, testing::TestHost};
//!
//! let host = TestHost::new().file("flags", b"-O2 '-DNAME=\"two words\"'");
//! let arguments = ["@flags", "a.c"].map(str::to_owned);
//! let expanded = host.run(|| {
//!     response::expand(&arguments, &mut |path| read(path).map_err(|failure| failure.refusal(path).into_reason()))
//! })?;
//! assert_eq!(expanded, ["-O2", "-DNAME=\"two words\"", "a.c"]);
//! # Ok::<(), String>(())
//! ```

/// How deep response files may name response files.
const DEPTH: usize = 8;
/// How many arguments there may be. More than a system takes in one call could not be run once they are expanded.
const ARGUMENTS: usize = 20_000;
/// How many bytes the arguments may have together, for the same reason.
const BYTES: usize = 1 << 20;

/// The arguments with every response file expanded, where `read` has the content of a file or the words in which it
/// cannot be had.
pub fn expand(
    arguments: &[String],
    read: &mut dyn FnMut(&str) -> Result<Vec<u8>, String>,
) -> Result<Vec<String>, String> {
    let mut expanded = Vec::with_capacity(arguments.len());
    expand_into(&mut expanded, arguments, 0, read)?;
    Ok(expanded)
}

fn expand_into(
    expanded: &mut Vec<String>,
    arguments: &[String],
    depth: usize,
    read: &mut dyn FnMut(&str) -> Result<Vec<u8>, String>,
) -> Result<(), String> {
    for argument in arguments {
        let Some(path) = argument.strip_prefix('@') else {
            expanded.push(argument.clone());
            continue;
        };
        if depth == DEPTH {
            return Err(["`@", path, "` is nested too deep"].concat());
        }
        let content = String::from_utf8(read(path)?).map_err(|_| ["`@", path, "` is not UTF-8"].concat())?;
        let words = split(&content).map_err(|why| ["`@", path, "` ", &why].concat())?;
        expand_into(expanded, &words, depth + 1, read)?;
    }
    let bytes: usize = expanded.iter().map(|argument| argument.len() + 1).sum();
    if depth > 0 && (expanded.len() > ARGUMENTS || bytes > BYTES) {
        return Err("the response files hold more arguments than can be handed over".to_owned());
    }
    Ok(())
}

/// The words of a response file, or why the compilers do not agree on them.
pub fn split(content: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut characters = content.chars();
    while let Some(c) = characters.next() {
        match (c, quote) {
            ('\\', _) => {
                let next = characters.next().ok_or("ends with a backslash")?;
                word.get_or_insert_default().push(next);
            }
            (_, Some(open)) if c == open => quote = None,
            ('\'' | '"', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c', None) => words.extend(word.take()),
            _ => word.get_or_insert_default().push(c),
        }
    }
    if quote.is_some() {
        return Err("has an open quote".to_owned());
    }
    words.extend(word);
    // An empty word is an argument to gcc and nothing to some versions of clang.
    if words.iter().any(String::is_empty) { Err("holds an empty argument".to_owned()) } else { Ok(words) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_gcc_does() {
        let table: [(&str, &[&str]); 9] = [
            ("", &[]),
            (" \n\t", &[]),
            ("-c a.c\n-O2", &["-c", "a.c", "-O2"]),
            (r#"-DA="b c""#, &["-DA=b c"]),
            (r#"'-DA="x"'"#, &[r#"-DA="x""#]),
            (r#"-DA=\"x\ y\""#, &[r#"-DA="x y""#]),
            (r"'a\'b'", &["a'b"]),
            (r#""a'b"c"#, &["a'bc"]),
            ("a\\\nb", &["a\nb"]),
        ];
        for (content, words) in table {
            assert_eq!(split(content).expect(content), words, "{content}");
        }
        for content in ["'a", "\"a", "a\\", "a '' b"] {
            assert!(split(content).is_err(), "{content}");
        }
    }

    #[test]
    fn response_files_nest_up_to_a_depth() {
        let mut read = |path: &str| match path {
            "one" => Ok(b"-c @two".to_vec()),
            "two" => Ok(b"a.c".to_vec()),
            "self" => Ok(b"@self".to_vec()),
            _ => Err(format!("`@{path}` cannot be read")),
        };
        let arguments = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            expand(&arguments(&["-g", "@one", "-w"]), &mut read),
            Ok(arguments(&["-g", "-c", "a.c", "-w"]))
        );
        assert!(expand(&arguments(&["@self"]), &mut read).is_err());
        assert!(expand(&arguments(&["@none"]), &mut read).is_err());
    }
}
