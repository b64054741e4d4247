//! What shells are told of our commands.

use crate::support::{Ran, Repository, installed};
use anyhow::{Result, ensure};

/// The commands that the help of a command lists.
fn commands(help: &str) -> Vec<&str> {
    let below = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let listed = below.take_while(|line| !line.is_empty());
    listed.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").collect()
}

#[test]
fn each_shell_gets_a_script_that_knows_each_command() -> Result<()> {
    let repository = Repository::new()?;
    let help = repository.ask(&["--help"])?.out();
    let plugin_help = repository.ask(&["plugin", "--help"])?.out();
    let all = [commands(&help), commands(&plugin_help)].concat();
    ensure!(all.contains(&"completions") && all.contains(&"inspect"), "{all:?}");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = repository.ask(&["completions", shell])?;
        ensure!(script.code == Some(0) && script.said.is_empty(), "{script:?}");
        for command in &all {
            ensure!(script.out().contains(command), "{shell} does not know `{command}`");
        }
    }
    ensure!(repository.ask(&["completions", "cmd"])?.code == Some(2));
    Ok(())
}

#[test]
fn bash_accepts_its_script_and_completes_by_it() -> Result<()> {
    if !installed("bash") {
        return Ok(());
    }
    let repository = Repository::new()?;
    let script = repository.ask(&["completions", "bash"])?.stdout;
    repository.write("script", script)?;
    let checked = Ran::of(repository.command("bash").args(["-n", "script"]))?;
    ensure!(checked.code == Some(0) && checked.stderr.is_empty(), "{checked:?}");
    for (words, last, expected) in [
        ("reviver pl", 1, "plugin\n"),
        ("reviver doctor --js", 2, "--json\n"),
        ("reviver plugin build --role ev", 4, "eviction\n"),
    ] {
        let complete = format!(
            "source ./script; COMP_WORDS=({words}); COMP_CWORD={last}; \
             _reviver reviver \"${{COMP_WORDS[{last}]}}\" \"${{COMP_WORDS[{last}-1]}}\"; echo \"${{COMPREPLY[*]}}\""
        );
        let completed = Ran::of(repository.command("bash").args(["-c", &complete]))?;
        ensure!(completed.out() == expected, "{words}: {completed:?}");
    }
    Ok(())
}
