//! Encrypted keys: files that may be committed.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use super::files::key_file_name;
use super::location;
use crate::fs::{Dir, Errno, TEXT_LIMIT, file_mode, make_dirs, read_input, sync_file};
use crate::pki::backup_file::list_stanzas;
use crate::pki::recipient::{Recipient, encrypt};
use crate::pki::request::parse_full_name;
use crate::pki::secret::SecretKey;
use crate::plan::HostPublicKey;

/// A directory of encrypted keys, each in a file `<node>-key.pem.age`.
#[derive(Debug)]
pub struct EncryptedKeys {
    path: PathBuf,
    /// The directory, locked; `None` where there is none yet.
    dir: Option<Dir>,
    is_recovered: bool,
}

/// The private key of a node's certificate, and those who will be able to decrypt the key.
pub struct KeyToEncrypt<'a> {
    /// The full name of the node.
    pub fqdn: &'a str,
    /// The key.
    pub key: SecretKey,
    /// The recipients of this key.
    pub recipients: Vec<&'a Recipient>,
}

impl EncryptedKeys {
    /// Opens and locks the directory `dir`, which need not exist yet, and ends what a killed run has left there.
    ///
    /// # Errors
    /// When `dir` is in the Nix store or in one of the directories `forbidden`, or the disk refuses.
    pub fn at(dir: &Path, forbidden: &[&Path]) -> anyhow::Result<Self> {
        let path = location::check_public("the directory for encrypted keys", dir, forbidden)?;
        let (dir, is_recovered) = open_and_recover(&path)?.unzip();
        Ok(Self { path, dir, is_recovered: is_recovered == Some(true) })
    }

    /// Whether files were moved into place that a killed run had encrypted.
    #[must_use]
    pub fn is_recovered(&self) -> bool {
        self.is_recovered
    }

    /// The path of the encrypted key of the node `fqdn`, whether there is one or not.
    ///
    /// # Errors
    /// When the name is no full host name, or there is a directory of that name.
    pub fn file(&self, fqdn: &str) -> anyhow::Result<PathBuf> {
        let file = self.path.join(encrypted_file_name(fqdn)?);
        let in_the_way = file.symlink_metadata().is_ok_and(|found| found.is_dir());
        ensure!(
            !in_the_way,
            "{} is a directory, where an encrypted key is to be: move it away",
            file.display()
        );
        Ok(file)
    }

    /// Whether the file `file` of the directory is encrypted to the SSH host key `key`, as far as the header tells
    /// without a private key; none where the file is no age file.
    #[must_use]
    pub fn is_encrypted_to(&self, file: &Path, key: &HostPublicKey) -> Option<bool> {
        let stanzas = list_stanzas(&read_input(file, TEXT_LIMIT).ok()?).ok()?;
        let digest = key.digest().ok()?;
        // The first argument is the beginning of the key's digest, four bytes in Base64 (age's ssh-ed25519 recipient
        // type): five digits of the fingerprint, and one that has two bits of the next.
        let is_same = |tag: &String| tag.get(..5).is_some_and(|begin| digest.starts_with(begin));
        let is_for_key = |(kind, arguments): &(String, Vec<String>)| {
            kind == "ssh-ed25519" && arguments.first().is_some_and(is_same)
        };
        Some(stanzas.iter().any(is_for_key))
    }

    /// Encrypts each of `keys`, and replaces the files, all or none.
    ///
    /// # Errors
    /// When age can't encrypt to a recipient or the disk refuses: then no file is written. When the disk refuses twice to
    /// move a complete file into place: the next run moves the rest.
    pub fn encrypt(&self, keys: &[KeyToEncrypt<'_>]) -> anyhow::Result<()> {
        let mut encrypted = Vec::with_capacity(keys.len());
        for KeyToEncrypt { fqdn, key, recipients } in keys {
            encrypted.push((encrypted_file_name(fqdn)?, encrypt(key, recipients)?));
        }
        let made;
        let dir = match &self.dir {
            Some(dir) => dir,
            None => {
                made = self.make()?;
                &made
            }
        };
        let written = dir.commit_batch(|staging| {
            for (name, text) in &encrypted {
                let written = staging.write_new(name, file_mode(false), text);
                let (file, _) = written.with_context(|| format!("could not write {name}"))?;
                sync_file(&file).with_context(|| format!("could not make {name} durable"))?;
            }
            Ok(())
        });
        written.with_context(|| format!("could not write to {}", self.path.display()))
    }

    /// Makes the directory, and opens it as [`open_and_recover`] does: another run may have made the directory since, and
    /// may have been killed.
    fn make(&self) -> anyhow::Result<Dir> {
        make_dirs(&self.path)?;
        let opened = open_and_recover(&self.path)?;
        let (dir, _) = opened.with_context(|| format!("{} was removed", self.path.display()))?;
        Ok(dir)
    }
}

/// Opens and locks the directory `path`, and ends what a killed run has left there; returns whether files were moved into
/// place. None where there is no directory.
fn open_and_recover(path: &Path) -> anyhow::Result<Option<(Dir, bool)>> {
    let shown = path.display();
    let dir = match Dir::open(path) {
        Err(Errno::NOENT) => return Ok(None),
        dir => dir.with_context(|| format!("could not open {shown}"))?,
    };
    // Another run would find half of this run's files.
    dir.wait_for_lock().with_context(|| format!("could not lock {shown}"))?;
    let is_recovered =
        dir.recover_batch().with_context(|| format!("could not end what an earlier run left in {shown}"))?;
    Ok(Some((dir, is_recovered)))
}

fn encrypted_file_name(fqdn: &str) -> anyhow::Result<String> {
    Ok(format!("{}.age", key_file_name(&parse_full_name(fqdn)?)))
}
