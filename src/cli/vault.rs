//! `plasmagen vault`.

use clap::{Args, Subcommand};

use super::printer::Printer;

mod opened;
mod status;
mod verify;

/// Look after the vault, the directory of private keys
#[derive(Debug, Args)]
pub(super) struct VaultArgs {
    #[command(subcommand)]
    command: VaultCommand,
}

#[derive(Debug, Subcommand)]
enum VaultCommand {
    Status(status::StatusArgs),
    Verify(verify::VerifyArgs),
}

impl VaultArgs {
    pub(super) fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        match &self.command {
            VaultCommand::Status(status) => status.run(printer),
            VaultCommand::Verify(verify) => verify.run(printer),
        }
    }
}
