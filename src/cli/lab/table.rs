//! What came of a lab, for people.

use std::fmt::Write;

use super::super::output::plural;
use crate::lab::{Report, Row};

/// How many lines of a console are shown; `--format json` and `--keep` have all of them.
const LINES: usize = 60;

/// A line for each machine, what is wrong below it, and a sentence at the end.
pub(super) fn table(report: &Report) -> String {
    let wide = |own: &dyn Fn(&Row) -> usize| report.machines.iter().map(own).max().unwrap_or_default();
    let (name, kind) = (wide(&|row| row.node.len()), wide(&|row| row.kind.as_str().len()));
    let mut text = format!(
        "{:<name$}  {:<kind$}  {:<9}  {:<7}  {:<15}  steps, in seconds after power-on\n",
        "node", "as", "firmware", "verdict", "address"
    );
    for row in &report.machines {
        let steps: Vec<_> =
            row.steps.iter().map(|(step, seconds)| format!("{} {seconds:.1}", step.as_str())).collect();
        let verdict = if row.is_good() { "ok" } else { "FAILED" };
        let _ = writeln!(
            text,
            "{:<name$}  {:<kind$}  {:<9}  {verdict:<7}  {:<15}  {}",
            row.node,
            row.kind.as_str(),
            row.firmware.as_str(),
            row.address.as_deref().unwrap_or("none"),
            steps.join(", ")
        );
        for fault in &row.faults {
            let _ = writeln!(text, "    {fault}");
        }
        if !row.missing.is_empty() {
            let missing: Vec<_> = row.missing.iter().map(|step| step.as_str()).collect();
            let _ = writeln!(text, "    it never came to: {}", missing.join(", "));
        }
        if row.attempts > 1 {
            let _ = writeln!(text, "    powered on {} times: QEMU's timer failed", row.attempts);
        }
    }
    for (node, like) in &report.sampled {
        let _ = writeln!(text, "{node:<name$}  was not powered on: it is like {like} (--all)");
    }
    for note in &report.notes {
        let _ = writeln!(text, "note: {note}");
    }
    let good = report.machines.iter().filter(|row| row.is_good()).count();
    let checks: usize = report.machines.iter().map(|row| row.checks).sum();
    let _ = writeln!(
        text,
        "{good} of {} did what {} should, {} compared; {} gave the leases, {} ran the machines",
        plural(report.machines.len(), "machine"),
        if report.machines.len() == 1 { "it" } else { "they" },
        plural(checks, "fact"),
        report.dhcp.as_str(),
        report.acceleration.as_str()
    );
    text
}

/// The end of a machine's serial console.
pub(super) fn console(row: &Row) -> String {
    let text = row.serial.as_deref().unwrap_or_default();
    let lines: Vec<String> = text.lines().map(printable).filter(|line| !line.trim().is_empty()).collect();
    let end = lines[lines.len().saturating_sub(LINES)..].join("\n");
    format!("-- the serial console of {} ({}), its end:\n{end}\n--", row.node, row.kind.as_str())
}

/// A line without what would move the cursor of the reader's terminal.
fn printable(line: &str) -> String {
    let mut text = String::new();
    let mut chars = line.chars();
    while let Some(char) = chars.next() {
        if char == '\u{1b}' {
            // A control sequence (ECMA-48, section 5.4) ends with a byte of @ to ~.
            if chars.next() == Some('[') {
                let _ = chars.by_ref().find(|own| ('@'..='~').contains(own));
            }
        } else if !char.is_control() {
            text.push(char);
        }
    }
    text
}
