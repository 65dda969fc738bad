//! The nodes whose BMCs a command speaks with: found, locked, and with what a connection needs.

use std::path::PathBuf;

use anyhow::{Context, ensure};
use clap::Args;
use clap_complete::ArgValueCandidates;

use crate::bmc::{Access, Trust};
use crate::cli::inventory::{InventoryOption, read_checked, root_of};
use crate::cli::printer::Printer;
use crate::cli::vault_option::VaultOption;
use crate::cli::{complete, named};
use crate::fs::{Dir, FileLock, STATE, Sha256Sum, TEXT_LIMIT, read_input_text};
use crate::model::dns::bmc_name;
use crate::model::{Bmc, BmcProtocol, Cluster, Node};
use crate::pki::Vault;

/// The nodes, and the files that say how their BMCs are reached.
#[derive(Debug, Args)]
pub(super) struct TargetOptions {
    /// The nodes
    #[arg(value_name = "NODE", required = true, add = ArgValueCandidates::new(complete::nodes))]
    nodes: Vec<String>,
    /// How many BMCs are spoken with at once
    #[arg(long, value_name = "NUMBER", default_value = "8", value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(super) parallel: u8,
    #[command(flatten)]
    pub(super) source: BmcSource,
}

/// The inventory and the vault, as options.
#[derive(Debug, Args)]
pub(super) struct BmcSource {
    #[command(flatten)]
    inventory: InventoryOption,
    #[command(flatten)]
    vault: VaultOption,
}

/// A cluster, the directory of its inventory, and its vault.
pub(super) struct Opened {
    pub(super) cluster: Cluster,
    pub(super) vault: Vault,
    root: PathBuf,
}

/// A node with a BMC.
pub(super) struct Target<'a> {
    pub(super) node: &'a Node,
    pub(super) bmc: &'a Bmc,
}

impl BmcSource {
    /// Opens the inventory and the vault; none where the inventory is refused, which has been printed.
    pub(super) fn open(&self, printer: &Printer) -> anyhow::Result<Option<Opened>> {
        let inventory = self.inventory.find()?;
        let checked = read_checked(printer, &inventory)?;
        let Some(cluster) = checked.cluster else { return Ok(None) };
        let root = root_of(&inventory).to_owned();
        let vault = self.vault.open(&root, &cluster, checked.vault.as_deref())?;
        Ok(Some(Opened { cluster, vault, root }))
    }
}

impl TargetOptions {
    /// As [`BmcSource::open`].
    pub(super) fn open(&self, printer: &Printer) -> anyhow::Result<Option<Opened>> {
        self.source.open(printer)
    }

    /// The nodes that the command line names, each once.
    pub(super) fn find<'a>(&self, cluster: &'a Cluster) -> anyhow::Result<Vec<Target<'a>>> {
        let mut targets: Vec<Target<'_>> = Vec::with_capacity(self.nodes.len());
        for name in &self.nodes {
            let target = find_target(cluster, name)?;
            if targets.iter().all(|other| other.node.name != target.node.name) {
                targets.push(target);
            }
        }
        Ok(targets)
    }
}

/// Finds the node `name`, which must have a BMC.
pub(super) fn find_target<'a>(cluster: &'a Cluster, name: &str) -> anyhow::Result<Target<'a>> {
    let node = named::find_node(cluster, name)?;
    let bmc = node.bmc.as_ref();
    let bmc = bmc
        .with_context(|| format!("{name} has no `bmc` in the inventory: the machine is switched by hand"))?;
    Ok(Target { node, bmc })
}

impl Opened {
    /// Takes the locks of the BMCs of all `targets`: a BMC does one thing at a time.
    ///
    /// # Errors
    /// [`Held`](crate::fs::Held) when another run is at work on one of them.
    pub(super) fn lock(&self, targets: &[Target<'_>]) -> anyhow::Result<Vec<FileLock>> {
        let shown = self.root.display();
        let root = Dir::open(&self.root).with_context(|| format!("could not open {shown}"))?;
        let state = root.ensure_dir(STATE)?;
        let lock = |target: &Target<'_>| {
            let name = format!("bmc-{}.lock", target.bmc.address);
            let lock = FileLock::take_named(&state, &name, "at work on this BMC");
            let lock = lock.with_context(|| format!("the BMC of {}", target.node.name))?;
            lock.mark()?;
            anyhow::Ok(lock)
        };
        targets.iter().map(lock).collect()
    }

    /// Collects what a connection to the BMC of `target` needs.
    ///
    /// # Errors
    /// When the inventory names no password, or the password or the certificate is missing or unusable.
    pub(super) fn access(&self, target: &Target<'_>) -> anyhow::Result<Access> {
        self.access_by(target, target.bmc.protocol)
    }

    /// As [`access`](Self::access), by `protocol`.
    pub(super) fn access_by(&self, target: &Target<'_>, protocol: BmcProtocol) -> anyhow::Result<Access> {
        let Target { node, bmc } = target;
        let file = bmc.password_file.as_ref().with_context(|| {
            format!(
                "`bmc` of {0} has no `password_file`: write the file's path in the vault, such as `bmc/{0}`",
                node.name
            )
        })?;
        let password = self.vault.bmc_password(file)?;
        let trust = match protocol {
            BmcProtocol::Redfish => self.find_trust(target)?,
            BmcProtocol::Ipmi => Trust::Nothing,
        };
        Ok(Access {
            node: node.name.to_string(),
            address: bmc.address,
            protocol,
            user: bmc.user.to_string(),
            password: password.text,
            password_path: password.path,
            trust,
        })
    }

    /// The certificate that the BMC must show: what the inventory says, else what the vault has recorded.
    fn find_trust(&self, target: &Target<'_>) -> anyhow::Result<Trust> {
        let name = &target.node.name;
        let Some(certificate) = &target.bmc.certificate else {
            let pin = self.vault.bmc_certificate(name)?;
            let pin = pin.with_context(|| {
                format!("the certificate of its BMC is not known yet. Look at it with: plasmagen power trust {name}")
            })?;
            return Ok(Trust::Pin(pin));
        };
        if let Some(digits) = certificate.fingerprint() {
            return Ok(Trust::Pin(Sha256Sum::try_from(digits.to_owned())?));
        }
        let path = self.root.join(certificate.as_str());
        let pem = read_input_text(&path, TEXT_LIMIT);
        let pem = pem.with_context(|| format!("could not read the CA of the BMC in {}", path.display()))?;
        ensure!(!pem.is_empty(), "{} is empty", path.display());
        let name = bmc_name(name.as_str());
        Ok(Trust::Authorities { pem, name: format!("{name}.{}", self.cluster.domain) })
    }
}
