//! Whatever would make a later compilation read something else is an ingredient of the first one.
//!
//! Each test compiles, plants a header where the compiler would find it first, and checks with the compiler itself that it
//! does; the planted path must be among the ingredients of the first run.
#![allow(missing_docs)]

mod support;

use std::fs;

use support::{Repository, installed};

/// Asserts that planting each of `plants` changes what is compiled, and that the ingredients name it.
fn planted(repository: &Repository, arguments: &[&str], plants: &[&str]) {
    for compiler in ["gcc", "clang"].into_iter().filter(|compiler| installed(compiler)) {
        let argv = [&[compiler, "-w", "-c", "-o", "out.o"], arguments].concat();
        let ran = repository.run(&argv);
        assert_eq!(ran.discovery.uncacheable, None, "{argv:?}");
        let object = || {
            let ended = repository.plain(&argv).status.success();
            (ended, fs::read(repository.root.join("out.o")).unwrap_or_default())
        };
        let before = object();
        for plant in plants {
            assert!(ran.names(plant), "{argv:?} looked for {plant}: {:#?}", ran.discovery.ingredients);
            let place = repository.root.join(plant);
            assert!(!place.exists(), "{plant}");
            repository.write(plant, "int planted_here;\n#define PLANTED 1\n#define int long long\n");
            assert!(object() != before, "{argv:?}: planting {plant} changes nothing");
            fs::remove_file(place).expect("a planted file");
        }
    }
}

const USE: &str = "#ifdef PLANTED\nint planted = 2;\n#endif\nint used;\n";

#[test]
fn a_header_that_appears_earlier_in_the_search() {
    let source = format!("#include \"x.h\"\n#include <y.h>\n{USE}");
    let repository = Repository::new(&[
        ("src/a.c", &source),
        ("inc2/x.h", "int x;\n"),
        ("inc2/y.h", "int y;\n"),
        ("inc1/z.h", ""),
    ]);
    planted(&repository, &["-Iinc1", "-I", "inc2", "src/a.c"], &["src/x.h", "inc1/x.h", "inc1/y.h"]);
    planted(&repository, &["-iquote", "q", "-I./missing/", "-Iinc2", "src/a.c"], &["q/x.h", "missing/y.h"]);
    planted(&repository, &["-isystem", "s", "-idirafter", "inc2", "src/a.c"], &["s/x.h", "s/y.h"]);
}

#[test]
fn a_header_beside_the_including_file() {
    let repository = Repository::new(&[
        ("a.c", &format!("#include <l/m.h>\n{USE}")),
        ("inc/l/m.h", "#include \"n.h\"\n"),
        ("inc/n.h", "int n;\n"),
    ]);
    planted(&repository, &["-Inone", "-Iinc", "a.c"], &["inc/l/n.h", "none/n.h", "none/l/m.h"]);
}

#[test]
fn a_header_that_is_asked_for() {
    let source = format!(
        "#if __has_include(\"opt.h\")\n#include \"opt.h\"\n#endif\n#if __has_include(<o/p.h>)\nint p;\n#endif\n{USE}"
    );
    let repository = Repository::new(&[("src/a.c", &source), ("i/.keep", "")]);
    planted(&repository, &["-Ii", "src/a.c"], &["src/opt.h", "i/opt.h", "i/o/p.h"]);
}

/// fmt and others ask through a macro, and nothing that includes them was recorded.
#[test]
fn a_header_that_is_asked_for_through_a_macro() {
    let source = format!(
        "#include \"has.h\"\n#if HAS(\"opt.h\")\n#include \"opt.h\"\n#endif\n#if HAS(<o/p.h>)\nint p;\n#endif\n{USE}"
    );
    let has = "#ifdef __has_include\n# define HAS(x) __has_include(x)\n#else\n# define HAS(x) 0\n#endif\n";
    let repository = Repository::new(&[("src/a.c", &source), ("i/has.h", has)]);
    planted(&repository, &["-Ii", "src/a.c"], &["src/opt.h", "i/opt.h", "i/o/p.h"]);
}

/// An argument of a macro is expanded before `__has_include` sees it: what is asked for here is `q/p.h` and `1/p.h`.
#[test]
fn a_header_that_is_asked_for_by_a_name_that_macros_change() {
    let ask = "#define HAS(x) __has_include(x)\n#if HAS(<o/p.h>)\nint p;\n#endif\nint used;\n";
    let repository = Repository::new(&[
        ("a.c", &format!("#define o q\n{ask}")),
        ("b.c", ask),
        ("c.c", &ask.replace("<o/", "<linux/")),
        ("d.c", "#define o q\n#define ASKED __has_include(<o/p.h>)\n#if ASKED\nint p;\n#endif\nint used;\n"),
        ("i/.keep", ""),
    ]);
    planted(&repository, &["-Ii", "a.c"], &["i/q/p.h"]);
    planted(&repository, &["-Ii", "d.c"], &["i/q/p.h"]);
    planted(&repository, &["-Ii", "-Do=q", "b.c"], &["i/q/p.h"]);
    planted(&repository, &["-Ii", "-D", "o", "b.c"], &["i/1/p.h"]);
    planted(&repository, &["-Ii", "c.c"], &["i/1/p.h"]);
    planted(&repository, &["-Ii", "-std=c11", "c.c"], &["i/linux/p.h"]);
}

