//! Two contents with one digest, which only the oldest format tells apart.

use super::{Site, fresh, key, promotion, told, write};
use crate::dune::digest::{Content, Scheme};
use crate::dune::layout::{FileId, FileLayout, MetaLayout};
use crate::dune::meta::Meta;
use crate::dune::{Annotate, AnnotateError, Provenance};
use crate::protocol::Version;
use crate::protocol::csexp::Sexp;
use crate::protocol::dune::{Command, Promotion};
use std::fs;
use std::path::PathBuf;

/// Two contents with one MD5 (Wang and Yu, *How to break MD5 and other hash functions*, 2005).
fn twins() -> [Vec<u8>; 2] {
    let one = concat!(
        "d131dd02c5e6eec4693d9a0698aff95c2fcab58712467eab4004583eb8fb7f8955ad340609f4b30283e488832571415a",
        "085125e8f7cdc99fd91dbdf280373c5bd8823e3156348f5bae6dacd436c919c6dd53e2b487da03fd02396306d248cda0",
        "e99f33420f577ee8ce54b67080a80d1ec69821bcb6a8839396f9652b6ff72a70"
    );
    let pairs: Vec<_> = one.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap()).collect();
    let one: Vec<_> = pairs.iter().map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect();
    let mut other = one.clone();
    for at in [19, 45, 59, 83, 109, 123] {
        other[at] ^= 0x80;
    }
    [one, other]
}

/// Where each file goes was decided for all of a rule's files before the first was there. So two of one rule with one digest
/// and other contents got one place, and who found the rule got the first content for both. Dune's own daemon of that time
/// keeps file after file, and numbers them.
#[test]
fn two_contents_with_one_digest_in_one_rule_are_kept_both() {
    let [one, other] = twins();
    let named = Content::of(&one, 0o644).digest(Scheme::Marshalled);
    assert!(one != other && named == Content::of(&other, 0o644).digest(Scheme::Marshalled));
    let site = Site::new();
    let contents = [&one, &other, &one, &other];
    let mut rule = Promotion { files: vec![], ..promotion(1, &[]) };
    for (number, content) in contents.iter().enumerate() {
        let path = format!("default/{number}");
        write(&site.build(), &path, content, 0o644);
        rule.files.push((path.into(), named));
    }
    for dedups in [2, 2] {
        let answer = site.session(Version::new(1, 1)).take(Command::Promote(rule.clone()));
        assert_eq!((told(&answer), answer.dedups.len()), (vec![], dedups));
        let meta = fs::read(site.store.layout().meta(MetaLayout::V2, key(1))).unwrap();
        let meta = Meta::from_bytes(&meta).unwrap();
        for ((path, place), content) in meta.files.unwrap().iter().zip(contents) {
            let place = String::from_utf8(place.clone()).unwrap();
            assert_eq!(&fs::read(&place).unwrap(), content, "{} is {place}", path.escape_ascii());
        }
        for dedup in &answer.dedups {
            let built = fs::read(site.build().join(&dedup.path)).unwrap();
            assert_eq!(fs::read(&dedup.place).unwrap(), built, "{}", dedup.path.display());
        }
    }
}

/// Puts a file into the store after it was looked what is there.
struct Puts(PathBuf, Vec<u8>);

impl Annotate for Puts {
    fn annotate(&mut self, _: &Provenance<'_>) -> Result<Option<Sexp>, AnnotateError> {
        fs::create_dir_all(self.0.parent().unwrap()).unwrap();
        fs::write(&self.0, &self.1).unwrap();
        Ok(None)
    }
}

/// The same between two clients: what came first to the place was taken for equal, since its digest is.
#[test]
fn what_another_client_kept_meanwhile_is_no_content_of_ours_for_its_digest_alone() {
    let [one, other] = twins();
    let named = Content::of(&one, 0o644).digest(Scheme::Marshalled);
    for (theirs, is_kept) in [(&other, false), (&one, true)] {
        let site = Site::new();
        write(&site.build(), "default/a", &one, 0o644);
        let place = site.store.layout().file(FileId::new(FileLayout::V2, named));
        let mut session = fresh(&site.store, Version::new(1, 1));
        session.annotate = Some(Box::new(Puts(place, theirs.clone())));
        session.take(Command::SetBuildRoot(site.build()));
        let rule = Promotion { files: vec![("default/a".into(), named)], ..promotion(1, &[]) };
        let answer = session.take(Command::Promote(rule));
        assert_eq!((answer.dedups.len(), answer.notes.len()), (usize::from(is_kept), usize::from(!is_kept)));
        assert_eq!(site.store.layout().meta(MetaLayout::V2, key(1)).exists(), is_kept);
    }
}
