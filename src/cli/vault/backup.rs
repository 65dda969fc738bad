//! `plasmagen vault backup`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{anyhow, ensure};
use clap::{Args, ValueHint};
use time::OffsetDateTime;

use crate::pki::recipient::Recipient;
use crate::pki::vault::{BackupRequest, back_up};

use super::super::printer::{Printer, plural, size};
use super::super::{DONE, REFUSED};
use super::opened::{VaultSource, read_identities};

/// Encrypt the whole vault into one file that may be committed
///
/// The file is encrypted by age to `vault.recipients` of the inventory, at least two. It is read back and decrypted with
/// the key that was chosen for the file, and compared with the vault, before it replaces an older backup of the same
/// cluster. Exits with status 1 where the vault has a fault, and so has the backup.
#[derive(Debug, Args)]
pub(super) struct BackupArgs {
    /// The file to write
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    to: PathBuf,
    /// The private key of a recipient, age's or SSH's: the backup is decrypted with it as well
    #[arg(long, value_name = "KEYFILE", value_hint = ValueHint::FilePath)]
    identity: Option<PathBuf>,
    /// Replace FILE whatever it is, and whatever is wrong with the vault
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    source: VaultSource,
}

impl BackupArgs {
    pub(super) fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        let Some(opened) = self.source.open(printer)? else { return Ok(REFUSED) };
        let opened = opened?;
        let recipients = parse_recipients(&opened.recipients)?;
        let identities = self.identity.as_deref().map(read_identities).transpose()?;
        let forbidden = opened.list_forbidden(&self.to)?;
        let backup = back_up(
            opened.vault.dir(),
            &BackupRequest {
                to: &self.to,
                forbidden: &forbidden.iter().map(PathBuf::as_path).collect::<Vec<_>>(),
                cluster: &opened.cluster,
                keys: &opened.keys,
                recipients: &recipients,
                identities: identities.as_ref(),
                now: OffsetDateTime::now_utc(),
                force: self.force,
            },
        )?;
        let (keys, recipients) = (plural(backup.keys, "key"), plural(recipients.len(), "recipient"));
        let proof = match identities {
            Some(_) => "decrypted with the key of a recipient",
            None => "decrypted with the key of this run",
        };
        printer.say(&format!(
            "backed up {keys} to {}, {}, encrypted to {recipients}; read back, {proof}, and compared",
            self.to.display(),
            size(backup.bytes)
        ));
        if backup.faults > 0 {
            let faults = plural(backup.faults, "fault");
            Printer::warn(&format!(
                "the vault has {faults}, and so has the backup: plasmagen vault verify names them"
            ));
            return Ok(if self.force { DONE } else { REFUSED });
        }
        Ok(DONE)
    }
}

/// The recipients of the inventory, which rule PG-H16 has accepted: each once, and at least two.
fn parse_recipients(listed: &[String]) -> anyhow::Result<Vec<Recipient>> {
    let mut recipients = Vec::new();
    let mut known = BTreeSet::new();
    for text in listed {
        let recipient = Recipient::parse(text.trim())
            .map_err(|why| anyhow!("vault.recipients: {}; {}", why.message, why.help))?;
        if let Some(plugin) = recipient.plugin() {
            return Err(anyhow!(
                "plasmagen runs no plugins of age, and only `age-plugin-{plugin}` encrypts to a recipient in [vault]: \
                 leave that recipient out, or pack the vault with tar(1) and encrypt the archive with age(1)"
            ));
        }
        if known.insert(recipient.identity().to_owned()) {
            recipients.push(recipient);
        }
    }
    ensure!(
        recipients.len() >= 2,
        "a backup is encrypted to at least two recipients, the operator and one whose key lies in a safe, so that the vault \
         is not lost with one key (plasmagen explain PG-H16): list both in the inventory, recipients = [\"age1…\", \
         \"age1…\"] in [vault]; age-keygen makes such keys"
    );
    Ok(recipients)
}