#[test]
fn a_name_that_macros_change_beyond_knowing_is_not_recorded() {
    let ask = "#define HAS(x) __has_include(x)\n#if HAS(<o/p.h>)\nint p;\n#endif\n";
    let repository = Repository::new(&[
        ("a.c", ask),
        ("b.c", &format!("#define o q r\n{ask}")),
        ("c.c", "#define P(a, b) a##b\n#if P(__has_, include)(<o.h>)\nint p;\n#endif\n"),
    ]);
    for compiler in ["gcc", "clang"].into_iter().filter(|compiler| installed(compiler)) {
        assert_eq!(repository.run(&[compiler, "-c", "a.c"]).discovery.uncacheable, None);
        for arguments in
            [&["-c", "b.c"][..], &["-c", "c.c"], &["-c", "a.c", "-Do=(1)"], &["-c", "a.c", "-DOTHER=HAS"]]
        {
            let ran = repository.run(&[&[compiler], arguments].concat());
            assert!(ran.discovery.uncacheable.is_some(), "{compiler} {arguments:?}");
        }
    }
}

/// The directive goes on behind a comment, and its line does not begin with it.
#[test]
fn a_header_that_is_asked_for_behind_a_comment_of_two_lines() {
    let source = format!("#if 0 /* begun\n ended */ || __has_include(<o.h>)\nint o;\n#endif\n{USE}");
    planted(&Repository::new(&[("a.c", &source), ("i/.keep", "")]), &["-Ii", "a.c"], &["i/o.h"]);
}

#[test]
fn a_header_that_is_asked_for_and_there() {
    let repository = Repository::new(&[("a.c", "#if __has_include(<p.h>)\nint p;\n#endif\n"), ("i/p.h", "")]);
    for compiler in ["gcc", "clang"].into_iter().filter(|compiler| installed(compiler)) {
        assert!(repository.run(&[compiler, "-Ii", "-c", "a.c"]).names("i/p.h"));
    }
}

#[test]
fn the_next_header_of_a_name() {
    let repository = Repository::new(&[
        ("a.c", &format!("#include <w.h>\n{USE}")),
        ("i1/w.h", "#include_next <w.h>\n"),
        ("i3/w.h", "#include <v.h>\n"),
        ("i3/v.h", "#include_next <w.h>\n"),
        ("i5/w.h", "int w;\n"),
    ]);
    let arguments = ["-Ii0", "-Ii1", "-Ii2", "-Ii3", "-Ii4", "-Ii5", "a.c"];
    planted(&repository, &arguments, &["i0/w.h", "i2/w.h", "i4/w.h", "i0/v.h"]);
}

#[test]
fn a_forced_header() {
    let repository = Repository::new(&[("src/a.c", USE), ("i2/f.h", "int f;\n"), ("i2/m.h", "#define M\n")]);
    let arguments = ["-include", "f.h", "-imacros", "m.h", "-Ii1", "-Ii2", "src/a.c"];
    planted(&repository, &arguments, &["f.h", "i1/f.h", "m.h", "i1/m.h"]);
}

#[test]
fn a_computed_header() {
    let repository = Repository::new(&[
        ("src/a.c", &format!("#define H <d/x.h>\n#include H\n#define Q \"q.h\"\n#include Q\n{USE}")),
        ("i2/d/x.h", "int x;\n"),
        ("i2/q.h", "int q;\n"),
    ]);
    planted(&repository, &["-Ii1", "-Ii2", "src/a.c"], &["i1/d/x.h", "src/q.h", "i1/q.h"]);
    let defined = Repository::new(&[("src/a.c", &format!("#include H\n{USE}")), ("i2/d/x.h", "int x;\n")]);
    planted(&defined, &["-DH=<d/x.h>", "-Ii1", "-Ii2", "src/a.c"], &["i1/d/x.h"]);
}

#[test]
fn directories_of_the_environment() {
    let files = [("src/a.c", &*format!("#include <x.h>\n{USE}")), ("i2/x.h", "int x;\n")];
    let repository = Repository::new(&files).variable("CPATH", "c1:i2");
    planted(&repository, &["-Ii1", "src/a.c"], &["i1/x.h", "c1/x.h"]);
    let repository =
        Repository::new(&files).variable("C_INCLUDE_PATH", "c1::i2").variable("CPLUS_INCLUDE_PATH", "no");
    planted(&repository, &["-isystem", "i1", "src/a.c"], &["i1/x.h", "c1/x.h", "x.h"]);
}

#[test]
fn system_headers_that_could_be_the_users_own() {
    let repository = Repository::new(&[("a.c", &format!("#include <stdio.h>\n{USE}")), ("i/.keep", "")]);
    planted(&repository, &["-Ii", "a.c"], &["i/stdio.h", "i/bits/types.h", "i/features.h", "i/stddef.h"]);
}

