//! 22 scripted cases, one after the other against one store: ours does what Dune 2.9.3's own daemon did.
//!
//! What that did is in `fixtures/conformance-2.9.3.json`: its replies, whether it closed before it was told that nothing more
//! comes, what changed in the store, and what the build tree was then. Dune's own daemon is asked again where it is installed.

use crate::fixture::{place, write};
use crate::peer::{Place, Whose, dune_is_here};
use crate::speech::Speech;
use crate::tree::{self, from_latin};
use anyhow::{Context as _, Result, ensure};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

/// How long `$W` was where the cases were recorded.
const RECORDED: usize = 24;

/// A file, its content, its mode.
type File = (&'static str, &'static [u8], u32);

/// What is in the build root before a case. Contents are not in its record.
fn files_of(case: &str) -> &'static [File] {
    match case {
        "01_new_file" => &[("a", b"alpha\n", 0o644)],
        "02_same_content_other_path" => &[("b", b"alpha\n", 0o644)],
        "04_digest_mismatch" => &[("d", b"delta\n", 0o644), ("d2", b"d2", 0o644)],
        "06_symlink" => &[("real", b"real\n", 0o644)],
        "08_no_build_root" => &[("x", b"noroot\n", 0o644), ("y", b"y noroot\n", 0o644)],
        "09_unknown_command" => &[("z", b"zeta\n", 0o644)],
        "10_malformed" => &[("m", b"mal\n", 0o644)],
        "11_hint" => &[("h", b"hint\n", 0o644)],
        "13_repo" => &[("r", b"repo ok\n", 0o644)],
        "15_copy" => &[("cp", b"copied\n", 0o664), ("cp2", b"copied\n", 0o644)],
        "18_bad_key" => &[("k", b"badkey\n", 0o644), ("k2", b"badkey2\n", 0o644)],
        "19_upper_key" => &[("k", b"upper\n", 0o644)],
        "20_dup_before_repo" => &[("o", b"order\n", 0o644)],
        "21_no_duplication_field" => &[("o", b"nodup\n", 0o644)],
        "27_mode_600" => &[("x", b"six hundred\n", 0o600)],
        "29_lang_2_0" => &[("x", b"v2\n", 0o644)],
        "31_no_lang_first" => &[("x", b"no lang\n", 0o644)],
        "32_byte_at_a_time" => &[("x", b"slow bytes\n", 0o644)],
        "42_directory" => &[("x", b"after dir\n", 0o644)],
        _ => &[],
    }
}

#[test]
fn ours_does_what_dunes_own_daemon_did() -> Result<()> {
    conform(Whose::Ours)
}

#[test]
fn dunes_own_daemon_does_what_it_did() -> Result<()> {
    if dune_is_here() {
        conform(Whose::Dunes)?;
    }
    Ok(())
}

fn conform(whose: Whose) -> Result<()> {
    let text = fs::read_to_string(crate::fixture::place().join("conformance-2.9.3.json"))?;
    let cases: BTreeMap<String, Json> = serde_json::from_str(&text)?;
    ensure!(cases.len() == 22, "{} cases in {}", cases.len(), place().display());
    let place = Place::new()?;
    let mut daemon = place.start(whose)?;
    for (case, expected) in &cases {
        if whose == Whose::Dunes && !daemon.is_alive()? {
            daemon = place.start(whose)?;
        }
        let build_root = place.path("b").join(case).join("_build");
        lay_out(case, &build_root)?;
        let before = tree::store(&place.root())?;
        let mut speech = Speech::with(&daemon)?;
        for (part, pause) in parts(case, expected, &place.path(""))? {
            speech.say(&part)?;
            sleep(pause);
        }
        let closes = expected["peer_closed_before_our_eof"].as_bool().context("whether it closed")?;
        // What must not happen is waited for as long as it was then; what must happen may take its time.
        let closed = speech.hear(Duration::from_millis(if closes { 10_000 } else { 250 }))?;
        ensure!(closed == closes, "{case}: closed before the end {closed}");
        let replies: Vec<_> =
            speech.end().with_context(|| case.clone())?.iter().map(ToString::to_string).collect();
        ensure!(Json::from(replies.clone()) == expected["replies"], "{case}: {replies:?}");

        let changes = tree::difference(&before, &tree::store(&place.root())?);
        same(case, &serde_json::to_value(changes)?, &expected["store_changes"])?;
        same(case, &serde_json::to_value(tree::build(&build_root)?)?, &expected["build_dir"])?;
        ensure!(
            whose == Whose::Dunes || daemon.is_alive()?,
            "{case}: the daemon ended: {}",
            place.complaints()
        );
    }
    Ok(())
}

