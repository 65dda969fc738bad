//! `plasmagen show`.

use std::collections::BTreeSet;

use anyhow::Context;
use clap::Args;
use clap_complete::ArgValueCandidates;
use serde_json::{Value, json};

use crate::model::{Cluster, Node};
use crate::plan::former::FormerCluster;
use crate::resolve::{Draft, Origin, ResolvedValue, list_cluster_values, list_node_values, resolve};
use crate::rules::keep_labels;

use super::complete;
use super::inventory::{InventoryOption, check_read, root_of};
use super::printer::{FormatOption, Printer};
use super::sources::InventoryFiles;
use super::table::TextTable;
use super::{DONE, JSON_SCHEMA, REFUSED, named};

/// Print the values of the cluster or of a node, and where each value comes from
///
/// A value comes from `node.NAME`, a line of the table of nodes such as `nodes.csv:7`, `profile.NAME`, `service.NAME` or another table of the inventory, is built in, or is a
/// default. Names on disks of which the inventory says nothing stay as they were rendered last.
#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// The node to show; without it, the values of the cluster, and a table of its nodes
    #[arg(value_name = "NODE", add = ArgValueCandidates::new(complete::nodes))]
    node: Option<String>,
    #[command(flatten)]
    inventory: InventoryOption,
    #[command(flatten)]
    format: FormatOption,
}

impl ShowArgs {
    pub(super) fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        let inventory = self.inventory.find()?;
        let files = InventoryFiles::read(&inventory)?;
        let checked = check_read(printer, &inventory, &files)?;
        let Some(cluster) = &checked.cluster else { return Ok(REFUSED) };
        let mut draft = resolve(&checked.inventory);
        let former = FormerCluster::gather(root_of(&inventory), cluster);
        keep_labels(&mut draft, cluster, &former, &BTreeSet::new());
        match &self.node {
            Some(name) => self.print_node(&draft, cluster, name, &files)?,
            None => self.print_cluster(&draft, cluster)?,
        }
        Ok(DONE)
    }

    fn print_node(
        &self,
        draft: &Draft<'_>,
        cluster: &Cluster,
        name: &str,
        files: &InventoryFiles,
    ) -> anyhow::Result<()> {
        let node = named::find_node(cluster, name)?;
        let name = node.name.as_str();
        let drafted =
            draft.node(name).context("a node of the cluster is not in the draft: a bug of plasmagen")?;
        let values = list_node_values(draft, cluster, drafted)?;
        let line = files.text().line_in_table(&drafted.entry.span);
        let is_of_node = |origin: &Origin<'_>| matches!(origin, Origin::Named("node", _));
        let from = |origin: &Origin<'_>| match &line {
            Some(line) if is_of_node(origin) => line.clone(),
            _ => origin.to_string(),
        };
        let value = json!({ "schema": JSON_SCHEMA, "node": name, "values": json_list(&values, from) });
        self.format.print(&value, || values_table(&values, from))
    }

    fn print_cluster(&self, draft: &Draft<'_>, cluster: &Cluster) -> anyhow::Result<()> {
        let values = list_cluster_values(draft)?;
        let nodes: Vec<&str> = cluster.nodes.iter().map(|node| node.name.as_str()).collect();
        let value = json!({
            "schema": JSON_SCHEMA, "cluster": cluster.name, "nodes": nodes,
            "values": json_list(&values, print_origin)
        });
        self.format
            .print(&value, || format!("{}\n{}", values_table(&values, print_origin), nodes_table(cluster)))
    }
}

/// The table of nodes.
fn nodes_table(cluster: &Cluster) -> String {
    let mut table = TextTable::with_headings(["node", "profile", "mac", "addresses", "services"]);
    cluster.nodes.iter().for_each(|node| table.row(node_row(node)));
    table.print()
}

fn node_row(node: &Node) -> [String; 5] {
    let joined = |words: Vec<String>| words.join(", ");
    [
        node.name.to_string(),
        node.profile.to_string(),
        node.mac.to_string(),
        joined(node.addresses().map(|address| address.to_string()).collect()),
        joined(node.services.iter().map(|service| service.name.to_string()).collect()),
    ]
}

/// An origin as its table.
fn print_origin(origin: &Origin<'_>) -> String {
    origin.to_string()
}

fn json_list(values: &[ResolvedValue<'_>], from: impl Fn(&Origin<'_>) -> String) -> Vec<Value> {
    let entry = |shown: &ResolvedValue<'_>| json!({ "path": shown.path, "value": shown.value, "from": from(&shown.origin) });
    values.iter().map(entry).collect()
}

/// A row for each value: its key, its origin, and last, since it may be long, the value.
fn values_table(values: &[ResolvedValue<'_>], from: impl Fn(&Origin<'_>) -> String) -> String {
    let mut table = TextTable::new();
    for shown in values {
        table.row([shown.key(), from(&shown.origin), value_text(&shown.value)]);
    }
    table.print()
}

/// A value on one line: a list without brackets, anything else as JSON writes it.
fn value_text(value: &Value) -> String {
    match value {
        Value::Array(items) if !items.is_empty() => {
            items.iter().map(Value::to_string).collect::<Vec<_>>().join(", ")
        }
        plain => plain.to_string(),
    }
}