/// gcc takes `x.h.gch` for the first header of a compilation, wherever it could lie.
#[test]
fn a_precompiled_header() {
    let repository = Repository::new(&[("src/a.c", "#include \"x.h\"\n"), ("i2/x.h", "int x;\n")]);
    let ran = repository.run(&["gcc", "-Ii1", "-Ii2", "-c", "src/a.c"]);
    for path in ["src/x.h.gch", "i1/x.h.gch", "i2/x.h.gch"] {
        assert!(ran.names(path), "{path}");
    }
    let forced = repository.run(&["gcc", "-Ii2", "-include", "i2/x.h", "-c", "src/a.c"]);
    assert!(forced.names("i2/x.h.gch") && forced.names("i2/x.h.pch"));
}

/// A precompiled header that was taken is in no report, and neither is its header: an object that was compiled with it was
/// revived after it had been made anew with other content.
#[test]
fn a_precompiled_header_that_was_taken() {
    let repository = Repository::new(&[
        ("a.c", "#include \"x.h\"\n#include \"y.h\"\nint a = X;\n"),
        ("x.h", "#define X 1\n"),
        ("y.h", "#include \"x.h\"\n"),
    ]);
    assert!(repository.plain(&["gcc", "x.h"]).status.success());
    let ran = repository.run(&["gcc", "-c", "a.c"]);
    assert!(ran.names("x.h.gch"), "{:#?}", ran.discovery.ingredients);
    assert_eq!(ran.discovery.uncacheable.as_deref(), Some("`x.h.gch` is a precompiled header"));
}

/// gcc alone does not report a second `#pragma once` file of the same content, although it was found.
#[test]
fn a_copy_that_is_skipped() {
    let text = "#pragma once\nint x;\n";
    let repository = Repository::new(&[
        ("a.c", "#include \"one/x.h\"\n#include \"two/x.h\"\n"),
        ("one/x.h", text),
        ("two/x.h", text),
    ]);
    let times =
        fs::metadata(repository.root.join("one/x.h")).and_then(|data| data.modified()).expect("a time");
    let two = fs::File::options().append(true).open(repository.root.join("two/x.h")).expect("a file");
    two.set_modified(times).expect("a time that can be set");
    assert!(repository.run(&["gcc", "-c", "a.c"]).names("two/x.h"));
}

#[test]
fn real_headers_are_recorded() {
    let c = "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n#include <limits.h>\n#include <float.h>\n\
             #include <math.h>\n#include <errno.h>\n#include <time.h>\n#include <locale.h>\n#include <signal.h>\n\
             #include <setjmp.h>\n#include <unistd.h>\n#include <sys/stat.h>\n#include <fcntl.h>\n#include <dlfcn.h>\n\
             #include <pthread.h>\n#include <stdint.h>\n#include <stdatomic.h>\n#include <sys/mount.h>\nint x;\n";
    let cxx = "#include <vector>\n#include <map>\n#include <string>\n#include <iostream>\n#include <thread>\n#include <regex>\n\
               #include <algorithm>\n#include <filesystem>\n#include <optional>\n#include <cmath>\nint x;\n";
    let repository = Repository::new(&[("a.c", c), ("b.cc", cxx)]);
    for (compiler, source) in [("gcc", "a.c"), ("clang", "a.c"), ("g++", "b.cc"), ("clang++", "b.cc")] {
        if installed(compiler) {
            let ran = repository.run(
                &[compiler, "-MMD", "-std=gnu++17", "-w", "-Iinc", "-c", source][..]
                    .iter()
                    .filter(|one| !(source == "a.c" && one.starts_with("-std")))
                    .copied()
                    .collect::<Vec<_>>(),
            );
            assert_eq!(ran.discovery.uncacheable, None, "{compiler} {source}");
            assert!(ran.discovery.ingredients.len() < 4000, "{}", ran.discovery.ingredients.len());
        }
    }
}

#[test]
fn what_no_report_names_is_not_recorded() {
    for line in ["char *d = __DATE__;", "asm(\".incbin \\\"a.c\\\"\");", "#if __has_include(X)\n#endif"] {
        let repository = Repository::new(&[("a.c", &format!("#define X <x.h>\n{line}\n"))]);
        let ran = repository.run(&["gcc", "-c", "a.c"]);
        assert!(ran.discovery.uncacheable.is_some(), "{line}");
    }
    let repository = Repository::new(&[("a.c", "char *d = __DATE__;\n")]).variable("SOURCE_DATE_EPOCH", "1");
    assert_eq!(repository.run(&["gcc", "-c", "a.c"]).discovery.uncacheable, None);
}

#[test]
fn the_same_is_answered_to_the_same() {
    let repository = Repository::new(&[("a.c", "#include <stdio.h>\n#include \"b.h\"\n"), ("b.h", "")]);
    let argv = ["gcc", "-g", "-O2", "-MMD", "-Ii", "-c", "a.c"];
    let (one, two) = (repository.run(&argv), repository.run(&argv));
    assert!(one.derivation == two.derivation && one.discovery == two.discovery);
}
