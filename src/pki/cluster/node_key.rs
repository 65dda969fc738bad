//! The keys of nodes, each with the machine that the key is for.

use crate::model::{MachineIdentity, Node, describe_machine};
use crate::pki::host_key::HostKey;
use crate::pki::passphrase::Passphrase;
use crate::pki::secret::SecretKey;
use crate::pki::vault::NewNodeKeys;

/// A key that was made for a node.
#[derive(Debug)]
pub struct NodeKey {
    /// Full name of the node.
    pub fqdn: String,
    /// The private key.
    pub key: SecretKey,
    /// The SSH host key, if one was made, or is kept in the place of a key that another one replaces.
    pub host_key: Option<HostKey>,
    /// The passphrase of the encrypted disks, if one was made, or is kept.
    pub passphrase: Option<Passphrase>,
    /// The machine, as [`describe_machine`] does.
    machine: String,
}

impl NodeKey {
    /// Records that `key` was made for `node`, and for the machine of `node`.
    pub(super) fn new(node: &Node, key: SecretKey) -> Self {
        Self {
            fqdn: node.fqdn.to_string(),
            key,
            host_key: None,
            passphrase: None,
            machine: describe_machine(node),
        }
    }

    /// Borrows the keys as the vault takes them.
    fn borrow(&self) -> NewNodeKeys<'_> {
        let Self { fqdn, key, host_key, passphrase, machine } = self;
        NewNodeKeys { fqdn, key, host_key: host_key.as_ref(), passphrase: passphrase.as_ref(), machine }
    }
}

/// Borrows `keys` as the vault takes them.
pub(super) fn borrow_keys(keys: &[NodeKey]) -> Vec<NewNodeKeys<'_>> {
    keys.iter().map(NodeKey::borrow).collect()
}

/// Whether the text `recorded`, as [`describe_machine`] writes it, is of the machine of `node`.
pub(super) fn is_machine_of(node: &Node, recorded: &str) -> bool {
    MachineIdentity::parse(recorded).is_same(&MachineIdentity::of(node))
}
