//! The steps of a rotation that change nothing but ca-cert.pem, and the CRLs of its CAs: the first, the last, and the way back.
//! The step between, which issues all certificates, is a [`render`](super::render).

use std::path::Path;

use anyhow::bail;
use time::OffsetDateTime;

use crate::artifact::{Artifact, ArtifactSet};
use crate::model::Cluster;
use crate::pki::cluster::{
    Rotation, RotationStage, append_ca, check_kept, keep_authorities, take_or_make_next_ca,
};
use crate::pki::revocation::sign_crls;
use crate::pki::{PublicCert, Vault};
use crate::plan::{CRL, Certificates};
use crate::write::{self, CommitOptions, SiteLock};

/// A step of a rotation that changes nothing but ca-cert.pem and ca-crl.pem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RotationStep {
    /// Publish a new CA beside the old one.
    Begin,
    /// Publish the new CA alone.
    Finish,
    /// Publish the old CA alone, before the new one has signed anything.
    Cancel,
}

/// The result of [`rotate`].
#[derive(Debug)]
pub struct Rotated {
    /// Whether the step had been taken already, so that nothing was changed.
    pub was_done: bool,
    /// Whether each ca-crl.pem was changed, too.
    pub has_new_crls: bool,
    /// The names of the CAs that are published now, the newest last.
    pub published: Vec<String>,
}

/// Takes `step` in `root`: every ca-cert.pem in `nodes/` changes, and every ca-crl.pem where there is one, since clients that
/// look at CRLs refuse the certificates of a CA without one. Nothing else changes. A new CA is durable in the vault, which
/// `open_vault` opens, before the certificate is published. A step that was taken already changes nothing.
///
/// The vault is opened for a new CA, and for a CRL that must be signed: the last step and the way back only drop one.
///
/// # Errors
/// [`Held`](crate::fs::Held) when another run writes there. When another step must come first: the message names that step.
/// When a file cannot be read or was edited by hand, or the vault is not that of the cluster.
pub fn rotate(
    root: &Path,
    cluster: &Cluster,
    step: RotationStep,
    now: OffsetDateTime,
    open_vault: impl Fn(&Cluster) -> anyhow::Result<Vault>,
) -> anyhow::Result<Rotated> {
    let lock = SiteLock::acquire(root)?;
    let mut certificates = Certificates::gather(root, cluster)?;
    let rotation = Rotation::look(cluster, &certificates)?;
    let old = certificates.ca.take().unwrap_or_default();
    if is_done(step, &rotation)? {
        return Ok(Rotated { was_done: true, has_new_crls: false, published: list_names(&old)? });
    }
    let mut next = None;
    let new = if step == RotationStep::Begin {
        let vault = open_vault(cluster)?;
        let made = take_or_make_next_ca(cluster, &rotation, &vault, now)?;
        let new = append_ca(&old, made.ca.cert_pem());
        next = Some((vault, made));
        new
    } else {
        let newest = rotation.newest()?;
        keep_authorities(&old, |ca| (ca == newest) == (step == RotationStep::Finish))?
    };
    certificates.ca = Some(new.clone());
    let old_crls = certificates.crl.clone();
    // The first CRL is for `render` to write: it comes with a line in each configuration.
    if old_crls.is_some() {
        let new_ca = next.as_ref().map(|(_, made)| &made.ca);
        sign_crls(&mut certificates, || open_vault(cluster), new_ca, now)?;
    }
    let has_new_crls = certificates.crl.is_some() && certificates.crl != old_crls;
    let artifacts = replace_ca(&write::read_committed(&lock)?, &new, certificates.crl.as_deref(), now)?;
    write::commit(&lock, &artifacts, CommitOptions::default(), || match &next {
        Some((vault, made)) if made.is_new => vault.store_ca(made.generation, &made.ca),
        _ => Ok(()),
    })?;
    Ok(Rotated { was_done: false, has_new_crls, published: list_names(&new)? })
}

/// Whether `step` was taken already.
///
/// # Errors
/// When another step must come first.
fn is_done(step: RotationStep, rotation: &Rotation) -> anyhow::Result<bool> {
    use RotationStage::{Begun, Issued, Mixed, Single, Unpublished};
    // After a rotation the newest CA is not the first one.
    let is_rotated = rotation.newest().is_ok_and(|ca| ca.generation() > Some(1));
    Ok(match (step, rotation.stage) {
        (_, Unpublished) => {
            bail!("nodes/ publishes no CA that could be replaced: plasmagen render makes one")
        }
        (RotationStep::Begin, Single) | (RotationStep::Finish, Issued) | (RotationStep::Cancel, Begun) => {
            false
        }
        (RotationStep::Begin, Begun | Mixed) | (RotationStep::Cancel, Single) => true,
        (RotationStep::Finish, Single) if is_rotated => true,
        (RotationStep::Begin, Issued) => bail!(
            "the last rotation is not finished: ca-cert.pem in nodes/ still holds the old CA. Finish it first: plasmagen \
             certs rotate finish"
        ),
        (RotationStep::Finish, Single) => {
            bail!("no rotation has begun: plasmagen certs rotate begin publishes a new CA beside the old one")
        }
        (RotationStep::Finish, Begun | Mixed) => bail!(
            "{} of the certificates in nodes/ are still signed by the old CA, and nobody would accept them: issue them anew \
             first: plasmagen certs rotate issue",
            rotation.list_waiting().len()
        ),
        (RotationStep::Cancel, Mixed | Issued) => bail!(
            "the new CA has signed certificates already, and nobody would accept them: go on with plasmagen certs rotate \
             issue, and then plasmagen certs rotate finish"
        ),
    })
}

/// The files `committed` with the text `new` in the place of each ca-cert.pem, and `crls` in that of each ca-crl.pem.
///
/// # Errors
/// When a valid certificate among the files is signed by a CA that `new` does not hold.
fn replace_ca(
    committed: &ArtifactSet,
    new: &str,
    crls: Option<&str>,
    now: OffsetDateTime,
) -> anyhow::Result<ArtifactSet> {
    let kept = PublicCert::list_from_pem(new)?;
    let mut artifacts = ArtifactSet::default();
    for artifact in committed.iter() {
        let path = artifact.path.as_str();
        let is_of_node = path.starts_with("nodes/");
        let mut artifact = artifact.clone();
        if is_of_node && path.ends_with("/ca-cert.pem") {
            artifact = Artifact { body: new.as_bytes().to_vec(), ..artifact };
        } else if let Some(crls) = crls.filter(|_| is_of_node && path.ends_with(&format!("/{CRL}"))) {
            artifact = Artifact { body: crls.as_bytes().to_vec(), ..artifact };
        } else if is_of_node && path.ends_with("-cert.pem") {
            check_kept(path, &String::from_utf8_lossy(&artifact.body), &kept, now)?;
        }
        artifacts.insert(artifact)?;
    }
    Ok(artifacts)
}

/// The names of the CAs in `pem`, the newest last.
fn list_names(pem: &str) -> anyhow::Result<Vec<String>> {
    let authorities = crate::pki::trust::list_by_generation(pem)?;
    Ok(authorities.iter().map(|ca| ca.name().to_owned()).collect())
}
