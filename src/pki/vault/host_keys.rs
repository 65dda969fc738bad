//! The SSH host keys of nodes in a vault, each beside the key of the node's certificate.

use super::entries::{NewFile, store_files};
use super::{Vault, node_keys, retired};
use crate::pki::host_key::HostKey;
use crate::pki::request::parse_full_name;
use crate::plan::{HOST_KEY, HostPublicKey};

impl Vault {
    /// Reads the SSH host key of the node `fqdn`; none where the vault has none.
    ///
    /// # Errors
    /// When the name is no full host name, or when the key is unreadable or readable by others.
    pub fn host_key(&self, fqdn: &str) -> anyhow::Result<Option<HostKey>> {
        node_keys::read_host_key(self.root()?.as_ref(), fqdn)
    }

    /// Finds the SSH host key of the node `fqdn` with the public half `public`: the node's own, or one that was put aside.
    ///
    /// # Errors
    /// As for [`Vault::host_key`].
    pub fn find_host_key(&self, fqdn: &str, public: &HostPublicKey) -> anyhow::Result<Option<HostKey>> {
        let Some(root) = self.root()? else { return Ok(None) };
        let mut found = node_keys::read_host_key(Some(&root), fqdn)?;
        if found.as_ref().is_none_or(|key| key.public() != public) {
            found = retired::find_host_key(&root, fqdn, public)?;
        }
        Ok(found)
    }

    /// Stores SSH host keys durably, by the full names of nodes whose other key the vault has. A host key that is there is
    /// put aside, in `.retired`.
    ///
    /// # Errors
    /// When a name is no full host name, when the vault has no entry of a node, or when the disk refuses.
    pub fn store_host_keys(&self, keys: &[(&str, &HostKey)]) -> anyhow::Result<()> {
        let mut files = Vec::with_capacity(keys.len());
        for (fqdn, key) in keys {
            files.push(NewFile { entry: parse_full_name(fqdn)?, name: HOST_KEY, text: key.expose() });
        }
        store_files(&self.dir, &files)
    }
}
