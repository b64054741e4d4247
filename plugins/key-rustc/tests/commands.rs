//! Which command lines are understood, what they write, what of them enters the key, and what a run tells.
#![allow(missing_docs)]

use key_rustc::Rustc;
use reviver_sdk::testing::{TestHost, conformance};
use reviver_sdk::{Derivation, Discovery, Ingredient, KeyPlugin as _, Operation, Refusal, Source};

/// A library as cargo has it compiled.
const LIBRARY: &str = "rustc --crate-name one --edition=2021 one/src/lib.rs --error-format=json \
    --json=diagnostic-rendered-ansi,artifacts,future-incompat --crate-type lib --emit=dep-info,metadata,link \
    -C embed-bitcode=no -C debuginfo=2 --check-cfg cfg(docsrs,test) -C metadata=30a0 -C extra-filename=-2647 \
    --out-dir /t/deps -L dependency=/t/deps --extern two=/t/deps/libtwo-1.rmeta --extern mac=/t/deps/libmac-2.so";

/// What is put behind [`LIBRARY`] and still understood.
const UNDERSTOOD: &[&str] = &[
    "--cap-lints allow",
    "--cfg feature=\"std\" --cfg unix",
    "--color always --diagnostic-width=120",
    "-A dead_code -Wunused --deny=warnings --forbid unsafe_code",
    "-C opt-level=3 -Copt-level=s --codegen codegen-units=1 -C panic=abort -C overflow_checks=on",
    "-C target-cpu=x86-64-v3 -C target-feature=+crt-static -C relocation-model=static",
    "-C split-debuginfo=off -C strip=debuginfo -C lto=off -C linker=cc -C link-arg=-s",
    "-g -O --verbose",
    "--target wasm32-unknown-unknown",
    "--target aarch64-unknown-linux-gnu",
    "-L native=/t/build/out -l static=z -lz -l dylib=m",
    "-L /t/build/out",
    "--extern proc_macro --extern std",
    "--remap-path-prefix=/a=b --remap-path-prefix /c=d",
    "-C linker-plugin-lto -C debuginfo=0",
    "-C dwarf-version=5 -C debuginfo=none",
    "-C dwarf-version=4",
];

/// What is put behind [`LIBRARY`] and refused, with words of the reason.
const REFUSED: &[(&str, &str)] = &[
    ("-C incremental=/t/i", "CARGO_INCREMENTAL=0"),
    ("-Cincremental=/t/i", "CARGO_INCREMENTAL=0"),
    ("-C save-temps", "beside the library"),
    ("-C target-cpu=native", "the machine"),
    ("-C target_cpu=native", "the machine"),
    ("-C split-debuginfo=packed", "files of its own"),
    ("-C llvm-args=-x", "by rustc"),
    ("-C profile-use=/p", "a profile"),
    ("-C profile-generate", "profiles"),
    ("-C instrument-coverage", "not known well enough"),
    ("-C nope=1", "`-C nope=1` is not an option that is understood"),
    ("-C", "lacks its value"),
    ("-C linker-plugin-lto", "bitcode"),
    ("-C embed-bitcode=yes", "bitcode"),
    ("-C dwarf-version=5", "DWARF 5"),
    ("--target x86_64-pc-windows-msvc", "target's format"),
    ("--target /t/own.json", "not one of rustc's own"),
    ("--crate-type bin", "`bin` is linked"),
    ("--crate-type=rlib,cdylib", "`cdylib` is linked"),
    ("--crate-type proc-macro", "`proc-macro` is linked"),
    ("--crate-type staticlib", "`staticlib` is linked"),
    ("--test", "is linked"),
    ("--emit=asm", "`--emit=asm`"),
    ("--emit=link=/x", "`--emit=link=/x`"),
    ("@arguments", "response file"),
    ("-Zunpretty=mir", "not stable"),
    ("--sysroot /s", "standard library"),
    ("--print cfg", "asks rustc"),
    ("-vV", "asks rustc"),
    ("-o x", "names its output"),
    ("--extern three", "has no path"),
    ("--extern priv:three=/t/x.rmeta", "modifiers"),
    ("-l raw-dylib=k", "kind"),
    ("--crate-name two", "twice"),
    ("--out-dir x", "twice"),
    ("other.rs", "twice"),
    ("-", "standard input"),
    ("--nope", "`--nope` is not an option"),
    ("-x", "`-x` is not an option"),
];

