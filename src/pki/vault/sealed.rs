//! Keys that are encrypted to their owners: files that may be committed.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use super::{key_file, place};
use crate::fs::{Dir, make_dirs};
use crate::pki::SecretKey;
use crate::pki::recipient::{Recipient, encrypt};
use crate::pki::request::full_name;

/// A directory of encrypted keys, each in a file `<node>-key.pem.age`.
#[derive(Debug)]
pub struct Sealed {
    dir: PathBuf,
}

impl Sealed {
    /// The directory `dir`, if it is none of `forbidden` and in none of them.
    ///
    /// # Errors
    /// When it is.
    pub fn at(dir: &Path, forbidden: &[&Path]) -> anyhow::Result<Self> {
        Ok(Self { dir: place::elsewhere("the directory for encrypted keys", dir, forbidden)? })
    }

    /// Where the key of the node `fqdn` is, or is to be.
    ///
    /// # Errors
    /// When the name is no full host name, or a directory is there.
    pub fn file(&self, fqdn: &str) -> anyhow::Result<PathBuf> {
        let file = self.dir.join(format!("{}.age", key_file(&full_name(fqdn)?)));
        let in_the_way = file.symlink_metadata().is_ok_and(|found| found.is_dir());
        ensure!(
            !in_the_way,
            "{} is a directory, where an encrypted key is to be: move it away",
            file.display()
        );
        Ok(file)
    }

    /// Encrypts the key of each node to `recipients` and writes it over what is there: one rename a file.
    ///
    /// # Errors
    /// When age cannot encrypt to a recipient (then nothing is written), or the disk fails.
    pub fn seal(&self, keys: &[(&str, SecretKey)], recipients: &[Recipient]) -> anyhow::Result<()> {
        let mut sealed = Vec::with_capacity(keys.len());
        for (fqdn, key) in keys {
            sealed.push((format!("{}.age", key_file(&full_name(fqdn)?)), encrypt(key, recipients)?));
        }
        make_dirs(&self.dir)?;
        let dir = Dir::open(&self.dir).with_context(|| format!("could not open {}", self.dir.display()))?;
        for (name, text) in &sealed {
            dir.replace(name, text, true)
                .with_context(|| format!("could not write {}", self.dir.join(name).display()))?;
        }
        Ok(())
    }
}
