//! What a compilation depends on: headers, those that are not there yet among them, its diagnostics, its depfiles.

use crate::support::{Ran, Repository, Verdict, installed, settle};
use anyhow::{Result, ensure};
use std::fs;

/// A repository with a program of one source and one header.
fn program() -> Result<Repository> {
    let repository = Repository::new()?;
    repository.write("a.c", "#include \"a.h\"\nint f(void) { return VALUE; }\n")?;
    repository.write("later/a.h", "#define VALUE 1\n")?;
    fs::create_dir(repository.path("earlier"))?;
    settle();
    Ok(repository)
}

/// What the compiler itself makes of it.
fn plain(repository: &Repository, arguments: &[&str]) -> Result<(Ran, Option<Vec<u8>>)> {
    let ran = Ran::of(repository.command("gcc").args(arguments))?;
    let object = fs::read(repository.path("a.o")).ok();
    fs::remove_file(repository.path("a.o")).ok();
    Ok((ran, object))
}

fn gcc<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [&["--", "gcc"], arguments].concat()
}

#[test]
fn a_warning_is_revived_byte_for_byte() -> Result<()> {
    if !installed("gcc") {
        return Ok(());
    }
    let repository = program()?;
    repository.write("a.c", "#include \"a.h\"\nint f(void) { int unused; return VALUE; }\n")?;
    settle();
    let arguments = ["-Wall", "-Ilater", "-c", "-o", "a.o", "a.c"];
    let (plain, object) = plain(&repository, &arguments)?;
    ensure!(plain.err().contains("unused variable"));
    for verdict in [Verdict::Miss, Verdict::Hit] {
        let ran = repository.run(&gcc(&arguments))?;
        assert_eq!((&ran.stderr, &ran.verdict), (&plain.stderr, &verdict));
        assert_eq!(Some(repository.read("a.o")?), object, "{verdict:?}");
        repository.remove(&["a.o"])?;
    }
    Ok(())
}

#[test]
fn depfiles_are_the_compilers_own_when_made_and_when_revived() -> Result<()> {
    if !installed("gcc") {
        return Ok(());
    }
    for (options, depfile) in [(vec!["-MMD", "-MF", "deps.mk"], "deps.mk"), (vec!["-MD"], "a.d")] {
        let repository = program()?;
        let arguments = [&options[..], &["-Ilater", "-c", "-o", "a.o", "a.c"]].concat();
        let (_, object) = plain(&repository, &arguments)?;
        let deps = repository.text(depfile)?;
        repository.remove(&[depfile])?;
        for verdict in [Verdict::Miss, Verdict::Hit] {
            let ran = repository.run(&gcc(&arguments))?;
            assert_eq!((ran.code, &ran.verdict), (Some(0), &verdict), "{ran:?}");
            assert_eq!(
                (repository.text(depfile)?, Some(repository.read("a.o")?)),
                (deps.clone(), object.clone())
            );
            repository.remove(&[depfile, "a.o"])?;
        }
    }
    Ok(())
}

#[test]
fn a_compilation_that_fails_fails_as_without_us_and_is_never_recorded() -> Result<()> {
    if !installed("gcc") {
        return Ok(());
    }
    let repository = program()?;
    repository.write("a.c", "#include \"a.h\"\nint f(void) { return VALU; }\n")?;
    settle();
    let arguments = ["-Ilater", "-c", "-o", "a.o", "a.c"];
    let (plain, _) = plain(&repository, &arguments)?;
    for _ in 0..2 {
        let ran = repository.run(&gcc(&arguments))?.without(1, "exit status 1")?;
        assert_eq!((ran.code, ran.stderr, ran.stdout), (plain.code, plain.stderr.clone(), vec![]));
        ensure!(!repository.exists("a.o"));
    }
    assert_eq!(repository.counts()?, [0, 2, 0]);
    Ok(())
}

