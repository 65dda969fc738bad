//! `plasmagen render`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::ensure;
use clap::Args;
use time::OffsetDateTime;

use crate::change::{Summary, compare};
use crate::diag::{Cure, Diagnostic};
use crate::fs::{LIST_LIMIT, read_input};
use crate::model::{Cluster, HostName, Word, list_few, quote_for_shell, read_resolved};
use crate::pki::cluster::{IssueOrder, IssueReason};
use crate::pki::{Vault, VaultUse};
use crate::plan::git::find_work_tree;
use crate::site::{self, Authority, IssuedCertificates, NewHostKeys, NewPassphrases, Rendered};
use crate::write::{CommitOptions, CommitOutcome};

use super::changes::{print_full, print_summary};
use super::committed::read_examined_anew;
use super::diff::RENDERED;
use super::inventory::{InventoryArgument, root_of};
use super::printer::{Printer, plural};
use super::vault_option::{VaultOption, remind_of_backup};
use super::{DONE, REFUSED};

/// Write nodes/ and site/, and issue the certificates and SSH host keys that are missing
///
/// Both directories lie beside the inventory, and plasmagen owns all that is in them. They are replaced together, or not
/// at all. Files that are already as they should be are not touched.
#[derive(Debug, Args)]
pub(super) struct RenderArgs {
    #[command(flatten)]
    inventory: InventoryArgument,
    /// Write nothing: print the differences, and exit with status 1 if there are any (needs no vault)
    #[arg(long, conflicts_with = "discard_edits")]
    check: bool,
    /// With --check, print the contents of new and removed files too, as a patch
    #[arg(long, requires = "check")]
    full: bool,
    /// Replace files in nodes/ and site/ that were edited by hand
    #[arg(long)]
    discard_edits: bool,
    /// Let the names on the disks of these nodes change, and make passphrases of encrypted disks that the vault lacks: the
    /// nodes are not installed yet, or are installed anew before their next rebuild (plasmagen explain PG-J05). A new
    /// passphrase does not open disks that are installed: restore a backup of the vault first
    #[arg(long, value_name = "NODE", value_delimiter = ',', value_parser = parse_node, conflicts_with = "check")]
    install_anew: Vec<HostName>,
    /// Keep the vault's keys of these nodes, and record their new MAC addresses and serial numbers: they are the same
    /// machines, with other mainboards or network cards (plasmagen explain PG-J07)
    #[arg(long, value_name = "NODE", value_delimiter = ',', value_parser = parse_node, conflicts_with = "check")]
    same_machine: Vec<HostName>,
    #[command(flatten)]
    vault: VaultOption,
}

