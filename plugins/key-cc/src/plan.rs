//! What both steps of a key need to know of a compilation: the command, the compiler, its directories.

use reviver_sdk::response::expand;
use reviver_sdk::{Answer, ExitStatus, Failure, Operation, Refusal, query, read, variable};

use crate::colour::Shown;
use crate::command::Command;
use crate::driver::{Language, file_name, recognise};
use crate::relocate::{self, Embedded};
use crate::search::{BuiltIn, Search, directories_of};

/// Variables that change what the driver runs, or make it write more files.
const REFUSED: [&str; 14] = [
    "GCC_EXEC_PREFIX",
    "COMPILER_PATH",
    "GCC_COMPARE_DEBUG",
    "GCC_DIAGNOSTICS_LOG",
    "DEPENDENCIES_OUTPUT",
    "SUNPRO_DEPENDENCIES",
    "CCC_OVERRIDE_OPTIONS",
    "CC_PRINT_OPTIONS",
    "CC_PRINT_HEADERS",
    "CC_LOG_DIAGNOSTICS",
    "CC_PRINT_PROC_STAT",
    "CC_PRINT_PROC_STAT_FILE",
    "FORCE_CLANG_DIAGNOSTICS_CRASH",
    "RC_DEBUG_OPTIONS",
];

/// A compiler.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Compiler {
    /// gcc, which runs `cc1` and `as`.
    Gcc,
    /// clang of this major version, which is one program.
    Clang(u32),
}

/// A compilation that is understood.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// What its arguments say.
    pub(crate) command: Command,
    /// What compiles it.
    pub(crate) compiler: Compiler,
    /// What the compiler says of itself.
    pub(crate) built_in: BuiltIn,
    /// The directories that are searched for headers.
    pub(crate) search: Search,
    /// What is shown on a terminal.
    pub(crate) shown: Shown,
    /// What it embeds of its place.
    pub(crate) embedded: Embedded,
}

impl Plan {
    /// The plan of an operation, or why it is not understood.
    pub(crate) fn of(operation: &Operation) -> Result<Self, Refusal> {
        let relocatable = relocate::is_wanted().map_err(Refusal::malformed)?;
        Self::make(operation, relocatable).map_err(Refusal::not_cacheable)
    }

    fn make(operation: &Operation, wanted: bool) -> Result<Self, String> {
        let program = operation.program();
        let Some(cxx) = recognise(operation.program_name()) else {
            return Err(format!("`{program}` is no name of a C or C++ compiler"));
        };
        let arguments = expand(operation.arguments(), &mut |path| {
            read(path).map_err(|failure| format!("`@{path}` cannot be read: {}", reason(&failure)))
        })?;
        let mut command = Command::parse(&arguments, cxx)?;
        // Other sources are compiled by the very arguments that the user gave.
        let reported = command.language.is_preprocessed();
        let relocatable = wanted && reported;
        if relocatable {
            command = Command::parse(&relocate::relative(&arguments, operation)?, cxx)?;
        }
        if let Some(name) = REFUSED.iter().find(|name| variable(name).is_some()) {
            return Err(format!("the variable `{name}` is set"));
        }
        let compiler = compiler()?;
        let clang = compiler != Compiler::Gcc;
        if let Some(why) = command.aside.refusal(clang, command.debug) {
            return Err(why);
        }
        if clang && command.wish.as_ref().is_some_and(|wish| wish.for_gcc) {
            return Err("`-Wp,-M…` passes more than clang heeds".to_owned());
        }
        let built_in = built_in(&command)?;
        let language_path = match command.language {
            Language::Cxx | Language::PreprocessedCxx => "CPLUS_INCLUDE_PATH",
            _ => "C_INCLUDE_PATH",
        };
        let path_of = |name| directories_of(variable(name).as_deref());
        let search =
            Search::new(&command.directories, &path_of("CPATH"), &path_of(language_path), &built_in.searched);
        // Its options stand in what a compiler says of them.
        let debug = command.debug
            || command.aside.is_debug()
            || command.arguments.iter().any(|argument| argument == "-fverbose-asm");
        let shown = if reported {
            Shown::by(compiler, &built_in.built, &command.arguments, debug)
        } else {
            Shown::default()
        };
        let embedded = Embedded::by(operation, &command, clang, relocatable, &built_in.searched);
        Ok(Self { command, compiler, built_in, search, shown, embedded })
    }

