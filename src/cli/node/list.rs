//! `plasmagen node list`.

use anyhow::bail;
use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

use crate::cli::edited::{EditedInventory, parse_word};
use crate::cli::escape::{ascii_controls, many_lines};
use crate::cli::inventory::InventoryOption;
use crate::cli::printer::Printer;
use crate::cli::{DONE, JSON_SCHEMA};
use crate::diag::Report;
use crate::edit::{NodeList, list_nodes};
use crate::inventory::{self, NodeTable, Texts};
use crate::model::{Label, escape_line};

/// List the nodes of the inventory, as they are written
///
/// An inventory with errors is listed, too, as far as it can be read. `plasmagen show` prints resolved values.
#[derive(Debug, Args)]
pub(in crate::cli) struct ListArgs {
    /// Only the nodes of this profile
    #[arg(long, value_name = "PROFILE", value_parser = parse_word::<Label>)]
    profile: Option<Label>,
    /// Only the nodes of this failure domain
    #[arg(long, value_name = "RACK", value_parser = parse_word::<Label>)]
    rack: Option<Label>,
    /// How to print the nodes
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: ListFormat,
    #[command(flatten)]
    inventory: InventoryOption,
}

/// How a list of nodes is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ListFormat {
    /// Aligned columns
    Table,
    /// JSON, for programs
    Json,
    /// Comma-separated values (RFC 4180) with a row of headings; several disks are separated by `;`
    Csv,
}

impl ListArgs {
    pub(in crate::cli) fn run(&self, _: &Printer) -> anyhow::Result<u8> {
        let edited = EditedInventory::read(&self.inventory)?;
        let texts = Texts::read(edited.sources()).map_err(|fault| anyhow::anyhow!("{}", fault.message))?;
        if let Some(Err(why)) = &texts.nodes {
            bail!("the table of nodes cannot be read: {why}");
        }
        let inventory = inventory::parse(texts, &mut Report::default());
        let is_asked = |asked: &Option<Label>, written: Option<&Label>| {
            asked.as_ref().is_none_or(|asked| written == Some(asked))
        };
        let is_wanted = |node: &NodeTable| {
            is_asked(&self.profile, node.profile.as_ref().map(|profile| &profile.value))
                && is_asked(&self.rack, node.rack.as_ref().map(|rack| &rack.value))
        };
        let nodes = list_nodes(&inventory, is_wanted);
        Printer::print(&match self.format {
            ListFormat::Table => many_lines(&print_table(&nodes)),
            ListFormat::Json => ascii_controls(&(serde_json::to_string_pretty(&to_json(&nodes))? + "\n")),
            ListFormat::Csv => print_csv(&nodes),
        })?;
        Ok(DONE)
    }
}

/// Prints aligned columns.
fn print_table(nodes: &NodeList) -> String {
    let cell = |values: &Vec<String>| escape_line(&values.join(", ")).into_owned();
    let rows = nodes.rows.iter().map(|row| row.iter().map(cell).collect::<Vec<_>>());
    let rows: Vec<Vec<String>> = [nodes.columns.clone()].into_iter().chain(rows).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..nodes.columns.len()).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

/// A JSON object for each node, with the columns as keys; disks are a list.
fn to_json(nodes: &NodeList) -> Value {
    let object = |row: &Vec<Vec<String>>| {
        let cells = nodes.columns.iter().zip(row).filter(|(_, values)| !values.is_empty());
        let value = |(column, values): (&String, &Vec<String>)| {
            let value = if column == "disks" { json!(values) } else { json!(values[0]) };
            (column.clone(), value)
        };
        Value::Object(cells.map(value).collect::<Map<_, _>>())
    };
    json!({ "schema": JSON_SCHEMA, "nodes": nodes.rows.iter().map(object).collect::<Vec<_>>() })
}

/// Prints comma-separated values.
fn print_csv(nodes: &NodeList) -> String {
    let row = |cells: Vec<String>| cells.iter().map(|cell| quote(cell)).collect::<Vec<_>>().join(",") + "\n";
    let rows = nodes.rows.iter().map(|cells| row(cells.iter().map(|values| values.join(";")).collect()));
    row(nodes.columns.clone()) + &rows.collect::<String>()
}

/// A cell, in quotes where RFC 4180 wants them.
fn quote(cell: &str) -> String {
    if cell.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}
