//! The certificates that `nodes/` publishes, read and verified.

use anyhow::{Context, bail, ensure};
use rayon::prelude::*;

use super::requests::leaf_request;
use crate::model::{Cluster, Node};
use crate::pki::read::PublicCert;
use crate::pki::trust::{Issuer, find_ca_fault, find_issuer, list_by_generation};
use crate::plan::{Certificates, node_dir};

/// The published CAs and, for each node of the cluster, the published certificate.
#[derive(Debug)]
pub(super) struct Published<'a> {
    /// The CAs in ca-cert.pem, the newest last: two while one replaces the other.
    pub(super) authorities: Vec<PublicCert>,
    /// The nodes in the order of the cluster.
    pub(super) nodes: Vec<PublishedNode<'a>>,
}

/// A node with the certificate that is published for the node.
#[derive(Debug)]
pub(super) struct PublishedNode<'a> {
    pub(super) node: &'a Node,
    /// The certificate; none where none is published.
    pub(super) leaf: Option<PublishedLeaf>,
}

/// A published certificate of a node.
#[derive(Debug)]
pub(super) struct PublishedLeaf {
    pub(super) certificate: PublicCert,
    /// The place of the CA that signed the certificate, in [`Published::authorities`].
    pub(super) issuer: usize,
    /// Whether the certificate holds what the inventory asks for.
    pub(super) is_current: bool,
}

impl<'a> Published<'a> {
    /// Reads `certificates`. The rules have checked them by then; this function verifies once more who signed them, since it
    /// reads what lies there after the lock is taken.
    ///
    /// # Errors
    /// When an existing certificate can't be read, or was not signed by a CA of the cluster that `nodes/` publishes.
    pub(super) fn read(cluster: &'a Cluster, certificates: &Certificates) -> anyhow::Result<Self> {
        ensure!(
            certificates.ca.is_some() || certificates.nodes.is_empty(),
            "nodes/ holds certificates but no ca-cert.pem: restore it from git"
        );
        let published = certificates.ca.as_deref().unwrap_or_default();
        let authorities = list_by_generation(published).context("could not use the ca-cert.pem in nodes/")?;
        ensure!(
            certificates.ca.is_none() || !authorities.is_empty(),
            "the ca-cert.pem in nodes/ holds no certificate: restore it from git"
        );
        for ca in &authorities {
            if let Some(fault) = find_ca_fault(ca, cluster, None) {
                bail!("ca-cert.pem in nodes/ holds {fault}: restore it from git");
            }
        }
        let read = |node: &'a Node| {
            let leaf = certificates.nodes.get(&node.name);
            let leaf = leaf.map(|pem| read_leaf(cluster, node, pem, &authorities)).transpose()?;
            anyhow::Ok(PublishedNode { node, leaf })
        };
        // Collected before the first error is taken, so that of several errors always the same one is told.
        let nodes: Vec<_> = cluster.nodes.par_iter().map(read).collect();
        let nodes = nodes.into_iter().collect::<anyhow::Result<_>>()?;
        Ok(Self { authorities, nodes })
    }

    /// The CA that signs certificates now: the newest CA that has signed the certificate of a node, else the oldest one. So a
    /// CA that is published for the first time signs nothing until the operator makes it sign everything.
    pub(super) fn issuing_ca(&self) -> Option<&PublicCert> {
        let leaves = self.nodes.iter().filter_map(|node| node.leaf.as_ref());
        self.authorities.get(leaves.map(|leaf| leaf.issuer).max().unwrap_or_default())
    }
}

/// Reads `pem`, the certificate of `node`, and finds which of `authorities` signed it.
fn read_leaf(
    cluster: &Cluster,
    node: &Node,
    pem: &str,
    authorities: &[PublicCert],
) -> anyhow::Result<PublishedLeaf> {
    let unusable = || {
        format!(
            "could not use the certificate of {name} in {dir}/: restore it from git, or remove it, and plasmagen render \
             issues another",
            name = node.name,
            dir = node_dir(node)
        )
    };
    let certificate = PublicCert::from_pem(pem).with_context(unusable)?;
    let signer = find_issuer(authorities, &certificate);
    let issuer = match signer {
        Some(Issuer { ca, has_signed: true }) => authorities.iter().position(|other| other == ca),
        _ => None,
    };
    let issuer =
        issuer.with_context(|| format!("{}: it is not signed by the CA in ca-cert.pem", unusable()))?;
    let is_current = certificate.covers(&leaf_request(cluster, node)?);
    Ok(PublishedLeaf { certificate, issuer, is_current })
}
