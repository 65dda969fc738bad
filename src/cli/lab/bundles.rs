//! The bundles of `--bundle`, which are checked before the lab starts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use crate::fs::{TEXT_LIMIT, read_input};
use crate::image::{BundleManifest, MANIFEST};
use crate::model::Cluster;

/// Parses `BASE=DIR`.
pub(super) fn parse(text: &str) -> Result<(String, PathBuf), String> {
    let (base, dir) = text.split_once('=').ok_or("write BASE=DIR, such as worker=result")?;
    let dir = PathBuf::from(dir).canonicalize().map_err(|error| format!("{dir}: {error}"))?;
    Ok((base.to_owned(), dir))
}

/// Refuses a bundle that is for another base than the command line says, or that no node of `cluster` boots.
pub(super) fn check(bundles: &BTreeMap<String, PathBuf>, cluster: &Cluster) -> anyhow::Result<()> {
    bundles.iter().try_for_each(|(base, dir)| check_bundle(base, dir, cluster))
}

fn check_bundle(base: &str, dir: &Path, cluster: &Cluster) -> anyhow::Result<()> {
    let is_used = cluster.nodes.iter().any(|node| node.base.as_str() == base);
    ensure!(is_used, "no node boots a bundle for {}", base.escape_debug());
    let read = read_input(&dir.join(MANIFEST), TEXT_LIMIT).with_context(|| {
        format!("{} is not a bundle: it has no {MANIFEST}, which `plasmagen bundle` writes", dir.display())
    })?;
    let manifest =
        BundleManifest::parse(&read).with_context(|| format!("{} is not a bundle", dir.display()))?;
    ensure!(
        manifest.base == base,
        "{} is a bundle for {}, not for {base}",
        dir.display(),
        manifest.base.escape_debug()
    );
    Ok(())
}
