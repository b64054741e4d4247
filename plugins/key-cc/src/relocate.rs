//! What of its place a compilation puts into its object, and how it is kept from that where its repository wants so.
//!
//! Repositories that share entries have roots of their own. An object is of one of them alone if its path stands in there:
//!
//! | it gets there by | and so |
//! |---|---|
//! | an argument, a variable, the name of a header | it is spelled in the key, as all of them are |
//! | the working directory in debugging information | it is an ingredient, as the prefix maps leave it |
//! | a prefix map of the root | the key holds the map without the root, unless the map can meet the root anywhere else |
//!
//! A map meets the root in an argument, a variable, a directory of the compiler's own, the name of a header, or in a file: in a
//! `#line`, say. With that path in it another root's object would come out otherwise, for its map leaves that path alone.
//!
//! With `relocatable = true` in the plugin's configuration the compiler is kept from all of it: absolute paths under the root
//! become relative to the working directory before it runs, and a map takes the root out of debugging information. So messages,
//! `__FILE__`, depfiles and debugging information hold relative paths, also where nothing is revived. The root becomes `.`, and
//! a debugger that is started there finds the sources.

use reviver_sdk::argv::Walk;
use reviver_sdk::{Failure, Ingredient, Operation, configuration, scan, variable};

use crate::command::{Command, OTHERS, VALUED};
use crate::driver::Language;

/// Options whose values are paths that the compiler reads, and that it spells in what it writes.
const PATHS: [&str; 6] = ["-I", "-isystem", "-iquote", "-idirafter", "-include", "-imacros"];
/// Options that map prefixes of paths.
const MAPS: [&str; 3] = ["-fdebug-prefix-map=", "-ffile-prefix-map=", "-fmacro-prefix-map="];
/// Variables that name directories of headers.
const SEARCHED: [&str; 3] = ["CPATH", "C_INCLUDE_PATH", "CPLUS_INCLUDE_PATH"];

/// What a compilation embeds of its place.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Embedded {
    /// The maps that come before its own arguments.
    pub(crate) arguments: Vec<String>,
    /// What then identifies it.
    pub(crate) ingredients: Vec<Ingredient>,
    /// The root, where a map takes it out and the key does not hold it.
    taken_out: Option<String>,
}

/// Whether the repository wants its compilations to be independent of its place.
pub(crate) fn is_wanted() -> Result<bool, String> {
    let configuration = configuration().map_err(|error| error.to_string())?;
    configuration.only(&["relocatable"]).map_err(|error| error.to_string())?;
    let relocatable = configuration.boolean("relocatable").map_err(|error| error.to_string())?;
    Ok(relocatable.unwrap_or(false))
}

/// The arguments with their paths under the root relative to the working directory. Where the object and the depfile go stays
/// as it is spelled: the depfile's target is what a makefile calls it.
pub(crate) fn relative(arguments: &[String], operation: &Operation) -> Result<Vec<String>, String> {
    let mut all = Vec::with_capacity(arguments.len());
    let mut walk = Walk::new(arguments);
    while let Some(argument) = walk.next() {
        if !argument.starts_with('-') {
            all.push(relative_path(argument, operation).unwrap_or_else(|| argument.to_owned()));
            continue;
        }
        if argument == "--param" {
            walk.value()?;
        } else if !OTHERS.iter().any(|start| argument.starts_with(start))
            && let Some(option) = walk.valued(&VALUED)?
            && PATHS.contains(&option.name)
            && let Some(path) = relative_path(option.value, operation)
        {
            match option.spelled {
                [_] => all.push([option.name, &path].concat()),
                _ => all.extend([option.name.to_owned(), path]),
            }
            continue;
        }
        all.extend_from_slice(walk.spelled());
    }
    Ok(all)
}

/// An absolute path under the root as it is from the working directory, which has no links in it; `None` for other paths.
fn relative_path(path: &str, operation: &Operation) -> Option<String> {
    let below = below_root(path, &operation.root)?;
    let mut from = operation.directory.split('/').filter(|part| !part.is_empty()).peekable();
    let mut to = below.split('/').filter(|part| !part.is_empty() && *part != ".").peekable();
    while from.peek().is_some() && from.peek() == to.peek() {
        from.next();
        to.next();
    }
    let up: Vec<&str> = from.collect();
    if up.contains(&"..") {
        return None;
    }
    let parts: Vec<&str> = up.iter().map(|_| "..").chain(to).collect();
    Some(match parts.first() {
        None => ".".to_owned(),
        // What looks like an option or a response file is none.
        Some(first) if first.starts_with(['-', '@']) => ["./", &parts.join("/")].concat(),
        Some(_) => parts.join("/"),
    })
}

