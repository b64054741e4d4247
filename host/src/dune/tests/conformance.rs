//! The cases that Dune 2.9.3's own daemon was put through, one after the other on one store. What ends a connection is not for a
//! session to say; everything else is compared.

use super::replay::place;
use super::{Site, files, fresh, write};
use crate::protocol::dune::Command;
use crate::protocol::parse::{Limits, Parser};
use crate::protocol::version::{Lang, Version};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

/// The files that must be there.
fn lay_out(case: &str, build: &Path) {
    let some: &[(&str, &str, u32)] = match case {
        "01_new_file" => &[("a", "alpha\n", 0o644)],
        "02_same_content_other_path" => &[("b", "alpha\n", 0o644)],
        "04_digest_mismatch" => &[("d", "delta\n", 0o644), ("d2", "d2", 0o644)],
        "06_symlink" => &[("real", "real\n", 0o644)],
        "08_no_build_root" => &[("x", "noroot\n", 0o644), ("y", "y noroot\n", 0o644)],
        "09_unknown_command" => &[("z", "zeta\n", 0o644)],
        "10_malformed" => &[("m", "mal\n", 0o644)],
        "11_hint" => &[("h", "hint\n", 0o644)],
        "13_repo" => &[("r", "repo ok\n", 0o644)],
        "15_copy" => &[("cp", "copied\n", 0o664), ("cp2", "copied\n", 0o644)],
        "18_bad_key" => &[("k", "badkey\n", 0o644), ("k2", "badkey2\n", 0o644)],
        "19_upper_key" => &[("k", "upper\n", 0o644)],
        "20_dup_before_repo" => &[("o", "order\n", 0o644)],
        "21_no_duplication_field" => &[("o", "nodup\n", 0o644)],
        "27_mode_600" => &[("x", "six hundred\n", 0o600)],
        "29_lang_2_0" => &[("x", "v2\n", 0o644)],
        "31_no_lang_first" => &[("x", "no lang\n", 0o644)],
        "32_byte_at_a_time" => &[("x", "slow bytes\n", 0o644)],
        "42_directory" => &[("x", "after dir\n", 0o644)],
        _ => &[],
    };
    for (name, content, mode) in some {
        write(build, &format!("default/{name}"), content.as_bytes(), *mode);
    }
    match case {
        "06_symlink" => symlink("real", build.join("default/ln")).unwrap(),
        "42_directory" => fs::create_dir_all(build.join("default/dir")).unwrap(),
        "41_many_in_one_write" => (0..50).for_each(|number| {
            write(build, &format!("default/f{number}"), format!("f{number}\n").as_bytes(), 0o644);
        }),
        _ => {}
    }
}

fn map(value: &Json) -> BTreeMap<String, String> {
    let text = |(name, what): (&String, &Json)| (name.clone(), what.as_str().unwrap().to_owned());
    value.as_object().unwrap().iter().map(text).collect()
}

/// What was said, as it was: 50 promotions are not kept in the file.
fn said(case: &str, sent: &str) -> Vec<u8> {
    if case != "41_many_in_one_write" {
        return sent.chars().map(|letter| letter as u8).collect();
    }
    let mut all = b"(4:lang19:dune-cache-protocol(1:11:2))(14:set-build-root2:/x)".to_vec();
    for number in 0..50_u32 {
        let (content, path) = (format!("f{number}\n"), format!("default/f{number}"));
        let digest = super::digest(&content, crate::dune::digest::Scheme::Joined);
        let (key, length) = (0x4100 + number, path.len());
        all.extend(
            format!(
                "(7:promote(3:key32:{key:032x})(5:files({length}:{path}32:{digest}))(8:metadata())(11:duplication8:hardlink))"
            )
            .bytes(),
        );
    }
    all
}

/// The messages in bytes. The build root's length is of the directory of that time, so its bytes are taken as they are there.
fn messages(bytes: &[u8]) -> Vec<crate::protocol::Sexp> {
    let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    let text = match (text.find("(14:set-build-root"), text.find("_build)")) {
        (Some(start), Some(end)) => {
            format!("{}(14:set-build-root2:/x{}", &text[..start], &text[end + "_build".len()..])
        }
        _ => text,
    };
    let mut parser = Parser::new(Limits::SESSION);
    parser.feed(&text.chars().map(|letter| letter as u8).collect::<Vec<_>>());
    std::iter::from_fn(|| parser.next().ok().flatten()).collect()
}

#[test]
fn dunes_own_cases_end_as_with_dunes_own_daemon() {
    let cases: BTreeMap<String, Json> =
        serde_json::from_str(&fs::read_to_string(place("conformance-2.9.3.json")).unwrap()).unwrap();
    assert_eq!(cases.len(), 22);
    let site = Site::new();
    for (case, expected) in &cases {
        let build = site.directory.path().join("b").join(case).join("_build");
        lay_out(case, &build);
        let before = files(site.root());
        let version = Version::new(1, 2);
        let mut session = fresh(&site.store, version);
        let mut replies = vec!["(lang dune-cache-protocol (1 2))".to_owned()];
        let all = messages(&said(case, expected["sent"].as_str().unwrap()));
        let ours = Lang { name: Lang::DUNE.into(), versions: vec![version] };
        let greeted = all.first().and_then(|first| Lang::from_sexp(first).ok());
        if greeted.is_some_and(|theirs| ours.settle(&theirs).is_ok()) {
            // Only what can be read is said; the rest is the connection's affair, and so is when it ends.
            for value in all.iter().skip(1) {
                let Ok(command) = Command::from_sexp(value, version) else { continue };
                let answer = session.take(match command {
                    Command::SetBuildRoot(_) => Command::SetBuildRoot(build.clone()),
                    other => other,
                });
                replies.extend(answer.dedups.iter().map(|dedup| dedup.to_sexp(version).to_string()));
            }
        }
        drop(session);
        assert_eq!(serde_json::to_value(&replies).unwrap(), expected["replies"], "{case}");
        let mut changes = files(site.root());
        changes.retain(|name, what| before.get(name) != Some(what));
        assert_eq!(changes, map(&expected["store_changes"]), "{case}");
        assert_eq!(files(&build), map(&expected["build_dir"]), "{case}");
    }
}
