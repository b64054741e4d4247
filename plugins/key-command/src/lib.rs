//! Identifies any command by what its user declares.
//!
//! | ingredient | value |
//! |---|---|
//! | `argument 0`, `argument 1`, … | the arguments as they are, the program's among them |
//! | `program` | what runs, with its interpreters and libraries |
//! | `directory` | the working directory relative to the root |
//! | `root` | the root, unless `relocatable` |
//! | `read PATH` | each declared file or tree |
//! | `write 0`, `write 1`, … | where each declared write goes |
//! | `variable NAME` | each declared variable, and always those that most programs heed |
//! | `umask` | the file mode creation mask |
//!
//! What a command reads without anybody having declared it is not part of the key. A command for which nothing at all
//! is declared is therefore refused: its user said nothing about what it depends on.
//!
//! With `relocatable = true` in its configuration the root is no ingredient, and paths under the root are taken relative
//! to it, so that two checkouts share their entries. That is right for commands whose effect holds no absolute paths.
#![forbid(unsafe_code)]

use reviver_sdk::{Derivation, Ingredient, KeyPlugin, Operation, Refusal, Write, configuration};

/// Variables that are always ingredients: where programs are found, what language they speak and which time they tell.
const ALWAYS: [&str; 12] = [
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_COLLATE",
    "LC_CTYPE",
    "LC_MESSAGES",
    "LC_MONETARY",
    "LC_NUMERIC",
    "LC_TIME",
    "PATH",
    "SOURCE_DATE_EPOCH",
    "TZ",
];

/// The number of characters of a label behind the program's name.
const LABEL: usize = 60;

/// Any command.
#[derive(Debug)]
pub struct Command;

impl KeyPlugin for Command {
    fn derive(operation: &Operation) -> Result<Derivation, Refusal> {
        let configuration = configuration()?;
        configuration.only(&["relocatable"])?;
        let relocatable = configuration.boolean("relocatable")?.unwrap_or(false);
        if operation.argv.is_empty() {
            return Err(Refusal::malformed("there is no command"));
        }
        if operation.reads.is_empty() && operation.writes.is_empty() && operation.variables.is_empty() {
            return Err(Refusal::not_cacheable("nothing is declared: say --in, --out or --env"));
        }

        let place = |path: &str| if relocatable { operation.relocated(path) } else { path.to_owned() };
        let arguments = operation
            .argv
            .iter()
            .enumerate()
            .map(|(index, argument)| Ingredient::text(numbered("argument", index), argument));
        let reads = operation.reads.iter().map(|path| {
            let label = ["read ", &place(path)].concat();
            if path.ends_with('/') { Ingredient::tree(label, path) } else { Ingredient::file(label, path) }
        });
        // The path of a write is not in the key by itself, and the same command may be declared to write elsewhere.
        let places = operation
            .writes
            .iter()
            .enumerate()
            .map(|(index, path)| Ingredient::text(numbered("write", index), place(path)));
        let declared = operation.variables.iter().map(String::as_str).filter(|name| !ALWAYS.contains(name));
        let variables = ALWAYS
            .into_iter()
            .chain(declared)
            .map(|name| Ingredient::variable(["variable ", name].concat(), name));
        let writes = operation.writes.iter().enumerate().map(|(index, path)| {
            let label = numbered("write", index);
            if path.ends_with('/') { Write::directory(label, path) } else { Write::either(label, path) }
        });

        Ok(Derivation::new(label(operation))
            .ingredients(arguments)
            .ingredient(Ingredient::program("program", operation.program()))
            .ingredient(Ingredient::text("directory", &operation.directory))
            .ingredients((!relocatable).then(|| Ingredient::text("root", &operation.root)))
            .ingredients(reads)
            .ingredients(places)
            .ingredients(variables)
            .ingredient(Ingredient::umask("umask"))
            .writes(writes))
    }
}

reviver_sdk::export!(key: Command, settings: {
    relocatable: boolean = "take paths relative to the root, so that checkouts at other places share entries",
});

fn numbered(what: &str, index: usize) -> String {
    [what, " ", &index.to_string()].concat()
}

/// The program with its first write, which tells the runs of one program apart best; else with its arguments, on one
/// line and cut where they grow long.
fn label(operation: &Operation) -> String {
    let told = operation.writes.first().cloned().unwrap_or_else(|| operation.arguments().join(" "));
    let mut label = operation.program_name().to_owned();
    if !told.is_empty() {
        label.push(' ');
        label.extend(told.chars().take(LABEL).map(|c| if c.is_control() { ' ' } else { c }));
    }
    if told.chars().nth(LABEL).is_some() {
        label.push('…');
    }
    label
}

#[cfg(test)]
mod tests;
