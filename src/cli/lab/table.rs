//! The report of a lab, for people.

use super::super::printer::plural;
use super::super::table::TextTable;
use crate::lab::{LabReport, MachineReport};

/// How many lines of a console are shown; `--format json` and `--keep` have all of them.
const LINES: usize = 60;

/// A row for each machine with its faults below, a line for each node that was not powered on, and a summary.
pub(super) fn report_table(report: &LabReport) -> String {
    let headings = ["node", "as", "firmware", "verdict", "address", "steps, in seconds after power-on"];
    let mut table = TextTable::with_headings(headings);
    for row in &report.machines {
        let steps: Vec<_> =
            row.steps.iter().map(|(step, seconds)| format!("{} {seconds:.1}", step.as_str())).collect();
        table.row([
            row.node.clone(),
            row.scenario.as_str().to_owned(),
            row.method.as_str().to_owned(),
            if row.is_good() { "ok" } else { "FAILED" }.to_owned(),
            row.address.clone().unwrap_or_else(|| "none".to_owned()),
            steps.join(", "),
        ]);
        for fault in &row.faults {
            table.text(format!("    {fault}"));
        }
        if !row.missing.is_empty() {
            let missing: Vec<_> = row.missing.iter().map(|step| step.as_str()).collect();
            table.text(format!("    never reached: {}", missing.join(", ")));
        }
        if row.attempts > 1 {
            table.text(format!("    powered on {} times: QEMU's timer failed", row.attempts));
        }
    }
    for (node, like) in &report.skipped {
        table.short_row([node.clone(), format!("was not powered on: it is like {like} (--all)")]);
    }
    for note in &report.notes {
        table.text(format!("note: {note}"));
    }
    table.text(summary(report));
    table.print()
}

fn summary(report: &LabReport) -> String {
    let good = report.machines.iter().filter(|row| row.is_good()).count();
    let checks: usize = report.machines.iter().map(|row| row.checks).sum();
    format!(
        "{good} of {} did what {} should, {} compared; {} gave the leases, {} ran the machines",
        plural(report.machines.len(), "machine"),
        if report.machines.len() == 1 { "it" } else { "they" },
        plural(checks, "fact"),
        report.dhcp.as_str(),
        report.accelerator.as_str()
    )
}

/// The last lines of a machine's serial console.
pub(super) fn console_end(row: &MachineReport) -> String {
    let text = row.serial.as_deref().unwrap_or_default();
    let lines: Vec<String> = text.lines().map(printable).filter(|line| !line.trim().is_empty()).collect();
    let end = lines[lines.len().saturating_sub(LINES)..].join("\n");
    format!("-- the serial console of {} ({}), its end:\n{end}\n--", row.node, row.scenario.as_str())
}

/// `line` without control sequences, which would move the cursor of the reader's terminal.
fn printable(line: &str) -> String {
    let mut text = String::new();
    let mut chars = line.chars();
    while let Some(char) = chars.next() {
        if char == '\u{1b}' {
            // A control sequence (ECMA-48, section 5.4) ends with a byte of @ to ~.
            if chars.next() == Some('[') {
                let _ = chars.by_ref().find(|last| ('@'..='~').contains(last));
            }
        } else if !char.is_control() {
            text.push(char);
        }
    }
    text
}
