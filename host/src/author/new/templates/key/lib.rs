//! Identifies runs of a generator that is called as `GENERATOR INPUT OUTPUT`, where lines `include FILE` of the input name
//! further files, whose lines may name others in turn.
//!
//! Nobody has to declare these files on the command line, since the plugin finds them as the generator does. Make of it
//! what your command needs; the comments say what each part is for.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;

use reviver_sdk::{
    Configuration, Derivation, Ingredient, KeyPlugin, Operation, Refusal, Write, configuration,
    read,
};

/// The plugin. It keeps nothing from one call to the next, so there is nothing in it.
#[derive(Debug)]
pub struct Includes;

impl KeyPlugin for Includes {
    fn derive(operation: &Operation) -> Result<Derivation, Refusal> {
        // What is not understood is refused: the command then runs as if the plugin was not there. To guess would be to
        // revive a wrong result one day.
        let [input, output] = operation.arguments() else {
            return Err(Refusal::not_cacheable(
                "only `GENERATOR INPUT OUTPUT` is understood",
            ));
        };
        if input.starts_with('-') || output.starts_with('-') {
            return Err(Refusal::not_cacheable("options are not understood"));
        }
        let configuration = configuration()?;
        let files = files(operation, input, keyword(&configuration)?)?;

        let derivation = Derivation::new(format!("generate {input}"))
            // Ingredients are what the outputs depend on. The host hashes them: the plugin only names them. Labels are
            // part of the key, and the places of files are not.
            .ingredient(Ingredient::program("generator", operation.program()))
            // A generator may well write the names that it was given into its output.
            .ingredient(Ingredient::text("directory", &*operation.directory))
            .ingredient(Ingredient::text("input", input))
            .ingredient(Ingredient::text("output", output))
            .ingredients(
                files
                    .iter()
                    .map(|(place, path)| Ingredient::file(place, path)),
            )
            // A script calls other programs, which are found and which sort as these say.
            .ingredient(Ingredient::variable("path", "PATH"))
            .ingredient(Ingredient::variable("locale", "LC_ALL"))
            .ingredient(Ingredient::variable("language", "LANG"))
            .ingredient(Ingredient::umask("umask"))
            // What is put back when the operation is revived.
            .write(Write::file("output", output))
            // Without this, what the command gets on its standard input is an ingredient too.
            .input_unused();
        Ok(declared(operation, output, derivation))
    }
}

// The settings are what `reviver plugin inspect` shows of the component.
reviver_sdk::export!(key: Includes, settings: {
    include: text = "the word that a line begins with that includes a file",
});

/// The same derivation with what the caller declared besides: with `--in`, `--out` and `--env`, or in a rule.
fn declared(operation: &Operation, output: &str, mut derivation: Derivation) -> Derivation {
    let place = |path: &str| {
        operation
            .under_root(path)
            .unwrap_or_else(|| path.to_owned())
    };
    for path in &operation.reads {
        let label = format!("declared {}", place(path));
        // A slash at its end says that it is a directory.
        derivation = derivation.ingredient(match path.ends_with('/') {
            true => Ingredient::tree(label, path),
            false => Ingredient::file(label, path),
        });
    }
    for name in &operation.variables {
        derivation = derivation.ingredient(Ingredient::variable(format!("variable {name}"), name));
    }
    let further = operation.writes.iter().filter(|path| *path != output);
    for (number, path) in further.enumerate() {
        // The label of a write has no slash and its path is not part of the key, so that is said by an ingredient.
        let label = format!("declared {number}");
        derivation = derivation
            .ingredient(Ingredient::text(&label, place(path)))
            .write(Write::either(label, path));
    }
    derivation
}

/// The word that a line begins with that includes a file: the setting `include` of `[plugin.NAME.config]`.
fn keyword(configuration: &Configuration) -> Result<&str, Refusal> {
    // A mistyped setting is told instead of being ignored.
    configuration.only(&["include"])?;
    match configuration.text("include")?.unwrap_or("include") {
        "" => Err(Refusal::malformed("setting `include` is empty")),
        keyword => Ok(keyword),
    }
}

/// The input and all files that it includes: their paths, by their places in the repository.
fn files(
    operation: &Operation,
    input: &str,
    keyword: &str,
) -> Result<BTreeMap<String, String>, Refusal> {
    let mut found = BTreeMap::new();
    let mut open = vec![operation.absolute(input)];
    while let Some(path) = open.pop() {
        let Some(place) = operation.under_root(&path) else {
            return Err(Refusal::not_cacheable(format!(
                "{path} lies outside of the repository"
            )));
        };
        // Each file once, or two that include each other would be read for ever.
        if found.insert(place, path.clone()).is_some() {
            continue;
        }
        // Needs the capability `read`. What is looked at becomes a condition of the answer: once the file changes, the
        // plugin is asked again, and not before.
        let content = read(&path).map_err(|failure| failure.refusal(&path))?;
        let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
        for name in included(&content, keyword) {
            let Ok(name) = str::from_utf8(name) else {
                return Err(Refusal::not_cacheable(format!(
                    "{path} includes a name that is not UTF-8"
                )));
            };
            open.push(if name.starts_with('/') {
                operation.absolute(name)
            } else {
                operation.absolute(&format!("{directory}/{name}"))
            });
        }
    }
    Ok(found)
}

