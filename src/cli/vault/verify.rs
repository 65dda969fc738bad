//! `plasmagen vault verify`.

use clap::Args;

use super::super::printer::{Printer, plural};
use super::super::{DONE, REFUSED};
use super::opened::{VaultSource, print_faults};

/// Read every key in the vault, and print each fault with the way out
///
/// Every file and directory must be private, every CA whole, and every key usable and that of its certificate in nodes/.
/// Exits with status 1 where something is wrong.
#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    #[command(flatten)]
    source: VaultSource,
}

impl VerifyArgs {
    pub(super) fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        let Some((opened, report)) = self.source.examine(printer)? else { return Ok(REFUSED) };
        Printer::print(&print_faults(&report.faults))?;
        let keys = plural(report.entries.iter().map(|entry| entry.keys).sum(), "key");
        let result = match report.faults.len() {
            0 => format!("{keys}, each private and usable, and that of its certificate in nodes/"),
            faults => plural(faults, "fault"),
        };
        printer.say(&format!("the vault {}: {result}", opened.vault.dir().display()));
        Ok(if report.faults.is_empty() { DONE } else { REFUSED })
    }
}
