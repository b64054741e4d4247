//! What clients of four versions said to Dune's own daemons, said to ours: the same dedups, and the same store.

use super::{files, fresh, write};
use crate::dune::meta::Meta;
use crate::dune::{DuneStore, Options};
use crate::protocol::csexp::Sexp;
use crate::protocol::dune::{Command, Dedup};
use crate::protocol::parse::{Limits, Parser};
use crate::protocol::version::{Lang, Version};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const CACHE: &str = "/ws/cache/dune/db";

pub(super) fn place(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/dune/fixtures").join(name)
}

fn values(bytes: &[u8]) -> Vec<Sexp> {
    let mut parser = Parser::new(Limits::SESSION);
    parser.feed(bytes);
    std::iter::from_fn(|| parser.next().unwrap()).collect()
}

/// What a client said after its greeting, which tells the version.
fn said(folder: &Path, name: &str) -> (Version, Vec<Sexp>) {
    let mut all = values(&fs::read(folder.join(name)).unwrap());
    let lang = Lang::from_sexp(&all.remove(0)).unwrap();
    (lang.versions[0], all)
}

fn json(path: &Path) -> Json {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// A value with the cache of that time at another place.
fn moved(value: &Sexp, root: &Path) -> Sexp {
    match value {
        Sexp::List(values) => Sexp::list(values.iter().map(|value| moved(value, root))),
        Sexp::Atom(bytes) => match bytes.strip_prefix(CACHE.as_bytes()) {
            Some(rest) => Sexp::atom([root.as_os_str().as_bytes(), rest].concat()),
            None => value.clone(),
        },
    }
}

/// The rules that Dune's daemon wrote, with the cache at another place.
fn rules(folder: &Path, root: &Path) -> BTreeMap<String, String> {
    let all = json(&folder.join("store_meta_after.json"));
    let rule = |(name, text): (&String, &Json)| {
        let bytes: Vec<u8> = text.as_str().unwrap().chars().map(|letter| letter as u8).collect();
        let bytes = moved(&values(&bytes)[0], root).to_bytes();
        (name.clone(), bytes.iter().map(|byte| char::from(*byte)).collect())
    };
    all.as_object().unwrap().iter().map(rule).collect()
}

#[test]
fn four_generations_find_in_our_store_what_they_would_in_their_own() {
    for name in ["dune-2.0.1_gen", "dune-2.5.1_gen", "dune-2.9.3_gen", "dune-2.9.3_git"] {
        let folder = place(name);
        let directory = tempfile::tempdir().unwrap();
        let (root, build) = (directory.path().join("cache/db"), directory.path().join("w/_build"));
        for file in json(&folder.join("promoted.json")).as_array().unwrap() {
            let path = file["path"].as_str().unwrap();
            let mode = if file["exec"].as_bool().unwrap() { 0o755 } else { 0o644 };
            write(&build, path, &fs::read(folder.join("files").join(path)).unwrap(), mode);
        }
        let store = Arc::new(DuneStore::open(root.clone(), Options::default()).unwrap());
        let say = |what: &str| {
            let (version, all) = said(&folder, what);
            let mut session = fresh(&store, version);
            let mut answers = Vec::new();
            for value in all {
                let command = match Command::from_sexp(&value, version).unwrap() {
                    Command::SetBuildRoot(_) => Command::SetBuildRoot(build.clone()),
                    other => other,
                };
                let answer = session.take(command);
                assert!(answer.notes.is_empty(), "{name}: {:?}", answer.notes);
                answers.extend(answer.dedups.iter().map(|dedup| dedup.to_sexp(version).to_string()));
            }
            answers
        };
        let expected = values(&fs::read(folder.join("conn1.s2c.bin")).unwrap());
        let expected = expected.iter().skip(1).map(|value| moved(value, &root).to_string());
        assert_eq!(say("conn1.c2s.bin"), expected.collect::<Vec<_>>(), "{name}");
        let after = files(&root);
        let rules = rules(&folder, &root);
        let is_rule = |name: &String| name.starts_with("meta/") || name.starts_with("v2/meta/");
        let found: BTreeMap<_, _> = after.clone().into_iter().filter(|(name, _)| is_rule(name)).collect();
        assert_eq!(found, rules, "{name}");
        // Each promoted file is there once, and nothing else.
        let mut data = BTreeMap::new();
        for file in json(&folder.join("promoted.json")).as_array().unwrap() {
            let digest = file["digest"].as_str().unwrap();
            let below = match name {
                "dune-2.0.1_gen" | "dune-2.5.1_gen" => format!("v2/files/{}/{digest}.1", &digest[..2]),
                _ => format!("files/v4/{}/{digest}", &digest[..2]),
            };
            let mode = if file["exec"].as_bool().unwrap() { "555" } else { "444" };
            data.insert(below, format!("{mode} nlink=2 size={}", file["size"]));
        }
        let found: BTreeMap<_, _> = after.clone().into_iter().filter(|(name, _)| !is_rule(name)).collect();
        assert_eq!(found, data, "{name}");
        assert!(say("conn2.c2s.bin").is_empty());
        assert_eq!(files(&root), after, "{name}: a second build promotes nothing");
    }
}

/// A real project; its files are not kept, so the rules' bytes alone are compared.
#[test]
fn the_rules_of_a_real_project_are_written_as_by_dune() {
    let folder = place("dune-2.9.3_full");
    let mut rules = rules(&folder, Path::new(CACHE));
    let (version, all) = said(&folder, "conn1.c2s.bin");
    for value in all {
        if let Command::Promote(promotion) = Command::from_sexp(&value, version).unwrap() {
            let file = |(path, digest): &(PathBuf, _)| {
                let digest: &crate::protocol::dune::FileDigest = digest;
                (path.as_os_str().as_bytes().to_vec(), digest.to_string().into_bytes())
            };
            let files = Some(promotion.files.iter().map(file).collect());
            let meta = Meta { metadata: promotion.metadata.clone(), files };
            let key = promotion.key.to_string();
            let rule = rules.remove(&format!("meta/v4/{}/{key}", &key[..2])).unwrap();
            assert_eq!(meta.to_bytes().iter().map(|byte| char::from(*byte)).collect::<String>(), rule);
        }
    }
    assert!(rules.is_empty(), "{rules:?}");
    let dedups = values(&fs::read(folder.join("conn1.s2c.bin")).unwrap());
    assert_eq!(dedups.iter().filter(|value| Dedup::from_sexp(value).is_ok()).count(), 5);
}
