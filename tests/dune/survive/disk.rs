//! A store that cannot be written, and one that is full: clients come to their end all the same, and lose nothing but hits.

use super::{Attacked, file_digest, next_key, promotion};
use crate::peer::{Place, skipped};
use anyhow::{Context as _, Result, ensure};
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::process::{Command, Stdio};

/// A client comes through to its end, whatever is stored of what it said; its files are as they were.
fn comes_through(attacked: &mut Attacked, size: usize) -> Result<()> {
    let client = attacked.client()?;
    let owner = fs::metadata(attacked.place.path("home"))?.uid();
    let contents = [1_u8, 2, 3].map(|byte| vec![byte; size]);
    let mut promotions = Vec::new();
    for (number, content) in contents.iter().enumerate() {
        let file = client.file(&format!("default/f{number}"), content)?;
        promotions.push(promotion(next_key(), &[file]));
    }
    let chown = Command::new("chown").arg("-R").arg(owner.to_string()).arg(&client.build_root).status()?;
    ensure!(chown.success());
    client.promotes(&attacked.daemon, &promotions)?;
    for (number, content) in contents.iter().enumerate() {
        ensure!(fs::read(client.build_root.join(format!("default/f{number}")))? == *content, "file {number}");
    }
    for promotion in promotions {
        let kept = attacked.kept(promotion.files[0].1);
        let is_whole = fs::read(&kept).is_ok_and(|bytes| file_digest(&bytes, false) == promotion.files[0].1);
        ensure!(is_whole || !attacked.rule(promotion.key).exists(), "a rule without its file");
        ensure!(is_whole || !kept.exists(), "{} is not whole", kept.display());
    }
    ensure!(attacked.daemon.is_alive()?, "it ended: {}", attacked.place.complaints());
    Ok(())
}

#[test]
fn a_store_that_nobody_may_write_keeps_no_client() -> Result<()> {
    let place = Place::new()?;
    let root = place.root();
    let is_root = fs::metadata("/proc/self")?.uid() == 0;
    let daemon = if is_root {
        place.give_to_nobody()?;
        place.start_as_nobody()?
    } else {
        place.start(crate::peer::Whose::Ours)?
    };
    fs::create_dir_all(root.join("files/v4"))?;
    fs::create_dir_all(root.join("meta/v4"))?;
    let directories = ["files/v4", "files", "meta/v4", "meta", ""].map(|name| root.join(name));
    let mode = |mode| {
        directories.iter().try_for_each(|path| fs::set_permissions(path, fs::Permissions::from_mode(mode)))
    };
    mode(0o555)?;
    let mut attacked = Attacked { place, daemon };
    let end = comes_through(&mut attacked, 100);
    // What lies in it cannot be removed in the end otherwise.
    mode(0o777)?;
    end?;
    // The cause is gone, and so is the effect.
    comes_through(&mut attacked, 100)?;
    ensure!(attacked.kept(file_digest(&[1; 100], false)).exists(), "nothing is stored after that");
    Ok(())
}

#[test]
fn a_store_on_a_full_disk_keeps_no_client() -> Result<()> {
    let place = Place::new()?;
    let cache = place.path("cache");
    let mount = |arguments: &[&str]| {
        let mut command = Command::new(arguments[0]);
        command.args(&arguments[1..]).arg(&cache).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    if !mount(&["mount", "-t", "tmpfs", "-o", "size=256k,mode=777", "tmpfs"]) {
        skipped("no small disk can be mounted here");
        return Ok(());
    }
    let end = (|| {
        let daemon = place.start(crate::peer::Whose::Ours)?;
        let mut attacked = Attacked { place, daemon };
        // Another disk, so that everything is copied, and two of three have room.
        comes_through(&mut attacked, 100_000)?;
        let kept = [1_u8, 2, 3].map(|byte| attacked.kept(file_digest(&vec![byte; 100_000], false)).exists());
        ensure!(kept == [true, true, false], "{kept:?}");
        let filler = attacked.place.path("cache/filler");
        fs::write(&filler, vec![0; 1 << 20]).err().context("the disk is not full")?;
        comes_through(&mut attacked, 20_000)?;
        fs::remove_file(filler)?;
        attacked.serves()
    })();
    ensure!(mount(&["umount", "-l"]), "it stays mounted");
    end
}

/// A limit of the system on the size of files stands for a full disk where none can be mounted: whatever grows beyond it fails.
#[test]
fn a_store_whose_files_may_not_grow_keeps_no_client() -> Result<()> {
    let place = Place::new()?;
    let daemon = place.start_after("trap '' XFSZ; ulimit -f 64")?;
    let mut attacked = Attacked { place, daemon };
    comes_through(&mut attacked, 200_000)?;
    comes_through(&mut attacked, 1_000)?;
    attacked.serves()
}

/// A rule may make hundreds of files, and a daemon may have no more descriptors than the system grants anybody. Each file of a
/// promotion once kept one open until the last was read.
#[test]
fn a_rule_of_more_files_than_may_be_open_is_promoted() -> Result<()> {
    let place = Place::new()?;
    let daemon = place.start_after("ulimit -n 100")?;
    let mut attacked = Attacked { place, daemon };
    let client = attacked.client()?;
    let files =
        (0..300).map(|number| client.file(&format!("default/f{number}"), format!("{number}\n").as_bytes()));
    let (key, files) = (next_key(), files.collect::<Result<Vec<_>>>()?);
    client.promotes(&attacked.daemon, &[promotion(key, &files)])?;
    ensure!(attacked.rule(key).exists(), "the rule is not there");
    for (_, digest) in files {
        ensure!(attacked.kept(digest).exists(), "{}", attacked.kept(digest).display());
    }
    attacked.serves()
}
