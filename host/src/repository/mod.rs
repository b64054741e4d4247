//! What a repository and its user configure: where a repository begins, its settings and the user's, and which plugin is
//! for what. A repository may only tighten what its user allows.

pub mod choose;
pub mod declare;
pub mod document;
pub mod root;
pub mod rule;
pub mod settings;
pub mod size;
pub mod user;