#[test]
fn a_header_that_appears_earlier_in_the_search_path_is_seen() -> Result<()> {
    for compiler in ["gcc", "clang"].into_iter().filter(|compiler| installed(compiler)) {
        let repository = program()?;
        let arguments = ["-Iearlier", "-Ilater", "-c", "-o", "a.o", "a.c"];
        let run = || repository.run(&[&["--", compiler], &arguments[..]].concat());
        run()?.miss()?;
        let before = repository.read("a.o")?;
        run()?.hit()?;
        repository.write("earlier/a.h", "#define VALUE 2\n")?;
        settle();
        run()?.miss()?;
        let object = repository.read("a.o")?;
        ensure!(repository.command(compiler).args(arguments).status()?.success());
        assert_eq!(object, repository.read("a.o")?);
        ensure!(object != before);
        repository.remove(&["earlier/a.h"])?;
        run()?.hit()?;
        assert_eq!(repository.read("a.o")?, before);
    }
    Ok(())
}

#[test]
fn a_header_that_was_only_asked_for_counts_once_it_is_there() -> Result<()> {
    for compiler in ["gcc", "clang"].into_iter().filter(|compiler| installed(compiler)) {
        let repository = program()?;
        let text = "#if __has_include(\"extra.h\")\nint extra;\n#endif\nint always;\n";
        repository.write("a.c", text)?;
        settle();
        let run = || repository.run(&["--", compiler, "-Iearlier", "-c", "a.c"]);
        run()?.miss()?;
        let without = repository.read("a.o")?;
        run()?.hit()?;
        repository.write("earlier/extra.h", "")?;
        settle();
        run()?.miss()?;
        ensure!(repository.read("a.o")? != without, "{compiler}");
        repository.remove(&["earlier/extra.h"])?;
        run()?.hit()?;
        assert_eq!(repository.read("a.o")?, without);
    }
    Ok(())
}

#[test]
fn what_is_no_compilation_of_one_file_runs_as_it_is() -> Result<()> {
    if !installed("gcc") {
        return Ok(());
    }
    let repository = program()?;
    repository.write("main.c", "int main(void) { return 0; }\n")?;
    let ran = repository.run(&gcc(&["-o", "main", "main.c"]))?;
    ensure!(matches!(ran.verdict, Verdict::Uncached(_)) && ran.code == Some(0), "{ran:?}");
    ensure!(repository.exists("main"));
    let ran = repository.run(&gcc(&["--version"]))?;
    ensure!(matches!(ran.verdict, Verdict::Uncached(_)) && ran.out().contains("Free Software"), "{ran:?}");
    Ok(())
}

#[test]
fn an_input_that_was_just_written_is_too_young_to_be_sure_of() -> Result<()> {
    if !installed("gcc") {
        return Ok(());
    }
    let repository = program()?;
    // The header's times lie in the future of the run: no clock is needed to know that it is too young.
    repository.write("a.c", "#include \"a.h\"\nint g;\n")?;
    settle();
    let future = std::time::SystemTime::now() + std::time::Duration::from_mins(1);
    fs::File::open(repository.path("later/a.h"))?.set_modified(future)?;
    repository.run(&gcc(&["-Ilater", "-c", "a.c"]))?.without(0, "too young")?;
    Ok(())
}

#[test]
fn a_variable_that_compilers_heed_makes_another_key() -> Result<()> {
    if !installed("gcc") {
        return Ok(());
    }
    let repository = program()?;
    repository.write("other/a.h", "#define VALUE 3\n")?;
    settle();
    let run = |path: &str| Ran::of(repository.runs(&["--", "gcc", "-c", "a.c"]).env("CPATH", path));
    run("later")?.miss()?;
    run("other")?.miss()?;
    run("later")?.hit()?;
    run("other")?.hit()?;
    Ok(())
}

