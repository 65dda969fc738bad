//! What machines load: everything rendered, as `plasmagen render` writes it and `plasmagen publish` publishes it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use time::{Duration, OffsetDateTime};

use crate::artifact::ArtifactSet;
use crate::fs::Sha256Sum;
use crate::image::INITRD;
use crate::model::{Cluster, Node};
use crate::publish::{Lock, Request, Root, Target, arm, disarm, install, needed, publish};
use crate::write;

/// How long what is published may be booted: longer than any lab runs.
const LIFE: Duration = Duration::days(1);

/// The published web root.
#[derive(Debug)]
pub(super) struct Web {
    path: PathBuf,
    root: Root,
    now: OffsetDateTime,
}

impl Web {
    /// Renders `artifacts` into the directory `at`, and publishes them and `bundles` into the cluster's web root; with
    /// the builds of iPXE of the directory `ipxe`, or of this machine. With it: the loaders that nodes need and nobody has.
    ///
    /// # Errors
    /// When a bundle is not what it says.
    pub(super) fn publish(
        cluster: &Cluster,
        artifacts: &ArtifactSet,
        at: &Path,
        bundles: &[PathBuf],
        ipxe: Option<&Path>,
        now: OffsetDateTime,
    ) -> Result<(Self, Vec<String>)> {
        let lock = write::Lock::acquire(at)?;
        write::commit(&lock, artifacts, write::Options { discard_edits: false }, || Ok(()))?;
        let path = PathBuf::from(cluster.provisioner.web_root.as_str());
        let lock = Lock::acquire(&path)?;
        let (_, lacking) = install(&lock, ipxe)?;
        let needed = needed(cluster);
        let lacking = lacking.iter().filter(|own| needed.contains_key(own.file));
        let lacking = lacking.map(|own| format!("{} ({})", own.file, own.package)).collect();
        let site = at.join("site");
        let request =
            Request { bundles, site: Some(&site), signatures: None, signed: false, keep: 0, now, life: LIFE };
        publish(&lock, &request, &|_| ())?;
        drop(lock);
        let root = Root::open(&path)?;
        Ok((Self { path, root, now }, lacking))
    }

    /// Lets `node` install, as `plasmagen arm` does.
    ///
    /// # Errors
    /// When no bundle fits it.
    pub(super) fn arm(&self, node: &Node) -> Result<()> {
        arm(&self.root, &[Target::of(node)], self.now).map(drop)
    }

    /// Takes that back.
    ///
    /// # Errors
    /// When the disk of the lab refuses.
    pub(super) fn disarm(&self, node: &Node) -> Result<()> {
        disarm(&self.root, &[node.mac.hyphens()]).map(drop)
    }

    /// Changes one bit of the published initrd `id` of `profile`. The bit is in its last byte but 64, so that nothing but
    /// a digest tells.
    ///
    /// # Errors
    /// When the disk of the lab refuses.
    pub(super) fn tamper(&self, profile: &str, id: Sha256Sum) -> Result<()> {
        let path = self.path.join(format!("nixos/{profile}/{id}/{INITRD}"));
        let run = || {
            let mut bytes = fs::read(&path)?;
            let mode = fs::metadata(&path)?.permissions().mode();
            let Some(at) = bytes.len().checked_sub(64) else { bail!("it is too short") };
            bytes[at] ^= 1;
            fs::set_permissions(&path, fs::Permissions::from_mode(mode | 0o200))?;
            Ok(fs::write(&path, bytes)?)
        };
        run().with_context(|| format!("could not change {}", path.display()))
    }
}
