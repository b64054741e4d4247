//! The paths that a compilation looked at: what it read, and what was absent where it looked first.
//!
//! A report names what was found. What was looked for before that is walked here: for each name that a read file looks
//! for, the search's directories in order, up to the first one in which the report has the name. All paths up to there
//! are *places*: the last one by its content, those before by their absence.
//!
//! * A name that the report has nowhere was left out by an `#if`, or was found under another path. In the repository's
//!   own files each path that it could have is a place; in system headers only where `__has_include` asked for it.
//! * `#include_next` begins behind the directory of its file. Which one that is cannot be told where several hold the
//!   file, so the walk begins at the first directory and ends behind the last one that could be meant.
//! * clang drops a directory that is one of the system's under another name, by a link say, looks into it when the system's
//!   turn comes, and reports the dropped name all the same. So a name that was found in a directory of the user's is
//!   walked on with up to the last directory that could be meant.
//! * A name that a macro has can be any: each read file that lies in a searched directory is taken to have been found
//!   that way, and its places are the same name in all directories before.
//! * gcc looks for precompiled headers (`precompiled`), and clang for `x.h.pch` beside a forced one.
//! * A read file that nothing explains says that the walk misses something: the run is not recorded.

use std::collections::BTreeMap;

use reviver_sdk::path::{below, join, normal, parent};

use crate::directive::{Finding, Lookup};
use crate::precompiled;
use crate::run::Run;

/// More places than this would cost more than the compilation.
const PLACES: usize = 50_000;

/// What follows from it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Places {
    /// The places that the report does not name.
    pub(crate) absent: Vec<String>,
    /// Whether each file of the report counts as one of the user's own.
    pub(crate) own: Vec<bool>,
    /// Whether that is certain.
    pub(crate) certain: bool,
    /// Why the run must not be recorded.
    pub(crate) uncacheable: Option<String>,
}

/// A directive of the file `from` (the command line where there is none) that found the file `to`.
struct Edge {
    from: Option<usize>,
    to: usize,
    system: bool,
}

struct Walk<'a> {
    run: Run<'a>,
    /// All paths that were looked at, with the file of the report that each is. One map for both keeps the guest small.
    paths: BTreeMap<String, Option<usize>>,
    edges: Vec<Edge>,
}

/// Walks what the files of a run look for.
#[must_use]
pub(crate) fn walk(run: Run<'_>) -> Places {
    let mut paths = BTreeMap::new();
    for (index, file) in run.files.iter().enumerate() {
        paths.entry(file.clone()).or_insert(Some(index));
    }
    let mut walk = Walk { run, paths, edges: Vec::new() };
    walk.command_line();
    for (from, findings) in run.findings.iter().enumerate() {
        let strict = walk.is_own(from);
        for finding in findings {
            if let Finding::Lookup(lookup) = finding {
                walk.lookup(Some(from), lookup, strict);
            }
        }
    }
    let explained = |file: usize| walk.edges.iter().any(|edge| edge.to == file);
    let unexplained = (1..run.files.len()).filter(|file| !explained(*file)).count();
    let (precompiled, computed) = precompiled::places(&run, unexplained);
    for path in precompiled {
        walk.visit(path);
    }
    walk.computed();
    let mut places = walk.finish();
    if computed && places.uncacheable.is_none() {
        places.uncacheable = Some("a computed name may have found a precompiled header".to_owned());
    }
    places
}

