//! What a compiler shows on a terminal beyond what it says in a pipe.
//!
//! A command under `run` writes to a pipe, and so would say everything as in a pipe. What it would show on the terminal that
//! standard error is, it is asked for by options, which are put behind its own, so that the last one counts. They are
//! ingredients: what was recorded for a terminal is never revived into a pipe, nor the other way round.
//!
//! | shown on a terminal | by | where nothing else is said, it is shown if |
//! |---|---|---|
//! | colours | gcc | `TERM` is set and not `dumb`; `GCC_COLORS` says which, and none where it is empty |
//! | | clang | `TERM` is of a terminal that has colours, and since 17 `NO_COLOR` is not set |
//! | links to the manual | gcc since 10 | it could have colours, and is none of those that gcc knows to have no links |
//! | lines of `COLUMNS` | clang | that is a number above 0, and there is no `-fmessage-length` |
//!
//! Options decide before anything else, the last one of each; `auto` says that nothing is decided. Which default gcc was
//! built with it says itself. Whether a terminal has colours clang asks a database up to version 18, which is taken to know
//! every terminal, and tells by its name since then.
//!
//! Sources of which there is no report are compiled by the very arguments that were given, in a pipe. Of others two things stay as
//! in a pipe: gcc does not cut lines of source at the terminal's width, and shows no links beside `-g`,
//! since the option for them would stand in the debugging information.

use reviver_sdk::{Ingredient, terminal, variable};

use crate::plan::Compiler;

/// What a compiler shows where no option says it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Habit {
    /// What suits a terminal, on a terminal.
    #[default]
    Auto,
    /// The same, if one of its variables is set.
    AutoIfSet,
    Never,
    Always,
}

/// How a gcc was built, as far as it is about what it shows.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Built {
    version: u32,
    colours: Habit,
    links: Habit,
}

/// What is added to a command, and what then matters to what it shows.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Shown {
    /// The options behind all others.
    pub(crate) arguments: Vec<String>,
    variables: Vec<&'static str>,
}

/// The variables that matter where there are colours.
const COLOURS: [&str; 2] = ["GCC_COLORS", "TERM"];
/// The variables that matter where there are links.
const LINKS: [&str; 2] = ["GCC_URLS", "TERM_URLS"];

impl Built {
    /// Reads a line of what `-v` prints.
    pub(crate) fn read(&mut self, line: &str) {
        if let Some(version) = line.strip_prefix("gcc version ") {
            self.version = number(version);
        } else if let Some(options) = line.strip_prefix("Configured with: ") {
            for option in options.split_ascii_whitespace() {
                if let Some(habit) = option.strip_prefix("--with-diagnostics-color=") {
                    self.colours = Habit::of(habit);
                } else if let Some(habit) = option.strip_prefix("--with-diagnostics-urls=") {
                    self.links = Habit::of(habit);
                }
            }
        }
    }
}

impl Habit {
    fn of(name: &str) -> Self {
        match name {
            "auto-if-env" => Self::AutoIfSet,
            "never" | "no" => Self::Never,
            "always" | "yes" => Self::Always,
            _ => Self::Auto,
        }
    }

    /// What the option that is asked for in `said` makes of it: the last one that decides.
    fn under(self, said: Option<&str>) -> Self {
        said.map_or(self, Self::of)
    }

    /// Whether it is shown on a terminal that suits it.
    fn suits(self, variables: &[&str]) -> bool {
        match self {
            Self::Auto | Self::Always => true,
            Self::AutoIfSet => variables.iter().any(|name| variable(name).is_some()),
            Self::Never => false,
        }
    }
}

impl Shown {
    /// What suits the place that standard error is. `debug` says that the command's options enter its object.
    #[must_use]
    pub(crate) fn by(compiler: Compiler, built: &Built, arguments: &[String], debug: bool) -> Self {
        let mut shown = Self::default();
        let colours = built.colours.under(colours_said(arguments));
        let links = match compiler {
            Compiler::Gcc if built.version >= 10 => built.links.under(links_said(arguments)),
            _ => Habit::Never,
        };
        let waits = |habit| matches!(habit, Habit::Auto | Habit::AutoIfSet);
        let wide = matches!(compiler, Compiler::Clang(_))
            && !arguments.iter().any(|argument| argument.starts_with("-fmessage-length="));
        let at_terminal = (waits(colours) || waits(links) || wide) && terminal();
        if colours == Habit::Always {
            shown.variables.extend(COLOURS);
        } else if at_terminal && waits(colours) && colours.suits(&["GCC_COLORS"]) && is_coloured(compiler) {
            shown.add("-fdiagnostics-color=always", &COLOURS);
        }
        if links == Habit::Always {
            shown.variables.extend(LINKS);
        } else if at_terminal && !debug && waits(links) && links.suits(&LINKS) && is_linked() {
            shown.add("-fdiagnostics-urls=always", &LINKS);
        }
        if at_terminal && wide {
            match variable("COLUMNS").map_or(0, |columns| number(columns.trim_ascii_start())) {
                0 => {}
                columns => shown.add(&format!("-fmessage-length={columns}"), &[]),
            }
        }
        shown
    }

