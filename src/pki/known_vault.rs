//! The public halves of what a vault holds.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;

use super::read::PublicCert;
use crate::model::{HostName, MachineIdentity};
use crate::plan::Certificates;

/// The public halves of what a vault holds.
#[derive(Clone, Debug)]
pub struct KnownVault {
    /// The directory of the vault.
    pub dir: PathBuf,
    /// The certificates of the CAs of all generations.
    pub authorities: Vec<PublicCert>,
    /// The public keys of nodes, by the node's name: the DER of the SubjectPublicKeyInfo.
    pub keys: HashMap<HostName, Vec<u8>>,
    /// The public keys that nodes had before, as far as the vault has put them aside: the latest of each node.
    pub retired: HashMap<HostName, Vec<u8>>,
    /// The machines that keys were made for, of nodes that are other machines in the inventory.
    pub other_machines: BTreeMap<HostName, MachineIdentity>,
}

impl KnownVault {
    /// Whether `certificate`, which is published for `node`, is for a key that the vault has put aside: the run that made
    /// another key was killed before it published a certificate for that key.
    #[must_use]
    pub fn is_superseded(&self, node: &HostName, certificate: &PublicCert) -> bool {
        let is_for = |key: Option<&Vec<u8>>| key.is_some_and(|key| certificate.has_key(key));
        is_for(self.retired.get(node)) && !is_for(self.keys.get(node))
    }

    /// Lists the nodes whose certificate in `certificates` is superseded: see [`KnownVault::is_superseded`].
    #[must_use]
    pub fn list_superseded(&self, certificates: &Certificates) -> BTreeSet<HostName> {
        // Certificates that cannot be read are for the rules to report.
        let is_superseded = |(node, pem): &(&HostName, &String)| {
            self.retired.contains_key(*node)
                && PublicCert::from_pem(pem).is_ok_and(|certificate| self.is_superseded(node, &certificate))
        };
        certificates.nodes.iter().filter(is_superseded).map(|(node, _)| node.clone()).collect()
    }
}
