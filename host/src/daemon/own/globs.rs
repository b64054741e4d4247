//! What an operation reads by globs. While it is open, more may come to match them, and some may go.
//!
//! | what they match when it is revived or recorded | found | open |
//! |---|---|---|
//! | what they matched before, its own writes aside | is revived | is recorded |
//! | something else | is named and looked up anew | is not recorded |

use crate::protocol::own::request::Derive;
use crate::repository::choose::key_plugin;
use crate::repository::operation::has_globs;
use crate::repository::settings::Settings;
use crate::reviver::attempt::Task;
use crate::reviver::matched::Matched;
use std::path::Path;

/// What a client declared, and what its globs matched.
#[derive(Debug)]
pub(super) struct Globs {
    pub(super) derive: Derive,
    matched: Matched,
}

/// Whether there are any among what a client declares, or a rule for it.
pub(super) fn are_in(settings: &Settings, derive: &Derive) -> bool {
    let (rule, _) = key_plugin(settings, &derive.argv);
    has_globs(derive.reads.iter().map(String::as_str), rule)
}

impl Globs {
    /// As they match in the task that comes of what was declared.
    pub(super) fn new(derive: Derive, task: &Task) -> Self {
        Self { derive, matched: matched(task) }
    }

    /// Whether they match in a task what they matched before, but for what lies in one of these places.
    pub(super) fn hold<'p>(&self, now: &Task, places: impl Iterator<Item = &'p Path>) -> bool {
        self.matched.holds(&matched(now), places)
    }
}

fn matched(task: &Task) -> Matched {
    Matched::of(&task.operation, &task.environment.directory)
}
