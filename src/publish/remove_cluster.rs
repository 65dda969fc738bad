//! Takes a cluster out of a web root that several share: its machines boot nothing from there any more.

use anyhow::{Context, Result, ensure};

use super::begun::forget_begun;
use super::commit::{PublishOutcome, publish_staged};
use super::joining::stage_joint;
use super::joint::{path_of_site, read_served_sites};
use super::loaders::stage_loaders;
use super::lock::WebRootLock;
use super::request::{LoaderSource, PublicationTerms};

/// Takes the site of the cluster `name` out of the web root, with all of its generations. Bundles stay, which others may boot.
///
/// # Errors
/// When the web root serves no such site or no other one, when a node of the cluster is armed, or when a disk refuses.
pub fn remove_cluster(
    lock: &WebRootLock,
    name: &str,
    terms: &PublicationTerms<'_>,
) -> Result<PublishOutcome> {
    let shown = name.escape_debug();
    let mut others = read_served_sites(&lock.root)?.with_context(|| {
        format!("the web root serves the site of one cluster alone: {shown} is not taken out")
    })?;
    let all = others.keys().cloned().collect::<Vec<_>>().join(", ");
    ensure!(
        others.remove(name).is_some(),
        "the web root serves no site of the cluster {shown}: there are {all}"
    );
    ensure!(
        !others.is_empty(),
        "{shown} is the only cluster of the web root: plasmagen publish --replace-cluster {shown} puts another in its place"
    );
    let staged = [stage_joint(lock, None, &others, false, &|_| {})?];
    let loaders = stage_loaders(lock, LoaderSource::Unchanged, &others)?;
    publish_staged(lock, terms, usize::MAX, &staged, &loaders, || forget_begun(lock, &path_of_site(name)))
}
