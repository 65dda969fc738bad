//! `plasmagen show`.

use std::path::PathBuf;

use anyhow::{Context, anyhow};
use clap::Args;
use clap_complete::ArgValueCandidates;
use serde_json::{Value, json};

use crate::inventory::nearest;
use crate::model::{Cluster, Node};
use crate::resolve::{Draft, Shown, resolve, show_cluster, show_node};

use super::complete;
use super::output::{DataFormat, Output};
use super::{DONE, INVENTORY, REFUSED};

/// The version of the JSON form; it rises when a key changes its meaning or goes away.
const FORM: u32 = 1;

/// Print what the inventory comes to, each value with where it comes from
///
/// A value comes from `node.NAME`, `profile.NAME`, `service.NAME` and the like, from what is built in, or is the
/// default.
#[derive(Debug, Args)]
pub(super) struct Show {
    /// The node to show; without it, what is true of the cluster, and a table of nodes
    #[arg(value_name = "NODE", add = ArgValueCandidates::new(complete::nodes))]
    node: Option<String>,
    /// The inventory to read
    #[arg(long, short, value_name = "INVENTORY", default_value = INVENTORY)]
    inventory: PathBuf,
    /// As aligned text, or as JSON
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: DataFormat,
}

impl Show {
    pub(super) fn run(&self, output: &Output) -> anyhow::Result<u8> {
        let checked = output.checked(&self.inventory)?;
        let Some(cluster) = &checked.cluster else { return Ok(REFUSED) };
        let draft = resolve(&checked.inventory);
        let text = match &self.node {
            Some(name) => self.node(&draft, cluster, name)?,
            None => self.cluster(&draft, cluster)?,
        };
        Output::print(&text)?;
        Ok(DONE)
    }

    fn node(&self, draft: &Draft<'_>, cluster: &Cluster, name: &str) -> anyhow::Result<String> {
        let sealed = cluster.nodes.iter().find(|node| node.name.as_str() == name);
        let node = sealed.ok_or_else(|| unknown(cluster, name))?;
        let drafted = draft.node(name).context("a node was sealed that is not in the draft: a bug")?;
        let values = show_node(draft, drafted, node)?;
        Ok(match self.format {
            DataFormat::Human => lines(&values),
            DataFormat::Json => pretty(&json!({ "schema": FORM, "node": name, "values": list(&values) }))?,
        })
    }

    fn cluster(&self, draft: &Draft<'_>, cluster: &Cluster) -> anyhow::Result<String> {
        let values = show_cluster(draft, cluster)?;
        let rows = cluster.nodes.iter().map(row);
        Ok(match self.format {
            DataFormat::Human => {
                let head = ["node", "profile", "mac", "addresses", "services"].map(str::to_owned);
                let rows: Vec<_> = std::iter::once(head).chain(rows).collect();
                format!("{}\n{}", lines(&values), columns(&rows))
            }
            DataFormat::Json => {
                let nodes: Vec<&str> = cluster.nodes.iter().map(|node| node.name.as_str()).collect();
                pretty(
                    &json!({ "schema": FORM, "cluster": cluster.name, "nodes": nodes, "values": list(&values) }),
                )?
            }
        })
    }
}

/// There is no node of that name.
pub(super) fn unknown(cluster: &Cluster, name: &str) -> anyhow::Error {
    let names: Vec<&str> = cluster.nodes.iter().map(|node| node.name.as_str()).collect();
    let help = match nearest(name, &names) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "plasmagen show prints a table of nodes".to_owned(),
    };
    anyhow!("there is no node `{}`: {help}", name.escape_debug())
}

/// A node in the table of nodes.
fn row(node: &Node) -> [String; 5] {
    let joined = |words: Vec<String>| words.join(", ");
    [
        node.name.to_string(),
        node.profile.to_string(),
        node.mac.to_string(),
        joined(node.addresses().map(|address| address.to_string()).collect()),
        joined(node.services.iter().map(|service| service.name.to_string()).collect()),
    ]
}

fn list(values: &[Shown<'_>]) -> Vec<Value> {
    let entry =
        |own: &Shown<'_>| json!({ "path": own.path, "value": own.value, "from": own.origin.to_string() });
    values.iter().map(entry).collect()
}

fn pretty(value: &Value) -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}

/// A value a line: its key, where it comes from, and last, since it may be long, the value itself.
fn lines(values: &[Shown<'_>]) -> String {
    let rows: Vec<_> =
        values.iter().map(|own| [own.key(), own.origin.to_string(), text(&own.value)]).collect();
    columns(&rows)
}

/// A value on one line: a list without brackets, anything else as JSON writes it.
fn text(value: &Value) -> String {
    match value {
        Value::Array(items) if !items.is_empty() => {
            items.iter().map(Value::to_string).collect::<Vec<_>>().join(", ")
        }
        plain => plain.to_string(),
    }
}

/// Rows with their columns aligned.
fn columns<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}
