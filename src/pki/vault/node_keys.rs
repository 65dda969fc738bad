//! The keys of nodes in a vault, each in a directory with the full name of the node.

use anyhow::Context;

use super::entries::VaultEntry;
use super::files::{PrivateDir, key_file_name};
use crate::pki::request::parse_full_name;
use crate::pki::secret::SecretKey;

/// The file with the text that identifies the machine.
const MACHINE: &str = "machine";

/// The entry for the `key` of the node `fqdn`, with a text that identifies the machine.
pub(super) fn make_entry<'a>(
    fqdn: &str,
    key: &'a SecretKey,
    machine: &'a str,
    replaces: bool,
) -> anyhow::Result<VaultEntry<'a>> {
    let name = parse_full_name(fqdn)?;
    let files = vec![(key_file_name(&name), key.expose()), (MACHINE.to_owned(), machine)];
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

/// Reads the text that identifies the machine for which the key of the node `fqdn` was made.
pub(super) fn read_machine(root: Option<&PrivateDir>, fqdn: &str) -> anyhow::Result<Option<String>> {
    let Some((entry, _)) = open_entry(root, fqdn)? else { return Ok(None) };
    Ok(entry.read(MACHINE)?.map(|text| text.to_string()))
}
