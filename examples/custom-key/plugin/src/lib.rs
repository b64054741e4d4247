//! Identifies runs of `generate.sh` by the words of `words.txt`: comments and blank lines make no new key.
//!
//! The file itself is no ingredient. What the plugin reads of it is a *condition* of its answer: once the file changes,
//! the plugin is asked again, and where it answers the same as before, the outputs are revived.
#![forbid(unsafe_code)]

use reviver_sdk::{
    Configuration, Derivation, Ingredient, KeyPlugin, Operation, Refusal, Write, configuration, read,
};

/// Where the words are, relative to the working directory.
const WORDS: &str = "words.txt";

/// Runs of `generate.sh`.
#[derive(Debug)]
pub struct Words;

impl KeyPlugin for Words {
    fn derive(operation: &Operation) -> Result<Derivation, Refusal> {
        if !operation.arguments().is_empty() {
            return Err(Refusal::not_cacheable("generate.sh takes no arguments that this plugin knows"));
        }
        let configuration = configuration()?;
        let content = read(WORDS).map_err(|failure| failure.refusal(WORDS))?;
        Ok(Derivation::new("words")
            .ingredient(Ingredient::program("generator", operation.program()))
            .ingredient(Ingredient::bytes("words", words(&content, comment(&configuration)?)))
            // The generator calls other programs, which sort and compare as the locale says.
            .ingredient(Ingredient::variable("path", "PATH"))
            .ingredient(Ingredient::variable("locale", "LC_ALL"))
            .ingredient(Ingredient::variable("language", "LANG"))
            .ingredient(Ingredient::umask("umask"))
            .write(Write::file("header", "words.h"))
            .write(Write::file("source", "words.c"))
            .input_unused())
    }
}

reviver_sdk::export!(key: Words, settings: {
    comment: text = "what a comment line starts with; `#` unless it is set",
});

/// What a comment line starts with.
fn comment(configuration: &Configuration) -> Result<&str, Refusal> {
    configuration.only(&["comment"])?;
    match configuration.text("comment")?.unwrap_or("#") {
        "" => Err(Refusal::malformed("setting `comment` is empty: every line would be a comment")),
        comment => Ok(comment),
    }
}

/// The lines of `content` that are neither comments nor blank.
fn words(content: &[u8], comment: &str) -> Vec<u8> {
    let matters = |line: &&[u8]| !line.starts_with(comment.as_bytes()) && !line.trim_ascii().is_empty();
    content.split(|byte| *byte == b'\n').filter(matters).collect::<Vec<_>>().join(&b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;
    use reviver_sdk::testing::{Look, TestHost};

    reviver_sdk::conformance!(
        key: Words,
        [Operation::new(["./generate.sh"]), Operation::new(["../generate.sh"]).directory("below")],
        host: TestHost::new().file(WORDS, "# one\nbegin\n\nend\n")
    );

    fn derive(content: &str) -> Derivation {
        let host = TestHost::new().file(WORDS, content);
        host.derive::<Words>(&Operation::new(["./generate.sh"])).expect("a derivation")
    }

    fn refusal(host: &TestHost) -> Refusal {
        host.derive::<Words>(&Operation::new(["./generate.sh"])).expect_err("a refusal")
    }

    #[test]
    fn comments_and_blank_lines_make_no_new_key() {
        let derivation = derive("# one\nbegin\n\nend\n");
        assert_eq!(derivation, derive("begin\n# another\n   \nend"));
        assert_ne!(derivation, derive("end\nbegin\n"));
        assert_ne!(derivation, derive("begin end\n"));
        assert_eq!(derivation.ingredients[1], Ingredient::bytes("words", b"begin\nend"));
    }

    #[test]
    fn the_comment_is_configured() {
        let host = TestHost::new().file(WORDS, "; no\n# yes").configuration(r#"{"comment": ";"}"#);
        let derivation = host.derive::<Words>(&Operation::new(["./generate.sh"])).expect("a derivation");
        assert_eq!(derivation.ingredients[1], Ingredient::bytes("words", b"# yes"));
        assert!(refusal(&host.configuration(r#"{"comment": ""}"#)).reason().contains("is empty"));
    }

    #[test]
    fn only_the_words_are_looked_at_and_without_them_there_is_no_key() {
        let host = TestHost::new();
        assert_eq!(refusal(&host), Refusal::not_cacheable("words.txt is absent"));
        assert_eq!(host.looks(), [Look::Read(WORDS.into())]);
        let denied = refusal(&host.file(WORDS, "a").without("read"));
        assert!(denied.reason().starts_with("words.txt may not be looked at"));
        let arguments = TestHost::new().derive::<Words>(&Operation::new(["generate.sh", "-v"]));
        assert!(matches!(arguments, Err(Refusal::NotCacheable(_))));
    }
}