impl RenderArgs {
    pub(super) fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        // PG-H06 warns of certificates that lack a name or an address: this command issues them anew. PG-H19 warns of a vault
        // that is not at hand: the comparison needs none.
        let is_told = |warning: &Diagnostic| match warning.code {
            "PG-H19" => !self.check,
            "PG-H06" => self.check,
            "PG-J07" => self.same_machine.is_empty(),
            _ => true,
        };
        let inventory = self.inventory.find()?;
        let (purpose, cures) =
            if self.check { (VaultUse::Comparison, &[][..]) } else { (VaultUse::Keys, &[Cure::Renewal][..]) };
        let anew: BTreeSet<HostName> = self.install_anew.iter().cloned().collect();
        let examined = read_examined_anew(printer, &inventory, &self.vault, purpose, cures, &anew, is_told)?;
        let checked = examined.checked;
        let Some(cluster) = checked.cluster else { return Ok(REFUSED) };
        let named = [("--install-anew", &self.install_anew), ("--same-machine", &self.same_machine)];
        for (option, name) in
            named.iter().flat_map(|(option, names)| names.iter().map(move |name| (option, name)))
        {
            ensure!(
                cluster.nodes.iter().any(|node| node.name == *name),
                "{option} names `{name}`, which is no node of the inventory: write the names of nodes"
            );
        }
        let root = root_of(&inventory);
        if self.check {
            return self.compare(printer, root, cluster, &inventory);
        }
        let superseded = examined.superseded;
        let same_machines: BTreeSet<HostName> = self.same_machine.iter().cloned().collect();
        let order = IssueOrder { superseded, installed_anew: anew, same_machines, ..IssueOrder::default() };
        let source = SiteSource { root, vault: &self.vault, written: checked.vault.as_deref() };
        let options = CommitOptions { discard_edits: self.discard_edits };
        source.render(printer, cluster, options, &order)?;
        Ok(DONE)
    }

    /// `render --check`: compares what would be written with what is there.
    fn compare(
        &self,
        printer: &Printer,
        root: &Path,
        cluster: Cluster,
        inventory: &Path,
    ) -> anyhow::Result<u8> {
        let comparison = site::compare(root, cluster, OffsetDateTime::now_utc())?;
        let changes = &comparison.changes;
        printer.print_diff(&if self.full { print_full(changes) } else { print_summary(changes) })?;
        if !comparison.uncertified.is_empty() {
            let names: Vec<_> = comparison.uncertified.iter().map(HostName::as_str).collect();
            let names = list_few(&names);
            printer.say(&format!("no certificate with the names and addresses of the inventory: {names}"));
        }
        if !comparison.has_current_crls {
            printer.say("the CAs have not signed the present list of revoked certificates");
        }
        if comparison.is_current() {
            printer.say("nodes/ and site/ are what the inventory says");
            return Ok(DONE);
        }
        let missing = match comparison.uncertified.len() {
            0 => String::new(),
            some => format!(", {} would be issued", plural(some, "certificate")),
        };
        printer.say(&format!(
            "stale: {} would change{missing}: run plasmagen render {}",
            plural(changes.len(), "file"),
            quote_for_shell(&inventory.display().to_string())
        ));
        Ok(REFUSED)
    }
}

/// Parses the name of a node.
fn parse_node(text: &str) -> Result<HostName, String> {
    HostName::parse(text).map_err(|invalid| invalid.message)
}

/// Where a site and its vault are, for commands that render the site.
pub(super) struct SiteSource<'a> {
    /// The directory of the inventory.
    pub(super) root: &'a Path,
    /// The vault that the command line names.
    pub(super) vault: &'a VaultOption,
    /// The vault that the inventory names.
    pub(super) written: Option<&'a str>,
}

impl SiteSource<'_> {
    /// Renders the site of `cluster`, issues the certificates and host keys that `order` asks for, and prints what was done.
    pub(super) fn render(
        &self,
        printer: &Printer,
        cluster: Cluster,
        options: CommitOptions,
        order: &IssueOrder,
    ) -> anyhow::Result<Rendered> {
        let nodes = plural(cluster.nodes.len(), "node");
        let planned = PlannedChange::read(self.root, &cluster);
        let names: BTreeSet<String> = cluster.nodes.iter().map(|node| node.fqdn.to_string()).collect();
        let keys = self.open_vault(&cluster).ok();
        let open_vault = |cluster: &Cluster| self.open_vault(cluster);
        let rendered =
            site::render(self.root, cluster, options, OffsetDateTime::now_utc(), order, open_vault)?;
        if let Some(issued) = &rendered.issued {
            print_issued(printer, issued);
        }
        print_host_keys(printer, &rendered.host_keys);
        print_passphrases(printer, &rendered.passphrases);
        print_same_machines(printer, &rendered.same_machines, &order.same_machines);
        if let Some(vault) = &rendered.vault {
            remind_of_backup(printer, vault);
        }
        print_outcome(printer, self.root, &nodes, &rendered.outcome);
        if !rendered.outcome.is_unchanged() {
            planned.print(printer, self.root);
        }
        if !rendered.revoked.is_empty() {
            let names: BTreeSet<_> = rendered.revoked.iter().map(|entry| entry.node.as_str()).collect();
            printer.say(&format!(
                "revoked {}, which services that look at ca-crl.pem refuse from now on: {}; the list: plasmagen certs revoked",
                plural(rendered.revoked.len(), "certificate"),
                list_few(&names.into_iter().collect::<Vec<_>>())
            ));
        }
        for fqdn in list_removed(&rendered.outcome, &names) {
            let kept = keys.as_ref().filter(|vault| matches!(vault.key(&fqdn), Ok(Some(_))));
            let kept = kept.map_or_else(String::new, |vault| {
                format!(" The node's private key stays in {}.", vault.dir().join(&fqdn).display())
            });
            printer.say(&format!(
                "{fqdn} was removed.{kept} Keep the name in `removed` of [cluster], so that no other machine is given it: \
                 plasmagen explain PG-G06"
            ));
        }
        Ok(rendered)
    }

    fn open_vault(&self, cluster: &Cluster) -> anyhow::Result<Vault> {
        self.vault.open(self.root, cluster, self.written)
    }
}

