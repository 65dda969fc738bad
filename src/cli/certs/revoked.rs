//! `plasmagen certs revoked`.

use clap::Args;
use time::UtcOffset;

use crate::cli::inventory::{InventoryOption, read_checked, root_of};
use crate::cli::printer::{FormatOption, Printer};
use crate::cli::table::TextTable;
use crate::cli::{DONE, REFUSED};
use crate::pki::revocation::{RevocationReason, RevokedCertificate, read_list};
use crate::plan::Certificates;

/// Print the certificates that were revoked: those of removed nodes, and of keys that were replaced (needs no vault)
#[derive(Debug, Args)]
pub(super) struct RevokedArgs {
    #[command(flatten)]
    inventory: InventoryOption,
    #[command(flatten)]
    format: FormatOption,
}

impl RevokedArgs {
    pub(super) fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        let path = &self.inventory.find()?;
        let Some(cluster) = read_checked(printer, path)?.cluster else { return Ok(REFUSED) };
        let list = read_list(&Certificates::gather(root_of(path), &cluster)?)?;
        self.format.print(&list.certificates(), || print_table(list.certificates()))?;
        Ok(DONE)
    }
}

fn print_table(revoked: &[RevokedCertificate]) -> String {
    let mut table = TextTable::with_headings(["node", "serial number", "not after", "revoked", "reason"]);
    for entry in revoked {
        let day = |moment: time::OffsetDateTime| moment.to_offset(UtcOffset::UTC).date().to_string();
        let reason = match entry.reason {
            RevocationReason::Removed => "removed",
            RevocationReason::Replaced => "new key",
        };
        table.row([
            entry.node.clone(),
            entry.serial.clone(),
            day(entry.not_after),
            day(entry.revoked),
            reason.to_owned(),
        ]);
    }
    table.print()
}
