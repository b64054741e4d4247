//! Looking after Dune's own caches.

use crate::support::other_user::OtherUser;
use crate::support::{Ran, Repository, installed, is_root};
use anyhow::{Result, ensure};
use reviver::dune::digest::{Content, Scheme};
use reviver::dune::layout::{FileId, FileLayout, Layout, MetaLayout};
use reviver::dune::meta::Meta;
use reviver::protocol::dune::RuleKey;
use serde_json::Value as Json;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A cache as Dune 3.x makes it.
struct Cache {
    layout: Layout,
}

impl Cache {
    fn new(root: &Path) -> Result<Self> {
        fs::create_dir_all(root)?;
        Ok(Self { layout: Layout::new(root.to_owned()) })
    }

    /// A file with this content, and a rule that made it.
    fn add(&self, number: u8, content: &str) -> Result<PathBuf> {
        let digest = Content::of(content.as_bytes(), 0o444).digest(Scheme::Joined);
        let file = self.layout.file(FileId::new(FileLayout::V4, digest));
        let rule = self.layout.meta(MetaLayout::V5, RuleKey::new([number; 16]));
        for path in [&file, &rule] {
            fs::create_dir_all(path.parent().unwrap_or(path))?;
        }
        fs::write(&file, content)?;
        fs::set_permissions(&file, Permissions::from_mode(0o444))?;
        let files = Some(vec![(b"a".to_vec(), digest.to_string().into_bytes())]);
        fs::write(rule, Meta { metadata: vec![], files }.to_bytes())?;
        std::thread::sleep(Duration::from_millis(12));
        Ok(file)
    }
}

fn json(ran: &Ran) -> Result<Json> {
    Ok(serde_json::from_slice(&ran.stdout)?)
}

/// What `reviver dune` says of the cache that it finds itself.
fn dune(repository: &Repository, arguments: &[&str], variables: &[(&str, &Path)]) -> Result<Ran> {
    let mut command = repository.reviver(&[&["dune"], arguments].concat());
    command.envs(variables.iter().copied());
    Ran::of(&mut command)
}

#[test]
fn the_cache_is_found_where_dune_has_it() -> Result<()> {
    let repository = Repository::new()?;
    let (home, other) = (repository.home.clone(), repository.path("other"));
    let root = |variables: &[(&str, &Path)]| -> Result<Option<String>> {
        let ran = dune(&repository, &["stats", "--json"], variables)?;
        if ran.code == Some(1) {
            return Ok(None);
        }
        Ok(json(&ran)?["root"].as_str().map(str::to_owned))
    };
    ensure!(root(&[])?.is_none(), "there is none yet");
    let old = Cache::new(&home.join(".cache/dune/db"))?;
    ensure!(root(&[])?.as_deref() == old.layout.root().to_str());
    let xdg = Cache::new(&other.join("dune/db"))?;
    ensure!(root(&[("XDG_CACHE_HOME", &other)])?.as_deref() == xdg.layout.root().to_str());
    let variable = [("DUNE_CACHE_ROOT", other.as_path()), ("XDG_CACHE_HOME", home.as_path())];
    fs::create_dir_all(other.join("files/v4"))?;
    ensure!(root(&variable)?.as_deref() == other.to_str(), "up to 3.21");
    fs::create_dir_all(other.join("db/files/v4"))?;
    ensure!(root(&variable)?.as_deref() == other.join("db").to_str(), "since 3.22");
    let named = dune(&repository, &["stats", "--json", "--dir", "other"], &variable)?;
    ensure!(json(&named)?["root"].as_str() == other.to_str());
    Ok(())
}

