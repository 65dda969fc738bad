//! Encrypted keys: files that may be committed.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use super::files::key_file_name;
use super::location;
use crate::fs::{Dir, make_dirs};
use crate::pki::recipient::{Recipient, encrypt};
use crate::pki::request::parse_full_name;
use crate::pki::secret::SecretKey;

/// A directory of encrypted keys, each in a file `<node>-key.pem.age`.
#[derive(Debug)]
pub struct EncryptedKeys {
    dir: PathBuf,
}

impl EncryptedKeys {
    /// Takes the directory `dir`, which need not exist yet.
    ///
    /// # Errors
    /// When `dir` is in the Nix store or in one of the directories `forbidden`.
    pub fn at(dir: &Path, forbidden: &[&Path]) -> anyhow::Result<Self> {
        Ok(Self { dir: location::check_public("the directory for encrypted keys", dir, forbidden)? })
    }

    /// The path of the encrypted key of the node `fqdn`, whether there is one or not.
    ///
    /// # Errors
    /// When the name is no full host name, or there is a directory of that name.
    pub fn file(&self, fqdn: &str) -> anyhow::Result<PathBuf> {
        let file = self.dir.join(encrypted_file_name(fqdn)?);
        let in_the_way = file.symlink_metadata().is_ok_and(|found| found.is_dir());
        ensure!(
            !in_the_way,
            "{} is a directory, where an encrypted key is to be: move it away",
            file.display()
        );
        Ok(file)
    }

    /// Encrypts the key of each node to `recipients`, and replaces the files: one rename a file.
    ///
    /// # Errors
    /// When age can't encrypt to a recipient (then nothing is written), or the disk refuses.
    pub fn encrypt(&self, keys: &[(&str, SecretKey)], recipients: &[Recipient]) -> anyhow::Result<()> {
        let mut encrypted = Vec::with_capacity(keys.len());
        for (fqdn, key) in keys {
            encrypted.push((encrypted_file_name(fqdn)?, encrypt(key, recipients)?));
        }
        make_dirs(&self.dir)?;
        let dir = Dir::open(&self.dir).with_context(|| format!("could not open {}", self.dir.display()))?;
        for (name, text) in &encrypted {
            dir.replace(name, text, true)
                .with_context(|| format!("could not write {}", self.dir.join(name).display()))?;
        }
        Ok(())
    }
}

fn encrypted_file_name(fqdn: &str) -> anyhow::Result<String> {
    Ok(format!("{}.age", key_file_name(&parse_full_name(fqdn)?)))
}
