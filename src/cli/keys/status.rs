//! `plasmagen keys status`.

use std::collections::BTreeSet;

use clap::Args;
use serde_json::json;

use crate::cli::inventory::root_of;
use crate::cli::printer::{FormatOption, Printer, plural};
use crate::cli::table::TextTable;
use crate::cli::web_root::WebRootOptions;
use crate::cli::{DONE, JSON_SCHEMA, REFUSED};
use crate::model::{HostName, list_few};
use crate::plan::HostKeys;
use crate::publish::{AdminKeyRow, list_admin_keys};

/// Print which admin key opens which nodes and installers (needs no vault)
///
/// A row for each key: whether the inventory lists the key, the nodes whose rendered configuration and overlay admit the
/// key, whether installer images that are built from the rendered site do, and the nodes whose published overlay does.
/// Nodes and images that are older than the rendered site admit the keys of their day: this command does not log in to them.
#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    #[command(flatten)]
    root: WebRootOptions,
    #[command(flatten)]
    format: FormatOption,
}

impl StatusArgs {
    pub(super) fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        let Some(cluster) = self.root.cluster(printer)? else { return Ok(REFUSED) };
        let root = self.root.inventory.find()?;
        let root = root_of(&root);
        let rows = list_admin_keys(root, &cluster, Some(&self.root.path(Some(&cluster))?))?;
        let host_keys = HostKeys::gather(root, &cluster)?;
        let names: Vec<_> = cluster.nodes.iter().map(|node| node.name.as_str()).collect();
        let unknown: Vec<_> = cluster.nodes.iter().map(|node| &node.name).collect();
        let unknown: Vec<_> =
            unknown.into_iter().filter(|name| !host_keys.keys.contains_key(*name)).collect();
        let value = json!({ "schema": JSON_SCHEMA, "keys": rows, "unknown_host_keys": unknown });
        self.format.print(&value, || print_table(&rows, names.len()))?;
        for row in &rows {
            print_remark(printer, row, &names);
        }
        if !unknown.is_empty() {
            let few: Vec<_> = unknown.iter().map(|name| name.as_str()).collect();
            printer.say(&format!(
                "{} without a line in site/known_hosts: {}: plasmagen keys adopt --help",
                plural(unknown.len(), "node"),
                list_few(&few)
            ));
        }
        Ok(DONE)
    }
}

fn print_table(rows: &[AdminKeyRow], nodes: usize) -> String {
    let headings = ["key", "inventory", "configuration", "overlay", "image", "published", "comment"];
    let mut table = TextTable::with_headings(headings);
    let is = |is: bool| if is { "yes" } else { "no" }.to_owned();
    let of = |some: &BTreeSet<HostName>| match some.len() {
        0 => "none".to_owned(),
        all if all == nodes => "all".to_owned(),
        some => format!("{some} of {nodes}"),
    };
    for row in rows {
        table.row([
            row.fingerprint.clone(),
            is(row.inventory),
            of(&row.configuration),
            of(&row.overlay),
            is(row.image),
            row.published.as_ref().map_or_else(|| "unknown".to_owned(), of),
            row.comment.clone(),
        ]);
    }
    table.print()
}

/// Says what is to be done about a key that opens less, or more, than the inventory says; `names` are those of all nodes.
fn print_remark(printer: &Printer, row: &AdminKeyRow, names: &[&str]) {
    if row.algorithm.is_empty() {
        printer.say(&format!(
            "{} is not a key alone, and may admit somebody: plasmagen render --discard-edits writes the files anew, \
             and plasmagen publish the overlays",
            row.comment
        ));
        return;
    }
    let is_rendered = |nodes: &BTreeSet<HostName>| match row.inventory {
        true => nodes.len() == names.len(),
        false => nodes.is_empty(),
    };
    let (key, verb) = (&row.fingerprint, if row.inventory { "does not open" } else { "still opens" });
    if !(is_rendered(&row.configuration) && is_rendered(&row.overlay) && row.image == row.inventory) {
        printer.say(&format!("{key} {verb} everything that the rendered site says: plasmagen render"));
    } else if !row.published.as_ref().is_none_or(is_rendered) {
        printer.say(&format!("{key} {verb} all published installers: plasmagen publish"));
    }
}
