//! Revoked certificates: those of removed nodes, and of keys that were replaced. `nodes/issued.json` records every certificate
//! that was issued, `nodes/revoked.json` lists the revoked ones, and the CAs sign that list as CRLs (RFC 5280 section 5) in
//! `ca-crl.pem`, beside `ca-cert.pem`.
//!
//! All three are state, like certificates: what is published is read and kept, until a certificate is issued or revoked.

mod crl;
mod list;
mod record;
mod signed;

use std::collections::{BTreeSet, HashMap};

use anyhow::Context;
use rayon::prelude::*;
use time::OffsetDateTime;

use self::record::RecordedCertificate as Recorded;
use super::read::PublicCert;
use super::trust::{Issuer, find_issuer, list_by_generation};
use crate::model::{Cluster, HostName, Node};
use crate::plan::{Certificates, ISSUED, REVOKED, node_name};

pub use crl::Crl;
pub use list::{RevocationList, RevocationReason, RevokedCertificate};
pub use record::{IssueRecord, RecordedCertificate};
pub use signed::{has_current_crls, sign_crls};

/// Reads the list that `certificates` publish; the default where there is none.
///
/// # Errors
/// When the list can't be read.
pub fn read_list(certificates: &Certificates) -> anyhow::Result<RevocationList> {
    let list = certificates.revoked.as_deref().map(RevocationList::parse).transpose();
    Ok(list.with_context(|| format!("could not use {REVOKED}"))?.unwrap_or_default())
}

/// Reads the record that `certificates` publish; the default where there is none.
///
/// # Errors
/// When the record can't be read.
pub fn read_record(certificates: &Certificates) -> anyhow::Result<IssueRecord> {
    let record = certificates.issued.as_deref().map(IssueRecord::parse).transpose();
    Ok(record.with_context(|| format!("could not use {ISSUED}"))?.unwrap_or_default())
}

/// Revokes the certificates that were issued and that `after` no longer uses, where `before` are the published ones: all those
/// of nodes that have left the inventory, and all those for other keys than the node's present one. Returns the certificates
/// that were revoked now. The record in `after` then holds the certificates of both, and the list the revoked ones; both drop
/// what has ended. Where nothing was issued or revoked, they stay as they are.
///
/// While one CA takes the place of another, the machines are deployed one after the other, so certificates of the old CA are
/// revoked for another key only where the operator ordered that key: for the nodes `rekeyed`.
///
/// The caller has verified the certificates of the nodes of `cluster`.
///
/// # Errors
/// When a certificate, the record or the list can't be read.
pub fn revoke(
    cluster: &Cluster,
    before: &Certificates,
    after: &mut Certificates,
    rekeyed: &BTreeSet<HostName>,
    now: OffsetDateTime,
) -> anyhow::Result<Vec<RevokedCertificate>> {
    let (mut record, mut list) = (read_record(before)?, read_list(before)?);
    let authorities = list_by_generation(after.ca.as_deref().unwrap_or_default())?;
    let usage = Usage { nodes: read_nodes(cluster, after)?, rekeyed, authorities: &authorities };
    let replaced = cluster.nodes.par_iter().filter(|node| {
        let old = before.nodes.get(&node.name);
        old.is_some() && old != after.nodes.get(&node.name)
    });
    let replaced: Vec<_> = replaced.filter_map(|node| read_leaf(node, before).transpose()).collect();
    let replaced = replaced.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    let former = read_former(before, &authorities)?;
    let current = usage.nodes.values().filter_map(|(_, leaf)| leaf.clone());
    // Nobody trusts the certificates of a CA that is not published.
    let is_trusted =
        |entry: &Recorded| entry.not_after >= now && usage.has_issuer(entry) && !list.has(&entry.serial);
    let has_new = record.add(current.chain(replaced).chain(former).filter(is_trusted));
    let mut revoked = Vec::new();
    for entry in record.take().into_iter().filter(is_trusted) {
        match usage.find_reason(&entry) {
            Some(reason) => revoked.push(entry.revoke(reason, now)),
            None => record.keep(entry),
        }
    }
    after.former.clear();
    if has_new || !revoked.is_empty() {
        after.issued = Some(record.to_json()?);
    }
    if !revoked.is_empty() {
        list.extend(&revoked, now);
        after.revoked = Some(list.to_json()?);
    }
    Ok(revoked)
}

/// The certificates that the nodes of a cluster use.
struct Usage<'a> {
    /// The nodes by name, each with its certificate; none where none is published.
    nodes: HashMap<&'a str, (&'a Node, Option<Recorded>)>,
    /// The nodes for which the operator ordered a new key.
    rekeyed: &'a BTreeSet<HostName>,
    /// The published CAs, the newest last.
    authorities: &'a [PublicCert],
}

impl Usage<'_> {
    /// Finds why `entry` is to be revoked; none where its certificate is still good.
    fn find_reason(&self, entry: &Recorded) -> Option<RevocationReason> {
        let Some((node, leaf)) = self.nodes.get(node_name(&entry.node)) else {
            return Some(RevocationReason::Removed);
        };
        let leaf = leaf.as_ref()?;
        if entry.has_key_of(leaf) || entry.serial == leaf.serial {
            return None;
        }
        // A node that got another domain is the same machine, which may not be deployed yet.
        let is_renamed = node.fqdn.as_str() != entry.node;
        let is_replaced = !self.authorities.last().is_some_and(|newest| entry.is_issued_by(newest));
        let is_revoked = self.rekeyed.contains(&node.name) || !is_renamed && !is_replaced;
        is_revoked.then_some(RevocationReason::Replaced)
    }

    /// Whether the CA that signed the certificate of `entry` is published.
    fn has_issuer(&self, entry: &Recorded) -> bool {
        self.authorities.iter().any(|ca| entry.is_issued_by(ca))
    }
}

/// Reads the certificate of each node of `cluster` in `certificates`, by the node's name.
fn read_nodes<'a>(
    cluster: &'a Cluster,
    certificates: &Certificates,
) -> anyhow::Result<HashMap<&'a str, (&'a Node, Option<Recorded>)>> {
    let read = |node: &'a Node| Ok((node.name.as_str(), (node, read_leaf(node, certificates)?)));
    let read: Vec<_> = cluster.nodes.par_iter().map(read).collect();
    read.into_iter().collect()
}

/// Reads the certificate of `node` in `certificates`.
fn read_leaf(node: &Node, certificates: &Certificates) -> anyhow::Result<Option<Recorded>> {
    let leaf = certificates.nodes.get(&node.name).map(|pem| PublicCert::from_pem(pem)).transpose();
    let leaf = leaf.with_context(|| format!("could not use the certificate of {}", node.name))?;
    Ok(leaf.map(|leaf| Recorded::new(node.fqdn.as_str(), &leaf)))
}

/// Reads the certificates of nodes that have left the inventory, as far as one of `authorities` signed them: a forged one
/// revokes nothing.
fn read_former(certificates: &Certificates, authorities: &[PublicCert]) -> anyhow::Result<Vec<Recorded>> {
    let mut former = Vec::new();
    for (fqdn, pem) in &certificates.former {
        let leaf = PublicCert::from_pem(pem).with_context(|| {
            format!(
                "could not revoke the certificate of {fqdn}, which was removed: restore nodes/{fqdn}/ from git, or remove \
                 that directory where nobody has the node's key"
            )
        })?;
        if matches!(find_issuer(authorities, &leaf), Some(Issuer { has_signed: true, .. })) {
            former.push(Recorded::new(fqdn, &leaf));
        }
    }
    Ok(former)
}