/// The change between what was rendered last and a cluster; none where nothing was rendered that can be read.
struct PlannedChange(Option<Summary>);

impl PlannedChange {
    /// Compares the resolved inventory in `root` with `cluster`.
    fn read(root: &Path, cluster: &Cluster) -> Self {
        let former = read_input(&root.join(RENDERED), LIST_LIMIT).ok();
        let former = former.and_then(|bytes| read_resolved(&bytes).ok());
        let change = former.and_then(|former| compare(&former, cluster).ok());
        Self(change.filter(|change| !change.is_empty()).map(|change| Summary::new(&change)))
    }

    /// Says in one sentence what the change does to the machines.
    fn print(&self, printer: &Printer, root: &Path) {
        let Some(summary) = &self.0 else { return };
        let hint = if is_in_git(root) { " Each machine: plasmagen diff --since HEAD" } else { "" };
        printer.say(&format!("{summary}{hint}"));
    }
}

/// Says which host keys were made, and which nodes have none that plasmagen knows.
fn print_host_keys(printer: &Printer, made: &NewHostKeys) {
    if !made.new.is_empty() {
        printer.say(&format!("made {}", plural(made.new.len(), "SSH host key")));
    }
    if !made.unknown.is_empty() {
        let names: Vec<_> = made.unknown.iter().map(HostName::as_str).collect();
        printer.say(&format!(
            "no SSH host key was made for {}: the machine was rendered before, and may have a host key of its own. \
             plasmagen keys adopt writes that key into nodes/; before a new installation, plasmagen keys make makes one",
            list_few(&names)
        ));
    }
}

/// Says for which encrypted disks a passphrase was made, and of which the vault knows none.
fn print_passphrases(printer: &Printer, made: &NewPassphrases) {
    let list = |nodes: &[HostName]| {
        let names: Vec<_> = nodes.iter().map(HostName::as_str).collect();
        list_few(&names)
    };
    if !made.new.is_empty() {
        printer.say(&format!(
            "made {} for encrypted disks: {}",
            plural(made.new.len(), "passphrase"),
            list(&made.new)
        ));
    }
    if !made.anew.is_empty() {
        printer.say(&format!(
            "the new passphrases do not open disks that are installed: {}. Where the vault has lost a passphrase, restore a \
             backup now, before the next plasmagen vault backup: plasmagen vault restore FILE",
            list(&made.anew)
        ));
    }
    if !made.unknown.is_empty() {
        printer.say(&format!(
            "no passphrase was made for the encrypted disks of {}: the machine was rendered before, and its disks may have a \
             passphrase that the vault does not know. Before a new installation, plasmagen render --install-anew {} makes one",
            list(&made.unknown),
            made.unknown.first().map_or("", HostName::as_str)
        ));
    }
}

