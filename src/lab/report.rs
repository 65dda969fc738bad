//! The report of a lab run.

use serde::{Deserialize, Serialize};

use super::accelerator::Accelerator;
use super::boot_method::BootMethod;
use super::boot_test::{BootStep, Scenario};
use crate::model::DhcpServer;

/// The version of the report's JSON format. It rises when a key changes its meaning or is removed.
const SCHEMA: u32 = 1;

/// The report of a lab run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LabReport {
    /// The version of the format.
    pub schema: u32,
    /// Whether every machine did what it must do.
    pub ok: bool,
    /// The DHCP server that ran.
    pub dhcp: DhcpServer,
    /// The QEMU accelerator that ran the machines.
    #[serde(rename = "acceleration")]
    pub accelerator: Accelerator,
    /// The machines, in the order in which they were selected.
    pub machines: Vec<MachineReport>,
    /// The nodes that were not powered on, each with the node of its class that was.
    #[serde(rename = "sampled")]
    pub skipped: Vec<(String, String)>,
    /// The parts that could not be tested on this computer, each with the reason.
    pub notes: Vec<String>,
}

/// The report about one machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MachineReport {
    /// The name of the node, or `a stranger`.
    pub node: String,
    /// The state in which the machine was powered on.
    #[serde(rename = "kind")]
    pub scenario: Scenario,
    /// How the machine's firmware boots.
    #[serde(rename = "firmware")]
    pub method: BootMethod,
    /// The boot network that the machine was connected to.
    pub network: String,
    /// The address that DHCP gave to the machine.
    pub address: Option<String>,
    /// The steps that the machine made, with the seconds after power-on.
    pub steps: Vec<(BootStep, f64)>,
    /// The steps that the machine must make and did not make.
    pub missing: Vec<BootStep>,
    /// How many facts were compared with the inventory and the published files.
    pub checks: usize,
    /// The differences, and the reason for an early end.
    pub faults: Vec<String>,
    /// How many times the machine was powered on.
    pub attempts: u32,
    /// The text of the serial console, if a step is missing or there is a fault.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub serial: Option<String>,
}

impl MachineReport {
    /// Whether the machine did what it must do.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.missing.is_empty() && self.faults.is_empty()
    }
}

impl LabReport {
    pub(super) fn new(
        dhcp: DhcpServer,
        accelerator: Accelerator,
        machines: Vec<MachineReport>,
        skipped: Vec<(String, String)>,
        notes: Vec<String>,
    ) -> Self {
        let ok = !machines.is_empty() && machines.iter().all(MachineReport::is_good);
        Self { schema: SCHEMA, ok, dhcp, accelerator, machines, skipped, notes }
    }
}
