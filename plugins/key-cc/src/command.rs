//! A compilation, read from its arguments.
//!
//! One source, `-c` or `-S`, and options that are all understood: anything else is refused with the argument's name.
//! Where an option is spelled in several ways (`-Idir`, `-I dir`), its spelling still enters the key, since arguments do as
//! texts.
//!
//! Some arguments stay out of the key and become writes instead: the paths of the object, of the depfile, and of what else
//! has a path of its own.

use reviver_sdk::argv::{Valued, Walk};

use crate::aside::Aside;
use crate::dependencies::Dependencies;
use crate::depfile::Wish;
use crate::driver::{Language, file_name, language_of, with_suffix};
use crate::meaning::{Meaning, meaning};
use crate::{passed, spelling};

/// What the arguments of a driver say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Command {
    /// The source as spelled.
    pub(crate) source: String,
    /// The language that it is compiled as.
    pub(crate) language: Language,
    /// The object that is written, or the assembly.
    pub(crate) object: String,
    /// Whether it is assembly, by `-S`.
    pub(crate) assembly: bool,
    /// Whether its place was said by `-o`.
    pub(crate) placed: bool,
    /// The arguments that enter the key, in order.
    pub(crate) texts: Vec<String>,
    /// The arguments without those about dependencies and `-o`, in order.
    pub(crate) arguments: Vec<String>,
    /// Those of the arguments that may move the compiler's own directories.
    pub(crate) search: Vec<String>,
    /// The directories that the arguments add to the search.
    pub(crate) directories: Directories,
    /// The files of `-include` and `-imacros`.
    pub(crate) forced: Vec<String>,
    /// Whether there is debugging information, which embeds the working directory.
    pub(crate) debug: bool,
    /// The prefixes that are replaced in debugging information, in order.
    pub(crate) maps: Vec<(String, String)>,
    /// The depfile that was asked for.
    pub(crate) wish: Option<Wish>,
    /// What is written, embedded and read besides.
    pub(crate) aside: Aside,
}

/// Directories that arguments add to the search for headers, each list in its order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Directories {
    /// `-iquote`: for quoted names alone.
    pub(crate) quoted: Vec<String>,
    /// `-I`.
    pub(crate) angled: Vec<String>,
    /// `-isystem`.
    pub(crate) system: Vec<String>,
    /// `-idirafter`.
    pub(crate) after: Vec<String>,
}

/// Options that take a path or a name, joined or as the next argument.
pub(crate) const VALUED: [&str; 14] = [
    "-o",
    "-I",
    "-D",
    "-U",
    "-x",
    "-isystem",
    "-iquote",
    "-idirafter",
    "-include",
    "-imacros",
    "-isysroot",
    "-MF",
    "-MT",
    "-MQ",
];

/// Options that begin like one of [`VALUED`] and are something else.
pub(crate) const OTHERS: [&str; 8] =
    ["-include-pch", "-isystem-after", "-include-pth", "-objcmt", "-object", "-iwith", "-I-", "-openmp"];

/// Options that pass the next argument on.
const PASSING: [&str; 4] = ["-Xassembler", "-Xpreprocessor", "-Xclang", "-mllvm"];

#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option that was given or not")]
struct Reading {
    source: Option<(String, Option<Language>)>,
    forced_language: Option<Language>,
    compiles: bool,
    assembly: bool,
    object: Option<String>,
    texts: Vec<String>,
    arguments: Vec<String>,
    search: Vec<String>,
    directories: Directories,
    forced: Vec<String>,
    debug: bool,
    debug_stays: bool,
    maps: Vec<(String, String)>,
    dependencies: Dependencies,
    aside: Aside,
}

const NO_COMPILATION: &str = "there is no `-c` and no `-S`: linking is not understood";

/// Whether this is surely a linking. Each has other objects and options, and would be counted by a reason of its own.
fn links(arguments: &[String]) -> bool {
    let is_object = |argument: &str| {
        !argument.starts_with('-') && [".o", ".a", ".so", ".lo"].iter().any(|end| argument.ends_with(end))
    };
    let compiles = |argument: &str| matches!(argument, "-c" | "-S" | "-E" | "--compile" | "--assemble");
    arguments.iter().any(|argument| is_object(argument))
        && !arguments.iter().any(|argument| compiles(argument) || argument.starts_with("-M"))
}

impl Command {
    /// What `arguments` say to a driver that takes C for C++ or not, or why they are not understood.
    pub(crate) fn parse(arguments: &[String], cxx: bool) -> Result<Self, String> {
        if links(arguments) {
            return Err(NO_COMPILATION.to_owned());
        }
        let mut reading = Reading::default();
        let mut walk = Walk::new(arguments);
        while let Some(argument) = walk.next() {
            reading.one(argument, &mut walk)?;
        }
        reading.finish(cxx)
    }
}

