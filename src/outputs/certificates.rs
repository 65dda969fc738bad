//! Public certificates: the CA's and the node's own, beside its configuration.

use crate::artifact::Artifact;
use crate::model::Node;
use crate::plan::Plan;
use crate::render::Renderer;

use super::{Emit, Output, in_node_dir};

pub(super) const OUTPUT: Output = Output {
    name: "certificates",
    about: "the public certificates of the CA and of the node",
    template: None,
    emit: Emit::Node(emit),
};

/// What has not been issued yet is left out: `render` issues before it writes, `render --check` tells what is missing.
fn emit(plan: &Plan, node: &Node, _: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    let ca = plan.certificates.ca.iter().map(|pem| ("ca-cert.pem".to_owned(), pem));
    let own = plan.certificates.nodes.get(&node.name).map(|pem| (certificate_file(node), pem));
    ca.chain(own).map(|(file, pem)| Artifact::new(in_node_dir(node, &file), pem.as_bytes())).collect()
}

/// The name of the node's certificate.
pub(super) fn certificate_file(node: &Node) -> String {
    format!("{}-cert.pem", node.name)
}
