//! What a compilation writes beside its object, what it embeds for that, and the profiles that it reads.
//!
//! Both compilers name what they write beside the object after it: `out/a.o` has `out/a.dwo`, `out/a.gcno`, `out/a.su`.
//! A run that lacks one of them is not recorded.
//!
//! | option | writes | embeds |
//! |---|---|---|
//! | `-gsplit-dwarf` | `.dwo` | the object's name, the directory as debugging information does |
//! | `--coverage`, `-ftest-coverage` | `.gcno` | the object's name, the directory |
//! | `-fprofile-arcs`, `-fprofile-generate` | | the object's name, the directory |
//! | `-fstack-usage`, `-fcallgraph-info` | `.su`, `.ci` | |
//! | `-fsave-optimization-record` of clang | `.opt.yaml` | the record's path, the directory |
//! | `-flto` of gcc | | the directory |
//!
//! gcc stamps what `--coverage`, `-fprofile-generate` and `-flto` make with a random number unless there is
//! `-frandom-seed=`: no two runs agree, and what is revived is one of them, with the notes that belong to it.

use reviver_sdk::path::normal;
use reviver_sdk::{Ingredient, Write};

use crate::driver::{Language, with_suffix};

/// What is written, embedded and read besides.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option that was given or not")]
pub(crate) struct Aside {
    /// Whether debugging information goes to a file of its own.
    split: bool,
    /// Whether debugging information names the file that it is in.
    named: bool,
    notes: bool,
    usage: bool,
    callgraph: bool,
    /// The suffix of a record of optimizations.
    record: Option<&'static str>,
    /// The path of that record, where it is not beside the object.
    record_path: Option<String>,
    /// The path of clang's serialized diagnostics.
    diagnostics: Option<String>,
    /// Whether the places of the object and of the directory are embedded, whatever prefixes are replaced.
    placed: bool,
    lto: bool,
    profiles: Vec<Profile>,
    /// Whether data of profiles is elsewhere than where it would be.
    moved: bool,
    /// Lists of what is instrumented or not.
    lists: Vec<String>,
    /// Whether there is a sanitizer, for which clang looks for a list of its own.
    sanitizes: bool,
}

/// Options of clang that name such a list. It reports most of them, before the source.
const LISTS: [&str; 12] = [
    "-fsanitize-ignorelist",
    "-fsanitize-blacklist",
    "-fsanitize-system-ignorelist",
    "-fsanitize-system-blacklist",
    "-fsanitize-coverage-allowlist",
    "-fsanitize-coverage-ignorelist",
    "-fsanitize-coverage-whitelist",
    "-fsanitize-coverage-blacklist",
    "-fxray-always-instrument",
    "-fxray-never-instrument",
    "-fxray-attr-list",
    "-fprofile-list",
];

/// Where a profile is read.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Profile {
    /// Where the compiler looks by itself.
    Usual,
    /// In this directory for gcc, in this file or directory for clang.
    Within(String),
    /// In this file.
    At(String),
}

/// How a compilation ends, as far as it decides what is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End<'a> {
    pub(crate) object: &'a str,
    pub(crate) language: Language,
    /// Whether it ends with assembly, by `-S`.
    pub(crate) assembly: bool,
    pub(crate) clang: bool,
}

/// Options about profiles that say nothing of places.
const PLAIN: [&str; 9] = [
    "-fprofile-correction",
    "-fprofile-values",
    "-fprofile-reorder-functions",
    "-fprofile-partial-training",
    "-fprofile-sample-accurate",
    "-fno-profile-values",
    "-fno-profile-reorder-functions",
    "-fno-profile-generate",
    "-fno-profile-instr-generate",
];

/// The same, with a value behind them.
const PLAIN_VALUED: [&str; 6] = [
    "-fprofile-update=",
    "-fprofile-reproducible=",
    "-fprofile-exclude-files=",
    "-fprofile-filter-files=",
    "-fprofile-prefix-map=",
    "-fcoverage-prefix-map=",
];