/// What is behind the root and its slash.
fn below_root<'a>(path: &'a str, root: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(root).filter(|_| root != "/")?;
    if rest.is_empty() { Some("") } else { rest.strip_prefix('/') }
}

impl Embedded {
    /// What a compilation embeds that searches these directories of the compiler's own.
    #[must_use]
    pub(crate) fn by(
        operation: &Operation,
        command: &Command,
        clang: bool,
        wanted: bool,
        searched: &[String],
    ) -> Self {
        let mut embedded = Self::default();
        let root = operation.root.as_str();
        let placed = command.aside.embeds_directory(clang);
        // What an assembler gets of the maps is its driver's affair, and of other sources nobody reports what they read.
        let is_mapped = matches!(command.language, Language::C | Language::Cxx);
        let is_free = is_mapped && !placed && root != "/" && is_free(root, command, searched);
        if placed {
            embedded.ingredients = unmapped(&operation.working_directory());
        } else if command.debug || command.aside.is_debug() {
            let wanted = wanted && is_mapped;
            let own = wanted.then(|| own_map(operation, command)).flatten();
            if let Some((arguments, directory)) = own {
                embedded.arguments = arguments;
                embedded.ingredients.push(Ingredient::text("directory", directory));
            } else {
                embedded.ingredients = directory(operation, command);
            }
        }
        let maps = command.texts.iter().any(|text| map_of(text, root).is_some());
        if maps || !embedded.arguments.is_empty() {
            if is_free && !names(&command.source, root) {
                embedded.taken_out = Some(root.to_owned());
            } else if !embedded.arguments.is_empty() {
                embedded.ingredients.push(Ingredient::text("root", root));
            }
        }
        if searched.iter().any(|directory| below_root(directory, root).is_some()) {
            // The compiler lies in the repository, and names its own headers by where it is.
            embedded.ingredients.push(Ingredient::text("root", root));
        }
        embedded
    }

    /// An argument as it enters the key: a map of the root without the root.
    #[must_use]
    pub(crate) fn text(&self, argument: &str) -> String {
        match self.taken_out.as_deref().and_then(|root| map_of(argument, root)) {
            Some((option, rest)) => [option, "{root}", rest].concat(),
            None => argument.to_owned(),
        }
    }

    /// Why a run must not be recorded that read these files: in one of them a map meets the root, and the key does not hold it.
    #[must_use]
    pub(crate) fn meets(&self, files: &[String]) -> Option<String> {
        let root = self.taken_out.as_deref()?;
        let met = files.iter().find(|file| file.contains(root) || names(file, root))?;
        Some(format!("a prefix map takes the root out of `{met}`"))
    }
}

/// The beginning of a map of the root, and what is behind the root in it.
fn map_of<'a>(argument: &'a str, root: &str) -> Option<(&'static str, &'a str)> {
    MAPS.iter().find_map(|option| {
        let rest = argument.strip_prefix(option)?.strip_prefix(root)?;
        (rest.starts_with(['=', '/'])).then_some((*option, rest))
    })
}

/// Whether nothing but maps of it says the root, or anything that begins like it: a map takes any beginning for the root.
fn is_free(root: &str, command: &Command, searched: &[String]) -> bool {
    let free = |text: &str| !map_of(text, root).map_or(text, |(_, rest)| rest).contains(root);
    command.texts.iter().all(|text| free(text))
        && searched.iter().all(|directory| !directory.contains(root))
        && SEARCHED.iter().all(|name| variable(name).is_none_or(|value| !value.contains(root)))
}

/// Whether a file says the root where the compiler takes it for the name of a file. One that cannot be searched does.
fn names(file: &str, root: &str) -> bool {
    /// The longest text that the host searches for.
    const MOST: usize = 64;
    let mut end = root.len().min(MOST);
    while !root.is_char_boundary(end) {
        end -= 1;
    }
    let names = |line: &[u8]| {
        let line = String::from_utf8_lossy(line);
        let directive = line.trim_start().strip_prefix('#').map(str::trim_start);
        directive.is_some_and(|directive| {
            directive.starts_with("line")
                || directive.starts_with("include")
                || directive.starts_with("import")
                || directive.starts_with(|c: char| c.is_ascii_digit())
        })
    };
    match scan(file, &[root.get(..end).unwrap_or(root)]) {
        Ok(found) => found.iter().any(|one| names(&one.line)),
        // What is not there says nothing.
        Err(Failure::Absent) => false,
        Err(_) => true,
    }
}

