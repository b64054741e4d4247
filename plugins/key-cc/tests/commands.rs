//! Which command lines are understood, what they write, and what of them enters the key.
#![allow(missing_docs)]

mod support;

use reviver_sdk::testing::TestHost;
use reviver_sdk::{Derivation, Operation, Refusal, Source};

use key_cc::Cc;
use support::Repository;

fn words(line: &str) -> Vec<&str> {
    line.split_ascii_whitespace().collect()
}

fn texts(derivation: &Derivation) -> Vec<String> {
    let text = |source: &Source| if let Source::Text(text) = source { Some(text.clone()) } else { None };
    derivation.ingredients.iter().filter_map(|one| text(&one.source)).collect()
}

fn reason(refusal: &Refusal) -> &str {
    match refusal {
        Refusal::NotCacheable(why) | Refusal::Malformed(why) => why,
    }
}

/// Command lines that are understood, with the object and the depfile that they write.
const UNDERSTOOD: &[(&str, &str, &str)] = &[
    ("gcc -c a.c", "a.o", ""),
    ("cc -c a.c", "a.o", ""),
    ("gcc a.c -c", "a.o", ""),
    ("/usr/bin/gcc -c dir/a.c", "a.o", ""),
    ("gcc -c dir/a.b.c", "a.b.o", ""),
    ("gcc -c a.c -o b.o", "b.o", ""),
    ("gcc -c a.c -ob.o", "b.o", ""),
    ("gcc -o out/b -c a.c", "out/b", ""),
    ("g++ -c a.c", "a.o", ""),
    ("g++ -c a.cc", "a.o", ""),
    ("g++ -c a.cpp", "a.o", ""),
    ("g++ -c a.cxx", "a.o", ""),
    ("g++ -c a.C", "a.o", ""),
    ("g++ -c a.c++", "a.o", ""),
    ("g++ -c a.cp", "a.o", ""),
    ("gcc -c a.cc", "a.o", ""),
    ("gcc -x c -c a.txt", "a.o", ""),
    ("gcc -xc++ -c a.h", "a.o", ""),
    ("gcc -x c -c a.c -x none", "a.o", ""),
    ("gcc -c -x none a.c", "a.o", ""),
    ("gcc -I inc -Iinc2 -I. -c a.c", "a.o", ""),
    ("gcc -DA -D B=1 -UA -U B -c a.c", "a.o", ""),
    ("gcc -isystem s -isystems2 -iquote q -iquoteq2 -idirafter d -c a.c", "a.o", ""),
    ("gcc -include a.h -imacros b.h -c a.c", "a.o", ""),
    ("gcc -includea.h -c a.c", "a.o", ""),
    ("gcc -std=c11 -c a.c", "a.o", ""),
    ("gcc -ansi -pedantic -pedantic-errors -c a.c", "a.o", ""),
    ("gcc -Wall -Wextra -Wno-unused -Werror=format -Wformat=2 -Wl -c a.c", "a.o", ""),
    ("gcc -w -pipe -pthread -c a.c", "a.o", ""),
    ("gcc -O -c a.c", "a.o", ""),
    ("gcc -O2 -c a.c", "a.o", ""),
    ("gcc -Os -Ofast -Og -c a.c", "a.o", ""),
    ("gcc -g -c a.c", "a.o", ""),
    ("gcc -g0 -g3 -ggdb -gdwarf-4 -c a.c", "a.o", ""),
    ("gcc -fPIC -fno-common -fvisibility=hidden -c a.c", "a.o", ""),
    ("gcc -fstack-protector-strong -fcf-protection -D_FORTIFY_SOURCE=2 -c a.c", "a.o", ""),
    ("gcc -ffile-prefix-map=/a=b -fmacro-prefix-map=/a=b -c a.c", "a.o", ""),
    ("gcc -m64 -march=x86-64 -mtune=generic -msse2 -mno-avx -c a.c", "a.o", ""),
    ("gcc --param=max-inline-insns-single=5 --param ssp-buffer-size=4 -c a.c", "a.o", ""),
    ("gcc -nostdinc -ffreestanding -c a.c", "a.o", ""),
    ("gcc --sysroot=/ -c a.c", "", ""),
    ("gcc -Wp,-D_FORTIFY_SOURCE=2 -Wp,-UX -c a.c", "a.o", ""),
    ("gcc -MD -c a.c", "a.o", "a.d"),
    ("gcc -MMD -c a.c", "a.o", "a.d"),
    ("gcc -MMD -MP -c a.c", "a.o", "a.d"),
    ("gcc -MD -c a.c -o out/b.o", "out/b.o", "out/b.d"),
    ("gcc -MD -c a.c -o out/b", "out/b", "out/b.d"),
    ("gcc -MD -c s/a.c", "a.o", "a.d"),
    ("gcc -MD -MF x.d -c a.c", "a.o", "x.d"),
    ("gcc -MD -MFx.d -c a.c", "a.o", "x.d"),
    ("gcc -MD -MT t -MQ u -MTv -MQw -MF x.d -c a.c", "a.o", "x.d"),
    ("gcc -MF x.d -MMD -MMD -c a.c", "a.o", "x.d"),
    ("gcc -Wp,-MD,x.d -c a.c", "a.o", "x.d"),
    ("gcc -Wp,-MMD,out/x.d -c a.c -o a.o", "a.o", "out/x.d"),
    ("gcc -fdiagnostics-color=always -c a.c", "a.o", ""),
    ("gcc -fsanitize=address,undefined -fno-omit-frame-pointer -c a.c", "a.o", ""),
    ("gcc -S a.c", "a.s", ""),
    ("gcc -S -c d/a.c", "a.s", ""),
    ("gcc -S -MD a.c", "a.s", "a.d"),
    ("gcc -S -o x a.c", "x", ""),
    ("gcc -c a.S", "a.o", ""),
    ("gcc -MD -c a.S", "a.o", "a.d"),
    ("gcc -x assembler-with-cpp -c a.c", "a.o", ""),
    ("gcc -flto -c a.c", "a.o", ""),
    ("gcc -flto=auto -ffat-lto-objects -flto-partition=none -c a.c", "a.o", ""),
    ("gcc -fprofile-generate -fprofile-update=atomic -c a.c", "a.o", ""),
    ("gcc -fprofile-use=x -fprofile-correction -c a.c", "a.o", ""),
    ("gcc -Wa,--noexecstack,--fatal-warnings -Xassembler -W -c a.c", "a.o", ""),
    ("gcc -Xpreprocessor -DX -c a.c", "a.o", ""),
    ("gcc -Wp,-DX,-UY -c a.c", "a.o", ""),
    ("gcc -Wp,-MD,x.d,-MT,t,-MP -c a.c", "a.o", "x.d"),
    ("gcc -Wp,-MMD,x.d -Wp,-MQ,t -c a.c", "a.o", "x.d"),
    ("gcc --write-user-dependencies -MF x.d --compile a.c", "a.o", "x.d"),
    ("gcc --include=x --include-directory=y --define-macro X --std=c99 --output=z.o -c a.c", "z.o", ""),
    ("gcc --sysroot / --language=c -c a.txt", "a.o", ""),
    ("gcc -H -fno-builtin-memcpy -c a.c", "a.o", ""),
];

