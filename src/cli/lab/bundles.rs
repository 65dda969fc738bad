//! The bundles of `--bundle`, which are checked before the lab starts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use crate::fs::{TEXT_LIMIT, read_input};
use crate::image::{BundleManifest, MANIFEST};
use crate::model::Cluster;

/// Parses `IMAGE=DIR`.
pub(super) fn parse(text: &str) -> Result<(String, PathBuf), String> {
    let (image, dir) = text.split_once('=').ok_or("write IMAGE=DIR, such as worker=result")?;
    let dir = PathBuf::from(dir).canonicalize().map_err(|error| format!("{dir}: {error}"))?;
    Ok((image.to_owned(), dir))
}

/// Refuses a bundle that is for another image than the command line says, or that no node of `cluster` boots.
pub(super) fn check(bundles: &BTreeMap<String, PathBuf>, cluster: &Cluster) -> anyhow::Result<()> {
    bundles.iter().try_for_each(|(image, dir)| check_bundle(image, dir, cluster))
}

fn check_bundle(image: &str, dir: &Path, cluster: &Cluster) -> anyhow::Result<()> {
    let is_used = cluster.nodes.iter().any(|node| node.image() == image);
    ensure!(is_used, "no node boots a bundle for {}", image.escape_debug());
    let read = read_input(&dir.join(MANIFEST), TEXT_LIMIT).with_context(|| {
        format!("{} is not a bundle: it has no {MANIFEST}, which `plasmagen bundle` writes", dir.display())
    })?;
    let manifest =
        BundleManifest::parse(&read).with_context(|| format!("{} is not a bundle", dir.display()))?;
    ensure!(
        manifest.image() == image,
        "{} is a bundle for {}, not for {image}",
        dir.display(),
        manifest.image().escape_debug()
    );
    Ok(())
}
