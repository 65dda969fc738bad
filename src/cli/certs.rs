//! `plasmagen certs`.

use anyhow::Context;
use clap::{Args, Subcommand};
use time::OffsetDateTime;

use crate::model::Cluster;
use crate::pki::status::StatusRow;
use crate::pki::{PublicCert, VaultUse};
use crate::plan::Certificates;

use super::committed::read_examined;
use super::inventory::{InventoryOption, read_checked, root_of};
use super::printer::{FormatOption, Printer};
use super::table::TextTable;
use super::vault_option::VaultOption;
use super::{DONE, REFUSED};

/// Show the certificates of the cluster
#[derive(Debug, Args)]
pub(super) struct CertsArgs {
    #[command(subcommand)]
    command: CertsCommand,
}

#[derive(Debug, Subcommand)]
enum CertsCommand {
    Status(StatusArgs),
}

/// Print when each certificate expires (needs no vault)
#[derive(Debug, Args)]
struct StatusArgs {
    #[command(flatten)]
    inventory: InventoryOption,
    #[command(flatten)]
    vault: VaultOption,
    #[command(flatten)]
    format: FormatOption,
}

impl CertsArgs {
    pub(super) fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        let CertsCommand::Status(status) = &self.command;
        status.run(printer)
    }
}

impl StatusArgs {
    fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        let path = &self.inventory.find()?;
        let Some(cluster) = read_checked(printer, path)?.cluster else { return Ok(REFUSED) };
        let certificates = Certificates::gather(root_of(path), &cluster)?;
        let rows = list_rows(&cluster, &certificates, OffsetDateTime::now_utc())?;
        self.format.print(&rows, || print_table(&rows))?;
        for node in cluster.nodes.iter().filter(|node| !certificates.nodes.contains_key(&node.name)) {
            printer.say(&format!("{} has no certificate yet: plasmagen render issues one", node.name));
        }
        // The table is printed whatever is wrong with the certificates; then the rules say that.
        let examined = read_examined(printer, path, &self.vault, VaultUse::Comparison, |_| false)?;
        Ok(if examined.checked.cluster.is_some() { DONE } else { REFUSED })
    }
}

/// A row for each CA in ca-cert.pem, and one for the certificate of each node.
fn list_rows(
    cluster: &Cluster,
    certificates: &Certificates,
    now: OffsetDateTime,
) -> anyhow::Result<Vec<StatusRow>> {
    let mut rows = Vec::new();
    let unreadable = |name: &str| format!("could not read the certificate of {name}");
    if let Some(pem) = &certificates.ca {
        let authorities = PublicCert::list_from_pem(pem).with_context(|| unreadable("the CA"))?;
        rows.extend(authorities.iter().map(|ca| StatusRow::new("(CA)", ca, now)));
    }
    for node in &cluster.nodes {
        if let Some(pem) = certificates.nodes.get(&node.name) {
            let certificate = PublicCert::from_pem(pem).with_context(|| unreadable(node.name.as_str()))?;
            rows.push(StatusRow::new(node.name.as_str(), &certificate, now));
        }
    }
    Ok(rows)
}

fn print_table(rows: &[StatusRow]) -> String {
    let headings = ["node", "subject", "not after", "days left", "state"];
    let mut table = TextTable::with_headings(headings).align_right(3);
    for row in rows {
        let StatusRow { node, subject, not_after, days_left, state } = row;
        table.row([
            node.clone(),
            subject.clone(),
            not_after.clone(),
            days_left.to_string(),
            state.to_string(),
        ]);
    }
    table.print()
}
