//! The public certificates of the CA and of the node, and the CAs' CRLs, beside the node's configuration; and the list of
//! revoked certificates.

use crate::artifact::Artifact;
use crate::model::Node;
use crate::plan::{CRL, Plan, REVOKED};
use crate::render::Renderer;

use super::{Emit, Output, path_in_node_dir};

pub(super) const NODE: Output = Output { name: "certificates", templates: &[], emit: Emit::Node(emit) };
pub(super) const REVOCATIONS: Output =
    Output { name: "revoked.json", templates: &[], emit: Emit::Site(emit_revocations) };

/// Copies the certificates of the plan. A certificate that has not been issued yet is left out: `render` issues it before
/// it writes, and `render --check` tells what is missing.
fn emit(plan: &Plan, node: &Node, _: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    let ca = plan.certificates.ca.iter().map(|pem| ("ca-cert.pem".to_owned(), pem));
    let certificate = plan.certificates.nodes.get(&node.name).map(|pem| (certificate_file(node), pem));
    let crl = plan.certificates.crl.iter().map(|pem| (CRL.to_owned(), pem));
    ca.chain(certificate)
        .chain(crl)
        .map(|(file, pem)| Artifact::new(path_in_node_dir(node, &file), pem.as_bytes()))
        .collect()
}

/// Copies the list of the plan, if there is one.
fn emit_revocations(plan: &Plan, _: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    plan.certificates.revoked.iter().map(|list| Artifact::new(REVOKED, list.as_bytes())).collect()
}

/// The file name of the node's certificate.
pub(super) fn certificate_file(node: &Node) -> String {
    format!("{}-cert.pem", node.name)
}
