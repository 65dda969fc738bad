//! `plasmagen certs rotate`.

use anyhow::ensure;
use clap::{Args, Subcommand};
use time::OffsetDateTime;

use crate::cli::committed::{ExaminedInventory, read_examined};
use crate::cli::inventory::{InventoryOption, read_checked, root_of};
use crate::cli::printer::{FormatOption, Printer};
use crate::cli::render::SiteSource;
use crate::cli::vault_option::VaultOption;
use crate::cli::{DONE, REFUSED};
use crate::diag::{Cure, Diagnostic};
use crate::model::Cluster;
use crate::pki::VaultUse;
use crate::pki::cluster::{IssueOrder, Renewals, Rotation};
use crate::plan::Certificates;
use crate::site::{self, RotationStep};
use crate::write::CommitOptions;

use super::rotation_status::RotationReport;

/// Replace the CA while the machines go on working
///
/// There are three steps, and all nodes are deployed after each: `begin` publishes a new CA beside the old one, so that
/// machines trust both; `issue` makes the new CA sign all certificates; `finish` removes the old CA. `status` says which step
/// is next.
#[derive(Debug, Args)]
pub(super) struct RotateArgs {
    #[command(subcommand)]
    command: RotateCommand,
}

#[derive(Debug, Subcommand)]
enum RotateCommand {
    Begin(BeginArgs),
    Issue(IssueArgs),
    Finish(FinishArgs),
    Cancel(CancelArgs),
    Status(StatusArgs),
}

/// Publish a new CA beside the old one, in every ca-cert.pem
///
/// The new CA has the domain, the networks, the algorithm and the days that the inventory says now, and signs the list of
/// revoked certificates, if there is one. Nothing else changes in nodes/ and site/, and the old CA goes on signing certificates.
#[derive(Debug, Args)]
struct BeginArgs {
    #[command(flatten)]
    source: RotationSource,
}

/// Issue all certificates by the new CA
///
/// nodes/ and site/ are written as `plasmagen render` does. The nodes keep their keys, unless --new-key is given. No
/// certificate is revoked by this step, since machines that are not deployed yet still show theirs.
#[derive(Debug, Args)]
struct IssueArgs {
    /// Make new keys as well, and put the old ones aside in the vault
    #[arg(long)]
    new_key: bool,
    #[command(flatten)]
    source: RotationSource,
}

/// Remove the old CA from every ca-cert.pem
///
/// Nothing else changes in nodes/ and site/.
#[derive(Debug, Args)]
struct FinishArgs {
    /// State that every machine runs with its new certificate: a machine with an old one can talk to nobody afterwards
    #[arg(long)]
    deployed: bool,
    #[command(flatten)]
    source: RotationSource,
}

/// Remove the new CA from every ca-cert.pem, before it has signed anything
#[derive(Debug, Args)]
struct CancelArgs {
    #[command(flatten)]
    source: RotationSource,
}

/// Print the published CAs, which certificates each has signed, and which step is next (needs no vault)
#[derive(Debug, Args)]
struct StatusArgs {
    #[command(flatten)]
    inventory: InventoryOption,
    #[command(flatten)]
    format: FormatOption,
}

/// The inventory and the vault, as options.
#[derive(Debug, Args)]
struct RotationSource {
    #[command(flatten)]
    inventory: InventoryOption,
    #[command(flatten)]
    vault: VaultOption,
}

impl RotateArgs {
    pub(super) fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        match &self.command {
            RotateCommand::Begin(begin) => begin.source.step(printer, RotationStep::Begin),
            RotateCommand::Issue(issue) => issue.run(printer),
            RotateCommand::Finish(finish) => finish.run(printer),
            RotateCommand::Cancel(cancel) => cancel.source.step(printer, RotationStep::Cancel),
            RotateCommand::Status(status) => status.run(printer),
        }
    }
}

impl IssueArgs {
    fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        let inventory = self.source.inventory.find()?;
        let ExaminedInventory { checked, superseded, .. } = self.source.examine(printer)?;
        let Some(cluster) = checked.cluster else { return Ok(REFUSED) };
        let order = IssueOrder {
            renewals: Renewals::NewCa,
            has_new_keys: self.new_key,
            superseded,
            ..IssueOrder::default()
        };
        let (root, written) = (root_of(&inventory), checked.vault.as_deref());
        let site = SiteSource { root, vault: &self.source.vault, written };
        let rendered = site.render(printer, cluster, CommitOptions::default(), &order)?;
        if rendered.issued.is_some_and(|issued| !issued.rekeyed.is_empty()) {
            printer.say(
                "the certificates of the old keys are good until the old CA goes: nothing is revoked now",
            );
        }
        printer.say(
            "next: deploy every node, so that each has its certificate from the new CA; then plasmagen certs rotate finish \
             --deployed",
        );
        Ok(DONE)
    }
}

impl FinishArgs {
    fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        ensure!(
            self.deployed,
            "plasmagen cannot see which certificates the machines run with. A machine that still has a certificate of the old \
             CA can talk to nobody after this step. Deploy all nodes, look at the certificate that each service shows \
             (openssl s_client -connect HOST:PORT </dev/null | openssl x509 -noout -issuer -enddate), and say so with \
             --deployed"
        );
        self.source.step(printer, RotationStep::Finish)
    }
}

impl StatusArgs {
    fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        let path = &self.inventory.find()?;
        let Some(cluster) = read_checked(printer, path)?.cluster else { return Ok(REFUSED) };
        let certificates = Certificates::gather(root_of(path), &cluster)?;
        let report = RotationReport::new(&Rotation::look(&cluster, &certificates)?);
        self.format.print(&report, || report.print())?;
        Ok(DONE)
    }
}

impl RotationSource {
    /// Checks the inventory. A fault that another CA or another certificate cures does not refuse it.
    fn examine(&self, printer: &Printer) -> anyhow::Result<ExaminedInventory> {
        let is_told = |warning: &Diagnostic| !["PG-H06", "PG-H11"].contains(&warning.code);
        let cures = &[Cure::Renewal, Cure::Rotation];
        read_examined(printer, &self.inventory.find()?, &self.vault, VaultUse::Keys, cures, is_told)
    }

    /// Takes `step`, and prints what was done and what is next.
    fn step(&self, printer: &Printer, step: RotationStep) -> anyhow::Result<u8> {
        let inventory = self.inventory.find()?;
        let checked = self.examine(printer)?.checked;
        let Some(cluster) = checked.cluster else { return Ok(REFUSED) };
        let (root, written) = (root_of(&inventory), checked.vault.as_deref());
        let open = |cluster: &Cluster| self.vault.open(root, cluster, written);
        let rotated = site::rotate(root, &cluster, step, OffsetDateTime::now_utc(), open)?;
        let published = rotated.published.join(" and ");
        if rotated.was_done {
            printer.say(&format!("nothing to do: ca-cert.pem in nodes/ holds {published}"));
        } else {
            let crls = if rotated.has_new_crls { ", every ca-crl.pem the CRL of each" } else { "" };
            printer.say(&format!(
                "every ca-cert.pem in nodes/ holds {published} now{crls}, and nothing else was changed"
            ));
        }
        printer.say(match step {
            RotationStep::Begin => {
                "next: back the vault up, and deploy every node, so that all of them trust both CAs; then plasmagen certs \
                 rotate issue"
            }
            RotationStep::Finish => "next: deploy every node",
            RotationStep::Cancel => "next: deploy the nodes that had the other ca-cert.pem",
        });
        Ok(DONE)
    }
}
