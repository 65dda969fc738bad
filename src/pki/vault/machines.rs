//! The machines that the keys in a vault were made for, each beside the key of the node's certificate.

use super::entries::{NewFile, store_files};
use super::node_keys::{MACHINE, read_machine};
use super::{Vault, retired};
use crate::model::{MachineIdentity, Node, describe_machine};
use crate::pki::request::parse_full_name;

impl Vault {
    /// Reads the text that identifies the machine for which the key of the node `fqdn` was made; none where there is no
    /// key, or where a version of plasmagen stored the key that recorded no machine.
    ///
    /// # Errors
    /// When the name is no full host name, or when the file is unreadable or readable by others.
    pub fn machine(&self, fqdn: &str) -> anyhow::Result<Option<String>> {
        read_machine(self.root()?.as_ref(), fqdn)
    }

    /// Finds the machine that the keys of `node` were made for, where that machine is another one than the inventory's:
    /// see [`MachineIdentity::is_other`]. Where the vault has no entry of the node, the machine is that of the keys that
    /// were put aside last: a run may have been killed before it stored the new entry.
    ///
    /// # Errors
    /// As for [`Vault::machine`].
    pub fn find_other_machine(&self, node: &Node) -> anyhow::Result<Option<MachineIdentity>> {
        let (Some(root), fqdn) = (self.root()?, node.fqdn.as_str()) else { return Ok(None) };
        let recorded = if root.has(&parse_full_name(fqdn)?) {
            read_machine(Some(&root), fqdn)?
        } else {
            let aside =
                retired::open_latest(&root, fqdn)?.map(|entry| entry.read(MACHINE)).transpose()?.flatten();
            aside.map(|text| text.to_string())
        };
        let recorded = recorded.map(|text| MachineIdentity::parse(&text));
        Ok(recorded.filter(|recorded| recorded.is_other(&MachineIdentity::of(node))))
    }

    /// Records durably that the keys of `nodes` are those of the machines of the inventory.
    ///
    /// # Errors
    /// When a name is no full host name, when the vault has no entry of a node, or when the disk refuses.
    pub fn store_machines(&self, nodes: &[Node]) -> anyhow::Result<()> {
        let texts: Vec<_> = nodes.iter().map(describe_machine).collect();
        let mut files = Vec::with_capacity(nodes.len());
        for (node, text) in nodes.iter().zip(&texts) {
            files.push(NewFile { entry: parse_full_name(node.fqdn.as_str())?, name: MACHINE, text });
        }
        store_files(&self.dir, &files)
    }
}