fn same(case: &str, found: &Json, expected: &Json) -> Result<()> {
    ensure!(found == expected, "{case}: {found:#}\ninstead of {expected:#}");
    Ok(())
}

fn lay_out(case: &str, build_root: &Path) -> Result<()> {
    let default = build_root.join("default");
    fs::create_dir_all(&default)?;
    for (name, content, mode) in files_of(case) {
        write(&default.join(name), content, *mode)?;
    }
    match case {
        "06_symlink" => symlink("real", default.join("ln"))?,
        "42_directory" => fs::create_dir(default.join("dir"))?,
        "41_many_in_one_write" => {
            for number in 0..50 {
                write(&default.join(format!("f{number}")), format!("f{number}\n").as_bytes(), 0o644)?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// What is sent, with the pause after each part.
fn parts(case: &str, expected: &Json, work: &Path) -> Result<Vec<(Vec<u8>, Duration)>> {
    let work = work.to_str().context("a path")?.trim_end_matches('/');
    let sent =
        if case == "41_many_in_one_write" { many(expected)? } else { text(expected, "sent")?.to_owned() };
    let sent = from_latin(&moved(&sent, work)?);
    let split_before = |mark: &[u8]| {
        let at = sent.windows(mark.len()).position(|window| window == mark);
        at.map(|at| sent.split_at(at)).with_context(|| format!("{case} has a part"))
    };
    Ok(match case {
        "10_malformed" => {
            let (first, second) = split_before(b"(7:promote(")?;
            vec![(first.to_vec(), Duration::from_millis(100)), (second.to_vec(), Duration::ZERO)]
        }
        "32_byte_at_a_time" => {
            let (first, second) = split_before(b"(7:promote(")?;
            let bytes = second.iter().map(|byte| (vec![*byte], Duration::ZERO));
            std::iter::once((first.to_vec(), Duration::ZERO)).chain(bytes).collect()
        }
        _ => vec![(sent, Duration::ZERO)],
    })
}

/// A text of a case with `$W` as the work directory, and lengths before it made right.
fn moved(sent: &str, work: &str) -> Result<String> {
    let mut parts = sent.split("$W");
    let mut moved = parts.next().context("a beginning")?.to_owned();
    for part in parts {
        let before = moved.strip_suffix(':').context("a length before $W")?;
        let rest = before.trim_end_matches(|letter: char| letter.is_ascii_digit());
        let length: usize = before[rest.len()..].parse()?;
        moved = format!("{rest}{}:{work}{part}", length - RECORDED + work.len());
    }
    Ok(moved)
}

/// The case whose bytes were too many for its record: each key's file and digest are in the rule that came of it.
fn many(expected: &Json) -> Result<String> {
    let root = format!("{}/b/41_many_in_one_write/_build", "$W");
    let length = root.len() - "$W".len() + RECORDED;
    let mut sent = format!("(4:lang19:dune-cache-protocol(1:11:2))(14:set-build-root{length}:{root})");
    for number in 0..50 {
        let key = format!("{:032x}", 0x4100 + number);
        let rule = text(&expected["store_changes"], &format!("meta/v4/{}/{key}", &key[..2]))?;
        let files =
            rule.strip_prefix("((8:metadata)").and_then(|rest| rest.strip_suffix(')')).context("files")?;
        let name = format!("default/f{number}");
        ensure!(files.starts_with(&format!("(5:files({}:{name}32:", name.len())), "{files}");
        sent += &format!("(7:promote(3:key32:{key}){files}(8:metadata())(11:duplication8:hardlink))");
    }
    let recorded = sent.len() - "$W".len() + RECORDED;
    ensure!(text(expected, "sent")? == format!("<{recorded} bytes>"), "{recorded} bytes");
    Ok(sent)
}

fn text<'a>(of: &'a Json, field: &str) -> Result<&'a str> {
    of[field].as_str().with_context(|| format!("{field} is a text"))
}
