//! How a compilation is asked for, and what there is to draw from.

use std::collections::BTreeMap;

/// How the next compilations are asked for.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) compiler: &'static str,
    pub(crate) wrapped: bool,
    pub(crate) source: &'static str,
    pub(crate) form: Form,
    pub(crate) options: Vec<&'static str>,
    pub(crate) dependencies: &'static str,
    pub(crate) variables: BTreeMap<&'static str, &'static str>,
    pub(crate) below: bool,
    pub(crate) by_link: bool,
    pub(crate) umask: &'static str,
}

impl Asked {
    /// How the first ones are.
    pub(crate) fn first(compiler: &'static str) -> Self {
        Self {
            compiler,
            wrapped: false,
            source: sources(compiler)[0],
            form: FORMS[0],
            options: vec!["-Iinc1", "-Iinc2"],
            dependencies: "",
            variables: BTreeMap::new(),
            below: false,
            by_link: false,
            umask: "022",
        }
    }

    /// The name of what is made.
    pub(crate) fn object(&self) -> String {
        format!("main.{}", self.form.suffix)
    }
}

/// What is made of a source.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Form {
    pub(crate) options: &'static [&'static str],
    pub(crate) suffix: &'static str,
}

const fn form(options: &'static [&'static str], suffix: &'static str) -> Form {
    Form { options, suffix }
}

/// Mostly objects alone. Some of these are not understood, and must then do what they do without the cache. The coverage
/// notes of gcc are stamped with the time unless there is a seed.
pub(crate) const FORMS: [Form; 9] = [
    form(&["-c"], "o"),
    form(&["-c"], "o"),
    form(&["-c"], "o"),
    form(&["-c"], "o"),
    form(&["-c"], "o"),
    form(&["-S"], "s"),
    form(&["-c", "-g", "-gsplit-dwarf"], "o"),
    form(&["-c", "--coverage", "-frandom-seed=1"], "o"),
    form(&["-c", "-ftest-coverage", "-frandom-seed=main"], "o"),
];

/// What a compiler is given, most often what it is for.
pub(crate) const fn sources(compiler: &str) -> &'static [&'static str] {
    if matches!(compiler.as_bytes(), [.., b'+']) {
        &["main.cc", "main.cc", "main.cc", "main.S"]
    } else {
        &["main.c", "main.c", "main.c", "main.c", "main.S", "main.cc"]
    }
}

/// The directories in which headers come and go.
pub(crate) const DIRECTORIES: [&str; 6] = ["src", "inc1", "inc2", "quoted", "system", "after"];
/// The headers.
pub(crate) const NAMES: [&str; 5] = ["a.h", "b.h", "c.h", "sub/d.h", "e.h"];

pub(crate) const OPTIONS: [&[&str]; 18] = [
    &["-Iinc1", "-Iinc2"],
    &["-Iinc2", "-Iinc1"],
    &["-Ilink", "-Iinc1"],
    &["-isystem", "system"],
    &["-iquote", "quoted"],
    &["-iquotequoted", "-I.", "-Isrc/../inc2"],
    &["-idirafter", "after", "-I", "inc2"],
    &["-isystem", "inc1", "-Iinc1", "-Iinc2"],
    &["-Iinc1/", "-I./inc2", "-isystemsystem"],
    &["-include", "a.h"],
    &["-include", "inc2/b.h", "-DNAME=<c.h>"],
    &["-imacros", "b.h", "-Iinc2"],
    &["-g"],
    &["-O1"],
    &["-Wall", "-Wextra"],
    &["-DNAME=\"e.h\""],
    &["-Imissing", "-Imissing/../inc1"],
    &["-g", "-fdebug-prefix-map=src=there"],
];

pub(crate) const DEPENDENCIES: [&str; 9] = [
    "",
    "",
    "-MD",
    "-MMD",
    "-MD -MF out/deps",
    "-MMD -MF out/deps -MP",
    "-MMD -MT target",
    "-MD -MQ a$b -MP",
    "-Wp,-MMD,out/x.d",
];

pub(crate) const VARIABLES: [(&str, &[&str]); 6] = [
    ("CPATH", &["inc2", "inc1:after", ":inc1"]),
    ("C_INCLUDE_PATH", &["system", "inc1"]),
    ("CPLUS_INCLUDE_PATH", &["system", "inc1"]),
    ("SOURCE_DATE_EPOCH", &["1", "86400"]),
    ("LC_ALL", &["C", "C.UTF-8"]),
    ("GCC_COLORS", &["error=01"]),
];