/// Says which machines the vault has `recorded` anew, and of which nodes that the operator has `named` it knows no other.
fn print_same_machines(printer: &Printer, recorded: &[HostName], named: &BTreeSet<HostName>) {
    let list = |names: Vec<&HostName>| list_few(&names.into_iter().map(HostName::as_str).collect::<Vec<_>>());
    if !recorded.is_empty() {
        let names = list(recorded.iter().collect());
        printer.say(&format!(
            "the keys stay, and the vault has recorded the new facts of the machines: {names}"
        ));
    }
    let others: Vec<_> = named.iter().filter(|name| !recorded.contains(name)).collect();
    if !others.is_empty() {
        printer.say(&format!("the vault knows of no other machine: {}", list(others)));
    }
}

fn print_issued(printer: &Printer, issued: &IssuedCertificates) {
    let vault = issued.vault.display();
    match issued.authority {
        Authority::Published => {}
        Authority::New => {
            printer.say(&format!("made a certificate authority: its private key is in {vault}"));
        }
        Authority::FromVault => {
            printer.say(&format!("took the certificate authority that the vault {vault} already holds"));
        }
    }
    printer.say(&format!("issued {}", plural(issued.certificates.len(), "certificate")));
    for (reason, what) in REASONS {
        let nodes = issued.certificates.iter().filter(|(_, why)| *why == reason);
        let nodes: Vec<_> = nodes.map(|(node, _)| node.as_str()).collect();
        if !nodes.is_empty() {
            printer.say(&format!("{what}: {}", list_few(&nodes)));
        }
    }
    for fqdn in &issued.returned {
        printer.say(&format!(
            "{fqdn} has a new key, since the vault's was revoked, or was that of another machine of this name; the old \
             key is now in {vault}/.retired"
        ));
    }
    if !issued.rekeyed.is_empty() {
        printer.say(&format!(
            "new keys, to be staged or encrypted again (plasmagen secrets --help), the old ones are in {vault}/.retired: {}",
            list_few(&issued.rekeyed)
        ));
    }
}

/// The reasons that an operator may not know when certificates are issued, each with the sentence that tells of it.
const REASONS: [(IssueReason, &str); 4] = [
    (IssueReason::Ordered, "renewed"),
    (IssueReason::Expired, "the old certificate had expired"),
    (IssueReason::Urgent, "the old certificate was about to expire"),
    (
        IssueReason::Superseded,
        "the old certificate was for a key that the vault had put aside when an earlier run was killed",
    ),
];

/// The full names of the nodes that `outcome` removed from nodes/: those of removed files that are not among `nodes`.
fn list_removed(outcome: &CommitOutcome, nodes: &BTreeSet<String>) -> BTreeSet<String> {
    let names = outcome.removed.iter().filter_map(|path| path.strip_prefix("nodes/")?.split_once('/'));
    names.map(|(fqdn, _)| fqdn.to_owned()).filter(|fqdn| !nodes.contains(fqdn)).collect()
}

fn print_outcome(printer: &Printer, root: &Path, nodes: &str, outcome: &CommitOutcome) {
    if outcome.is_unchanged() {
        printer.say(&format!("{nodes}: nodes/ and site/ are up to date, nothing was touched"));
        return;
    }
    let (added, changed, removed) = (outcome.added.len(), outcome.changed.len(), outcome.removed.len());
    printer.say(&format!("{nodes}: {added} added, {changed} changed, {removed} removed in nodes/ and site/"));
    if added > 0 && is_in_git(root) {
        let trees = ["nodes", "site"].map(|tree| root.strip_prefix(".").unwrap_or(root).join(tree));
        let [nodes, site] = trees.each_ref().map(|tree| quote_for_shell(&tree.display().to_string()));
        printer.say(&format!("a flake sees only files that git knows: git add {nodes} {site}"));
    }
}

/// Whether `root` lies in a git work tree.
pub(super) fn is_in_git(root: &Path) -> bool {
    let absolute: PathBuf = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    find_work_tree(&absolute).is_some()
}
