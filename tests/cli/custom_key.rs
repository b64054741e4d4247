//! The example repository as its user has it.

use crate::support::{Repository, settle};
use anyhow::{Result, ensure};
use std::fs;
use std::path::Path;

fn example() -> Result<Repository> {
    let repository = Repository::new()?;
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/custom-key");
    for name in ["generate.sh", "plugin.wasm", "reviver.lock", "reviver.toml", "words.txt"] {
        fs::copy(from.join(name), repository.path(name))?;
    }
    settle();
    Ok(repository)
}

const RUN: [&str; 2] = ["--", "./generate.sh"];

#[test]
fn comments_are_no_words() -> Result<()> {
    let repository = example()?;
    ensure!(repository.command("./generate.sh").status()?.success());
    let generated = || anyhow::Ok((repository.text("words.h")?, repository.text("words.c")?));
    let plain = generated()?;
    repository.remove(&["words.h", "words.c"])?;
    repository.run(&RUN)?.miss()?;
    assert_eq!(generated()?, plain);
    repository.remove(&["words.h", "words.c"])?;
    repository.run(&RUN)?.hit()?;
    assert_eq!(generated()?, plain);

    let words = repository.text("words.txt")?;
    repository.write("words.txt", format!("# a remark\n\n{words}# another\n"))?;
    settle();
    repository.run(&RUN)?.hit()?;
    assert_eq!(generated()?, plain);
    repository.write("words.txt", format!("{words}await\n"))?;
    settle();
    repository.run(&RUN)?.miss()?;
    ensure!(generated()?.0.contains("WORD_AWAIT") && generated()?.1.contains("\"await\""));
    repository.write("words.txt", &words)?;
    settle();
    repository.run(&RUN)?.hit()?;
    assert_eq!(generated()?, plain);
    Ok(())
}

#[test]
fn another_generator_is_another_key() -> Result<()> {
    let repository = example()?;
    repository.run(&RUN)?.miss()?;
    let text = repository.text("generate.sh")?;
    repository.write("generate.sh", text.replace("pragma once", "pragma  once"))?;
    settle();
    repository.run(&RUN)?.miss()?;
    ensure!(repository.text("words.h")?.contains("pragma  once"));
    Ok(())
}

#[test]
fn what_its_user_does_not_grant_it_does_not_get() -> Result<()> {
    let repository = example()?;
    fs::write(repository.home.join("config/reviver/config.toml"), "capabilities = []\n")?;
    // A refusal is remembered, and is told of each time: whoever can repair it may not have been there the first time.
    for _ in 0..2 {
        let ran = repository.run(&RUN)?.without(0, "may not be looked at")?;
        let [warning] = ran.warnings()[..] else { panic!("one warning was expected: {ran:?}") };
        ensure!(warning.ends_with("run `reviver plugin pin words --grant`"), "{warning}");
        ensure!(warning.contains("asks for `read`") && repository.exists("words.h"), "{warning}");
    }
    Ok(())
}

#[test]
fn the_same_plugin_elsewhere_in_the_repository_names_the_same_words() -> Result<()> {
    let repository = example()?;
    repository.run(&RUN)?.miss()?;
    // The key holds the plugin's content, not its place.
    fs::create_dir(repository.path("tools"))?;
    fs::rename(repository.path("plugin.wasm"), repository.path("tools/words.wasm"))?;
    let settings = repository.text("reviver.toml")?.replace("plugin.wasm", "tools/words.wasm");
    repository.write("reviver.toml", settings)?;
    repository.run(&RUN)?.hit()?;
    Ok(())
}

/// A remembered answer used to outlive the capabilities that it was given under: a refusal stayed after the capability
/// was asked for, as the message advised, and a key stayed after it was withdrawn.
#[test]
fn what_a_plugin_may_do_decides_what_it_answers() -> Result<()> {
    let repository = example()?;
    let settings = repository.text("reviver.toml")?;
    let without = settings.replace("capabilities = [\"read\"]", "capabilities = []");
    ensure!(settings != without);
    for _ in 0..2 {
        repository.write("reviver.toml", &without)?;
        let ran = repository.run(&RUN)?.without(0, "needs the capability `read`")?;
        ensure!(ran.warnings().is_empty(), "it asked for nothing: {ran:?}");
        repository.write("reviver.toml", &settings)?;
        ensure!(repository.run(&RUN)?.said.is_empty());
    }
    repository.run(&RUN)?.hit()?;
    Ok(())
}
