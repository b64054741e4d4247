//! A compilation, read from its arguments.
//!
//! One source, `-c`, and options that are all understood: anything else is refused with the argument's name. Where an
//! option is spelled in several ways (`-Idir`, `-I dir`), its spelling still enters the key, since arguments do as texts.
//!
//! Two sorts of arguments stay out of the key and become writes instead: the path of the object and that of the depfile.

use reviver_sdk::argv::{Valued, Walk};

use crate::depfile::Wish;
use crate::driver::{Language, file_name, language_of, with_suffix};
use crate::options::{Meaning, meaning};

/// What the arguments of a driver say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Command {
    /// The source as spelled.
    pub(crate) source: String,
    /// The language that it is compiled as.
    pub(crate) language: Language,
    /// The object that is written.
    pub(crate) object: String,
    /// The arguments that enter the key, in order.
    pub(crate) texts: Vec<String>,
    /// The arguments without those about dependencies, in order.
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

#[derive(Default)]
struct Reading {
    source: Option<(String, Option<Language>)>,
    forced_language: Option<Language>,
    compiles: bool,
    object: Option<String>,
    texts: Vec<String>,
    arguments: Vec<String>,
    search: Vec<String>,
    directories: Directories,
    forced: Vec<String>,
    debug: bool,
    maps: Vec<(String, String)>,
    dependencies: Dependencies,
}

#[derive(Default)]
struct Dependencies {
    all: Option<bool>,
    by_preprocessor: bool,
    path: Option<String>,
    targets: Vec<String>,
    phony: bool,
}

impl Command {
    /// What `arguments` say to a driver that takes C for C++ or not, or why they are not understood.
    pub(crate) fn parse(arguments: &[String], cxx: bool) -> Result<Self, String> {
        let mut reading = Reading::default();
        let mut walk = Walk::new(arguments);
        while let Some(argument) = walk.next() {
            reading.one(argument, &mut walk)?;
        }
        reading.finish(cxx)
    }
}

