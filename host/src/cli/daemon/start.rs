//! `reviver daemon start`.

use super::args::StartArgs;
use super::limits::Limits;
use super::log::LogFile;
use super::places::Places;
use super::{detach, status};
use crate::cli::Global;
use crate::cli::context::{Context, asker, now, user_settings};
use crate::cli::exit::Exit;
use crate::cli::trim;
use crate::daemon::background::{Background, Work, trim_dune};
use crate::daemon::log::Log as _;
use crate::daemon::run::{Daemon, Setup};
use crate::daemon::shared::Given;
use crate::daemon::socket::Place;
use crate::dune::DuneStore;
use crate::repository::size::ByteSize;
use crate::runtime::Runtime;
use crate::store::{Options, Store};
use anyhow::Context as _;
use rustix::fs::{Access, access};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How long a peer may take to greet.
const PATIENCE: Duration = Duration::from_secs(30);

/// Starts a daemon, or becomes one.
pub(super) fn start(global: &Global, args: &StartArgs, out: &mut impl Write) -> anyhow::Result<Exit> {
    let places = Places::new(global, &user_settings()?)?;
    if args.foreground {
        return serve(&places, args);
    }
    let place = Place::at(places.socket(args.socket.as_deref())?);
    if let Some(holder) = place.holder()? {
        return status::running_already(&place, holder, args.dune, out);
    }
    detach::start(&places, args, out)
}

/// Is the daemon, until it is told to end.
fn serve(places: &Places, args: &StartArgs) -> anyhow::Result<Exit> {
    if args.detached {
        // It is the leader of no group yet, or somebody gave the flag by hand.
        rustix::process::setsid().ok();
    }
    let (stop, signalled) = UnixStream::pair().context("cannot be told to end")?;
    for signal in [SIGTERM, SIGINT, SIGHUP] {
        if signal != SIGHUP || !crate::reviver::execute::is_ignored(signal) {
            let stopped = signalled.try_clone().context("cannot be told to end")?;
            signal_hook::low_level::pipe::register(signal, stopped).context("cannot be told to end")?;
        }
    }
    allow_many_files();
    let log = Arc::new(LogFile::open(places.log(args.log.as_deref())?)?);
    let user = user_settings()?;
    let limits = Limits::of(args, &user.dune);
    limits.strange.iter().for_each(|strange| log.line(format_args!("{strange}")));
    let options = Options { link: user.link, verify: user.verify, read_only: user.read_only };
    let store = Store::open(&places.cache, options)?;
    let runtime = Arc::new(Runtime::new(Some(store.layout().artifacts())));
    let (dune, ports) = if args.dune {
        let root = Places::dune()?;
        let ports = places.ports(&root);
        let options = crate::dune::Options { verify: user.dune.verify, collision: user.dune.collision };
        (Some(Arc::new(DuneStore::open(root, options)?)), ports)
    } else {
        (None, Vec::new())
    };
    let setup = Setup {
        place: Place::at(places.socket(args.socket.as_deref())?),
        ports,
        user: rustix::process::geteuid().as_raw(),
        leaves: args.exit_no_client,
    };
    let background = Background { period: limits.period, work: work(places, user.read_only, &limits) };
    let given = Given {
        store,
        dune,
        runtime,
        user,
        grants: asker().grants,
        now,
        log: Arc::<LogFile>::clone(&log),
        patience: PATIENCE,
    };
    let root = given.dune.as_ref().map(|store| store.root().to_owned());
    let daemon = Daemon::open(setup, given)?;
    log.line(format_args!("started: {}", endpoints(&daemon).join(", ")));
    let warnings = limits.strange.into_iter().chain(root.as_deref().and_then(closed));
    tell(&daemon, warnings, &log, args.detached)?;
    let served = daemon.run(&stop, background);
    match &served {
        Ok(()) => log.line(format_args!("ended")),
        Err(error) => log.line(format_args!("ended: {error}")),
    }
    served.context("cannot wait for clients")?;
    Ok(Exit::Done)
}

/// What is done from time to time.
fn work(places: &Places, is_read_only: bool, limits: &Limits) -> Vec<Work> {
    let size = limits.size.0;
    let mut all: Vec<Work> = vec![Box::new(move |shared| trim_dune(shared, size))];
    if !is_read_only {
        let global = Global { cache_dir: Some(places.cache.clone().into()) };
        all.push(Box::new(move |shared| {
            let Ok(context) = Context::here(&global) else { return };
            // Where there is no cache yet there is nothing to trim.
            let Ok(usage) = context.store.usage() else { return };
            trim::when_due(&context, usage.bytes);
            let after = context.store.usage().map_or(usage.bytes, |usage| usage.bytes);
            if after < usage.bytes {
                let (before, after) = (ByteSize(usage.bytes), ByteSize(after));
                shared.log(format_args!("trimmed the cache of runs: {before} -> {after}"));
            }
        }));
    }
    all
}

fn endpoints(daemon: &Daemon) -> Vec<String> {
    let own = format!("listening on {} (pid {})", daemon.place().socket().display(), std::process::id());
    let dune = daemon.dune().map(|address| format!("serving Dune's clients on {address}"));
    std::iter::once(own).chain(dune).collect()
}

/// Tells where the daemon is, once it is there.
fn tell(
    daemon: &Daemon,
    warnings: impl Iterator<Item = String>,
    log: &LogFile,
    is_detached: bool,
) -> anyhow::Result<()> {
    let mut out = io::stdout();
    let warnings = warnings.map(|warning| format!("warning: {warning}"));
    for line in endpoints(daemon).into_iter().chain(warnings) {
        // Nobody needs to listen.
        writeln!(out, "{line}").ok();
    }
    out.flush().ok();
    if is_detached {
        log.take_over().with_context(|| format!("cannot write the log {}", log.path().display()))?;
    }
    Ok(())
}

/// That Dune's clients will fail for want of a directory that they can write to.
fn closed(root: &Path) -> Option<String> {
    let error = access(root, Access::WRITE_OK | Access::EXEC_OK).err()?;
    let (root, error) = (root.display(), std::io::Error::from(error));
    Some(format!(
        "{root} cannot be written to ({error}): Dune's builds fail as long as their cache is enabled"
    ))
}

/// As many files as the system lets us have: each connection needs two.
fn allow_many_files() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let most = maximum.map_or(65_536, |most| most.min(65_536));
    // With fewer, fewer are served at a time.
    setrlimit(Resource::Nofile, Rlimit { current: Some(most), maximum }).ok();
}
