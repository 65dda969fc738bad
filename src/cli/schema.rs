//! `plasmagen schema`.

use clap::Args;

use crate::inventory::json_schema;

use super::DONE;
use super::output::Output;

/// Print the JSON Schema of inventories: editors complete and validate by it
///
/// Even Better TOML and taplo follow the line `#:schema ./inventory.schema.json` at the head of an inventory, which
/// init writes.
#[derive(Debug, Args)]
pub(super) struct Schema;

impl Schema {
    pub(super) fn run() -> anyhow::Result<u8> {
        Output::print(&text()?)?;
        Ok(DONE)
    }
}

/// The schema as a file.
pub(super) fn text() -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(&json_schema())? + "\n")
}