    fn add(&mut self, argument: &str, variables: &[&'static str]) {
        self.arguments.push(argument.to_owned());
        self.variables.extend(variables);
    }

    /// What identifies a compilation beside its own arguments.
    pub(crate) fn ingredients(&self) -> impl Iterator<Item = Ingredient> {
        let added = self.arguments.iter().map(|argument| Ingredient::text("terminal", argument));
        added.chain(self.variables.iter().map(|name| Ingredient::variable(*name, *name)))
    }
}

/// What the last option about colours asks for.
fn colours_said(arguments: &[String]) -> Option<&str> {
    arguments.iter().rev().find_map(|argument| match argument.as_str() {
        "-fdiagnostics-color" | "-fcolor-diagnostics" => Some("always"),
        "-fno-diagnostics-color" | "-fno-color-diagnostics" | "-fdiagnostics-plain-output" => Some("never"),
        argument => argument.strip_prefix("-fdiagnostics-color="),
    })
}

/// What the last option about links asks for.
fn links_said(arguments: &[String]) -> Option<&str> {
    arguments.iter().rev().find_map(|argument| match argument.as_str() {
        "-fdiagnostics-plain-output" => Some("never"),
        argument => argument.strip_prefix("-fdiagnostics-urls="),
    })
}

/// Whether the compiler takes the terminal for one that has colours.
fn is_coloured(compiler: Compiler) -> bool {
    let Some(term) = variable("TERM") else { return false };
    let Compiler::Clang(version) = compiler else { return term != "dumb" };
    let forbids = |value: String| !value.is_empty();
    if version >= 17 && variable("NO_COLOR").is_some_and(forbids) {
        return false;
    }
    if version >= 19 {
        return matches!(&*term, "ansi" | "cygwin" | "linux")
            || ["screen", "xterm", "vt100", "rxvt"].iter().any(|start| term.starts_with(start))
            || term.ends_with("color");
    }
    let without = ["", "dumb", "unknown", "ansi-m", "vt52", "vt100", "vt102", "vt220", "vt320"];
    !without.contains(&&*term) && !term.ends_with("-m") && !term.ends_with("-mono")
}

/// Whether gcc takes the terminal for one that has links.
fn is_linked() -> bool {
    if !is_coloured(Compiler::Gcc) {
        return false;
    }
    let kind = variable("COLORTERM");
    if matches!(kind.as_deref(), Some("xfce4-terminal" | "gnome-terminal")) {
        return false;
    }
    LINKS.iter().any(|name| variable(name).is_some())
        || kind.is_some()
        || !matches!(variable("TERM").as_deref(), Some("xterm" | "linux"))
}

/// The number that a text begins with; 0 where there is none.
fn number(text: &str) -> u32 {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.get(..end).and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use reviver_sdk::testing::{Look, TestHost};

    fn shown(compiler: Compiler, host: &TestHost, arguments: &str) -> String {
        let arguments: Vec<String> = arguments.split_ascii_whitespace().map(str::to_owned).collect();
        let mut built = Built::default();
        built.read("gcc version 12.2.0 (Debian 12.2.0-14)");
        let shown =
            host.run(|| Shown::by(compiler, &built, &arguments, arguments.contains(&"-g".to_owned())));
        shown.arguments.join(" ")
    }

    fn terminal(term: &str) -> TestHost {
        TestHost::new().terminal(true).variable("TERM", term)
    }

    const COLOURED: &str = "-fdiagnostics-color=always";

    #[test]
    fn a_terminal_is_coloured_and_a_pipe_is_not() {
        for compiler in [Compiler::Gcc, Compiler::Clang(14)] {
            assert_eq!(shown(compiler, &terminal("xterm"), "-Wall"), COLOURED);
            assert_eq!(shown(compiler, &terminal("xterm"), "-fdiagnostics-color=auto"), COLOURED);
            assert_eq!(shown(compiler, &terminal("dumb"), ""), "");
            assert_eq!(shown(compiler, &TestHost::new().terminal(true), ""), "");
            let pipe = TestHost::new().variable("TERM", "xterm").variable("COLUMNS", "60");
            assert_eq!(shown(compiler, &pipe, "-Wall"), "");
            assert_eq!(pipe.looks(), [Look::Terminal], "what does not matter in a pipe is not looked at");
        }
    }

    #[test]
    fn the_last_option_decides() {
        for never in ["-fno-diagnostics-color", "-fdiagnostics-color=never", "-fno-color-diagnostics"] {
            let arguments = [COLOURED, " ", never].concat();
            assert_eq!(shown(Compiler::Gcc, &terminal("xterm"), &arguments), "", "{never}");
        }
        let arguments = "-fdiagnostics-color=never -fcolor-diagnostics";
        assert_eq!(shown(Compiler::Clang(14), &terminal("xterm"), arguments), "");
        let decided = TestHost::new();
        let all = "-fdiagnostics-color -fdiagnostics-urls=never -fmessage-length=0";
        assert_eq!(shown(Compiler::Clang(14), &decided, all), "");
        assert_eq!(decided.looks(), [], "nothing is left to be decided");
    }

    #[test]
    fn what_options_or_a_habit_ask_for_depends_on_variables_in_a_pipe_too() {
        let labels = |built: &Built, arguments: &[&str]| {
            let arguments: Vec<String> = arguments.iter().map(|one| (*one).to_owned()).collect();
            let shown = TestHost::new().run(|| Shown::by(Compiler::Gcc, built, &arguments, false));
            shown.ingredients().map(|one| one.label).collect::<Vec<_>>().join(" ")
        };
        let mut built = Built::default();
        built.read("gcc version 12.2.0");
        assert_eq!(labels(&built, &[]), "");
        assert_eq!(labels(&built, &[COLOURED]), "GCC_COLORS TERM");
        assert_eq!(labels(&built, &["-fdiagnostics-urls=always"]), "GCC_URLS TERM_URLS");
        built.read(
            "Configured with: ../configure --with-diagnostics-color=always --with-diagnostics-urls=never",
        );
        assert_eq!(labels(&built, &[]), "GCC_COLORS TERM");
    }

    #[test]
    fn a_gcc_that_was_built_not_to_colour_does_not() {
        let mut built = Built::default();
        let by = |built: &Built, host: TestHost| {
            host.run(|| Shown::by(Compiler::Gcc, built, &[], true)).arguments.join(" ")
        };
        assert_eq!(by(&built, terminal("x")), COLOURED);
        built.read("Configured with: --with-diagnostics-color=never");
        assert_eq!(by(&built, terminal("x")), "");
        built.read("Configured with: --with-diagnostics-color=auto-if-env");
        assert_eq!(by(&built, terminal("x")), "");
        assert_eq!(by(&built, terminal("x").variable("GCC_COLORS", "error=1")), COLOURED);
    }

    #[test]
    fn gcc_shows_links_where_it_takes_a_terminal_to_have_them() {
        let linked = |host: &TestHost, arguments: &str| {
            shown(Compiler::Gcc, host, arguments).contains("-fdiagnostics-urls=always")
        };
        assert!(linked(&terminal("xterm-256color"), ""));
        assert!(!linked(&terminal("xterm-256color"), "-g"), "the option would stand in the object");
        assert!(!linked(&terminal("xterm-256color"), "-fdiagnostics-urls=never"));
        assert!(!linked(&terminal("xterm"), "") && !linked(&terminal("linux"), ""));
        assert!(linked(&terminal("xterm").variable("COLORTERM", "truecolor"), ""));
        assert!(linked(&terminal("xterm").variable("TERM_URLS", "st"), ""));
        assert!(!linked(&terminal("xterm-256color").variable("COLORTERM", "gnome-terminal"), ""));
        assert!(!shown(Compiler::Clang(14), &terminal("xterm-256color"), "").contains("urls"));
    }

    #[test]
    fn clang_knows_terminals_by_a_database_or_by_name() {
        let coloured = |version, host: &TestHost| shown(Compiler::Clang(version), host, "") == COLOURED;
        for (term, by_database, by_name) in
            [("xterm", true, true), ("alacritty", true, false), ("vt100", false, true), ("", false, false)]
        {
            assert_eq!(coloured(14, &terminal(term)), by_database, "{term}");
            assert_eq!(coloured(19, &terminal(term)), by_name, "{term}");
        }
        let without = terminal("xterm").variable("NO_COLOR", "1");
        assert!(coloured(14, &without) && !coloured(17, &without));
    }

    #[test]
    fn clang_breaks_lines_at_the_columns_that_a_variable_tells() {
        let columns =
            |columns: &str| shown(Compiler::Clang(14), &terminal("dumb").variable("COLUMNS", columns), "");
        assert_eq!(columns("60"), "-fmessage-length=60");
        assert_eq!(columns(" 60x"), "-fmessage-length=60");
        assert_eq!(columns("x") + &columns("-1") + &columns("0"), "");
    }
}
