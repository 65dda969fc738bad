//! Whether the files of a vault fit each other, the cluster, and the certificates in `nodes/`. Reads no disk.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use anyhow::{Context, anyhow, ensure};
use rayon::prelude::*;

use super::authorities::{CA_CERT, CA_KEY};
use super::entry_kind::EntryKind;
use super::entry_row::{EntryRow, EntryState};
use super::files::key_file_name;
use super::host_keys::find_host_key_fault;
use super::published::PublishedKeys;
use super::vault_files::{EntryFiles, VaultFault, VaultFiles};
use crate::model::{Cluster, Node};
use crate::pki::host_key::HostKey;
use crate::pki::issue::CaIssuer;
use crate::pki::passphrase::PASSPHRASE;
use crate::pki::read::PublicCert;
use crate::pki::trust::find_ca_fault;
use crate::plan::{Certificates, HostKeys, HostPublicKey, node_dir};

/// The entries of a vault, and the faults in them.
pub(super) struct Examination {
    pub(super) entries: Vec<EntryRow>,
    pub(super) faults: Vec<VaultFault>,
}

/// The cluster and the keys in `nodes/` that a vault is compared with.
struct Expected<'a> {
    cluster: &'a Cluster,
    nodes: HashMap<&'a str, &'a Node>,
    certificates: &'a Certificates,
    host_keys: &'a HostKeys,
    /// The CAs that `nodes/` publishes.
    published: Vec<PublicCert>,
    /// The SSH host keys that the vault has put aside.
    retired: HashSet<HostPublicKey>,
}

/// Examines the `files` of a vault of `cluster`, whose keys `nodes/` publishes as `keys`. An entry that has a fault in
/// `unreadable` already gets no other.
pub(super) fn examine(
    files: &VaultFiles,
    unreadable: Vec<VaultFault>,
    cluster: &Cluster,
    keys: &PublishedKeys,
) -> Examination {
    let authorities = keys.authorities().map_err(|why| format!("{why:#}"));
    let broken = keys.broken.as_ref().or(authorities.as_ref().err());
    let broken = broken.map(|why| VaultFault { entry: "nodes/".to_owned(), message: why.clone() });
    let mut entries = files.by_entry();
    let expected = Expected {
        cluster,
        nodes: cluster.nodes.iter().map(|node| (node.fqdn.as_str(), node)).collect(),
        certificates: &keys.certificates,
        host_keys: &keys.host_keys,
        published: authorities.unwrap_or_default(),
        retired: list_retired_host_keys(&entries),
    };
    let faulty: BTreeSet<&str> = unreadable.iter().map(|fault| fault.entry.as_str()).collect();
    for name in &faulty {
        entries.entry(name).or_default();
    }
    let listed: Vec<_> = entries.iter().collect();
    let rows: Vec<_> = listed
        .par_iter()
        .map(|(name, files)| expected.examine_entry(name, files, faulty.contains(*name)))
        .collect();
    let (rows, found): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
    let missing = expected.list_missing(&entries, &faulty);
    let found = broken.into_iter().chain(found.into_iter().flatten()).chain(missing).collect();
    Examination { entries: rows, faults: [unreadable, found].concat() }
}

/// Lists the SSH host keys in the retired ones of `entries`. An unusable one is a fault of its entry.
fn list_retired_host_keys(entries: &BTreeMap<&str, EntryFiles<'_>>) -> HashSet<HostPublicKey> {
    let retired = entries.iter().filter(|(name, _)| EntryKind::of(name) == EntryKind::Retired);
    retired.filter_map(|(_, files)| Some(files.host_key().ok()??.public().clone())).collect()
}

