//! What came of a lab.

use serde::{Deserialize, Serialize};

use super::trial::{Kind, Step};
use super::{Acceleration, Boot};
use crate::model::DhcpServer;

/// The version of this form; it rises when a key changes its meaning or goes away.
const SCHEMA: u32 = 1;

/// What came of a lab.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// The version of this form.
    pub schema: u32,
    /// Whether every machine did what it should.
    pub ok: bool,
    /// Which DHCP server ran.
    pub dhcp: DhcpServer,
    /// What ran the machines.
    pub acceleration: Acceleration,
    /// The machines, in the order in which they were chosen.
    pub machines: Vec<Row>,
    /// Nodes that were not powered on, each with one of its class that was.
    pub sampled: Vec<(String, String)>,
    /// What could not be tried on this machine, and why.
    pub notes: Vec<String>,
}

/// What came of a machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Row {
    /// The node, or `a stranger`.
    pub node: String,
    /// What was expected of it.
    pub kind: Kind,
    /// How its firmware boots.
    pub firmware: Boot,
    /// Its network.
    pub network: String,
    /// Its address.
    pub address: Option<String>,
    /// What it did, with seconds after power-on.
    pub steps: Vec<(Step, f64)>,
    /// What it should have done too.
    pub missing: Vec<Step>,
    /// How many facts were compared.
    pub checks: usize,
    /// What is wrong.
    pub faults: Vec<String>,
    /// How often it was powered on.
    pub attempts: u32,
    /// The serial console, where something is wrong.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub serial: Option<String>,
}

impl Row {
    /// Whether it did what it should.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.missing.is_empty() && self.faults.is_empty()
    }
}

impl Report {
    pub(super) fn new(
        dhcp: DhcpServer,
        acceleration: Acceleration,
        machines: Vec<Row>,
        sampled: Vec<(String, String)>,
        notes: Vec<String>,
    ) -> Self {
        let ok = !machines.is_empty() && machines.iter().all(Row::is_good);
        Self { schema: SCHEMA, ok, dhcp, acceleration, machines, sampled, notes }
    }
}