impl Reading {
    fn one<'a>(&mut self, argument: &'a str, walk: &mut Walk<'a>) -> Result<(), String> {
        check_text(argument)?;
        if !argument.starts_with('-') {
            return self.operand(argument);
        }
        if argument == "-" {
            return Err("`-` is read from standard input".to_owned());
        }
        if let Some((name, value)) = spelling::valued(argument, walk)? {
            check_text(value)?;
            return self.valued(Valued { name, value, spelled: walk.spelled() });
        }
        let option = spelling::short(argument);
        if let Some(list) = option.strip_prefix("-Wp,") {
            return self.preprocessor(option, list);
        }
        if matches!(option, "-MD" | "-MMD" | "-MP") {
            self.texts.push(option.to_owned());
            return self.dependencies.option(option);
        }
        if matches!(option, "--param" | "-serialize-diagnostics" | "--serialize-diagnostics")
            || PASSING.contains(&option)
        {
            let value = walk.value()?;
            check_text(value)?;
            return self.passed(Valued { name: option, value, spelled: walk.spelled() });
        }
        if let Some(list) = option.strip_prefix("-Wa,") {
            passed::to_assembler("-Wa,", list)?;
            self.keep(walk.spelled());
            return Ok(());
        }
        if !OTHERS.iter().any(|start| option.starts_with(start))
            && let Some(option) = walk.valued(&VALUED)?
        {
            check_text(option.value)?;
            return self.valued(option);
        }
        self.plain(option, walk.spelled())
    }

    /// An option without a value of its own, in its short spelling.
    fn plain(&mut self, option: &str, spelled: &[String]) -> Result<(), String> {
        if !self.aside.take(option) {
            match meaning(option)? {
                Meaning::Plain => {}
                Meaning::Search => self.search.push(option.to_owned()),
                Meaning::Debug => {
                    self.debug = !option.ends_with("ggdb0");
                    // What these say is not taken back by what comes behind them.
                    self.debug_stays |= option == "-gtoggle" || option.starts_with("-gctf");
                }
                Meaning::NoDebug => self.debug = false,
            }
        }
        self.compiles |= matches!(option, "-c" | "-S");
        self.assembly |= option == "-S";
        for name in ["-fdebug-prefix-map=", "-ffile-prefix-map="] {
            if let Some((old, new)) = option.strip_prefix(name).and_then(|map| map.split_once('=')) {
                self.maps.push((old.to_owned(), new.to_owned()));
            }
        }
        self.keep(spelled);
        Ok(())
    }

    /// An option whose value is not for the driver.
    fn passed(&mut self, option: Valued<'_, '_>) -> Result<(), String> {
        let Valued { name, value, spelled } = option;
        match name {
            "--param" => {}
            "-Xassembler" => passed::to_assembler("-Xassembler ", value)?,
            "-Xclang" => passed::to_clang(value)?,
            "-mllvm" => passed::to_llvm(value)?,
            "-Xpreprocessor" => match definition(value) {
                Some(definition) => check_definition(definition)?,
                None => passed::to_preprocessor("-Xpreprocessor ", value)?,
            },
            _ => {
                self.aside.serialize(value)?;
                self.texts.push(name.to_owned());
                self.arguments.extend_from_slice(spelled);
                return Ok(());
            }
        }
        self.keep(spelled);
        Ok(())
    }

    fn operand(&mut self, source: &str) -> Result<(), String> {
        if let Some((first, _)) = &self.source {
            return Err(format!("there are several sources, `{first}` and `{source}`"));
        }
        self.source = Some((source.to_owned(), self.forced_language));
        self.keep(&[source.to_owned()]);
        Ok(())
    }

    fn valued(&mut self, option: Valued<'_, '_>) -> Result<(), String> {
        let Valued { name: option, value, spelled } = option;
        let path = value.to_owned();
        match option {
            "-o" => {
                if self.object.replace(path).is_some() {
                    return Err("there are several `-o`".to_owned());
                }
                if value == "-" || value.starts_with("/dev/") {
                    return Err(format!("`-o {value}` is no file"));
                }
                return Ok(());
            }
            "-MF" => return self.dependencies.path(value),
            "-MT" | "-MQ" => {
                self.texts.extend_from_slice(spelled);
                return self.dependencies.target(option, value);
            }
            "-x" => {
                self.forced_language = match value {
                    "none" => None,
                    _ => Some(Language::named(value).ok_or_else(|| match value.strip_suffix("-header") {
                        Some("c" | "c++") => format!("`-x {value}` makes a precompiled header"),
                        _ => format!("`-x {value}` is neither C nor C++ nor assembly"),
                    })?),
                };
            }
            "-std=" => return self.plain(&["-std=", value].concat(), spelled),
            "--sysroot=" => {
                if !value.starts_with('/') {
                    return Err(format!("`--sysroot {value}` is not absolute"));
                }
                self.search.push(format!("--sysroot={value}"));
            }
            "-D" | "-U" => check_definition(value)?,
            "-include" | "-imacros" => self.forced.push(path),
            "-isysroot" => {
                if !value.starts_with('/') {
                    return Err(format!("`-isysroot {value}` is not absolute"));
                }
                self.search.extend_from_slice(spelled);
            }
            _ => self.directory(option, value)?,
        }
        self.keep(spelled);
        Ok(())
    }

    fn directory(&mut self, option: &str, value: &str) -> Result<(), String> {
        if value.starts_with('=') || value.starts_with("$SYSROOT") {
            return Err(format!("`{option}{value}` is relative to the compiler's own root"));
        }
        let list = match option {
            "-iquote" => &mut self.directories.quoted,
            "-I" => &mut self.directories.angled,
            "-isystem" => &mut self.directories.system,
            _ => &mut self.directories.after,
        };
        list.push(value.to_owned());
        Ok(())
    }

    /// `-Wp,-MD,FILE` and `-Wp,-MMD,FILE` as kernels have them, `-Wp,-DNAME` as distributions have it.
    fn preprocessor(&mut self, argument: &str, list: &str) -> Result<(), String> {
        if list.starts_with("-M") {
            let texts = self.dependencies.passed(argument, list)?;
            self.texts.extend(texts);
            return Ok(());
        }
        for value in list.split(',') {
            match definition(value) {
                Some(definition) => check_definition(definition)?,
                None => passed::to_preprocessor("-Wp,", value)?,
            }
        }
        self.keep(&[argument.to_owned()]);
        Ok(())
    }

    fn keep(&mut self, spelled: &[String]) {
        self.texts.extend_from_slice(spelled);
        self.arguments.extend_from_slice(spelled);
    }

    fn finish(mut self, cxx: bool) -> Result<Command, String> {
        if !self.compiles {
            return Err(NO_COMPILATION.to_owned());
        }
        let (source, forced_language) = self.source.ok_or("there is no source")?;
        let language = match forced_language {
            Some(language) => language,
            None => language_of(&source, cxx)?,
        };
        if self.assembly && language.is_assembly() {
            return Err("`-S` makes nothing of assembly".to_owned());
        }
        let suffix = if self.assembly { "s" } else { "o" };
        let placed = self.object.is_some();
        let object = self.object.unwrap_or_else(|| with_suffix(file_name(&source), suffix));
        let wish = if language.is_preprocessed() {
            self.dependencies.finish(&object)?
        } else {
            // No compiler makes a depfile of such a source, and clang complains.
            if self.dependencies.is_passed() || !self.forced.is_empty() {
                return Err(format!("`{source}` is not preprocessed, and options ask for it"));
            }
            self.texts.extend(self.dependencies.unheeded());
            None
        };
        Ok(Command {
            source,
            language,
            object,
            assembly: self.assembly,
            placed,
            texts: self.texts,
            arguments: self.arguments,
            search: self.search,
            directories: self.directories,
            forced: self.forced,
            debug: self.debug || self.debug_stays,
            maps: self.maps,
            wish,
            aside: self.aside,
        })
    }
}

