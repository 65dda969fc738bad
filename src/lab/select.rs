//! Selects the boot tests of a lab run.

use std::collections::BTreeMap;

use anyhow::{Context, Result, anyhow};
use serde::{Deserialize, Serialize};

use super::boot_method::BootMethod;
use super::boot_test::{BootTest, Scenario};
use crate::model::{BootVerification, Cluster, HostName, MacAddr, Node, System, Word};

/// The MAC address of the machine that is not in the inventory, in QEMU's range.
const STRANGER: &str = "52:54:00:fe:ed:01";

/// Which machines the user wants to be powered on.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Selector {
    /// The nodes to boot, and no other machine. Empty: one node of each class, one node that is not armed, and a machine
    /// that is not in the inventory.
    pub nodes: Vec<String>,
    /// All nodes instead of one of each class.
    pub all: bool,
    /// How firmware boots, instead of what the inventory says.
    pub method: Option<BootMethod>,
}

/// The boot tests of a lab run.
#[derive(Debug)]
pub(super) struct Selection<'a> {
    pub(super) tests: Vec<BootTest<'a>>,
    /// The nodes that are not powered on, each with the node of its class that is.
    pub(super) skipped: Vec<(String, String)>,
}

/// Selects the boot tests of `cluster` that `selector` asks for. `boots_nixos` tells whether nodes with a base boot a
/// bundle of the user's.
///
/// # Errors
/// When the selector names a node that does not exist, or a node has no address in a boot network.
pub(super) fn select<'a>(
    cluster: &'a Cluster,
    selector: &Selector,
    boots_nixos: &dyn Fn(&str) -> bool,
) -> Result<Selection<'a>> {
    let (nodes, skipped) = if selector.nodes.is_empty() {
        select_classes(cluster, selector.all)
    } else {
        (find_nodes(cluster, &selector.nodes)?, Vec::new())
    };
    let test = |scenario: Scenario, node: &'a Node| -> Result<BootTest<'a>> {
        let reservation = node.reservation();
        let network = reservation
            .with_context(|| format!("{} has no address in a network that machines boot in", node.name))?
            .network;
        // A 64-bit ARM machine has no BIOS.
        let is_possible = |method: &BootMethod| node.system == System::X86_64 || *method != BootMethod::Bios;
        Ok(BootTest {
            name: node.name.to_string(),
            scenario,
            node: Some(node),
            mac: node.mac,
            method: selector.method.filter(is_possible).unwrap_or_else(|| node.firmware.into()),
            system: node.system,
            network,
            steps: scenario.steps(boots_nixos(&node.image())),
        })
    };
    let mut tests = nodes.iter().map(|node| test(Scenario::Armed, node)).collect::<Result<Vec<_>>>()?;
    // A user who names nodes wants these nodes booted, and no other machine.
    if let Some(first) = nodes.first().filter(|_| selector.nodes.is_empty()) {
        tests.push(test(Scenario::Unarmed, first)?);
        tests.push(BootTest {
            name: "a stranger".to_owned(),
            mac: MacAddr::parse(STRANGER).map_err(|why| anyhow!("{}", why.message))?,
            node: None,
            ..test(Scenario::Unknown, first)?
        });
        if cluster.boot.verify != BootVerification::None {
            tests.push(test(Scenario::Tampered, first)?);
        }
    }
    Ok(Selection { tests, skipped })
}

/// Selects the first node of each class: profile, firmware, hardware, architecture and boot network. Returns the other
/// nodes with the first of their class. With `all`, every node is selected.
fn select_classes(cluster: &Cluster, all: bool) -> (Vec<&Node>, Vec<(String, String)>) {
    let (mut selected, mut skipped) = (Vec::new(), Vec::new());
    let mut classes = BTreeMap::new();
    for node in &cluster.nodes {
        let class = (
            node.profile.as_str(),
            BootMethod::from(node.firmware),
            &*node.hardware.description,
            node.system.as_str(),
            node.reservation().map(|reservation| reservation.network),
        );
        match classes.get(&class) {
            Some(first) if !all => skipped.push((node.name.to_string(), format!("{first}"))),
            _ => {
                classes.insert(class, &node.name);
                selected.push(node);
            }
        }
    }
    (selected, skipped)
}

fn find_nodes<'a>(cluster: &'a Cluster, names: &[String]) -> Result<Vec<&'a Node>> {
    let find = |name: &String| {
        let node = HostName::parse(name).ok().and_then(|name| cluster.node(&name));
        node.with_context(|| format!("there is no node `{}`", name.escape_debug()))
    };
    names.iter().map(find).collect()
}
