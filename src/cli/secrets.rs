//! `plasmagen secrets`.

mod source;
mod stage;

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{anyhow, ensure};
use clap::{Args, Subcommand, ValueHint};
use clap_complete::ArgValueCandidates;

use crate::model::Node;
use crate::pki::recipient::Recipient;
use crate::pki::vault::encrypted::{EncryptedKeys, KeyToEncrypt};

use super::printer::{Printer, plural};
use super::{DONE, REFUSED, complete, named};
use source::KeySource;

/// Bring the nodes' private keys from the vault to the nodes
///
/// There are two ways: `stage` writes a key as it is into a directory that nixos-anywhere copies onto one node; `encrypt`
/// writes encrypted files that may be committed.
#[derive(Debug, Args)]
pub(super) struct SecretsArgs {
    #[command(subcommand)]
    command: SecretsCommand,
}

#[derive(Debug, Subcommand)]
enum SecretsCommand {
    Stage(stage::StageArgs),
    Encrypt(EncryptArgs),
}

/// Encrypt keys for agenix, into files that may be committed
///
/// Each key becomes NODE-key.pem.age, encrypted by age to `vault.recipients` of the inventory and to the SSH host key of
/// NODE in nodes/. A file that exists is kept, since age never writes the same bytes twice: after the recipients have
/// changed, --force replaces the file.
#[derive(Debug, Args)]
struct EncryptArgs {
    /// The nodes whose keys to encrypt [default: all]
    #[arg(value_name = "NODE", add = ArgValueCandidates::new(complete::nodes))]
    nodes: Vec<String>,
    /// The directory to write the files into, which is made if it is missing
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    to: PathBuf,
    /// A further recipient of the key of a single NODE: age1…, or an SSH public key, such as a host key that is not in nodes/
    // A private key begins with a hyphen, and clap would quote it as an unknown option.
    #[arg(long = "recipient", value_name = "RECIPIENT", allow_hyphen_values = true)]
    recipients: Vec<String>,
    /// Replace files that exist
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    source: KeySource,
}

impl SecretsArgs {
    pub(super) fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        match &self.command {
            SecretsCommand::Stage(stage) => stage.run(printer),
            SecretsCommand::Encrypt(encrypt) => encrypt.run(printer),
        }
    }
}

impl EncryptArgs {
    fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        ensure!(
            self.recipients.is_empty() || self.nodes.len() == 1,
            "--recipient needs a single NODE: with the host key of one node as a recipient, that node could read the keys \
             of the others. Recipients of all keys belong into `recipients` in [vault] of the inventory"
        );
        let Some(opened) = self.source.open(printer, &self.to)? else { return Ok(REFUSED) };
        let recipients = all_recipients(&opened.recipients, &self.recipients)?;
        let directory = EncryptedKeys::at(&self.to, &opened.forbidden())?;
        if directory.is_recovered() {
            printer.say(&format!("finished what an earlier run had begun in {}", self.to.display()));
        }
        let nodes: Vec<&Node> = match &self.nodes[..] {
            [] => opened.cluster.nodes.iter().collect(),
            names => {
                // Each once, in whatever order.
                let names: BTreeSet<_> = names.iter().collect();
                names
                    .into_iter()
                    .map(|name| named::find_node(&opened.cluster, name))
                    .collect::<anyhow::Result<_>>()?
            }
        };
        let mut chosen = Vec::with_capacity(nodes.len());
        for node in nodes {
            let file = directory.file(node.fqdn.as_str())?;
            if self.force || file.symlink_metadata().is_err() {
                chosen.push((node, opened.host_recipient(node, &recipients)?));
            } else {
                printer.say(&opened.describe_kept(&directory, node, &file));
            }
        }
        let mut keys = Vec::with_capacity(chosen.len());
        for (node, host) in &chosen {
            let recipients = recipients.iter().chain(host).collect();
            keys.push(KeyToEncrypt { fqdn: node.fqdn.as_str(), key: opened.key(node)?, recipients });
        }
        if !keys.is_empty() {
            directory.encrypt(&keys)?;
            let hosts = match chosen.iter().filter(|(_, host)| host.is_some()).count() {
                0 => String::new(),
                _ if chosen.len() == 1 => " and the node's host key".to_owned(),
                all if all == chosen.len() => " and the host key of each node".to_owned(),
                some => format!(" and the host keys of {some} nodes"),
            };
            let (keys, recipients) = (plural(keys.len(), "key"), plural(recipients.len(), "recipient"));
            printer.say(&format!("encrypted {keys} to {recipients}{hosts} in {}", self.to.display()));
        }
        Ok(DONE)
    }
}

/// The recipients of the inventory, which rule PG-H16 has accepted, and those of the command line: each once, and at least
/// two.
fn all_recipients(listed: &[String], given: &[String]) -> anyhow::Result<Vec<Recipient>> {
    let mut recipients = Vec::new();
    let mut known = BTreeSet::new();
    for text in listed.iter().chain(given) {
        ensure!(
            !text.trim().is_empty(),
            "--recipient is empty: give age1…, or an SSH public key; ssh-keyscan prints no key of a host that it does not reach"
        );
        let recipient = Recipient::parse(text.trim())
            .map_err(|why| anyhow!("--recipient: {}; {}", why.message, why.help))?;
        if known.insert(recipient.identity().to_owned()) {
            recipients.push(recipient);
        }
    }
    ensure!(
        recipients.len() >= 2,
        "a key is encrypted to at least two recipients, the operator and one whose key lies in a safe, so that nothing \
         is lost with one key (plasmagen explain PG-H16): list both in the inventory, recipients = [\"age1…\", \"age1…\"] in \
         [vault]; age-keygen makes such keys"
    );
    Ok(recipients)
}