fn host() -> TestHost {
    let lib = "/s/lib/rustlib/x86_64-unknown-linux-gnu/lib\n";
    ["wasm32-unknown-unknown", "aarch64-unknown-linux-gnu"].into_iter().fold(
        TestHost::new().answer(&["--print", "target-libdir"], lib, ""),
        |host, target| {
            host.answer(&["--print", "target-libdir", "--target", target], format!("/s/{target}\n"), "")
        },
    )
}

fn operation(line: &str) -> Operation {
    Operation::new(line.split_ascii_whitespace()).root("/w")
}

fn derive(line: &str) -> Result<Derivation, Refusal> {
    host().run(|| Rustc::derive(&operation(line)))
}

fn with(more: &str) -> String {
    format!("{LIBRARY} {more}")
}

fn has(derivation: &Derivation, source: &Source) -> bool {
    derivation.ingredients.iter().any(|one| one.source == *source)
}

fn file(path: &str) -> Source {
    Source::File(path.to_owned())
}

fn writes(line: &str) -> Vec<String> {
    let derivation = derive(line).unwrap_or_else(|why| panic!("{line}: {}", why.reason()));
    derivation.writes.into_iter().map(|write| write.path).collect()
}

#[test]
fn what_cargo_passes_is_understood() {
    for more in UNDERSTOOD {
        let derivation = derive(&with(more)).unwrap_or_else(|why| panic!("{more}: {}", why.reason()));
        assert_eq!(derivation.writes.len(), 3, "{more}");
    }
}

#[test]
fn the_rest_is_refused_with_the_reason() {
    for (more, why) in REFUSED {
        let Err(refusal) = derive(&with(more)) else { panic!("{more} is understood") };
        assert!(matches!(refusal, Refusal::NotCacheable(_)), "{more}");
        assert!(refusal.reason().contains(why), "{more}: {}", refusal.reason());
    }
    for (line, why) in [
        ("rustc -vV", "asks rustc"),
        ("rustc - --crate-name ___ --print=file-names", "standard input"),
        ("rustc", "no source"),
        ("rustc a.rs --emit=dep-info,link --crate-type lib", "--crate-name"),
        ("rustc a.rs --emit=link --crate-type lib --crate-name a", "dep-info"),
        ("rustc a.rs --emit=dep-info --crate-type lib --crate-name a", "no library"),
        ("rustc a.rs --emit=dep-info,link --crate-name a", "`bin` is linked"),
        ("rustc a.rs --emit=dep-info,metadata --crate-name a", "--crate-type"),
        ("rustdoc a.rs", "not called rustc"),
    ] {
        let refusal = derive(line).expect_err(line);
        assert!(refusal.reason().contains(why), "{line}: {}", refusal.reason());
    }
}

#[test]
fn what_is_written_follows_from_the_arguments() {
    assert_eq!(
        writes(LIBRARY),
        ["/t/deps/one-2647.d", "/t/deps/libone-2647.rmeta", "/t/deps/libone-2647.rlib"]
    );
    let bare = "rustc a.rs --crate-name a --crate-type rlib --emit=dep-info,link";
    assert_eq!(writes(bare), ["a.d", "liba.rlib"]);
    // Nothing is linked where metadata alone is made: `cargo check`.
    for kind in ["--crate-type bin", "--crate-type proc-macro", "--crate-type lib --test", "--test"] {
        let check =
            format!("rustc a.rs --crate-name a {kind} --emit=dep-info,metadata --out-dir o/ -C debuginfo=2");
        assert_eq!(writes(&check), ["o/a.d", "o/liba.rmeta"], "{kind}");
    }
}

