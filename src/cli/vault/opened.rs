//! The vault of an inventory's cluster, opened together with the certificates that are committed beside the inventory.

use clap::Args;

use crate::check::Checked;
use crate::model::Cluster;
use crate::pki::Vault;
use crate::pki::vault::{VaultFault, VaultReport};
use crate::plan::Certificates;

use super::super::inventory::{InventoryOption, read_checked, root_of};
use super::super::printer::Printer;
use super::super::table::TextTable;
use super::super::vault_option::VaultOption;

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
    pub(super) certificates: Certificates,
    pub(super) vault: Vault,
}

impl VaultSource {
    /// Opens the vault of the inventory's cluster; none where the inventory is refused, which has been printed.
    ///
    /// The certificates in `nodes/` are not checked: a fault there must not hide the state of the vault.
    fn open(&self, printer: &Printer) -> anyhow::Result<Option<anyhow::Result<OpenedVault>>> {
        let inventory = self.inventory.find()?;
        let Checked { cluster: Some(cluster), vault: written, .. } = read_checked(printer, &inventory)?
        else {
            return Ok(None);
        };
        let root = root_of(&inventory);
        let certificates = Certificates::gather(root, &cluster)?;
        let vault = self.vault.open(root, &cluster, written.as_deref());
        Ok(Some(vault.map(|vault| OpenedVault { cluster, certificates, vault })))
    }

    /// Opens and examines the vault of the inventory's cluster, and compares it with the certificates in `nodes/`; none where
    /// the inventory is refused or there is no vault that could be examined, which has been printed.
    pub(super) fn examine(&self, printer: &Printer) -> anyhow::Result<Option<(OpenedVault, VaultReport)>> {
        let Some(opened) = self.open(printer)? else { return Ok(None) };
        let examine = |opened: OpenedVault| {
            let report = opened.vault.examine(&opened.cluster, &opened.certificates)?;
            Ok((opened, report))
        };
        // The vault is the subject: one that is missing or not private is a finding, as each fault in it is.
        Ok(opened.and_then(examine).inspect_err(|why| printer.error(why)).ok())
    }
}

/// A table of faults, without headings.
pub(super) fn print_faults(faults: &[VaultFault]) -> String {
    let mut table = TextTable::new();
    for VaultFault { entry, message } in faults {
        table.row(["fault".to_owned(), format!("{entry}: {message}")]);
    }
    table.print()
}
