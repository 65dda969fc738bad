//! `plasmagen certs`.

use clap::{Args, Subcommand};

use super::printer::Printer;

mod renew;
mod revoked;
mod rotate;
mod rotation_status;
mod status;

/// Show and renew the certificates of the cluster, and replace the CA
#[derive(Debug, Args)]
pub(super) struct CertsArgs {
    #[command(subcommand)]
    command: CertsCommand,
}

#[derive(Debug, Subcommand)]
enum CertsCommand {
    Status(status::StatusArgs),
    Renew(renew::RenewArgs),
    Revoked(revoked::RevokedArgs),
    Rotate(rotate::RotateArgs),
}

impl CertsArgs {
    pub(super) fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        match &self.command {
            CertsCommand::Status(status) => status.run(printer),
            CertsCommand::Renew(renew) => renew.run(printer),
            CertsCommand::Revoked(revoked) => revoked.run(printer),
            CertsCommand::Rotate(rotate) => rotate.run(printer),
        }
    }
}
