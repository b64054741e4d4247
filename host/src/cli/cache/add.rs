//! `reviver cache add`.

use crate::cli::context::{Context, now};
use crate::cli::exit::Exit;
use crate::cli::show;
use crate::digest::Digest;
use crate::key::{Key, Name};
use crate::repository::size::ByteSize;
use crate::store::{Added, Draft, Gathered, Manifest, StoreError};
use anyhow::{Context as _, bail};
use clap::Args;
use serde_json::json;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf, absolute};

/// What `cache add` takes.
#[derive(Args, Debug)]
pub(in crate::cli) struct AddArgs {
    /// The name to bind: one path segment of 1 to 200 bytes
    name: String,
    /// The files, in order; symbolic links to them are followed
    #[arg(required_unless_present = "root")]
    files: Vec<PathBuf>,
    /// Keep where they are below DIR, with directories whole and links as links; without files, all that is in DIR
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Text to keep with them
    #[arg(long, value_name = "TEXT", conflicts_with = "metadata_file")]
    metadata: Option<String>,
    /// A file with bytes to keep with them
    #[arg(long, value_name = "FILE")]
    metadata_file: Option<PathBuf>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// What is at these paths below a root, both as they are seen from the working directory.
fn below(root: &Path, files: &[&Path]) -> anyhow::Result<Gathered> {
    let root = absolute(root)?;
    let mut files = files.iter().map(absolute).collect::<Result<Vec<_>, _>>()?;
    if files.is_empty() {
        let entries = fs::read_dir(&root).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let entries = entries.with_context(|| format!("cannot list `{}`", root.display()))?;
        files = entries.into_iter().map(|entry| entry.path()).collect();
        files.sort_unstable();
    }
    let files: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    Ok(Manifest::gather(&root, &files)?)
}

/// Binds a name to files. Where one of them is absent nothing is added, and the exit status is 1.
pub(super) fn add(context: &Context, args: &AddArgs, out: &mut impl Write) -> anyhow::Result<Exit> {
    let name = Name::new(&args.name)?;
    if Digest::from_hex(&args.name).is_some() {
        bail!("`{name}` is the key of an operation, which only a run can bind");
    }
    let metadata = match (&args.metadata, &args.metadata_file) {
        (Some(text), _) => text.clone().into_bytes(),
        (None, Some(file)) => fs::read(file).with_context(|| format!("cannot read `{}`", file.display()))?,
        (None, None) => Vec::new(),
    };
    let files: Vec<&Path> = args.files.iter().map(PathBuf::as_path).collect();
    let key = Key::named(&name);
    let add = |draft: Draft<'_>| context.partition.add(key, &Draft { name: Some(&name), ..draft }, now());
    let added = match &args.root {
        None => match add(Draft::of_files(&metadata, &files)) {
            Err(StoreError::SourceKind { path }) if path.is_dir() => {
                bail!("`{}` is a directory; --root keeps whole ones", path.display());
            }
            added => added?,
        },
        Some(root) => match below(root, &files)? {
            Gathered::All(manifest) => add(manifest.draft(&metadata))?,
            Gathered::Missing(path) => Added::SourceMissing(path),
        },
    };
    match added {
        Added::Stored { bytes, items } => {
            if args.json {
                let line = json!({"key": key.to_string(), "name": name.as_str(), "files": items.len(), "bytes": bytes});
                writeln!(out, "{line}")?;
            } else {
                writeln!(
                    out,
                    "{key}  {}  {}  {name}",
                    show::number(items.len(), "file", "files"),
                    ByteSize(bytes)
                )?;
            }
            Ok(Exit::Done)
        }
        Added::SourceMissing(path) => {
            eprintln!("reviver: `{}` is not there; nothing was added", path.display());
            Ok(Exit::Absent)
        }
    }
}
