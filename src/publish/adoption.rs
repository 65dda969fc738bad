//! Adopts the site of a cluster that was alone in its web root: its generations are copied from `site/` to `sites/<cluster>/`, with
//! their publications, before another cluster comes in beside it.

use anyhow::{Context, Result};

use super::channel::Channel;
use super::fault::Refused;
use super::joint::path_of_site;
use super::lock::WebRootLock;
use super::publication::{PUBLICATION, PUBLICATION_SIGNATURE};
use super::root::SITE;
use super::site::read_published;
use super::staged::{StagedGeneration, StagedRole, fill};
use crate::fs::{Progress, TEXT_LIMIT};

/// Stages copies of all generations of the site of `cluster`, which is alone so far. Earlier generations that are damaged are left
/// out.
///
/// # Errors
/// [`Refused`] when the current generation is damaged.
pub(super) fn stage_adopted(
    lock: &WebRootLock,
    cluster: &str,
    progress: Progress<'_>,
) -> Result<Vec<StagedGeneration>> {
    let channel = Channel::open(&lock.root, SITE)?.context("no site is published")?;
    let current = channel.current()?;
    let mut staged = Vec::new();
    for generation in channel.generations()? {
        // A joint site, which a killed run has left, is of no cluster.
        let owner = generation.publication.and_then(|publication| publication.cluster);
        if owner.as_deref() != Some(cluster) {
            continue;
        }
        let dir = channel.open_generation(generation.id)?;
        let mut faults = Vec::new();
        let contents = read_published(&dir, "", &mut faults)?;
        let name = format!("adopted-{}", staged.len());
        let to = lock.staging.ensure_dir(&name)?;
        if let Some(contents) = contents.filter(|contents| contents.manifest == generation.id) {
            fill(&dir, &contents, Some(&to), &mut faults, progress)?;
            if faults.is_empty() {
                let body = dir.read_limited(PUBLICATION, TEXT_LIMIT);
                let body = body.with_context(|| format!("could not read {PUBLICATION}"))?;
                let signature = dir.read_limited(PUBLICATION_SIGNATURE, TEXT_LIMIT).ok();
                staged.push(StagedGeneration {
                    channel: path_of_site(cluster),
                    id: generation.id,
                    manifest: generation.id,
                    name: Some(name),
                    bundle: None,
                    cluster: Some(cluster.to_owned()),
                    links: Vec::new(),
                    role: StagedRole::Adopted(body, signature),
                });
                continue;
            }
        }
        lock.staging.remove_tree(&name)?;
        if current == Some(generation.id) {
            let message = format!(
                "the site of the cluster {cluster} is damaged, and nothing was changed: publish that site again"
            );
            return Err(Refused::new(message, faults).into());
        }
    }
    Ok(staged)
}
