//! The backup of a vault: one encrypted file, made of a consistent state, read back before it takes the place of an older one.
//!
//! ```text
//! vault locked → files read → archive → encrypted → FILE.plasmagen-new, durable → read back, decrypted, compared
//!              → renamed to FILE, durable → recorded in the vault
//! ```
//!
//! A run that dies leaves the older backup or the new one. The record in the vault comes last: at worst a backup is not
//! recorded, and the vault counts as not backed up.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail, ensure};
use time::OffsetDateTime;

use super::backup_archive::{pack, unpack};
use super::backup_manifest::{BackupManifest, NAME};
use super::entries::lock;
use super::files::PrivateDir;
use super::location;
use super::published::PublishedKeys;
use super::upkeep::{VaultState, open_existing};
use super::vault_files::VaultFiles;
use crate::fs::{Dir, FileType, file_mode, kind_of, sync_file};
use crate::model::{Cluster, list_few};
use crate::pki::backup_file::{BACKUP_LIMIT, EncryptedBackup, decrypt_backup, encrypt_backup, read_label};
use crate::pki::identity::Identities;
use crate::pki::recipient::Recipient;

/// The wish for a backup.
pub struct BackupRequest<'a> {
    /// The file to write.
    pub to: &'a Path,
    /// The directories in which the file must not lie.
    pub forbidden: &'a [&'a Path],
    /// The cluster of the vault.
    pub cluster: &'a Cluster,
    /// The keys that `nodes/` publishes.
    pub keys: &'a PublishedKeys,
    /// Those who can decrypt the backup.
    pub recipients: &'a [Recipient],
    /// The private keys of a recipient, for the proof that the backup can be decrypted with them.
    pub identities: Option<&'a Identities>,
    /// The time that the backup is to bear.
    pub now: OffsetDateTime,
    /// Whether the file is replaced whatever it is, and whatever is wrong with the vault.
    pub force: bool,
}

/// A backup that was made.
#[derive(Debug)]
pub struct Backup {
    /// The number of files that hold a secret.
    pub keys: usize,
    /// The size of the file in bytes.
    pub bytes: u64,
    /// The number of faults in the vault that was backed up.
    pub faults: usize,
}

/// Backs up the vault in the directory `vault`.
///
/// # Errors
/// When `to` is in the vault or in a directory that plasmagen writes, is something else than an older backup of the
/// cluster, or would replace a backup that may hold more than the vault; when the vault is empty, when a file in it
/// cannot be read, or the disk refuses. Then `to` is as it was.
pub fn back_up(vault: &Path, request: &BackupRequest<'_>) -> anyhow::Result<Backup> {
    let root = &open_existing(vault)?;
    let target = Target::open(request, vault)?;
    let _lock = lock(root)?;
    let VaultState { files, examination, first_unreadable, has_lost, .. } =
        VaultState::read(root, request.cluster, request.keys)?;
    if let Some(fault) = first_unreadable.filter(|_| !request.force) {
        bail!(
            "{}: no backup is made that lacks this. Correct the file first, or back up the others with --force",
            fault.message
        );
    }
    ensure!(files.count_secrets() > 0, "the vault {} holds no key to back up", root.path.display());
    let faults = examination.faults.len();
    if target.has_file()? && !request.force {
        target.check_replaceable(request, &files)?;
        ensure!(
            faults == 0,
            "the vault {} has faults, and {} may hold what is lost: plasmagen vault verify names the faults. Name another \
             file, or replace this one with --force",
            root.path.display(),
            target.path.display()
        );
    }
    let manifest = BackupManifest::of(&files, request.cluster.name.as_str(), request.now);
    let archive = pack(&manifest, &files)?;
    let encrypted = encrypt_backup(&archive, request.cluster.name.as_str(), request.recipients)?;
    target.replace(&encrypted, |file| {
        let same = *encrypted.decrypt_again(file)? == *archive;
        let opened = request.identities.map(|identities| decrypt_backup(file, identities)).transpose()?;
        ensure!(same && opened.is_none_or(|opened| *opened == *archive), "it is not what was written");
        Ok(())
    })?;
    // Of a backup that lacks keys nothing is recorded: the record of the older one still tells which are lost.
    if !has_lost || request.force {
        write_record(root, &manifest).with_context(|| {
            format!(
                "the backup {} is made, but the vault has no record of it: run the command again",
                target.path.display()
            )
        })?;
    }
    let bytes = encrypted.file.len() as u64;
    Ok(Backup { keys: files.count_secrets(), bytes, faults })
}

