//! What a glob matches.
//!
//! Between the slashes the rules are those of the `glob` crate: letters count, a `*` matches no slash, and no dot in front. A `**` stands
//! for any number of directories. It goes through links to directories too, since a command may read there, but never into a
//! directory that it is in already, and through no more than [`MOST`].

use glob::{MatchOptions, Pattern, PatternError, glob_with};
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// So many directories a `**` leads through at the most: links between them make more ways than there will ever be time for.
pub(super) const MOST: usize = 200_000;

const OPTIONS: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

/// Why it is not known what a glob matches.
#[derive(Debug)]
pub(super) enum ExpandError {
    /// It is no glob.
    Pattern(PatternError),
    /// It leads through more than [`MOST`] directories.
    Boundless,
    /// It leads through a directory whose name is not UTF-8.
    NotText(PathBuf),
}

/// The paths that a glob matches, which is absolute.
pub(super) fn expand(pattern: &str) -> Result<Vec<PathBuf>, ExpandError> {
    // All of it may be wrong in a part that is never come to.
    Pattern::new(pattern).map_err(ExpandError::Pattern)?;
    let (mut pattern, mut found) = (pattern.to_owned(), Vec::new());
    while pattern.contains("/**/**") {
        pattern = pattern.replace("/**/**", "/**");
    }
    matches_of(&pattern, &mut MOST.clone(), &mut found)?;
    Ok(found)
}

fn matches_of(pattern: &str, left: &mut usize, found: &mut Vec<PathBuf>) -> Result<(), ExpandError> {
    let whole = pattern.strip_suffix("/**/").map(|before| (before, None));
    let whole = whole.or_else(|| pattern.split_once("/**/").map(|(before, behind)| (before, Some(behind))));
    let Some((before, behind)) = whole.or_else(|| Some((pattern.strip_suffix("/**")?, None))) else {
        return glob_with(pattern, OPTIONS)
            .map(|matches| found.extend(matches.filter_map(Result::ok)))
            .map_err(ExpandError::Pattern);
    };
    let mut tops = Vec::new();
    matches_of(if before.is_empty() { "/" } else { before }, left, &mut tops)?;
    for top in tops {
        for directory in directories(&top, left)? {
            let Some(behind) = behind else {
                // At the end it stands for what is below.
                found.extend((directory != top).then_some(directory));
                continue;
            };
            let text = directory.to_str().ok_or_else(|| ExpandError::NotText(directory.clone()))?;
            let escaped = Pattern::escape(text.trim_end_matches('/'));
            matches_of(&format!("{escaped}/{behind}"), left, found)?;
        }
    }
    Ok(())
}

/// A directory and all below it, but for those with a dot in front.
fn directories(top: &Path, left: &mut usize) -> Result<Vec<PathBuf>, ExpandError> {
    let mut all = Vec::new();
    let mut pending = vec![(top.to_owned(), Vec::new())];
    while let Some((directory, above)) = pending.pop() {
        let Some(here) = fs::metadata(&directory).ok().filter(fs::Metadata::is_dir) else { continue };
        let here = (here.dev(), here.ino());
        if above.contains(&here) {
            continue;
        }
        *left = left.checked_sub(1).ok_or(ExpandError::Boundless)?;
        // What may not be looked at matches nothing, for the command either.
        for entry in fs::read_dir(&directory).into_iter().flatten().filter_map(Result::ok) {
            let is_plain = |kind: fs::FileType| kind.is_dir() || kind.is_symlink();
            if entry.file_type().is_ok_and(is_plain)
                && !entry.file_name().as_encoded_bytes().starts_with(b".")
            {
                pending.push((entry.path(), [&above[..], &[here]].concat()));
            }
        }
        all.push(directory);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::os::unix::fs::symlink;

    fn expanded(top: &Path, pattern: &str) -> BTreeSet<PathBuf> {
        expand(&format!("{}/{pattern}", top.display())).unwrap().into_iter().collect()
    }

    #[test]
    fn what_is_matched_is_what_the_crate_matches() {
        let directory = tempfile::tempdir().unwrap();
        let top = directory.path();
        for (number, name) in
            ["a", "d/a", "d/e/a", "d/e/f/b", "d/.h/a", "[x]/a", "z/d/e/a"].iter().enumerate()
        {
            fs::create_dir_all(top.join(name)).unwrap();
            fs::write(top.join(name).join(format!("{number}.txt")), "").unwrap();
            fs::write(top.join(name).join(".hidden"), "").unwrap();
        }
        symlink("d/e", top.join("link")).unwrap();
        symlink("nowhere", top.join("d/dangling")).unwrap();
        for pattern in [
            "*",
            "**",
            "**/*",
            "**/*.txt",
            "d/**",
            "d/**/",
            "d/**/*",
            "d/**/a",
            "**/d/**/*.txt",
            "**/**/*.txt",
            "*/**/a/*",
            "d/e/*",
            "[[]x]/**/*",
            "link/**/*",
            "none/**/*",
            "a/0.txt/**/*",
            "**/f/",
            "**/dangling",
        ] {
            let theirs = glob_with(&format!("{}/{pattern}", top.display()), OPTIONS).unwrap();
            let theirs: BTreeSet<PathBuf> = theirs.filter_map(Result::ok).collect();
            assert_eq!(expanded(top, pattern), theirs, "{pattern}");
        }
        // The crate's own finds none of these.
        assert_eq!(expanded(top, "z/**/.hidden"), [top.join("z/d/e/a/.hidden")].into());
        assert!(matches!(expand("/nowhere/**/[a"), Err(ExpandError::Pattern(_))));
        assert!(matches!(expand("/nowhere/a**/b"), Err(ExpandError::Pattern(_))));
    }

    /// Of two links that lead up there are as many ways as a path has room for, in every order: a client's question kept a thread
    /// of the daemon busy long after the client had gone.
    #[test]
    fn a_link_that_leads_up_is_no_way() {
        let directory = tempfile::tempdir().unwrap();
        let top = directory.path();
        fs::create_dir(top.join("sub")).unwrap();
        fs::create_dir(top.join("other")).unwrap();
        for name in ["a.txt", "sub/b.txt", "other/c.txt"] {
            fs::write(top.join(name), "").unwrap();
        }
        for (target, link) in [(".", "one"), ("..", "sub/two"), ("../other", "sub/aside")] {
            symlink(target, top.join(link)).unwrap();
        }
        let names = ["a.txt", "other/c.txt", "sub/aside/c.txt", "sub/b.txt"].map(|name| top.join(name));
        assert_eq!(expanded(top, "**/*.txt"), names.into());
        assert_eq!(expanded(top, "**"), ["other", "sub", "sub/aside"].map(|name| top.join(name)).into());
    }
}