/// Sources that are not preprocessed: there is no report, and the arguments stay as they are.
const UNREPORTED: &[&str] = &[
    "gcc -c a.s",
    "gcc -MD -MF x.d -c a.s",
    "gcc -x assembler -c a.c",
    "gcc -c a.i",
    "gcc -c a.ii",
    "g++ -MMD -c a.i",
    "gcc -x cpp-output -c a.c",
    "gcc -x c++-cpp-output -c a.c",
    "gcc -S a.i",
];

/// Command lines with what they write beside the object.
const BESIDE: &[(&str, &[&str])] = &[
    ("gcc -gsplit-dwarf -c a.c -o o/x.o", &["o/x.dwo"]),
    ("gcc -gsplit-dwarf -gno-split-dwarf -c a.c", &[]),
    ("gcc -gsplit-dwarf -S a.c", &[]),
    ("gcc --coverage -c a.c", &["a.gcno"]),
    ("gcc -ftest-coverage -S a.c -o o/x", &["o/x.gcno"]),
    ("gcc --coverage -c a.S", &[]),
    ("gcc -fstack-usage -fcallgraph-info=su -c a.c -o x.c.o", &["x.c.su", "x.c.ci"]),
    ("gcc -fprofile-arcs -c a.c", &[]),
];

/// Command lines that are refused, with a word of the reason.
const REFUSED: &[(&str, &str)] = &[
    ("gcc a.c", "linking"),
    ("gcc a.o -o a", "linking"),
    ("gcc -c", "no source"),
    ("gcc -c a.c b.c", "several sources"),
    ("gcc -c a.c b.o", "several sources"),
    ("gcc -c -", "standard input"),
    ("gcc -xc -c -", "standard input"),
    ("gcc -c a.h", "precompiled"),
    ("gcc -c a.m", "neither"),
    ("gcc -x c-header -c a.h", "precompiled"),
    ("gcc -E a.c", "-E"),
    ("gcc -M a.c", "-M"),
    ("gcc -MM -c a.c", "-MM"),
    ("gcc -MG -MD -c a.c", "-MG"),
    ("gcc -MJ x -c a.c", "-MJ"),
    ("gcc -MT x -c a.c", "without `-MD`"),
    ("gcc -MP -c a.c", "without `-MD`"),
    ("gcc -MF x -c a.c", "without `-MD`"),
    ("gcc -MD -MMD -c a.c", "second depfile"),
    ("gcc -MD -Wp,-MD,x.d -c a.c", "second depfile"),
    ("gcc -Wp,-MD,x.d -MD -c a.c", "second depfile"),
    ("gcc -MD -MF x -MF y -c a.c", "several `-MF`"),
    ("gcc -MD -MF - -c a.c", "no file"),
    ("gcc -MD -MF /dev/null -c a.c", "no file"),
    ("gcc -MD -MT a:b -c a.c", "read back"),
    ("gcc -MD -c a.c -o a.d", "the object and the depfile"),
    ("gcc -c a.c -o -", "no file"),
    ("gcc -c a.c -o /dev/null", "no file"),
    ("gcc -c a.c -o a.o -o b.o", "several `-o`"),
    ("gcc -c a.c -o", "lacks its value"),
    ("gcc -c a.c -I", "lacks its value"),
    ("gcc -save-temps -c a.c", "-save-temps"),
    ("gcc -save-temps=obj -c a.c", "-save-temps"),
    ("gcc -fplugin=x.so -c a.c", "-fplugin"),
    ("gcc -specs=x -c a.c", "-specs"),
    ("gcc -wrapper x -c a.c", "-wrapper"),
    ("gcc -B/usr -c a.c", "-B/usr"),
    ("clang -Xclang -foo -c a.c", "-Xclang"),
    ("gcc -Xpreprocessor -foo -c a.c", "-Xpreprocessor"),
    ("gcc -Xpreprocessor -DX=__DATE__ -c a.c", "__DATE__"),
    ("gcc -Xassembler -foo -c a.c", "-Xassembler"),
    ("gcc -Wa,-g -c a.c", "temporary"),
    ("gcc -Wa,-adhln=x -c a.c", "-Wa,-adhln=x"),
    ("gcc -Wa,-I,x -c a.c", "-Wa,-I"),
    ("gcc -Wp,-MD,x.d,-MG -c a.c", "more than a file"),
    ("gcc -Wp,-MD -c a.c", "lacks the value"),
    ("gcc -mllvm -x -c a.c", "-mllvm -x"),
    ("gcc -Xclang -load -c a.c", "-Xclang -load"),
    ("gcc -fprofile-use -fprofile-dir=x -c a.c", "place"),
    ("gcc -fsave-optimization-record -c a.c", "compresses"),
    ("gcc -fprofile-note=x -c a.c", "profiles"),
    ("gcc -flto=x -c a.c", "-flto=x"),
    ("gcc -fsanitize-ignorelist -c a.c", "not an option"),
    ("gcc -flto -fstack-usage -c a.c", "linking"),
    ("gcc -DX=.Include -c a.S", ".include"),
    ("gcc -fstack-usage -c a.c -o a.su", "twice"),
    ("gcc -c a.sx", "neither"),
    ("gcc -S a.S", "nothing of assembly"),
    ("gcc -include x -c a.i", "not preprocessed"),
    ("gcc -Wp,-MD,x.d -c a.s", "not preprocessed"),
    ("gcc -c incbin.s", "incbin"),
    ("gcc -c include.s", ".include"),
    ("gcc -c none.s", "cannot be read"),
    ("gcc -c again.i", "preprocessed"),
    ("gcc --sysroot x -c a.c", "absolute"),
    ("gcc -iprefix x -iwithprefix y -c a.c", "parts"),
    ("gcc -traditional-cpp -c a.c", "preprocesses"),
    ("gcc -Wl,-z,now -c a.c", "linker"),
    ("gcc -Wp,-foo -c a.c", "-Wp,-foo"),
    ("gcc -Wp,-DX=__DATE__ -c a.c", "__DATE__"),
    ("gcc -frecord-gcc-switches -c a.c", "command line"),
    ("gcc -grecord-command-line -c a.c", "command line"),
    ("gcc -march=native -c a.c", "machine"),
    ("gcc -mtune=native -c a.c", "machine"),
    ("gcc -mcpu=native -c a.c", "machine"),
    ("gcc -fmodules -c a.c", "modules"),
    ("gcc -fmodules-ts -c a.cc", "modules"),
    ("gcc -fdump-tree-all -c a.c", "beside the object"),
    ("gcc -v -c a.c", "-v"),
    ("gcc -fnope -c a.c", "`-fnope`"),
    ("gcc -mnope -c a.c", "`-mnope`"),
    ("gcc -gnope -c a.c", "`-gnope`"),
    ("gcc --nope -c a.c", "`--nope`"),
    ("gcc -nope -c a.c", "`-nope`"),
    ("gcc -I- -c a.c", "`-I-`"),
    ("gcc -I=x -c a.c", "own root"),
    ("gcc -isysroot x -c a.c", "absolute"),
    ("gcc -include-pch x -c a.c", "-include-pch"),
    ("gcc -DD=__TIME__ -c a.c", "__TIME__"),
    ("gcc -D H=__has_include -c a.c", "__has_include"),
    ("gcc -DA={report} -c a.c", "{report}"),
    ("gcc @none -c a.c", "cannot be read"),
    ("ld -c a.c", "no name"),
    ("mygcc -c a.c", "no name"),
];

