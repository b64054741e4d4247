//! Stored lists: for each base key, what its runs discovered, and what the base key stood for.
//!
//! The file is the *companion* of the entries that were recorded under the base key and goes with the last of them:
//!
//! ```text
//! "RVLISTS2" | sum of the rest | label | number | lists behind their lengths, most recently used first | explained base ingredients
//! ```
//!
//! A later lookup resolves each list natively; the first whose key is bound is the hit. Places under the root are kept
//! relative to it, behind [`ROOT`], so that worktrees share lists. A place that is its own label stays: its plugin says where
//! that is, wherever the root is, and so do the directories that it was missed in.

use super::explain::Explained;
use super::hints::{Hint, Hints};
use super::kept::Kept;
use super::remember::{Resolved, summed, unsummed};
use crate::bytes::{Layout as _, Malformed, Reader, Writer, from_bytes, to_bytes};
use crate::operation::{Ingredient, Source};

const MAGIC: &[u8; 8] = b"RVLISTS2";

/// The most lists that a base key keeps.
pub const MOST_LISTS: usize = 16;

/// What stands for the root in stored places.
pub const ROOT: &str = "\u{1}/";

/// The lists of one base key.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Lists {
    /// The label of the operation.
    pub label: String,
    /// The lists, most recently used first.
    pub lists: Vec<Resolved>,
    /// The ingredients of the base key, for explanations.
    pub base: Vec<Explained>,
}

impl Lists {
    /// Puts a list in front. Another one with the same ingredients gives way; beyond [`MOST_LISTS`] the last is dropped.
    pub fn put(&mut self, mut list: Resolved) {
        // The labels are in `names` already; most say no more than the place, and a hit would read them for nothing.
        for Ingredient { label, source } in &mut list.ingredients {
            if label == source.place() {
                label.clear();
            }
        }
        self.lists.retain(|known| known.ingredients != list.ingredients);
        self.lists.insert(0, list);
        self.lists.truncate(MOST_LISTS);
    }

    /// The bytes of its file, with the places under `root` made relative.
    #[must_use]
    pub fn to_bytes(&self, root: &str) -> Vec<u8> {
        let mut out = Writer::default();
        out.text(&self.label);
        let mut lists = self.lists.clone();
        for list in &mut lists {
            leave(list, root);
        }
        out.u32(lists.len() as u32);
        for list in &lists {
            out.bytes(&to_bytes(list));
        }
        out.list(&self.base);
        summed(MAGIC, &out.into_bytes())
    }

    /// The lists alone, as they lie there, for a lookup.
    pub fn kept(bytes: &[u8]) -> Result<Vec<Kept<'_>>, Malformed> {
        let mut from = Reader::new(unsummed(MAGIC, bytes)?);
        from.bytes()?;
        (0..from.number()?).map(|_| Ok(Kept::new(from.bytes()?))).collect()
    }

    /// The lists in the bytes of a file, with their places under `root`.
    pub fn from_bytes(bytes: &[u8], root: &str) -> Result<Self, Malformed> {
        let mut from = Reader::new(unsummed(MAGIC, bytes)?);
        let label = String::take(&mut from)?;
        let lists: Result<Vec<Resolved>, _> =
            (0..from.number()?).map(|_| from_bytes(from.bytes()?)).collect();
        let mut lists = lists?;
        let base = from.list()?;
        from.end()?;
        for list in &mut lists {
            enter(list, root);
        }
        Ok(Self { label, lists, base })
    }
}

fn relative(place: &str, root: &str) -> Option<String> {
    let rest = place.strip_prefix(root)?;
    if rest.is_empty() { Some(ROOT.to_owned()) } else { Some(format!("{ROOT}{}", rest.strip_prefix('/')?)) }
}

fn absolute(place: &str, root: &str) -> Option<String> {
    let rest = place.strip_prefix(ROOT)?;
    Some(if rest.is_empty() { root.to_owned() } else { format!("{root}/{rest}") })
}

/// Makes the places of a list independent of the root, but for those that are their own labels.
fn leave(list: &mut Resolved, root: &str) {
    let Hints { directories, each } = &mut list.hints;
    let missed_in = |hint: &Hint| match hint {
        Hint::Missed(directory) => Some(*directory as usize),
        _ => None,
    };
    let mut moves = vec![false; directories.len()];
    let mut staying = Vec::new();
    for (position, Ingredient { label, source }) in list.ingredients.iter_mut().enumerate() {
        let moved = place(source).and_then(|place| Some((relative(place, root)?, place)));
        // Labels that say the same as the place were left out.
        if moved.is_some() && label.is_empty() {
            staying.push(position);
            continue;
        }
        if let Some((moved, place)) = moved {
            *place = moved;
        }
        if let Some(moves) = each.get(position).and_then(missed_in).and_then(|it| moves.get_mut(it)) {
            *moves = true;
        }
    }
    let mut stays = vec![false; directories.len()];
    for position in staying {
        let Some(hint) = each.get_mut(position) else { continue };
        let Some(directory) = missed_in(hint).filter(|it| *it < stays.len()) else { continue };
        if moves[directory] {
            // A directory that moves with another place tells nothing of this one.
            *hint = Hint::None;
        } else {
            stays[directory] = true;
        }
    }
    for (look, stays) in directories.iter_mut().zip(stays) {
        if !stays && let Some(moved) = relative(&look.path, root) {
            look.path = moved;
        }
    }
}

