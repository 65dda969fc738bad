//! Publishes and rolls back: moves staged generations to their places, to which no link leads yet, and then switches the
//! `current` of each channel by one rename.

use anyhow::{Context, Result, ensure};
use time::{Duration, OffsetDateTime};

use super::bundle::{Bundle, read_bundle};
use super::channel::{Channel, Generation};
use super::compare::{ExpectedDir, compare};
use super::fault::Refused;
use super::lock::WebRootLock;
use super::publication::{PUBLICATION, Publication};
use super::request::PublishRequest;
use super::staging::{StagedGeneration, stage};
use crate::fs::{Dir, Progress, Sha256Sum, file_mode, sync_file};
use crate::image::BundleManifest;

/// A generation that was published.
#[derive(Clone, Debug)]
pub struct Published {
    /// Path of the channel: `nixos/worker`, `site`.
    pub channel: String,
    /// Id of the generation.
    pub id: Sha256Sum,
    /// Number and dates of the generation.
    pub publication: Publication,
    /// Id of the generation that was current before.
    pub before: Option<Sha256Sum>,
    /// The manifest of a bundle; none for a site.
    pub bundle: Option<BundleManifest>,
}

/// The outcome of a publication.
#[derive(Debug)]
pub struct PublishOutcome {
    /// The generations that are current now.
    pub published: Vec<Published>,
    /// Paths of the removed generations: `nixos/worker/<id>`.
    pub removed: Vec<String>,
    /// Why the publication may not outlast a power cut, or why old generations could not be removed.
    pub unconfirmed: Option<anyhow::Error>,
}

/// Publishes everything in `request`, or nothing.
///
/// `progress` is called with the number of bytes of each read.
///
/// # Errors
/// When the files of a bundle or a site are not what its manifest says, or a disk refuses. The current generations then stay
/// current.
pub fn publish(
    lock: &WebRootLock,
    request: &PublishRequest<'_>,
    progress: Progress<'_>,
) -> Result<PublishOutcome> {
    let staged = stage(lock, request, progress)?;
    publish_staged(lock, request, &staged)
}

/// Publishes the generation before the current one of `base` again, with a new number.
///
/// # Errors
/// When there is no such generation, when it is damaged, or when a disk refuses.
pub fn roll_back(
    lock: &WebRootLock,
    base: &str,
    now: OffsetDateTime,
    life: Duration,
) -> Result<PublishOutcome> {
    let path = Channel::path_of_base(base);
    let channel = Channel::open(&lock.root, &path)?;
    let channel = channel.with_context(|| format!("nothing is published for {}", base.escape_debug()))?;
    let current =
        channel.current_generation()?.with_context(|| format!("{path} has no current generation"))?;
    let is_older = |other: &Generation| other.publication.is_some() && other.number() < current.number();
    let previous = channel.generations()?.into_iter().find(is_older);
    let previous = previous.with_context(|| format!("{path} has no generation before the current one"))?;
    let (bundle, manifest) = check_intact(channel.open_generation(previous.id)?, &previous, &path)?;
    let bundle = Some(bundle);
    let staged = StagedGeneration { channel: path, id: previous.id, manifest, name: None, bundle };
    let request = PublishRequest {
        bundles: &[],
        site: None,
        signatures: None,
        signed: false,
        keep: usize::MAX,
        now,
        life,
    };
    publish_staged(lock, &request, &[staged])
}

/// Returns the manifest of a generation and the manifest's digest, after every file of the generation has been compared.
fn check_intact(dir: Dir, generation: &Generation, path: &str) -> Result<(BundleManifest, Sha256Sum)> {
    let mut faults = Vec::new();
    let Some(Bundle { manifest, contents }) = read_bundle(&dir, "", &mut faults)? else {
        return Err(Refused::new("the generation before is damaged", faults).into());
    };
    let (id, sha256) = (manifest.id, contents.manifest);
    faults.extend(compare(&[ExpectedDir { dir, prefix: String::new(), contents }], &|_| {})?);
    if !faults.is_empty() {
        return Err(Refused::new("the generation before is damaged", faults).into());
    }
    ensure!(
        id == generation.id && Channel::path_of_base(&manifest.base) == path,
        "the generation before holds another bundle: {id} for {}",
        manifest.base
    );
    Ok((manifest, sha256))
}

