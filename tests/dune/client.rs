//! Debian's Dune, as its users have it, with our daemon instead of its own.

use crate::peer::dune_is_here;
use crate::scene::{Scene, done, gone, holder, ocaml_is_here};
use anyhow::{Context as _, Result, ensure};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn can_build() -> bool {
    dune_is_here() && ocaml_is_here()
}

/// Each file with its mode and links, without its content: that has the build tree's place in it.
fn links(scene: &Scene, workspace: &str) -> Result<BTreeMap<PathBuf, (u32, u64)>> {
    Ok(scene.built(workspace)?.into_iter().map(|(path, built)| (path, (built.mode, built.links))).collect())
}

/// Compilers that ran in the last build.
fn compiled(scene: &Scene, workspace: &str) -> Result<Vec<String>> {
    let log = fs::read_to_string(scene.path(workspace).join("_build/log"))?;
    Ok(log.lines().filter(|line| line.starts_with("$ (cd _build")).map(str::to_owned).collect())
}

/// That the daemon is ours, and Dune never started one of its own, which leaves its output here.
fn is_ours(scene: &Scene) -> Result<()> {
    let pid = scene.status()?["pid"].as_i64();
    let held = holder(&scene.port())?.map(|pid| i64::from(pid.as_raw_nonzero().get()));
    ensure!(pid.is_some() && pid == held, "{pid:?} runs and {held:?} is found");
    for name in ["log", "stdout", "stderr"] {
        ensure!(!scene.root().join(name).exists(), "Dune's own daemon was started");
    }
    Ok(())
}

#[test]
fn a_build_from_the_cache_runs_no_rule_and_is_what_was_built() -> Result<()> {
    if !can_build() {
        return Ok(());
    }
    let scene = Scene::new()?;
    let pid = scene.start(&["--dune"])?;
    scene.workspace("one")?;
    scene.build("one")?;
    let (ran, built) = (scene.ran(), scene.built("one")?);
    ensure!(ran.lines().count() == 3, "{ran}");
    ensure!(built[Path::new("tool")].mode == 0o555 && built[Path::new("in.txt")].mode == 0o444);
    ensure!(built[Path::new("upper.txt")].links == 3, "it has a twin, and the store has it");
    is_ours(&scene)?;

    scene.clean("one")?;
    scene.build("one")?;
    ensure!(scene.ran() == ran, "rules ran: {}", scene.ran());
    ensure!(compiled(&scene, "one")?.is_empty(), "{:?}", compiled(&scene, "one")?);
    ensure!(scene.built("one")? == built, "the build from the cache is another one");

    scene.workspace("two")?;
    scene.build("two")?;
    ensure!(scene.ran() == ran && compiled(&scene, "two")?.is_empty());
    // Not by `dune exec`: that becomes the program, and leaves what it had on its way in the cache.
    let said = done(scene.command("two/_build/default/bin/main.exe"))?;
    ensure!(said == "3 words\n", "{said}");
    is_ours(&scene)?;
    let status = scene.status()?;
    let count = |name: &str| status[name].as_u64().context("a number");
    ensure!(count("promoted")? > 20 && count("refused")? == 0 && count("files")? > 20, "{status}");
    ensure!(status["clients"]["served"].as_u64() >= Some(3), "{status}");

    done(scene.dune("two", &["cache", "stop"]))?;
    ensure!(gone(pid), "`dune cache stop` does not stop it");
    ensure!(scene.left().is_empty(), "{:?}", scene.left());
    ensure!(fs::read(scene.port())?.is_empty(), "the port file says something");
    ensure!(scene.status()?["running"] == false);
    Ok(())
}

#[test]
fn links_and_modes_are_those_that_dunes_own_daemon_makes() -> Result<()> {
    if !can_build() {
        return Ok(());
    }
    let (ours, dunes) = (Scene::new()?, Scene::new()?);
    ours.start(&["--dune"])?;
    for scene in [&ours, &dunes] {
        scene.workspace("w")?;
        scene.build("w")?;
    }
    ensure!(links(&ours, "w")? == links(&dunes, "w")?, "after the first build");
    for scene in [&ours, &dunes] {
        scene.clean("w")?;
        scene.build("w")?;
    }
    ensure!(links(&ours, "w")? == links(&dunes, "w")?, "after the second one");
    // It leaves with its clients, but not at once.
    dunes.dune("w", &["cache", "stop"]).output()?;
    is_ours(&ours)
}

#[test]
fn clients_that_copy_share_no_file_with_the_cache() -> Result<()> {
    if !can_build() {
        return Ok(());
    }
    let scene = Scene::new()?;
    scene.start(&["--dune"])?;
    scene.workspace("w")?;
    let build = || {
        let mut build = scene.dune("w", &["build", "@all"]);
        build.env("DUNE_CACHE_DUPLICATION", "copy");
        done(build)
    };
    build()?;
    let (ran, built) = (scene.ran(), scene.built("w")?);
    ensure!(built.values().all(|built| built.links == 1), "{:?}", links(&scene, "w")?);
    scene.clean("w")?;
    build()?;
    ensure!(scene.ran() == ran && compiled(&scene, "w")?.is_empty());
    ensure!(scene.built("w")?.values().all(|built| built.links == 1));
    is_ours(&scene)
}

