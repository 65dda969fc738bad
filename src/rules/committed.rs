//! The committed certificates of a cluster, beside the requests that follow from the inventory.
//!
//! Public certificates only, so that `check` needs no vault; where the vault is at hand, CAs and nodes' keys must be the
//! vault's. A diagnostic stands at the node that the certificate is for, and at the cluster's name where the fault is about
//! the CA.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::net::IpAddr;

use anyhow::Context;
use rayon::prelude::*;
use time::OffsetDateTime;

use crate::diag::{Code, Diagnostic, Span};
use crate::model::{Cluster, HostName, Node};
use crate::pki::cluster::leaf_request;
use crate::pki::trust::{CaFault, Issuer, find_ca_fault, find_issuer, find_wide_fault};
use crate::pki::{KnownVault, LeafRequest, PublicCert, VaultView};
use crate::plan::former::FormerCluster;
use crate::plan::{Certificates, NamedFiles};
use crate::resolve::Draft;

/// The files beside an inventory that rules look at.
#[derive(Debug, Default)]
pub struct CommittedFiles {
    /// The certificates in `nodes/`.
    pub certificates: Certificates,
    /// The cluster's vault; none where nobody looked for it.
    pub vault: Option<VaultView>,
    /// The operator's files that nodes use.
    pub named: NamedFiles,
    /// The cluster as it was rendered last.
    pub former: FormerCluster,
    /// The nodes that the operator will install anew.
    pub installed_anew: BTreeSet<HostName>,
}

/// The public certificates of a sound cluster.
#[derive(Debug)]
pub struct Committed<'a> {
    pub(super) draft: &'a Draft<'a>,
    /// The operator's files that nodes use.
    pub(super) named: &'a NamedFiles,
    /// The cluster as it was rendered last.
    pub(super) former: &'a FormerCluster,
    /// The nodes that the operator will install anew.
    pub(super) installed_anew: &'a BTreeSet<HostName>,
    /// The cluster's vault; none where nobody looked for it.
    pub(super) vault: Option<&'a VaultView>,
    pub(super) cluster: &'a Cluster,
    /// The files in `nodes/` as they are.
    pub(super) certificates: &'a Certificates,
    /// The present time.
    pub(super) now: OffsetDateTime,
    /// Whether `nodes/` has a ca-cert.pem.
    pub(super) published: bool,
    /// The CAs in ca-cert.pem that are the cluster's: two while one replaces the other.
    pub(super) authorities: Vec<PublicCert>,
    /// The faults of CAs in ca-cert.pem that are accepted all the same.
    pub(super) doubts: Vec<CaFault>,
    /// The other CAs in ca-cert.pem, and why each is not accepted as the cluster's.
    pub(super) foreign: Vec<(PublicCert, CaFault)>,
    /// Why ca-cert.pem cannot be read; none where it can.
    pub(super) broken: Option<String>,
    /// The nodes in the order of the cluster.
    pub(super) members: Vec<NodeCertificate<'a>>,
}

/// A node and the committed certificate of that node.
#[derive(Debug)]
pub(super) struct NodeCertificate<'a> {
    pub(super) node: &'a Node,
    /// The place of the node's name.
    pub(super) span: &'a Span,
    /// The request that the certificate must answer.
    pub(super) request: LeafRequest,
    /// The certificate, or why it cannot be read; none where none is committed.
    pub(super) certificate: Option<Result<PublicCert, String>>,
    /// Whether the CA that the certificate names signed the certificate.
    pub(super) has_signature: bool,
}

