//! Which nodes get a new certificate, and why.

use std::collections::BTreeSet;

use anyhow::ensure;
use time::{Duration, OffsetDateTime};

use super::host_keys::HostKeyRequest;
use super::published::{Published, PublishedLeaf, PublishedNode};
use crate::model::{Cluster, HostName, Node};
use crate::pki::read::PublicCert;
use crate::pki::revocation::read_list;
use crate::pki::status::Validity;
use crate::plan::Certificates;

/// An order to issue certificates. Certificates that are missing, that lack a name of the inventory, that have expired or
/// that are urgent are issued by every order; the default is an order for no others.
#[derive(Clone, Debug, Default)]
pub struct IssueOrder {
    /// The other certificates to issue.
    pub renewals: Renewals,
    /// Whether the nodes of `renewals` get new keys.
    pub has_new_keys: bool,
    /// The nodes whose certificate is for a key that the vault has put aside: the run that made the successor of that key was
    /// killed before it published the certificate.
    pub superseded: BTreeSet<HostName>,
    /// The SSH host keys that the operator asks for.
    pub host_keys: HostKeyRequest,
    /// The nodes that the operator says are not installed yet, or will be installed anew.
    pub installed_anew: BTreeSet<HostName>,
    /// The nodes that the operator says are the machines that the vault's keys are for, although the facts differ.
    pub same_machines: BTreeSet<HostName>,
}

impl IssueOrder {
    /// Whether passphrases of encrypted disks may have to be made for nodes of `cluster` that will be installed anew.
    #[must_use]
    pub fn may_need_passphrases(&self, cluster: &Cluster) -> bool {
        let is_anew = |node: &Node| node.layout.unlock.is_some() && self.installed_anew.contains(&node.name);
        cluster.nodes.iter().any(is_anew)
    }
}

/// The certificates that an [`IssueOrder`] renews before they must be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Renewals {
    /// None.
    #[default]
    None,
    /// Those that are in the last third of their life.
    LastThird,
    /// Those that end within this time.
    Within(Duration),
    /// Those of these nodes.
    Nodes(BTreeSet<HostName>),
    /// All.
    All,
    /// Those that the newest published CA has not signed: the newest CA signs everything from then on.
    NewCa,
}

/// Why a node gets a new certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IssueReason {
    /// The node has none.
    Missing,
    /// The certificate lacks a name or an address of the inventory, or has one too many.
    Changed,
    /// The certificate is for a key that the vault has put aside.
    Superseded,
    /// The certificate has expired.
    Expired,
    /// The certificate ends so soon that rule H11 refuses it.
    Urgent,
    /// The order names the certificate.
    Ordered,
}

/// The nodes that get a new certificate.
#[derive(Debug)]
pub struct Selection<'a> {
    /// The nodes in the order of the cluster.
    pub(super) nodes: Vec<SelectedNode<'a>>,
    /// The published CA that signs; none where none is published.
    pub(super) issuing_ca: Option<PublicCert>,
    /// The published CAs, the newest last.
    pub(super) authorities: Vec<PublicCert>,
    /// The nodes that the order would renew, if their certificates did not end together with their CA.
    pub held_back: Vec<HostName>,
    /// The nodes whose other keys are good for nothing any more, also while one CA takes the place of another: the operator
    /// ordered new keys for these nodes, and no rotation.
    pub rekeyed: BTreeSet<HostName>,
}

/// A node that gets a new certificate.
#[derive(Debug)]
pub(super) struct SelectedNode<'a> {
    pub(super) node: &'a Node,
    pub(super) reason: IssueReason,
    /// Whether the node gets a new key.
    pub(super) has_new_key: bool,
}

impl Selection<'_> {
    /// Whether no node gets a new certificate.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }
}

/// Lists the nodes without a certificate that says what the inventory asks for.
///
/// # Errors
/// When an existing certificate can't be read, or was not signed by a CA of the cluster that `nodes/` publishes.
pub fn list_lacking<'a>(cluster: &'a Cluster, certificates: &Certificates) -> anyhow::Result<Vec<&'a Node>> {
    let published = Published::read(cluster, certificates)?;
    let lacking =
        published.nodes.iter().filter(|node| !node.leaf.as_ref().is_some_and(|leaf| leaf.is_current));
    Ok(lacking.map(|published| published.node).collect())
}

