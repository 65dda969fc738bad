//! What a command has done to each machine, as a table and as JSON.

use serde_json::{Value, json};

use super::targets::Target;
use crate::bmc::{Identity, Outcome};
use crate::cli::JSON_SCHEMA;
use crate::cli::printer::Printer;
use crate::cli::table::TextTable;

/// A node, and what became of it.
type Row<'a> = (&'a Target<'a>, anyhow::Result<Outcome>);

/// The table: a row for each node.
pub(super) fn to_table(rows: &[Row<'_>]) -> String {
    let mut table = TextTable::with_headings(["node", "BMC", "power", "next boot", "serial", ""]);
    for (Target { node, bmc }, outcome) in rows {
        let (name, address) = (node.name.to_string(), bmc.address.to_string());
        match outcome {
            Err(error) => table.short_row([name, address, format!("failed: {error:#}")]),
            Ok(Outcome { reading, identity, done, .. }) => {
                let boot = reading.boot.as_ref().map_or_else(|| "boot order".to_owned(), ToString::to_string);
                let serial = match identity {
                    Identity::Same => "same".to_owned(),
                    Identity::Other => format!("other: {}", reading.serials.join(", ")),
                    Identity::Unknown => "unknown".to_owned(),
                };
                table.row([name, address, reading.power.to_string(), boot, serial, (*done).to_owned()]);
            }
        }
    }
    table.print()
}

/// The rows for a program.
pub(super) fn to_json(rows: &[Row<'_>]) -> Value {
    let nodes: Vec<_> = rows
        .iter()
        .map(|(Target { node, bmc }, outcome)| {
            let mut value = json!({ "node": node.name, "address": bmc.address, "protocol": bmc.protocol });
            match outcome {
                Err(error) => value["error"] = format!("{error:#}").into(),
                Ok(Outcome { reading, identity, done, notes }) => {
                    value["power"] = json!(reading.power);
                    value["boot"] = json!(reading.boot);
                    value["serials"] = json!(reading.serials);
                    value["identity"] = json!(identity);
                    value["done"] = json!(done);
                    value["notes"] = json!(notes);
                }
            }
            value
        })
        .collect();
    json!({ "schema": JSON_SCHEMA, "nodes": nodes })
}

/// Prints what the operator must know of each machine.
pub(super) fn say_notes(printer: &Printer, rows: &[Row<'_>]) {
    for (target, outcome) in rows {
        for note in outcome.iter().flat_map(|outcome| &outcome.notes) {
            printer.say(&format!("{}: {note}", target.node.name));
        }
    }
}
