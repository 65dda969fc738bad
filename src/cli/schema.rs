//! `plasmagen schema`.

use clap::Args;

use crate::inventory::json_schema;

use super::DONE;
use super::printer::Printer;

/// Print the JSON Schema by which editors complete and check an inventory
///
/// Even Better TOML and taplo find the schema by the line `#:schema ./inventory.schema.json` at the head of an inventory.
/// `plasmagen init` writes that line, and the file.
#[derive(Debug, Args)]
pub(super) struct SchemaArgs;

impl SchemaArgs {
    pub(super) fn run() -> anyhow::Result<u8> {
        Printer::print(&schema_text()?)?;
        Ok(DONE)
    }
}

/// The JSON Schema as the text of a file.
pub(super) fn schema_text() -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(&json_schema())? + "\n")
}
