//! `reviver daemon status`.

use super::places::Places;
use crate::cli::context::now;
use crate::cli::exit::Exit;
use crate::cli::{Global, show};
use crate::daemon::lock::Holder;
use crate::daemon::socket::Place;
use crate::repository::size::ByteSize;
use crate::time::Timestamp;
use clap::Args;
use serde_json::{Value as Json, json};
use std::io::Write;
use std::path::PathBuf;

/// What `daemon status` takes.
#[derive(Args, Debug)]
pub(in crate::cli) struct StatusArgs {
    /// Of the daemon that listens here, instead of in the usual place
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Tells how the daemon goes. Absent: none runs.
pub(super) fn status(global: &Global, args: &StatusArgs, out: &mut impl Write) -> anyhow::Result<Exit> {
    let place = Place::at(Places::asked(global, args.socket.as_deref())?);
    let Some(holder) = place.holder()? else {
        if args.json {
            writeln!(out, "{}", json!({"running": false, "socket": place.socket().to_string_lossy()}))?;
        } else {
            writeln!(out, "No daemon runs on {}.", place.socket().display())?;
        }
        return Ok(Exit::Absent);
    };
    let mut said = said(&place, holder);
    if args.json {
        said["running"] = true.into();
        writeln!(out, "{said}")?;
        return Ok(Exit::Done);
    }
    writeln!(out, "listening on {} ({holder})", place.socket().display())?;
    if let Some(address) = said["dune"].as_str() {
        writeln!(out, "serving Dune's clients on {address}")?;
        for port in said["ports"].as_array().into_iter().flatten().filter_map(Json::as_str) {
            writeln!(out, "  found by {port}")?;
        }
    }
    let number = |name: &str| said[name].as_u64().unwrap_or_default();
    if said.get("since").is_none() {
        writeln!(out, "How it goes is not known yet.")?;
        return Ok(Exit::Done);
    }
    let clients = |kind: &str| said["clients"][kind].as_u64().unwrap_or_default();
    let (served, dune, own) = (clients("served"), clients("dune"), clients("own"));
    writeln!(out, "started       {}", show::ago(Timestamp(number("since")), now()))?;
    writeln!(out, "clients       {served} so far; now {dune} of Dune's, {own} of our own")?;
    writeln!(out, "promotions    {} stored, {} refused", number("promoted"), number("refused"))?;
    writeln!(out, "files         {} new, {} were there already", number("files"), number("deduplicated"))?;
    writeln!(out, "trims         {}, {} let go", number("trims"), ByteSize(number("freed")))?;
    Ok(Exit::Done)
}

/// What the daemon said of itself last. One that was killed said it of itself.
fn said(place: &Place, holder: Holder) -> Json {
    let pid = holder.pid.map(|pid| pid.as_raw_nonzero().get());
    let text = std::fs::read(place.status()).unwrap_or_default();
    let said: Json = serde_json::from_slice(&text).unwrap_or_default();
    if said["pid"].as_i64() == pid.map(i64::from) && pid.is_some() {
        return said;
    }
    json!({"pid": pid, "socket": place.socket().to_string_lossy()})
}

/// That the daemon to be started is there: done, unless it was to serve Dune's clients and does not.
pub(super) fn running_already(
    place: &Place,
    holder: Holder,
    is_for_dune: bool,
    out: &mut impl Write,
) -> anyhow::Result<Exit> {
    writeln!(out, "already running on {} ({holder})", place.socket().display())?;
    let said = said(place, holder);
    match said["dune"].as_str() {
        Some(address) => writeln!(out, "serving Dune's clients on {address}")?,
        None if is_for_dune && said.get("since").is_some() => {
            let why = match said["ports"].as_array().map(Vec::is_empty) {
                Some(false) => "another daemon serves Dune's clients, end it with `dune cache stop`, or",
                _ => "it was started without --dune;",
            };
            anyhow::bail!("{why} run `reviver daemon stop` first");
        }
        None => {}
    }
    Ok(Exit::Done)
}
