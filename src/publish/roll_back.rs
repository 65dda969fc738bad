//! Goes back to the generation before the current one, which gets a new number.

use anyhow::{Context, Result, ensure};

use super::begun::{forget_begun, read_begun, write_begun};
use super::bundle::{Bundle, read_bundle};
use super::channel::{Channel, Generation};
use super::commit::{PublishOutcome, publish_staged};
use super::compare::{ExpectedDir, compare};
use super::contents::Contents;
use super::fault::Refused;
use super::lock::WebRootLock;
use super::request::PublicationTerms;
use super::root::SITE;
use super::site::read_published;
use super::staging::StagedGeneration;
use super::takeover::check_cluster;
use crate::fs::{Dir, Sha256Sum};
use crate::image::BundleManifest;
use crate::model::{Label, Word};

/// Publishes the generation before the current one again, with a new number: of the bundles for the base `name`, or of the
/// site, where `name` is `site`.
///
/// # Errors
/// When there is no such generation, when it is damaged, when an armed node needs the current one, or when a disk refuses.
pub fn roll_back(lock: &WebRootLock, name: &str, terms: &PublicationTerms<'_>) -> Result<PublishOutcome> {
    let path = if name == SITE { SITE.to_owned() } else { Channel::path_of_base(name) };
    let channel = if Label::parse(name).is_ok() { Channel::open(&lock.root, &path)? } else { None };
    let channel = channel.with_context(|| format!("nothing is published for {}", name.escape_debug()))?;
    let current =
        channel.current_generation()?.with_context(|| format!("{path} has no current generation"))?;
    let generations = channel.generations()?;
    // A killed run has perhaps switched already: the generation that it led to may be the current one.
    let begun = read_begun(&lock.root, &path);
    let begun = generations.iter().find(|generation| Some(generation.id) == begun);
    // The highest number of the others, also where that is above the current one: a run that was killed before it switched
    // has given the generation that number.
    let is_other = |other: &&Generation| other.publication.is_some() && other.id != current.id;
    let previous = begun.or_else(|| generations.iter().find(is_other));
    let previous = previous.with_context(|| {
        format!("{path} has no generation before the current one: publish keeps as many as --keep says")
    })?;
    let cluster = previous.publication.as_ref().and_then(|publication| publication.cluster.clone());
    check_cluster(&lock.root, cluster.as_deref(), terms)?;
    let (bundle, manifest) = check_intact(channel.open_generation(previous.id)?, previous, &path)?;
    write_begun(lock, &path, previous.id)?;
    let staged =
        StagedGeneration { channel: path.clone(), id: previous.id, manifest, name: None, bundle, cluster };
    let mut outcome = publish_staged(lock, terms, usize::MAX, &[staged], || Ok(())).inspect_err(|_| {
        // Where the file stays, the next roll back leads to the same generation.
        let _ = forget_begun(lock, &path);
    })?;
    if outcome.unconfirmed.is_none() {
        outcome.unconfirmed = forget_begun(lock, &path).err();
    }
    Ok(outcome)
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
    let read = if path == SITE {
        read_published(&dir, "", &mut faults)?.map(|contents| (contents.manifest, None, contents))
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
    let is_of_channel = bundle.as_ref().is_none_or(|bundle| Channel::path_of_base(&bundle.base) == path);
    ensure!(id == generation.id && is_of_channel, "the generation before holds something else: {id}");
    Ok((bundle, manifest))
}
