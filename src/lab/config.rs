//! What goes between the caller and the lab, as JSON: the configuration goes in, events come out.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::boot_method::BootMethod;
use super::boot_test::{BootStep, Scenario};
use super::report::LabReport;
use super::select::Selector;
use super::test_system::TestSystem;
use super::tools::Tools;
use crate::model::DhcpServer;
use crate::sign::SignerTexts;

/// The configuration of a lab run. The lab reads it as one line on standard input.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LabConfig {
    /// The text of the inventory.
    pub inventory: String,
    /// The text of the table of nodes, where the inventory names one.
    pub nodes: Option<String>,
    /// The directory of the inventory, with the committed certificates and zones.
    pub root: PathBuf,
    /// The machines to power on.
    pub selector: Selector,
    /// The DHCP server to run.
    pub dhcp: DhcpServer,
    /// The user's bundles by image. Nodes with other images boot the test system.
    pub bundles: BTreeMap<String, PathBuf>,
    /// The files of the test system, if a node boots it.
    pub test_system: Option<TestSystem>,
    /// The directory of the builds of iPXE to publish, instead of those that the distribution installs.
    pub ipxe: Option<PathBuf>,
    /// The signer who signs what the lab serves; none where nothing is signed. In the lab's user namespace, the owners of files
    /// can't be told, so that the lab reads no key from a file.
    pub signer: Option<SignerTexts>,
    /// How long a machine may take, in seconds.
    pub timeout: u32,
    /// The directory that keeps all files of the lab.
    pub keep: Option<PathBuf>,
    /// The programs and firmware.
    pub tools: Tools,
}

/// A message of the lab to its caller: one line of JSON on standard output.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// A phase of the run begins, described in words.
    Phase(String),
    /// A machine will be powered on.
    MachinePlanned {
        /// The number of the machine in later events.
        machine: usize,
        /// The name of the node, or `a stranger`.
        name: String,
        /// The state in which the machine is powered on.
        scenario: Scenario,
        /// How its firmware boots.
        method: BootMethod,
        /// How many steps the machine must make.
        steps: usize,
    },
    /// A machine is powered on.
    MachineStarted {
        /// The number of the machine.
        machine: usize,
    },
    /// A machine has made a step.
    StepMade {
        /// The number of the machine.
        machine: usize,
        /// The step.
        step: BootStep,
        /// When, in seconds after power-on.
        seconds: f64,
    },
    /// The test of a machine is over.
    MachineDone {
        /// The number of the machine.
        machine: usize,
        /// Whether the machine did what it must do.
        is_good: bool,
    },
    /// The run is over.
    Report(LabReport),
    /// The lab itself has failed, for this reason.
    Failed(String),
}
