//! `plasmagen keys`.

mod adopt;
mod make;
mod site_options;
mod status;

use clap::{Args, Subcommand};

use super::printer::Printer;

/// Show and change the SSH keys of the cluster
#[derive(Debug, Args)]
pub(super) struct KeysArgs {
    #[command(subcommand)]
    command: KeysCommand,
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    Make(make::MakeArgs),
    Adopt(adopt::AdoptArgs),
    Status(status::StatusArgs),
}

impl KeysArgs {
    pub(super) fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        match &self.command {
            KeysCommand::Make(make) => make.run(printer),
            KeysCommand::Adopt(adopt) => adopt.run(printer),
            KeysCommand::Status(status) => status.run(printer),
        }
    }
}
