//! New entries of the vault: written whole, made durable, and moved to their places, in the order that [`super`] states.

use std::path::Path;

use anyhow::{Context, ensure};

use crate::fs::{Dir, LockedFile, make_private_dirs, sync_file};

use super::files::PrivateDir;
use super::retired::{self, RETIRED};

/// From this number of entries on, one `syncfs` is cheaper than an `fsync` of each file.
pub(super) const SYNC_ALL_FROM: usize = 32;

const LOCK: &str = ".lock";
const STAGING: &str = ".staging";

/// A new entry of the vault: the name of the directory, and its files by name.
pub(super) struct VaultEntry<'a> {
    pub(super) name: String,
    pub(super) files: Vec<(String, &'a str)>,
    /// Whether an entry of that name is put aside; else there must be none.
    pub(super) replaces: bool,
}

/// Stores `entries` durably in the vault `dir`, which is made where there is none: all of them, or none where an entry that
/// replaces nothing is there already.
pub(super) fn store_entries(dir: &Path, entries: &[VaultEntry<'_>]) -> anyhow::Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    make_private_dirs(dir)?;
    let shown = dir.display();
    let root = PrivateDir::open_checked(dir)?.with_context(|| format!("could not open {shown}"))?;
    let vault = &root.dir;
    let _lock = lock(&root)?;
    for entry in entries.iter().filter(|entry| !entry.replaces) {
        ensure!(
            !vault.exists(&entry.name)?,
            "the vault {shown} already has {}: plasmagen never overwrites a key, since certificates and machines \
             depend on it",
            entry.name
        );
    }
    let clean = || vault.remove_tree(STAGING).with_context(|| format!("could not clean up {shown}"));
    clean()?;
    let stored = write_and_rename(vault, entries)
        .with_context(|| format!("could not store keys in the vault {shown}"));
    stored.and(clean())
}

/// Waits for the lock of the vault `root`, which the returned value holds.
pub(super) fn lock(root: &PrivateDir) -> anyhow::Result<LockedFile> {
    LockedFile::wait(&root.dir, LOCK)
        .with_context(|| format!("could not lock {}/{LOCK}", root.path.display()))
}

/// Writes the entries into the staging directory, makes them durable, and moves them to their places.
fn write_and_rename(vault: &Dir, entries: &[VaultEntry<'_>]) -> anyhow::Result<()> {
    let sync_each = entries.len() < SYNC_ALL_FROM;
    let make = |parent: &Dir, name: &str| {
        let made = parent.make_dir(name, 0o700).and_then(|()| parent.open_dir(name));
        made.with_context(|| format!("could not make {name}"))
    };
    let staging = make(vault, STAGING)?;
    for VaultEntry { name, files, .. } in entries {
        let dir = make(&staging, name)?;
        for (file_name, text) in files {
            let written = dir.write_new(file_name, 0o600, text.as_bytes());
            let (file, _) = written.with_context(|| format!("could not write {name}/{file_name}"))?;
            if sync_each {
                sync_file(&file).with_context(|| format!("could not make {name}/{file_name} durable"))?;
            }
        }
        if sync_each {
            dir.sync().with_context(|| format!("could not make {name} durable"))?;
        }
    }
    if !sync_each {
        vault.sync_file_system().context("could not make the keys durable")?;
    }
    for VaultEntry { name, replaces, .. } in entries {
        if *replaces {
            put_aside(vault, name).with_context(|| format!("could not put the old {name} aside"))?;
        }
        // Renaming a directory cannot replace one that holds anything (rename(2), ENOTEMPTY).
        staging.rename(name, vault, name).with_context(|| format!("could not move {name} to its place"))?;
    }
    // Before the vault forgets the old keys.
    if entries.iter().any(|entry| entry.replaces) && vault.exists(RETIRED)? {
        let retired = vault.open_dir(RETIRED).and_then(|retired| retired.sync());
        retired.with_context(|| format!("could not make {RETIRED} durable"))?;
    }
    vault.sync().context("could not make the vault durable")
}

/// Moves the entry `name`, if there is one, into the directory of retired entries, under the first number that is free.
fn put_aside(vault: &Dir, name: &str) -> anyhow::Result<()> {
    if !vault.exists(name)? {
        return Ok(());
    }
    if !vault.exists(RETIRED)? {
        vault.make_dir(RETIRED, 0o700)?;
    }
    let retired = vault.open_dir(RETIRED)?;
    let mut number = 1;
    while retired.exists(&retired::name_directory(name, number))? {
        number += 1;
    }
    Ok(vault.rename(name, &retired, &retired::name_directory(name, number))?)
}
