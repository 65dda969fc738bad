//! The SSH host keys of a cluster's nodes: which are made, and which are kept.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::node_key::NodeKey;
use crate::model::{HostName, Node};
use crate::pki::host_key::HostKey;
use crate::pki::vault::Vault;
use crate::plan::{FormerMachines, HostKeys, HostPublicKey, Plan, PublishedHostKey};

/// The host keys that the operator asks for.
#[derive(Clone, Debug, Default)]
pub struct HostKeyRequest {
    /// The nodes that get a host key of plasmagen's, since they will be installed, or installed again.
    pub made: BTreeSet<HostName>,
    /// The host keys that machines have.
    pub adopted: BTreeMap<HostName, HostPublicKey>,
}

impl HostKeyRequest {
    /// Whether the operator asks for no host key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.made.is_empty() && self.adopted.is_empty()
    }
}

/// The result of [`issue_host_keys`].
#[derive(Debug, Default)]
pub struct HostKeyIssue {
    /// All host keys of the cluster, old and new.
    pub host_keys: HostKeys,
    /// The nodes whose host keys were made or are the vault's, and were not in `nodes/` before.
    pub new: Vec<HostName>,
    /// The nodes that `nodes/` does not know, whose machines may be installed already, with host keys of their own.
    pub unknown: Vec<HostName>,
    /// The keys that the vault does not hold yet, by the full name of the node, for entries that the vault has.
    stored: Vec<(String, HostKey)>,
    /// The full names of nodes whose machines have other host keys than the vault: these are put aside.
    retired: Vec<String>,
}

