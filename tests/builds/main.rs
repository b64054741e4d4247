//! Real projects, built twice through make and through `CMake` with ninja: the second time nothing is compiled, and all that
//! was built is, byte for byte, what the compiler alone makes of it.
//!
//! Each project is built in the same place three times: by the compiler alone, through an empty cache, and, cleaned, through
//! the cache that this filled. Configuring is not counted; a link is no compilation. What counts as built is each object,
//! library and program, whatever it is called.
//!
//! The sources of Lua come with a crate. Those of zlib, fmt and googletest are fetched by `.ci/sources`, and are looked for
//! in `target/sources`, or where `REVIVER_SOURCES` says; what is missing is skipped, visibly.
//!
//! | module | holds |
//! |---|---|
//! | `recipe` | how a project is configured, built, cleaned and tested |
//! | `site` | the place where it is built, and what came of it |
//! | `sources` | where the sources are |
//! | `lua`, `zlib`, `fmt` | the projects |

#[path = "../support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the other tests of the command need more of it")]
mod support;

mod fmt;
mod lua;
mod recipe;
mod site;
mod sources;
mod zlib;
