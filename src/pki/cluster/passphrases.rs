//! The passphrases of encrypted disks: which are made, and which are kept.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::node_key::{NodeKey, is_machine_of};
use crate::model::{DomainName, HostName, Node, Word};
use crate::pki::passphrase::Passphrase;
use crate::pki::vault::Vault;
use crate::plan::{FormerMachines, Plan};

/// The result of [`issue_passphrases`].
#[derive(Debug, Default)]
pub struct PassphraseIssue {
    /// The nodes for whose disks a passphrase was made.
    pub new: Vec<HostName>,
    /// The nodes among `new` that `nodes/` knows, and whose machine is the one that the vault knows: disks that are
    /// installed have another passphrase.
    pub anew: Vec<HostName>,
    /// The nodes that `nodes/` does not know, whose machines may be installed already, with a passphrase that the vault does
    /// not know.
    pub unknown: Vec<HostName>,
    /// The passphrases that were made, by the full name of the node, for entries that the vault has.
    stored: Vec<(String, Passphrase)>,
}

impl PassphraseIssue {
    /// Stores the passphrases of nodes whose other key `vault` holds already.
    ///
    /// # Errors
    /// As for [`Vault::store_passphrases`].
    pub fn store(&self, vault: &Vault) -> anyhow::Result<()> {
        let stored: Vec<_> =
            self.stored.iter().map(|(fqdn, passphrase)| (fqdn.as_str(), passphrase)).collect();
        vault.store_passphrases(&stored)
    }
}

/// The passphrase of a node's disks after a run.
enum Outcome {
    /// A passphrase that the vault holds, or none where none is needed, or an earlier version rendered the node.
    Kept(Option<Passphrase>),
    /// A passphrase that was made.
    Made {
        passphrase: Passphrase,
        /// Whether the disks of the machine may have another passphrase until they are erased.
        is_anew: bool,
    },
    /// No passphrase: the machine may have been installed, with a passphrase of its own.
    Unknown,
}

/// Makes the passphrases of encrypted disks that are missing, in memory. The keys of nodes in `new` and `replaced`, which the
/// vault gets from this run, take the passphrases with them: those that were made, and those that the vault holds.
///
/// A node gets a passphrase where its disks can have no other one: when the node and its machine are new to `nodes/`,
/// when the operator says that it will be installed anew (`installed_anew`), and when it is another machine than the one
/// that the vault's keys are for, and gets other keys from this run. Otherwise a passphrase that the vault has is kept,
/// also where the machine has another name now.
///
/// # Errors
/// When a passphrase in the vault cannot be read, or the system has no random bytes.
pub fn issue_passphrases(
    plan: &Plan,
    former: &FormerMachines,
    installed_anew: &BTreeSet<HostName>,
    vault: &Vault,
    [new, replaced]: [&mut [NodeKey]; 2],
) -> anyhow::Result<PassphraseIssue> {
    let stored_anew: BTreeSet<String> =
        new.iter().chain(replaced.iter()).map(|keys| keys.fqdn.clone()).collect();
    let decide = |node: &Node| {
        let is_anew = installed_anew.contains(&node.name);
        let is_stored_anew = stored_anew.contains(node.fqdn.as_str());
        // The vault is read only where a passphrase may be made, or goes into another entry.
        if !is_anew && !is_stored_anew {
            return Ok(Outcome::Kept(None));
        }
        // The old machine has left with its disks, and with the passphrase that opens them.
        let is_rendered = plan.certificates.rendered.contains(&node.name);
        let is_other = (is_stored_anew || !is_rendered) && vault.find_other_machine(node)?.is_some();
        decide(node, [is_anew, is_other, is_rendered], (plan, former), vault)
    };
    let decided: Vec<_> = plan.cluster.nodes.par_iter().map(decide).collect();
    let mut issue = PassphraseIssue::default();
    let mut kept = BTreeMap::new();
    let mut made = BTreeMap::new();
    for (node, outcome) in plan.cluster.nodes.iter().zip(decided) {
        match outcome? {
            Outcome::Kept(passphrase) => {
                kept.extend(passphrase.map(|passphrase| (node.fqdn.to_string(), passphrase)));
            }
            Outcome::Made { passphrase, is_anew } => {
                issue.new.push(node.name.clone());
                issue.anew.extend(is_anew.then(|| node.name.clone()));
                made.insert(node.fqdn.to_string(), passphrase);
            }
            Outcome::Unknown => issue.unknown.push(node.name.clone()),
        }
    }
    for keys in new.iter_mut().chain(replaced.iter_mut()) {
        keys.passphrase = made.remove(&keys.fqdn).or_else(|| kept.remove(&keys.fqdn));
    }
    issue.stored = made.into_iter().collect();
    Ok(issue)
}

/// Decides on the passphrase of the disks of `node`, whose entry in the vault this run makes, or which `is_anew` says will
/// be installed anew. `is_other` says that the vault's entry is that of another machine, `is_rendered` that `nodes/` knows
/// the node.
fn decide(
    node: &Node,
    [is_anew, is_other, is_rendered]: [bool; 3],
    (plan, former): (&Plan, &FormerMachines),
    vault: &Vault,
) -> anyhow::Result<Outcome> {
    let mut known = if is_other { None } else { find_under_name(node, vault)? };
    if node.layout.unlock.is_none() {
        return Ok(Outcome::Kept(known));
    }
    if known.is_none() && !is_rendered {
        known = find_under_former_name(node, (plan, former), vault)?;
    }
    if known.is_some() {
        return Ok(Outcome::Kept(known));
    }
    let is_new = if is_rendered { is_other } else { !former.has(node) };
    if is_anew || is_new {
        return Ok(Outcome::Made { passphrase: Passphrase::generate()?, is_anew: is_rendered && !is_new });
    }
    Ok(if is_rendered { Outcome::Kept(None) } else { Outcome::Unknown })
}

/// Finds the passphrase of the disks of `node` in `vault`, under its name. A new key for the certificate leaves the
/// machine its passphrase.
fn find_under_name(node: &Node, vault: &Vault) -> anyhow::Result<Option<Passphrase>> {
    let fqdn = node.fqdn.as_str();
    match vault.passphrase(fqdn)? {
        None => vault.find_passphrase_aside(fqdn, |machine| is_machine_of(node, machine)),
        known => Ok(known),
    }
}

/// Finds the passphrase of the disks of `node` in `vault` under a name that the machine had, and no node has any more:
/// a new `domain` leaves the disks as they are.
fn find_under_former_name(
    node: &Node,
    (plan, former): (&Plan, &FormerMachines),
    vault: &Vault,
) -> anyhow::Result<Option<Passphrase>> {
    let is_taken = |fqdn: &str| plan.cluster.nodes.iter().any(|other| other.fqdn.as_str() == fqdn);
    for fqdn in former.list_names(node) {
        // The name becomes part of a path.
        if is_taken(fqdn) || DomainName::parse(fqdn).is_err() {
            continue;
        }
        if vault.machine(fqdn)?.is_some_and(|machine| is_machine_of(node, &machine))
            && let Some(passphrase) = vault.passphrase(fqdn)?
        {
            return Ok(Some(passphrase));
        }
    }
    Ok(None)
}
