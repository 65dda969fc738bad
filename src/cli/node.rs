//! `plasmagen node`.

mod add;
mod list;
mod remove;
mod replace;

use clap::{Args, Subcommand};

use super::printer::Printer;

/// Add, remove, replace and list the nodes of the inventory
#[derive(Debug, Args)]
pub(super) struct NodeArgs {
    #[command(subcommand)]
    command: NodeCommand,
}

#[derive(Debug, Subcommand)]
enum NodeCommand {
    Add(add::AddArgs),
    Remove(remove::RemoveArgs),
    Replace(Box<replace::ReplaceArgs>),
    List(list::ListArgs),
}

impl NodeArgs {
    pub(super) fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        match &self.command {
            NodeCommand::Add(add) => add.run(printer),
            NodeCommand::Remove(remove) => remove.run(printer),
            NodeCommand::Replace(replace) => replace.run(printer),
            NodeCommand::List(list) => list.run(printer),
        }
    }
}