#[test]
fn understood_commands_say_what_they_write() {
    let repository = Repository::new(&[]);
    for (line, object, depfile) in UNDERSTOOD.iter().filter(|(_, object, _)| !object.is_empty()) {
        let derivation =
            repository.derive(&words(line)).unwrap_or_else(|why| panic!("{line}: {}", reason(&why)));
        let mut writes = vec![("object", *object)];
        writes.extend(Some(("depfile", *depfile)).filter(|(_, depfile)| !depfile.is_empty()));
        let said: Vec<_> = derivation.writes.iter().map(|it| (it.label.as_str(), it.path.as_str())).collect();
        assert_eq!(said, writes, "{line}");
        let arguments = derivation.arguments.as_deref().unwrap_or_default();
        assert_eq!(arguments.iter().filter(|argument| *argument == "{report}").count(), 1, "{line}");
    }
}

/// Sources of the lines above that are read before the compiler runs.
const SOURCES: &[(&str, &str)] = &[
    ("a.s", "q: .long 1"),
    ("a.i", "int a;"),
    ("a.ii", "int a;"),
    ("a.c", "int a;"),
    ("incbin.s", "\t.IncBin \"a\""),
    ("include.s", "nop; .INCLUDE \"a\""),
    ("again.i", "#include \"a\""),
];

