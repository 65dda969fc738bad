//! `plasmagen secrets stage`.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use clap_complete::ArgValueCandidates;

use crate::cli::printer::Printer;
use crate::cli::{DONE, REFUSED, complete, named};
use crate::model::{Node, Unlock, quote_for_shell};
use crate::pki::cluster::{NodeHostKey, find_checked_host_key};
use crate::pki::passphrase::{INSTALLER_PASSPHRASE, PASSPHRASE};
use crate::pki::vault::staged::{self, StagedSecrets};
use crate::pki::{Passphrase, Vault};

use super::source::KeySource;

/// Write the directory that `nixos-anywhere --extra-files` copies onto a node
///
/// The directory holds etc/nixos/secrets/NODE-key.pem and, where the vault has the node's SSH host key, etc/ssh with that
/// key: both readable by you alone. Where the TPM is to unlock encrypted disks, etc/nixos/secrets/luks-passphrase is their
/// passphrase. The installer gets it from the vault, by the option of nixos-anywhere that this command prints. All other
/// files in /etc/nixos/secrets of the node are public, and belong to its configuration. Remove the directory when the node
/// is installed.
///
/// A node is refused whose keys were made for another machine than the inventory's (plasmagen explain PG-J07).
#[derive(Debug, Args)]
pub(super) struct StageArgs {
    /// The node
    #[arg(value_name = "NODE", add = ArgValueCandidates::new(complete::nodes))]
    node: String,
    /// The directory to write: new or empty, for this node only
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    to: PathBuf,
    #[command(flatten)]
    source: KeySource,
}

impl StageArgs {
    pub(super) fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        let Some(opened) = self.source.open(printer, &self.to)? else { return Ok(REFUSED) };
        let node = named::find_node(&opened.cluster, &self.node)?;
        let (key, name) = (opened.key(node)?, &node.name);
        opened.check_machine(node)?;
        let found = find_checked_host_key(node, &opened.host_keys, &opened.vault)?;
        let host_key = if let NodeHostKey::InVault(key) = &found { Some(key) } else { None };
        let passphrase = match node.layout.unlock {
            Some(_) => opened.vault.passphrase(node.fqdn.as_str())?,
            None => None,
        };
        // Only a TPM is shown the passphrase by the node itself.
        let shown_to_tpm = passphrase.as_ref().filter(|_| node.layout.unlock == Some(Unlock::Tpm2));
        let secrets = StagedSecrets { key: &key, host_key, passphrase: shown_to_tpm };
        let shown = quote_for_shell(&self.to.display().to_string());
        let (keys, them) = match (host_key, shown_to_tpm) {
            (None, None) => (format!("the key of {name}"), "it"),
            (Some(_), None) => (format!("the key and the SSH host key of {name}"), "them"),
            (None, Some(_)) => (format!("the key of {name} and the passphrase of its disks"), "them"),
            (Some(_), Some(_)) => {
                (format!("the key and the SSH host key of {name}, and the passphrase of its disks"), "them")
            }
        };
        if staged::stage(node.fqdn.as_str(), secrets, &self.to, &opened.forbidden())? {
            printer.say(&format!(
                "staged {keys} in {shown}: nixos-anywhere --extra-files {shown} copies {them}; then remove {shown}"
            ));
        } else {
            printer.say(&format!("{shown} already holds {keys}, nothing was touched"));
        }
        tell_of_disks(printer, &opened.vault, node, passphrase.as_ref());
        tell_of_host_key(printer, node, &found);
        Ok(DONE)
    }
}

/// Says what becomes of the SSH host key of `node` where none is staged.
fn tell_of_host_key(printer: &Printer, node: &Node, found: &NodeHostKey) {
    let name = &node.name;
    let make = format!("plasmagen keys make {name} makes one, only before a new installation");
    match found {
        NodeHostKey::InVault(_) => {}
        NodeHostKey::Adopted => printer.say(&format!(
            "{name} has an SSH host key of its own, which plasmagen keys adopt has recorded: none is staged; {make}"
        )),
        NodeHostKey::Unknown => printer
            .say(&format!("the vault has no SSH host key of {name}: a new installation makes one; {make}")),
    }
}

/// Says how nixos-anywhere gets the `passphrase` of the encrypted disks of `node` from `vault`, or that the vault has none.
fn tell_of_disks(printer: &Printer, vault: &Vault, node: &Node, passphrase: Option<&Passphrase>) {
    let Some(unlock) = node.layout.unlock else { return };
    let (name, file) = (&node.name, vault.dir().join(node.fqdn.as_str()).join(PASSPHRASE));
    let file = quote_for_shell(&file.display().to_string());
    if passphrase.is_none() {
        printer.say(&format!(
            "the vault has no passphrase of the encrypted disks of {name}: bring it back from a backup, plasmagen vault \
             restore FILE, or put the passphrase that the disks have into {file}; for a new installation alone, plasmagen \
             render --install-anew {name} makes one, which does not open disks that are installed"
        ));
        return;
    }
    let boot = match unlock {
        Unlock::Passphrase => "somebody types that passphrase at the console of the node at each boot",
        Unlock::Tpm2 => {
            "at the first boot somebody types that passphrase at the console, and the node enrols its TPM, which unlocks the \
             disks from then on"
        }
    };
    printer.say(&format!(
        "the disks of {name} are encrypted: give nixos-anywhere --disk-encryption-keys {INSTALLER_PASSPHRASE} {file} as \
         well; {boot}"
    ));
}
