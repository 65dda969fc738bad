//! `plasmagen vault`.

use clap::{Args, Subcommand};

use super::printer::Printer;

mod backup;
mod opened;
mod restore;
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
    Backup(backup::BackupArgs),
    Restore(restore::RestoreArgs),
}

impl VaultArgs {
    pub(super) fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        match &self.command {
            VaultCommand::Status(status) => status.run(printer),
            VaultCommand::Verify(verify) => verify.run(printer),
            VaultCommand::Backup(backup) => backup.run(printer),
            VaultCommand::Restore(restore) => restore.run(printer),
        }
    }
}