/// What a program was last seen to need was taken to be the same wherever its libraries were searched, as long as nothing
/// changed where they had been: with another `LD_LIBRARY_PATH` the result of another library was revived.
#[test]
fn a_library_that_is_searched_elsewhere_is_another_one() -> Result<()> {
    if !installed("gcc") {
        return Ok(());
    }
    let repository = Repository::new()?;
    repository.write(
        "main.c",
        "#include <stdio.h>\nint value(void);\nint main(void) { printf(\"%d\\n\", value()); }\n",
    )?;
    for (directory, value) in [("one", 1), ("two", 2)] {
        fs::create_dir(repository.path(directory))?;
        repository.write("value.c", format!("int value(void) {{ return {value}; }}\n"))?;
        let library = format!("{directory}/libvalue.so");
        Ran::of(repository.command("gcc").args(["-shared", "-fPIC", "-o", &library, "value.c"]))?;
    }
    Ran::of(repository.command("gcc").args(["-o", "tool", "main.c", "-Lone", "-lvalue"]))?;
    settle();
    let run = |directory: &str| {
        let mut command = repository.runs(&["--stdin=none", "--env=X", "--", "./tool"]);
        Ran::of(command.env("LD_LIBRARY_PATH", repository.path(directory)))
    };
    for (directory, said, verdict) in [
        ("one", "1\n", Verdict::Miss),
        ("one", "1\n", Verdict::Hit),
        ("two", "2\n", Verdict::Miss),
        ("one", "1\n", Verdict::Hit),
        ("two", "2\n", Verdict::Hit),
    ] {
        let ran = run(directory)?;
        assert_eq!((ran.out().as_str(), ran.verdict), (said, verdict), "{directory}");
    }
    Ok(())
}

/// gcc quotes source lines from the file that a `#line`, or a line marker of preprocessed text, names; no report names that file,
/// so that a message was revived with a line that is no longer there.
#[test]
fn the_files_that_messages_quote_count() -> Result<()> {
    if !installed("gcc") {
        return Ok(());
    }
    let line = "int f(int x) { int unused; return x; }\n";
    for (source, text, quoted) in
        [("a.c", format!("#line 1 \"p.y\"\n{line}"), "p.y"), ("a.i", format!("# 1 \"b.c\"\n{line}"), "b.c")]
    {
        let repository = Repository::new()?;
        repository.write(source, text)?;
        repository.write(quoted, line)?;
        settle();
        let arguments = ["-Wall", "-c", "-o", "a.o", source];
        for (content, verdict) in
            [(None, Verdict::Miss), (None, Verdict::Hit), (Some("// other\n"), Verdict::Miss)]
        {
            if let Some(content) = content {
                repository.write(quoted, content)?;
                settle();
            }
            let (plain, _) = plain(&repository, &arguments)?;
            let ran = repository.run(&gcc(&arguments))?;
            assert_eq!((ran.err(), &ran.verdict), (plain.err(), &verdict), "{source}");
            repository.remove(&["a.o"])?;
        }
    }
    Ok(())
}

/// `-g0` was taken to take back whatever stood before it. Two options stay, and with them the directory in the object.
#[test]
fn debugging_information_that_stays_counts_the_directory() -> Result<()> {
    if !installed("gcc") {
        return Ok(());
    }
    for option in ["-gtoggle", "-gctf"] {
        let repository = Repository::new()?;
        for directory in ["one", "two"] {
            repository.write(&format!("{directory}/a.c"), "int x;\n")?;
        }
        settle();
        let arguments = [option, "-g0", "-c", "-o", "a.o", "a.c"];
        for directory in ["one", "two"] {
            let place = repository.path(directory);
            Ran::of(repository.command("gcc").args(arguments).current_dir(&place))?;
            let object = fs::read(place.join("a.o"))?;
            let ran = Ran::of(repository.runs(&gcc(&arguments)).current_dir(&place))?;
            assert_eq!((ran.verdict, fs::read(place.join("a.o"))?), (Verdict::Miss, object), "{option}");
        }
    }
    Ok(())
}

/// A word of an assembler that is put together of two strings was not seen, and the file that it reads could change unnoticed.
#[test]
fn what_an_assembler_reads_is_seen_where_its_word_is_cut() -> Result<()> {
    if !installed("gcc") {
        return Ok(());
    }
    for word in ["\".inc\" \"bin", "\"\\151ncbin"] {
        let repository = Repository::new()?;
        repository.write("data", "AAAA")?;
        let word = if word.starts_with("\"\\") { word.replacen('"', "\".", 1) } else { word.to_owned() };
        repository.write("a.c", format!("asm(\"d: \" {word} \\\"data\\\"\");\nint x;\n"))?;
        settle();
        let ran = repository.run(&gcc(&["-c", "-o", "a.o", "a.c"]))?;
        assert_eq!(ran.code, Some(0), "{ran:?}");
        ensure!(matches!(ran.verdict, Verdict::Unrecorded(_)), "{ran:?}");
    }
    Ok(())
}
