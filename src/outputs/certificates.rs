//! The public certificates of the CA and of the node, and the CAs' CRLs, beside the node's configuration; the record of
//! issued certificates, and the list of revoked ones.

use crate::artifact::Artifact;
use crate::model::Node;
use crate::plan::{CRL, ISSUED, Plan, REVOKED};
use crate::render::Renderer;

use super::{Emit, Output, path_in_node_dir};

pub(super) const NODE: Output = Output { name: "certificates", templates: &[], emit: Emit::Node(emit) };
pub(super) const LISTS: Output =
    Output { name: "certificate lists", templates: &[], emit: Emit::Site(emit_lists) };

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

/// Copies the lists of the plan, where there are any.
fn emit_lists(plan: &Plan, _: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    let issued = plan.certificates.issued.iter().map(|record| (ISSUED, record));
    let revoked = plan.certificates.revoked.iter().map(|list| (REVOKED, list));
    issued.chain(revoked).map(|(path, text)| Artifact::new(path, text.as_bytes())).collect()
}

/// The file name of the node's certificate.
pub(super) fn certificate_file(node: &Node) -> String {
    format!("{}-cert.pem", node.name)
}