#[test]
fn two_builds_at_once_are_both_served() -> Result<()> {
    if !can_build() {
        return Ok(());
    }
    let scene = Scene::new()?;
    let pid = scene.start(&["--dune"])?;
    let names = ["one", "two"];
    let mut builds = Vec::new();
    for name in names {
        scene.workspace(name)?;
        builds.push(scene.dune(name, &["build", "@all"]).spawn()?);
    }
    for mut build in builds {
        ensure!(build.wait()?.success());
    }
    let ran = scene.ran();
    // What has a build tree's place in it is another thing from each of them, and the later one counts: what was made of the
    // other's is not found, and compiled once more. Then all is there.
    for name in names.repeat(2) {
        scene.clean(name)?;
        scene.build(name)?;
    }
    for name in names {
        scene.clean(name)?;
        scene.build(name)?;
        ensure!(compiled(&scene, name)?.is_empty(), "{:?}", compiled(&scene, name)?);
    }
    ensure!(scene.ran() == ran);
    is_ours(&scene)?;
    ensure!(scene.status()?["pid"].as_i64() == Some(i64::from(pid.as_raw_nonzero().get())));
    Ok(())
}

#[test]
fn dune_trims_what_we_store_and_builds_it_anew() -> Result<()> {
    if !can_build() {
        return Ok(());
    }
    let scene = Scene::new()?;
    scene.start(&["--dune"])?;
    scene.workspace("w")?;
    scene.build("w")?;
    scene.clean("w")?;
    let said = done(scene.dune("w", &["cache", "trim", "--size", "0B"]))?;
    ensure!(said.starts_with("Freed ") && !said.starts_with("Freed 0"), "{said}");
    scene.build("w")?;
    ensure!(scene.ran().lines().count() == 6, "{}", scene.ran());
    is_ours(&scene)
}

#[test]
fn without_a_runtime_directory_old_and_new_clients_find_the_daemon() -> Result<()> {
    if !can_build() {
        return Ok(());
    }
    let scene = Scene::without_runtime()?;
    let pid = scene.start(&["--dune"])?;
    let ports = ["runtime", "v2/runtime"].map(|path| scene.root().join(path).join("dune-cache-daemon/port"));
    for port in &ports {
        ensure!(holder(port)? == Some(pid), "{}", port.display());
        ensure!(fs::read_to_string(port)? == scene.status()?["dune"].as_str().unwrap_or_default());
    }
    scene.workspace("w")?;
    scene.build("w")?;
    let ran = scene.ran();
    scene.clean("w")?;
    scene.build("w")?;
    ensure!(scene.ran() == ran && !scene.root().join("stdout").exists());
    done(scene.dune("w", &["cache", "stop"]))?;
    ensure!(gone(pid));
    for port in &ports {
        ensure!(fs::read(port)?.is_empty(), "{}", port.display());
    }
    Ok(())
}

#[test]
fn a_repositorys_metadata_plugin_says_its_part_and_clients_still_hit() -> Result<()> {
    if !can_build() {
        return Ok(());
    }
    let scene = Scene::new()?;
    scene.start(&["--dune"])?;
    let annotated = || -> Result<usize> {
        let said = done(scene.command("grep").tap(["-rl", "7:reviver", "cache/dune/db/meta"]));
        Ok(said.map_or(0, |said| said.lines().count()))
    };
    for (name, settings) in [("quiet", "size = '1 GB'\n"), ("broken", "metadata = 7\n")] {
        scene.workspace(name)?;
        fs::write(scene.path(name).join("in.txt"), name)?;
        fs::write(scene.path(name).join("reviver.toml"), settings)?;
        scene.build(name)?;
        ensure!(annotated()? == 0, "{name}");
    }
    let log = fs::read_to_string(scene.log())?;
    let told = log.lines().filter(|line| line.contains("broken/reviver.toml:1:12")).count();
    ensure!(told == 1, "{log}");
    scene.workspace("named")?;
    fs::write(scene.path("named").join("in.txt"), "named")?;
    fs::write(scene.path("named").join("reviver.toml"), "metadata = 'metadata-compact'\n")?;
    scene.build("named")?;
    ensure!(annotated()? > 2, "{}", annotated()?);
    let ran = scene.ran();
    scene.clean("named")?;
    scene.build("named")?;
    ensure!(scene.ran() == ran && compiled(&scene, "named")?.is_empty());
    is_ours(&scene)
}

/// Arguments in one expression.
trait Tap {
    fn tap<const N: usize>(self, arguments: [&str; N]) -> Self;
}

impl Tap for std::process::Command {
    fn tap<const N: usize>(mut self, arguments: [&str; N]) -> Self {
        self.args(arguments);
        self
    }
}