/// Newlines cannot be written into a depfile in any way that is read back.
fn check_text(argument: &str) -> Result<(), String> {
    if argument.is_empty() {
        return Err("an argument is empty".to_owned());
    }
    if argument.contains(['\n', '\r']) {
        return Err("an argument holds a line break".to_owned());
    }
    if argument.contains("{report}") {
        return Err("an argument holds `{report}`".to_owned());
    }
    Ok(())
}

/// Names that a macro's body may not hold: what they mean is found in sources by their text, and would not be found where
/// a definition on the command line stands for them.
const HIDDEN: [&str; 7] =
    ["__DATE__", "__TIME__", "__TIMESTAMP__", "__has_include", "__has_embed", "incbin", ".include"];

/// What `-DNAME` and `-UNAME` define or not.
fn definition(option: &str) -> Option<&str> {
    let definition = option.strip_prefix("-D").or_else(|| option.strip_prefix("-U"));
    definition.filter(|definition| !definition.is_empty())
}

fn check_definition(definition: &str) -> Result<(), String> {
    let small = definition.to_ascii_lowercase();
    match HIDDEN.iter().find(|name| definition.contains(**name) || small.contains(**name)) {
        Some(name) => Err(format!("the definition `{definition}` hides `{name}`")),
        None => Ok(()),
    }
}