#[test]
fn what_is_there_is_counted_trimmed_and_verified() -> Result<()> {
    let repository = Repository::new()?;
    let cache = Cache::new(&repository.home.join(".cache/dune/db"))?;
    let all = [cache.add(1, "first 3456")?, cache.add(2, "second 456")?, cache.add(3, "third 3456")?];
    let stats = json(&dune(&repository, &["stats", "--json"], &[])?)?;
    ensure!(
        stats["files"]["files/v4"]["unused_bytes"] == 30 && stats["metas"]["meta/v5"]["metas"] == 3,
        "{stats}"
    );

    let would = json(&dune(&repository, &["trim", "--size", "20", "--dry-run", "--json"], &[])?)?;
    ensure!(would["files"] == 1 && would["metas"] == 1 && all[0].exists(), "{would}");
    let trimmed = dune(&repository, &["trim", "--size", "20"], &[])?;
    ensure!(trimmed.code == Some(0) && trimmed.out().contains("1 file and 1 rule gone"), "{trimmed:?}");
    ensure!(all.iter().map(|path| path.exists()).collect::<Vec<_>>() == [false, true, true]);
    let usual = dune(&repository, &["trim"], &[])?;
    ensure!(usual.out().contains("0 files and 0 rules gone"), "10 GB may stay: {usual:?}");

    fs::set_permissions(&all[1], Permissions::from_mode(0o644))?;
    fs::write(&all[1], "poisoned 6")?;
    fs::set_permissions(&all[1], Permissions::from_mode(0o444))?;
    let told = dune(&repository, &["verify", "--dry-run"], &[])?;
    ensure!(
        told.code == Some(4) && told.out().contains("not what its name says") && all[1].exists(),
        "{told:?}"
    );
    let found = json(&dune(&repository, &["verify", "--json"], &[])?)?;
    ensure!(found["findings"][0]["damage"] == true && found["findings"][0]["remedied"] == true, "{found}");
    ensure!(!all[1].exists());
    let repaired = dune(&repository, &["verify", "--repair"], &[])?;
    ensure!(repaired.code == Some(0) && repaired.out().contains("put right"), "{repaired:?}");
    let right = dune(&repository, &["verify"], &[])?;
    ensure!(
        right.code == Some(0) && right.out().contains("1 file and 1 rule, 10 B: all is as it was promoted"),
        "{right:?}"
    );
    Ok(())
}

/// A build tree that had linked a damaged file stayed wrong for good, after `verify` had put it aside too, and nobody said so.
#[test]
fn what_damage_leaves_in_build_trees_is_told() -> Result<()> {
    let repository = Repository::new()?;
    let cache = Cache::new(&repository.home.join(".cache/dune/db"))?;
    // A mistyped --dir, say: "all is as it was promoted" was said of any directory.
    let none = dune(&repository, &["verify"], &[])?;
    ensure!(none.code == Some(0) && none.out().trim_end() == "nothing is there yet", "{none:?}");
    let path = cache.add(1, "first 3456")?;
    fs::set_permissions(&path, Permissions::from_mode(0o644))?;
    fs::write(&path, "other 3456")?;
    let told = dune(&repository, &["verify"], &[])?;
    ensure!(told.code == Some(4) && told.out().contains("remove their `_build`"), "{told:?}");
    let rest = dune(&repository, &["verify"], &[])?;
    ensure!(!rest.out().contains("remove their `_build`"), "{rest:?}");
    Ok(())
}

/// The user's own settings: a size, and what goes first by a plugin.
#[test]
fn the_users_settings_bound_the_cache_and_name_what_goes_first() -> Result<()> {
    let repository = Repository::new()?;
    let cache = Cache::new(&repository.home.join(".cache/dune/db"))?;
    let all =
        [cache.add(1, "first 3456")?, cache.add(2, &"second".repeat(100))?, cache.add(3, "third 3456")?];
    let settings = repository.home.join("config/reviver/config.toml");
    let there = || all.iter().map(|path| path.exists()).collect::<Vec<_>>();
    fs::write(&settings, "[dune]\nsize = '10'\neviction = 'evict-lru'\n")?;
    let trimmed = dune(&repository, &["trim", "--json"], &[])?;
    ensure!(trimmed.code == Some(0) && json(&trimmed)?["fault"].is_null(), "{trimmed:?}");
    ensure!(there() == [false, false, true], "{:?}", there());
    let own = "[dune]\nsize = '0'\neviction = { path = '/none.wasm' }\n";
    fs::write(&settings, own)?;
    let none = dune(&repository, &["trim"], &[])?;
    ensure!(none.code == Some(3) && all[2].exists(), "{none:?}");
    // It was told twice, around the advice, and in words of the standard library that no system says.
    let told = none.said.join("\n");
    ensure!(told.matches("No such file or directory").count() == 1, "{none:?}");
    ensure!(!told.contains("entity not found"), "{none:?}");
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/components/evict-lru.wasm");
    fs::write(&settings, own.replace("/none.wasm", &shipped.to_string_lossy()))?;
    let trimmed = dune(&repository, &["trim", "--json"], &[])?;
    ensure!(json(&trimmed)?["fault"].is_null() && there() == [false; 3], "{trimmed:?}");
    Ok(())
}

