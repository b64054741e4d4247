//! What a repository and its user configure: where a repository begins, its settings and the user's, and which plugin is
//! for what. A repository may only tighten what its user allows.
//!
//! | file | whose | says |
//! |---|---|---|
//! | `reviver.toml` ([`settings`]) | the repository's | which plugins there are, and what they ask for |
//! | `reviver.lock` ([`lock`]) | the repository's | which bytes are meant by them, and what those bytes may ask for |
//! | `config.toml` ([`user`]) | the user's | what plugins of repositories may do |
//! | `grants.toml` ([`grants`]) | the user's | what a plugin with these bytes may do beyond that, in one repository |

pub mod choose;
pub mod declare;
pub mod document;
pub mod dune;
mod expand;
pub mod grants;
pub mod lock;
pub mod opened;
pub mod operation;
pub mod pin;
pub mod root;
pub mod rule;
pub mod settings;
pub mod size;
pub mod trimming;
pub mod trust;
pub mod user;
mod write;
