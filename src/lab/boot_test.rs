//! A boot test: a machine that is powered on, and the steps that it must make.

use serde::{Deserialize, Serialize};

use super::boot_method::BootMethod;
use crate::model::{Label, Loader, MacAddr, Node, System};

/// The state in which a machine is powered on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scenario {
    /// The node is armed, and must boot the published bundle.
    Armed,
    /// The node is not armed, and must start from its local disk.
    Unarmed,
    /// The machine is not in the inventory. It must show the facts that an operator needs to add it, and start from its
    /// local disk.
    Unknown,
    /// The node is armed, and the published initrd was changed. The node must refuse the initrd and start from its local
    /// disk.
    Tampered,
}

impl Scenario {
    /// The name in tables and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Armed => "armed",
            Self::Unarmed => "unarmed",
            Self::Unknown => "unknown",
            Self::Tampered => "tampered",
        }
    }

    /// Whether the node must be armed before the machine is powered on.
    pub(super) fn is_armed(self) -> bool {
        matches!(self, Self::Armed | Self::Tampered)
    }

    /// The steps that the machine must make, in order. `boots_nixos` says whether the node boots a bundle of the user's
    /// instead of the test system.
    pub(super) fn steps(self, boots_nixos: bool) -> Vec<BootStep> {
        let start = [BootStep::Lease, BootStep::Loader, BootStep::BootScript];
        let load = [
            BootStep::NodeScript,
            BootStep::Armed,
            BootStep::BundleScript,
            BootStep::Kernel,
            BootStep::Initrd,
            BootStep::Overlay,
        ];
        let last = if boots_nixos { BootStep::Ssh } else { BootStep::System };
        let rest = match self {
            Self::Armed => [&load[..], &[last]].concat(),
            Self::Unarmed => vec![BootStep::NodeScript, BootStep::LocalDisk],
            Self::Unknown => vec![BootStep::Page, BootStep::LocalDisk],
            Self::Tampered => [&load[..], &[BootStep::Refused, BootStep::LocalDisk]].concat(),
        };
        start.into_iter().chain(rest).collect()
    }
}

/// A step of a machine between power-on and the end of the test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BootStep {
    /// The machine has a DHCP lease.
    Lease,
    /// The machine has loaded iPXE, over TFTP or HTTP.
    Loader,
    /// The machine has loaded boot.ipxe.
    BootScript,
    /// The machine has loaded the script of its node.
    NodeScript,
    /// The machine has loaded the file that says that its node is armed.
    Armed,
    /// The machine has loaded the script of the bundle.
    BundleScript,
    /// The machine has loaded the kernel.
    Kernel,
    /// The machine has loaded the initrd.
    Initrd,
    /// The machine has loaded the overlay of its node.
    Overlay,
    /// The test system has printed all that it sees.
    System,
    /// The SSH server of NixOS answers.
    Ssh,
    /// The machine shows the facts that an operator needs to add it to the inventory.
    Page,
    /// The machine has refused the files that it loaded.
    Refused,
    /// The machine has started from its local disk.
    LocalDisk,
}

impl BootStep {
    /// The name in tables.
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

/// A machine that is powered on, and the steps that it must make.
#[derive(Clone, Debug)]
pub(super) struct BootTest<'a> {
    /// The name of the node, or `a stranger`.
    pub(super) name: String,
    pub(super) scenario: Scenario,
    /// The node that the machine plays. `None` for a machine that is not in the inventory.
    pub(super) node: Option<&'a Node>,
    pub(super) mac: MacAddr,
    pub(super) method: BootMethod,
    pub(super) system: System,
    /// The boot network that the machine is connected to.
    pub(super) network: &'a Label,
    /// The steps that the machine must make, in order.
    pub(super) steps: Vec<BootStep>,
}

impl BootTest<'_> {
    /// The build of iPXE that the machine's firmware must load.
    pub(super) fn loader(&self) -> Loader {
        self.method.loader(self.system)
    }
}
