//! What is tried: which machine is powered on, in which state, and how far it must come.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use super::Boot;
use crate::model::{Cluster, Firmware, HostName, Loader, MacAddr, Node, System, Verify, Word};

/// What is expected of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// It is armed, and boots what is published.
    Armed,
    /// Nobody has armed it: it starts from its own disk.
    Unarmed,
    /// Nobody knows it: it shows what an operator has to write down, and starts from its own disk.
    Unknown,
    /// It is armed, and what it loads was changed: it starts from its own disk.
    Tampered,
}

impl Kind {
    /// As people read it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Armed => "armed",
            Self::Unarmed => "unarmed",
            Self::Unknown => "unknown",
            Self::Tampered => "tampered",
        }
    }
}

/// Something that a machine does on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// DHCP gave it an address.
    Lease,
    /// It loads iPXE, over TFTP or HTTP.
    Loader,
    /// It loads boot.ipxe.
    BootScript,
    /// It loads its own script.
    NodeScript,
    /// It finds that it is armed.
    Armed,
    /// It loads the script of the bundle.
    BundleScript,
    /// It has loaded the kernel.
    Kernel,
    /// It has loaded the initrd.
    Initrd,
    /// It has loaded its overlay.
    Overlay,
    /// The lab's own system has come up and said all that it sees.
    System,
    /// NixOS answers on SSH.
    Ssh,
    /// It shows what an operator has to write down.
    Page,
    /// It refuses what it has loaded.
    Refused,
    /// It starts from its own disk.
    LocalDisk,
}

impl Step {
    /// As a table shows it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lease => "lease",
            Self::Loader => "loader",
            Self::BootScript => "boot.ipxe",
            Self::NodeScript => "node",
            Self::Armed => "armed",
            Self::BundleScript => "bundle",
            Self::Kernel => "kernel",
            Self::Initrd => "initrd",
            Self::Overlay => "overlay",
            Self::System => "system",
            Self::Ssh => "ssh",
            Self::Page => "page",
            Self::Refused => "refused",
            Self::LocalDisk => "disk",
        }
    }
}

/// A machine that is powered on.
#[derive(Clone, Debug)]
pub(super) struct Trial<'a> {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// None: a machine that nobody knows.
    pub(super) node: Option<&'a Node>,
    pub(super) mac: MacAddr,
    pub(super) boot: Boot,
    pub(super) system: System,
    /// The number of its network.
    pub(super) wire: usize,
    /// What it has to do, in order.
    pub(super) steps: Vec<Step>,
}

impl Trial<'_> {
    /// What its firmware must load.
    pub(super) fn loader(&self) -> Loader {
        match self.boot {
            Boot::Bios => Loader::over_pxe(Firmware::Bios, self.system),
            Boot::Uefi => Loader::over_pxe(Firmware::Uefi, self.system),
            Boot::UefiHttp => Loader::over_http(self.system),
        }
    }
}

/// What is tried, and the nodes that are like one that is.
#[derive(Debug)]
pub(super) struct Selection<'a> {
    pub(super) trials: Vec<Trial<'a>>,
    pub(super) like: Vec<(String, String)>,
}

/// Which machines are tried.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Choice {
    /// These nodes alone; empty: one of each class, one that nobody has armed, and a stranger.
    pub nodes: Vec<String>,
    /// All of them.
    pub all: bool,
    /// How their firmware boots, instead of what the inventory says.
    pub firmware: Option<Boot>,
}

/// An address of QEMU's that no node has.
const STRANGER: &str = "52:54:00:fe:ed:01";

