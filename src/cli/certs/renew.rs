//! `plasmagen certs renew`.

use clap::Args;
use clap_complete::ArgValueCandidates;
use time::Duration;

use crate::cli::committed::read_examined;
use crate::cli::duration::parse_duration;
use crate::cli::inventory::{InventoryOption, root_of};
use crate::cli::printer::Printer;
use crate::cli::render::SiteSource;
use crate::cli::vault_option::VaultOption;
use crate::cli::{DONE, REFUSED, complete, named};
use crate::diag::{Cure, Diagnostic};
use crate::model::{Cluster, HostName, list_few};
use crate::pki::VaultUse;
use crate::pki::cluster::{IssueOrder, Renewals};
use crate::pki::revocation::{RevocationReason, RevokedCertificate};
use crate::site::Rendered;
use crate::write::CommitOptions;

/// Issue new certificates before the old ones end
///
/// A node keeps its key, unless --new-key is given. With --new-key, a machine keeps its SSH host key and the passphrase of
/// its disks; a node that is another machine now, by MAC address and serial number, gets other ones as well. The command writes nodes/ and site/ as `plasmagen render` does, both or
/// neither, after the vault holds every new key. A node takes the certificate with the next deployment of its configuration.
#[derive(Debug, Args)]
pub(super) struct RenewArgs {
    /// The nodes [default: those whose certificates are in the last third of their life]
    #[arg(value_name = "NODE", add = ArgValueCandidates::new(complete::nodes))]
    nodes: Vec<String>,
    /// Renew the certificates of all nodes
    #[arg(long, conflicts_with = "nodes")]
    all: bool,
    /// Renew the certificates that end within this time: a number with s, m, h or d
    #[arg(long, value_name = "TIME", value_parser = parse_duration, conflicts_with_all = ["nodes", "all"])]
    within: Option<Duration>,
    /// Make new keys as well, put the old ones aside in the vault, and revoke their certificates at once
    #[arg(long)]
    new_key: bool,
    #[command(flatten)]
    inventory: InventoryOption,
    #[command(flatten)]
    vault: VaultOption,
}

impl RenewArgs {
    pub(super) fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        // PG-H06 warns of certificates that lack a name or an address: they are issued anew, too.
        // PG-J07 warns of keys of another machine, which --new-key replaces.
        let is_told = |warning: &Diagnostic| {
            let is_cured = self.new_key && warning.code == "PG-J07";
            !is_cured && !["PG-H06", "PG-H11"].contains(&warning.code)
        };
        let inventory = self.inventory.find()?;
        let cures = if self.new_key { &[Cure::Renewal, Cure::NewKey][..] } else { &[Cure::Renewal] };
        let examined = read_examined(printer, &inventory, &self.vault, VaultUse::Keys, cures, is_told)?;
        let checked = examined.checked;
        let Some(cluster) = checked.cluster else { return Ok(REFUSED) };
        let order = IssueOrder {
            renewals: self.renewals(&cluster)?,
            has_new_keys: self.new_key,
            superseded: examined.superseded,
            ..IssueOrder::default()
        };
        let (root, written) = (root_of(&inventory), checked.vault.as_deref());
        let source = SiteSource { root, vault: &self.vault, written };
        let rendered = source.render(printer, cluster, CommitOptions::default(), &order)?;
        self.print_rest(printer, &rendered);
        Ok(DONE)
    }

    /// The certificates that the command line names.
    fn renewals(&self, cluster: &Cluster) -> anyhow::Result<Renewals> {
        Ok(match (&self.nodes[..], self.within) {
            _ if self.all => Renewals::All,
            ([], Some(time)) => Renewals::Within(time),
            ([], None) => Renewals::LastThird,
            (names, _) => {
                let find = |name: &String| Ok(named::find_node(cluster, name)?.name.clone());
                Renewals::Nodes(names.iter().map(find).collect::<anyhow::Result<_>>()?)
            }
        })
    }

    /// Prints what is left to do.
    fn print_rest(&self, printer: &Printer, rendered: &Rendered) {
        if !rendered.held_back.is_empty() {
            let nodes: Vec<_> = rendered.held_back.iter().map(HostName::as_str).collect();
            let nodes = list_few(&nodes);
            printer.say(&format!(
                "not renewed, since these certificates end together with their CA: {nodes}. plasmagen certs rotate \
                 begin is the first step of replacing the CA"
            ));
        }
        let is_replaced = |entry: &RevokedCertificate| entry.reason == RevocationReason::Replaced;
        let has_revoked = rendered.revoked.iter().any(is_replaced);
        self.print_kept(printer, rendered);
        match &rendered.issued {
            Some(issued) if has_revoked => printer.say(&format!(
                "deploy the nodes with new keys first, and together: a node that is deployed refuses the old certificates \
                 of those that are not: {}",
                list_few(&issued.rekeyed)
            )),
            Some(_) => printer.say(
                "the nodes take their certificates with the next deployment: nixos-rebuild switch, or the program that you \
                 deploy with",
            ),
            None if rendered.held_back.is_empty() => {
                let when = match self.within {
                    Some(_) => "ends within that time",
                    None => "is in the last third of its life",
                };
                printer.say(&format!("no certificate {when}: plasmagen certs status shows when each ends"));
            }
            None => {}
        }
    }

    /// Prints which nodes with new keys are the machines that they were, as far as the vault knows.
    fn print_kept(&self, printer: &Printer, rendered: &Rendered) {
        let Some(issued) = rendered.issued.as_ref().filter(|_| self.new_key) else { return };
        let is_kept = |name: &HostName| {
            let is_rekeyed =
                |fqdn: &String| fqdn.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('.'));
            issued.rekeyed.iter().any(is_rekeyed) && !rendered.host_keys.new.contains(name)
        };
        let kept = issued.certificates.iter().map(|(name, _)| name).filter(|name| is_kept(name));
        let kept: Vec<_> = kept.map(HostName::as_str).collect();
        if let Some(first) = kept.first() {
            printer.say(&format!(
                "no other SSH host key and no other passphrase of disks was made, since the vault knows of no other machine: \
                 {}. Before a new machine is installed: plasmagen keys make {first}",
                list_few(&kept)
            ));
        }
    }
}
