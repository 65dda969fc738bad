//! `plasmagen check`.

use std::io::stdin;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, ValueHint};
use time::OffsetDateTime;

use crate::check::Checked;
use crate::diag::{Diagnostic, Severity};
use crate::model::{BootVerification, Cluster, Unlock, escape_line, list_few};
use crate::pki::VaultUse;
use crate::sign::SignerCertificate;

use super::committed::{ExaminedInventory, examine};
use super::format::{DiagnosticFormat, Findings};
use super::inventory::{
    find_nearest, is_half_written, print_diagnostics, print_refusal, read_from, root_of, visible,
};
use super::printer::{Printer, plural};
use super::sources::InventoryFiles;
use super::vault_option::VaultOption;
use super::{DONE, REFUSED};

/// Print every error of the inventory, with its place and what to write instead
///
/// All errors and warnings are printed at once, and nothing is written. When the inventory has no errors, the certificates in nodes/ beside it are checked too, and the certificate of the signer that `[boot]` names. No vault is needed; where the vault is at hand, the CA in nodes/ and the nodes' keys must be the vault's.
#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// The inventories to check [default: inventory.toml here, or in the nearest directory above]
    #[arg(value_name = "INVENTORY", value_hint = ValueHint::FilePath)]
    inventories: Vec<PathBuf>,
    /// The inventory to check, as other commands name it
    #[arg(long = "inventory", short = 'i', id = "option", value_name = "INVENTORY", value_hint = ValueHint::FilePath, conflicts_with = "inventories")]
    inventory: Option<PathBuf>,
    /// Refuse an inventory with warnings, too
    #[arg(long)]
    deny_warnings: bool,
    /// How to print errors and warnings: `human` on standard error, the other formats on standard output
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: DiagnosticFormat,
    /// Read the inventory from standard input, and call it NAME in messages; a table of nodes is read from the directory of
    /// NAME
    #[arg(long, value_name = "NAME", conflicts_with_all = ["inventories", "option"], value_hint = ValueHint::FilePath)]
    stdin_filename: Option<PathBuf>,
    #[command(flatten)]
    vault: VaultOption,
}

impl CheckArgs {
    pub(super) fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        let mut status = DONE;
        let files = self.read()?;
        let mut findings = Vec::new();
        for file in &files {
            let name = &file.name;
            let mut examined =
                examine(Path::new(name), file.sources(), &self.vault, VaultUse::Comparison, &[])?;
            warn_of_signer(root_of(Path::new(name)), &mut examined.checked);
            let checked = &examined.checked;
            let source = file.text();
            let found = visible(printer, checked, self.deny_warnings);
            if self.format == DiagnosticFormat::Human {
                print_diagnostics(printer, &source, &found);
            }
            findings.push(Findings { source, found });
            status = status.max(self.print_verdict(printer, name, &examined));
            if self.stdin_filename.is_none() && is_half_written(root_of(Path::new(name)))? {
                status = REFUSED;
            }
        }
        if let Some(render) = self.format.renderer() {
            Printer::print(&render(&findings)?)?;
        }
        Ok(status)
    }

    /// Reads the inventories, each with its table of nodes.
    fn read(&self) -> anyhow::Result<Vec<InventoryFiles>> {
        if let Some(name) = &self.stdin_filename {
            let bytes =
                read_from(stdin().lock()).context("could not read the inventory on standard input")?;
            return Ok(vec![InventoryFiles::beside(name, bytes)]);
        }
        let nearest = if self.inventories.is_empty() && self.inventory.is_none() {
            Some(find_nearest()?)
        } else {
            None
        };
        let paths = self.inventories.iter().chain(&self.inventory).chain(&nearest);
        paths.map(|path| InventoryFiles::read(path)).collect()
    }

    /// Prints whether the inventory `name` is sound or refused, and returns the exit status for it.
    fn print_verdict(&self, printer: &Printer, name: &str, examined: &ExaminedInventory) -> u8 {
        let checked = &examined.checked;
        let warnings = checked.count(Severity::Warning);
        let denied = self.deny_warnings && warnings > 0;
        let Some(cluster) = checked.cluster.as_ref().filter(|_| !denied) else {
            print_refusal(name, checked);
            return REFUSED;
        };
        let (nodes, warned) = (plural(cluster.nodes.len(), "node"), plural(warnings, "warning"));
        // An operator who acknowledged PG-H19 still reads that nothing was compared.
        let unseen =
            if examined.lacks_vault { "; not compared with the vault, which is not at hand" } else { "" };
        printer.say(&format!("{} is sound: {nodes}, {warned}{unseen}", escape_line(name)));
        tell_of_consoles(printer, cluster);
        DONE
    }
}

/// Warns of a `[boot] signer` in the directory `root` of the inventory whose signatures no machine accepts now: without it,
/// `publish` ends with an error, also the one that rolls back.
fn warn_of_signer(root: &Path, checked: &mut Checked) {
    let (Some(cluster), Some(signer)) = (&checked.cluster, &checked.inventory.boot.signer) else { return };
    if cluster.boot.verify != BootVerification::Signature {
        return;
    }
    let certificate = SignerCertificate::open(&root.join(signer.value.as_str()));
    let Err(error) = certificate.and_then(|certificate| certificate.check_time(OffsetDateTime::now_utc()))
    else {
        return;
    };
    let warning = Diagnostic::warning("PG-F22", &signer.span, format!("{error:#}"));
    checked.diagnostics.push(warning.help(
        "put the signer's certificate there, and that of the CA after it, as docs/bundles.md says: plasmagen publish publishes \
         nothing without",
    ));
    checked
        .diagnostics
        .sort_by_key(|diagnostic| (diagnostic.span.start, diagnostic.span.end, diagnostic.code));
}

/// Names the nodes that do not start before somebody has typed a passphrase at the console.
fn tell_of_consoles(printer: &Printer, cluster: &Cluster) {
    let waiting = cluster.nodes.iter().filter(|node| node.layout.unlock == Some(Unlock::Passphrase));
    let names: Vec<_> = waiting.map(|node| node.name.as_str()).collect();
    if !names.is_empty() {
        printer.say(&format!(
            "note: at each boot, somebody types the passphrase of the disks at the console of {} (`unlock = \"tpm2\"` leaves \
             that to the machine's TPM)",
            list_few(&names)
        ));
    }
}
