//! The public SSH host keys of nodes, `nodes/<fqdn>/ssh_host_ed25519_key.pub`. They are state, as certificates are: a key
//! that is there stays, and is the key that the machine has or will be installed with.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::Path;

use anyhow::{Context, bail, ensure};
use rayon::prelude::*;
use ssh_key::{Algorithm, HashAlg};

use super::{node_dir, open_root, read_optional};
use crate::fs::TEXT_LIMIT;
use crate::model::{Cluster, HostName, Node, find_key_marker};

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

    /// SHA-256 of the key in Base64, as in `ssh-keygen -l`, without the name of the algorithm.
    ///
    /// # Errors
    /// When the key can't be parsed: a bug, since it was when it was made.
    pub fn digest(&self) -> anyhow::Result<String> {
        let fingerprint = ssh_key::PublicKey::from_openssh(&self.0)?.fingerprint(HashAlg::Sha256).to_string();
        Ok(fingerprint.trim_start_matches("SHA256:").to_owned())
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

/// The public SSH host key of a node, as `nodes/` publishes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedHostKey {
    /// The key.
    pub key: HostPublicKey,
    /// Whether the machine made the key, so that no vault has the private half: the operator adopted the key.
    pub is_adopted: bool,
}

/// The word that marks an adopted key, at the end of the line of a `.pub` file. The mark lies beside the key, not in
/// the vault: the two are published in one step, and an older vault does not know of the adoption.
const ADOPTED: &str = "adopted";

impl PublishedHostKey {
    /// The key `key`, whose private half the vault has.
    #[must_use]
    pub fn made(key: HostPublicKey) -> Self {
        Self { key, is_adopted: false }
    }

    /// Parses the file that [`PublishedHostKey::print`] prints.
    ///
    /// # Errors
    /// As for [`HostPublicKey::parse`].
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let is_adopted = text.split_whitespace().skip(2).last() == Some(ADOPTED);
        Ok(Self { key: HostPublicKey::parse(text)?, is_adopted })
    }

    /// Prints the file for the node `fqdn`: the key, and a comment with the name and the mark.
    #[must_use]
    pub fn print(&self, fqdn: &str) -> String {
        let mark = if self.is_adopted { format!(" {ADOPTED}") } else { String::new() };
        format!("{} {fqdn}{mark}\n", self.key)
    }
}

/// The public SSH host keys of a cluster. The default is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostKeys {
    /// The keys, by the node's name.
    pub keys: BTreeMap<HostName, PublishedHostKey>,
    /// The nodes whose file in `nodes/` holds no usable key, each with the fault and the way out.
    pub unusable: BTreeMap<HostName, String>,
}

impl HostKeys {
    /// Reads the host keys of `cluster` in the `nodes/` directory of `root`. A file that holds no host key is for
    /// [`HostKeys::check`] to report, and for the operator to replace.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn gather(root: &Path, cluster: &Cluster) -> anyhow::Result<Self> {
        let Some(open) = open_root(root)? else { return Ok(Self::default()) };
        let read = |node: &Node| {
            let path = format!("{}/{PUBLIC_HOST_KEY}", node_dir(node));
            let text = read_optional(&open, root, &path, TEXT_LIMIT)?;
            anyhow::Ok(text.map(|text| PublishedHostKey::parse(&text)))
        };
        let found: Vec<_> = cluster.nodes.par_iter().map(read).collect();
        let mut keys = Self::default();
        for (node, found) in cluster.nodes.iter().zip(found) {
            match found? {
                None => {}
                Some(Ok(key)) => keys.set(node, key),
                Some(Err(why)) => {
                    keys.unusable.insert(node.name.clone(), explain_unusable(node, &why));
                }
            }
        }
        Ok(keys)
    }

    /// Takes `key` as that of `node`, in the place of what is known.
    pub fn set(&mut self, node: &Node, key: PublishedHostKey) {
        self.unusable.remove(&node.name);
        self.keys.insert(node.name.clone(), key);
    }

    /// The host key of `node`; none where `nodes/` has none.
    ///
    /// # Errors
    /// When the file of the node holds no usable key.
    pub fn of(&self, node: &Node) -> anyhow::Result<Option<&PublishedHostKey>> {
        match self.unusable.get(&node.name) {
            Some(why) => bail!("{why}"),
            None => Ok(self.keys.get(&node.name)),
        }
    }

    /// Refuses files that hold no usable key, and one key of two nodes: each could pass for the other.
    ///
    /// # Errors
    /// When there is such a file or key: the message names the commands that replace the key of a node.
    pub fn check(&self, cluster: &Cluster) -> anyhow::Result<()> {
        let mut owners = HashMap::new();
        for node in &cluster.nodes {
            let Some(published) = self.of(node)? else { continue };
            let Some(other) = owners.insert(&published.key, &node.name) else { continue };
            let name = &node.name;
            bail!(
                "{other} and {name} have one SSH host key, so that each could pass for the other. Where only the files \
                 in nodes/ are equal, write the key that the machine has: plasmagen keys adopt {name} --host-key FILE \
                 --discard-edits. Where the machines have one key, make another on one of them, by ssh-keygen -A once \
                 its files in /etc/ssh are removed, and adopt that key; plasmagen keys make {name} --discard-edits \
                 makes one for a new installation"
            );
        }
        Ok(())
    }
}

fn explain_unusable(node: &Node, why: &anyhow::Error) -> String {
    format!(
        "could not use {dir}/{PUBLIC_HOST_KEY}: restore the file from git, or write the key that {name} has with \
         plasmagen keys adopt {name} --host-key FILE --discard-edits; plasmagen keys make {name} --discard-edits makes \
         one for a new installation. The cause: {why:#}",
        dir = node_dir(node),
        name = node.name
    )
}
