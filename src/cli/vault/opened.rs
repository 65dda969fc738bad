//! The vault of an inventory's cluster, opened together with the certificates that are committed beside the inventory.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use zeroize::Zeroizing;

use crate::fs::{TEXT_LIMIT, read_input_text};
use crate::model::Cluster;
use crate::pki::Vault;
use crate::pki::identity::Identities;
use crate::pki::vault::{PublishedKeys, VaultFault, VaultReport, examine_vault};

use super::super::inventory::{InventoryOption, read_checked, root_of};
use super::super::printer::Printer;
use super::super::table::TextTable;
use super::super::vault_option::{VaultOption, list_forbidden};

/// The inventory and the vault, as options.
#[derive(Debug, Args)]
pub(super) struct VaultSource {
    #[command(flatten)]
    inventory: InventoryOption,
    #[command(flatten)]
    vault: VaultOption,
}

/// A cluster with its vault.
pub(super) struct OpenedVault {
    pub(super) cluster: Cluster,
    pub(super) keys: PublishedKeys,
    pub(super) vault: Vault,
    /// The recipients that the inventory lists.
    pub(super) recipients: Vec<String>,
    /// The directory of the inventory.
    root: PathBuf,
}

impl VaultSource {
    /// Opens the vault of the inventory's cluster; none where the inventory is refused, which has been printed.
    ///
    /// The certificates in `nodes/` are not checked: a fault there must not hide the state of the vault.
    pub(super) fn open(&self, printer: &Printer) -> anyhow::Result<Option<anyhow::Result<OpenedVault>>> {
        let inventory = self.inventory.find()?;
        let checked = read_checked(printer, &inventory)?;
        let Some(cluster) = checked.cluster else { return Ok(None) };
        let root = root_of(&inventory).to_owned();
        let keys = PublishedKeys::gather(&root, &cluster);
        let vault = self.vault.open(&root, &cluster, checked.vault.as_deref());
        let listed = checked.inventory.vault.recipients.map(|list| list.value).unwrap_or_default();
        let recipients = listed.into_iter().filter_map(|recipient| recipient.value).collect();
        Ok(Some(vault.map(|vault| OpenedVault { cluster, keys, vault, recipients, root })))
    }

    /// Opens and examines the vault of the inventory's cluster, and compares it with the certificates in `nodes/`; none where
    /// the inventory is refused or there is no vault that could be examined, which has been printed.
    pub(super) fn examine(&self, printer: &Printer) -> anyhow::Result<Option<(OpenedVault, VaultReport)>> {
        let Some(opened) = self.open(printer)? else { return Ok(None) };
        let examine = |opened: OpenedVault| {
            let report = examine_vault(opened.vault.dir(), &opened.cluster, &opened.keys)?;
            Ok((opened, report))
        };
        // The vault is the subject: one that is missing or not private is a finding, as each fault in it is.
        Ok(opened.and_then(examine).inspect_err(|why| printer.error(why)).ok())
    }
}

impl OpenedVault {
    /// The directories in which no backup may lie, `file` not either.
    pub(super) fn list_forbidden(&self, file: &Path) -> anyhow::Result<Vec<PathBuf>> {
        let mut forbidden = list_forbidden(&self.root, file)?;
        forbidden.push(self.cluster.provisioner.web_root.as_str().into());
        Ok(forbidden)
    }
}

/// Reads the private keys of a recipient from the file `path`.
pub(super) fn read_identities(path: &Path) -> anyhow::Result<Identities> {
    let shown = path.display();
    let text = read_input_text(path, TEXT_LIMIT).with_context(|| format!("could not read {shown}"))?;
    let text = Zeroizing::new(text);
    Identities::parse(&text).with_context(|| format!("could not use {shown}"))
}

/// A table of faults, without headings.
pub(super) fn print_faults(faults: &[VaultFault]) -> String {
    let mut table = TextTable::new();
    for VaultFault { entry, message } in faults {
        table.row(["fault".to_owned(), format!("{entry}: {message}")]);
    }
    table.print()
}
