//! `plasmagen secrets`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{anyhow, ensure};
use clap::{Args, Subcommand, ValueHint};
use clap_complete::ArgValueCandidates;

use crate::model::{Cluster, Node};
use crate::pki::cluster::proven_key;
use crate::pki::recipient::Recipient;
use crate::pki::vault::{sealed::Sealed, staged};
use crate::pki::{SecretKey, Vault};
use crate::plan::{self, Certificates};

use super::output::{Output, plural};
use super::vault::{VaultArgument, ours};
use super::{DONE, INVENTORY, REFUSED, complete, named};

/// Bring the nodes' private keys from the vault to the nodes
///
/// A key leaves the vault in two ways: as it is, into a directory that nixos-anywhere copies onto one node, or encrypted,
/// into files that may be committed.
#[derive(Debug, Args)]
pub(super) struct Secrets {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Stage(Stage),
    Encrypt(Encrypt),
}

/// Write the directory that `nixos-anywhere --extra-files` copies onto a node
///
/// It holds etc/nixos/secrets/NODE-key.pem, closed to all but its owner, and nothing else: what else the node finds
/// there is public, and in its configuration. Remove it when the node is installed.
#[derive(Debug, Args)]
struct Stage {
    /// The node
    #[arg(value_name = "NODE", add = ArgValueCandidates::new(complete::nodes))]
    node: String,
    /// The directory: a new one, or one that is empty, for this node alone
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    to: PathBuf,
    #[command(flatten)]
    source: Source,
}

/// Encrypt keys for agenix, into files that may be committed
///
/// Each key is encrypted with age, as NODE-key.pem.age, to `recipients` in [vault] of the inventory. A file that is there
/// stays as it is, since age never writes the same twice: after recipients have changed, --force encrypts it anew.
#[derive(Debug, Args)]
struct Encrypt {
    /// The nodes; without any, all
    #[arg(value_name = "NODE", add = ArgValueCandidates::new(complete::nodes))]
    nodes: Vec<String>,
    /// Where to write the files; made if need be
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    to: PathBuf,
    /// Who can read the key of the one NODE too: age1…, or an SSH public key, such as the node's host key
    // A private key begins with a hyphen, and clap would quote it as an unknown option.
    #[arg(long = "recipient", value_name = "RECIPIENT", allow_hyphen_values = true)]
    recipients: Vec<String>,
    /// Encrypt anew what is there already
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    source: Source,
}

/// Where keys come from.
#[derive(Debug, Args)]
struct Source {
    /// The inventory to read
    #[arg(long, short, value_name = "INVENTORY", default_value = INVENTORY, value_hint = ValueHint::FilePath)]
    inventory: PathBuf,
    #[command(flatten)]
    vault: VaultArgument,
}

/// What a command knows of a cluster and its keys.
struct Opened {
    cluster: Cluster,
    certificates: Certificates,
    vault: Vault,
    /// Where no key may be written.
    forbidden: Vec<PathBuf>,
    /// What the inventory says.
    recipients: Vec<String>,
}

impl Secrets {
    pub(super) fn run(&self, output: &Output) -> anyhow::Result<u8> {
        match &self.command {
            Command::Stage(stage) => stage.run(output),
            Command::Encrypt(encrypt) => encrypt.run(output),
        }
    }
}

impl Stage {
    fn run(&self, output: &Output) -> anyhow::Result<u8> {
        let Some(own) = self.source.open(output)? else { return Ok(REFUSED) };
        let node = named::node(&own.cluster, &self.node)?;
        let key = own.key(node)?;
        let shown = self.to.display();
        if staged::stage(node.fqdn.as_str(), &key, &self.to, &own.forbidden())? {
            output.say(&format!(
                "staged the key of {} in {shown}: nixos-anywhere --extra-files {shown} copies it; then remove {shown}",
                node.name
            ));
        } else {
            output.say(&format!("{shown} holds the key of {} already, nothing was touched", node.name));
        }
        Ok(DONE)
    }
}

