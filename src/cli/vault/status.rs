//! `plasmagen vault status`.

use clap::Args;
use serde_json::json;

use crate::pki::vault::{EntryRow, VaultReport};

use super::super::printer::{FormatOption, Printer, plural};
use super::super::table::TextTable;
use super::super::{DONE, JSON_SCHEMA, REFUSED};
use super::opened::{VaultSource, print_faults};

/// Print what the vault holds, and whether that matches nodes/
///
/// Exits with status 1 where something does not match: a certificate without its key, a CA of another cluster, or a file
/// that others can read.
#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    #[command(flatten)]
    source: VaultSource,
    #[command(flatten)]
    format: FormatOption,
}

impl StatusArgs {
    pub(super) fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        let Some((opened, report)) = self.source.examine(printer)? else { return Ok(REFUSED) };
        let (cluster, dir) = (&opened.cluster.name, opened.vault.dir().display());
        let value = json!({
            "schema": JSON_SCHEMA,
            "cluster": cluster,
            "vault": dir.to_string(),
            "entries": report.entries,
            "faults": report.faults,
        });
        self.format.print(&value, || print_tables(&report))?;
        let faults = report.faults.len();
        let result = if faults == 0 { "matches nodes/".to_owned() } else { plural(faults, "fault") };
        printer.say(&format!("the vault {dir} of cluster {cluster}: {result}"));
        Ok(if faults == 0 { DONE } else { REFUSED })
    }
}

/// A table of the entries, and a table of faults.
fn print_tables(report: &VaultReport) -> String {
    let mut entries = TextTable::with_headings(["entry", "kind", "keys", "state"]).align_right(2);
    for EntryRow { entry, kind, keys, state } in &report.entries {
        entries.row([entry.clone(), kind.to_string(), keys.to_string(), state.to_string()]);
    }
    entries.print() + &print_faults(&report.faults)
}
