//! Settings and environment.

use super::{Finding, Scene};
use crate::cli::{context, run, switch};

pub(super) fn of_repository(scene: &Scene) -> Vec<Finding> {
    let root = &scene.place.root;
    let mut findings = Vec::new();
    if let Some(foreign) = &root.foreign {
        let says = format!("{} belongs to another user and is passed over", foreign.display());
        let cure = format!("if its plugins are to be trusted, run `chown $(id -u) {}`", foreign.display());
        findings.push(Finding::problem("repository", says, cure));
    }
    findings.push(match (&scene.unread, &root.settings) {
        (Some(error), _) => Finding::problem(
            "repository",
            error.to_string(),
            "correct it; `reviver init --print` shows all settings",
        ),
        (None, Some(path)) => Finding::ok("repository", format!("{} is read", path.display())),
        (None, None) => Finding::ok("repository", format!("{}, without a reviver.toml", root.path.display())),
    });
    findings
}

pub(super) fn of_user(scene: &Scene) -> Vec<Finding> {
    vec![match &scene.user_unread {
        Some(error) => {
            Finding::problem("user's settings", error.to_string(), "correct it, or take the line out")
        }
        None => Finding::ok("user's settings", "they can be read, or there are none"),
    }]
}

pub(super) fn disabled(_: &Scene) -> Vec<Finding> {
    if !run::is_disabled() {
        return Vec::new();
    }
    let says = "REVIVER_DISABLE is set, so nothing is recorded or revived";
    vec![Finding::problem("environment", says, "run `unset REVIVER_DISABLE`")]
}

/// That the cache is only read is somebody's wish, and still worth a line to who wonders why nothing is recorded.
pub(super) fn read_only(scene: &Scene) -> Vec<Finding> {
    let (settings, user) = (scene.place.settings.read_only, scene.place.user.read_only);
    let by = match (switch::is_on("REVIVER_READ_ONLY"), user, settings) {
        (true, ..) => "REVIVER_READ_ONLY is set",
        (_, true, _) => "`read-only` is set in config.toml",
        (.., true) => "`read-only` is set in reviver.toml",
        _ => return Vec::new(),
    };
    vec![Finding::note("environment", format!("{by}, so nothing is recorded"))]
}

pub(super) fn home(scene: &Scene) -> Vec<Finding> {
    if context::xdg("XDG_CACHE_HOME", ".cache").is_some() {
        return Vec::new();
    }
    let says = "neither HOME nor XDG_CACHE_HOME names an absolute path";
    let is_elsewhere = scene.global.cache_dir().is_some() || scene.place.user.cache.is_some();
    vec![if is_elsewhere {
        Finding::note("environment", says)
    } else {
        let says = format!("{says}, so the cache is in the repository");
        Finding::problem("environment", says, "set HOME, or REVIVER_CACHE_DIR to the cache directory")
    }]
}
