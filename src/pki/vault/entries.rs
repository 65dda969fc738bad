//! New entries of the vault: written whole, made durable, and moved to their places, in the order that [`super`] states.

use std::path::Path;

use anyhow::{Context, ensure};

use crate::fs::{Dir, LockedFile, make_private_dirs, sync_file};
use crate::plan::node_name;

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

/// A new file in an entry that the vault has.
pub(super) struct NewFile<'a> {
    /// The name of the entry.
    pub(super) entry: String,
    /// The name of the file.
    pub(super) name: &'static str,
    pub(super) text: &'a str,
}

/// Stores `entries` durably in the vault `dir`, which is made where there is none: all of them, or none where an entry that
/// replaces nothing is there already.
pub(super) fn store_entries(dir: &Path, entries: &[VaultEntry<'_>]) -> anyhow::Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    store(
        dir,
        |vault| {
            for entry in entries.iter().filter(|entry| !entry.replaces) {
                ensure!(
                    !vault.exists(&entry.name)?,
                    "the vault {} already has {}: plasmagen never overwrites a key, since certificates and machines depend on it",
                    dir.display(),
                    entry.name
                );
            }
            Ok(())
        },
        |vault| write_and_rename(vault, entries),
    )
}

/// Stores `files` durably, each in an entry that the vault `dir` has; a file of that name is put aside.
pub(super) fn store_files(dir: &Path, files: &[NewFile<'_>]) -> anyhow::Result<()> {
    if files.is_empty() {
        return Ok(());
    }
    store(
        dir,
        |vault| {
            for file in files {
                let (entry, shown) = (&file.entry, dir.display());
                ensure!(
                    vault.exists(entry)?,
                    "the vault {shown} has no {entry}: name the vault that has it with --vault, bring it back from a \
                     backup, plasmagen vault restore FILE, or give the node new keys: plasmagen certs renew {} \
                     --new-key",
                    node_name(entry)
                );
            }
            Ok(())
        },
        |vault| write_files(vault, files),
    )
}

/// Puts the file `name` of each of `entries` in the vault `dir` aside durably. An entry that lacks the file is left as
/// it is.
pub(super) fn retire_files(dir: &Path, entries: &[String], name: &str) -> anyhow::Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    store(
        dir,
        |_| Ok(()),
        |vault| {
            for entry in entries {
                let place = vault.open_dir(entry).with_context(|| format!("could not open {entry}"))?;
                if place.exists(name)? {
                    put_file_aside(vault, &place, entry, name)
                        .and_then(|()| Ok(place.sync()?))
                        .with_context(|| format!("could not put {entry}/{name} aside"))?;
                }
            }
            Ok(())
        },
    )
}

/// Stores the file `name`, which is no secret, durably in the entry `entry` of the vault `dir`, which are made where there are
/// none. A file of that name is replaced.
pub(super) fn store_public_file(dir: &Path, entry: &str, name: &str, text: &str) -> anyhow::Result<()> {
    store(
        dir,
        |_| Ok(()),
        |vault| {
            let staging = make(vault, STAGING)?;
            let (file, _) = staging.write_new(name, 0o600, text.as_bytes())?;
            sync_file(&file).with_context(|| format!("could not make {entry}/{name} durable"))?;
            if !vault.exists(entry)? {
                vault.make_dir(entry, 0o700).with_context(|| format!("could not make {entry}"))?;
                vault.sync().context("could not make the vault durable")?;
            }
            let place = vault.open_dir(entry).with_context(|| format!("could not open {entry}"))?;
            staging
                .rename(name, &place, name)
                .and_then(|()| place.sync())
                .with_context(|| format!("could not replace {entry}/{name}"))
        },
    )
}

