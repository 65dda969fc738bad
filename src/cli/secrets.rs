//! `plasmagen secrets`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{anyhow, ensure};
use clap::{Args, Subcommand, ValueHint};
use clap_complete::ArgValueCandidates;

use crate::model::{Cluster, Node};
use crate::pki::cluster::{read_checked_host_key, read_checked_key};
use crate::pki::recipient::Recipient;
use crate::pki::vault::encrypted::{EncryptedKeys, KeyToEncrypt};
use crate::pki::vault::staged;
use crate::pki::{SecretKey, Vault, VaultUse};
use crate::plan::{Certificates, HostKeys};

use super::committed::read_examined_briefly;
use super::inventory::{InventoryOption, root_of};
use super::printer::{Printer, plural};
use super::vault_option::{VaultOption, list_forbidden};
use super::{DONE, REFUSED, complete, named};

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
    Stage(StageArgs),
    Encrypt(EncryptArgs),
}

/// Write the directory that `nixos-anywhere --extra-files` copies onto a node
///
/// The directory holds etc/nixos/secrets/NODE-key.pem and, where the vault has the node's SSH host key, etc/ssh with that
/// key: both readable by you alone. All other files in /etc/nixos/secrets of the node are public, and belong to its
/// configuration. Remove the directory when the node is installed.
#[derive(Debug, Args)]
struct StageArgs {
    /// The node
    #[arg(value_name = "NODE", add = ArgValueCandidates::new(complete::nodes))]
    node: String,
    /// The directory to write: new or empty, for this node only
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    to: PathBuf,
    #[command(flatten)]
    source: KeySource,
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

/// The inventory and the vault, as options.
#[derive(Debug, Args)]
struct KeySource {
    #[command(flatten)]
    inventory: InventoryOption,
    #[command(flatten)]
    vault: VaultOption,
}

/// A cluster and its vault, opened.
struct OpenedKeys {
    cluster: Cluster,
    certificates: Certificates,
    host_keys: HostKeys,
    vault: Vault,
    /// The directories in which no key may be written.
    forbidden: Vec<PathBuf>,
    /// The recipients that the inventory lists.
    recipients: Vec<String>,
}

impl SecretsArgs {
    pub(super) fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        match &self.command {
            SecretsCommand::Stage(stage) => stage.run(printer),
            SecretsCommand::Encrypt(encrypt) => encrypt.run(printer),
        }
    }
}

impl StageArgs {
    fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        let Some(opened) = self.source.open(printer, &self.to)? else { return Ok(REFUSED) };
        let node = named::find_node(&opened.cluster, &self.node)?;
        let (key, name) = (opened.key(node)?, &node.name);
        let host_key = read_checked_host_key(node, &opened.host_keys, &opened.vault)?;
        let shown = self.to.display();
        let (keys, them) = match &host_key {
            Some(_) => (format!("the key and the SSH host key of {name}"), "them"),
            None => (format!("the key of {name}"), "it"),
        };
        if staged::stage(node.fqdn.as_str(), &key, host_key.as_ref(), &self.to, &opened.forbidden())? {
            printer.say(&format!(
                "staged {keys} in {shown}: nixos-anywhere --extra-files {shown} copies {them}; then remove {shown}"
            ));
        } else {
            printer.say(&format!("{shown} already holds {keys}, nothing was touched"));
        }
        if host_key.is_none() {
            let known = match opened.host_keys.0.contains_key(name) {
                true => ", and site/known_hosts will be wrong",
                false => "",
            };
            printer.say(&format!(
                "the vault has no SSH host key of {name}: a new installation makes one{known}; plasmagen keys make {name} \
                 makes one now"
            ));
        }
        Ok(DONE)
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
                printer.say(&format!("kept {}: --force replaces it", file.display()));
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

impl KeySource {
    /// Opens the vault of the inventory's cluster, whose keys go to the directory `to`; none where the inventory is refused,
    /// which has been printed.
    fn open(&self, printer: &Printer, to: &Path) -> anyhow::Result<Option<OpenedKeys>> {
        let inventory = self.inventory.find()?;
        let checked = read_examined_briefly(printer, &inventory, &self.vault, VaultUse::Keys)?.checked;
        let Some(cluster) = checked.cluster else { return Ok(None) };
        let root = root_of(&inventory);
        let certificates = Certificates::gather(root, &cluster)?;
        let host_keys = HostKeys::gather(root, &cluster)?;
        let vault = self.vault.open(root, &cluster, checked.vault.as_deref())?;
        let mut forbidden = list_forbidden(root, to)?;
        forbidden.push(cluster.provisioner.web_root.as_str().into());
        forbidden.push(vault.dir().to_owned());
        let listed = checked.inventory.vault.recipients.map(|list| list.value).unwrap_or_default();
        let recipients = listed.into_iter().filter_map(|recipient| recipient.value).collect();
        Ok(Some(OpenedKeys { cluster, certificates, host_keys, vault, forbidden, recipients }))
    }
}

impl OpenedKeys {
    /// The key of `node`, which fits the node's certificate.
    fn key(&self, node: &Node) -> anyhow::Result<SecretKey> {
        read_checked_key(node, &self.certificates, &self.vault)
    }

    /// The SSH host key of `node` in `nodes/` as a recipient; none where the key is unknown, or is among `recipients`.
    fn host_recipient(&self, node: &Node, recipients: &[Recipient]) -> anyhow::Result<Option<Recipient>> {
        let Some(key) = self.host_keys.0.get(&node.name) else { return Ok(None) };
        let recipient = Recipient::parse(key.as_str())
            .map_err(|why| anyhow!("the SSH host key of {} in nodes/: {}", node.name, why.message))?;
        Ok(recipients.iter().all(|other| other.identity() != recipient.identity()).then_some(recipient))
    }

    fn forbidden(&self) -> Vec<&Path> {
        self.forbidden.iter().map(PathBuf::as_path).collect()
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