/// Puts the places of a list under a root.
fn enter(list: &mut Resolved, root: &str) {
    for Ingredient { source, .. } in &mut list.ingredients {
        if let Some(place) = place(source)
            && let Some(moved) = absolute(place, root)
        {
            *place = moved;
        }
    }
    for look in &mut list.hints.directories {
        if let Some(moved) = absolute(&look.path, root) {
            look.path = moved;
        }
    }
}

fn place(source: &mut Source) -> Option<&mut String> {
    match source {
        Source::File(place) | Source::Tree(place) | Source::Listing(place) => Some(place),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::hints::Look;
    use super::super::value::Value;
    use super::*;
    use crate::digest::Digest;

    fn list(place: &str) -> Resolved {
        Resolved {
            names: Digest::of(place.as_bytes()),
            ingredients: vec![Ingredient { label: "h".into(), source: Source::File(place.into()) }],
            values: vec![Value::Absent],
            hints: Hints {
                directories: vec![Look { path: "/repo/include".into(), identity: None }],
                each: vec![Hint::Missed(0)],
            },
        }
    }

    #[test]
    fn lists_move_with_the_root() {
        let mut lists = Lists { label: "cc a.c".into(), ..Lists::default() };
        for place in ["/repo/include/a.h", "/repository/a.h", "include/a.h", "/usr/include/a.h"] {
            lists.put(list(place));
        }
        let moved = Lists::from_bytes(&lists.to_bytes("/repo"), "/other").unwrap();
        let places: Vec<_> = moved.lists.iter().map(|list| list.ingredients[0].source.place()).collect();
        assert_eq!(places, ["/usr/include/a.h", "include/a.h", "/repository/a.h", "/other/include/a.h"]);
        assert_eq!(moved.lists[0].hints.directories[0].path, "/other/include");
        assert_eq!(Lists::from_bytes(&lists.to_bytes("/repo"), "/repo").unwrap(), lists);
    }

    /// Two worktrees, one of which was told to look into the other: what it found there was looked for in itself from then on.
    #[test]
    fn a_place_that_is_its_own_label_stays_with_its_directories() {
        let own = |place: &str| Ingredient { label: place.into(), source: Source::File(place.into()) };
        let directory = |path: &str| Look { path: path.into(), identity: None };
        let all = Resolved {
            ingredients: ["/repo/one/a.h", "two/a.h", "/repo/two/b.h", "/repo/c.h"].map(own).to_vec(),
            values: vec![Value::Absent; 4],
            hints: Hints {
                directories: ["/repo/one", "/repo/two"].map(directory).to_vec(),
                each: vec![Hint::Missed(0), Hint::Missed(1), Hint::Missed(1), Hint::None],
            },
            ..list("")
        };
        let mut lists = Lists::default();
        lists.put(all);
        let moved = Lists::from_bytes(&lists.to_bytes("/repo"), "/other").unwrap().lists.remove(0);
        let places: Vec<_> = moved.ingredients.iter().map(|one| one.source.place()).collect();
        assert_eq!(places, ["/repo/one/a.h", "two/a.h", "/repo/two/b.h", "/repo/c.h"]);
        assert_eq!(moved.hints.directories, ["/repo/one", "/other/two"].map(directory));
        // The second directory is that of the place that moves.
        assert_eq!(moved.hints.each, [Hint::Missed(0), Hint::Missed(1), Hint::None, Hint::None]);
    }

    #[test]
    fn the_least_recently_used_list_is_dropped() {
        let mut lists = Lists::default();
        for number in 0..20 {
            lists.put(list(&format!("{number}")));
        }
        assert_eq!(lists.lists.len(), MOST_LISTS);
        assert_eq!(lists.lists[0].ingredients[0].source.place(), "19");
        lists.put(list("10"));
        assert_eq!((lists.lists.len(), lists.lists[0].ingredients[0].source.place()), (MOST_LISTS, "10"));
    }

    #[test]
    fn no_damaged_byte_is_read_as_a_list() {
        let mut lists = Lists::default();
        lists.put(list("a"));
        let bytes = lists.to_bytes("/r");
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x20;
            assert!(Lists::from_bytes(&damaged, "/r").is_err(), "byte {at}");
            assert!(Lists::from_bytes(&bytes[..at], "/r").is_err(), "length {at}");
        }
    }
}
