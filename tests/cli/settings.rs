//! Settings that are wrong, and plugins that are not there.

use crate::support::{Repository, Verdict};
use anyhow::{Result, ensure};
use std::fs;

const RUN: [&str; 6] = ["--out", "out", "--", "sh", "-c", "echo ran; echo ran >out; exit 3"];

/// Settings that do not stand, what is said of them, and where.
const WRONG: [(&str, &str, &str); 10] = [
    ("metdata = \"metadata-compact\"", "1:1", "`metadata`"),
    ("metadata = \"metadata-compact\n", "1:29", "string"),
    ("\n\nmetadata = \"metadata-compat\"", "3:12", "`metadata-compact`"),
    ("eviction = \"evict-lruu\"", "1:12", "`evict-lru`"),
    ("[[rule]]\ncommand = \"x\"\nplugin = \"key-comand\"", "3:10", "`key-command`"),
    ("[[rule]]\ncommand = \"x\"\nplugin = \"key-cc\"\nraeds = []", "4:1", "`reads`"),
    ("size = 5", "1:8", ""),
    ("size = \"much\"", "1:8", "`500 MB`"),
    ("[plugin.p]\npath = \"p.wasm\"\ncapabilities = [\"raed\"]", "3:16", "`read`"),
    ("[[rule]]\ncommand = \"x\"\nplugin = \"key-cc\"\nstdin = \"nothing\"", "4:9", "none"),
];

#[test]
fn wrong_settings_stop_before_anything_ran_and_say_where_and_what_would_be_right() -> Result<()> {
    let repository = Repository::new()?;
    for (text, place, advice) in WRONG {
        repository.write("reviver.toml", text)?;
        let ran = repository.run(&RUN)?;
        ensure!(
            ran.code == Some(125) && ran.stdout.is_empty() && !repository.exists("out"),
            "{text}: {ran:?}"
        );
        let [said] = &ran.said[..] else { panic!("one line was expected for {text}: {ran:?}") };
        let place = format!("{}:{place}: ", repository.path("reviver.toml").display());
        ensure!(said.starts_with(&place) && said.contains(advice), "{text}: {said}");
        let stats = repository.ask(&["stats"])?;
        ensure!(stats.code == Some(2) && stats.said.len() == 1, "{stats:?}");
    }
    Ok(())
}

#[test]
fn wrong_settings_of_the_user_stop_as_well() -> Result<()> {
    let repository = Repository::new()?;
    let config = repository.home.join("config/reviver/config.toml");
    fs::write(&config, "link = \"hardlinks\"\n")?;
    let ran = repository.run(&RUN)?;
    ensure!(ran.code == Some(125) && !repository.exists("out"), "{ran:?}");
    ensure!(ran.said[0].contains("config.toml:1:8") && ran.said[0].contains("`hardlink`"), "{ran:?}");
    Ok(())
}

#[test]
fn a_plugin_that_is_not_there_costs_one_warning() -> Result<()> {
    let repository = Repository::new()?;
    fs::create_dir(repository.path("a-directory"))?;
    for path in ["absent.wasm", "a-directory"] {
        for place in ["[[rule]]\ncommand = \"sh\"\nplugin = \"p\"\n", ""] {
            let metadata = if place.is_empty() { "metadata = \"p\"\n" } else { "" };
            let text = format!("{metadata}[plugin.p]\npath = \"{path}\"\n{place}");
            repository.write("reviver.toml", text)?;
            let ran = repository.run(&RUN)?;
            assert_eq!((ran.code, ran.out().as_str(), &ran.verdict), (Some(3), "ran\n", &Verdict::Silent));
            ensure!(ran.said.len() == 1 && ran.warnings().len() == 1, "{ran:?}");
            ensure!(ran.warnings()[0].contains("`p`") && ran.warnings()[0].contains(path), "{ran:?}");
            ensure!(
                path == "a-directory" || ran.warnings()[0].contains("`reviver plugin build DIR -o /"),
                "{ran:?}"
            );
            repository.remove(&["out"])?;
            let strict = repository.run(&[&["--strict"], &RUN[..]].concat())?;
            ensure!(strict.code == Some(125) && !repository.exists("out"), "{strict:?}");
        }
    }
    Ok(())
}

#[test]
fn a_rule_declares_for_its_commands() -> Result<()> {
    let repository = Repository::new()?;
    let rule = "[[rule]]\ncommand = \"make.sh\"\narguments = [\"--fast\"]\nplugin = \"key-command\"\n\
        reads = [\"in/*.txt\"]\nwrites = [\"out\"]\nvariables = [\"MODE\"]\nstdin = \"none\"\n";
    repository.write("reviver.toml", rule)?;
    repository.script("sub/make.sh", "cat ../in/*.txt >../out\n")?;
    repository.write("in/a.txt", "a")?;
    let run = |arguments: &[&str]| {
        let mut command = repository.runs(&[&["--", "./make.sh"], arguments].concat());
        crate::support::Ran::of(
            command.current_dir(repository.path("sub")).stdin(std::process::Stdio::piped()),
        )
    };
    run(&["--fast"])?.miss()?;
    repository.remove(&["out"])?;
    run(&["--fast"])?.hit()?;
    assert_eq!(repository.text("out")?, "a");
    repository.write("in/b.txt", "b")?;
    run(&["--fast"])?.miss()?;
    run(&["--slow"])?.without(0, "nothing is declared")?;
    Ok(())
}

#[test]
fn what_init_writes_is_valid_and_never_overwrites() -> Result<()> {
    let repository = Repository::new()?;
    assert_eq!(repository.ask(&["init"])?.code, Some(0));
    let text = repository.read("reviver.toml")?;
    assert_eq!(repository.ask(&["init", "--print"])?.stdout, text);
    let run = ["--out", "out", "--", "sh", "-c", ": >out"];
    ensure!(repository.run(&run)?.miss()?.said.is_empty());
    repository.write("reviver.toml", "size = \"1 GB\"\n")?;
    let again = repository.ask(&["init"])?;
    ensure!(again.code == Some(2) && again.said[0].contains("exists already"), "{again:?}");
    assert_eq!(repository.text("reviver.toml")?, "size = \"1 GB\"\n");
    Ok(())
}

#[test]
fn a_changed_configuration_of_a_plugin_is_another_key() -> Result<()> {
    let repository = Repository::new()?;
    let rule = "[[rule]]\ncommand = \"sh\"\nplugin = \"p\"\n";
    let set = |configuration: &str| {
        repository
            .write("reviver.toml", format!("[plugin.p]\nshipped = \"key-command\"\n{configuration}\n{rule}"))
    };
    let run = ["--out", "out", "--", "sh", "-c", ": >out"];
    set("")?;
    repository.run(&run)?.miss()?;
    set("config = { relocatable = true }")?;
    repository.run(&run)?.miss()?;
    set("config = { relocatable = false }")?;
    repository.run(&run)?.miss()?;
    set("")?;
    repository.run(&run)?.hit()?;
    set("config = { relocateable = true }")?;
    repository.run(&run)?.without(0, "relocateable")?;
    Ok(())
}