#[test]
fn debugging_information_beside_no_crate_holds_only_its_own_sources() {
    let line = "rustc a.rs --crate-name a --crate-type lib --emit=dep-info,link -g";
    assert!(derive(line).is_ok());
    // A library of macros or a `dylib`: nobody knows by the name.
    for path in ["libb.rmeta", "libb.rlib", "libb.so"] {
        let refusal = derive(&format!("{line} --extern b=o/{path}")).expect_err(path);
        assert!(refusal.reason().contains("bitcode"), "{}", refusal.reason());
        assert!(derive(&format!("{line} -C embed-bitcode=no --extern b=o/{path}")).is_ok(), "{path}");
    }
}

#[test]
fn all_that_decides_is_an_ingredient() {
    let derivation = derive(LIBRARY).expect("a library");
    for source in [
        Source::Program("rustc".into()),
        Source::Tree("/s/lib/rustlib/x86_64-unknown-linux-gnu/lib".into()),
        Source::Text("/w/".into()),
        Source::Variable("RUSTC_BOOTSTRAP".into()),
        Source::Variable("CARGO_MANIFEST_DIR".into()),
        file("one/src/lib.rs"),
        file("/t/deps/libtwo-1.rmeta"),
        file("/t/deps/libmac-2.so"),
    ] {
        assert!(has(&derivation, &source), "{source:?}");
    }
    for argument in operation(LIBRARY).arguments() {
        assert!(has(&derivation, &Source::Text(argument.clone())), "{argument}");
    }
    let other = derive(&with("--target wasm32-unknown-unknown")).expect("a library");
    assert!(has(&other, &Source::Tree("/s/wasm32-unknown-unknown".into())));
    let elsewhere = host().run(|| Rustc::derive(&operation(LIBRARY).directory("sub"))).expect("a library");
    assert!(has(&elsewhere, &Source::Text("/w/sub".into())));
}

#[test]
fn static_libraries_count_wherever_they_would_be_found() {
    let derivation =
        derive(&with("-L native=/n -L /all -L dependency=/d -l static:-bundle=z:y -l m")).expect("a library");
    for path in ["/n/libz.a", "/all/libz.a", "/n/liby.a", "/n/z", "/all/z.lib"] {
        assert!(has(&derivation, &file(path)), "{path}");
    }
    assert!(!has(&derivation, &file("/d/libz.a")) && !has(&derivation, &file("/n/libm.a")));
    assert!(has(&derivation, &Source::Listing("/all".into())), "a crate could appear there");
    assert!(!has(&derivation, &Source::Listing("/d".into())));
}

#[test]
fn what_the_caller_declares_counts_too() {
    let declared = operation(LIBRARY).reads(["schema.sql", "templates/"]).variables(["DATABASE_URL"]);
    let derivation = host().run(|| Rustc::derive(&declared)).expect("a library");
    assert!(has(&derivation, &file("schema.sql")) && has(&derivation, &Source::Tree("templates".into())));
    assert!(has(&derivation, &Source::Variable("DATABASE_URL".into())));
    let known = operation(LIBRARY).writes(["/t/deps/libone-2647.rlib"]);
    assert!(host().run(|| Rustc::derive(&known)).is_ok());
    let unknown = operation(LIBRARY).writes(["generated.txt"]);
    let refusal = host().run(|| Rustc::derive(&unknown)).expect_err("nobody proves that it is written");
    assert!(refusal.reason().contains("`generated.txt`"));
}

