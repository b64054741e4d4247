//! What is kept of a rule: metadata, and which files it made.
//!
//! ```text
//! ((8:metadata VALUE...)(5:files(PATH NAMED)...))       without the spaces
//! ```
//!
//! `NAMED` is a file's digest; in the oldest format, its whole path in the store; in the newest also `<dir>`, which names nothing.
//! Dune 3.x writes `(5:value DIGEST)` in place of the files for what is no file. A third element would make clients miss, and so
//! would any in a file without both; bytes after the value are ignored by old clients and warned of by new ones.

use super::layout::{FileId, FileLayout, MetaLayout};
use crate::protocol::csexp::Sexp;
use crate::protocol::dune::FileDigest;
use crate::protocol::parse::{Limits, Parser};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

/// What is kept of a rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Meta {
    /// What is said besides.
    pub metadata: Vec<Sexp>,
    /// Its files: each path, and what it names. `None` where it has made no files but a value.
    pub files: Option<Vec<(Vec<u8>, Vec<u8>)>>,
}

impl Meta {
    /// Its bytes in the store.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let atom = |bytes: &Vec<u8>| Sexp::Atom(bytes.clone());
        let pair = |(path, named): &(Vec<u8>, Vec<u8>)| Sexp::list([atom(path), atom(named)]);
        let files = self.files.iter().flatten().map(pair);
        Sexp::list([Sexp::named("metadata", self.metadata.iter().cloned()), Sexp::named("files", files)])
            .to_bytes()
    }

    /// What is kept in these bytes, as Dune reads them: what follows is ignored.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut parser = Parser::new(Limits::SESSION);
        parser.feed(bytes);
        let Sexp::List(parts) = parser.next().ok()?? else { return None };
        let [metadata, made] = parts.as_slice() else { return None };
        let (b"metadata", metadata) = metadata.as_named()? else { return None };
        let pair = |pair: &Sexp| match pair.as_list()? {
            [path, named] => Some((path.as_atom()?.to_vec(), named.as_atom()?.to_vec())),
            _ => None,
        };
        let files = match made.as_named()? {
            (b"files", files) => Some(files.iter().map(pair).collect::<Option<_>>()?),
            (b"value", [_]) => None,
            _ => return None,
        };
        Some(Self { metadata: metadata.to_vec(), files })
    }

    /// The files that it names, in a format. `None`: it names something that can be none. Where it names whole paths, only
    /// their ends count: the same store may be known by several paths.
    #[must_use]
    pub fn named(&self, layout: MetaLayout) -> Option<Vec<FileId>> {
        let files =
            self.files.iter().flatten().filter(|(_, named)| named != b"<dir>" || layout != MetaLayout::V5);
        files.map(|(_, named)| named_file(named, layout.files())).collect()
    }
}

fn named_file(named: &[u8], layout: FileLayout) -> Option<FileId> {
    if layout != FileLayout::V2 {
        return Some(FileId::new(layout, FileDigest::from_hex(named)?));
    }
    let path = Path::new(OsStr::from_bytes(named));
    let file = FileId::from_name(layout, path.file_name()?.as_bytes())?;
    path.ends_with(file.place()).then_some(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_read_as_it_is_written() {
        let meta = Meta {
            metadata: vec![Sexp::named("repo", [Sexp::atom("")])],
            files: Some(vec![(b"default/a".to_vec(), b"2c7b37977db31f140ff220ed0461510a".to_vec())]),
        };
        let bytes = meta.to_bytes();
        assert_eq!(
            bytes.escape_ascii().to_string(),
            "((8:metadata(4:repo0:))(5:files(9:default/a32:2c7b37977db31f140ff220ed0461510a)))"
        );
        assert_eq!(Meta::from_bytes(&bytes), Some(meta.clone()));
        assert_eq!(Meta::from_bytes(&[&bytes[..], b"\n"].concat()), Some(meta));
        let empty = Meta { metadata: vec![], files: Some(vec![]) };
        assert_eq!(empty.to_bytes(), b"((8:metadata)(5:files))");
    }

    #[test]
    fn what_clients_miss_on_is_no_rule() {
        for no in [
            "",
            "garbage",
            "()",
            "((8:metadata))",
            "((8:metadata)(5:files)(5:other))",
            "((5:files)(8:metadata))",
            "((8:metadata)(5:files(1:a)))",
            "((8:metadata)(5:files))"[..20].as_ref(),
            "((8:metadata)(5:files1:a))",
        ] {
            assert_eq!(Meta::from_bytes(no.as_bytes()), None, "{no}");
        }
        let value = "((8:metadata)(5:value32:2c7b37977db31f140ff220ed0461510a))";
        assert_eq!(Meta::from_bytes(value.as_bytes()).unwrap().files, None);
    }

    #[test]
    fn only_files_of_a_store_are_named() {
        let digest = "2c7b37977db31f140ff220ed0461510a";
        let of = |named: &str| Meta { metadata: vec![], files: Some(vec![(b"a".to_vec(), named.into())]) };
        let one = of(digest).named(MetaLayout::V5).unwrap();
        assert_eq!(one, [FileId::new(FileLayout::V4, FileDigest::from_hex(digest.as_bytes()).unwrap())]);
        assert_eq!(of("<dir>").named(MetaLayout::V5), Some(vec![]));
        assert_eq!(of("<dir>").named(MetaLayout::V4), None);
        let own = format!("/c/db/v2/files/2c/{digest}.3");
        assert_eq!(of(&own).named(MetaLayout::V2).unwrap()[0].number, 3);
        for foreign in
            [format!("/c/db/v3/files/2c/{digest}.3"), format!("/c/db/v2/files/2d/{digest}.3"), digest.into()]
        {
            assert_eq!(of(&foreign).named(MetaLayout::V2), None, "{foreign}");
        }
    }
}