/// A staged generation with its channel and its publication.
struct Move<'a> {
    staged: &'a StagedGeneration,
    channel: Channel,
    /// Id of the generation that is current in the channel.
    before: Option<Sha256Sum>,
    publication: Publication,
}

/// Functions that undo the steps so far, in the order of the steps.
type Undo<'a> = Vec<Box<dyn Fn() -> Result<()> + 'a>>;

/// Moves staged generations to their places and switches to them, or undoes everything.
fn publish_staged(
    lock: &WebRootLock,
    request: &PublishRequest<'_>,
    staged: &[StagedGeneration],
) -> Result<PublishOutcome> {
    let generation = lock.next_generation()?;
    let mut moves = Vec::new();
    for staged in staged {
        let channel = Channel::open_or_make(&lock.root, &staged.channel)?;
        let before = channel.current()?;
        let publication = Publication::new(generation, request.now, request.life, staged.manifest)?;
        moves.push(Move { staged, channel, before, publication });
    }
    switch_or_undo(lock, &moves)?;
    let mut removed = Vec::new();
    let confirmed = confirm(lock, request, &moves, &mut removed);
    let published = moves.into_iter().map(|step| Published {
        channel: step.channel.path,
        id: step.staged.id,
        publication: step.publication,
        before: step.before,
        bundle: step.staged.bundle.clone(),
    });
    Ok(PublishOutcome { published: published.collect(), removed, unconfirmed: confirmed.err() })
}

fn switch_or_undo(lock: &WebRootLock, moves: &[Move<'_>]) -> Result<()> {
    let mut undo = Undo::new();
    switch(lock, moves, &mut undo).inspect_err(|_| {
        // What can't be undone is a generation to which no `current` leads: the next run replaces it.
        undo.into_iter().rev().for_each(|step| drop(step()));
    })
}

/// Moves all generations to their places, and only then switches any channel.
fn switch<'a>(lock: &'a WebRootLock, moves: &'a [Move<'_>], undo: &mut Undo<'a>) -> Result<()> {
    for step in moves {
        move_to_place(lock, step, undo)?;
    }
    for step in moves {
        let (id, before) = (step.staged.id, step.before);
        if before != Some(id) {
            undo.push(Box::new(move || step.channel.switch_back(lock, before)));
            step.channel.switch(lock, id)?;
        }
    }
    Ok(())
}

fn move_to_place<'a>(lock: &'a WebRootLock, step: &'a Move<'_>, undo: &mut Undo<'a>) -> Result<()> {
    let (channel, id, body) = (&step.channel, step.staged.id, step.publication.print()?);
    if let Some(name) = &step.staged.name {
        let staged = lock.staging.open_dir(name).context("could not open the staging directory")?;
        let (file, _) = staged
            .write_new(PUBLICATION, file_mode(false), &body)
            .context("could not write publication.json")?;
        sync_file(&file).and_then(|()| staged.sync()).context("could not make publication.json durable")?;
        let was_exchanged = channel.move_in(lock, name, id)?;
        undo.push(Box::new(move || channel.move_out(lock, name, id, was_exchanged)));
        return channel.dir.sync().with_context(|| format!("could not make {} durable", channel.path));
    }
    // A generation that is in its place already only gets its new number.
    let dir = channel.open_generation(id)?;
    if let Ok(old) = dir.read(PUBLICATION) {
        let again = channel.open_generation(id)?;
        undo.push(Box::new(move || again.replace_from(&lock.staging, PUBLICATION, &old)));
    }
    dir.replace_from(&lock.staging, PUBLICATION, &body)
}

/// Makes the switches durable, and removes old generations.
fn confirm(
    lock: &WebRootLock,
    request: &PublishRequest<'_>,
    moves: &[Move<'_>],
    removed: &mut Vec<String>,
) -> Result<()> {
    for step in moves {
        let channel = &step.channel;
        channel.dir.sync().with_context(|| format!("could not make {} durable", channel.path))?;
    }
    for Move { channel, before, .. } in moves {
        let ids = channel.prune(lock, *before, request.keep)?;
        removed.extend(ids.into_iter().map(|id| format!("{}/{id}", channel.path)));
    }
    lock.remove_staging()
}
