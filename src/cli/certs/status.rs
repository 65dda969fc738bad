//! `plasmagen certs status`.

use std::path::Path;

use anyhow::Context;
use clap::Args;
use time::{Duration, OffsetDateTime};

use crate::cli::committed::read_examined;
use crate::cli::duration::parse_duration;
use crate::cli::inventory::{InventoryOption, read_checked, root_of};
use crate::cli::printer::{FormatOption, Printer, plural};
use crate::cli::table::TextTable;
use crate::cli::vault_option::VaultOption;
use crate::cli::{DONE, REFUSED};
use crate::model::Cluster;
use crate::pki::cluster::Rotation;
use crate::pki::status::StatusRow;
use crate::pki::trust::list_by_generation;
use crate::pki::{PublicCert, VaultUse};
use crate::plan::Certificates;
use crate::sign::SignerCertificate;

use super::rotation_status::RotationReport;

/// Print when each certificate expires, which CA signed it, and what is to be done (needs no vault)
#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    /// Exit with status 1 if a certificate ends within this time: a number with s, m, h or d
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    fail_within: Option<Duration>,
    #[command(flatten)]
    inventory: InventoryOption,
    #[command(flatten)]
    vault: VaultOption,
    #[command(flatten)]
    format: FormatOption,
}

impl StatusArgs {
    pub(super) fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        let path = &self.inventory.find()?;
        let Some(cluster) = read_checked(printer, path)?.cluster else { return Ok(REFUSED) };
        let certificates = Certificates::gather(root_of(path), &cluster)?;
        let now = OffsetDateTime::now_utc();
        let mut rows = list_rows(&cluster, &certificates, now)?;
        rows.extend(list_boot_rows(printer, root_of(path), &cluster, now));
        self.format.print(&rows, || print_table(&rows))?;
        for node in cluster.nodes.iter().filter(|node| !certificates.nodes.contains_key(&node.name)) {
            printer.say(&format!("{} has no certificate yet: plasmagen render issues one", node.name));
        }
        // The table is printed whatever is wrong with the certificates; then the rules say that.
        let examined = read_examined(printer, path, &self.vault, VaultUse::Comparison, &[], |_| false)?;
        let mut status = if examined.checked.cluster.is_some() { DONE } else { REFUSED };
        if let Some(time) = self.fail_within {
            let ending = rows.iter().filter(|row| row.ends_within(time, now)).count();
            if ending > 0 {
                Printer::warn(&format!(
                    "{} {} within {} days: the table says what is to be done",
                    plural(ending, "certificate"),
                    if ending == 1 { "ends" } else { "end" },
                    time.whole_days()
                ));
                status = REFUSED;
            }
        }
        Ok(status)
    }
}

/// A row for each CA in ca-cert.pem, and one for the certificate of each node.
fn list_rows(
    cluster: &Cluster,
    certificates: &Certificates,
    now: OffsetDateTime,
) -> anyhow::Result<Vec<StatusRow>> {
    let unreadable = |name: &str| format!("could not read the certificate of {name}");
    let published = certificates.ca.as_deref().unwrap_or_default();
    let authorities = list_by_generation(published).with_context(|| unreadable("the CA"))?;
    let mut rows: Vec<_> = authorities.iter().map(|ca| StatusRow::of_ca(ca, now)).collect();
    // While one CA replaces another, the rotation goes on, whatever the dates of the CAs. The rules say why none can be read.
    let rotation = Rotation::look(cluster, certificates).ok().filter(|_| rows.len() > 1);
    if let Some(rotation) = rotation {
        let report = RotationReport::new(&rotation);
        for row in &mut rows {
            row.next = report.next.map(str::to_owned);
        }
    }
    for node in &cluster.nodes {
        if let Some(pem) = certificates.nodes.get(&node.name) {
            let certificate = PublicCert::from_pem(pem).with_context(|| unreadable(node.name.as_str()))?;
            rows.push(StatusRow::of_node(node.name.as_str(), &certificate, &authorities, now));
        }
    }
    Ok(rows)
}

/// The rows of `[boot] signer` of `cluster`, whose inventory is in the directory `root`: none where no signer is set,
/// or the file can't be used, which `publish` and `verify` refuse.
fn list_boot_rows(printer: &Printer, root: &Path, cluster: &Cluster, now: OffsetDateTime) -> Vec<StatusRow> {
    let Some(path) = &cluster.boot.signer else { return Vec::new() };
    match SignerCertificate::open(&root.join(path.as_str())) {
        Ok(certificate) => StatusRow::of_boot_signer(certificate.signer(), certificate.ca(), now).into(),
        Err(why) => {
            printer.say(&format!("the signer of what machines boot has no row: {why:#}"));
            Vec::new()
        }
    }
}

fn print_table(rows: &[StatusRow]) -> String {
    let headings = ["node", "subject", "CA", "not before", "not after", "days left", "state", "next"];
    let mut table = TextTable::with_headings(headings).align_right(5);
    for row in rows {
        let StatusRow { node, subject, issuer, not_before, not_after, days_left, state, next, .. } = row;
        table.row([
            node.clone(),
            subject.clone(),
            issuer.clone(),
            not_before.clone(),
            not_after.clone(),
            days_left.to_string(),
            state.to_string(),
            next.clone().unwrap_or_default(),
        ]);
    }
    table.print()
}