impl HostKeyIssue {
    /// Stores the host keys of nodes whose other key `vault` holds already, and puts aside those that machines do not
    /// have.
    ///
    /// # Errors
    /// As for [`Vault::store_host_keys`].
    pub fn store(&self, vault: &Vault) -> anyhow::Result<()> {
        let keys: Vec<_> = self.stored.iter().map(|(fqdn, key)| (fqdn.as_str(), key)).collect();
        vault.store_host_keys(&keys)?;
        vault.retire_host_keys(&self.retired.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

/// The host key of a node after a run.
enum Outcome {
    /// The key in `nodes/` stays; none where there is none.
    Kept(Option<PublishedHostKey>),
    /// A key that the machine made, and the operator names.
    Adopted {
        key: HostPublicKey,
        /// Whether the vault has another key of the node.
        is_other_kept: bool,
    },
    /// A key that the machine has already, with the private half if the vault has that in another place.
    Moved(PublishedHostKey, Option<HostKey>),
    /// A key that the vault holds.
    FromVault(HostPublicKey),
    /// A key that was made.
    Made(HostKey),
    /// No key: the machine may have been installed, with a host key of its own.
    Unknown,
}

/// Makes the host keys that are missing, and those that `request` names, in memory: the caller stores the keys before
/// their public halves are published. The keys of nodes in `new` and `replaced`, which the vault gets from this run,
/// take the host keys with them.
///
/// A node gets a host key where no machine can have another one: together with the key of its certificate, when the
/// node and its machine are new to `nodes/`. A machine that was rendered under another name keeps the host key that
/// `nodes/` publishes under that name. A machine that an earlier version rendered has made its own host key when it was
/// installed; only the operator knows that key, or that the machine will be installed again. Where a node that `nodes/`
/// knows is another machine now, the keys that this run stores for the node have a new host key with them.
///
/// # Errors
/// When a key in the vault cannot be read, two nodes would have one key, or the system has no random bytes.
pub fn issue_host_keys(
    plan: &Plan,
    former: &FormerMachines,
    request: &HostKeyRequest,
    vault: &Vault,
    [new, replaced]: [&mut [NodeKey]; 2],
) -> anyhow::Result<HostKeyIssue> {
    let stored_anew: BTreeSet<String> =
        new.iter().chain(replaced.iter()).map(|keys| keys.fqdn.clone()).collect();
    let deciding = Deciding { plan, former, request, vault, stored_anew: &stored_anew };
    let decided: Vec<_> = plan.cluster.nodes.par_iter().map(|node| deciding.decide(node)).collect();
    let mut issue = HostKeyIssue::default();
    issue.host_keys.unusable.clone_from(&plan.host_keys.unusable);
    let mut private = BTreeMap::new();
    for (node, outcome) in plan.cluster.nodes.iter().zip(decided) {
        let published = issue.take(node, outcome?, &mut private);
        if let Some(published) = published {
            issue.host_keys.set(node, published);
        }
    }
    issue.host_keys.check(&plan.cluster)?;
    for keys in new.iter_mut().chain(replaced.iter_mut()) {
        keys.host_key = private.remove(&keys.fqdn);
    }
    // A new key for the certificate leaves the machine its host key. A run that was killed may have put that key aside.
    let public: BTreeMap<&str, &PublishedHostKey> = plan
        .cluster
        .nodes
        .iter()
        .filter_map(|node| Some((node.fqdn.as_str(), issue.host_keys.keys.get(&node.name)?)))
        .collect();
    for keys in new.iter_mut().chain(replaced.iter_mut()).filter(|keys| keys.host_key.is_none()) {
        if let Some(published) = public.get(keys.fqdn.as_str()) {
            keys.host_key = vault.find_host_key(&keys.fqdn, &published.key)?;
        }
    }
    issue.stored = private.into_iter().collect();
    issue.retired.retain(|fqdn| !stored_anew.contains(fqdn));
    Ok(issue)
}

impl HostKeyIssue {
    /// Takes the outcome for `node`: returns the key to publish, and adds the private half of a key for the vault to
    /// `private`, by the full name of the node.
    fn take(
        &mut self,
        node: &Node,
        outcome: Outcome,
        private: &mut BTreeMap<String, HostKey>,
    ) -> Option<PublishedHostKey> {
        match outcome {
            Outcome::Kept(published) => published,
            Outcome::Adopted { key, is_other_kept } => {
                self.retired.extend(is_other_kept.then(|| node.fqdn.to_string()));
                Some(PublishedHostKey { key, is_adopted: true })
            }
            Outcome::Moved(published, key) => {
                private.extend(key.map(|key| (node.fqdn.to_string(), key)));
                Some(published)
            }
            Outcome::FromVault(public) => {
                self.new.push(node.name.clone());
                Some(PublishedHostKey::made(public))
            }
            Outcome::Made(key) => {
                self.new.push(node.name.clone());
                let public = key.public().clone();
                private.insert(node.fqdn.to_string(), key);
                Some(PublishedHostKey::made(public))
            }
            Outcome::Unknown => {
                self.unknown.push(node.name.clone());
                None
            }
        }
    }
}

/// The facts by which the host key of a node is decided on.
struct Deciding<'a> {
    plan: &'a Plan,
    former: &'a FormerMachines,
    request: &'a HostKeyRequest,
    vault: &'a Vault,
    /// The full names of nodes whose entry in the vault this run makes.
    stored_anew: &'a BTreeSet<String>,
}

impl Deciding<'_> {
    fn decide(&self, node: &Node) -> anyhow::Result<Outcome> {
        let Self { plan, former, request, vault, stored_anew } = self;
        let fqdn = node.fqdn.as_str();
        if let Some(adopted) = request.adopted.get(&node.name) {
            return self.adopt(fqdn, adopted);
        }
        let published = plan.host_keys.keys.get(&node.name);
        let is_rendered = plan.certificates.rendered.contains(&node.name);
        // The old machine left with the host key, and gets no say in what the new one is installed with.
        let is_replaced = is_rendered
            && stored_anew.contains(fqdn)
            && !plan.host_keys.unusable.contains_key(&node.name)
            && vault.find_other_machine(node)?.is_some();
        let is_asked = is_replaced || request.made.contains(&node.name);
        if !is_asked {
            if published.is_some() || plan.host_keys.unusable.contains_key(&node.name) {
                return Ok(Outcome::Kept(published.cloned()));
            }
            if let Some((name, published)) = former.host_key(node) {
                let key = vault.find_host_key(name, &published.key)?;
                return Ok(Outcome::Moved(published.clone(), key));
            }
        }
        // The file in nodes/ was lost, or a run was killed, or another work tree has this vault.
        let is_published = |key: &HostKey| published.is_some_and(|published| published.key == *key.public());
        let known = vault.host_key(fqdn)?.filter(|key| !is_published(key));
        if let Some(key) = known
            && vault.find_other_machine(node)?.is_none()
        {
            return Ok(Outcome::FromVault(key.public().clone()));
        }
        // Where the key of the certificate was made before, the machine may have been installed since.
        let is_new = !is_rendered && !former.has(node) && stored_anew.contains(fqdn);
        if is_asked || is_new {
            return Ok(Outcome::Made(HostKey::generate(fqdn)?));
        }
        Ok(if is_rendered { Outcome::Kept(None) } else { Outcome::Unknown })
    }

    /// Decides on the key `adopted`, which the machine of the node `fqdn` has.
    fn adopt(&self, fqdn: &str, adopted: &HostPublicKey) -> anyhow::Result<Outcome> {
        let kept = self.vault.host_key(fqdn)?;
        // A key that the vault has is no machine's own, wherever the operator has found its public half.
        let made = PublishedHostKey::made(adopted.clone());
        if kept.as_ref().is_some_and(|key| key.public() == adopted) {
            return Ok(Outcome::Kept(Some(made)));
        }
        Ok(match self.vault.find_host_key(fqdn, adopted)? {
            Some(key) => Outcome::Moved(made, Some(key)),
            None => Outcome::Adopted { key: adopted.clone(), is_other_kept: kept.is_some() },
        })
    }
}
