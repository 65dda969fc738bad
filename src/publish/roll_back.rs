//! Goes back to the generation before the current one, which gets a new number.

use anyhow::{Context, Result, bail, ensure};

use super::begun::{find_begun, forget_begun, write_begun};
use super::bundle::{Bundle, read_bundle};
use super::channel::{Channel, Generation, is_site};
use super::commit::{PublishOutcome, publish_staged};
use super::compare::{ExpectedDir, compare};
use super::contents::Contents;
use super::fault::Refused;
use super::joining::stage_joint;
use super::joint::{SiteIds, cluster_of, path_of_site, read_served_sites};
use super::loaders::stage_loaders;
use super::lock::WebRootLock;
use super::place::{ClusterIdentity, ClusterPlace, find_place_of};
use super::request::{LoaderSource, PublicationTerms};
use super::root::SITE;
use super::site::{read_part, read_published};
use super::staged::{StagedGeneration, StagedRole};
use super::staging::check_owner;
use crate::fs::{Dir, Sha256Sum};
use crate::image::BundleManifest;

/// A roll back that an earlier run had begun when it was killed, and that is finished now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FinishedRollback {
    /// Id of the generation to which the next roll back leads; none where there is none.
    pub next: Option<Sha256Sum>,
}

/// Publishes the generation before the current one again, with a new number: of the bundles for the base `name`, or of the
/// site, where `name` is `site`. Where an earlier roll back was killed, finishes that one instead, which is returned.
///
/// # Errors
/// When there is no such generation, when it is damaged, when an armed node would lose its script or get another bundle, or
/// when a disk refuses.
pub fn roll_back(
    lock: &WebRootLock,
    name: &str,
    terms: &PublicationTerms<'_>,
) -> Result<(PublishOutcome, Option<FinishedRollback>)> {
    let channel = open_channel(lock, name, terms)?;
    let path = channel.path.clone();
    let current =
        channel.current_generation()?.with_context(|| format!("{path} has no current generation"))?;
    let generations = list_candidates(&channel)?;
    // A killed run has perhaps switched already: the generation that it led to may be the current one.
    let begun = find_begun(&lock.root, &path);
    let begun = generations.iter().find(|generation| Some(generation.id) == begun);
    // The highest number of the others, also where that is above the current one: a run that was killed before it switched
    // has given the generation that number.
    let others = generations.iter().find(|other| is_previous(other, current.id));
    let previous = begun.or(others);
    let previous = previous.with_context(|| {
        format!("{path} has no generation before the current one: publish keeps as many as --keep says")
    })?;
    let cluster = previous.publication.as_ref().and_then(|publication| publication.cluster.clone());
    let place = find_place_of_generation(lock, &channel, previous, terms)?;
    let (bundle, manifest) = check_intact(channel.open_generation(previous.id)?, previous, &path)?;
    let mut staged = vec![StagedGeneration {
        channel: path.clone(),
        id: previous.id,
        manifest,
        name: None,
        bundle,
        cluster,
        // No publication removes a link.
        links: Vec::new(),
        role: StagedRole::Requested,
    }];
    if let Some(others) = place.others.as_ref().filter(|_| channel.is_site()) {
        staged.push(stage_joint(lock, Some(&staged[0]), others, terms.may_replace_boot, &|_| {})?);
    } else if !channel.is_site() {
        check_owner(lock, &staged[0], &place, terms)?;
    }
    write_begun(lock, &path, previous.id)?;
    let loaders = stage_loaders(lock, LoaderSource::Unchanged, &SiteIds::new())?;
    let mut outcome =
        publish_staged(lock, terms, usize::MAX, &staged, &loaders, || Ok(())).inspect_err(|_| {
            // Where the file stays, the next roll back leads to the same generation.
            let _ = forget_begun(lock, &path);
        })?;
    if outcome.unconfirmed.is_none() {
        outcome.unconfirmed = forget_begun(lock, &path).err();
    }
    let next = list_candidates(&channel)?.into_iter().find(|other| is_previous(other, previous.id));
    let finished = begun.map(|_| FinishedRollback { next: next.map(|generation| generation.id) });
    Ok((outcome, finished))
}

