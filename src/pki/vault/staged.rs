//! Keys on their way to a node: the tree that `nixos-anywhere --extra-files` copies onto it.
//!
//! ```text
//! DIR/etc/nixos/       0755   as on the node: tar gives these modes to its /etc, too
//!         └ secrets/   0700
//!           └ node01-key.pem  0600
//! ```
//!
//! Whatever lies in DIR comes onto the node, so there is nothing else in it. The tree is made in a directory of its own
//! in DIR and comes to its place by one rename.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use rustix::process::geteuid;
use zeroize::Zeroizing;

use super::{key_file, place};
use crate::fs::{Dir, FileType, Stat, kind, make_private_dirs, sync_file};
use crate::pki::SecretKey;
use crate::pki::request::full_name;

/// The directories from DIR down to the key, with their modes on the node.
const DIRS: [(&str, u32); 3] = [("etc", 0o755), ("nixos", 0o755), ("secrets", 0o700)];

/// The bit of a mode that keeps users from removing each other's files (inode(7)).
const STICKY: u32 = 0o1000;

/// Where the tree is made.
const STAGING: &str = ".plasmagen-staging";

/// Writes the tree with the key of the node `fqdn` into the directory `to`, which is made if need be. False where it is
/// there already: then nothing is touched. `to` must not lie in a directory of `forbidden`.
///
/// # Errors
/// When others could come to read `to`, or write to it; when anything else is in it, and be it another node's tree;
/// when the disk fails. It is then as empty as before.
pub fn stage(fqdn: &str, key: &SecretKey, to: &Path, forbidden: &[&Path]) -> anyhow::Result<bool> {
    // Without a slash at its end, behind which a link is not seen.
    let to: &Path = &to.components().collect::<PathBuf>();
    ensure!(
        !to.is_symlink(),
        "{} is a symbolic link, which somebody may have put there: name the directory itself",
        to.display()
    );
    ensure!(to.is_dir() || !to.exists(), "{} is not a directory", to.display());
    let place = place::check("the staged tree", to, forbidden)?;
    make_private_dirs(&place)?;
    let dir = Dir::open_unlinked(&place).with_context(|| format!("could not open {}", place.display()))?;
    check_own(&place, &dir.stat_self()?)?;
    // Another run would find half of this one's.
    dir.wait_for_lock().with_context(|| format!("could not lock {}", place.display()))?;
    let name = key_file(&full_name(fqdn)?);
    let remove_staging =
        || dir.remove_tree(STAGING).with_context(|| format!("could not clean up {}", place.display()));
    let list = || dir.list().with_context(|| format!("could not list {}", place.display()));
    if list()?.iter().any(|(found, _)| found == STAGING) {
        // What a run that was killed left.
        remove_staging()?;
    }
    if !list()?.is_empty() {
        let same = holds(&dir, &name, key)
            .with_context(|| format!("could not read what is in {}", place.display()))?;
        ensure!(
            same,
            "{} is not empty, and nixos-anywhere would copy all that is in it onto the node: name a directory that is \
             new, or empty it",
            place.display()
        );
        return Ok(false);
    }
    let written = write(&dir, &name, key).with_context(|| format!("could not write to {}", place.display()));
    written.or_else(|error| remove_staging().and(Err(error)))?;
    Ok(true)
}

/// A directory that others can write to is theirs: they would replace what is in it.
fn check_own(place: &Path, stat: &Stat) -> anyhow::Result<()> {
    let own = stat.st_uid == geteuid().as_raw();
    ensure!(own, "{} belongs to another user: name a directory of your own", place.display());
    let path = place.display();
    // A directory such as /tmp is for all: the system needs its mode.
    let instead = if stat.st_mode & STICKY == 0 {
        format!("name a new directory, or run: chmod go-w {path}")
    } else {
        "name a new directory in it, such as mktemp -d makes".to_owned()
    };
    ensure!(
        stat.st_mode & 0o022 == 0,
        "{path} has mode {:04o}, so others can replace what is in it: {instead}",
        stat.st_mode & 0o7777
    );
    Ok(())
}

fn write(dir: &Dir, name: &str, key: &SecretKey) -> anyhow::Result<()> {
    let mut at = dir.make_dir_exact(STAGING, 0o700)?;
    let staging = at.try_clone()?;
    for (own, mode) in DIRS {
        at = at.make_dir_exact(own, mode)?;
    }
    let (file, _) = at.write_new(name, 0o600, key.expose().as_bytes())?;
    sync_file(&file)?;
    staging.rename(DIRS[0].0, dir, DIRS[0].0)?;
    dir.remove_empty_dir(STAGING)?;
    Ok(())
}

/// Whether `dir` holds exactly the tree with `key`.
fn holds(dir: &Dir, name: &str, key: &SecretKey) -> anyhow::Result<bool> {
    let mut at = dir.try_clone()?;
    for (own, mode) in DIRS {
        if !is_all(&at, own, FileType::Directory, mode)? {
            return Ok(false);
        }
        at = at.open_dir(own)?;
    }
    if !is_all(&at, name, FileType::RegularFile, 0o600)? {
        return Ok(false);
    }
    let mut bytes = Zeroizing::new(vec![0; key.expose().len() + 1]);
    let mut file = at.open_file(name)?;
    let mut read = 0;
    while read < bytes.len() {
        match file.read(&mut bytes[read..])? {
            0 => break,
            more => read += more,
        }
    }
    Ok(&bytes[..read] == key.expose().as_bytes())
}

/// Whether all that is in `dir` is `name`, of that kind and mode.
fn is_all(dir: &Dir, name: &str, wanted: FileType, mode: u32) -> anyhow::Result<bool> {
    let found = dir.list()?;
    let [(only, stat)] = &found[..] else { return Ok(false) };
    Ok(only == name && kind(stat) == wanted && stat.st_mode & 0o7777 == mode)
}
