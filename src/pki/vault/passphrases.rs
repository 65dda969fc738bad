//! The passphrases of encrypted disks in a vault, each beside the key of the node's certificate.

use anyhow::Context;

use super::entries::{NewFile, store_files};
use super::files::PrivateDir;
use super::{Vault, node_keys, retired};
use crate::pki::passphrase::{PASSPHRASE, Passphrase};
use crate::pki::request::parse_full_name;

impl Vault {
    /// Reads the passphrase of the encrypted disks of the node `fqdn`; none where the vault has none.
    ///
    /// # Errors
    /// When the name is no full host name, or when the file is unreadable, readable by others, or holds no passphrase.
    pub fn passphrase(&self, fqdn: &str) -> anyhow::Result<Option<Passphrase>> {
        let Some(root) = self.root()? else { return Ok(None) };
        let Some(entry) = root.open_dir(&parse_full_name(fqdn)?)? else { return Ok(None) };
        read(&entry)
    }

    /// Finds the passphrase of the disks of the node `fqdn` that a run put aside with the node's other keys, and was killed
    /// before it stored the new entry: of the latest entry whose machine `is_same` accepts. None where the vault has an entry
    /// of the node.
    ///
    /// # Errors
    /// As for [`Vault::passphrase`].
    pub fn find_passphrase_aside(
        &self,
        fqdn: &str,
        is_same: impl Fn(&str) -> bool,
    ) -> anyhow::Result<Option<Passphrase>> {
        let Some(root) = self.root()? else { return Ok(None) };
        if root.has(&parse_full_name(fqdn)?) {
            return Ok(None);
        }
        let Some(entry) = retired::open_latest(&root, fqdn)? else { return Ok(None) };
        match entry.read(node_keys::MACHINE)? {
            Some(machine) if is_same(&machine) => read(&entry),
            _ => Ok(None),
        }
    }

    /// Stores passphrases durably, by the full names of nodes whose key the vault has.
    ///
    /// # Errors
    /// When a name is no full host name, when the vault has no entry of a node, or when the disk refuses.
    pub fn store_passphrases(&self, passphrases: &[(&str, &Passphrase)]) -> anyhow::Result<()> {
        let mut files = Vec::with_capacity(passphrases.len());
        for (fqdn, passphrase) in passphrases {
            let entry = parse_full_name(fqdn)?;
            files.push(NewFile { entry, name: PASSPHRASE, text: passphrase.expose() });
        }
        store_files(&self.dir, &files)
    }
}

/// Reads the passphrase in the directory `entry`.
fn read(entry: &PrivateDir) -> anyhow::Result<Option<Passphrase>> {
    let passphrase = entry.read(PASSPHRASE)?.map(|text| Passphrase::from_file(&text)).transpose();
    passphrase.with_context(|| format!("could not use {}", entry.path.join(PASSPHRASE).display()))
}
