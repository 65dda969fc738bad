//! Builds the joint site of the clusters that share a web root in the staging directory.

use anyhow::{Context, Result};
use time::OffsetDateTime;

use super::conflicts::find_conflicts;
use super::fault::Refused;
use super::joint::{CLUSTERS, SiteIds, cluster_of, open_part};
use super::joint_plan::{JointPart, JointPlan, damaged};
use super::links::find_missing_links;
use super::lock::WebRootLock;
use super::needs::open_current;
use super::publication::{PUBLICATION, Publication};
use super::root::SITE;
use super::shared_files::BootChoice;
use super::site::{parse_published, read_published};
use super::staged::{StagedGeneration, StagedRole, fill, is_published};
use crate::fs::{Dir, Progress, TEXT_LIMIT, file_mode, sync_file};
use crate::image::MANIFEST;

/// The name of the joint site in the staging directory.
const STAGED: &str = "joint";

/// Stages the joint site of the `others` and of the site `new`, where one is published now: its `boot.ipxe` counts for all where
/// `may_replace_boot` is true.
///
/// # Errors
/// [`Refused`] when a site is damaged, or when two clusters claim the same machine, name or address, or need a file of one name
/// with different contents.
pub(super) fn stage_joint(
    lock: &WebRootLock,
    new: Option<&StagedGeneration>,
    others: &SiteIds,
    may_replace_boot: bool,
    progress: Progress<'_>,
) -> Result<StagedGeneration> {
    let mut parts = Vec::new();
    let mut expires = OffsetDateTime::UNIX_EPOCH;
    for (cluster, id) in others {
        let dir = open_part(&lock.root, cluster, *id).with_context(|| damaged(cluster, Vec::new()))?;
        let publication = dir.read_limited(PUBLICATION, TEXT_LIMIT).map_err(Into::into);
        let publication = publication.and_then(|text| Publication::parse(&text));
        expires = expires.max(publication.with_context(|| damaged(cluster, Vec::new()))?.expires);
        parts.push(JointPart::read(cluster, *id, dir)?);
    }
    if let Some(new) = new {
        let cluster = cluster_of(&new.channel).context("a site that is joined has the name of a cluster")?;
        parts.push(JointPart::read(cluster, new.id, new.open(lock)?)?);
    }
    parts.sort_by(|a, b| a.cluster.cmp(&b.cluster));
    let mut conflicts = find_conflicts(&parts)?;
    let served = open_current(&lock.root, SITE)?.map(|(_, dir)| read_published(&dir, "", &mut Vec::new()));
    let served = served.transpose()?.flatten();
    let publisher = new.and_then(|new| cluster_of(&new.channel));
    let choice = BootChoice { publisher, may_replace: may_replace_boot, served: served.as_ref() };
    let boot = choice.find_cluster(&parts).unwrap_or_else(|faults| {
        conflicts.extend(faults);
        None
    });
    if !conflicts.is_empty() {
        return Err(Refused::new(
            "clusters of this web root are in conflict, and nothing was changed",
            conflicts,
        )
        .into());
    }
    let plan = JointPlan::of(&parts, boot.as_deref())?;
    let name = write_joint(lock, &parts, &plan, progress)?;
    Ok(StagedGeneration {
        channel: SITE.to_owned(),
        id: plan.id,
        manifest: plan.id,
        name,
        bundle: None,
        cluster: None,
        links: find_missing_links(&lock.root, &plan.top_names())?,
        role: StagedRole::Joint(expires),
    })
}

/// Writes the joint site into the staging directory. Returns its name there; none where it is in its place already.
fn write_joint(
    lock: &WebRootLock,
    parts: &[JointPart],
    plan: &JointPlan,
    progress: Progress<'_>,
) -> Result<Option<String>> {
    let is_same = |dir: &Dir| {
        let mut faults = Vec::new();
        let contents = read_published(dir, "", &mut faults)?;
        Ok(faults.is_empty() && contents.is_some_and(|contents| contents.manifest == plan.id))
    };
    let whole = parse_published(&plan.manifest)?;
    if is_published(&lock.root, SITE, plan.id, &whole, &is_same)? {
        return Ok(None);
    }
    let to = lock.staging.ensure_dir(STAGED)?;
    for (part, contents) in parts.iter().zip(&plan.files) {
        let mut faults = Vec::new();
        fill(&part.dir, contents, Some(&to), &mut faults, progress)?;
        if !faults.is_empty() {
            return Err(damaged(&part.cluster, faults));
        }
    }
    for (name, body) in [(CLUSTERS, &plan.clusters), (MANIFEST, &plan.manifest)] {
        let (file, _) = to.write_new(name, file_mode(false), body)?;
        sync_file(&file).with_context(|| format!("could not make {name} durable"))?;
    }
    to.sync().context("could not make the staging directory durable")?;
    Ok(Some(STAGED.to_owned()))
}