    /// The arguments that make a full report besides what the command made before.
    #[must_use]
    pub(crate) fn arguments(&self) -> Vec<String> {
        let mut arguments = [&*self.embedded.arguments, &self.command.arguments].concat();
        arguments.extend_from_slice(&self.shown.arguments);
        // Said in one way, so that the host sees that nothing but a place differs. A depfile of `-S` without `-o` names
        // an object that is not made, and what is made of a name such as `.c` is the compiler's affair.
        let command = &self.command;
        let usual = file_name(&command.source)
            .rsplit_once('.')
            .is_some_and(|(stem, suffix)| !stem.is_empty() && !suffix.is_empty());
        if command.placed || (usual && (!command.assembly || command.wish.is_none())) {
            arguments.extend(["-o".to_owned(), self.command.object.clone()]);
        }
        arguments.extend(["-MD", "-MF", reviver_sdk::REPORT].map(str::to_owned));
        if let Some(wish) = &self.command.wish {
            arguments.extend(wish.targets.iter().cloned());
            if wish.by_preprocessor && wish.targets.is_empty() && self.compiler == Compiler::Gcc {
                // gcc's driver does not see what `-Wp,` passes, and so does not name the object as the target.
                let target = crate::driver::with_suffix(file_name(&self.command.source), "o");
                arguments.extend(["-MQ".to_owned(), target]);
            }
            if wish.phony {
                arguments.push("-MP".to_owned());
            }
        }
        arguments
    }

    /// The macros that the compiler defines by itself, as directives; nothing where it does not say.
    pub(crate) fn predefined(&self) -> Option<String> {
        let mut arguments: Vec<&str> = self.command.search.iter().map(String::as_str).collect();
        arguments.extend(["-dM", "-E", "-x", self.command.language.of_headers(), "/dev/null"]);
        text(ask(&arguments).ok()?.stdout).ok()
    }

    /// Whether `SOURCE_DATE_EPOCH` says the date and the time.
    #[must_use]
    pub(crate) fn dated(&self) -> bool {
        let understood = match self.compiler {
            Compiler::Gcc => true,
            Compiler::Clang(major) => major >= 16,
        };
        understood && variable("SOURCE_DATE_EPOCH").is_some_and(|epoch| !epoch.is_empty())
    }
}

fn compiler() -> Result<Compiler, String> {
    let version = text(ask(&["--version"])?.stdout)?;
    if let Some((_, rest)) = version.split_once("clang version ") {
        let major = rest.split(|c: char| !c.is_ascii_digit()).next().and_then(|digits| digits.parse().ok());
        return Ok(Compiler::Clang(major.unwrap_or(0)));
    }
    if version.contains("Free Software Foundation") {
        return Ok(Compiler::Gcc);
    }
    Err("the compiler says neither that it is gcc nor that it is clang".to_owned())
}

fn built_in(command: &Command) -> Result<BuiltIn, String> {
    let mut arguments: Vec<&str> = command.search.iter().map(String::as_str).collect();
    arguments.extend(["-E", "-v", "-x", command.language.of_headers(), "/dev/null"]);
    let stderr = text(ask(&arguments)?.stderr)?;
    BuiltIn::parse(&stderr).ok_or_else(|| "the compiler does not say where it looks for headers".to_owned())
}

/// The program that gcc runs under this name: a path, or a name that is looked for in `PATH`.
pub(crate) fn program_of_gcc(name: &str) -> Result<String, String> {
    let answer = text(ask(&[&format!("-print-prog-name={name}")])?.stdout)?;
    match answer.trim() {
        "" => Err(format!("the compiler does not say what `{name}` is")),
        path => Ok(path.to_owned()),
    }
}

/// The directory in which gcc looks for a file that configures it.
pub(crate) fn installation_of_gcc() -> Result<String, String> {
    let answer = text(ask(&["-print-search-dirs"])?.stdout)?;
    let install = answer.lines().find_map(|line| line.strip_prefix("install: "));
    install.map(str::to_owned).ok_or_else(|| "the compiler does not say where it is installed".to_owned())
}

/// The directory of clang's in which it looks for lists of what sanitizers leave alone.
pub(crate) fn lists_of_clang() -> Result<String, String> {
    let answer = text(ask(&["-print-resource-dir"])?.stdout)?;
    Ok(format!("{}/share", answer.trim()))
}

fn ask(arguments: &[&str]) -> Result<Answer, String> {
    match query(arguments) {
        Ok(answer) if answer.exit == ExitStatus::Code(0) => Ok(answer),
        Ok(_) => Err(format!("the compiler fails when it is asked for `{}`", arguments.join(" "))),
        Err(failure) => Err(format!("the compiler cannot be asked: {}", reason(&failure))),
    }
}

fn text(bytes: Vec<u8>) -> Result<String, String> {
    String::from_utf8(bytes).map_err(|_| "the compiler's answer is not UTF-8".to_owned())
}

/// The failure in words.
#[must_use]
pub(crate) fn reason(failure: &Failure) -> String {
    match failure {
        Failure::Denied(why) | Failure::Failed(why) => why.clone(),
        Failure::Absent => "there is no such file".to_owned(),
        Failure::TooLarge(limit) => format!("it is larger than {limit} bytes"),
    }
}
