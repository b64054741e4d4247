//! The depfile that a user asked for is the one that the compiler would have written, byte for byte.
#![allow(missing_docs)]

mod support;

use std::fs;

use support::{Repository, installed};

fn repository() -> Repository {
    let long = "a-directory-with-a-long-name/and-another-one-below-it/that-breaks-lines.h";
    Repository::new(&[
        (
            "src/a.c",
            &format!("#include \"b.h\"\n#include <stdio.h>\n#include <c.h>\n#include \"{long}\"\nint a;\n"),
        ),
        ("src/b.h", "#include \"d.h\"\n#include <stdlib.h>\n"),
        ("src/d.h", "#pragma once\n"),
        ("include/c.h", "#include <limits.h>\n#include <e.h>\n"),
        ("third/e.h", "#include \"f.h\"\n"),
        ("third/f.h", "\n"),
        (&format!("include/{long}"), "#include <stddef.h>\n"),
        ("o dd/s p$a#c.c", "#include \"x y.h\"\n#include \"b$c#d.h\"\n#include <stddef.h>\n"),
        ("o dd/x y.h", ""),
        ("o dd/b$c#d.h", ""),
        ("lone.c", "int lone;\n"),
        ("many.cc", "#include <vector>\n#include <map>\n#include <iostream>\n#include <c.h>\nint many;\n"),
        ("sub/.keep", ""),
    ])
}

/// Compares what is produced with what the plain command writes to `depfile`.
fn same(repository: &Repository, argv: &[&str], depfile: &str) {
    let place = repository.root.join(depfile);
    let plain = repository.plain(argv);
    assert!(plain.status.success(), "{argv:?}: {}", String::from_utf8_lossy(&plain.stderr));
    let expected = fs::read_to_string(&place).expect("the compiler's own depfile");
    fs::remove_file(&place).expect("a depfile that can be removed");
    let ran = repository.run(argv);
    assert_eq!(ran.discovery.uncacheable, None, "{argv:?}");
    assert_eq!(String::from_utf8_lossy(ran.produced()), expected, "{argv:?}");
    assert!(!place.exists(), "{argv:?} left the depfile to the compiler");
    let write = ran.derivation.writes.iter().find(|write| write.label == "depfile").expect("a write");
    assert_eq!(write.path, depfile, "{argv:?}");
}

#[test]
fn depfiles_are_those_of_the_compiler() {
    let repository = repository();
    for compiler in ["gcc", "clang", "g++", "clang++"].into_iter().filter(|compiler| installed(compiler)) {
        let dirs = ["-Iinclude", "-isystem", "third"];
        let sources = ["src/a.c", "./src//a.c", "o dd/s p$a#c.c", "lone.c", "many.cc"];
        // The drivers of C++ differ in the language alone.
        for source in sources.into_iter().filter(|source| compiler.ends_with("++") == (*source == "many.cc"))
        {
            for list in ["-MD", "-MMD"] {
                let tails: [(&[&str], &str); 10] = [
                    (&["-MF", "x.d"], "x.d"),
                    (&["-MFx.d", "-o", "sub/out.o"], "x.d"),
                    (&["-o", "sub/out.o"], "sub/out.d"),
                    (&["-o", "sub/out"], "sub/out.d"),
                    (&["-osub/o u$t.x.o", "-MP"], "sub/o u$t.x.d"),
                    (&["-MP", "-MF", "x.d"], "x.d"),
                    (&["-MT", "t$x y", "-MQ", "t$x y", "-MF", "x.d"], "x.d"),
                    (&["-MP", "-MTone", "-MTtwo", "-MFsub/y z.d"], "sub/y z.d"),
                    (
                        &[
                            "-MF",
                            "x.d",
                            "-MT",
                            "a/very/long/target/that/goes/on/and/on/and/on/up/to/the/end/of/the/line.o",
                            "-MT",
                            "a/very/long/target/that/goes/on/and/on/and/on/up/to/the/end/of/it.o",
                            "-MTa",
                        ],
                        "x.d",
                    ),
                    (
                        &[
                            "-O2",
                            "-MF",
                            "x.d",
                            "-o",
                            "a-name-of-an-object-that-nearly-fills-the-line-of-a-depfile.o",
                        ],
                        "x.d",
                    ),
                ];
                for (tail, depfile) in tails {
                    // The slow source shows how many headers are sorted out, not how options are spelled.
                    if source == "many.cc" && tail.len() > 2 {
                        continue;
                    }
                    let argv = [&[compiler, "-w"], &dirs[..], &["-c", source, list], tail].concat();
                    same(&repository, &argv, depfile);
                }
            }
        }
    }
}

#[test]
fn depfiles_that_the_preprocessor_was_asked_for_have_its_target() {
    let repository = repository();
    for compiler in ["gcc", "clang"].into_iter().filter(|compiler| installed(compiler)) {
        for list in ["-Wp,-MD,x.d", "-Wp,-MMD,x.d"] {
            same(
                &repository,
                &[compiler, "-Iinclude", "-Ithird", list, "-c", "src/a.c", "-o", "sub/out.o"],
                "x.d",
            );
            same(&repository, &[compiler, "-Iinclude", "-Ithird", list, "-c", "src/a.c"], "x.d");
            same(&repository, &[compiler, "-Iinclude", "-Ithird", list, "-MTq", "-c", "src/a.c"], "x.d");
        }
    }
}

/// The first inclusion decides whether a header is the system's, and conditions decide which one that is.
#[test]
fn a_depfile_that_is_not_certain_is_produced_and_not_recorded() {
    let repository = Repository::new(&[
        ("a.c", "#include <s.h>\n#include \"own.h\"\n"),
        ("own.h", "#pragma once\n"),
        ("third/s.h", "#if 0\n#include <own.h>\n#endif\n"),
    ]);
    let ran = repository.run(&["gcc", "-I.", "-isystem", "third", "-MMD", "-c", "a.c"]);
    assert_eq!(ran.produced(), b"a.o: a.c own.h\n");
    assert!(ran.discovery.uncacheable.is_some());
}

#[test]
fn replaced_arguments_make_the_same_object() {
    let repository = repository();
    for compiler in ["gcc", "clang"].into_iter().filter(|compiler| installed(compiler)) {
        for options in [&["-O2"][..], &["-g"], &["-g3", "-O1", "-fdebug-prefix-map=/tmp=/x"], &["-MMD", "-g"]]
        {
            let argv =
                [&[compiler, "-Iinclude", "-Ithird", "-c", "src/a.c", "-o", "out.o"], options].concat();
            let object = repository.root.join("out.o");
            assert!(repository.plain(&argv).status.success());
            let plain = fs::read(&object).expect("an object");
            fs::remove_file(&object).expect("an object");
            repository.run(&argv);
            assert!(plain == fs::read(&object).expect("an object"), "{argv:?}");
        }
    }
}
