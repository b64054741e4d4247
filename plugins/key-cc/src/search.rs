//! The directories in which a compiler looks for headers, in order.
//!
//! The compiler says its own directories when it is asked; those of the arguments and of the environment are put before
//! and behind them here, in the order that gcc and clang share:
//!
//! | list | from |
//! |---|---|
//! | quoted names alone | `-iquote` |
//! | all names | `-I`, then `CPATH` |
//! | system headers | `-isystem`, `C_INCLUDE_PATH` or `CPLUS_INCLUDE_PATH`, the compiler's own, `-idirafter` |
//!
//! Whether a directory exists does not matter: one that is missing now can come. Those of the compiler's own that were
//! missing when it was asked have no known place in the order, so that all of them are an ingredient as a whole.

use reviver_sdk::path::normal;

use crate::colour::Built;
use crate::command::Directories;

/// A directory that is searched.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Directory {
    /// Its path, normal.
    pub(crate) path: String,
    /// Whether what is found there is a system header.
    pub(crate) system: bool,
}

/// What the compiler says of its own directories.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct BuiltIn {
    /// Those that it searches.
    pub(crate) searched: Vec<String>,
    /// Those that it would search if they were there.
    pub(crate) missing: Vec<String>,
    /// The programs that it names: itself, as it was run.
    pub(crate) programs: Vec<String>,
    /// Directories whose names decide which of several installations it takes.
    pub(crate) chosen_from: Vec<String>,
    /// Files that it was configured by.
    pub(crate) configured_by: Vec<String>,
    /// How it was built.
    pub(crate) built: Built,
}

/// All directories in order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Search {
    /// Those for quoted names alone.
    pub(crate) quoted: Vec<Directory>,
    /// Those for all names.
    pub(crate) angled: Vec<Directory>,
    /// How many of the latter there are up to the last one of the system's that the compiler does not have by itself.
    pub(crate) given: usize,
}

impl BuiltIn {
    /// Reads what `-E -v` prints on standard error; `None` where that is not what a compiler prints.
    #[must_use]
    pub(crate) fn parse(stderr: &str) -> Option<Self> {
        let mut built_in = Self::default();
        let mut inside = false;
        let mut complete = false;
        for line in stderr.lines() {
            if line.starts_with("#include ") && line.ends_with("search starts here:") {
                inside = true;
            } else if line.starts_with("End of search list") {
                (inside, complete) = (false, true);
            } else if inside {
                // A framework's directory is one of another kind of search.
                if line.ends_with("(framework directory)") {
                    return None;
                }
                built_in.searched.extend(line.strip_prefix(' ').map(normal));
            } else if let Some(missing) = between(line, "ignoring nonexistent directory \"", "\"") {
                built_in.missing.push(normal(missing));
            } else if let Some(program) = line.strip_prefix("COLLECT_GCC=") {
                built_in.programs.push(program.to_owned());
            } else if let Some(program) = between(line, " \"", "\" -cc1 ") {
                built_in.programs.push(program.to_owned());
            } else if let Some(found) = line.strip_prefix("Found candidate GCC installation: ") {
                let parent = found.rsplit_once('/').map(|(parent, _)| parent.to_owned());
                built_in.chosen_from.extend(parent.filter(|parent| !built_in.chosen_from.contains(parent)));
            } else if let Some(file) = line.strip_prefix("Configuration file: ") {
                built_in.configured_by.push(file.to_owned());
            } else if let Some(file) = line.strip_prefix("Reading specs from ") {
                built_in.configured_by.push(file.to_owned());
            } else {
                built_in.built.read(line);
            }
        }
        complete.then_some(built_in)
    }
}

impl Search {
    /// The directories of the arguments, of the environment (`CPATH` and the language's own variable) and of the compiler.
    #[must_use]
    pub(crate) fn new(
        given: &Directories,
        cpath: &[String],
        language_path: &[String],
        own: &[String],
    ) -> Self {
        let list = |lists: &[&[String]], system| {
            let mut directories: Vec<Directory> = Vec::new();
            for path in lists.iter().flat_map(|list| list.iter()).map(|path| normal(path)) {
                if !directories.iter().any(|known| known.path == path) {
                    directories.push(Directory { path, system });
                }
            }
            directories
        };
        let system = list(&[&given.system, language_path, own, &given.after], true);
        let mut angled = list(&[&given.angled, cpath], false);
        // A directory of the system's list keeps its place there: both compilers ignore the `-I` that names it too.
        angled.retain(|directory| !system.iter().any(|known| known.path == directory.path));
        angled.extend(system);
        let by_others = list(&[&given.system, language_path, &given.after], true);
        let is_given = |directory: &Directory| directory.system && by_others.contains(directory);
        let given_up_to = angled.iter().rposition(is_given).map_or(0, |last| last + 1);
        Self { quoted: list(&[&given.quoted], false), angled, given: given_up_to }
    }
}

/// The directories of a variable such as `CPATH`, in which an empty name means the working directory.
#[must_use]
pub(crate) fn directories_of(variable: Option<&str>) -> Vec<String> {
    match variable {
        None | Some("") => Vec::new(),
        Some(list) => {
            list.split(':').map(|path| if path.is_empty() { "." } else { path }.to_owned()).collect()
        }
    }
}

fn between<'a>(line: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let rest = line.strip_prefix(before)?;
    rest.find(after).map(|end| &rest[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_compilers_say_their_directories() {
        let gcc = "COLLECT_GCC=gcc\nignoring nonexistent directory \"/usr/local/include/x\"\n#include \"...\" search starts here:\n\
                   #include <...> search starts here:\n /usr/lib/gcc/include\n /usr/include\nEnd of search list.\nCOLLECT\n";
        let built_in = BuiltIn::parse(gcc).expect("a list");
        assert_eq!(built_in.searched, ["/usr/lib/gcc/include", "/usr/include"]);
        assert_eq!(built_in.missing, ["/usr/local/include/x"]);
        assert_eq!(built_in.programs, ["gcc"]);
        let clang = "Found candidate GCC installation: /usr/lib/gcc/x/12\nFound candidate GCC installation: /usr/lib/gcc/x/13\n \
                     \"/usr/lib/clang\" -cc1 -E\n#include <...> search starts here:\n /a/../b\nEnd of search list.";
        let built_in = BuiltIn::parse(clang).expect("a list");
        assert_eq!(built_in.searched, ["/a/../b"]);
        assert_eq!(built_in.chosen_from, ["/usr/lib/gcc/x"]);
        assert_eq!(built_in.programs, ["/usr/lib/clang"]);
        assert_eq!(BuiltIn::parse("error"), None);
    }

    #[test]
    fn directories_stand_in_the_compilers_order_each_once() {
        let words = |text: &str| text.split_ascii_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let given = Directories {
            quoted: words("q"),
            angled: words("./a /usr/include b a"),
            system: words("s"),
            after: words("z"),
        };
        let search = Search::new(&given, &words("c"), &words("l"), &words("/lib /usr/include"));
        let paths =
            |list: &[Directory]| list.iter().map(|one| one.path.clone()).collect::<Vec<_>>().join(" ");
        assert_eq!(paths(&search.quoted), "q");
        assert_eq!(paths(&search.angled), "a b c s l /lib /usr/include z");
        assert!(!search.angled[2].system && search.angled[3].system);
    }

    #[test]
    fn an_empty_name_in_a_variable_is_the_working_directory() {
        assert_eq!(directories_of(Some("a::b")), ["a", ".", "b"]);
        assert_eq!(directories_of(Some("")), Vec::<String>::new());
        assert_eq!(directories_of(None), Vec::<String>::new());
    }
}