#[test]
fn a_source_that_is_not_preprocessed_has_no_report() {
    let repository = Repository::new(SOURCES);
    for line in UNREPORTED {
        let derivation =
            repository.derive(&words(line)).unwrap_or_else(|why| panic!("{line}: {}", reason(&why)));
        assert_eq!((derivation.arguments, derivation.report), (None, None), "{line}");
        assert_eq!(derivation.writes.len(), 1, "{line}");
    }
}

#[test]
fn what_is_beside_the_object_is_written_too() {
    let repository = Repository::new(&[]);
    for (line, beside) in BESIDE {
        let derivation =
            repository.derive(&words(line)).unwrap_or_else(|why| panic!("{line}: {}", reason(&why)));
        let paths: Vec<_> = derivation.writes.iter().skip(1).map(|write| write.path.as_str()).collect();
        assert_eq!(paths, *beside, "{line}");
    }
}

#[test]
fn a_profile_is_an_ingredient_where_the_compiler_looks_for_it() {
    let repository = Repository::new(&[]);
    let has = |line: &str, source: Source| {
        repository.derive(&words(line)).expect(line).ingredients.iter().any(|one| one.source == source)
    };
    assert!(has("gcc -fprofile-use -c a.c -o o/x.o", Source::File("o/x.gcda".to_owned())));
    assert!(has("gcc -fprofile-use=data -c a.c", Source::Tree("data".to_owned())));
    assert!(has("gcc -fauto-profile=data -c a.c", Source::File("data".to_owned())));
}

