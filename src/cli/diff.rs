//! `plasmagen diff`.

mod fail;
mod human;
mod json;
mod live;
mod markdown;
mod revision;
mod source;

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};
use clap_complete::ArgValueCandidates;

use crate::change::{Change, Party, Procedure, compare, plan_procedure};

use super::REFUSED;
use super::complete;
use super::escape::{ascii_controls, many_lines};
use super::inventory::InventoryOption;
use super::printer::Printer;
pub(super) use revision::RENDERED;

use fail::FailOptions;
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
    /// Ask these nodes over ssh what they run, and compare that with what was rendered last
    #[arg(
        long,
        value_name = "NODE",
        value_delimiter = ',',
        conflicts_with_all = ["old", "new", "since", "order"],
        add = ArgValueCandidates::new(complete::nodes)
    )]
    live: Vec<String>,
    /// Print the consequences for this node only
    #[arg(long, value_name = "NODE", add = ArgValueCandidates::new(complete::nodes))]
    node: Option<String>,
    /// Print the steps that carry the change out, in their order, with the commands
    #[arg(long)]
    order: bool,
    /// How to print the change: as text for people, as JSON for programs, or as Markdown for a pull request
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: DiffFormat,
    #[command(flatten)]
    fail: FailOptions,
    #[command(flatten)]
    inventory: InventoryOption,
}

/// A hint where nothing has changed since the last render: the comparison knows no older state.
const FORGOTTEN: &str = "inventory.toml is what was rendered last, and machines may run what was rendered before: plasmagen diff \
                         --since REV compares with that";

/// How a change is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DiffFormat {
    Human,
    Json,
    Markdown,
}

impl DiffArgs {
    pub(super) fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        if !self.live.is_empty() {
            return self.compare_live(printer);
        }
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
        let is_rendered = matches!(old, Source::Rendered(_));
        let Some(Compared { old, new }) = Compared::read(printer, &old, &new)? else { return Ok(REFUSED) };
        let change = compare(&old, &new)?;
        if let Some(name) = &self.node {
            source::find_node(&old, &new, name)?;
        }
        let is_needed = self.order || self.format == DiffFormat::Json;
        let procedure = if is_needed { plan_procedure(&change, &old, &new) } else { Procedure::default() };
        Printer::print(&self.text(&change, &procedure)?)?;
        if change.is_empty() && is_rendered && self.format != DiffFormat::Json {
            printer.say(FORGOTTEN);
        }
        let refusal = procedure.refusal.as_deref().filter(|_| self.order);
        refusal.into_iter().for_each(Printer::warn);
        let status = self.fail.judge(&change, &old, &new)?;
        Ok(if refusal.is_some() { REFUSED } else { status })
    }

    /// `--live`: compares what nodes run with what was rendered last.
    fn compare_live(&self, printer: &Printer) -> anyhow::Result<u8> {
        let root = Source::Inventory(self.inventory.find()?).root()?;
        let Some(cluster) = source::read_cluster(printer, &Source::Rendered(root.clone()), &root)? else {
            return Ok(REFUSED);
        };
        let (change, silent) = live::compare_nodes(&root, &cluster, &self.live)?;
        if silent < self.live.len() {
            Printer::print(&self.text(&change, &Procedure::default())?)?;
        }
        let status = self.fail.judge(&change, &cluster, &cluster)?;
        Ok(if silent > 0 { REFUSED } else { status })
    }

    fn text(&self, change: &Change, procedure: &Procedure) -> anyhow::Result<String> {
        let node = self.node.as_deref().map(|name| source::find_new_name(change, name));
        let is_shown = |party: &Party| match node {
            None => *party != Party::Nobody,
            Some(name) => matches!(party, Party::Node(other) if other == name),
        };
        let steps = &procedure.steps[..];
        Ok(match (self.format, self.order) {
            (DiffFormat::Json, _) => {
                let document = json::Document::new(change, procedure, |found| {
                    self.node.is_none() || is_shown(&found.who)
                });
                ascii_controls(&serde_json::to_string_pretty(&document)?) + "\n"
            }
            (DiffFormat::Human, false) => human::print(change, is_shown),
            (_, true) if change.is_empty() => human::NOTHING.to_owned(),
            (DiffFormat::Human, true) => many_lines(&human::print_steps(steps)),
            (DiffFormat::Markdown, false) => markdown::print(change, is_shown),
            (DiffFormat::Markdown, true) => markdown::print_steps(steps),
        })
    }
}
