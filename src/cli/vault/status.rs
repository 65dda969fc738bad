//! `plasmagen vault status`.

use clap::Args;
use serde_json::json;
use time::format_description::well_known::Rfc3339;

use crate::pki::vault::{EntryRow, LastBackup, VaultReport};

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
            "backup": report.backup,
        });
        let backup = print_backup(report.backup.as_ref())?;
        self.format.print(&value, || print_tables(&report, &backup))?;
        let faults = report.faults.len();
        let result = if faults == 0 { "matches nodes/".to_owned() } else { plural(faults, "fault") };
        printer.say(&format!("the vault {dir} of cluster {cluster}: {result}"));
        Ok(if faults == 0 { DONE } else { REFUSED })
    }
}

/// The last backup, and the number of keys that are younger, as a sentence.
fn print_backup(backup: Option<&LastBackup>) -> anyhow::Result<String> {
    let Some(LastBackup { made, unsaved }) = backup else {
        return Ok("no backup yet: plasmagen vault backup --to FILE".to_owned());
    };
    let made = made.format(&Rfc3339)?;
    Ok(match unsaved {
        0 => format!("last backup: {made}, which holds every key"),
        _ => format!(
            "last backup: {made}, {} since then: plasmagen vault backup --to FILE",
            plural(*unsaved, "key")
        ),
    })
}

/// A table of the entries with the last backup, and a table of faults.
fn print_tables(report: &VaultReport, backup: &str) -> String {
    let mut entries = TextTable::with_headings(["entry", "kind", "keys", "state"]).align_right(2);
    for EntryRow { entry, kind, keys, state } in &report.entries {
        entries.row([entry.clone(), kind.to_string(), keys.to_string(), state.to_string()]);
    }
    entries.text(backup);
    entries.print() + &print_faults(&report.faults)
}
