//! `plasmagen vault restore`.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, ValueHint};
use time::format_description::well_known::Rfc3339;
use zeroize::Zeroizing;

use crate::fs::read_input;
use crate::pki::backup_file::BACKUP_LIMIT;
use crate::pki::vault::{RestoreRequest, restore};

use super::super::printer::{Printer, plural};
use super::super::{DONE, REFUSED};
use super::opened::{VaultSource, print_faults, read_identities};

/// Make the vault anew from a backup
///
/// The vault must not exist yet, or be empty: a key is never overwritten. The backup is checked in memory first, and becomes
/// the vault as a whole or not at all. Where the private key needs a passphrase or a plugin, let age decrypt: age -d -i
/// KEYFILE FILE | plasmagen vault restore /dev/stdin
#[derive(Debug, Args)]
pub(super) struct RestoreArgs {
    /// The backup
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,
    /// The private key of a recipient: a file of age secret keys, or an SSH private key
    #[arg(long, value_name = "KEYFILE", value_hint = ValueHint::FilePath)]
    identity: Option<PathBuf>,
    #[command(flatten)]
    source: VaultSource,
}

impl RestoreArgs {
    pub(super) fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        let Some(opened) = self.source.open(printer)? else { return Ok(REFUSED) };
        let opened = opened?;
        let identities = self.identity.as_deref().map(read_identities).transpose()?;
        let name = self.file.display().to_string();
        let backup =
            read_input(&self.file, BACKUP_LIMIT).with_context(|| format!("could not read {name}"))?;
        let backup = Zeroizing::new(backup);
        let restored = restore(
            opened.vault.dir(),
            &RestoreRequest {
                backup: &backup,
                name: &name,
                identities: identities.as_ref(),
                cluster: &opened.cluster,
                keys: &opened.keys,
            },
        )?;
        let vault = opened.vault.dir().display();
        let (keys, made) = (plural(restored.keys, "key"), restored.manifest.made.format(&Rfc3339)?);
        printer.say(&if restored.was_there {
            format!("the vault {vault} holds the {keys} of {name} already, nothing was touched")
        } else {
            format!(
                "restored {keys} of cluster {}, backed up at {made}, in {vault}",
                restored.manifest.cluster
            )
        });
        if !restored.faults.is_empty() {
            Printer::warn_rendered(print_faults(&restored.faults).trim_end());
            let faults = plural(restored.faults.len(), "fault");
            Printer::warn(&format!(
                "the restored vault has {faults}: it is older than nodes/, or was faulty when it was backed up"
            ));
        }
        Ok(DONE)
    }
}