impl Reading {
    fn one(&mut self, argument: &str, walk: &mut Walk<'_>) -> Result<(), String> {
        check_text(argument)?;
        if !argument.starts_with('-') {
            return self.operand(argument);
        }
        if argument == "-" {
            return Err("`-` is read from standard input".to_owned());
        }
        if let Some(preprocessor) = argument.strip_prefix("-Wp,") {
            return self.preprocessor(argument, preprocessor);
        }
        if matches!(argument, "-MD" | "-MMD" | "-MP") {
            return self.dependencies(argument);
        }
        if argument == "--param" {
            walk.value()?;
            self.keep(walk.spelled());
            return Ok(());
        }
        if !OTHERS.iter().any(|start| argument.starts_with(start))
            && let Some(option) = walk.valued(&VALUED)?
        {
            check_text(option.value)?;
            return self.valued(option);
        }
        match meaning(argument)? {
            Meaning::Plain => {}
            Meaning::Search => self.search.push(argument.to_owned()),
            Meaning::Debug => self.debug = !argument.ends_with("ggdb0"),
            Meaning::NoDebug => self.debug = false,
        }
        self.compiles |= argument == "-c";
        for option in ["-fdebug-prefix-map=", "-ffile-prefix-map="] {
            if let Some((old, new)) = argument.strip_prefix(option).and_then(|map| map.split_once('=')) {
                self.maps.push((old.to_owned(), new.to_owned()));
            }
        }
        self.keep(walk.spelled());
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
                self.arguments.extend_from_slice(spelled);
                return Ok(());
            }
            "-MF" => {
                if self.dependencies.path.replace(path).is_some() {
                    return Err("there are several `-MF`".to_owned());
                }
                if value == "-" || value.starts_with("/dev/") {
                    return Err(format!("`-MF {value}` is no file"));
                }
                return Ok(());
            }
            "-MT" | "-MQ" => {
                if value.contains(':') {
                    return Err(format!("`{option} {value}` makes a depfile that cannot be read back"));
                }
                self.texts.extend_from_slice(spelled);
                self.dependencies.targets.extend([option.to_owned(), path]);
                return Ok(());
            }
            "-x" => {
                self.forced_language = match value {
                    "c" => Some(Language::C),
                    "c++" => Some(Language::Cxx),
                    "none" => None,
                    _ => return Err(format!("`-x {value}` is neither C nor C++")),
                };
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
    fn preprocessor(&mut self, argument: &str, passed: &str) -> Result<(), String> {
        let all = if passed.starts_with("-MD,") { "-MD" } else { "-MMD" };
        if let Some(path) = passed.strip_prefix(all).and_then(|file| file.strip_prefix(',')) {
            if path.contains(',') || path.is_empty() {
                return Err(format!("`{argument}` passes more than a file to the preprocessor"));
            }
            if self.dependencies.all.is_some() {
                return Err(format!("`{argument}` asks for a second depfile"));
            }
            self.dependencies.by_preprocessor = true;
            self.dependencies.all = Some(all == "-MD");
            self.texts.push(format!("-Wp,{all}"));
            return self.valued(Valued { name: "-MF", value: path, spelled: &[] });
        }
        let definition = passed.strip_prefix("-D").or_else(|| passed.strip_prefix("-U"));
        match definition {
            Some(definition) if !definition.is_empty() && !definition.contains(',') => {
                check_definition(definition)?;
                self.keep(&[argument.to_owned()]);
                Ok(())
            }
            _ => meaning(argument).map(|_| ()),
        }
    }

    fn dependencies(&mut self, argument: &str) -> Result<(), String> {
        self.texts.push(argument.to_owned());
        if argument == "-MP" {
            self.dependencies.phony = true;
            return Ok(());
        }
        let all = argument == "-MD";
        match self.dependencies.all.replace(all) {
            Some(before) if before != all || self.dependencies.by_preprocessor => {
                Err(format!("`{argument}` asks for a second depfile"))
            }
            _ => Ok(()),
        }
    }

    fn keep(&mut self, spelled: &[String]) {
        self.texts.extend_from_slice(spelled);
        self.arguments.extend_from_slice(spelled);
    }

    fn finish(self, cxx: bool) -> Result<Command, String> {
        if !self.compiles {
            return Err("there is no `-c`: linking is not understood".to_owned());
        }
        let (source, forced_language) = self.source.ok_or("there is no source")?;
        let language = match forced_language {
            Some(language) => language,
            None => language_of(&source, cxx)?,
        };
        let object = self.object.unwrap_or_else(|| with_suffix(file_name(&source), "o"));
        let wish = self.dependencies.finish(&object)?;
        Ok(Command {
            source,
            language,
            object,
            texts: self.texts,
            arguments: self.arguments,
            search: self.search,
            directories: self.directories,
            forced: self.forced,
            debug: self.debug,
            maps: self.maps,
            wish,
        })
    }
}

impl Dependencies {
    fn finish(self, object: &str) -> Result<Option<Wish>, String> {
        let Some(all) = self.all else {
            return if self.path.is_some() || self.phony || !self.targets.is_empty() {
                Err("`-MF`, `-MT`, `-MQ` or `-MP` stands without `-MD` and `-MMD`".to_owned())
            } else {
                Ok(None)
            };
        };
        if object.contains(':') {
            return Err(format!("`{object}` makes a depfile that cannot be read back"));
        }
        let path = self.path.unwrap_or_else(|| with_suffix(object, "d"));
        if path == object {
            return Err(format!("`{object}` is the object and the depfile"));
        }
        let (targets, phony, by_preprocessor) = (self.targets, self.phony, self.by_preprocessor);
        Ok(Some(Wish { all, path, targets, phony, by_preprocessor }))
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
const HIDDEN: [&str; 6] = ["__DATE__", "__TIME__", "__TIMESTAMP__", "__has_include", "__has_embed", "incbin"];

fn check_definition(definition: &str) -> Result<(), String> {
    match HIDDEN.iter().find(|name| definition.contains(**name)) {
        Some(name) => Err(format!("the definition `{definition}` hides `{name}`")),
        None => Ok(()),
    }
}
