//! What is written: one file an output, one table of all. Outputs are pure: a plan in, artifacts out.
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
mod inventory;
mod ipxe;
mod nginx;
mod overlay;
mod pxe_server;
mod tftp;

use rayon::prelude::*;

use crate::artifact::{Artifact, ArtifactSet};
use crate::model::Node;
use crate::plan::Plan;
use crate::render::Renderer;

/// Something that is written.
#[derive(Debug)]
pub struct Output {
    /// Its name: that of the file, or of the kind of files.
    pub name: &'static str,
    /// What it is for, in one line.
    pub about: &'static str,
    /// Its template: a name and the text. JSON, certificates and archives have none.
    pub template: Option<(&'static str, &'static str)>,
    /// How it is made.
    pub emit: Emit,
}

/// How an output is made.
#[derive(Clone, Copy, Debug)]
pub enum Emit {
    /// For each node.
    Node(fn(&Plan, &Node, &Renderer) -> anyhow::Result<Vec<Artifact>>),
    /// Once for the site.
    Site(fn(&Plan, &Renderer) -> anyhow::Result<Vec<Artifact>>),
}

/// A template that is embedded in the program.
macro_rules! template {
    ($name:literal) => {
        ($name, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/", $name)))
    };
}
use template;

/// Everything that is written.
pub const OUTPUTS: &[Output] = &[
    configuration::OUTPUT,
    hardware::OUTPUT,
    disko::OUTPUT,
    firewall::NODE,
    firewall::SITE,
    cluster_config::OUTPUT,
    certificates::OUTPUT,
    ipxe::NODE,
    ipxe::BOOT,
    dhcp::isc::OUTPUT,
    dhcp::kea4::OUTPUT,
    dhcp::kea6::OUTPUT,
    dhcp::dnsmasq::OUTPUT,
    dns::ZONES,
    dns::NAMED,
    dns::HOSTS,
    nginx::OUTPUT,
    tftp::HPA,
    tftp::ATFTPD,
    health::SCRIPT,
    health::SERVICE,
    health::TIMER,
    health::UNITS,
    pxe_server::OUTPUT,
    inventory::OUTPUT,
];

/// Renders all outputs, the nodes' in parallel.
///
/// # Errors
/// When an output cannot say what the plan holds, or two want the same path: bugs of ours.
pub fn render(plan: &Plan) -> anyhow::Result<ArtifactSet> {
    let templates: Vec<_> = OUTPUTS.iter().filter_map(|output| output.template).collect();
    let renderer = Renderer::new(&templates)?;
    let of_node = |node: &Node| {
        let mut artifacts = Vec::with_capacity(OUTPUTS.len());
        for output in OUTPUTS {
            if let Emit::Node(emit) = output.emit {
                artifacts.extend(emit(plan, node, &renderer)?);
            }
        }
        Ok(artifacts)
    };
    let nodes = || plan.cluster.nodes.par_iter().map(of_node).collect::<anyhow::Result<Vec<_>>>();
    let site = || {
        let emit = |output: &Output| match output.emit {
            Emit::Site(emit) => Some(emit(plan, &renderer)),
            Emit::Node(_) => None,
        };
        OUTPUTS.par_iter().filter_map(emit).collect::<anyhow::Result<Vec<_>>>()
    };
    let (nodes, site) = rayon::join(nodes, site);
    let mut set = ArtifactSet::default();
    for artifact in nodes?.into_iter().chain(site?).flatten() {
        set.insert(artifact)?;
    }
    Ok(set)
}

/// The path of a node's file.
fn in_node_dir(node: &Node, file: &str) -> String {
    format!("{}/{file}", crate::plan::node_dir(node))
}

/// Pretty JSON with a final newline.
fn json(value: &impl serde::Serialize) -> anyhow::Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(value)?;
    text.push(b'\n');
    Ok(text)
}