/// The machines of `cluster` that `choice` wants; `is_nixos` tells which profiles boot NixOS.
///
/// # Errors
/// When it names a node that is not there.
pub(super) fn select<'a>(
    cluster: &'a Cluster,
    choice: &Choice,
    wires: &[super::wires::Wire<'_>],
    is_nixos: &dyn Fn(&str) -> bool,
) -> Result<Selection<'a>> {
    let mut nodes: Vec<&Node> = Vec::new();
    let mut like = Vec::new();
    if choice.nodes.is_empty() {
        let mut classes = BTreeMap::new();
        for node in &cluster.nodes {
            let wire = wire_of(cluster, node, wires);
            let class = (
                node.profile.as_str(),
                node.firmware == Firmware::Bios,
                &*node.hardware.description,
                node.system.as_str(),
                wire,
            );
            match classes.get(&class) {
                Some(first) if !choice.all => like.push((node.name.to_string(), format!("{first}"))),
                _ => {
                    classes.insert(class, &node.name);
                    nodes.push(node);
                }
            }
        }
    }
    for name in &choice.nodes {
        let node = HostName::parse(name).ok().and_then(|name| cluster.node(&name));
        nodes.push(node.with_context(|| format!("there is no node `{}`", name.escape_debug()))?);
    }
    let mut trials = Vec::new();
    for node in &nodes {
        trials.push(trial(cluster, Kind::Armed, node, choice, wires, is_nixos)?);
    }
    // Who names nodes wants these booted, and nothing else.
    if let Some(first) = nodes.first().filter(|_| choice.nodes.is_empty()) {
        trials.push(trial(cluster, Kind::Unarmed, first, choice, wires, is_nixos)?);
        let mut stranger = trial(cluster, Kind::Unknown, first, choice, wires, is_nixos)?;
        stranger.mac = MacAddr::parse(STRANGER).map_err(|why| anyhow::anyhow!("{}", why.message))?;
        stranger.name = "a stranger".to_owned();
        stranger.node = None;
        trials.push(stranger);
        if cluster.boot.verify != Verify::None {
            trials.push(trial(cluster, Kind::Tampered, first, choice, wires, is_nixos)?);
        }
    }
    Ok(Selection { trials, like })
}

fn wire_of(cluster: &Cluster, node: &Node, wires: &[super::wires::Wire<'_>]) -> Option<usize> {
    let own = cluster.reservation(node).map(|own| own.network);
    let any = || {
        let networks =
            node.interfaces.iter().filter(|own| own.vlan.is_none()).filter_map(|own| own.network.as_ref());
        networks.into_iter().find(|name| wires.iter().any(|wire| wire.name == *name))
    };
    let name = own.or_else(any)?;
    wires.iter().find(|wire| wire.name == name).map(|wire| wire.number)
}

fn trial<'a>(
    cluster: &'a Cluster,
    kind: Kind,
    node: &'a Node,
    choice: &Choice,
    wires: &[super::wires::Wire<'_>],
    is_nixos: &dyn Fn(&str) -> bool,
) -> Result<Trial<'a>> {
    let own = match node.firmware {
        Firmware::Bios => Boot::Bios,
        Firmware::Uefi => Boot::Uefi,
    };
    // A 64-bit ARM has no BIOS.
    let forced = choice.firmware.filter(|own| node.system == System::X86_64 || *own != Boot::Bios);
    let Some(wire) = wire_of(cluster, node, wires) else {
        bail!("{} stands in no network that machines boot in", node.name)
    };
    let last = if is_nixos(node.base.as_str()) { Step::Ssh } else { Step::System };
    let load = [Step::Lease, Step::Loader, Step::BootScript];
    let known =
        [Step::NodeScript, Step::Armed, Step::BundleScript, Step::Kernel, Step::Initrd, Step::Overlay];
    let steps = match kind {
        Kind::Armed => load.into_iter().chain(known).chain([last]).collect(),
        Kind::Unarmed => load.into_iter().chain([Step::NodeScript, Step::LocalDisk]).collect(),
        Kind::Unknown => load.into_iter().chain([Step::Page, Step::LocalDisk]).collect(),
        Kind::Tampered => load.into_iter().chain(known).chain([Step::Refused, Step::LocalDisk]).collect(),
    };
    Ok(Trial {
        name: node.name.to_string(),
        kind,
        node: Some(node),
        mac: node.mac,
        boot: forced.unwrap_or(own),
        system: node.system,
        wire,
        steps,
    })
}
