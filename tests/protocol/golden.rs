//! What clients of Dune 2.0, 2.5 and 2.9 and their own daemons said to each other.

use crate::transcript::{self, Transcript, values};
use anyhow::{Context as _, Result, ensure};
use reviver::protocol::dune::{Command, Dedup};
use reviver::protocol::{Lang, Sexp};
use std::collections::BTreeMap;

/// Promotes, the files in them, and dedups.
type Counts = (usize, usize, usize);

#[test]
fn every_message_of_a_client_is_understood_and_written_as_it_was() -> Result<()> {
    for Transcript { name, version, from_client, .. } in transcript::all()? {
        let values = values(&from_client).context(name.clone())?;
        let (greeting, commands) = values.split_first().context("a greeting")?;
        let lang = Lang::from_sexp(greeting)?;
        ensure!(lang.versions == [version], "{name}: {lang:?}");
        let mut written = lang.to_sexp().to_bytes();
        for command in commands {
            let command =
                Command::from_sexp(command, version).with_context(|| format!("{name}: {command}"))?;
            command.to_sexp(version)?.write_to(&mut written);
        }
        ensure!(written == from_client, "{name}: {}", written.escape_ascii());
    }
    Ok(())
}

#[test]
fn every_message_of_a_daemon_is_understood_and_written_as_it_was() -> Result<()> {
    for Transcript { name, version, from_daemon, .. } in transcript::all()? {
        let values = values(&from_daemon).context(name.clone())?;
        let (greeting, dedups) = values.split_first().context("a greeting")?;
        let mut written = Lang::from_sexp(greeting)?.to_sexp().to_bytes();
        for dedup in dedups {
            let dedup = Dedup::from_sexp(dedup).with_context(|| format!("{name}: {dedup}"))?;
            ensure!(dedup.place.as_os_str().is_empty() == (version.minor == 2), "{name}: {dedup:?}");
            dedup.to_sexp(version).write_to(&mut written);
        }
        ensure!(written == from_daemon, "{name}: {}", written.escape_ascii());
    }
    Ok(())
}

#[test]
fn as_much_was_said_as_is_known() -> Result<()> {
    let mut found = BTreeMap::new();
    for Transcript { name, version, from_client, from_daemon } in transcript::all()? {
        let (mut promotes, mut files) = (0, 0);
        for value in &values(&from_client)?[1..] {
            if let Command::Promote(promotion) = Command::from_sexp(value, version)? {
                promotes += 1;
                files += promotion.files.len();
                ensure!(promotion.metadata.is_empty(), "{name}: {promotion:?}");
                ensure!(promotion.duplication.is_some() == (version.minor > 0), "{name}: {promotion:?}");
                ensure!(promotion.repository.is_some() == name.contains("git"), "{name}: {promotion:?}");
            }
        }
        found.insert(name, (promotes, files, values(&from_daemon)?.len() - 1));
    }
    let gen_counts: Counts = (6, 7, 2);
    for folder in ["dune-2.0.1_gen", "dune-2.5.1_gen", "dune-2.9.3_gen", "dune-2.9.3_git"] {
        ensure!(found[&format!("{folder}/conn1")] == gen_counts, "{folder}: {found:?}");
        ensure!(found[&format!("{folder}/conn2")] == (0, 0, 0), "{folder}: {found:?}");
    }
    ensure!(found["dune-2.9.3_full/conn1"] == (33, 50, 5), "{found:?}");
    ensure!(found["dune-2.9.3_full/conn2"] == (0, 0, 0), "{found:?}");
    Ok(())
}

/// A client of 1.2 names its repositories always, an older one never.
#[test]
fn repositories_are_named_since_1_2_alone() -> Result<()> {
    for Transcript { name, version, from_client, .. } in transcript::all()? {
        let mut said = Vec::new();
        for value in &values(&from_client)?[1..] {
            if let Command::SetRepos(repositories) = Command::from_sexp(value, version)? {
                said.push(repositories.len());
            }
        }
        let expected: &[usize] = match (version.minor, name.contains("git")) {
            (2, true) => &[1],
            (2, false) => &[0],
            _ => &[],
        };
        ensure!(said == expected, "{name}: {said:?}");
    }
    Ok(())
}

/// The texts of metadata files are values too, and are written as they were.
#[test]
fn a_metadata_file_is_one_value_of_two_fields() -> Result<()> {
    let mut seen = 0;
    for (folder, _) in transcript::FOLDERS {
        let text = std::fs::read_to_string(transcript::place().join(folder).join("store_meta_after.json"))?;
        let files: BTreeMap<String, String> = serde_json::from_str(&text)?;
        for (path, latin) in files {
            let bytes: Vec<u8> = latin.chars().map(|letter| letter as u8).collect();
            let found = values(&bytes).with_context(|| path.clone())?;
            let [value @ Sexp::List(fields)] = &*found else { anyhow::bail!("{path}: {found:?}") };
            let names: Vec<_> = fields.iter().filter_map(|field| Some(field.as_named()?.0)).collect();
            ensure!(names == [&b"metadata"[..], b"files"] && value.to_bytes() == bytes, "{path}: {value}");
            seen += 1;
        }
    }
    ensure!(seen >= 33 + 4 * 6, "{seen}");
    Ok(())
}
