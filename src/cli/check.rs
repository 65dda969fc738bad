//! `plasmagen check`.

use clap::Args;

use crate::diag::Severity;

use super::output::{Output, plural};
use super::{DONE, InventoryArgument, REFUSED};

/// Prove the inventory sound: every fault at once, with its place and what to write instead
#[derive(Debug, Args)]
pub(super) struct Check {
    #[command(flatten)]
    inventory: InventoryArgument,
    /// Let warnings refuse the inventory as well
    #[arg(long)]
    deny_warnings: bool,
}

impl Check {
    pub(super) fn run(&self, output: &Output) -> anyhow::Result<u8> {
        let path = &self.inventory.inventory;
        let checked = output.checked(path, self.deny_warnings)?;
        let Some(cluster) = &checked.cluster else { return Ok(REFUSED) };
        let warnings = checked.count(Severity::Warning);
        let (nodes, warned) = (plural(cluster.nodes.len(), "node"), plural(warnings, "warning"));
        output.say(&format!("{} is sound: {nodes}, {warned}", path.display()));
        Ok(DONE)
    }
}
