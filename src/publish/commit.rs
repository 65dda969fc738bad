//! Publishes: moves staged generations to their places, to which no link leads yet, and then switches the
//! `current` of each channel by one rename.

use anyhow::{Context, Result};
use time::OffsetDateTime;

use super::armed_changes::{check_bundles, check_site_changes};
use super::begun::forget_begun;
use super::boot_signatures::check_boot_signatures;
use super::channel::{Channel, is_site};
use super::joint::remove_unserved_sites;
use super::links::make_links;
use super::loaders::{LoaderOutcome, StagedLoaders, Undo, stage_loaders};
use super::lock::WebRootLock;
use super::needs::open_current;
use super::publication::{PUBLICATION, PUBLICATION_SIGNATURE, Publication};
use super::request::{LoaderSource, PublicationTerms, PublishRequest};
use super::root::SITE;
use super::staged::{StagedGeneration, StagedRole};
use super::staging::stage;
use super::takeover::check_armed_nodes;
use crate::fs::{Dir, Progress, Sha256Sum, TEXT_LIMIT, file_mode, sync_file};
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
    /// The changes for armed nodes, a sentence each.
    pub changes: Vec<String>,
    /// Whether machines ask for signatures, and the terms named no signer: they may be anybody's.
    pub has_unknown_signers: bool,
    /// The last second in which machines accept the signatures that were published; none where none was verified.
    pub signatures_end: Option<OffsetDateTime>,
    /// The builds of iPXE that were published with the site.
    pub loaders: LoaderOutcome,
    /// Why the publication may not outlast a power cut, or why old generations could not be removed.
    pub unconfirmed: Option<anyhow::Error>,
}

/// Publishes everything in `request`, or nothing.
///
/// `progress` is called with the number of bytes of each read.
///
/// # Errors
/// When the files of a bundle or a site are not what its manifest says, when the publication would take machines away, or
/// when a disk refuses. The current generations then stay current.
pub fn publish(
    lock: &WebRootLock,
    request: &PublishRequest<'_>,
    progress: Progress<'_>,
) -> Result<PublishOutcome> {
    let (staged, others) = stage(lock, request, progress)?;
    let has_site = staged.iter().any(|staged| staged.channel == SITE);
    let loaders = if has_site { request.loaders } else { LoaderSource::Unchanged };
    let loaders = stage_loaders(lock, loaders, &others)?;
    let mut outcome = publish_staged(lock, &request.terms, request.keep, &staged, &loaders, || {
        staged.iter().try_for_each(|staged| forget_begun(lock, &staged.channel))
    })?;
    outcome.has_unknown_signers |= request.signed && request.terms.boot_signer.is_none();
    Ok(outcome)
}

/// A staged generation with its channel and its publication.
struct Move<'a> {
    staged: &'a StagedGeneration,
    channel: Channel,
    /// Id of the generation that is current in the channel.
    before: Option<Sha256Sum>,
    publication: Publication,
    /// The text of `publication.json`.
    body: Vec<u8>,
    /// The text of `publication.json.sig`; none for a publication that is not signed.
    signature: Option<Vec<u8>>,
}

impl<'a> Move<'a> {
    /// Prepares the move of `staged` to its place, as the generation with this number.
    fn prepare(
        lock: &WebRootLock,
        terms: &PublicationTerms<'_>,
        generation: u64,
        staged: &'a StagedGeneration,
        loaders: &StagedLoaders,
    ) -> Result<Self> {
        let cluster = staged.cluster.as_deref();
        let mut publication = Publication::new(cluster, generation, terms.now, terms.life, staged.manifest)?;
        if is_site(&staged.channel) {
            publication.loaders.clone_from(&loaders.digests);
        }
        let mut body = publication.print()?;
        let signature = match &staged.role {
            StagedRole::Requested => terms.signing_key.map(|key| key.sign(&body)).transpose()?,
            // The signatures of its parts vouch for a joint site.
            StagedRole::Joint(expires) => {
                publication.expires = publication.expires.max(*expires);
                body = publication.print()?;
                None
            }
            StagedRole::Adopted(text, signature) => {
                publication = Publication::parse(text)?;
                body.clone_from(text);
                signature.clone()
            }
        };
        // After the signature, which ssh-keygen may refuse.
        let channel = Channel::open_or_make(&lock.root, &staged.channel)?;
        let before = channel.current()?;
        Ok(Self { staged, channel, before, publication, body, signature })
    }
}

/// Installs loaders, moves staged generations to their places and switches to them, or undoes everything. Calls `prepare`
/// when nothing can be refused any more.
pub(super) fn publish_staged(
    lock: &WebRootLock,
    terms: &PublicationTerms<'_>,
    keep: usize,
    staged: &[StagedGeneration],
    loaders: &StagedLoaders,
    prepare: impl FnOnce() -> Result<()>,
) -> Result<PublishOutcome> {
    let mut changes = Vec::new();
    for staged in staged {
        if staged.channel == SITE {
            let site = staged.open(lock)?;
            check_armed_nodes(&lock.root, &site)?;
            changes.extend(check_site_changes(&lock.root, &site, terms)?);
        } else {
            let before = open_current(&lock.root, &staged.channel)?.map(|(id, _)| id);
            changes.extend(check_bundles(&lock.root, staged, before, terms)?);
        }
    }
    let is_shared = staged.iter().any(|staged| matches!(staged.role, StagedRole::Joint(_)));
    let signatures = check_boot_signatures(lock, terms, staged)?;
    let generation = lock.next_generation(is_shared)?;
    let to_move = |staged| Move::prepare(lock, terms, generation, staged, loaders);
    let moves = staged.iter().map(to_move).collect::<Result<Vec<_>>>()?;
    prepare()?;
    switch_or_undo(lock, &moves, loaders)?;
    let mut removed = Vec::new();
    let confirmed = confirm(lock, keep, &moves, &mut removed);
    let requested = moves.into_iter().filter(|step| step.staged.is_requested());
    let published = requested.map(|step| Published {
        channel: step.channel.path,
        id: step.staged.id,
        publication: step.publication,
        before: step.before,
        bundle: step.staged.bundle.clone(),
    });
    let (published, loaders) = (published.collect(), loaders.outcome.clone());
    let unconfirmed = confirmed.err();
    Ok(PublishOutcome {
        published,
        removed,
        loaders,
        changes,
        has_unknown_signers: signatures.has_unknown_signers,
        signatures_end: signatures.end,
        unconfirmed,
    })
}

