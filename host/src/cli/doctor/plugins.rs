//! The plugins that the repository brings or uses.

use super::{Finding, Scene};
use crate::cli::context::{Place, asker, now};
use crate::digest::Digest;
use crate::policy::{FaultKind, Role};
use crate::repository::choose::{self, ChooseError, word};
use crate::repository::dune::DuneEviction;
use crate::reviver::breaker::{self, State};
use crate::runtime::{Capabilities, Limits, inspect};
use crate::shipped;
use crate::store::{Options, Store};
use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read as _};
use std::path::Path;
use std::time::Duration;

pub(super) fn plugins(scene: &Scene) -> Vec<Finding> {
    if scene.unread.is_some() {
        return vec![Finding::note("plugins", "not looked at: reviver.toml says which, and cannot be read")];
    }
    let settings = &scene.place.settings;
    let rules = settings.rules.iter().map(|rule| &rule.plugin);
    let used = rules.chain([&settings.metadata, &settings.eviction]);
    let names: BTreeSet<_> = settings.plugins.keys().chain(used).collect();
    names.into_iter().flat_map(|name| plugin(scene, name)).collect()
}

/// The plugin that decides what goes first in Dune's cache. At fault it would be told by the daemon alone, in its log.
pub(super) fn of_dune(scene: &Scene) -> Vec<Finding> {
    let user = &scene.place.user;
    let Some(DuneEviction::File { path, .. }) = &user.dune.eviction else { return Vec::new() };
    let subject = "eviction from Dune's cache";
    vec![match inspected(path, user.limits) {
        Ok(Role::Eviction) => Finding::ok(subject, format!("{} is a plugin for it", path.display())),
        Ok(role) => {
            let says = format!("the role of {} is {role}, so Dune's own order is used", path.display());
            Finding::problem(subject, says, "name another for `eviction` in [dune] of config.toml")
        }
        Err((says, cure)) => Finding::problem(subject, format!("{says}, so Dune's own order is used"), cure),
    }]
}

/// As many bytes of a component are read: more than any limit allows.
const MOST: u64 = 64 << 20;

/// Plugins that were at fault too often, and are not asked for a while.
pub(super) fn breakers(scene: &Scene) -> Vec<Finding> {
    let Some(cache) = &scene.cache else { return Vec::new() };
    let (link, verify) = (scene.place.user.link, scene.place.user.verify);
    let options = Options { link, verify, ..Options::default() };
    let Ok(store) = Store::open(cache, options) else { return Vec::new() };
    let partition = store.partition(scene.place.root.partition(&scene.place.user.joined));
    // Former versions of a plugin are nobody's problem any more.
    let files = scene.place.settings.plugins.values().filter_map(|own| own.path.as_deref());
    let present: Vec<_> =
        files.filter_map(|path| component(path).ok()).map(|bytes| Digest::of(&bytes)).collect();
    let is_present = |digest: &Digest| {
        present.contains(digest) || shipped::all().iter().any(|shipped| shipped.digest == *digest)
    };
    let open = |(digest, state): (Digest, State)| {
        if !is_present(&digest) {
            return None;
        }
        let until = state.until(now())?;
        let minutes = Duration::from_nanos(until.0.saturating_sub(now().0)).as_secs().div_ceil(60);
        let State { plugin, role, faults, code, .. } = state;
        let says = format!(
            "switched off after {faults} faults in a row, the last one {code}; it is tried again in {minutes} min"
        );
        let cure = format!(
            "see what `reviver plugin check {0}` says of this {role} plugin; `reviver plugin pin {0}` tries it at once",
            word(&plugin)
        );
        Some(Finding::problem(format!("plugin {plugin}"), says, cure))
    };
    breaker::list(&store, &partition).into_iter().filter_map(open).collect()
}