/// Opens the channel that the command line calls `name`. Where several clusters share the web root, `site` is that of the
/// inventory's cluster.
fn open_channel(lock: &WebRootLock, name: &str, terms: &PublicationTerms<'_>) -> Result<Channel> {
    let sites = if name == SITE { read_served_sites(&lock.root)? } else { None };
    let Some(sites) = sites else { return Channel::open_named(&lock.root, name) };
    let names: Vec<_> =
        sites.keys().filter(|name| terms.cluster.is_none_or(|names| names.has(name))).collect();
    // The present name comes before a former one.
    let present = names.iter().find(|name| terms.cluster.is_some_and(|names| names.name == name.as_str()));
    let [name] = present.map_or(names.as_slice(), std::slice::from_ref) else {
        let all: Vec<_> = sites.keys().map(String::as_str).collect();
        bail!(
            "machines of the clusters {} boot from the web root: name the inventory of one of them with --inventory",
            all.join(", ")
        );
    };
    Channel::open(&lock.root, &path_of_site(name))?
        .with_context(|| format!("nothing is published for {name}"))
}

/// Finds the place of the generation `previous` of `channel` among the clusters of the web root.
fn find_place_of_generation(
    lock: &WebRootLock,
    channel: &Channel,
    previous: &Generation,
    terms: &PublicationTerms<'_>,
) -> Result<ClusterPlace> {
    let cluster = previous.publication.as_ref().and_then(|publication| publication.cluster.as_deref());
    let identity = if channel.is_site() {
        ClusterIdentity::of_site(cluster, &channel.open_generation(previous.id)?)?
    } else {
        // Clusters that share the web root share the images: then the cluster that rolls back counts.
        let of_inventory = terms.cluster.map(|names| names.name);
        let actor = if read_served_sites(&lock.root)?.is_some() { of_inventory.or(cluster) } else { cluster };
        let name = actor.map(str::to_owned);
        ClusterIdentity { name, ..ClusterIdentity::default() }
    };
    find_place_of(&lock.root, &identity, channel.is_site(), terms)
}

/// Lists the generations to which a roll back may lead, the highest number first. A joint site, which a killed run has left where
/// one cluster is alone, would bring other clusters in.
fn list_candidates(channel: &Channel) -> Result<Vec<Generation>> {
    let mut generations = channel.generations()?;
    generations.retain(|generation| !generation.is_joint);
    Ok(generations)
}

/// Whether a roll back may lead from the generation `current` to `other`.
fn is_previous(other: &Generation, current: Sha256Sum) -> bool {
    other.publication.is_some() && other.id != current
}

/// Returns the manifest of a bundle and the digest of the generation's manifest, after every file of the generation has
/// been compared.
fn check_intact(
    dir: Dir,
    generation: &Generation,
    path: &str,
) -> Result<(Option<BundleManifest>, Sha256Sum)> {
    const DAMAGED: &str = "the generation before is damaged";
    let mut faults = Vec::new();
    let read = if is_site(path) {
        let read = if cluster_of(path).is_some() { read_part } else { read_published };
        read(&dir, "", &mut faults)?.map(|contents| (contents.manifest, None, contents))
    } else {
        let bundle = read_bundle(&dir, "", &mut faults)?;
        bundle.map(|Bundle { manifest, contents }| (manifest.id, Some(manifest), contents))
    };
    let Some((id, bundle, contents)) = read else { return Err(Refused::new(DAMAGED, faults).into()) };
    let Contents { manifest, .. } = contents;
    faults.extend(compare(&[ExpectedDir { dir, prefix: String::new(), contents }], &|_| {})?);
    if !faults.is_empty() {
        return Err(Refused::new(DAMAGED, faults).into());
    }
    let is_of_channel = bundle.as_ref().is_none_or(|bundle| Channel::path_of_image(&bundle.image()) == path);
    ensure!(id == generation.id && is_of_channel, "the generation before holds something else: {id}");
    Ok((bundle, manifest))
}
