//! `reviver doctor`: what here would keep Reviver from doing its work, and what cures it.
//!
//! A [`Scene`] is what there is to look at, read as far as it can be read; a check looks at one side of it and answers with
//! [`Finding`]s. Checks change nothing: what they try, they try with temporary files in a cache that is there already.
//!
//! | state | means |
//! |---|---|
//! | `ok` | it is as it should be |
//! | `note` | it works, and could do better or was not tried |
//! | `PROBLEM` | something is not cached, or not as its user meant it; told with what cures it |
//!
//! A further check is a function in one of the modules below and a line in [`CHECKS`].

mod cache;
mod disk;
mod plugins;
mod settings;
mod tools;

use super::Global;
use super::context::{Context, Place, user_settings};
use super::exit::Exit;
use crate::repository::document::SettingError;
use crate::repository::root;
use crate::repository::settings::Settings;
use anyhow::Context as _;
use clap::Args;
use serde_json::{Value as Json, json};
use std::fmt;
use std::io::Write;
use std::path::PathBuf;

/// What `doctor` takes.
#[derive(Args, Debug)]
pub(super) struct DoctorArgs {
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// All checks, in the order in which they are told: what others depend on goes first.
const CHECKS: [fn(&Scene) -> Vec<Finding>; 14] = [
    settings::of_repository,
    settings::of_user,
    settings::disabled,
    settings::read_only,
    settings::home,
    cache::directory,
    cache::artifacts,
    disk::space,
    disk::sharing,
    disk::times,
    plugins::plugins,
    plugins::breakers,
    plugins::of_dune,
    tools::target,
];

/// What there is to look at.
struct Scene {
    global: Global,
    /// The place, with the usual settings where these cannot be read.
    place: Place,
    /// Why the repository's settings cannot be read.
    unread: Option<SettingError>,
    /// Why the user's settings cannot be read.
    user_unread: Option<SettingError>,
    /// The cache directory; `None` where only settings that cannot be read know it.
    cache: Option<PathBuf>,
}

impl Scene {
    fn here(global: &Global) -> anyhow::Result<Self> {
        let directory = std::env::current_dir().context("cannot tell the working directory")?;
        let root = root::find(&directory, rustix::process::geteuid().as_raw());
        let settings = root.settings.as_deref().map_or_else(|| Ok(Settings::default()), Settings::load);
        let (settings, unread) = parted(settings);
        let (user, user_unread) = parted(user_settings());
        let place = Place { directory, root, settings, user };
        let is_known = user_unread.is_none() || global.cache_dir().is_some();
        let cache = is_known.then(|| Context::cache(global, &place));
        Ok(Self { global: global.clone(), place, unread, user_unread, cache })
    }
}

fn parted<T: Default, E>(result: Result<T, E>) -> (T, Option<E>) {
    match result {
        Ok(value) => (value, None),
        Err(error) => (T::default(), Some(error)),
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Ok,
    Note,
    Problem,
}

impl State {
    const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Problem => "PROBLEM",
        }
    }
}

/// What a check found.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Finding {
    state: State,
    /// What was looked at.
    subject: String,
    says: String,
    /// The command or the setting that cures it.
    cure: Option<String>,
}

impl Finding {
    fn ok(subject: impl Into<String>, says: impl Into<String>) -> Self {
        Self { state: State::Ok, subject: subject.into(), says: says.into(), cure: None }
    }

    fn note(subject: impl Into<String>, says: impl Into<String>) -> Self {
        Self { state: State::Note, ..Self::ok(subject, says) }
    }

    fn problem(subject: impl Into<String>, says: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { state: State::Problem, ..Self::ok(subject, says) }.cured_by(cure)
    }

    fn cured_by(self, cure: impl Into<String>) -> Self {
        Self { cure: Some(cure.into()), ..self }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<9}{}: {}", self.state.name(), self.subject, self.says)?;
        self.cure.as_ref().map_or(Ok(()), |cure| write!(f, "; {cure}"))
    }
}

/// Looks at all there is.
pub(super) fn doctor(global: &Global, args: &DoctorArgs, out: &mut impl Write) -> anyhow::Result<Exit> {
    let scene = Scene::here(global)?;
    let findings: Vec<_> = CHECKS.iter().flat_map(|check| check(&scene)).collect();
    if args.json {
        let list = findings.iter().map(|finding| {
            let state = finding.state.name().to_lowercase();
            json!({ "state": state, "subject": finding.subject, "says": finding.says, "cure": finding.cure })
        });
        writeln!(out, "{}", list.collect::<Json>())?;
    } else {
        findings.iter().try_for_each(|finding| writeln!(out, "{finding}"))?;
    }
    let healthy = findings.iter().all(|finding| finding.state != State::Problem);
    Ok(if healthy { Exit::Done } else { Exit::Ill })
}
