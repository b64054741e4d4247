//! What another version of a plugin changes, found on what happened here.
//!
//! The digest of a plugin is in every key, so another version never finds what a former one recorded. What can be asked is
//! whether the two answer alike, the digest left out: on the operations that ran here, on the outcomes and the entries that
//! are in the cache. Both versions see the same things, as they are now.
//!
//! | role | over | module |
//! |---|---|---|
//! | key | remembered operations | [`key`] |
//! | metadata | outcomes of the entries | [`metadata`] |
//! | eviction | entries | [`eviction`] |

pub mod eviction;
pub mod key;
pub mod metadata;
