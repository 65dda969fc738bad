//! `plasmagen check`.

use clap::Args;
use time::OffsetDateTime;

use crate::check::check_with_certificates;
use crate::diag::Severity;
use crate::model::Cluster;
use crate::plan;

use super::output::{Output, plural};
use super::{DONE, InventoryArgument, REFUSED};

/// Prove the inventory sound: every fault at once, with its place and what to write instead
///
/// The certificates in nodes/ beside it are judged too, once the inventory itself is sound. No vault is needed.
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
        let gather = |cluster: &Cluster| plan::gather(self.inventory.root(), cluster);
        let checked = output.checked_by(path, self.deny_warnings, |bytes| {
            check_with_certificates(bytes, OffsetDateTime::now_utc(), gather)
        })?;
        let Some(cluster) = &checked.cluster else { return Ok(REFUSED) };
        let warnings = checked.count(Severity::Warning);
        let (nodes, warned) = (plural(cluster.nodes.len(), "node"), plural(warnings, "warning"));
        output.say(&format!("{} is sound: {nodes}, {warned}", path.display()));
        Ok(DONE)
    }
}
