//! Two repositories with plugins of their own in one cache directory, at once: neither touches what the other has.

use crate::hostile::guest;
use crate::support::{Repository, settle};
use anyhow::{Context as _, Result, ensure};
use reviver::shipped;
use std::fs;
use std::path::Path;
use std::thread;

const OPERATIONS: usize = 50;

/// A policy for which everything is worth nothing at all.
fn lowest() -> Result<Vec<u8>> {
    let text = |name: &str| {
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../tests/hostile/{name}.wat")))
    };
    let last_use = "(f64.convert_i64_u (i64.load offset=24 (local.get $at)))";
    let good = text("eviction-good")?;
    ensure!(good.contains(last_use), "the guest is not what it was");
    let guest = good.replace(last_use, "(f64.const -0x1.fffffffffffffp+1023)");
    Ok(wat::parse_str(text("shell-eviction")?.replacen("  GUEST\n", &guest, 1))?)
}

/// A repository in this cache with a key, a metadata and an eviction plugin of its own, whose commands copy a file that nobody
/// declares.
fn repository(
    cache: Option<&Path>,
    hidden: &str,
    codec: &str,
    eviction: &[u8],
    size: &str,
) -> Result<Repository> {
    let mut repository = Repository::new()?;
    if let Some(cache) = cache {
        cache.clone_into(&mut repository.cache);
    }
    let component = |name: &str| Ok::<_, anyhow::Error>(shipped::find(name).context("it is shipped")?.bytes);
    repository.write("key.wasm", component("key-command")?)?;
    repository.write("codec.wasm", component(codec)?)?;
    repository.write("eviction.wasm", eviction)?;
    repository.write(
        "reviver.toml",
        format!(
            "metadata = \"codec\"\neviction = \"eviction\"\n{size}\n[plugin.key]\npath = \"key.wasm\"\n\
             [plugin.codec]\npath = \"codec.wasm\"\n[plugin.eviction]\npath = \"eviction.wasm\"\n\
             [[rule]]\ncommand = \"sh\"\nplugin = \"key\"\n"
        ),
    )?;
    repository.write("hidden", hidden.repeat(2000))?;
    repository.pin()?;
    settle();
    Ok(repository)
}

/// Does every operation, by the repository's own key plugin and by the shipped one, and looks at what it made.
fn work(repository: &Repository) -> Result<()> {
    let hidden = repository.text("hidden")?;
    for number in 0..OPERATIONS {
        let out = format!("out.{number}");
        // The same words in both repositories; what is copied is declared nowhere.
        let own = ["--out", &out, "--", "sh", "-c", &format!("cat hidden >{out}")].map(str::to_owned);
        let shipped = ["--out", &out, "--", "cp", "hidden", &out].map(str::to_owned);
        for operation in [own, shipped] {
            for _ in 0..2 {
                let ran = repository.run(&operation)?;
                ensure!(ran.code == Some(0) && ran.warnings().is_empty(), "{ran:?}");
                ensure!(repository.text(&out)? == hidden, "{out} is of another repository");
                repository.remove(&[&out])?;
            }
        }
    }
    Ok(())
}

#[test]
fn repositories_in_one_cache_share_no_key_and_evict_nothing_of_each_other() -> Result<()> {
    let small = repository(None, "a", "metadata-json", &lowest()?, "size = \"30 kB\"")?;
    let large =
        repository(Some(&small.cache), "b", "metadata-csexp", &guest("eviction", "eviction-good")?, "")?;
    thread::scope(|scope| {
        let both = [&small, &large].map(|repository| scope.spawn(|| work(repository)));
        both.into_iter().try_for_each(|one| one.join().expect("it does not panic"))
    })?;
    let (trimmed, whole) = (small.counts()?, large.counts()?);
    ensure!(trimmed[2] < 2 * OPERATIONS as u64, "the small share was never exceeded: {trimmed:?}");
    assert_eq!(whole, [2, 2, 2].map(|times| times * OPERATIONS as u64), "hits, misses and entries");
    assert_eq!(large.stats()?["faults"], 0);

    // All of one goes, and nothing of the other.
    ensure!(small.ask(&["cache", "rm", "--all"])?.code == Some(0));
    work(&large)?;
    let now = large.counts()?;
    assert_eq!(now, [6, 2, 2].map(|times| times * OPERATIONS as u64), "hits, misses and entries");
    Ok(())
}

/// A policy that is asked to bring the whole cache down ranks its own repository's entries alone; of others the host decides.
#[test]
fn a_policy_never_sees_another_repositorys_entries() -> Result<()> {
    let one = repository(None, "a", "metadata-json", &lowest()?, "")?;
    let other =
        repository(Some(&one.cache), "b", "metadata-csexp", &guest("eviction", "eviction-good")?, "")?;
    let run = |repository: &Repository, out: &str| {
        repository.run(&["--out", out, "--", "cp", "hidden", out])?.miss().map(drop)
    };
    // The other's entry is the younger one: by the host's order it goes last, whatever this policy says of its own.
    for out in ["x", "y", "z"] {
        run(&one, out)?;
    }
    run(&other, "x")?;
    let trimmed = one.ask(&["cache", "trim", "--size", "12 kB", "--json"])?;
    ensure!(trimmed.code == Some(0), "{trimmed:?}");
    assert_eq!(other.counts()?[2], 1, "{trimmed:?}");
    ensure!(one.counts()?[2] < 3, "{trimmed:?}");
    Ok(())
}