#[test]
fn other_commands_are_refused_with_the_reason() {
    let repository = Repository::new(SOURCES);
    for (line, why) in REFUSED {
        let Err(refusal) = repository.derive(&words(line)) else { panic!("{line} is understood") };
        assert!(matches!(refusal, Refusal::NotCacheable(_)), "{line}");
        assert!(reason(&refusal).contains(why), "{line}: {}", reason(&refusal));
    }
    assert!(UNDERSTOOD.len() + REFUSED.len() > 100);
}

#[test]
fn variables_that_redirect_the_driver_are_refused() {
    for name in [
        "GCC_EXEC_PREFIX",
        "COMPILER_PATH",
        "DEPENDENCIES_OUTPUT",
        "SUNPRO_DEPENDENCIES",
        "CCC_OVERRIDE_OPTIONS",
    ] {
        let repository = Repository::new(&[]).variable(name, "x");
        let refusal = repository.derive(&["gcc", "-c", "a.c"]).expect_err(name);
        assert!(reason(&refusal).contains(name));
    }
}

#[test]
fn the_places_of_what_is_written_stay_out_of_the_key() {
    let repository = Repository::new(&[]);
    let key = |line: &str| repository.derive(&words(line)).expect(line).ingredients;
    assert_eq!(key("gcc -c a.c -o x.o"), key("gcc -c a.c -oy/z.o"));
    assert_eq!(key("gcc -c a.c"), key("gcc -c a.c -o y.o"));
    assert_eq!(key("gcc -MD -MF x.d -MT t -c a.c"), key("gcc -MD -MF y.d -MT t -c a.c -o z.o"));
    assert_ne!(key("gcc -MD -c a.c -o x.o"), key("gcc -MD -c a.c -o y.o"), "the depfile names the object");
    assert_ne!(key("gcc -MD -c a.c"), key("gcc -MMD -c a.c"));
    assert_ne!(key("gcc -MD -c a.c"), key("gcc -c a.c"));
    assert_ne!(key("gcc -DA -c a.c"), key("gcc -DB -c a.c"));
    assert_ne!(key("gcc -c ./a.c"), key("gcc -c a.c"));
    assert_ne!(key("gcc -c a.c"), key("g++ -c a.c"));
    assert_ne!(key("gcc --coverage -c a.c -o x.o"), key("gcc --coverage -c a.c -o y.o"), "the notes' place");
    assert_ne!(key("gcc -gsplit-dwarf -c a.c -o x.o"), key("gcc -gsplit-dwarf -c a.c -o y.o"), "the name");
    assert_eq!(key("gcc -fstack-usage -c a.c -o x.o"), key("gcc -fstack-usage -c a.c -o y.o"));
}

/// What a caller declared besides was no ingredient: a changed file that a wrapper or a compiler's plugin read, or another
/// value of a variable, was a wrong hit.
#[test]
fn what_the_caller_declares_besides_is_an_ingredient() {
    let repository = Repository::new(&[]);
    let mut operation = repository.operation(&["gcc", "-c", "a.c"]);
    let root = operation.root.clone();
    operation.reads = vec![format!("{root}/extra"), "rules.txt".into(), "tables/".into()];
    operation.variables = vec!["RULES".into()];
    let derivation = repository.derive_of(&operation).expect("a command");
    for source in [
        Source::File(format!("{root}/extra")),
        Source::File("rules.txt".into()),
        Source::Tree("tables/".into()),
        Source::Variable("RULES".into()),
    ] {
        assert!(derivation.ingredients.iter().any(|one| one.source == source), "{source:?}");
    }
    assert!(derivation.ingredients.iter().all(|one| !one.label.contains(&root)), "labels enter keys");
}

#[test]
fn the_working_directory_counts_where_it_is_embedded() {
    let repository = Repository::new(&[]);
    let root = repository.root.to_str().expect("a UTF-8 path").to_owned();
    let has = |line: &str, text: &str| {
        texts(&repository.derive(&words(line)).expect(line)).iter().any(|it| it == text)
    };
    assert!(!has("gcc -c a.c", &root));
    assert!(!has("gcc -g -g0 -c a.c", &root));
    assert!(has("gcc -g -c a.c", &root));
    assert!(has("gcc --coverage -c a.c", &root) && has("gcc -flto -c a.c", &root));
    assert!(has("gcc -fprofile-generate -c a.c", &root) && has("gcc -gsplit-dwarf -c a.c", &root));
    let mapped = format!("gcc -g -fdebug-prefix-map={root}=/x -c a.c");
    assert!(has(&mapped, "/x") && !has(&mapped, &root) && has(&mapped, "-fdebug-prefix-map={root}=/x"));
    assert!(has("gcc -g -fdebug-prefix-map=/elsewhere=/x -c a.c", &root));
    let linked = Repository::new(&[]).variable("PWD", "/a/link");
    let derivation = linked.derive(&words("gcc -g -c a.c")).expect("a command");
    assert!(derivation.ingredients.iter().any(|one| one.source == Source::Variable("PWD".to_owned())));
}

