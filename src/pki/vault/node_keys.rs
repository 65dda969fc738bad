//! The keys of nodes in a vault, each in a directory with the full name of the node.

use anyhow::Context;

use super::entries::VaultEntry;
use super::files::{PrivateDir, key_file_name};
use crate::pki::host_key::HostKey;
use crate::pki::passphrase::{PASSPHRASE, Passphrase};
use crate::pki::request::parse_full_name;
use crate::pki::secret::SecretKey;
use crate::plan::HOST_KEY;

/// The file with the text that identifies the machine.
pub(super) const MACHINE: &str = "machine";

/// The keys of a node that the vault is to store.
#[derive(Clone, Copy, Debug)]
pub struct NewNodeKeys<'a> {
    /// The full name of the node.
    pub fqdn: &'a str,
    /// The private key of the node's certificate.
    pub key: &'a SecretKey,
    /// The node's SSH host key; none where the machine has one of its own.
    pub host_key: Option<&'a HostKey>,
    /// The passphrase of the node's encrypted disks; none where the vault is to know none.
    pub passphrase: Option<&'a Passphrase>,
    /// The text that identifies the machine.
    pub machine: &'a str,
}

/// The entry for the keys of a node.
pub(super) fn make_entry<'a>(keys: &NewNodeKeys<'a>, replaces: bool) -> anyhow::Result<VaultEntry<'a>> {
    let name = parse_full_name(keys.fqdn)?;
    let mut files = vec![(key_file_name(&name), keys.key.expose()), (MACHINE.to_owned(), keys.machine)];
    files.extend(keys.host_key.map(|key| (HOST_KEY.to_owned(), key.expose())));
    files.extend(keys.passphrase.map(|passphrase| (PASSPHRASE.to_owned(), passphrase.expose())));
    Ok(VaultEntry { name, files, replaces })
}

/// Opens the entry of the node `fqdn` in the vault `root`; returns it with the name of the file of the key. None where there
/// is no vault, or no entry.
fn open_entry(root: Option<&PrivateDir>, fqdn: &str) -> anyhow::Result<Option<(PrivateDir, String)>> {
    let name = parse_full_name(fqdn)?;
    let entry = root.map(|root| root.open_dir(&name)).transpose()?.flatten();
    Ok(entry.map(|entry| (entry, key_file_name(&name))))
}

/// Reads the key of the node `fqdn`.
pub(super) fn read_key(root: Option<&PrivateDir>, fqdn: &str) -> anyhow::Result<Option<SecretKey>> {
    let Some((entry, file)) = open_entry(root, fqdn)? else { return Ok(None) };
    entry.read_key(&file)
}

/// Reads the public half of the key of the node `fqdn`, as the DER of the SubjectPublicKeyInfo.
pub(super) fn read_public_key(root: Option<&PrivateDir>, fqdn: &str) -> anyhow::Result<Option<Vec<u8>>> {
    let Some((entry, file)) = open_entry(root, fqdn)? else { return Ok(None) };
    let key = entry.read(&file)?.map(SecretKey::public_half).transpose();
    key.with_context(|| format!("could not use {}", entry.path.join(&file).display()))
}

/// Reads the SSH host key of the node `fqdn`.
pub(super) fn read_host_key(root: Option<&PrivateDir>, fqdn: &str) -> anyhow::Result<Option<HostKey>> {
    let Some((entry, _)) = open_entry(root, fqdn)? else { return Ok(None) };
    let key = entry.read(HOST_KEY)?.map(HostKey::from_openssh).transpose();
    key.with_context(|| format!("could not use {}", entry.path.join(HOST_KEY).display()))
}

/// Reads the text that identifies the machine for which the key of the node `fqdn` was made.
pub(super) fn read_machine(root: Option<&PrivateDir>, fqdn: &str) -> anyhow::Result<Option<String>> {
    let Some((entry, _)) = open_entry(root, fqdn)? else { return Ok(None) };
    Ok(entry.read(MACHINE)?.map(|text| text.to_string()))
}