fn plugin(scene: &Scene, name: &str) -> Vec<Finding> {
    let subject = format!("plugin {name}");
    let own = scene.place.settings.plugins.get(name);
    let role = if let Some(path) = own.and_then(|own| own.path.as_deref()) {
        role(scene, name, path)
    } else {
        let shipped = own.and_then(|own| own.shipped.as_deref()).unwrap_or(name);
        shipped::find(shipped).map(|shipped| shipped.role).ok_or_else(|| {
            let cure = format!("use another, or give it a `path` in [plugin.{name}] of reviver.toml");
            ("nothing has this name".to_owned(), cure)
        })
    };
    let role = match role {
        Ok(role) => role,
        Err((says, cure)) => return vec![Finding::problem(subject, says, cure)],
    };
    let mut findings = misused(scene, name, role);
    if findings.is_empty() {
        findings.push(Finding::ok(&subject, format!("its role is {role}, its contract ours")));
    }
    if misused(scene, name, role).is_empty() && own.is_some_and(|own| own.path.is_some()) {
        match trusted(scene, name, role) {
            Ok(withheld) if withheld.is_empty() => {}
            Ok(withheld) => {
                let says = format!("it asks for {withheld}, which is not granted on this machine");
                let cure = format!("if it may have that, run `reviver plugin pin {} --grant`", word(name));
                findings.push(Finding::note(&subject, says).cured_by(cure));
            }
            Err(error) => {
                let cure = "until then its commands run uncached";
                findings.push(Finding::problem(&subject, error.to_string(), cure));
            }
        }
    }
    findings
}

/// The role of a component; what is wrong with it, and what cures that.
fn role(scene: &Scene, name: &str, path: &Path) -> Result<Role, (String, String)> {
    let own = scene.place.settings.plugins.get(name).map(|own| own.limits);
    let limits = own.map_or(scene.place.user.limits, |own| scene.place.user.limits.tightened(&own));
    inspected(path, limits)
}

fn inspected(path: &Path, limits: Limits) -> Result<Role, (String, String)> {
    let shown = path.display();
    let build = "build it with `reviver plugin build`";
    let bytes = component(path).map_err(|error| {
        (format!("cannot read {shown}: {error}"), format!("{build}, or correct its `path`"))
    })?;
    if bytes.len() as u64 > limits.component {
        let says = format!("{shown} is larger than the {} bytes that are allowed", limits.component);
        return Err((says, "make it smaller".to_owned()));
    }
    inspect(&bytes).map(|inspection| inspection.role).map_err(|kind| {
        let cure = match kind {
            FaultKind::Abi { .. } => "rebuild it, or use the Reviver that it was built for",
            FaultKind::Import(_) => "leave out what needs it",
            _ => build,
        };
        (format!("{shown} {kind}"), cure.to_owned())
    })
}

/// The bytes of a component, which are in a file of at most some size: a pipe would be waited for.
fn component(path: &Path) -> io::Result<Vec<u8>> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
    }
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(MOST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Uses of a plugin that are not for its role.
fn misused(scene: &Scene, name: &str, role: Role) -> Vec<Finding> {
    let settings = &scene.place.settings;
    let rules = settings.rules.iter().filter(|rule| rule.plugin == name);
    let rules = rules.map(|rule| (Role::Key, format!("the rule for `{}`", rule.command)));
    let metadata = (settings.metadata == name).then(|| (Role::Metadata, "`metadata`".to_owned()));
    let eviction = (settings.eviction == name).then(|| (Role::Eviction, "`eviction`".to_owned()));
    let uses = rules.chain(metadata).chain(eviction).filter(|(wanted, _)| *wanted != role);
    uses.map(|(wanted, place)| {
        let says = format!("its role is {role}, and {place} wants one for {wanted}");
        Finding::problem(format!("plugin {name}"), says, format!("name another for {place} in reviver.toml"))
    })
    .collect()
}

/// What a plugin file that is pinned as it is asks for and does not get; else why it is not used.
fn trusted(scene: &Scene, name: &str, role: Role) -> Result<Capabilities, ChooseError> {
    let Place { settings, user, .. } = &scene.place;
    let trust = scene.place.trust(&asker());
    let digest = |path: &Path| component(path).map(|bytes| Digest::of(&bytes));
    choose::trusted(name, role, settings, user, &trust, &digest).map(|trusted| trusted.withheld)
}