/// The working directory as debugging information embeds it under the command's own maps.
fn directory(operation: &Operation, command: &Command) -> Vec<Ingredient> {
    let directory = operation.working_directory();
    // Compilers prefer `$PWD`, which can name the same directory by a link.
    let direct = variable("PWD").is_none_or(|pwd| pwd == directory);
    // The last map is tried first. Which of them an assembler gets, and in which order, is its driver's affair.
    let maps = if command.language.is_assembly() { &[][..] } else { &command.maps[..] };
    let map = maps.iter().rev().find_map(|(old, new)| {
        directory.strip_prefix(old.as_str()).filter(|_| !old.is_empty()).map(|rest| format!("{new}{rest}"))
    });
    match map {
        Some(mapped) if direct => vec![Ingredient::text("directory", mapped)],
        _ => unmapped(&directory),
    }
}

/// The working directory as it is embedded by whichever of its names.
fn unmapped(directory: &str) -> Vec<Ingredient> {
    vec![Ingredient::text("directory", directory), Ingredient::variable("PWD", "PWD")]
}

/// Maps that make `.` of the root, however the working directory is named, and what they make of that; `None` where they
/// cannot, or where the command has a map of its own for it.
fn own_map(operation: &Operation, command: &Command) -> Option<(Vec<String>, String)> {
    let root = operation.root.as_str();
    let directory = operation.working_directory();
    let below = below_root(&directory, root)?;
    let mapped = if below.is_empty() { ".".to_owned() } else { ["./", below].concat() };
    let mut maps = vec![[MAPS[0], root, "=."].concat()];
    let named = variable("PWD").filter(|pwd| *pwd != directory && pwd.starts_with('/'));
    if let Some(pwd) = &named {
        // Compilers take any beginning, and do not agree about which of several maps comes first.
        if root.starts_with(pwd.as_str()) {
            return None;
        }
        maps.push([MAPS[0], pwd, "=", &mapped].concat());
    }
    let is_for = |old: &str| {
        directory.starts_with(old) || named.as_deref().is_some_and(|pwd: &str| pwd.starts_with(old))
    };
    let others = command.maps.iter().any(|(old, _)| is_for(old));
    let splits = root.contains('=') || named.is_some_and(|pwd| pwd.contains('='));
    (!others && !splits).then_some((maps, mapped))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation() -> Operation {
        Operation::new(["gcc"]).root("/w/one").directory("build/sub")
    }

    #[test]
    fn paths_under_the_root_become_relative() {
        for (path, expected) in [
            ("/w/one/src/a.c", Some("../../src/a.c")),
            ("/w/one/build/gen/a.c", Some("../gen/a.c")),
            ("/w/one/build/sub/a.c", Some("a.c")),
            ("/w/one/build/sub/-a.c", Some("./-a.c")),
            ("/w/one/build/sub/", Some(".")),
            // What is before `..` is one of the working directory's own parents, or stays, since it may be a link.
            ("/w/one//./build/../src", Some("../../src")),
            ("/w/one/link/../src", Some("../../link/../src")),
            ("/w/one", Some("../..")),
            ("/w/oneself/a.c", None),
            ("/usr/include", None),
            ("a.c", None),
        ] {
            assert_eq!(relative_path(path, &operation()).as_deref(), expected, "{path}");
        }
        let outside = operation().directory("../elsewhere");
        assert_eq!(relative_path("/w/one/src/a.c", &outside), None);
    }

    #[test]
    fn what_is_read_is_rewritten_in_every_spelling_and_what_is_written_is_not() {
        let words = |text: &str| text.split_ascii_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let arguments = "-I/w/one/inc -I /w/one/inc -isystem /w/one/s -isystem/w/one/s -iquote /w/one/q -idirafter /w/one/d \
            -include /w/one/f.h -imacros /w/one/m.h -I/usr/x -o /w/one/a.o -MF /w/one/a.d -MT /w/one/a.o -D X=/w/one \
            --param /w/one/x -DP=/w/one -c /w/one/src/a.c";
        let expected = "-I../../inc -I ../../inc -isystem ../../s -isystem../../s -iquote ../../q -idirafter ../../d \
            -include ../../f.h -imacros ../../m.h -I/usr/x -o /w/one/a.o -MF /w/one/a.d -MT /w/one/a.o -D X=/w/one \
            --param /w/one/x -DP=/w/one -c ../../src/a.c";
        assert_eq!(relative(&words(arguments), &operation()), Ok(words(expected)));
    }
}