impl Walk<'_> {
    fn command_line(&mut self) {
        let lookup = |name: &str, quoted| Lookup { name: name.to_owned(), quoted, next: false, asked: false };
        if !self.run.clang {
            self.lookup(None, &lookup("stdc-predef.h", false), true);
        }
        for name in self.run.forced {
            self.lookup(None, &lookup(name, true), true);
            self.visit(normal(&format!("{name}.gch")));
            self.visit(normal(&format!("{name}.pch")));
        }
    }

    fn visit(&mut self, path: String) {
        self.paths.entry(path).or_insert(None);
    }

    /// Walks one name; `strict` where it counts although the report has it nowhere.
    fn lookup(&mut self, from: Option<usize>, lookup: &Lookup, strict: bool) {
        let files = self.run.files;
        let includer = from.map_or("", |from| files[from].as_str());
        let candidates = self.run.candidates(includer, lookup);
        let at = |path: &str| {
            self.paths.get(path).copied().flatten().filter(|to| !lookup.next || from != Some(*to))
        };
        let mut found: Vec<(usize, usize, bool)> = candidates
            .iter()
            .enumerate()
            .filter_map(|(position, (_, path, system))| Some((position, at(path)?, *system)))
            .collect();
        // Where it is not known for certain which directory the includer was found in, a name found in any that could
        // be does not end the walk, although it may be the one that was meant.
        let behind = candidates.iter().rposition(|(directory, _, _)| {
            lookup.next && directory.is_some_and(|directory| below(includer, directory).is_some())
        });
        let end = found.iter().position(|(position, _, _)| behind.is_none_or(|behind| *position > behind));
        if let Some(end) = end {
            found.truncate(end + 1);
        }
        let given = candidates.len().saturating_sub(self.run.search.angled.len()) + self.run.search.given;
        let walked = match end {
            Some(end) if self.run.clang && !found[end].2 && candidates[found[end].0].0.is_some() => {
                &candidates[..given.max(found[end].0 + 1)]
            }
            Some(end) => &candidates[..=found[end].0],
            None if strict || lookup.asked || !found.is_empty() => &candidates[..],
            None => return,
        };
        if !lookup.asked || self.run.clang {
            self.edges.extend(found.iter().map(|(_, to, system)| Edge { from, to: *to, system: *system }));
        }
        for (_, path, _) in walked {
            self.visit(path.clone());
        }
    }

    /// Takes every file to have been found under every name that a macro could have had.
    fn computed(&mut self) {
        let run = self.run;
        let by: Vec<usize> = (0..run.findings.len())
            .filter(|index| run.findings[*index].contains(&Finding::Computed))
            .collect();
        if by.is_empty() {
            return;
        }
        let mut directories: Vec<(&str, bool)> =
            by.iter().map(|index| (parent(&run.files[*index]), false)).collect();
        let searched = run.search.quoted.iter().chain(&run.search.angled);
        directories.extend(searched.map(|directory| (directory.path.as_str(), directory.system)));
        for (to, file) in run.files.iter().enumerate().skip(1) {
            for (at, (directory, system)) in directories.iter().enumerate() {
                let Some(name) = below(file, directory) else { continue };
                self.edges.extend(by.iter().map(|from| Edge { from: Some(*from), to, system: *system }));
                let precompiled = run.first() == Some(to) && !run.clang;
                for (before, _) in &directories[..=at] {
                    let path = join(before, name);
                    if precompiled {
                        self.visit(format!("{path}.gch"));
                    }
                    self.visit(path);
                }
            }
        }
    }

    /// Whether a file is the user's own by its place: in doubt it is.
    fn is_own(&self, file: usize) -> bool {
        let search = self.run.search;
        let file = self.run.files[file].as_str();
        let within =
            |system| search.angled.iter().any(|it| it.system == system && below(file, &it.path).is_some());
        !within(true) || within(false) || search.quoted.iter().any(|it| below(file, &it.path).is_some())
    }

    /// Whether each file can be reached as one of the user's own, and as a system header.
    fn reach(&self) -> (Vec<bool>, Vec<bool>) {
        let count = self.run.files.len();
        let marked: Vec<bool> =
            self.run.findings.iter().map(|all| all.contains(&Finding::SystemHeader)).collect();
        let (mut own, mut system) = (vec![false; count], vec![false; count]);
        own[0] = true;
        // gcc names a file twice now and then; what is known of it is known of the first one.
        let first = |file: usize| self.paths.get(&self.run.files[file]).copied().flatten();
        let twins: Vec<(usize, usize)> =
            (1..count).filter_map(|file| Some((file, first(file).filter(|first| *first != file)?))).collect();
        loop {
            let before = (own.clone(), system.clone());
            for edge in &self.edges {
                let (from_own, from_system) = match edge.from {
                    None => (true, false),
                    Some(from) => (own[from], system[from] || marked[from]),
                };
                own[edge.to] |= from_own && !edge.system;
                system[edge.to] |= from_system || edge.system;
            }
            for (twin, first) in &twins {
                own[*twin] |= own[*first];
                system[*twin] |= system[*first];
            }
            if before == (own.clone(), system.clone()) {
                return (own, system);
            }
        }
    }

    fn finish(self) -> Places {
        let (own, system) = self.reach();
        // The source is what it is, whatever else includes it.
        let certain = (1..own.len()).all(|index| own[index] != system[index]);
        let uncacheable = self.uncacheable(&own, &system);
        // Where it is not certain a depfile names too much rather than too little.
        let own = own.iter().zip(&system).map(|(own, system)| *own || !system).collect();
        let mut absent = Vec::with_capacity(self.paths.len());
        absent.extend(self.paths.into_iter().filter_map(|(path, file)| file.is_none().then_some(path)));
        Places { absent, own, certain, uncacheable }
    }

    fn uncacheable(&self, own: &[bool], system: &[bool]) -> Option<String> {
        for (file, findings) in self.run.files.iter().zip(self.run.findings) {
            for finding in findings {
                match finding {
                    Finding::Never(why) => return Some(format!("`{file}` {why}")),
                    Finding::Date if !self.run.dated => {
                        return Some(format!("`{file}` holds `__DATE__` or `__TIME__`"));
                    }
                    _ => {}
                }
            }
            if [".gch", ".pch"].iter().any(|suffix| file.ends_with(suffix)) {
                return Some(format!("`{file}` is a precompiled header"));
            }
        }
        if let Some(index) = (1..own.len()).find(|index| !own[*index] && !system[*index]) {
            return Some(format!("how `{}` was found is not known", self.run.files[index]));
        }
        (self.paths.len() > PLACES).then(|| "too many paths were searched for headers".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Directories;
    use crate::directive::{NEEDLES, findings};
    use crate::search::Search;

    /// The places of a run whose files hold these lines, with `-Iinc1 -Iinc2` and `/sys1 /sys2` searched.
    fn places(files: &[(&str, &str)]) -> Places {
        let words = |text: &str| text.split_ascii_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let given = Directories { angled: words("inc1 inc2"), quoted: words("q"), ..Directories::default() };
        let search = Search::new(&given, &[], &[], &words("/sys1 /sys2"));
        let said: Vec<Vec<Finding>> = files
            .iter()
            .map(|(_, text)| {
                let mut found = Vec::new();
                for (line, (index, needle)) in
                    text.lines().flat_map(|line| (0..).zip(NEEDLES).map(move |it| (line, it)))
                {
                    if line.contains(needle) {
                        findings(index, line.as_bytes(), false, &mut found);
                    }
                }
                found
            })
            .collect();
        let names: Vec<String> = files.iter().map(|(name, _)| (*name).to_owned()).collect();
        walk(Run { files: &names, findings: &said, search: &search, forced: &[], clang: true, dated: false })
    }

    fn absent(places: &Places) -> Vec<&str> {
        places.absent.iter().map(String::as_str).collect()
    }

    #[test]
    fn directories_before_the_finding_one_are_absences() {
        let quoted = places(&[("src/a.c", "#include \"x.h\""), ("inc2/x.h", "")]);
        assert_eq!(absent(&quoted), ["inc1/x.h", "q/x.h", "src/x.h"]);
        assert_eq!(quoted.uncacheable, None);
        let angled = places(&[("src/a.c", "#include <x.h>"), ("/sys1/x.h", "")]);
        assert_eq!(absent(&angled), ["inc1/x.h", "inc2/x.h"]);
        assert_eq!(angled.own, [true, false]);
        assert!(angled.certain);
    }

    #[test]
    fn a_directory_that_may_be_the_systems_under_another_name_does_not_end_the_walk_of_clang() {
        let given = Directories {
            angled: vec!["link".to_owned(), "inc".to_owned()],
            system: vec!["sys".to_owned()],
            ..Directories::default()
        };
        let search = Search::new(&given, &[], &[], &["/usr/include".to_owned()]);
        let files = ["a.c".to_owned(), "link/x.h".to_owned()];
        let lookup = Lookup { name: "x.h".to_owned(), quoted: false, next: false, asked: false };
        let findings = [vec![Finding::Lookup(lookup)], vec![]];
        let absent = |clang| {
            walk(Run {
                files: &files,
                findings: &findings,
                search: &search,
                forced: &[],
                clang,
                dated: false,
            })
            .absent
        };
        assert_eq!(absent(true), ["inc/x.h", "sys/x.h"]);
        assert!(!absent(false).contains(&"inc/x.h".to_owned()));
    }

    #[test]
    fn the_next_search_ends_behind_every_directory_that_could_be_meant() {
        let next = places(&[
            ("a.c", "#include <l.h>"),
            ("/sys1/l.h", "#include \"s.h\""),
            ("/sys1/s.h", "#include_next <l.h>"),
            ("/sys2/l.h", ""),
        ]);
        assert_eq!(absent(&next), ["inc1/l.h", "inc2/l.h"]);
        assert_eq!(next.uncacheable, None);
    }

    #[test]
    fn names_that_were_asked_for_count_wherever_they_are() {
        let asked =
            places(&[("a.c", "#include <s.h>"), ("/sys2/s.h", "#if __has_include(<n.h>)\n#include <m.h>")]);
        assert_eq!(
            absent(&asked),
            ["/sys1/n.h", "/sys1/s.h", "/sys2/n.h", "inc1/n.h", "inc1/s.h", "inc2/n.h", "inc2/s.h"]
        );
    }

    #[test]
    fn names_that_were_left_out_count_in_own_files_alone() {
        let left_out = places(&[("a.c", "#include <windows.h>")]);
        assert_eq!(
            absent(&left_out),
            ["/sys1/windows.h", "/sys2/windows.h", "inc1/windows.h", "inc2/windows.h"]
        );
    }

    #[test]
    fn a_computed_name_can_be_any() {
        let computed = places(&[("src/a.c", "#include NAME"), ("inc2/d/x.h", "")]);
        assert_eq!(absent(&computed), ["inc1/d/x.h", "q/d/x.h", "src/d/x.h"]);
        assert_eq!(computed.uncacheable, None);
    }

    #[test]
    fn a_file_that_nothing_explains_is_not_recorded() {
        let unexplained = places(&[("a.c", ""), ("inc1/x.h", "")]);
        assert_eq!(unexplained.uncacheable.as_deref(), Some("how `inc1/x.h` was found is not known"));
    }

    /// gcc reported `fmt/format.h` a second time when it came again through another header.
    #[test]
    fn a_file_that_is_reported_twice_is_one() {
        let twice = places(&[
            ("a.c", "#include <x.h>\n#include <s.h>"),
            ("inc1/x.h", ""),
            ("/sys1/s.h", ""),
            ("inc1/x.h", ""),
        ]);
        assert_eq!(twice.uncacheable, None);
        assert_eq!((twice.own, twice.certain), (vec![true, true, false, true], true));
    }

    #[test]
    fn a_file_that_is_reached_both_ways_is_not_certain() {
        let both = places(&[
            ("a.c", "#include <s.h>\n#include \"x.h\""),
            ("/sys1/s.h", "#include <x.h>"),
            ("inc1/x.h", ""),
        ]);
        assert!(!both.certain);
        assert_eq!(both.own, [true, false, true]);
    }

    #[test]
    fn dates_and_assembly_are_not_recorded() {
        for line in ["char d[] = __DATE__;", "asm(\".incbin \\\"a\\\"\");"] {
            assert!(places(&[("a.c", line)]).uncacheable.is_some(), "{line}");
        }
    }
}
