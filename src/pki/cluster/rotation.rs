//! How far the replacement of a CA has come. That is derived from the published certificates: there is no other record.

use std::collections::BTreeSet;

use anyhow::{Context, bail};
use serde::Serialize;
use time::OffsetDateTime;

use super::authority::check_held;
use super::published::Published;
use super::requests::ca_request;
use crate::model::{Cluster, HostName};
use crate::pki::issue::CaIssuer;
use crate::pki::kind::KeyType;
use crate::pki::read::{PublicCert, split_pem};
use crate::pki::request::CaRequest;
use crate::pki::status::Validity;
use crate::pki::trust::{Issuer, find_issuer};
use crate::pki::vault::Vault;
use crate::plan::Certificates;

/// The stages of a rotation, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RotationStage {
    /// No CA is published.
    Unpublished,
    /// One CA is published: no rotation is going on.
    Single,
    /// A new CA is published beside the old one, and has signed no certificate.
    Begun,
    /// The new CA has signed some certificates, and the old one the others.
    Mixed,
    /// The new CA has signed all certificates.
    Issued,
}

/// The CAs that `nodes/` publishes, and which certificates they have signed.
#[derive(Clone, Debug)]
pub struct Rotation {
    /// The stage of the rotation.
    pub stage: RotationStage,
    /// The published CAs, the newest last, each with the nodes whose certificates are signed by that CA.
    pub authorities: Vec<(PublicCert, Vec<HostName>)>,
}

impl Rotation {
    /// Looks at `certificates`, which `nodes/` publishes.
    ///
    /// # Errors
    /// When a certificate can't be read, or was not signed by a CA of the cluster that `nodes/` publishes.
    pub fn look(cluster: &Cluster, certificates: &Certificates) -> anyhow::Result<Self> {
        let Published { authorities, nodes } = Published::read(cluster, certificates)?;
        let mut authorities: Vec<_> = authorities.into_iter().map(|ca| (ca, Vec::new())).collect();
        for published in &nodes {
            if let Some(leaf) = &published.leaf {
                authorities[leaf.issuer].1.push(published.node.name.clone());
            }
        }
        let stage = match &authorities[..] {
            [] => RotationStage::Unpublished,
            [_] => RotationStage::Single,
            [.., (_, signed)] if signed.is_empty() => RotationStage::Begun,
            [older @ .., _] if older.iter().all(|(_, signed)| signed.is_empty()) => RotationStage::Issued,
            _ => RotationStage::Mixed,
        };
        Ok(Self { stage, authorities })
    }

    /// The newest published CA.
    ///
    /// # Errors
    /// When no CA is published.
    pub fn newest(&self) -> anyhow::Result<&PublicCert> {
        let newest = self.authorities.last().context("nodes/ publishes no CA: plasmagen render makes one")?;
        Ok(&newest.0)
    }

    /// The nodes whose certificates are not signed by the newest CA.
    pub fn list_waiting(&self) -> Vec<&str> {
        let older = self.authorities.split_last().map_or(&[][..], |(_, older)| older);
        older.iter().flat_map(|(_, signed)| signed.iter().map(HostName::as_str)).collect()
    }
}

/// The CA that follows the published ones.
#[derive(Debug)]
pub struct NextCa {
    /// The generation of the CA.
    pub generation: u32,
    /// The CA.
    pub ca: CaIssuer,
    /// Whether the vault does not hold the CA yet.
    pub is_new: bool,
}

/// Takes the CA that follows those of `rotation` from `vault`, where a killed or a cancelled rotation has left a CA for the
/// present inventory, or makes one.
///
/// # Errors
/// When the vault does not hold the published CAs, or the CA can't be made.
pub fn take_or_make_next_ca(
    cluster: &Cluster,
    rotation: &Rotation,
    vault: &Vault,
    now: OffsetDateTime,
) -> anyhow::Result<NextCa> {
    let published: Vec<_> = rotation.authorities.iter().map(|(ca, _)| ca.clone()).collect();
    check_held(&published, vault)?;
    let newest = rotation.newest()?.generation().unwrap_or_default();
    let mut highest = newest;
    if let Some((generation, ca)) = vault.newest_ca()? {
        if generation > newest && answers(ca.certificate(), &ca_request(cluster, generation)?, now) {
            return Ok(NextCa { generation, ca, is_new: false });
        }
        highest = highest.max(generation);
    }
    let generation = highest + 1;
    let ca = CaIssuer::create(&ca_request(cluster, generation)?, now)?;
    Ok(NextCa { generation, ca, is_new: true })
}

/// Whether `ca` is the CA that `request` asks for, and most of the CA's life is left at `now`.
fn answers(ca: &PublicCert, request: &CaRequest, now: OffsetDateTime) -> bool {
    let permitted = &ca.constraints.permitted;
    ca.common_name.as_ref() == Some(&request.common_name)
        && ca.key_type == KeyType::Ecdsa(request.algorithm)
        && is_same_set(&permitted.domains, &request.permitted_names)
        && is_same_set(&permitted.subnets, &request.permitted_addresses)
        && Validity::of(ca, now) == Validity::Ok
}

/// Whether two lists hold the same values, in whatever order.
fn is_same_set<T: Ord>(left: &[T], right: &[T]) -> bool {
    left.iter().collect::<BTreeSet<_>>() == right.iter().collect()
}

/// Appends the certificate `new` to `published`, the text of a ca-cert.pem. The old CA stays the first one, for programs that
/// read a single certificate.
#[must_use]
pub fn append_ca(published: &str, new: &str) -> String {
    let line_end = if published.ends_with('\n') { "" } else { "\n" };
    format!("{published}{line_end}{new}")
}

/// Keeps those certificates of `published`, the text of a ca-cert.pem, that `is_kept` accepts.
///
/// # Errors
/// When a certificate can't be read.
pub fn keep_authorities(published: &str, is_kept: impl Fn(&PublicCert) -> bool) -> anyhow::Result<String> {
    let mut kept = String::new();
    for block in split_pem(published, "CERTIFICATE") {
        if is_kept(&PublicCert::from_pem(block)?) {
            kept += block;
        }
    }
    Ok(kept)
}

/// Checks that one of `kept` signed the certificate `pem` in the file `path`, unless the certificate has expired.
///
/// # Errors
/// When nobody would accept the certificate with only the CAs `kept`, or it can't be read.
pub fn check_kept(path: &str, pem: &str, kept: &[PublicCert], now: OffsetDateTime) -> anyhow::Result<()> {
    let certificate = PublicCert::from_pem(pem).with_context(|| format!("could not use {path}"))?;
    let is_signed = matches!(find_issuer(kept, &certificate), Some(Issuer { has_signed: true, .. }));
    if !is_signed && certificate.not_after >= now {
        bail!(
            "{path} is valid, and was signed by another CA than those that would stay: plasmagen certs rotate status shows \
             which step is next"
        );
    }
    Ok(())
}
