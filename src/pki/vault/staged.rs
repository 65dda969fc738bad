//! A staged key: the tree that `nixos-anywhere --extra-files` copies onto a node.
//!
//! ```text
//! DIR/etc/nixos/       0755   as on the node: tar gives these modes to /etc and /etc/nixos there, too
//!         └ secrets/   0700
//!           └ node01-key.pem  0600
//! ```
//!
//! Everything in DIR is copied onto the node, so DIR holds nothing else. The tree is put into DIR whole or not at all, and
//! the next run finishes or removes what a killed run has left.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use zeroize::Zeroizing;

use super::files::key_file_name;
use super::location;
use crate::fs::{Dir, FileType, Stat, is_trusted_owner, kind_of, make_private_dirs, sync_file};
use crate::pki::request::parse_full_name;
use crate::pki::secret::SecretKey;

/// The words for DIR in messages.
const TREE: &str = "the staged tree";

/// The directories from DIR down to the key, with their modes.
const DIRS: [(&str, u32); 3] = [("etc", 0o755), ("nixos", 0o755), ("secrets", 0o700)];

/// Writes the tree with the key of the node `fqdn` into the directory `to`, which is made where there is none. Returns false
/// where that tree is there already: then nothing is touched. `to` must not be in one of the directories `forbidden`.
///
/// # Errors
/// When others could read `to` or write to it, when `to` holds anything else, such as another node's tree, or when the disk
/// refuses. `to` is then as empty as before.
pub fn stage(fqdn: &str, key: &SecretKey, to: &Path, forbidden: &[&Path]) -> anyhow::Result<bool> {
    // Without a slash at the end, which would hide a symbolic link.
    let to: &Path = &to.components().collect::<PathBuf>();
    ensure!(
        !to.is_symlink(),
        "{} is a symbolic link, which somebody may have put there: name the directory itself",
        to.display()
    );
    ensure!(to.is_dir() || !to.exists(), "{} is not a directory", to.display());
    let path = location::check_private(TREE, to, forbidden)?;
    make_private_dirs(&path)?;
    let dir = Dir::open_unlinked(&path).with_context(|| format!("could not open {}", path.display()))?;
    check_owner(&path, &dir.stat_self()?)?;
    // Another user may have made one of the missing directories a moment before this run did.
    location::check_replaceable(TREE, &path)?;
    // Another run would find half of this one's.
    dir.wait_for_lock().with_context(|| format!("could not lock {}", path.display()))?;
    let name = key_file_name(&parse_full_name(fqdn)?);
    dir.recover_batch()
        .with_context(|| format!("could not end what an earlier run left in {}", path.display()))?;
    let found = dir.list().with_context(|| format!("could not list {}", path.display()))?;
    if !found.is_empty() {
        let is_same = holds_key(&dir, &name, key)
            .with_context(|| format!("could not read what is in {}", path.display()))?;
        ensure!(
            is_same,
            "{} is not empty, and nixos-anywhere would copy all that is in it onto the node: name a directory that is \
             new, or empty it",
            path.display()
        );
        return Ok(false);
    }
    dir.commit_batch(|staging| write_tree(staging, &name, key))
        .with_context(|| format!("could not write to {}", path.display()))?;
    Ok(true)
}

/// Refuses a directory that belongs neither to root nor to the user who runs plasmagen, and one that others can write to,
/// who could replace what is in it.
fn check_owner(path: &Path, stat: &Stat) -> anyhow::Result<()> {
    let (owner, path) = (stat.st_uid, path.display());
    ensure!(
        is_trusted_owner(owner),
        "{path} belongs to another user (uid {owner}), who can read the key there: name a new directory, such as mktemp -d \
         makes"
    );
    ensure!(
        stat.st_mode & 0o022 == 0,
        "{path} has mode {:04o}, so others can replace what is in it: name a new directory, such as mktemp -d makes",
        stat.st_mode & 0o7777
    );
    Ok(())
}

/// Writes the tree into the directory `staging`, and makes the tree durable.
fn write_tree(staging: &Dir, name: &str, key: &SecretKey) -> anyhow::Result<()> {
    let mut dirs = vec![staging.try_clone()?];
    for (at, (dir_name, mode)) in DIRS.into_iter().enumerate() {
        dirs.push(dirs[at].make_dir_exact(dir_name, mode)?);
    }
    let (file, _) = dirs[DIRS.len()].write_new(name, 0o600, key.expose().as_bytes())?;
    sync_file(&file)?;
    Ok(dirs.iter().try_for_each(Dir::sync)?)
}

/// Whether `dir` holds exactly the tree with `key`.
fn holds_key(dir: &Dir, name: &str, key: &SecretKey) -> anyhow::Result<bool> {
    let mut at = dir.try_clone()?;
    for (dir_name, mode) in DIRS {
        if !is_only(&at, dir_name, FileType::Directory, mode)? {
            return Ok(false);
        }
        at = at.open_dir(dir_name)?;
    }
    if !is_only(&at, name, FileType::RegularFile, 0o600)? {
        return Ok(false);
    }
    let mut bytes = Zeroizing::new(vec![0; key.expose().len() + 1]);
    let mut file = at.open_regular(name)?;
    let mut read = 0;
    while read < bytes.len() {
        match file.read(&mut bytes[read..])? {
            0 => break,
            more => read += more,
        }
    }
    Ok(&bytes[..read] == key.expose().as_bytes())
}

/// Whether `dir` holds only `name`, of that kind and mode.
fn is_only(dir: &Dir, name: &str, wanted: FileType, mode: u32) -> anyhow::Result<bool> {
    let found = dir.list()?;
    let [(only, stat)] = &found[..] else { return Ok(false) };
    Ok(only == name && kind_of(stat) == wanted && stat.st_mode & 0o7777 == mode)
}