fn switch_or_undo(lock: &WebRootLock, moves: &[Move<'_>], loaders: &StagedLoaders) -> Result<()> {
    let mut undo = Undo::new();
    let run = loaders.install(lock, &mut undo).and_then(|()| switch(lock, moves, &mut undo));
    run.inspect_err(|_| {
        // What can't be undone is a generation to which no `current` leads: the next run replaces it.
        undo.into_iter().rev().for_each(|step| drop(step()));
    })
}

/// Moves all generations to their places, makes missing links into the site, and only then switches any channel.
fn switch<'a>(lock: &'a WebRootLock, moves: &'a [Move<'_>], undo: &mut Undo<'a>) -> Result<()> {
    for step in moves {
        move_to_place(lock, step, undo)?;
    }
    // A link that is new leads nowhere until the site is switched.
    for step in moves {
        make_links(&lock.root, &step.staged.links, undo)?;
    }
    for step in moves {
        let (id, before) = (step.staged.id, step.before);
        // The joint site switches the sites of all clusters.
        if before != Some(id) && step.channel.has_link() {
            undo.push(Box::new(move || step.channel.switch_back(lock, before)));
            step.channel.switch(lock, id)?;
        }
    }
    Ok(())
}

fn move_to_place<'a>(lock: &'a WebRootLock, step: &'a Move<'_>, undo: &mut Undo<'a>) -> Result<()> {
    let (channel, id) = (&step.channel, step.staged.id);
    if let Some(name) = &step.staged.name {
        let staged = step.staged.open(lock)?;
        write_publication(&staged, step).context("could not write publication.json")?;
        let was_exchanged = channel.move_in(lock, name, id)?;
        undo.push(Box::new(move || channel.move_out(lock, name, id, was_exchanged)));
        return channel.dir.sync().with_context(|| format!("could not make {} durable", channel.path));
    }
    // A generation that is in its place already only gets a new publication.
    let dir = channel.open_generation(id)?;
    let old = dir.read_limited(PUBLICATION, TEXT_LIMIT).ok();
    let old_signature = dir.read_limited(PUBLICATION_SIGNATURE, TEXT_LIMIT).ok();
    let again = channel.open_generation(id)?;
    undo.push(Box::new(move || {
        if let Some(old) = &old {
            again.replace_from(&lock.staging, PUBLICATION, old)?;
        }
        replace_or_remove(lock, &again, PUBLICATION_SIGNATURE, old_signature.as_deref())
    }));
    dir.replace_from(&lock.staging, PUBLICATION, &step.body)?;
    // A run that dies here leaves a signature that does not fit: verify says so, and the next run replaces it.
    replace_or_remove(lock, &dir, PUBLICATION_SIGNATURE, step.signature.as_deref())
}

/// Writes the publication and its signature into the staged generation in `dir`, durably.
fn write_publication(dir: &Dir, step: &Move<'_>) -> Result<()> {
    let signature = step.signature.as_deref().map(|signature| (PUBLICATION_SIGNATURE, signature));
    for (name, body) in [(PUBLICATION, step.body.as_slice())].into_iter().chain(signature) {
        let (file, _) = dir.write_new(name, file_mode(false), body)?;
        sync_file(&file)?;
    }
    Ok(dir.sync()?)
}

/// Replaces the file `name` in `dir` durably, or removes the file where there is no new one.
fn replace_or_remove(lock: &WebRootLock, dir: &Dir, name: &str, body: Option<&[u8]>) -> Result<()> {
    if let Some(body) = body {
        return dir.replace_from(&lock.staging, name, body);
    }
    if dir.exists(name)? {
        dir.remove_file(name)?;
        dir.sync().with_context(|| format!("could not remove {name} durably"))?;
    }
    Ok(())
}

/// Makes the switches durable, and removes old generations.
fn confirm(lock: &WebRootLock, keep: usize, moves: &[Move<'_>], removed: &mut Vec<String>) -> Result<()> {
    for step in moves {
        let channel = &step.channel;
        channel.dir.sync().with_context(|| format!("could not make {} durable", channel.path))?;
    }
    for Move { channel, before, staged, .. } in moves {
        let keep = match staged.role {
            StagedRole::Requested => keep,
            // No machine continues in an earlier joint site.
            StagedRole::Joint(_) => 0,
            StagedRole::Adopted(..) => continue,
        };
        let ids = channel.prune(lock, *before, keep)?;
        // A joint site follows from its parts, and nobody rolls back to one.
        let is_told = staged.is_requested();
        removed.extend(ids.into_iter().filter(|_| is_told).map(|id| format!("{}/{id}", channel.path)));
    }
    if moves.iter().any(|step| step.channel.path == SITE) {
        remove_unserved_sites(lock)?;
    }
    lock.remove_staging()
}
