//! `plasmagen diff`.

mod human;
mod source;

use std::path::PathBuf;

use clap::{Args, ValueHint};
use clap_complete::ArgValueCandidates;

use crate::change::compare;

use super::complete;
use super::inventory::InventoryOption;
use super::printer::Printer;
use super::{DONE, REFUSED};
use source::{Compared, Source};

/// Print what a change of the inventory does to each machine, before anything is done
///
/// Compares the resolved inventories: by default what was rendered last, site/inventory.json, with inventory.toml. For each
/// node, the provisioner, the name servers and you: what is reloaded, restarted, rebooted, installed again or lost, the keys that
/// are the cause, and what is to be done by hand.
#[derive(Debug, Args)]
pub(super) struct DiffArgs {
    /// The old cluster: an inventory, a site/inventory.json, or - for standard input [default: site/inventory.json]
    #[arg(value_name = "OLD", value_hint = ValueHint::FilePath)]
    old: Option<PathBuf>,
    /// The new cluster: an inventory, a site/inventory.json, or - for standard input [default: inventory.toml]
    #[arg(value_name = "NEW", conflicts_with = "option", value_hint = ValueHint::FilePath)]
    new: Option<PathBuf>,
    /// Compare with the inventory of this revision of git
    #[arg(long, value_name = "REV", conflicts_with = "old")]
    since: Option<String>,
    /// Print the consequences for this node only
    #[arg(long, value_name = "NODE", add = ArgValueCandidates::new(complete::nodes))]
    node: Option<String>,
    #[command(flatten)]
    inventory: InventoryOption,
}

impl DiffArgs {
    pub(super) fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        let new = match &self.new {
            Some(path) => Source::named(path),
            None => Source::Inventory(self.inventory.find()?),
        };
        let old = match (&self.old, &self.since) {
            (Some(path), _) => Source::named(path),
            (None, Some(revision)) => {
                Source::Revision { inventory: new.inventory()?, revision: revision.clone() }
            }
            (None, None) => Source::Rendered(new.root()?),
        };
        let Some(Compared { old, new }) = Compared::read(printer, &old, &new)? else { return Ok(REFUSED) };
        let change = compare(&old, &new)?;
        if let Some(name) = &self.node {
            source::find_node(&old, &new, name)?;
        }
        Printer::print(&human::print(&change, self.node.as_deref()))?;
        Ok(DONE)
    }
}
