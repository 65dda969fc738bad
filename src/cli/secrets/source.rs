//! The vault of a cluster whose keys leave it, and the options that name the vault.

use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};
use clap::Args;

use crate::cli::committed::read_examined_briefly;
use crate::cli::inventory::{InventoryOption, root_of};
use crate::cli::printer::Printer;
use crate::cli::vault_option::{VaultOption, list_forbidden};
use crate::model::{Cluster, MachineIdentity, Node};
use crate::pki::cluster::read_checked_key;
use crate::pki::recipient::Recipient;
use crate::pki::vault::encrypted::EncryptedKeys;
use crate::pki::{SecretKey, Vault, VaultUse};
use crate::plan::{Certificates, HostKeys};

/// The inventory and the vault, as options.
#[derive(Debug, Args)]
pub(super) struct KeySource {
    #[command(flatten)]
    inventory: InventoryOption,
    #[command(flatten)]
    pub(super) vault: VaultOption,
}

/// A cluster and its vault, opened.
pub(super) struct OpenedKeys {
    pub(super) cluster: Cluster,
    certificates: Certificates,
    pub(super) host_keys: HostKeys,
    pub(super) vault: Vault,
    /// The directories in which no key may be written.
    forbidden: Vec<PathBuf>,
    /// The recipients that the inventory lists.
    pub(super) recipients: Vec<String>,
}

impl KeySource {
    /// Opens the vault of the inventory's cluster, whose keys go to the directory `to`; none where the inventory is refused,
    /// which has been printed.
    pub(super) fn open(&self, printer: &Printer, to: &Path) -> anyhow::Result<Option<OpenedKeys>> {
        let inventory = self.inventory.find()?;
        let checked = read_examined_briefly(printer, &inventory, &self.vault, VaultUse::Keys)?.checked;
        let Some(cluster) = checked.cluster else { return Ok(None) };
        let root = root_of(&inventory);
        let certificates = Certificates::gather(root, &cluster)?;
        let host_keys = HostKeys::gather(root, &cluster)?;
        let vault = self.vault.open(root, &cluster, checked.vault.as_deref())?;
        let mut forbidden = list_forbidden(root, to)?;
        forbidden.push(cluster.provisioner.web_root.as_str().into());
        forbidden.push(vault.dir().to_owned());
        let listed = checked.inventory.vault.recipients.map(|list| list.value).unwrap_or_default();
        let recipients = listed.into_iter().filter_map(|recipient| recipient.value).collect();
        Ok(Some(OpenedKeys { cluster, certificates, host_keys, vault, forbidden, recipients }))
    }
}

impl OpenedKeys {
    /// The key of `node`, which fits the node's certificate.
    pub(super) fn key(&self, node: &Node) -> anyhow::Result<SecretKey> {
        read_checked_key(node, &self.certificates, &self.vault)
    }

    /// Refuses `node` where its keys were made for another machine than the inventory's.
    pub(super) fn check_machine(&self, node: &Node) -> anyhow::Result<()> {
        let Some(other) = self.vault.find_other_machine(node)? else { return Ok(()) };
        bail!(
            "the vault's keys of {name} are for another machine ({other}) than the inventory's ({}), and the other machine \
             may still have them: plasmagen certs renew {name} --new-key makes others; where it is the same machine with \
             another mainboard or network card, plasmagen render --same-machine {name} keeps them",
            MachineIdentity::of(node),
            name = node.name
        )
    }

    /// The SSH host key of `node` in `nodes/` as a recipient; none where the key is unknown, or is among `recipients`.
    pub(super) fn host_recipient(
        &self,
        node: &Node,
        recipients: &[Recipient],
    ) -> anyhow::Result<Option<Recipient>> {
        let Some(published) = self.host_keys.of(node)? else { return Ok(None) };
        let recipient = Recipient::parse(published.key.as_str())
            .map_err(|why| anyhow!("the SSH host key of {} in nodes/: {}", node.name, why.message))?;
        Ok(recipients.iter().all(|other| other.identity() != recipient.identity()).then_some(recipient))
    }

    /// Says that the encrypted key `file` of `node` stays, and whether the node can decrypt it.
    pub(super) fn describe_kept(&self, directory: &EncryptedKeys, node: &Node, file: &Path) -> String {
        let (name, shown) = (&node.name, file.display());
        let published = self.host_keys.keys.get(name);
        match published.and_then(|published| directory.is_encrypted_to(file, &published.key)) {
            Some(false) => format!(
                "kept {shown}, which is not encrypted to the SSH host key of {name} in nodes/, so that {name} cannot \
                 decrypt it: --force replaces it"
            ),
            _ => format!("kept {shown}: --force replaces it"),
        }
    }

    pub(super) fn forbidden(&self) -> Vec<&Path> {
        self.forbidden.iter().map(PathBuf::as_path).collect()
    }
}
