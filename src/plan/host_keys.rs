//! The public SSH host keys of nodes, `nodes/<fqdn>/ssh_host_ed25519_key.pub`. They are state, as certificates are: a key
//! that is there stays, and is the key that the machine has or will be installed with.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::Path;

use anyhow::{Context, bail, ensure};
use rayon::prelude::*;
use ssh_key::Algorithm;

use super::{node_dir, open_root, read_optional};
use crate::fs::TEXT_LIMIT;
use crate::model::{Cluster, HostName, find_key_marker};

/// The file name of a node's SSH host key: on the node, in the vault and in a staged tree.
pub const HOST_KEY: &str = "ssh_host_ed25519_key";

/// The file name of the public half, in the directory of the node and beside the key.
pub const PUBLIC_HOST_KEY: &str = "ssh_host_ed25519_key.pub";

/// A public SSH host key of type Ed25519, without a comment: `ssh-ed25519 AAAA…`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostPublicKey(String);

impl HostPublicKey {
    /// Parses a public key in the form of a `.pub` file, one line.
    ///
    /// # Errors
    /// When the text is no public key of type Ed25519. The message does not quote the text, which may be a private key.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        if find_key_marker(text).is_some() {
            bail!("this is a private key: give the public half, the file whose name ends in .pub");
        }
        let line = text.trim_end();
        let parsed = ssh_key::PublicKey::from_openssh(line).ok().filter(|_| !line.contains('\n'));
        let Some(key) = parsed else {
            bail!("this is no line of a .pub file, such as `ssh-ed25519 AAAA… root@node01`");
        };
        ensure!(
            key.algorithm() == Algorithm::Ed25519,
            "this is a key of type {}, and the SSH servers of nodes have one of type ssh-ed25519 alone",
            key.algorithm()
        );
        Self::of(&key)
    }

    /// The key `key`, without its comment.
    ///
    /// # Errors
    /// When the key can't be encoded.
    pub fn of(key: &ssh_key::PublicKey) -> anyhow::Result<Self> {
        let bare = ssh_key::PublicKey::new(key.key_data().clone(), "");
        Ok(Self(bare.to_openssh().context("could not encode a public SSH key")?))
    }

    /// The type and the key, separated by a space.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HostPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The public SSH host keys of a cluster, by the node's name. The default is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostKeys(pub BTreeMap<HostName, HostPublicKey>);

impl HostKeys {
    /// Reads the host keys of `cluster` in the `nodes/` directory of `root`.
    ///
    /// # Errors
    /// When a file cannot be read or is no host key, or two nodes have one key.
    pub fn gather(root: &Path, cluster: &Cluster) -> anyhow::Result<Self> {
        let Some(open) = open_root(root)? else { return Ok(Self::default()) };
        let read = |name: &str, dir: &str| {
            let path = format!("{dir}/{PUBLIC_HOST_KEY}");
            let Some(text) = read_optional(&open, root, &path, TEXT_LIMIT)? else { return Ok(None) };
            let key = HostPublicKey::parse(&text).with_context(|| {
                format!(
                    "could not use {path}: restore the file from git, or write the key that {name} has with plasmagen \
                     keys adopt {name} --host-key FILE"
                )
            });
            key.map(Some)
        };
        let found: Vec<_> =
            cluster.nodes.par_iter().map(|node| read(node.name.as_str(), &node_dir(node))).collect();
        let mut keys = Self::default();
        for (node, found) in cluster.nodes.iter().zip(found) {
            keys.0.extend(found?.map(|key| (node.name.clone(), key)));
        }
        keys.check_unique(cluster)?;
        Ok(keys)
    }

    /// Takes the host keys `adopted`, in the place of those that are known.
    ///
    /// # Errors
    /// When two nodes would have one key.
    pub fn adopt(
        &mut self,
        cluster: &Cluster,
        adopted: &BTreeMap<HostName, HostPublicKey>,
    ) -> anyhow::Result<()> {
        self.0.extend(adopted.iter().map(|(name, key)| (name.clone(), key.clone())));
        self.check_unique(cluster)
    }

    /// Refuses one key of two nodes: each could pass for the other.
    fn check_unique(&self, cluster: &Cluster) -> anyhow::Result<()> {
        let mut owners = HashMap::new();
        for node in &cluster.nodes {
            let Some(key) = self.0.get(&node.name) else { continue };
            if let Some(other) = owners.insert(key, &node.name) {
                bail!(
                    "{other} and {} have one SSH host key, so that each could pass for the other: ssh-keygen -A on one of \
                     the machines makes another, once its files in /etc/ssh are removed",
                    node.name
                );
            }
        }
        Ok(())
    }
}
