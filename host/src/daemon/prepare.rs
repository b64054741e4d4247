//! What is made in Dune's caches before its first client comes.
//!
//! Each client makes the directories that it needs. Where two of them begin at once in a new cache, one finds that the other has
//! just made what it was about to make, and ends: `Unable to set up the cache root directory: EEXIST`. So all are there before.

use super::shared::Shared;
use crate::dune::layout::{FileLayout, MetaLayout};
use std::fs;

/// Makes what clients would.
pub(super) fn prepare(shared: &Shared) {
    let Some(store) = &shared.given.dune else { return };
    let files = FileLayout::ALL.map(|layout| store.layout().files(layout));
    let metas = [MetaLayout::V2, MetaLayout::V3, MetaLayout::V4].map(|layout| store.layout().metas(layout));
    for directory in files.into_iter().chain(metas) {
        // Where it cannot be made, no client could make it either, and says so itself.
        if let Err(error) = fs::create_dir_all(&directory) {
            shared.log(format_args!("cannot make {}: {error}", directory.display()));
        }
    }
}