/// What may not be read or removed is told, and the rest is done.
#[test]
fn what_belongs_to_somebody_else_is_told_and_left() -> Result<()> {
    let repository = Repository::new()?;
    let cache = Cache::new(&repository.path("db"))?;
    let (closed, _) = (cache.add(1, "first 3456")?, cache.add(2, "second 456")?);
    if !is_root() {
        return Ok(());
    }
    let other = OtherUser::of(&repository)?;
    fs::set_permissions(&closed, Permissions::from_mode(0o400))?;
    let verified = other.ask(&["dune", "verify", "--dir", "db"])?;
    ensure!(verified.code == Some(4) && verified.said.join("\n").contains("cannot open"), "{verified:?}");
    ensure!(verified.out().contains("1 file and 2 rules"), "{verified:?}");
    let trimmed = other.ask(&["dune", "trim", "--dir", "db", "--size", "0"])?;
    ensure!(trimmed.code == Some(4) && trimmed.said.join("\n").contains("cannot remove"), "{trimmed:?}");
    ensure!(closed.exists());
    Ok(())
}

/// What Dune itself keeps, without any daemon: all of it is right, all of it can go, and its next build works.
#[test]
fn a_cache_of_dunes_own_making_is_understood() -> Result<()> {
    if !installed("dune") {
        return Ok(());
    }
    let repository = Repository::new()?;
    repository.write("dune-project", "(lang dune 2.0)\n")?;
    let rule = "(rule (targets out.txt twin.txt) (deps in.txt)\n (action (progn (copy in.txt out.txt) (copy in.txt twin.txt)\n \
                (run sh -c \"echo ran >> %{env:RAN=/dev/null}\"))))\n(rule (targets s.sh) (action (progn\n \
                (with-stdout-to s.sh (echo hello)) (run chmod +x s.sh))))\n";
    repository.write("dune", rule)?;
    repository.write("in.txt", "some input\n")?;
    let ran = repository.path("ran");
    let build = || -> Result<()> {
        let mut command = repository.command("dune");
        command.args(["build", "--root", ".", "./out.txt", "./twin.txt", "./s.sh"]);
        command.env("DUNE_CACHE", "enabled").env("DUNE_CACHE_TRANSPORT", "direct").env("RAN", &ran);
        let built = Ran::of(&mut command)?;
        ensure!(built.code == Some(0), "{built:?}");
        Ok(())
    };
    let runs = || fs::read_to_string(&ran).unwrap_or_default().lines().count();
    build()?;
    let stats = json(&dune(&repository, &["stats", "--json"], &[])?)?;
    let number = |path: &str| stats.pointer(path).and_then(Json::as_u64).unwrap_or(0);
    let files = number("/files/files~1v4/files") + number("/files/files~1v3/files");
    ensure!(
        files > 1 && number("/metas/meta~1v4/unparsable") == 0 && number("/metas/meta~1v4/broken") == 0,
        "{stats}"
    );
    let verified = dune(&repository, &["verify"], &[])?;
    ensure!(verified.code == Some(0) && verified.out().contains("all is as it was promoted"), "{verified:?}");

    let kept = dune(&repository, &["trim", "--size", "0"], &[])?;
    ensure!(kept.out().contains("0 files and 0 rules gone"), "the build tree links to all of it: {kept:?}");
    repository.remove(&["_build"])?;
    build()?;
    ensure!(runs() == 1, "it was found in the cache: {}", runs());
    repository.remove(&["_build"])?;
    let trimmed = json(&dune(&repository, &["trim", "--size", "0", "--json"], &[])?)?;
    ensure!(trimmed["files"].as_u64() == Some(files) && trimmed["metas"].as_u64() > Some(1), "{trimmed}");
    build()?;
    ensure!(runs() == 2, "it ran again: {}", runs());
    Ok(())
}