impl Aside {
    /// Takes an option that is about this; whether it was one.
    pub(crate) fn take(&mut self, option: &str) -> bool {
        match option {
            "-gsplit-dwarf" | "-gsplit-dwarf=split" => (self.split, self.named) = (true, true),
            "-gsplit-dwarf=single" => (self.split, self.named) = (false, true),
            "-gno-split-dwarf" => self.split = false,
            "--coverage" | "-coverage" | "-ftest-coverage" => (self.notes, self.placed) = (true, true),
            "-fprofile-arcs"
            | "-fprofile-generate"
            | "-fcs-profile-generate"
            | "-fprofile-instr-generate"
            | "-fcoverage-mapping"
            | "-fprofile-abs-path" => self.placed = true,
            "-fstack-usage" => self.usage = true,
            "-fcallgraph-info"
            | "-fcallgraph-info=su"
            | "-fcallgraph-info=da"
            | "-fcallgraph-info=su,da"
            | "-fcallgraph-info=da,su" => self.callgraph = true,
            "-fsave-optimization-record" | "-fsave-optimization-record=yaml" => self.record("opt.yaml"),
            "-fsave-optimization-record=bitstream" => self.record("opt.bitstream"),
            "-flto" | "-flto=auto" | "-flto=jobserver" | "-flto=full" | "-flto=thin" => self.lto = true,
            "-fno-lto" => self.lto = false,
            "-fprofile-use" | "-fbranch-probabilities" | "-fprofile-instr-use" => {
                self.read(Profile::Usual);
            }
            "-fauto-profile" => self.read(Profile::At("fbdata.afdo".to_owned())),
            _ if PLAIN.contains(&option) => {}
            _ => return self.take_valued(option),
        }
        true
    }

    fn take_valued(&mut self, option: &str) -> bool {
        let Some((name, value)) = option.split_once('=').filter(|(_, value)| !value.is_empty()) else {
            return false;
        };
        match name {
            "-fprofile-generate" | "-fcs-profile-generate" | "-fprofile-dir" => {
                (self.placed, self.moved) = (true, true);
            }
            "-fprofile-instr-generate" | "-fprofile-prefix-path" => self.placed = true,
            "-fprofile-use" | "-fprofile-instr-use" => self.read(Profile::Within(value.to_owned())),
            "-fauto-profile" | "-fprofile-sample-use" | "-fprofile-remapping-file" => {
                self.read(Profile::At(value.to_owned()));
            }
            "-foptimization-record-file" => {
                self.record_path = Some(value.to_owned());
                self.record("opt.yaml");
            }
            "-fsanitize" => {
                self.sanitizes = true;
                return false;
            }
            _ if LISTS.contains(&name) => self.lists.push(value.to_owned()),
            "-flto" if value.bytes().all(|byte| byte.is_ascii_digit()) => self.lto = true,
            _ => return PLAIN_VALUED.iter().any(|plain| plain.strip_suffix('=') == Some(name)),
        }
        true
    }

    /// Takes the path that clang serializes diagnostics to.
    pub(crate) fn serialize(&mut self, path: &str) -> Result<(), String> {
        match self.diagnostics.replace(path.to_owned()) {
            None => Ok(()),
            Some(_) => Err("diagnostics are serialized to several files".to_owned()),
        }
    }

    fn record(&mut self, suffix: &'static str) {
        self.record = Some(suffix);
        self.placed = true;
    }

    fn read(&mut self, profile: Profile) {
        self.placed = true;
        self.profiles.push(profile);
    }

    /// Why this is not understood, where it is not. `debug` tells whether there is debugging information by other options.
    pub(crate) fn refusal(&self, clang: bool, debug: bool) -> Option<String> {
        if self.split && clang && !debug {
            return Some("`-gsplit-dwarf` of clang does nothing without `-g`".to_owned());
        }
        if self.moved && !self.profiles.is_empty() {
            return Some("profiles are read from a place that is not understood".to_owned());
        }
        if self.lto && (self.usage || self.callgraph || self.split) {
            return Some("`-flto` leaves to the linking what is written beside the object".to_owned());
        }
        if self.record.is_some() && !clang {
            return Some(
                "`-fsave-optimization-record` of gcc compresses its record with the time".to_owned(),
            );
        }
        None
    }

    /// Whether debugging information embeds the directory, as far as these options say.
    pub(crate) const fn is_debug(&self) -> bool {
        self.named
    }

    /// Whether the directory is embedded, whatever prefixes are replaced.
    pub(crate) const fn embeds_directory(&self, clang: bool) -> bool {
        self.placed || (self.lto && !clang)
    }

    /// Whether the object's place is embedded, as it is spelled.
    pub(crate) const fn embeds_object(&self) -> bool {
        self.placed || self.named
    }

    /// Whether debugging information is cut off the object by another program.
    pub(crate) const fn is_split(&self) -> bool {
        self.split
    }

