//! A backup that becomes a vault again: everything is decrypted, unpacked and checked in memory before a disk is touched, and
//! the entries are put into place all or none.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, anyhow, bail, ensure};
use zeroize::Zeroizing;

use super::backup_archive::{is_archive, unpack};
use super::backup_manifest::{BackupManifest, NAME};
use super::entries::{SYNC_ALL_FROM, lock};
use super::entry_kind::EntryKind;
use super::entry_row::EntryState;
use super::examine::{Examination, examine};
use super::files::PrivateDir;
use super::published::PublishedKeys;
use super::vault_files::{VaultFault, VaultFiles};
use crate::fs::{Dir, make_private_dirs, parents, split, sync_file};
use crate::model::Cluster;
use crate::pki::backup_file::{decrypt_backup, read_label};
use crate::pki::identity::{BY_AGE, Identities};

/// The wish to restore a backup.
pub struct RestoreRequest<'a> {
    /// The bytes of the backup: encrypted, or the archive that age has decrypted.
    pub backup: &'a [u8],
    /// The name of the backup in messages.
    pub name: &'a str,
    /// The private keys of a recipient; none where the backup is decrypted already.
    pub identities: Option<&'a Identities>,
    /// The cluster that the vault is for.
    pub cluster: &'a Cluster,
    /// The keys that `nodes/` publishes.
    pub keys: &'a PublishedKeys,
}

/// A backup that was restored.
#[derive(Debug)]
pub struct Restored {
    /// The list of the files in the backup.
    pub manifest: BackupManifest,
    /// The number of files that hold a secret.
    pub keys: usize,
    /// Whether the vault held all of the backup before; then nothing was touched.
    pub was_there: bool,
    /// The faults of the restored vault: keys that are younger than the backup are missing.
    pub faults: Vec<VaultFault>,
}

/// Restores a backup as the vault `dir`, which is new or empty.
///
/// # Errors
/// When the backup was cut short or changed, can't be decrypted, is one of another cluster, or has anything in it that
/// no vault has; when `nodes/` cannot be read, with which the backup is compared; when another vault is there already;
/// or when the disk refuses. Then `dir` holds what it held before.
pub fn restore(dir: &Path, request: &RestoreRequest<'_>) -> anyhow::Result<Restored> {
    let archive = decrypt(request)?;
    let broken = || format!("{} cannot be restored", request.name);
    let (manifest, files) = unpack(&archive).with_context(broken)?;
    check_cluster(&manifest.cluster, request)?;
    if let Some(why) = &request.keys.broken {
        bail!(
            "{why}. Until nodes/ can be read, nobody can tell whether {} is a backup of this cluster: restore nodes/ \
             from git, and restore the backup then",
            request.name
        );
    }
    let Examination { entries, faults } = examine(&files, Vec::new(), request.cluster, request.keys);
    let has_published_ca = entries
        .iter()
        .any(|entry| entry.kind == EntryKind::Authority && entry.state == EntryState::Published);
    ensure!(
        has_published_ca || request.keys.certificates.ca.is_none(),
        "{} holds none of the CAs that nodes/ publishes, so it is a backup of another cluster of this name: restore the \
         backup of this one, or bring nodes/ back from git",
        request.name
    );
    let was_there = !write(dir, &manifest, &files)?;
    Ok(Restored { manifest, keys: files.count_secrets(), was_there, faults })
}

/// Decrypts the backup, if that has not been done yet.
fn decrypt(request: &RestoreRequest<'_>) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    if is_archive(request.backup) {
        return Ok(Zeroizing::new(request.backup.to_vec()));
    }
    let unusable = || {
        format!(
            "{} cannot be restored: take another copy of the backup, such as an older version from git",
            request.name
        )
    };
    let label = read_label(request.backup).with_context(unusable)?;
    check_cluster(&label.cluster, request)?;
    let identities = request.identities.ok_or_else(|| {
        anyhow!(
            "{} is encrypted to {} recipients: give the private key of one with --identity KEYFILE; where that key needs a \
             passphrase or a plugin, {}",
            request.name,
            label.recipients,
            BY_AGE
        )
    })?;
    decrypt_backup(request.backup, identities).with_context(|| {
        format!(
            "{} cannot be decrypted: give the private key of one of its {} recipients with --identity, or take another copy \
             of the backup",
            request.name, label.recipients
        )
    })
}

fn check_cluster(name: &str, request: &RestoreRequest<'_>) -> anyhow::Result<()> {
    ensure!(
        request.cluster.is_called(name),
        "{} is a backup of another cluster, {}, and this is cluster {}: name the inventory of that cluster with -i, or \
         another backup. If that is this cluster's former name, write it into `former_names` of [cluster]",
        request.name,
        name.escape_debug(),
        request.cluster.name
    );
    Ok(())
}

/// Writes `files` into the directory `dir`, all or none, and returns true; false where `dir` holds them all already.
fn write(dir: &Path, manifest: &BackupManifest, files: &VaultFiles) -> anyhow::Result<bool> {
    make_private_dirs(dir)?;
    let shown = dir.display();
    let root = PrivateDir::open_checked(dir)?.with_context(|| format!("could not open {shown}"))?;
    let _lock = lock(&root)?;
    root.dir.recover_batch().with_context(|| format!("could not end what an earlier run left in {shown}"))?;
    let (present, unreadable) = VaultFiles::read(&root)?;
    if !present.0.is_empty() || !unreadable.is_empty() {
        let has_all = files.0.iter().all(|(path, bytes)| present.0.get(path) == Some(bytes));
        ensure!(
            has_all,
            "there is a vault at {shown} already, which holds other things than the backup, and plasmagen never overwrites a \
             key: name a new directory with --vault, or move that vault away"
        );
        return Ok(false);
    }
    root.dir
        .commit_batch(|staging| write_tree(staging, manifest, files))
        .with_context(|| format!("could not restore the vault {shown}"))?;
    Ok(true)
}

/// Writes the files and the record of the backup into `staging`, and makes all durable.
fn write_tree(staging: &Dir, manifest: &BackupManifest, files: &VaultFiles) -> anyhow::Result<()> {
    let sync_each = files.0.len() < SYNC_ALL_FROM;
    let list = manifest.print()?;
    let record = (NAME, list.as_slice());
    let all = files.0.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice()));
    let mut made = BTreeSet::new();
    for (path, bytes) in std::iter::once(record).chain(all) {
        for dir in parents(path).filter(|dir| made.insert((*dir).to_owned())) {
            let (above, name) = split(dir);
            staging.open_dir(above)?.make_dir_exact(name, 0o700)?;
        }
        let (above, name) = split(path);
        let written = staging.open_dir(above)?.write_new(name, 0o600, bytes);
        let (file, _) = written.with_context(|| format!("could not write {path}"))?;
        if sync_each {
            sync_file(&file).with_context(|| format!("could not make {path} durable"))?;
        }
    }
    if !sync_each {
        return staging.sync_file_system().context("could not make the vault durable");
    }
    made.iter().try_for_each(|dir| staging.open_dir(dir)?.sync()).context("could not make the vault durable")
}