/// Locks the vault `dir`, which is made where there is none, has `check` look at it, and has `write` store keys by way of
/// the staging directory, which is empty before and removed afterwards.
fn store(
    dir: &Path,
    check: impl FnOnce(&Dir) -> anyhow::Result<()>,
    write: impl FnOnce(&Dir) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    make_private_dirs(dir)?;
    let shown = dir.display();
    let root = PrivateDir::open_checked(dir)?.with_context(|| format!("could not open {shown}"))?;
    let vault = &root.dir;
    let _lock = lock(&root)?;
    check(vault)?;
    let clean = || vault.remove_tree(STAGING).with_context(|| format!("could not clean up {shown}"));
    clean()?;
    let stored = write(vault).with_context(|| format!("could not store keys in the vault {shown}"));
    stored.and(clean())
}

/// Takes the lock of the vault `root`, which the returned value holds; waits a while for another holder.
pub(super) fn lock(root: &PrivateDir) -> anyhow::Result<LockedFile> {
    LockedFile::wait(&root.dir, LOCK, "using the vault")
        .with_context(|| format!("could not lock the vault {}", root.path.display()))
}

/// Makes the directory `name` in `parent` and opens it.
fn make(parent: &Dir, name: &str) -> anyhow::Result<Dir> {
    let made = parent.make_dir(name, 0o700).and_then(|()| parent.open_dir(name));
    made.with_context(|| format!("could not make {name}"))
}

/// Writes the files into the staging directory, makes them durable, and moves them to their places.
fn write_files(vault: &Dir, files: &[NewFile<'_>]) -> anyhow::Result<()> {
    let staging = make(vault, STAGING)?;
    for NewFile { entry, name, text } in files {
        let staged = make(&staging, entry)?;
        let written = staged.write_new(name, 0o600, text.as_bytes());
        let (file, _) = written.with_context(|| format!("could not write {entry}/{name}"))?;
        sync_file(&file).with_context(|| format!("could not make {entry}/{name} durable"))?;
    }
    for NewFile { entry, name, .. } in files {
        let place = vault.open_dir(entry).with_context(|| format!("could not open {entry}"))?;
        if place.exists(name)? {
            put_file_aside(vault, &place, entry, name)
                .with_context(|| format!("could not put the old {entry}/{name} aside"))?;
        }
        let moved = staging.open_dir(entry).and_then(|staged| staged.rename(name, &place, name));
        moved.with_context(|| format!("could not move {entry}/{name} to its place"))?;
        place.sync().with_context(|| format!("could not make {entry} durable"))?;
    }
    Ok(())
}

/// Writes the entries into the staging directory, makes them durable, and moves them to their places.
fn write_and_rename(vault: &Dir, entries: &[VaultEntry<'_>]) -> anyhow::Result<()> {
    let sync_each = entries.len() < SYNC_ALL_FROM;
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
    let (retired, free) = open_retired(vault, name)?;
    vault.rename(name, &retired, &free)?;
    Ok(retired.sync()?)
}

/// Moves the file `name` of the entry `entry`, whose directory is `place`, into a retired entry, under the first number
/// that is free.
fn put_file_aside(vault: &Dir, place: &Dir, entry: &str, name: &str) -> anyhow::Result<()> {
    // The number of a whole entry says which key of a certificate was the latest: a host key has numbers of its own.
    let (retired, free) = open_retired(vault, &format!("{entry}.ssh"))?;
    let aside = make(&retired, &free)?;
    place.rename(name, &aside, name)?;
    aside.sync()?;
    Ok(retired.sync()?)
}

/// Opens the directory of retired entries, which is made where there is none, and names the first place there that is free
/// for the entry `name`.
fn open_retired(vault: &Dir, name: &str) -> anyhow::Result<(Dir, String)> {
    if !vault.exists(RETIRED)? {
        vault.make_dir(RETIRED, 0o700)?;
        // Before anything is moved into the directory: a power cut must not take it away together with a key.
        vault.sync()?;
    }
    let retired = vault.open_dir(RETIRED)?;
    let mut number = 1;
    while retired.exists(&retired::name_directory(name, number))? {
        number += 1;
    }
    Ok((retired, retired::name_directory(name, number)))
}
