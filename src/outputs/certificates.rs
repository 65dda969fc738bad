//! The public certificates of the CA and of the node, beside the node's configuration.

use crate::artifact::Artifact;
use crate::model::Node;
use crate::plan::Plan;
use crate::render::Renderer;

use super::{Emit, Output, path_in_node_dir};

pub(super) const OUTPUT: Output = Output { name: "certificates", templates: &[], emit: Emit::Node(emit) };

/// Copies the certificates of the plan. A certificate that has not been issued yet is left out: `render` issues it before
/// it writes, and `render --check` tells what is missing.
fn emit(plan: &Plan, node: &Node, _: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    let ca = plan.certificates.ca.iter().map(|pem| ("ca-cert.pem".to_owned(), pem));
    let certificate = plan.certificates.nodes.get(&node.name).map(|pem| (certificate_file(node), pem));
    ca.chain(certificate)
        .map(|(file, pem)| Artifact::new(path_in_node_dir(node, &file), pem.as_bytes()))
        .collect()
}

/// The file name of the node's certificate.
pub(super) fn certificate_file(node: &Node) -> String {
    format!("{}-cert.pem", node.name)
}
