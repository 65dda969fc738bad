//! The SSH host key that a node is installed with.

use anyhow::{Context, bail};

use crate::model::Node;
use crate::pki::host_key::HostKey;
use crate::pki::vault::{Vault, find_host_key_fault};
use crate::plan::HostKeys;

/// The SSH host key that a node is installed with.
#[derive(Debug)]
pub enum NodeHostKey {
    /// The key in the vault, which `nodes/` publishes.
    InVault(HostKey),
    /// The machine has a key of its own, which `nodes/` publishes.
    Adopted,
    /// Neither the vault nor `nodes/` has a key.
    Unknown,
}

/// Finds the SSH host key that `node` is installed with.
///
/// # Errors
/// When the vault has another key than `nodes/` publishes, or the key is unreadable: the message says what to do.
pub fn find_checked_host_key(
    node: &Node,
    host_keys: &HostKeys,
    vault: &Vault,
) -> anyhow::Result<NodeHostKey> {
    let (fqdn, published) = (node.fqdn.as_str(), host_keys.of(node)?);
    let kept = vault.host_key(fqdn)?;
    let aside = published.map(|published| vault.find_host_key(fqdn, &published.key)).transpose()?.flatten();
    if let Some(fault) = find_host_key_fault(published, kept.as_ref().map(HostKey::public), aside.is_some()) {
        bail!("{}", fault.explain(node));
    }
    Ok(match published {
        None => NodeHostKey::Unknown,
        Some(published) if published.is_adopted => NodeHostKey::Adopted,
        Some(_) => NodeHostKey::InVault(aside.context("the vault has lost a host key while it was read")?),
    })
}
