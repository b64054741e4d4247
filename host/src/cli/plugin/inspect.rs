//! `reviver plugin inspect`.

use super::subject::Subject;
use crate::cli::context::{Context, faulty};
use crate::cli::exit::Exit;
use crate::cli::show;
use crate::digest::Digest;
use crate::policy::{Fault, Role};
use crate::runtime::{Names, names, settings};
use clap::Args;
use serde_json::json;
use std::io::Write;

/// What `plugin inspect` takes.
#[derive(Args, Debug)]
pub(in crate::cli) struct InspectArgs {
    /// The name of a plugin, or a component's file
    plugin: String,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Shows what a component says of itself, also where it is no plugin. Nothing of it is compiled or run.
pub(super) fn inspect(context: &Context, args: &InspectArgs, out: &mut impl Write) -> anyhow::Result<Exit> {
    let subject = Subject::find(context, &args.plugin)?;
    let bytes = &subject.component;
    let (digest, size) = (Digest::of(bytes), bytes.len());
    let Names { imports, exports } = names(bytes).unwrap_or(Names { imports: vec![], exports: vec![] });
    let told = settings(bytes);
    let inspection = subject.inspection.as_ref();
    let problems: Vec<String> = inspection.err().map(ToString::to_string).into_iter().collect();
    // Where the bytes are no component there is nothing to say of its settings.
    let problems: Vec<String> = match &told {
        Err(error) if problems.is_empty() => vec![error.to_string()],
        _ => problems,
    };
    let told = told.unwrap_or_default();
    if args.json {
        let settings: Vec<_> = told
            .iter()
            .map(|setting| json!({"name": setting.name, "kind": setting.kind.name(), "about": setting.about}))
            .collect();
        let (role, abi) =
            (inspection.ok().map(|found| found.role.name()), inspection.ok().map(|found| &found.abi));
        let line = json!({
            "role": role, "abi": abi, "digest": digest.to_hex(), "size": size, "imports": imports,
            "exports": exports, "settings": settings, "problem": problems.first(),
        });
        writeln!(out, "{line}")?;
    } else {
        let (role, abi) = inspection.map_or(("-", "-"), |found| (found.role.name(), found.abi.as_str()));
        writeln!(out, "role     {role}\ncontract {abi}\ndigest   {digest}\nsize     {size} bytes")?;
        for (what, names) in [("imports", &imports), ("exports", &exports)] {
            for name in names {
                writeln!(out, "{what:<9}{}", show::path(name.as_bytes()))?;
            }
        }
        for setting in &told {
            let (name, about) = (show::path(setting.name.as_bytes()), show::path(setting.about.as_bytes()));
            writeln!(out, "setting  {name} ({}): {about}", setting.kind.name())?;
        }
        for problem in &problems {
            writeln!(out, "PROBLEM  {}", show::path(problem.as_bytes()))?;
        }
    }
    match subject.inspection {
        Ok(_) if problems.is_empty() => Ok(Exit::Done),
        Ok(_) => Ok(Exit::Plugin),
        Err(kind) => {
            Err(faulty(Fault { plugin: args.plugin.clone(), digest, role: Role::Key, function: "", kind }))
        }
    }
}
