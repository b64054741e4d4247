//! Tools for plugin authors: a [new] crate, its [component](build) and its [tests](mod@test), with the [SDK](sdk) that it needs.

pub mod bench;
pub mod build;
pub mod call;
pub mod check;
pub mod diff;
pub mod new;
pub mod sdk;
pub mod test;
