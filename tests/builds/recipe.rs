//! How a project is configured, built, cleaned and tested: as commands in its tree.

use crate::support::REVIVER;

/// The commands for one build of a project, each a line of shell.
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    pub(crate) configure: String,
    /// Prints the commands that `build` would run, each on a line.
    pub(crate) list: String,
    pub(crate) build: String,
    pub(crate) clean: String,
    /// The project's own tests, if they can be built without more than is here.
    pub(crate) test: Option<String>,
}

/// Who compiles.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum By {
    Itself,
    Reviver,
}

impl By {
    /// The value of `CC` for make and for scripts that configure.
    pub(crate) fn cc(self) -> String {
        match self {
            Self::Itself => "gcc".to_owned(),
            Self::Reviver => format!("{REVIVER} run -- gcc"),
        }
    }

    /// The options that make `CMake` start all compilers behind a launcher.
    fn launchers(self) -> String {
        match self {
            Self::Itself => String::new(),
            Self::Reviver => ["C", "CXX"]
                .map(|language| format!(" '-DCMAKE_{language}_COMPILER_LAUNCHER={REVIVER};run;--'"))
                .concat(),
        }
    }
}

/// A build by `CMake` in the directory `build`, with this generator, of these targets, or of all if there are none.
pub(crate) fn cmake(by: By, generator: &str, options: &str, targets: &str) -> Recipe {
    let wanted = if targets.is_empty() { String::new() } else { format!(" --target {targets}") };
    let list = if generator == "Ninja" { "ninja -n -v" } else { "make -n" };
    Recipe {
        list: format!("{list} -C build {targets}"),
        configure: format!("cmake -S . -B build -G '{generator}' {options}{}", by.launchers()),
        build: format!("cmake --build build -j 2{wanted}"),
        clean: "cmake --build build --target clean".to_owned(),
        test: None,
    }
}
