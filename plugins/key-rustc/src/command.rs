//! A compilation, read from its arguments.

use crate::joined::{joined, wrong};
use crate::native::{Library, Place};
use crate::options::{Word, codegen, cut, read};

/// What the arguments of rustc say.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option that was given or not")]
pub(crate) struct Command<'a> {
    /// The root module as spelled.
    pub(crate) source: &'a str,
    /// The name of the crate.
    pub(crate) name: &'a str,
    /// What is put behind the name in the names of files.
    pub(crate) extra: &'a str,
    /// Where files are written; empty for the working directory.
    pub(crate) out: &'a str,
    /// Whether metadata is written as a file of its own.
    pub(crate) metadata: bool,
    /// Whether the library is written.
    pub(crate) link: bool,
    /// Names and paths of the crates that are passed.
    pub(crate) externs: Vec<(&'a str, &'a str)>,
    /// Where libraries are looked for.
    pub(crate) places: Vec<Place<'a>>,
    /// The native libraries that are named.
    pub(crate) libraries: Vec<Library<'a>>,
    /// The target, where it is not rustc's own.
    pub(crate) target: Option<&'a str>,
    /// The kind of crate that needs a linker, where there is one.
    linked: Option<&'a str>,
    kind: bool,
    dep_info: bool,
    test: bool,
    debug: bool,
    lean: bool,
    linker_plugin: bool,
    new_dwarf: bool,
}

/// Why what is linked is refused.
const LINKED: &str = "is linked, by what and with what rustc does not tell";

/// Crates that come with rustc, which need no path.
const OWN: [&str; 5] = ["std", "core", "alloc", "proc_macro", "test"];

impl<'a> Command<'a> {
    /// What `arguments` say, or why they are not understood.
    pub(crate) fn parse(arguments: &'a [String]) -> Result<Self, String> {
        let mut command = Self::default();
        let mut rest = arguments.iter().map(String::as_str);
        while let Some(argument) = rest.next() {
            if argument == "-" {
                return Err("`-` is read from standard input".to_owned());
            }
            if !argument.starts_with(['-', '@']) {
                once(&mut command.source, argument, "source")?;
                continue;
            }
            match read(argument, &mut || rest.next())? {
                Word::Flag("-g") => command.debug = true,
                Word::Flag("--test") => command.test = true,
                Word::Flag(_) => {}
                Word::Valued(name, value) => command.valued(name, value)?,
            }
        }
        command.finish()
    }

    fn valued(&mut self, name: &str, value: &'a str) -> Result<(), String> {
        match name {
            "crate-name" => once(&mut self.name, value, "--crate-name")?,
            "out-dir" => once(&mut self.out, value, "--out-dir")?,
            "crate-type" => {
                self.kind = true;
                let mut kinds = value.split(',');
                self.linked = self.linked.or(kinds.find(|kind| !matches!(*kind, "lib" | "rlib")));
            }
            "emit" => self.emit(value)?,
            "extern" => self.passed(value)?,
            "L" => self.places.push(Place::parse(value)),
            "l" => self.libraries.push(Library::parse(value)?),
            "C" => self.codegen(value)?,
            "target" if value.contains(['/', '.']) => {
                return Err(wrong("--target ", value, "is not one of rustc's own"));
            }
            "target" => self.target = Some(value),
            _ => {}
        }
        Ok(())
    }

    fn emit(&mut self, kinds: &str) -> Result<(), String> {
        for kind in kinds.split(',') {
            match kind {
                "dep-info" => self.dep_info = true,
                "metadata" => self.metadata = true,
                "link" => self.link = true,
                _ => return Err(wrong("--emit=", kind, "is not understood")),
            }
        }
        Ok(())
    }

    fn passed(&mut self, value: &'a str) -> Result<(), String> {
        match cut(value) {
            Some((name, _)) if name.contains([':', ',']) => {
                Err(wrong("--extern ", value, "has modifiers, which are not stable"))
            }
            Some((name, path)) => {
                self.externs.push((name, path));
                Ok(())
            }
            None if OWN.contains(&value) => Ok(()),
            None => Err(wrong("--extern ", value, "has no path")),
        }
    }

    fn codegen(&mut self, option: &'a str) -> Result<(), String> {
        let (name, value) = codegen(option)?;
        match name {
            "extra-filename" => self.extra = value,
            "debuginfo" => self.debug = !matches!(value, "0" | "none"),
            "embed-bitcode" => self.lean = matches!(value, "no" | "n" | "off" | "false"),
            "linker-plugin-lto" => self.linker_plugin = !matches!(value, "no" | "n" | "off" | "false"),
            "dwarf-version" => self.new_dwarf = !matches!(value, "2" | "3" | "4"),
            _ => {}
        }
        Ok(())
    }

    fn finish(self) -> Result<Self, String> {
        let need = |there: bool, what: &str| if there { Ok(()) } else { Err(joined(&["no ", what])) };
        need(!self.source.is_empty(), "source is named")?;
        need(!self.name.is_empty(), "`--crate-name` is given")?;
        need(self.dep_info, "`--emit=dep-info` is asked for: only that tells what was read")?;
        need(self.metadata || self.link, "library or metadata is asked for")?;
        if self.link {
            if let Some(kind) = self.linked {
                return Err(wrong("", kind, LINKED));
            }
            if !self.kind || self.test {
                return Err(wrong("", "bin", LINKED));
            }
            self.check_debug()?;
        } else if !self.kind && !self.test {
            return Err("no `--crate-type` is given".to_owned());
        }
        Ok(self)
    }

    /// Refuses debugging information that holds checksums of sources behind the externs.
    fn check_debug(&self) -> Result<(), String> {
        if !self.debug || self.externs.is_empty() {
            return Ok(());
        }
        let known = self.target.is_none_or(|target| {
            ["-linux-gnu", "-linux-musl", "-apple-darwin"].iter().any(|end| target.ends_with(end))
                || target.starts_with("wasm32-")
        });
        let why = match () {
            () if !self.lean || self.linker_plugin => "bitcode (`-C embed-bitcode=no` is not given)",
            () if self.new_dwarf => "DWARF 5",
            () if !known => "the target's format",
            () => return Ok(()),
        };
        Err(joined(&["debugging information in ", why, " holds checksums of sources that no extern tells"]))
    }

    /// The path of a written file with this beginning and end.
    pub(crate) fn written(&self, start: &str, end: &str) -> String {
        let file = joined(&[start, self.name, self.extra, end]);
        if self.out.is_empty() {
            file
        } else {
            joined(&[self.out.strip_suffix('/').unwrap_or(self.out), "/", &*file])
        }
    }

    /// Whether `name` is a crate that was passed or comes with rustc.
    pub(crate) fn knows(&self, name: &[u8]) -> bool {
        name == b"self"
            || OWN.iter().any(|own| own.as_bytes() == name)
            || self.externs.iter().any(|(known, _)| known.as_bytes() == name)
    }
}

#[inline(never)]
fn once<'a>(place: &mut &'a str, value: &'a str, what: &str) -> Result<(), String> {
    if !place.is_empty() {
        return Err(wrong("", what, "is given twice"));
    }
    *place = value;
    Ok(())
}
