//! The options of commands that render the site with host keys that were asked for.

use std::path::PathBuf;

use clap::Args;

use crate::cli::committed::read_examined_briefly;
use crate::cli::inventory::{InventoryOption, root_of};
use crate::cli::printer::Printer;
use crate::cli::render::SiteSource;
use crate::cli::vault_option::VaultOption;
use crate::cli::{DONE, REFUSED};
use crate::model::Cluster;
use crate::pki::VaultUse;
use crate::pki::cluster::{HostKeyRequest, IssueOrder};
use crate::write::CommitOptions;

/// The inventory and the vault, as options.
#[derive(Debug, Args)]
pub(super) struct SiteOptions {
    #[command(flatten)]
    inventory: InventoryOption,
    #[command(flatten)]
    vault: VaultOption,
    /// Replace files in nodes/ and site/ that were edited by hand
    #[arg(long)]
    discard_edits: bool,
}

impl SiteOptions {
    /// Renders the site as `plasmagen render` does, with the host keys that `ask` lists.
    pub(super) fn render(
        &self,
        printer: &Printer,
        ask: impl FnOnce(&Cluster) -> anyhow::Result<HostKeyRequest>,
    ) -> anyhow::Result<u8> {
        let inventory: PathBuf = self.inventory.find()?;
        let examined = read_examined_briefly(printer, &inventory, &self.vault, VaultUse::Keys)?;
        let (checked, superseded) = (examined.checked, examined.superseded);
        let Some(cluster) = checked.cluster else { return Ok(REFUSED) };
        let asked = ask(&cluster)?;
        let source =
            SiteSource { root: root_of(&inventory), vault: &self.vault, written: checked.vault.as_deref() };
        let order = IssueOrder { host_keys: asked, superseded, ..IssueOrder::default() };
        let options = CommitOptions { discard_edits: self.discard_edits };
        source.render(printer, cluster, options, &order)?;
        Ok(DONE)
    }
}

/// Says what follows from a new host key where the keys of nodes are encrypted to host keys.
pub(super) fn tell_of_encrypted(printer: &Printer) {
    printer.say(
        "a file that was encrypted to another host key of the node, the node cannot decrypt: plasmagen secrets encrypt \
         NODE --to DIR --force replaces the file",
    );
}