#[test]
fn the_compiler_is_an_ingredient_as_it_is_dispatched() {
    let repository = Repository::new(&[]);
    let programs = |line: &str| {
        let derivation = repository.derive(&words(line)).expect(line);
        let name =
            |source: &Source| if let Source::Program(name) = source { Some(name.clone()) } else { None };
        derivation.ingredients.iter().filter_map(|one| name(&one.source)).collect::<Vec<_>>()
    };
    let gcc = programs("gcc -c a.c");
    assert!(gcc[0] == "gcc" && gcc[1].ends_with("/cc1") && gcc[2].ends_with("as"), "{gcc:?}");
    assert!(programs("gcc -c a.cc")[1].ends_with("/cc1plus"));
    if support::installed("clang") {
        let clang = programs("clang -c a.c");
        assert!(clang[0] == "clang" && clang.len() == 2, "{clang:?}");
    }
}

#[test]
fn response_files_are_expanded_into_the_key() {
    let repository = Repository::new(&[("args", "-c 'a.c' \"-DA=x y\" @more"), ("more", "-MD -MF x.d")]);
    let derivation = repository.derive(&["gcc", "@args", "-O2"]).expect("a command");
    let said = texts(&derivation);
    for text in ["-c", "a.c", "-DA=x y", "-O2", "-MD"] {
        assert!(said.iter().any(|it| it == text), "{text}");
    }
    assert_eq!(derivation.writes[1].path, "x.d");
    assert_eq!(derivation.arguments.expect("arguments")[..4], ["-c", "a.c", "-DA=x y", "-O2"]);
}

#[test]
fn nothing_is_understood_without_asking_the_compiler() {
    let host = TestHost::new().without("query");
    let refusal = host.derive::<Cc>(&Operation::new(["gcc", "-c", "a.c"])).expect_err("no compiler to ask");
    assert!(reason(&refusal).contains("`query`"));
}

/// A host whose compiler is clang.
fn clang() -> TestHost {
    const V: &str = "#include <...> search starts here:\n /usr/include\nEnd of search list.\n";
    let ask = &["-E", "-v", "-x", "c", "/dev/null"];
    TestHost::new().answer(&["--version"], "clang version 14.0.6", "").answer(ask, "", V)
}

/// clang reports the list that it has by itself before the source, and the list was taken for the source: the depfile of
/// `-MMD` lacked the source then.
#[test]
fn a_list_before_the_source_is_not_the_source() {
    let list = "/resources/share/asan_ignorelist.txt";
    let host = clang()
        .answer(&["-print-resource-dir"], "/resources\n", "")
        .file(list, "src:nothing\n")
        .file("a.c", "#include \"a.h\"\n")
        .file("a.h", "");
    let report = format!("a.o: {list} a.c \\\n  a.h\n");
    let operation = Operation::new(["clang", "-fsanitize=address", "-MMD", "-c", "a.c"]);
    let discovery = host.discover::<Cc>(&operation, report.as_bytes()).expect("a report");
    let depfile = String::from_utf8_lossy(&discovery.produced[0].1).into_owned();
    assert!(depfile.contains(list) && depfile.contains(" a.c") && depfile.contains(" a.h"), "{depfile}");
    let without = Operation::new(["clang", "-MMD", "-c", "a.c"]);
    let about = host.discover::<Cc>(&without, report.as_bytes()).expect("a report").uncacheable;
    assert!(about.is_some_and(|why| why.contains("the report is about")));
    let derivation = host.derive::<Cc>(&operation).expect("a command");
    assert!(derivation.ingredients.iter().any(|one| one.source == Source::Tree("/resources/share".into())));
}

reviver_sdk::conformance!(
    key: Cc,
    [Operation::new(["clang", "-MMD", "-c", "a.c"]), Operation::new(["clang", "-g", "-Ii", "-c", "a.c"])],
    host: clang()
);
