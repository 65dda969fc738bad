//! The SSH host keys of a cluster's nodes: which are made, and which are kept.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::ensure;
use rayon::prelude::*;

use super::node_key::{NodeKey, has_key_of_other_machine};
use crate::model::{HostName, Node};
use crate::pki::host_key::HostKey;
use crate::pki::vault::Vault;
use crate::plan::{FormerMachines, HostKeys, HostPublicKey, PUBLIC_HOST_KEY, Plan, node_dir};

/// The host keys that the operator asks for.
#[derive(Clone, Debug, Default)]
pub struct HostKeyRequest {
    /// The nodes that get a host key of plasmagen's, since they will be installed, or installed again.
    pub made: BTreeSet<HostName>,
    /// The host keys that machines have.
    pub adopted: BTreeMap<HostName, HostPublicKey>,
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
}

impl HostKeyIssue {
    /// Stores the host keys of nodes whose other key `vault` holds already.
    ///
    /// # Errors
    /// As for [`Vault::store_host_keys`].
    pub fn store(&self, vault: &Vault) -> anyhow::Result<()> {
        let keys: Vec<_> = self.stored.iter().map(|(fqdn, key)| (fqdn.as_str(), key)).collect();
        vault.store_host_keys(&keys)
    }
}

/// The host key of a node after a run.
enum Outcome {
    /// The key in `nodes/` stays; none where there is none.
    Kept(Option<HostPublicKey>),
    /// A key that the vault holds.
    FromVault(HostPublicKey),
    /// A key that was made.
    Made(HostKey),
    /// No key: the machine may have been installed, with a host key of its own.
    Unknown,
}

/// Makes the host keys that are missing, and those of the nodes `asked`, in memory: the caller stores the keys before their
/// public halves are published. The keys of nodes in `new` and `replaced`, which the vault gets from this run, take the host keys with them.
///
/// A node gets a host key where no machine can have another one: together with the key of its certificate, when the node
/// and its machine are new to `nodes/`. A machine that an earlier version rendered has made its own host key when it was
/// installed; only the operator knows that key, or that the machine will be installed again.
///
/// # Errors
/// When a key in the vault cannot be read, or the system has no random bytes.
pub fn issue_host_keys(
    plan: &Plan,
    former: &FormerMachines,
    asked: &BTreeSet<HostName>,
    vault: &Vault,
    [new, replaced]: [&mut [NodeKey]; 2],
) -> anyhow::Result<HostKeyIssue> {
    let stored_anew: BTreeSet<String> =
        new.iter().chain(replaced.iter()).map(|keys| keys.fqdn.clone()).collect();
    let decide = |node: &Node| decide(plan, former, asked, vault, &stored_anew, node);
    let decided: Vec<_> = plan.cluster.nodes.par_iter().map(decide).collect();
    let mut issue = HostKeyIssue::default();
    let mut made = BTreeMap::new();
    for (node, outcome) in plan.cluster.nodes.iter().zip(decided) {
        let public = match outcome? {
            Outcome::Kept(public) => public,
            Outcome::FromVault(public) => {
                issue.new.push(node.name.clone());
                Some(public)
            }
            Outcome::Made(key) => {
                issue.new.push(node.name.clone());
                let public = key.public().clone();
                made.insert(node.fqdn.to_string(), key);
                Some(public)
            }
            Outcome::Unknown => {
                issue.unknown.push(node.name.clone());
                None
            }
        };
        issue.host_keys.0.extend(public.map(|public| (node.name.clone(), public)));
    }
    for keys in new.iter_mut().chain(replaced.iter_mut()) {
        keys.host_key = made.remove(&keys.fqdn);
    }
    // A new key for the certificate leaves the machine its host key. A run that was killed may have put that key aside.
    let public: HashMap<&str, &HostPublicKey> = plan
        .cluster
        .nodes
        .iter()
        .filter_map(|node| Some((node.fqdn.as_str(), issue.host_keys.0.get(&node.name)?)))
        .collect();
    for keys in new.iter_mut().chain(replaced.iter_mut()).filter(|keys| keys.host_key.is_none()) {
        if let Some(public) = public.get(keys.fqdn.as_str()) {
            keys.host_key = vault.find_host_key(&keys.fqdn, public)?;
        }
    }
    issue.stored = made.into_iter().collect();
    Ok(issue)
}

/// Decides on the host key of `node`; `stored_anew` are the full names of nodes whose entry in the vault this run makes.
fn decide(
    plan: &Plan,
    former: &FormerMachines,
    asked: &BTreeSet<HostName>,
    vault: &Vault,
    stored_anew: &BTreeSet<String>,
    node: &Node,
) -> anyhow::Result<Outcome> {
    let fqdn = node.fqdn.as_str();
    let published = plan.host_keys.0.get(&node.name);
    let is_asked = asked.contains(&node.name);
    if published.is_some() && !is_asked {
        return Ok(Outcome::Kept(published.cloned()));
    }
    // The file in nodes/ was lost, or a run was killed, or another work tree has this vault.
    let known = vault.host_key(fqdn)?.filter(|key| Some(key.public()) != published);
    if let Some(key) = known
        && !has_key_of_other_machine(vault, node)?
    {
        return Ok(Outcome::FromVault(key.public().clone()));
    }
    let is_rendered = plan.certificates.rendered.contains(&node.name);
    // Where the key of the certificate was made before, the machine may have been installed since.
    let is_new = !is_rendered && !former.has(node) && stored_anew.contains(fqdn);
    if is_asked || is_new {
        return Ok(Outcome::Made(HostKey::generate(fqdn)?));
    }
    Ok(if is_rendered { Outcome::Kept(None) } else { Outcome::Unknown })
}

/// Reads the SSH host key of `node` from `vault`, and checks that `nodes/` publishes the key; none where the machine has a
/// host key of its own.
///
/// # Errors
/// When `nodes/` publishes another key, or the key is unreadable: the message says what to do.
pub fn read_checked_host_key(
    node: &Node,
    host_keys: &HostKeys,
    vault: &Vault,
) -> anyhow::Result<Option<HostKey>> {
    let Some(key) = vault.host_key(node.fqdn.as_str())? else { return Ok(None) };
    let published = host_keys.0.get(&node.name);
    ensure!(
        published == Some(key.public()),
        "the SSH host key of {name} in the vault {vault} is not that of {dir}/{PUBLIC_HOST_KEY}, so that site/known_hosts \
         would be wrong: plasmagen keys make {name} publishes the key of the vault",
        name = node.name,
        vault = vault.dir().display(),
        dir = node_dir(node)
    );
    Ok(Some(key))
}
