//! What `--bundle` names, looked at before anything starts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use crate::image::{BundleManifest, MANIFEST};
use crate::model::Cluster;

/// `PROFILE=DIR`.
pub(super) fn parse(text: &str) -> Result<(String, PathBuf), String> {
    let (profile, dir) = text.split_once('=').ok_or("write PROFILE=DIR, such as worker=result")?;
    let dir = PathBuf::from(dir).canonicalize().map_err(|error| format!("{dir}: {error}"))?;
    Ok((profile.to_owned(), dir))
}

/// Makes sure that each is a bundle for its profile, which a node of `cluster` boots.
pub(super) fn check(bundles: &BTreeMap<String, PathBuf>, cluster: &Cluster) -> anyhow::Result<()> {
    bundles.iter().try_for_each(|(profile, dir)| one(profile, dir, cluster))
}

fn one(profile: &str, dir: &Path, cluster: &Cluster) -> anyhow::Result<()> {
    let boots = cluster.nodes.iter().any(|node| node.base.as_str() == profile);
    ensure!(boots, "no node boots the bundle for {}", profile.escape_debug());
    let read = std::fs::read(dir.join(MANIFEST)).with_context(|| {
        format!("{} is no bundle: it has no {MANIFEST} such as `plasmagen bundle` writes", dir.display())
    })?;
    let manifest = BundleManifest::parse(&read).with_context(|| format!("{} is no bundle", dir.display()))?;
    ensure!(
        manifest.profile == profile,
        "{} is a bundle for {}, and nodes of {profile} would not find it",
        dir.display(),
        manifest.profile.escape_debug()
    );
    Ok(())
}