impl<'a> Committed<'a> {
    /// Reads `certificates`, on all cores: parsing takes most of the time.
    ///
    /// # Errors
    /// When `cluster` is not that of `draft`, or a name cannot be certified: bugs of plasmagen.
    pub fn new(
        draft: &'a Draft<'a>,
        cluster: &'a Cluster,
        files: &'a CommittedFiles,
        now: OffsetDateTime,
    ) -> anyhow::Result<Self> {
        let CommittedFiles { certificates, vault, former, installed_anew, named } = files;
        let vault = vault.as_ref();
        let known = vault.and_then(VaultView::usable);
        let member = |node: &'a Node| {
            let written = draft.node(node.name.as_str()).context("a node is not in the inventory")?;
            let read = |pem: &String| PublicCert::from_pem(pem).map_err(|why| format!("{why:#}"));
            anyhow::Ok(NodeCertificate {
                node,
                span: &written.entry.span,
                request: leaf_request(cluster, node)?,
                certificate: certificates.nodes.get(&node.name).map(read),
                has_signature: false,
            })
        };
        let (published, broken) = match certificates.ca.as_deref().map(PublicCert::list_from_pem) {
            None => (Vec::new(), None),
            Some(Ok(none)) if none.is_empty() => (none, Some("the file holds no certificate".to_owned())),
            Some(Ok(authorities)) => (authorities, None),
            Some(Err(why)) => (Vec::new(), Some(format!("{why:#}"))),
        };
        let (mut authorities, mut doubts, mut foreign) = (Vec::new(), Vec::new(), Vec::new());
        for ca in published {
            match find_ca_fault(&ca, cluster, known).or_else(|| find_wide_fault(&ca, cluster, known)) {
                Some(fault) if fault.is_refused() => foreign.push((ca, fault)),
                fault => {
                    authorities.push(ca);
                    doubts.extend(fault);
                }
            }
        }
        let mut members =
            cluster.nodes.par_iter().map(member).collect::<anyhow::Result<Vec<NodeCertificate<'_>>>>()?;
        members.par_iter_mut().for_each(|member| member.has_signature = has_signature(&authorities, member));
        Ok(Self {
            draft,
            named,
            former,
            installed_anew,
            vault,
            cluster,
            certificates,
            now,
            published: certificates.ca.is_some(),
            authorities,
            doubts,
            foreign,
            broken,
            members,
        })
    }

    /// The certificates that can be read, with their nodes.
    pub(super) fn leaves(&self) -> impl Iterator<Item = (&NodeCertificate<'a>, &PublicCert)> {
        self.members.iter().filter_map(|member| Some((member, member.certificate.as_ref()?.as_ref().ok()?)))
    }

    /// The published CA that `leaf` names by the identifier of its key. Rule H12 verifies the signature.
    pub(super) fn issuer(&self, leaf: &PublicCert) -> Option<&PublicCert> {
        let id = leaf.authority_key_id.as_ref()?;
        self.authorities.iter().find(|ca| ca.subject_key_id.as_ref() == Some(id))
    }

    /// Whether a newer CA has taken the place of `ca`: it is published, and no valid certificate is from `ca`.
    pub(super) fn is_replaced(&self, ca: &PublicCert) -> bool {
        let is_newer = |other: &PublicCert| other.generation() > ca.generation();
        let is_from = |leaf: &PublicCert| leaf.not_after >= self.now && self.issuer(leaf) == Some(ca);
        self.authorities.iter().any(is_newer)
            && self.leaves().next().is_some()
            && !self.leaves().any(|(_, leaf)| is_from(leaf))
    }

    /// Whether `leaf` names a CA that is published, but is not accepted as the cluster's.
    pub(super) fn is_from_foreign_ca(&self, leaf: &PublicCert) -> bool {
        self.foreign.iter().any(|(ca, _)| ca.subject_key_id == leaf.authority_key_id)
    }

    /// The names and addresses of `member` that no published CA may vouch for.
    pub(super) fn refused(&self, member: &NodeCertificate<'_>) -> Vec<String> {
        let refused = self.authorities.iter().map(|ca| ca.constraints.refused(&member.request));
        refused.min_by_key(Vec::len).unwrap_or_default()
    }

    /// Whether the inventory says that the cluster is formed.
    pub(super) fn is_formed(&self) -> bool {
        self.cluster.formed
    }

    /// Whether the inventory lists `name` among the removed nodes.
    pub(super) fn is_removed(&self, name: &str) -> bool {
        let removed = self.draft.inventory.cluster.as_ref().and_then(|cluster| cluster.removed.as_ref());
        removed.is_some_and(|list| list.value.iter().any(|removed| removed.value.as_str() == name))
    }

    /// The place of the list of voters.
    pub(super) fn bootstrap_span(&self) -> Span {
        let list = self.draft.inventory.cluster.as_ref().and_then(|cluster| cluster.bootstrap.as_ref());
        list.map_or_else(|| self.cluster_span(), |list| list.span.clone())
    }

    /// The vault, where it is at hand.
    pub(super) fn known_vault(&self) -> Option<&KnownVault> {
        self.vault.and_then(VaultView::usable)
    }

    /// The place where the inventory names the vault, else that of the cluster's name; and the table of that place.
    pub(super) fn vault_span(&self) -> (Span, &'static str) {
        let path = self.draft.inventory.vault.path.as_ref();
        path.map_or_else(|| (self.cluster_span(), "[cluster]"), |path| (path.span.clone(), "[vault]"))
    }

    /// The place of the cluster's name.
    pub(super) fn cluster_span(&self) -> Span {
        let name = self.draft.inventory.cluster.as_ref().and_then(|cluster| cluster.name.as_ref());
        name.map_or(0..0, |name| name.span.clone())
    }

    /// Where the inventory says that a certificate of `member` must hold `name`, an address or a host name; and what
    /// is written there.
    pub(super) fn origin(&self, member: &NodeCertificate<'_>, name: &str) -> (Span, String) {
        let domain = self.draft.inventory.cluster.as_ref().and_then(|cluster| cluster.domain.as_ref());
        let found = match name.parse::<IpAddr>() {
            Ok(address) => self.draft.networks.values().find_map(|network| {
                let table = &network.value;
                let net = table.subnet_for(address).filter(|net| net.contains(&address))?;
                let v4 = table.subnet.as_ref().filter(|_| address.is_ipv4()).map(|subnet| &subnet.span);
                let span = v4.or(table.subnet6.as_ref().map(|subnet6| &subnet6.span))?;
                Some((span.clone(), format!("addresses in {net}")))
            }),
            Err(_) => domain.map(|domain| (domain.span.clone(), format!("names below {}", domain.value))),
        };
        found.unwrap_or_else(|| (member.span.clone(), name.to_owned()))
    }
}

/// Whether one of `authorities` signed the certificate of `member`.
fn has_signature(authorities: &[PublicCert], member: &NodeCertificate<'_>) -> bool {
    let Some(Ok(certificate)) = &member.certificate else { return false };
    matches!(find_issuer(authorities, certificate), Some(Issuer { has_signed: true, .. }))
}

/// Makes the fault of the certificate of `member`, and says how to get a new certificate.
pub(super) fn certificate_fault(code: Code, member: &NodeCertificate<'_>, what: impl Display) -> Diagnostic {
    let name = &member.node.name;
    Diagnostic::error(code, member.span, format!("the certificate of `{name}` {what}")).help(format!(
        "remove nodes/{}/{name}-cert.pem: `plasmagen render` issues a new certificate for the same key",
        member.node.fqdn
    ))
}

/// Makes the fault of the CA's certificate.
pub(super) fn ca_fault(code: Code, committed: &Committed<'_>, what: impl Display) -> Diagnostic {
    let fault = Diagnostic::error(code, &committed.cluster_span(), format!("the cluster's CA {what}"));
    fault.help("restore ca-cert.pem in nodes/ from git, or replace the CA: `plasmagen explain PG-H11`")
}