    /// What is written beside the object.
    pub(crate) fn writes(&self, end: End<'_>) -> Vec<Write> {
        let beside = |suffix: &str| Write::file(suffix, with_suffix(end.object, suffix));
        let mut writes = Vec::new();
        // gcc cuts it off the object, clang makes it by itself.
        if self.split && (end.clang || !end.assembly) {
            writes.push(beside("dwo"));
        }
        if !end.language.is_assembly() {
            let suffixes = [(self.notes, "gcno"), (self.usage, "su"), (self.callgraph, "ci")];
            writes.extend(suffixes.iter().filter(|(made, _)| *made).map(|(_, suffix)| beside(suffix)));
            writes.extend(self.record.map(|suffix| match &self.record_path {
                Some(path) => Write::file("record", path.as_str()),
                None => beside(suffix),
            }));
        }
        writes.extend(self.diagnostics.iter().map(|path| Write::file("diagnostics", path.as_str())));
        writes
    }

    /// The profiles that are read, or looked for in vain.
    pub(crate) fn reads(&self, object: &str, clang: bool) -> Vec<Ingredient> {
        const LABEL: &str = "profile";
        let mut reads = Vec::new();
        for profile in &self.profiles {
            match profile {
                Profile::Usual if clang => reads.push(Ingredient::file(LABEL, "default.profdata")),
                Profile::Usual => reads.push(Ingredient::file(LABEL, with_suffix(object, "gcda"))),
                Profile::Within(path) if clang => {
                    reads.push(Ingredient::file(LABEL, path.as_str()));
                    reads.push(Ingredient::file(LABEL, format!("{path}/default.profdata")));
                }
                Profile::Within(path) => reads.push(Ingredient::tree(LABEL, path.as_str())),
                Profile::At(path) => reads.push(Ingredient::file(LABEL, path.as_str())),
            }
        }
        reads.extend(self.lists.iter().map(|path| Ingredient::file("list", path.as_str())));
        reads
    }

    /// Whether clang looks for lists of its own.
    pub(crate) const fn sanitizes(&self) -> bool {
        self.sanitizes
    }

    /// Whether this path, which is normal, is that of a list.
    pub(crate) fn lists(&self, path: &str) -> bool {
        self.lists.iter().any(|list| normal(list) == path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aside(options: &str) -> Aside {
        let mut aside = Aside::default();
        for option in options.split_ascii_whitespace() {
            assert!(aside.take(option), "{option}");
        }
        aside
    }

    fn written(options: &str, end: End<'_>) -> Vec<String> {
        aside(options).writes(end).into_iter().map(|write| write.path).collect()
    }

    #[test]
    fn what_is_beside_an_object_is_named_after_it() {
        let all = "-gsplit-dwarf --coverage -fstack-usage -fcallgraph-info";
        let end = End { object: "out/a.b.o", language: Language::C, assembly: false, clang: false };
        assert_eq!(written(all, end), ["out/a.b.dwo", "out/a.b.gcno", "out/a.b.su", "out/a.b.ci"]);
        let assembled = End { language: Language::Assembly, ..end };
        assert_eq!(written(all, assembled), ["out/a.b.dwo"], "nothing is compiled");
        let (gcc, clang) = (End { assembly: true, ..end }, End { assembly: true, clang: true, ..end });
        assert_eq!(written("-gsplit-dwarf", gcc), [""; 0]);
        assert_eq!(written("-gsplit-dwarf", clang), ["out/a.b.dwo"]);
        assert_eq!(written("-gsplit-dwarf -gno-split-dwarf", end), [""; 0]);
    }

    #[test]
    fn an_option_that_is_about_something_else_is_left() {
        for option in
            ["-fprofile", "-fprofile-note=x", "-flto=x", "-fprofile-use=", "-gsplit", "-fcallgraph-info=x"]
        {
            assert!(!Aside::default().take(option), "{option}");
        }
    }

    #[test]
    fn lists_are_known_under_their_paths() {
        let lists = aside("-fsanitize-ignorelist=./a.txt -fprofile-list=b");
        assert!(lists.lists("a.txt") && lists.lists("b") && !lists.lists("c"));
        assert_eq!(lists.reads("a.o", true).len(), 2);
    }

    #[test]
    fn profiles_that_were_moved_are_refused() {
        assert!(aside("-fprofile-use -fprofile-dir=x").refusal(false, true).is_some());
        assert!(aside("-fprofile-use=x").refusal(false, true).is_none());
        assert!(aside("-fsave-optimization-record").refusal(true, true).is_none());
        assert!(aside("-fsave-optimization-record").refusal(false, true).is_some());
        assert!(aside("-gsplit-dwarf").refusal(true, false).is_some());
        assert!(aside("-gsplit-dwarf -flto").refusal(false, true).is_some());
        assert!(aside("-gsplit-dwarf -flto -fno-lto").refusal(false, true).is_none());
    }
}