impl Encrypt {
    fn run(&self, output: &Output) -> anyhow::Result<u8> {
        ensure!(
            self.recipients.is_empty() || self.nodes.len() == 1,
            "--recipient goes with one NODE: a host's key that is a recipient of other nodes' keys could read these, too. \
             Those who may read all keys are `recipients` in [vault] of the inventory"
        );
        let Some(own) = self.source.open(output)? else { return Ok(REFUSED) };
        let recipients = recipients(&own.recipients, &self.recipients)?;
        let sealed = Sealed::at(&self.to, &own.forbidden())?;
        let nodes: Vec<&Node> = match &self.nodes[..] {
            [] => own.cluster.nodes.iter().collect(),
            names => {
                // Each once, in whatever order.
                let names: BTreeSet<_> = names.iter().collect();
                names
                    .into_iter()
                    .map(|name| named::node(&own.cluster, name))
                    .collect::<anyhow::Result<_>>()?
            }
        };
        let mut keys = Vec::with_capacity(nodes.len());
        for node in nodes {
            let file = sealed.file(node.fqdn.as_str())?;
            if self.force || file.symlink_metadata().is_err() {
                keys.push((node.fqdn.as_str(), own.key(node)?));
            } else {
                output.say(&format!("kept {}: --force encrypts it anew", file.display()));
            }
        }
        sealed.seal(&keys, &recipients)?;
        if !keys.is_empty() {
            let (keys, recipients) = (plural(keys.len(), "key"), plural(recipients.len(), "recipient"));
            output.say(&format!("encrypted {keys} to {recipients} in {}", self.to.display()));
        }
        Ok(DONE)
    }
}

impl Source {
    /// What the commands need; none where the inventory is refused, which has been said.
    fn open(&self, output: &Output) -> anyhow::Result<Option<Opened>> {
        let checked = output.checked(&self.inventory)?;
        let Some(cluster) = checked.cluster else { return Ok(None) };
        let root = super::root_of(&self.inventory);
        let certificates = plan::gather(root, &cluster)?;
        let vault = self.vault.open(root, &cluster, checked.vault)?;
        let mut forbidden = ours(root).to_vec();
        forbidden.push(cluster.provisioner.web_root.as_str().into());
        forbidden.push(vault.dir().to_owned());
        let listed = checked.inventory.vault.recipients.map(|list| list.value).unwrap_or_default();
        let recipients = listed.into_iter().filter_map(|own| own.value).collect();
        Ok(Some(Opened { cluster, certificates, vault, forbidden, recipients }))
    }
}

impl Opened {
    fn key(&self, node: &Node) -> anyhow::Result<SecretKey> {
        proven_key(node, &self.certificates, &self.vault)
    }

    fn forbidden(&self) -> Vec<&Path> {
        self.forbidden.iter().map(PathBuf::as_path).collect()
    }
}

/// Those of the inventory, which rule H16 has accepted, and those of the command line: each once, and two at least.
fn recipients(listed: &[String], given: &[String]) -> anyhow::Result<Vec<Recipient>> {
    let mut recipients = Vec::new();
    let mut known = BTreeSet::new();
    for text in listed.iter().chain(given) {
        ensure!(
            !text.trim().is_empty(),
            "--recipient is empty: give age1…, or an SSH public key; ssh-keyscan prints none of a host that it does not reach"
        );
        let own = Recipient::parse(text.trim())
            .map_err(|why| anyhow!("--recipient: {}; {}", why.message, why.help))?;
        if known.insert(own.identity().to_owned()) {
            recipients.push(own);
        }
    }
    ensure!(
        recipients.len() >= 2,
        "a key is encrypted to two recipients at least, the operator and one whose key lies in a safe, so that one lost \
         key loses nothing (plasmagen explain PG-H16): list both in the inventory, recipients = [\"age1…\", \"age1…\"] in \
         [vault]; age-keygen makes such keys"
    );
    Ok(recipients)
}
