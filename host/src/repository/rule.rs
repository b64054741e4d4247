//! Rules: which key plugin names which commands, and what such commands read and write besides what the caller declares.

use crate::reviver::input::InputRule;
use glob::{MatchOptions, Pattern};
use std::path::Path;

/// A rule of a repository.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rule {
    /// Which programs it is for: a glob over the base name, or over the whole word where it holds a `/`.
    pub command: Pattern,
    /// Globs that must each match an argument.
    pub arguments: Vec<Pattern>,
    /// The name of the key plugin.
    pub plugin: String,
    /// What such commands read, as `--in` takes it, from the root.
    pub reads: Vec<String>,
    /// What they write, as `--out` takes it, from the root.
    pub writes: Vec<String>,
    /// The variables that matter to them.
    pub variables: Vec<String>,
    /// What their standard input is, unless the caller says.
    pub input: InputRule,
}

const LITERAL: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: false,
    require_literal_leading_dot: false,
};

impl Rule {
    /// Whether the rule is for this command.
    #[must_use]
    pub fn matches(&self, argv: &[String]) -> bool {
        let Some(program) = argv.first() else { return false };
        let whole = self.command.as_str().contains('/');
        let name = if whole { program } else { base_name(program) };
        let has =
            |pattern: &Pattern| argv[1..].iter().any(|argument| pattern.matches_with(argument, LITERAL));
        self.command.matches_with(name, LITERAL) && self.arguments.iter().all(has)
    }
}

/// The key plugin for a command that no rule is for: compilers by their names, all else by what is declared.
#[must_use]
pub fn usual_plugin(program: &str) -> &'static str {
    match base_name(program) {
        "rustc" => "key-rustc",
        name if is_c_compiler(name) => "key-cc",
        _ => "key-command",
    }
}

/// Whether a program is known for a compiler by its name.
#[must_use]
pub fn is_compiler(program: &str) -> bool {
    usual_plugin(program) != "key-command"
}

fn base_name(program: &str) -> &str {
    Path::new(program).file_name().and_then(|name| name.to_str()).unwrap_or(program)
}

/// `gcc cc clang g++ c++ clang++`, with a version behind (`gcc-12`, `clang-14.0`) and a target before (`arm-none-eabi-gcc`).
fn is_c_compiler(name: &str) -> bool {
    let versioned = |rest: &str| {
        rest.is_empty()
            || rest.strip_prefix('-').is_some_and(|version| {
                version.starts_with(|c: char| c.is_ascii_digit())
                    && version.chars().all(|c| c.is_ascii_digit() || c == '.')
            })
    };
    ["clang++", "clang", "gcc", "g++", "c++", "cc"].iter().any(|compiler| {
        name.match_indices(compiler).any(|(at, _)| {
            let (before, rest) = (&name[..at], &name[at + compiler.len()..]);
            versioned(rest) && (before.is_empty() || before.ends_with('-'))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compilers_are_known_by_their_names() {
        for name in
            ["gcc", "/usr/bin/cc", "g++-12", "clang-14.0", "clang++", "x86_64-linux-gnu-gcc-12", "c++"]
        {
            assert_eq!(usual_plugin(name), "key-cc", "{name}");
        }
        for name in ["rustc", "/toolchains/stable/bin/rustc"] {
            assert_eq!(usual_plugin(name), "key-rustc", "{name}");
        }
        for name in [
            "tar",
            "gcc-ar",
            "gcc-nm-12",
            "ccache",
            "cargo",
            "clang-format",
            "clang-tidy-14",
            "mycc",
            "g++-",
            "rustdoc",
            "myrustc",
        ] {
            assert_eq!(usual_plugin(name), "key-command", "{name}");
        }
    }

    #[test]
    fn a_rule_is_for_programs_and_arguments() {
        let rule = Rule {
            command: Pattern::new("gen*").unwrap(),
            arguments: vec![Pattern::new("--mode=*").unwrap()],
            plugin: "p".into(),
            reads: vec![],
            writes: vec![],
            variables: vec![],
            input: InputRule::Auto,
        };
        let matches =
            |argv: &[&str]| rule.matches(&argv.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        assert!(matches(&["./tools/generate.sh", "a", "--mode=fast"]));
        assert!(!matches(&["./tools/generate.sh", "a"]));
        assert!(!matches(&["regenerate", "--mode=fast"]));
        let rule = Rule { command: Pattern::new("./tools/*").unwrap(), arguments: vec![], ..rule };
        assert!(rule.matches(&["./tools/x".to_owned()]));
        assert!(!rule.matches(&["x".to_owned()]));
    }
}