#[test]
fn variables_that_move_what_is_read_are_refused() {
    for name in ["RUST_TARGET_PATH", "RUSTC_LOG"] {
        let refusal = host().variable(name, "x").run(|| Rustc::derive(&operation(LIBRARY))).expect_err(name);
        assert!(refusal.reason().contains(name));
    }
    let refusal = TestHost::new().run(|| Rustc::derive(&operation(LIBRARY))).expect_err("nobody to ask");
    assert!(refusal.reason().contains("cannot be asked"));
    let odd = TestHost::new().answer(&["--print", "target-libdir"], "lib\n", "");
    assert!(odd.run(|| Rustc::derive(&operation(LIBRARY))).is_err());
}

fn discover(line: &str, report: &str, source: &str) -> Result<Discovery, Refusal> {
    let host = host().file("one/src/lib.rs", source).file("one/src/a/mod.rs", "").file("one/a b.txt", "");
    host.run(|| Rustc::discover(&operation(line), report.as_bytes()))
}

const REPORT: &str = "/t/deps/one-2647.d: one/src/lib.rs one/src/a/mod.rs one/a\\ b.txt\n\none/src/lib.rs:\n\
    one/src/a/mod.rs:\none/a\\ b.txt:\n\n# env-dep:GREETING=hello\n# env-dep:NOT_SET\n";

#[test]
fn files_variables_and_the_other_place_of_a_module_are_found_out() {
    let discovery = discover(LIBRARY, REPORT, "mod a;").expect("a report");
    assert_eq!(discovery.uncacheable, None);
    let expected =
        |source: &Source| discovery.ingredients.iter().any(|one: &Ingredient| one.source == *source);
    for path in ["one/src/lib.rs", "one/src/lib/mod.rs", "one/src/a/mod.rs", "one/src/a.rs", "one/a b.txt"] {
        assert!(expected(&file(path)), "{path}");
    }
    assert!(expected(&Source::Variable("GREETING".into())) && expected(&Source::Variable("NOT_SET".into())));
    assert_eq!(discovery.ingredients.len(), 7);
}

#[test]
fn what_no_dep_info_names_makes_the_run_unrecorded() {
    let native = &with("-L native=/n");
    let all = &with("-L /all");
    let cases: [(&str, &str, Option<&str>); 12] = [
        (LIBRARY, "global_asm!(\".incbin \\\"x\\\"\");", Some("assembly")),
        (LIBRARY, "global_asm!(\".include \\\"x\\\"\");", Some("assembly")),
        (LIBRARY, "set.include(1); x.include_all();", None),
        (LIBRARY, "#[link(name = \"z\", kind = \"static\")]", None),
        (native, "#[link(name = \"z\", kind = \"static\")]", Some("`#[link]`")),
        (native, "    kind=\"static\",", Some("`#[link]`")),
        (native, "let a = \"static\";", None),
        (all, "extern crate two as x;", None),
        (all, "extern crate alloc;", None),
        (all, "extern crate self as one;", None),
        (all, "extern crate three;", Some("not passed")),
        (LIBRARY, "extern crate three;", None),
    ];
    for (line, source, why) in cases {
        let discovery = discover(line, REPORT, source).expect("a report");
        match (&discovery.uncacheable, why) {
            (None, None) => {}
            (Some(said), Some(why)) => assert!(said.contains(why), "{source}: {said}"),
            (said, _) => panic!("{source}: {said:?}"),
        }
    }
    let gone = REPORT.replace("one/a\\ b.txt:\n", "gone.rs:\n");
    let discovery = discover(LIBRARY, &gone, "").expect("a report");
    assert!(discovery.uncacheable.is_some_and(|why| why.contains("gone.rs")));
    assert!(discover(LIBRARY, "x.d: x.rs\n\nx.rs:\n", "").is_err(), "it is about another source");
    assert!(discover(LIBRARY, "", "").is_err());
}

#[test]
fn the_laws_of_the_role_hold() {
    let derivation = conformance::key::<Rustc>(&host(), &operation(LIBRARY));
    assert_eq!(derivation.label, "rustc one-2647");
}