/// Records in the vault `root` that `manifest` lists what the last backup holds. The record is as private as the keys.
fn write_record(root: &PrivateDir, manifest: &BackupManifest) -> anyhow::Result<()> {
    let fresh = format!("{NAME}.new");
    root.dir.remove_file(&fresh)?;
    let (file, _) = root.dir.write_new(&fresh, 0o600, &manifest.print()?)?;
    sync_file(&file)?;
    root.dir.rename(&fresh, &root.dir, NAME)?;
    Ok(root.dir.sync()?)
}

/// The place of the file.
struct Target {
    path: PathBuf,
    dir: Dir,
    name: String,
}

impl Target {
    fn open(request: &BackupRequest<'_>, vault: &Path) -> anyhow::Result<Self> {
        let forbidden = [request.forbidden, &[vault]].concat();
        let path = location::check_public("the backup", request.to, &forbidden)?;
        let name = path.file_name().and_then(OsStr::to_str);
        let (Some(name), Some(parent)) = (name, path.parent()) else {
            bail!("{} is no path of a file", path.display());
        };
        let dir = Dir::open(parent).with_context(|| {
            format!("could not open {}, the directory for the backup: make it first", parent.display())
        })?;
        Ok(Self { name: name.to_owned(), dir, path })
    }

    /// Whether something lies there that would be replaced.
    fn has_file(&self) -> anyhow::Result<bool> {
        let stat = self.dir.stat(&self.name).with_context(|| self.could_not("look at"))?;
        ensure!(
            stat.is_none_or(|stat| kind_of(&stat) == FileType::RegularFile),
            "{} is no file: name a file for the backup",
            self.path.display()
        );
        Ok(stat.is_some())
    }

    /// Refuses to replace a file that is no older backup of the cluster, or one that holds a secret which is not among
    /// `files`, as far as the keys of a recipient are at hand.
    fn check_replaceable(&self, request: &BackupRequest<'_>, files: &VaultFiles) -> anyhow::Result<()> {
        let shown = self.path.display();
        let file = self.dir.read_limited(&self.name, BACKUP_LIMIT).with_context(|| self.could_not("read"))?;
        let label = read_label(&file).map_err(|why| {
            anyhow!("{shown} is there already and no older backup: {why:#}. Name another file, or replace it with --force")
        })?;
        ensure!(
            request.cluster.is_called(&label.cluster),
            "{shown} is a backup of another cluster, {}: name another file, or replace it with --force",
            label.cluster.escape_debug()
        );
        // A file that these keys do not open is compared with nothing: recipients may have changed.
        let Some(Ok(archive)) = request.identities.map(|identities| decrypt_backup(&file, identities)) else {
            return Ok(());
        };
        let (manifest, _) = unpack(&archive).with_context(|| format!("{shown} cannot be compared"))?;
        let lost = manifest.list_lost(files);
        ensure!(
            lost.is_empty(),
            "{shown} holds what the vault does not: {}. Restore it into a new directory, plasmagen vault restore FILE \
             --vault DIR, name another file, or replace it with --force",
            list_few(&lost)
        );
        Ok(())
    }

    /// Writes `encrypted` beside the file, lets `verify` look at the bytes that are read back, and moves the new file into
    /// place.
    fn replace(
        &self,
        encrypted: &EncryptedBackup,
        verify: impl FnOnce(&[u8]) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let fresh = format!("{}.plasmagen-new", self.name);
        let write = || {
            // A run that was killed may have left the file.
            self.dir.remove_file(&fresh)?;
            let (file, _) = self.dir.write_new(&fresh, file_mode(false), &encrypted.file)?;
            sync_file(&file)?;
            let written = self.dir.read_limited(&fresh, BACKUP_LIMIT)?;
            ensure!(written == encrypted.file, "it is not what was written");
            verify(&written).context("the backup was read back")?;
            Ok(self.dir.rename(&fresh, &self.dir, &self.name)?)
        };
        write()
            .inspect_err(|_| drop(self.dir.remove_file(&fresh)))
            .with_context(|| self.could_not("write"))?;
        self.dir.sync().with_context(|| self.could_not("make durable"))
    }

    fn could_not(&self, act: &str) -> String {
        format!("could not {act} {}", self.path.display())
    }
}
