//! The web root of the lab: artifacts written as `plasmagen render` writes them, and published as `plasmagen publish`
//! publishes them.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use time::{Duration, OffsetDateTime};

use crate::artifact::ArtifactSet;
use crate::fs::Sha256Sum;
use crate::image::{BundleManifest, INITRD};
use crate::model::{Cluster, MacAddr, Node};
use crate::publish::{
    ArmRequest, ArmTarget, ClusterNames, DisarmSelection, LoaderSource, PublicationTerms, PublishRequest,
    WebRoot, WebRootLock, arm, disarm, list_needed_loaders, publish, sign_site,
};
use crate::sign::CmsSigner;
use crate::write;

#[cfg(test)]
mod tests;

/// How long the published files are valid: longer than any lab runs.
const LIFE: Duration = Duration::days(1);

/// Where an initrd is changed, in bytes before the end.
const TAMPERED_FROM_END: usize = 64;

/// The sources of the lab's web root beside the rendered site.
#[derive(Clone, Copy)]
pub(super) struct LabSources<'a> {
    /// The directories of the bundles.
    pub(super) bundles: &'a [PathBuf],
    /// The directory of the builds of iPXE, instead of those of this computer.
    pub(super) ipxe: Option<&'a Path>,
    /// The signer who has signed the bundles, and signs the site; none where nothing is signed.
    pub(super) signer: Option<&'a CmsSigner>,
}

/// The published web root.
#[derive(Debug)]
pub(super) struct LabWebRoot {
    path: PathBuf,
    root: WebRoot,
    now: OffsetDateTime,
}

impl LabWebRoot {
    /// Writes `artifacts` into the directory `rendered`, and publishes them and the `sources` into the cluster's web root.
    /// Also returns the loaders
    /// that nodes need and that were not found, and the manifests of the bundles by base.
    ///
    /// # Errors
    /// When a bundle contradicts its manifest, or when writing fails.
    pub(super) fn publish(
        cluster: &Cluster,
        artifacts: &ArtifactSet,
        rendered: &Path,
        sources: LabSources<'_>,
        now: OffsetDateTime,
    ) -> Result<(Self, Vec<String>, BTreeMap<String, BundleManifest>)> {
        let lock = write::SiteLock::acquire(rendered)?;
        write::commit(&lock, artifacts, write::CommitOptions { discard_edits: false }, || Ok(()))?;
        let path = PathBuf::from(cluster.provisioner.web_root.as_str());
        let lock = WebRootLock::acquire(&path)?;
        let site = rendered.join("site");
        let signatures = rendered.join("signatures");
        if let Some(signer) = sources.signer {
            sign_site(&site, &signatures, signer, &|_| ())?;
        }
        let request = PublishRequest {
            bundles: sources.bundles,
            site: Some(&site),
            signatures: sources.signer.map(|_| signatures.as_path()),
            signed: false,
            loaders: sources.ipxe.map_or(LoaderSource::Packages, LoaderSource::Dir),
            keep: 0,
            terms: PublicationTerms {
                cluster: Some(ClusterNames::of(cluster)),
                machines: &[],
                replaced_cluster: None,
                may_add_cluster: false,
                may_replace_images: false,
                may_replace_boot: false,
                signing_key: None,
                boot_signer: sources.signer.map(CmsSigner::certificate),
                may_change_armed: false,
                now,
                life: LIFE,
            },
        };
        let outcome = publish(&lock, &request, &|_| ())?;
        let needed = list_needed_loaders(cluster);
        let missing = outcome.loaders.missing.iter().filter(|loader| needed.contains_key(loader.file));
        let missing = missing.map(|loader| format!("{} ({})", loader.file, loader.package)).collect();
        let manifests = outcome.published.into_iter().filter_map(|published| published.bundle);
        let manifests = manifests.map(|manifest| (manifest.image(), manifest)).collect();
        drop(lock);
        let root = WebRoot::open(&path)?;
        Ok((Self { path, root, now }, missing, manifests))
    }

    /// Arms `node`, whose files are among `artifacts`, as `plasmagen arm` does.
    ///
    /// # Errors
    /// When no published bundle fits the node.
    pub(super) fn arm(&self, node: &Node, artifacts: &ArtifactSet) -> Result<()> {
        let targets = [ArmTarget::of(node, artifacts)?];
        let request = ArmRequest {
            targets: &targets,
            now: self.now,
            duration: LIFE,
            is_hashed: false,
            progress: &|_| (),
        };
        arm(&WebRootLock::acquire(&self.path)?, &request).map(drop)
    }

    /// Disarms `node`, as `plasmagen disarm` does.
    ///
    /// # Errors
    /// When the file cannot be removed.
    pub(super) fn disarm(&self, node: &Node) -> Result<()> {
        let files: Vec<_> = node.boot_macs().into_iter().map(MacAddr::hyphens).collect();
        disarm(&self.root, DisarmSelection::Files(&files)).map(drop)
    }

    /// Changes one bit of the published initrd of the bundle `id` for `image`: in the 64th byte from the end, so that only
    /// a digest shows the change.
    ///
    /// # Errors
    /// When the initrd cannot be changed.
    pub(super) fn tamper(&self, image: &str, id: Sha256Sum) -> Result<()> {
        let path = self.path.join(format!("nixos/{image}/{id}/{INITRD}"));
        let run = || {
            let mut bytes = fs::read(&path)?;
            let mode = fs::metadata(&path)?.permissions().mode();
            let Some(at) = bytes.len().checked_sub(TAMPERED_FROM_END) else { bail!("it is too short") };
            bytes[at] ^= 1;
            fs::set_permissions(&path, fs::Permissions::from_mode(mode | 0o200))?;
            Ok(fs::write(&path, bytes)?)
        };
        run().with_context(|| format!("could not change {}", path.display()))
    }
}
