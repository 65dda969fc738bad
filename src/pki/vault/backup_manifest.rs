//! The list of the files in a backup: the first entry of the archive, and in the vault the record of the last backup.

use std::collections::BTreeSet;

use anyhow::{Context, anyhow, ensure};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::entry_kind::is_secret;
use super::vault_files::VaultFiles;
use crate::fs::{FileFacts, Sha256Sum};

/// The name of the list, in the archive and in the vault.
pub(super) const NAME: &str = ".backup.json";

/// The version of the list and of the archive. It rises when an older plasmagen could not restore the archive whole.
const SCHEMA: u32 = 1;

/// The files of a backup, by their paths in the vault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupManifest {
    schema: u32,
    /// The cluster whose vault was backed up.
    pub cluster: String,
    /// The time at which the backup was made.
    #[serde(with = "time::serde::rfc3339")]
    pub made: OffsetDateTime,
    pub(super) files: Vec<BackupFile>,
}

/// A file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BackupFile {
    pub(super) path: String,
    pub(super) bytes: u64,
    pub(super) sha256: Sha256Sum,
}

/// The part of the list that every version has.
#[derive(Deserialize)]
struct AnyVersion {
    schema: u32,
}

impl BackupManifest {
    /// Lists `files`, the vault of `cluster`.
    pub(super) fn of(files: &VaultFiles, cluster: &str, made: OffsetDateTime) -> Self {
        let list = |(path, bytes): (&String, &Zeroizing<Vec<u8>>)| {
            let FileFacts { bytes, sha256 } = measure(bytes);
            BackupFile { path: path.clone(), bytes, sha256 }
        };
        // Fractions of a second say nothing.
        let made = made.replace_nanosecond(0).unwrap_or(made);
        let files = files.0.iter().map(list).collect();
        Self { schema: SCHEMA, cluster: cluster.to_owned(), made, files }
    }

    /// Parses the text that [`BackupManifest::print`] has printed.
    ///
    /// # Errors
    /// When the text is another, or one of a newer version.
    pub(super) fn parse(text: &[u8]) -> anyhow::Result<Self> {
        // serde_json quotes nothing of the text but the names of keys.
        let unreadable = || format!("its list of files, {NAME}, cannot be read");
        let AnyVersion { schema } = serde_json::from_slice(text).with_context(unreadable)?;
        ensure!(
            schema <= SCHEMA,
            "it was made by a newer plasmagen (schema {schema}, and this one reads {SCHEMA}): restore it with that version"
        );
        serde_json::from_slice(text).with_context(unreadable)
    }

    /// Prints the list as JSON.
    pub(super) fn print(&self) -> anyhow::Result<Vec<u8>> {
        let mut text = serde_json::to_vec_pretty(self).context("could not list the files of the backup")?;
        text.push(b'\n');
        Ok(text)
    }

    /// Checks that `files` are exactly the files in the list.
    pub(super) fn check(&self, files: &VaultFiles) -> anyhow::Result<()> {
        for BackupFile { path, bytes, sha256 } in &self.files {
            let found = files.0.get(path).ok_or_else(|| anyhow!("it lacks {path:?}"))?;
            let is_same = measure(found) == FileFacts { bytes: *bytes, sha256: *sha256 };
            ensure!(is_same, "{path:?} in it is not the file that was backed up");
        }
        let listed: BTreeSet<_> = self.files.iter().map(|file| &file.path).collect();
        ensure!(listed.len() == self.files.len(), "it lists a file twice");
        let other = files.0.keys().find(|path| !listed.contains(path));
        ensure!(
            other.is_none(),
            "it holds {:?}, which its list of files does not have",
            other.unwrap_or(&String::new())
        );
        Ok(())
    }

    /// The number of secrets among `files` that are not in the backup, wherever in the vault they were then.
    pub(super) fn count_unsaved(&self, files: &VaultFiles) -> usize {
        let saved: BTreeSet<_> = self.files.iter().map(|file| file.sha256).collect();
        secrets(files).filter(|(_, bytes)| !saved.contains(&Sha256Sum::of(bytes))).count()
    }

    /// Lists the secrets of the backup that are not among `files`, wherever in the vault they are now.
    pub(super) fn list_lost(&self, files: &VaultFiles) -> Vec<&str> {
        let present: BTreeSet<_> = secrets(files).map(|(_, bytes)| Sha256Sum::of(bytes)).collect();
        let lost = self.files.iter().filter(|file| is_secret(&file.path) && !present.contains(&file.sha256));
        lost.map(|file| file.path.as_str()).collect()
    }
}

fn secrets(files: &VaultFiles) -> impl Iterator<Item = (&String, &[u8])> {
    files.0.iter().filter(|(path, _)| is_secret(path)).map(|(path, bytes)| (path, bytes.as_slice()))
}

fn measure(bytes: &[u8]) -> FileFacts {
    FileFacts { bytes: bytes.len() as u64, sha256: Sha256Sum::of(bytes) }
}
