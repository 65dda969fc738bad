//! The state of a vault on the disk: its entries, its faults, and its last backup.

use std::path::Path;

use anyhow::{Context, ensure};
use serde::Serialize;
use time::OffsetDateTime;

use super::backup_manifest::{BackupManifest, NAME};
use super::entry_kind::split_entry;
use super::entry_row::EntryRow;
use super::examine::{Examination, examine};
use super::files::PrivateDir;
use super::published::PublishedKeys;
use super::vault_files::{VaultFault, VaultFiles};
use crate::fs::LIST_LIMIT;
use crate::model::Cluster;

/// The result of [`examine_vault`].
#[derive(Debug)]
pub struct VaultReport {
    /// The entries of the vault, by name.
    pub entries: Vec<EntryRow>,
    /// The faults of the vault, and of certificates in `nodes/` whose keys are not as they should be.
    pub faults: Vec<VaultFault>,
    /// The last backup; none where there was none.
    pub backup: Option<LastBackup>,
}

/// The last backup of a vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct LastBackup {
    /// The time at which the backup was made.
    #[serde(with = "time::serde::rfc3339")]
    pub made: OffsetDateTime,
    /// The number of files with a secret that are younger.
    pub unsaved: usize,
}

/// Reads everything in the vault `dir`, and examines whether owners and modes are private, each key can be used and fits its
/// certificate, each CA is whole and is one of `cluster`, and nothing is missing that the `keys` in `nodes/` need.
///
/// # Errors
/// When there is no vault, or when the vault can't be listed.
pub fn examine_vault(dir: &Path, cluster: &Cluster, keys: &PublishedKeys) -> anyhow::Result<VaultReport> {
    let root = open_existing(dir)?;
    let VaultState { files, examination, record, .. } = VaultState::read(&root, cluster, keys)?;
    let backup = record.map(|record| LastBackup { made: record.made, unsaved: record.count_unsaved(&files) });
    let Examination { entries, faults } = examination;
    Ok(VaultReport { entries, faults, backup })
}

/// Everything that a vault holds, with the entries, the faults and the record of the last backup.
pub(super) struct VaultState {
    pub(super) files: VaultFiles,
    pub(super) examination: Examination,
    /// The first file or directory that could not be read, so that `files` lacks it.
    pub(super) first_unreadable: Option<VaultFault>,
    /// Whether the last backup holds a secret that the vault does not hold any more.
    pub(super) has_lost: bool,
    record: Option<BackupManifest>,
}

impl VaultState {
    /// Reads the vault `root` of `cluster`, whose keys `nodes/` publishes as `keys`.
    pub(super) fn read(root: &PrivateDir, cluster: &Cluster, keys: &PublishedKeys) -> anyhow::Result<Self> {
        let (files, unreadable) = VaultFiles::read(root)?;
        ensure!(
            !(files.0.is_empty() && unreadable.is_empty()),
            "there is no vault at {}, only an empty directory: {INSTEAD}",
            root.path.display()
        );
        let record = read_record(root);
        let first_unreadable = unreadable.first().cloned();
        let mut examination = examine(&files, unreadable, cluster, keys);
        let lost = record.as_ref().map_or_else(Vec::new, |record| record.list_lost(&files));
        for path in &lost {
            let entry = split_entry(path).0;
            let names_entry =
                |fault: &VaultFault| fault.entry == entry || fault.entry == format!("nodes/{entry}/");
            // One fault an entry: that of a missing key is more precise.
            if !examination.faults.iter().any(names_entry) {
                examination.faults.push(VaultFault {
                    entry: entry.to_owned(),
                    message: format!(
                        "{path} is in the last backup and not in the vault any more: plasmagen vault restore FILE --vault DIR \
                         writes the backup into a new directory. If the file was removed on purpose, plasmagen vault backup \
                         --to FILE --force makes a backup without the file"
                    ),
                });
            }
        }
        Ok(Self { files, examination, first_unreadable, has_lost: !lost.is_empty(), record })
    }
}

/// Counts the files with a secret in the vault `dir` that the last backup does not hold.
///
/// # Errors
/// As for [`examine_vault`].
pub fn count_unsaved(dir: &Path) -> anyhow::Result<usize> {
    let root = open_existing(dir)?;
    let (files, _) = VaultFiles::read(&root)?;
    Ok(read_record(&root).map_or_else(|| files.count_secrets(), |record| record.count_unsaved(&files)))
}

/// The way out where there is no vault.
const INSTEAD: &str =
    "name the vault with --vault, or make it anew from a backup: plasmagen vault restore FILE";

/// Opens the vault `dir`, which must exist.
pub(super) fn open_existing(dir: &Path) -> anyhow::Result<PrivateDir> {
    let root = PrivateDir::open_vault(dir)?;
    root.with_context(|| format!("there is no vault at {}: {INSTEAD}", dir.display()))
}

/// Reads the record of the last backup; none where there is none that this version can read: then every key counts as not
/// backed up.
fn read_record(root: &PrivateDir) -> Option<BackupManifest> {
    let text = root.read_bytes(NAME, LIST_LIMIT).ok()??;
    BackupManifest::parse(&text).ok()
}
