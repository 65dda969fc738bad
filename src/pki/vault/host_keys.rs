//! The SSH host keys of nodes in a vault, each beside the key of the node's certificate.

use super::entries::{NewFile, retire_files, store_files};
use super::{Vault, node_keys, retired};
use crate::model::Node;
use crate::pki::host_key::HostKey;
use crate::pki::request::parse_full_name;
use crate::plan::{HOST_KEY, HostPublicKey, PUBLIC_HOST_KEY, PublishedHostKey, node_dir};

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

    /// Puts the SSH host keys of the nodes `names`, by their full names, aside, in `.retired`.
    ///
    /// # Errors
    /// When a name is no full host name, or when the disk refuses.
    pub fn retire_host_keys(&self, names: &[&str]) -> anyhow::Result<()> {
        let names = names.iter().map(|fqdn| parse_full_name(fqdn)).collect::<anyhow::Result<Vec<_>>>()?;
        retire_files(&self.dir, &names, HOST_KEY)
    }
}

/// The fault of an SSH host key that the vault and `nodes/` do not agree on.
///
/// They agree where the vault's entry of a node has the key that `nodes/` publishes, and where the machine has a key of
/// its own, which is marked as adopted in `nodes/`. A key in `.retired` is not lost either: a run that was killed has
/// put it aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostKeyFault {
    /// `nodes/` publishes a key that the vault has nowhere.
    Lost,
    /// The vault's entry has another key than the one that `nodes/` publishes and the vault has put aside.
    Superseded,
    /// The vault has a key, and `nodes/` publishes none.
    NotPublished,
}

/// Compares the host key that `nodes/` publishes of a node with the key in the vault's entry; `is_there` says whether
/// the published key is anywhere in the vault.
#[must_use]
pub fn find_host_key_fault(
    published: Option<&PublishedHostKey>,
    kept: Option<&HostPublicKey>,
    is_there: bool,
) -> Option<HostKeyFault> {
    match (published, kept) {
        (None, None) => None,
        (None, Some(_)) => Some(HostKeyFault::NotPublished),
        (Some(published), kept) if published.is_adopted || kept == Some(&published.key) => None,
        (Some(_), _) if !is_there => Some(HostKeyFault::Lost),
        (Some(_), kept) => kept.map(|_| HostKeyFault::Superseded),
    }
}

impl HostKeyFault {
    /// Says what is wrong with the host key of `node`, and which commands help.
    #[must_use]
    pub fn explain(self, node: &Node) -> String {
        let (name, file) = (&node.name, format!("{}/{PUBLIC_HOST_KEY}", node_dir(node)));
        match self {
            Self::Lost => format!(
                "the vault does not have the SSH host key of {file}: restore a newer backup, plasmagen vault restore \
                 FILE --vault DIR, into a new directory. If the key is lost, plasmagen keys make {name} makes another \
                 for a new installation; if the machine made the key, plasmagen keys adopt {name} --host-key {file} \
                 says so"
            ),
            Self::Superseded => format!(
                "the SSH host key of {name} in the vault is not that of {file}, so that site/known_hosts would be \
                 wrong: plasmagen keys make {name} publishes the key of the vault, which an earlier run has made; if \
                 that run is published elsewhere, bring nodes/ up to date by git"
            ),
            Self::NotPublished => format!(
                "the vault has an SSH host key of {name}, and there is no {file}: restore the file from git, or \
                 publish the key of the vault with plasmagen keys make {name}"
            ),
        }
    }
}