impl Expected<'_> {
    /// Examines the entry `name`: returns its row, and its fault if it has one.
    fn examine_entry(
        &self,
        name: &str,
        files: &EntryFiles<'_>,
        is_faulty: bool,
    ) -> (EntryRow, Option<VaultFault>) {
        let kind = EntryKind::of(name);
        let state = match kind {
            _ if is_faulty => Ok(EntryState::Faulty),
            EntryKind::Authority => self.examine_ca(files),
            EntryKind::Node => self.examine_node(name, files),
            EntryKind::Bmc => Ok(EntryState::InUse),
            EntryKind::Retired | EntryKind::Other => files.check_keys().map(|()| EntryState::Unused),
        };
        let fault = state
            .as_ref()
            .err()
            .map(|why| VaultFault { entry: name.to_owned(), message: format!("{why:#}") });
        let state = state.unwrap_or(EntryState::Faulty);
        (EntryRow { entry: name.to_owned(), kind, keys: files.count_secrets(), state }, fault)
    }

    fn examine_ca(&self, files: &EntryFiles<'_>) -> anyhow::Result<EntryState> {
        let pem = files.text(CA_CERT)?;
        let pem = pem.ok_or_else(|| anyhow!("half a CA: there is no {CA_CERT}. {RESTORE}"))?;
        let key = files
            .key(CA_KEY)
            .with_context(|| format!("half a CA, without a usable key. {RESTORE}. The cause"))?;
        let ca = CaIssuer::load(pem.to_string(), key)?;
        if let Some(fault) = find_ca_fault(ca.certificate(), self.cluster, None) {
            return Err(anyhow!("{fault}: name the vault of this cluster with --vault"));
        }
        let ca = ca.certificate();
        let mut published = self.published.iter();
        Ok(if published.clone().any(|other| other.public_key == ca.public_key) {
            EntryState::Published
        } else if published.any(|other| other.generation() > ca.generation()) {
            EntryState::Replaced
        } else {
            EntryState::NotPublished
        })
    }

    fn examine_node(&self, fqdn: &str, files: &EntryFiles<'_>) -> anyhow::Result<EntryState> {
        let file = key_file_name(fqdn);
        let key = files.key(&file).with_context(|| format!("no usable {file}. {RESTORE}. The cause"))?;
        let host_key =
            files.host_key().with_context(|| format!("the SSH host key is unusable. {RESTORE}"))?;
        let passphrase =
            files.passphrase().with_context(|| format!("the passphrase is unusable. {RESTORE}"))?;
        let Some(node) = self.nodes.get(fqdn) else { return Ok(EntryState::NotInInventory) };
        let Some(pem) = self.certificates.nodes.get(&node.name) else {
            // A run that was killed may have stored the keys, and published nothing.
            if self.host_keys.of(node)?.is_some() {
                self.check_host_key(node, host_key.as_ref())?;
            }
            return Ok(EntryState::NotPublished);
        };
        let dir = node_dir(node);
        let certificate =
            PublicCert::from_pem(pem).with_context(|| format!("could not use the certificate in {dir}/"))?;
        ensure!(
            key.belongs_to(&certificate)?,
            "the certificate in {dir}/ is for another key: restore a newer backup, plasmagen vault restore FILE \
             --vault DIR, into a new directory, or bring that certificate back from git; if the key is lost, plasmagen \
             certs renew {} --new-key makes another",
            node.name
        );
        self.check_host_key(node, host_key.as_ref())?;
        ensure!(
            node.layout.unlock.is_none() || passphrase.is_some(),
            "the vault has no passphrase of the encrypted disks of {name}. {RESTORE}; a passphrase that the disks have \
             already belongs into {fqdn}/{PASSPHRASE}; plasmagen render --install-anew {name} makes one for a new \
             installation",
            name = node.name
        );
        Ok(EntryState::Published)
    }

    /// Checks that `kept`, the SSH host key in the entry of `node`, is the one that `nodes/` publishes.
    fn check_host_key(&self, node: &Node, kept: Option<&HostKey>) -> anyhow::Result<()> {
        let published = self.host_keys.of(node)?;
        let kept = kept.map(HostKey::public);
        let is_there = published
            .is_some_and(|published| kept == Some(&published.key) || self.retired.contains(&published.key));
        match find_host_key_fault(published, kept, is_there) {
            Some(fault) => Err(anyhow!("{}", fault.explain(node))),
            None => Ok(()),
        }
    }

    /// Lists the CAs, certificates and host keys in `nodes/` whose keys are not among the `entries` of the vault. Where
    /// a CA is `faulty`, each published CA may be that one.
    fn list_missing(
        &self,
        entries: &BTreeMap<&str, EntryFiles<'_>>,
        faulty: &BTreeSet<&str>,
    ) -> Vec<VaultFault> {
        let is_ca = |name: &str| EntryKind::of(name) == EntryKind::Authority;
        let authorities = entries.iter().filter(|(name, _)| is_ca(name)).filter_map(|(_, files)| {
            let pem = files.text(CA_CERT).ok()??;
            PublicCert::from_pem(&pem).ok()
        });
        let authorities: Vec<_> = authorities.collect();
        let has_faulty_ca = faulty.iter().any(|name| is_ca(name));
        let is_unknown = |ca: &&PublicCert| {
            !has_faulty_ca && authorities.iter().all(|other| other.public_key != ca.public_key)
        };
        let unknown = self.published.iter().filter(is_unknown).map(|ca| VaultFault {
            entry: "nodes/".to_owned(),
            message: format!(
                "the CA `{}` in nodes/ is not in the vault: name the vault of this cluster with --vault, or bring the \
                 CA back from a backup: plasmagen vault restore FILE --vault DIR writes the backup into a new directory",
                ca.name()
            ),
        });
        let lost = self.cluster.nodes.iter().filter(|node| !entries.contains_key(node.fqdn.as_str()));
        let lost = lost.filter_map(|node| {
            let message = self.find_lost(node)?;
            Some(VaultFault { entry: format!("{}/", node_dir(node)), message })
        });
        unknown.chain(lost).collect()
    }

    /// Finds the fault that `nodes/` publishes a key of `node`, of which the vault has no entry; none where `nodes/`
    /// publishes none.
    fn find_lost(&self, node: &Node) -> Option<String> {
        if self.certificates.nodes.contains_key(&node.name) {
            return Some(format!(
                "the vault has no key for the certificate of {name}. {RESTORE}; if the key is lost, plasmagen certs \
                 renew {name} --new-key makes another",
                name = node.name
            ));
        }
        self.check_host_key(node, None).err().map(|why| format!("{why:#}"))
    }
}

/// The way out where a file of an entry is missing or unusable.
const RESTORE: &str = "Bring the entry back from a backup: plasmagen vault restore FILE --vault DIR writes the backup into a new directory";
