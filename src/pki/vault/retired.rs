//! The keys that were put aside when nodes got other ones: `.retired/NODE.NUMBER`. The highest number is the latest.

use std::collections::BTreeMap;

use anyhow::Context;

use super::files::{PrivateDir, key_file_name};
use crate::pki::host_key::HostKey;
use crate::pki::request::parse_full_name;
use crate::pki::secret::SecretKey;
use crate::plan::{HOST_KEY, HostPublicKey};

/// The directory of keys that were put aside.
pub(super) const RETIRED: &str = ".retired";

/// Names the directory of the key of `fqdn` that was put aside as the one with that number.
pub(super) fn name_directory(fqdn: &str, number: u32) -> String {
    format!("{fqdn}.{number}")
}

/// Lists the full names of nodes with keys that were put aside in the vault `root`, each with the highest number.
pub(super) fn list(root: &PrivateDir) -> anyhow::Result<BTreeMap<String, u32>> {
    let mut latest = BTreeMap::new();
    let Some(retired) = root.open_dir(RETIRED)? else { return Ok(latest) };
    for name in retired.list()? {
        let parsed =
            name.rsplit_once('.').and_then(|(fqdn, number)| Some((fqdn, number.parse::<u32>().ok()?)));
        if let Some((fqdn, number)) = parsed {
            let known = latest.entry(fqdn.to_owned()).or_default();
            *known = number.max(*known);
        }
    }
    Ok(latest)
}

/// Opens the directory of the key of `fqdn` that was put aside last in the vault `root`; none where there is none.
pub(super) fn open_latest(root: &PrivateDir, fqdn: &str) -> anyhow::Result<Option<PrivateDir>> {
    let name = parse_full_name(fqdn)?;
    let Some(number) = list(root)?.get(&name).copied() else { return Ok(None) };
    let retired = root.open_dir(RETIRED)?;
    Ok(retired.map(|retired| retired.open_dir(&name_directory(&name, number))).transpose()?.flatten())
}

/// Reads the public half of the key of `fqdn` with that number, as the DER of the SubjectPublicKeyInfo; none where there is
/// no such key.
pub(super) fn read_public_key(root: &PrivateDir, fqdn: &str, number: u32) -> anyhow::Result<Option<Vec<u8>>> {
    let name = parse_full_name(fqdn)?;
    let Some(retired) = root.open_dir(RETIRED)? else { return Ok(None) };
    let Some(entry) = retired.open_dir(&name_directory(&name, number))? else { return Ok(None) };
    let file = key_file_name(&name);
    let key = entry.read(&file)?.map(SecretKey::public_half).transpose();
    key.with_context(|| format!("could not use {}", entry.path.join(&file).display()))
}

/// Finds the SSH host key of `fqdn` with the public half `public` among the keys that were put aside in the vault `root`.
pub(super) fn find_host_key(
    root: &PrivateDir,
    fqdn: &str,
    public: &HostPublicKey,
) -> anyhow::Result<Option<HostKey>> {
    let Some(retired) = root.open_dir(RETIRED)? else { return Ok(None) };
    let of_node = format!("{}.", parse_full_name(fqdn)?);
    for name in retired.list()?.into_iter().filter(|name| name.starts_with(&of_node)) {
        let Some(entry) = retired.open_dir(&name)? else { continue };
        let key = entry.read(HOST_KEY)?.map(HostKey::from_openssh).transpose();
        let key = key.with_context(|| format!("could not use {}", entry.path.join(HOST_KEY).display()))?;
        if let Some(key) = key.filter(|key| key.public() == public) {
            return Ok(Some(key));
        }
    }
    Ok(None)
}
