//! Revoked certificates: those of removed nodes, and of keys that were replaced. `nodes/revoked.json` lists them, and the CAs
//! sign the list as CRLs (RFC 5280 section 5) in `ca-crl.pem`, beside `ca-cert.pem`.
//!
//! Both are state, like certificates: what is published is read and kept, until another certificate is revoked.

mod crl;
mod list;

use std::collections::BTreeSet;

use anyhow::Context;
use time::OffsetDateTime;

use super::issue::CaIssuer;
use super::read::PublicCert;
use super::trust::{Issuer, find_issuer, list_by_generation};
use super::vault::Vault;
use crate::model::Cluster;
use crate::plan::{Certificates, REVOKED, node_name};

pub use crl::Crl;
pub use list::{RevocationList, RevocationReason, RevokedCertificate};

/// Reads the list that `certificates` publish; the default where there is none.
///
/// # Errors
/// When the list can't be read.
pub fn read_list(certificates: &Certificates) -> anyhow::Result<RevocationList> {
    let list = certificates.revoked.as_deref().map(RevocationList::parse).transpose();
    Ok(list.with_context(|| format!("could not use {REVOKED}"))?.unwrap_or_default())
}

/// Revokes the certificates of `before`, the published ones, that `after` no longer uses: those of nodes that have left the
/// inventory, and those of nodes that have another key. The list in `after` then holds them, and those that are valid among
/// the certificates that it held. Returns the certificates that were revoked now; where there is none, the list stays as it
/// is.
///
/// # Errors
/// When a certificate or the list can't be read.
pub fn revoke(
    cluster: &Cluster,
    before: &Certificates,
    after: &mut Certificates,
    now: OffsetDateTime,
) -> anyhow::Result<Vec<RevokedCertificate>> {
    let mut list = read_list(before)?;
    let trusted = list_by_generation(after.ca.as_deref().unwrap_or_default())?;
    let mut revoked = Vec::new();
    for (old, reason) in list_unused(cluster, before, after)? {
        let lives = old.not_after >= now;
        // Nobody trusts the certificates of a CA that is no longer published, and a forged one revokes nothing.
        let is_trusted = matches!(find_issuer(&trusted, &old), Some(Issuer { has_signed: true, .. }));
        if lives && is_trusted && !list.has(&old) {
            revoked.push(RevokedCertificate::new(&old, reason, now));
        }
    }
    after.former.clear();
    if !revoked.is_empty() {
        list.retain(|entry| entry.not_after >= now && trusted.iter().any(|ca| entry.is_issued_by(ca)));
        list.extend(revoked.iter().cloned());
        after.revoked = Some(list.to_json()?);
    }
    Ok(revoked)
}

/// Lists the certificates of `before` whose node has left `cluster`, or has another key in `after`.
fn list_unused(
    cluster: &Cluster,
    before: &Certificates,
    after: &Certificates,
) -> anyhow::Result<Vec<(PublicCert, RevocationReason)>> {
    let names: BTreeSet<&str> = cluster.nodes.iter().map(|node| node.name.as_str()).collect();
    let mut unused = Vec::new();
    for (fqdn, pem) in &before.former {
        // A node that got another domain is the same machine, whose old key nobody else has.
        if names.contains(node_name(fqdn)) {
            continue;
        }
        let old = PublicCert::from_pem(pem).with_context(|| {
            format!(
                "could not revoke the certificate of {fqdn}, which was removed: restore nodes/{fqdn}/ from git, or remove \
                 that directory where nobody has the node's key"
            )
        })?;
        unused.push((old, RevocationReason::Removed));
    }
    for node in &cluster.nodes {
        let (Some(old), Some(new)) = (before.nodes.get(&node.name), after.nodes.get(&node.name)) else {
            continue;
        };
        if old != new {
            let (old, new) = (PublicCert::from_pem(old)?, PublicCert::from_pem(new)?);
            if !new.has_key(&old.public_key) {
                unused.push((old, RevocationReason::Replaced));
            }
        }
    }
    Ok(unused)
}

/// Whether the CRLs of `certificates` say what the list says: one of each published CA, and none where there is no list.
///
/// # Errors
/// When a file can't be read.
pub fn has_current_crls(certificates: &Certificates) -> anyhow::Result<bool> {
    let Some(published) = &certificates.ca else { return Ok(certificates.crl.is_none()) };
    if certificates.revoked.is_none() {
        return Ok(certificates.crl.is_none());
    }
    let (list, authorities) = (read_list(certificates)?, list_by_generation(published)?);
    let crls = Crl::list_from_pem(certificates.crl.as_deref().unwrap_or_default())?;
    let is_current =
        |(ca, crl): (&PublicCert, &Crl)| crl.is_signed_by(ca) && crl.serials == list.serials_of(ca);
    Ok(crls.len() == authorities.len() && authorities.iter().zip(&crls).all(is_current))
}

/// Signs the list that `certificates` publish, with each published CA; the keys are in `vault`, but for that of `new_ca`, which
/// the vault does not hold yet.
///
/// # Errors
/// When the key of a published CA is not in the vault, or a file can't be read.
pub fn sign_crls(
    certificates: &mut Certificates,
    vault: &Vault,
    new_ca: Option<&CaIssuer>,
    now: OffsetDateTime,
) -> anyhow::Result<()> {
    let list = read_list(certificates)?;
    let old = Crl::list_from_pem(certificates.crl.as_deref().unwrap_or_default())?;
    // The numbers of a CA's CRLs rise (RFC 5280 section 5.2.3).
    let number = old.iter().map(|crl| crl.number).max().unwrap_or_default() + 1;
    let mut signed = String::new();
    for published in list_by_generation(certificates.ca.as_deref().unwrap_or_default())? {
        if let Some(ca) = new_ca.filter(|ca| *ca.certificate() == published) {
            signed += &ca.sign_crl(&list, number, now)?;
            continue;
        }
        let ca = vault.find_ca(&published)?.with_context(|| {
            format!(
                "the vault {} does not hold the key of {}, which signs the list of revoked certificates: name the vault of \
                 this cluster with --vault",
                vault.dir().display(),
                published.name()
            )
        })?;
        signed += &ca.sign_crl(&list, number, now)?;
    }
    certificates.crl = Some(signed);
    Ok(())
}