/// Selects the nodes of `cluster` that get a new certificate by `order`.
///
/// # Errors
/// As for [`list_lacking`].
pub fn select<'a>(
    cluster: &'a Cluster,
    certificates: &Certificates,
    order: &IssueOrder,
    now: OffsetDateTime,
) -> anyhow::Result<Selection<'a>> {
    let published = Published::read(cluster, certificates)?;
    let is_rotation = order.renewals == Renewals::NewCa;
    ensure!(
        !is_rotation || published.authorities.len() > 1,
        "no rotation has begun: plasmagen certs rotate begin publishes a new CA beside the old one"
    );
    let newest = published.authorities.len().saturating_sub(1);
    let issuing_ca = if is_rotation { published.authorities.last() } else { published.issuing_ca() }.cloned();
    let revoked = read_list(certificates)?;
    let (mut nodes, mut held_back, mut rekeyed) = (Vec::new(), Vec::new(), BTreeSet::new());
    for PublishedNode { node, leaf } in &published.nodes {
        let is_ordered = leaf.as_ref().is_some_and(|leaf| order.renewals.has(node, leaf, newest, now));
        // A new certificate ends with the CA at the latest.
        let gains = |leaf: &PublishedLeaf| {
            issuing_ca.as_ref().is_none_or(|ca| ca.not_after > leaf.certificate.not_after)
        };
        let reason = match leaf {
            None => Some(IssueReason::Missing),
            Some(_) if order.superseded.contains(&node.name) => Some(IssueReason::Superseded),
            Some(leaf) => match Validity::of(&leaf.certificate, now) {
                _ if is_ordered && (gains(leaf) || order.renewals.is_explicit()) => {
                    Some(IssueReason::Ordered)
                }
                Validity::Expired => Some(IssueReason::Expired),
                Validity::Urgent if gains(leaf) => Some(IssueReason::Urgent),
                _ => (!leaf.is_current).then_some(IssueReason::Changed),
            },
        };
        let is_revoked = leaf.as_ref().is_some_and(|leaf| revoked.has(&leaf.certificate.serial));
        let gets_new_key = is_ordered && order.has_new_keys || reason == Some(IssueReason::Superseded);
        ensure!(!is_revoked || gets_new_key, explain_revoked(node));
        match reason {
            Some(reason) => {
                // The vault holds a new key for that node already.
                let is_rekeyed = reason == IssueReason::Superseded;
                let has_new_key = is_ordered && order.has_new_keys && !is_rekeyed;
                nodes.push(SelectedNode { node, reason, has_new_key });
                if is_ordered && order.has_new_keys && !is_rotation {
                    rekeyed.insert(node.name.clone());
                }
            }
            None if is_ordered => held_back.push(node.name.clone()),
            None => {}
        }
    }
    Ok(Selection { nodes, issuing_ca, authorities: published.authorities, held_back, rekeyed })
}

fn explain_revoked(node: &Node) -> String {
    format!(
        "the certificate of {name} is in nodes/revoked.json: restore nodes/ from git, or give the node a new key: plasmagen \
         certs renew {name} --new-key",
        name = node.name
    )
}

impl Renewals {
    /// Whether these renewals have the certificate `leaf` of `node`; `newest` is the place of the newest published CA.
    fn has(&self, node: &Node, leaf: &PublishedLeaf, newest: usize, now: OffsetDateTime) -> bool {
        let certificate = &leaf.certificate;
        match self {
            Self::None => false,
            Self::LastThird => {
                matches!(
                    Validity::of(certificate, now),
                    Validity::Renew | Validity::Urgent | Validity::Expired
                )
            }
            Self::Within(time) => certificate.not_after - now < *time,
            Self::Nodes(names) => names.contains(&node.name),
            Self::All => true,
            Self::NewCa => leaf.issuer != newest,
        }
    }

    /// Whether the operator asks for these certificates, however long they are valid.
    fn is_explicit(&self) -> bool {
        matches!(self, Self::Nodes(_) | Self::All | Self::NewCa)
    }
}