/// The names that lines of `content` include, indented or not, as a shell reads them.
fn included<'a>(content: &'a [u8], keyword: &str) -> impl Iterator<Item = &'a [u8]> {
    content
        .split(|byte| *byte == b'\n')
        .filter_map(move |line| {
            let rest = line.trim_ascii_start().strip_prefix(keyword.as_bytes())?;
            let name = rest.trim_ascii();
            (rest.first()?.is_ascii_whitespace() && !name.is_empty()).then_some(name)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use reviver_sdk::Source;
    use reviver_sdk::testing::{Look, TestHost};

    fn operation() -> Operation {
        Operation::new(["./generate", "in/a.txt", "out.txt"])
    }

    // One test for each law of the role.
    reviver_sdk::conformance!(
        key: Includes,
        [operation(), operation().reads(["b", "c"]).writes(["d", "e"]).variables(["F", "G"])],
        host: host(&[("in/a.txt", "include b.txt"), ("in/b.txt", "")])
    );

    /// A host that has these files below the root `/repository`.
    fn host(files: &[(&str, &str)]) -> TestHost {
        files.iter().fold(TestHost::new(), |host, (name, content)| {
            host.file(format!("/repository/{name}"), *content)
        })
    }

    /// What the plugin answers, natively or as a component: `reviver plugin test` asks both.
    fn derive(host: &TestHost) -> Derivation {
        host.derive::<Includes>(&operation()).expect("a derivation")
    }

    fn refusal(host: &TestHost, operation: &Operation) -> String {
        let refused = host.derive::<Includes>(operation);
        refused.expect_err("a refusal").reason().to_owned()
    }

    /// The labels of the ingredients that are files.
    fn labels(derivation: &Derivation) -> Vec<&str> {
        let files = derivation
            .ingredients
            .iter()
            .filter(|one| matches!(one.source, Source::File(_)));
        files.map(|file| &*file.label).collect()
    }

    #[test]
    fn all_included_files_are_ingredients() {
        let host = host(&[
            ("in/a.txt", "one\n  include b.txt\n\tinclude ../c.txt\n"),
            ("in/b.txt", "included b.txt\nincludes\ninclude \n"),
            ("c.txt", "include in/b.txt"),
        ]);
        assert_eq!(labels(&derive(&host)), ["c.txt", "in/a.txt", "in/b.txt"]);
    }

    #[test]
    fn files_that_include_each_other_end() {
        let host = host(&[
            ("in/a.txt", "include ../in/../in/b.txt"),
            ("in/b.txt", "include a.txt"),
        ]);
        assert_eq!(labels(&derive(&host)), ["in/a.txt", "in/b.txt"]);
    }

    #[test]
    fn what_the_caller_declares_counts_too() {
        let operation = operation()
            .reads(["style.txt", "templates/"])
            .writes(["log.txt", "out.txt"])
            .variables(["MODE"]);
        let host = host(&[("in/a.txt", "")]);
        let derivation = host.derive::<Includes>(&operation).expect("a derivation");
        for ingredient in [
            Ingredient::file("declared style.txt", "style.txt"),
            Ingredient::tree("declared templates", "templates/"),
            Ingredient::variable("variable MODE", "MODE"),
            Ingredient::text("declared 0", "log.txt"),
        ] {
            assert!(
                derivation.ingredients.contains(&ingredient),
                "{ingredient:?}"
            );
        }
        let writes = [
            Write::file("output", "out.txt"),
            Write::either("declared 0", "log.txt"),
        ];
        assert_eq!(derivation.writes, writes);
    }

    #[test]
    fn the_keyword_is_configured() {
        let host = host(&[("in/a.txt", "#use b.txt\ninclude no.txt"), ("in/b.txt", "")]);
        let configured = host.configuration(r##"{"include": "#use"}"##);
        assert_eq!(labels(&derive(&configured)), ["in/a.txt", "in/b.txt"]);
        let wrong = configured.configuration(r#"{"includes": "x"}"#);
        assert!(refusal(&wrong, &operation()).contains("unknown setting `includes`"));
    }

    #[test]
    fn without_a_file_or_the_right_to_read_it_there_is_no_key() {
        let missing = host(&[("in/a.txt", "include b.txt")]);
        assert_eq!(
            refusal(&missing, &operation()),
            "/repository/in/b.txt is absent"
        );
        assert_eq!(
            missing.looks().last(),
            Some(&Look::Read("/repository/in/b.txt".into()))
        );
        assert!(refusal(&missing.without("read"), &operation()).contains("may not be looked at"));
        let outside = host(&[("in/a.txt", "include /etc/passwd")]);
        assert!(refusal(&outside, &operation()).contains("outside of the repository"));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for arguments in [
            &["generate"][..],
            &["generate", "-v", "out"],
            &["generate", "a", "b", "c"],
        ] {
            let operation = Operation::new(arguments.iter().copied());
            assert!(refusal(&TestHost::new(), &operation).contains("understood"));
        }
    }
}
