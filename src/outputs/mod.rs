//! The files that plasmagen renders: one file an output, and one table of all outputs. Outputs are pure functions from a
//! plan to artifacts.
//!
//! To add an output: its file here, its template in `templates/`, its `mod` line and its row in [`OUTPUTS`].

mod certificates;
mod cluster_config;
mod configuration;
mod dhcp;
mod disko;
mod dns;
mod firewall;
mod hardware;
mod health;
mod host_keys;
mod hosts;
mod inventory;
mod ipxe;
mod nginx;
mod overlay;
mod pxe_server;
mod reservations;
mod sysctl;
mod tftp;

pub use cluster_config::ClusterConfig;
pub use configuration::{DerivedSettings, list_kernel_params};
pub use hosts::{Hosts, list_common_hosts, list_own_hosts};

use rayon::prelude::*;

use crate::artifact::{Artifact, ArtifactSet};
use crate::model::Node;
use crate::plan::Plan;
use crate::render::{Renderer, Template};

/// A kind of files that plasmagen renders.
#[derive(Debug)]
pub struct Output {
    /// The name of the file, or of the kind of files.
    pub name: &'static str,
    /// The templates. JSON, certificates, SSH keys and archives have none.
    pub templates: &'static [Template],
    /// The function that makes the files.
    pub emit: Emit,
}

/// The function that makes an output's files.
#[derive(Clone, Copy, Debug)]
pub enum Emit {
    /// A function that is called for each node.
    Node(fn(&Plan, &Node, &Renderer) -> anyhow::Result<Vec<Artifact>>),
    /// A function that is called once for the site.
    Site(fn(&Plan, &Renderer) -> anyhow::Result<Vec<Artifact>>),
}

/// All outputs.
pub const OUTPUTS: &[Output] = &[
    configuration::OUTPUT,
    hardware::OUTPUT,
    disko::OUTPUT,
    firewall::NODE,
    firewall::SITE,
    cluster_config::OUTPUT,
    hosts::OUTPUT,
    certificates::NODE,
    certificates::LISTS,
    host_keys::NODE,
    host_keys::SITE,
    ipxe::NODE,
    ipxe::BOOT,
    dhcp::isc::OUTPUT,
    dhcp::kea::v4::OUTPUT,
    dhcp::kea::v6::OUTPUT,
    dhcp::dnsmasq::OUTPUT,
    dns::OUTPUT,
    nginx::OUTPUT,
    tftp::HPA,
    tftp::ATFTPD,
    health::SCRIPT,
    health::SERVICE,
    health::TIMER,
    health::UNITS,
    pxe_server::OUTPUT,
    reservations::OUTPUT,
    sysctl::OUTPUT,
    inventory::OUTPUT,
];

/// Renders all outputs, those of nodes in parallel.
///
/// # Errors
/// When an output cannot express the plan, or when two outputs make the same path: bugs in plasmagen.
pub fn render(plan: &Plan) -> anyhow::Result<ArtifactSet> {
    render_outputs(plan, OUTPUTS, &plan.cluster.nodes.iter().collect::<Vec<_>>())
}

/// Renders the files that the machines of `nodes` load from the site: `boot.ipxe`, their scripts and their overlays.
///
/// # Errors
/// Those of [`render`].
pub fn render_boot_files(plan: &Plan, nodes: &[&Node]) -> anyhow::Result<ArtifactSet> {
    render_outputs(plan, &[ipxe::NODE, ipxe::BOOT], nodes)
}

/// Renders `outputs`, those of nodes for `nodes`, in parallel.
fn render_outputs(plan: &Plan, outputs: &[Output], nodes: &[&Node]) -> anyhow::Result<ArtifactSet> {
    let templates: Vec<_> = outputs.iter().flat_map(|output| output.templates).copied().collect();
    let renderer = Renderer::new(&templates)?;
    let render_node = |node: &Node| {
        let mut artifacts = Vec::with_capacity(outputs.len());
        for output in outputs {
            if let Emit::Node(emit) = output.emit {
                artifacts.extend(emit(plan, node, &renderer)?);
            }
        }
        Ok(artifacts)
    };
    let nodes = || nodes.par_iter().map(|node| render_node(node)).collect::<anyhow::Result<Vec<_>>>();
    let site = || {
        let emit = |output: &Output| match output.emit {
            Emit::Site(emit) => Some(emit(plan, &renderer)),
            Emit::Node(_) => None,
        };
        outputs.par_iter().filter_map(emit).collect::<anyhow::Result<Vec<_>>>()
    };
    let (nodes, site) = rayon::join(nodes, site);
    let mut set = ArtifactSet::default();
    for artifact in nodes?.into_iter().chain(site?).flatten() {
        set.insert(artifact)?;
    }
    Ok(set)
}

/// The path of a node's file.
fn path_in_node_dir(node: &Node, file: &str) -> String {
    format!("{}/{file}", crate::plan::node_dir(node))
}

/// Serializes `value` as pretty JSON with a final newline.
fn json(value: &impl serde::Serialize) -> anyhow::Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(value)?;
    text.push(b'\n');
    Ok(text)
}
