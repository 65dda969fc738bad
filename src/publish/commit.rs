//! Publishing: new generations grow on the stage, take their places unseen, and show all at once, by one rename a line.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use time::{Duration, OffsetDateTime};

use super::bundle::{self, Bundle};
use super::compare::{Place, compare};
use super::fault::Refused;
use super::line::{Generation, Line};
use super::lock::Lock;
use super::publication::{PUBLICATION, Publication};
use super::stage::{self, Staged};
use crate::fs::{Dir, Sha256Sum, file_mode, sync_file};

/// What to publish, and how.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Bundles, each for another profile.
    pub bundles: &'a [PathBuf],
    /// The directory `site/` that render has written.
    pub site: Option<&'a Path>,
    /// The directory of signatures of the site's files: `ipxe/boot.ipxe.sig` and so on.
    pub signatures: Option<&'a Path>,
    /// Whether what machines fetch must be signed. So says the `boot.ipxe` of the site, or of the published one,
    /// too.
    pub signed: bool,
    /// How many generations stay beside the current one.
    pub keep: usize,
    /// When this is.
    pub now: OffsetDateTime,
    /// How long it may be booted.
    pub life: Duration,
}

/// What was published.
#[derive(Clone, Debug)]
pub struct Published {
    /// Where: `nixos/worker`, `site`.
    pub line: String,
    /// Which generation.
    pub id: Sha256Sum,
    /// What is said of it.
    pub publication: Publication,
    /// What was current before.
    pub before: Option<Sha256Sum>,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// What is current now.
    pub published: Vec<Published>,
    /// What is gone: `nixos/worker/<id>`.
    pub removed: Vec<String>,
    /// Why it is not certain to outlast a power cut, or why old generations could not be removed.
    pub unconfirmed: Option<anyhow::Error>,
}

/// Publishes: all of it, or nothing.
///
/// `progress` is told of every so many bytes that were read.
///
/// # Errors
/// When a bundle or a site is not what its manifest says, or a disk refuses. What was current then still is.
pub fn publish(lock: &Lock, request: &Request<'_>, progress: &(dyn Fn(u64) + Sync)) -> Result<Outcome> {
    let steps = stage::all(lock, request, progress)?;
    show(lock, request, &steps)
}

/// Lets `current` of `profile` name the generation before, as a new generation.
///
/// # Errors
/// When there is none, it is damaged, or a disk refuses.
pub fn rollback(lock: &Lock, profile: &str, now: OffsetDateTime, life: Duration) -> Result<Outcome> {
    let path = Line::of_profile(profile);
    let line = Line::open(&lock.root, &path)?;
    let line = line.with_context(|| format!("nothing is published for {}", profile.escape_debug()))?;
    let current = line.current_generation()?.with_context(|| format!("{path} has no current generation"))?;
    let older = |own: &Generation| own.publication.is_some() && own.number() < current.number();
    let previous = line.generations()?.into_iter().find(older);
    let previous = previous.with_context(|| format!("{path} has no generation before the current one"))?;
    let name = previous.id.to_string();
    let dir = line.dir.open_dir(&name).with_context(|| format!("could not open {path}/{name}"))?;
    let manifest = intact(dir, &previous, &path)?;
    let step = Staged { line: path, id: previous.id, manifest, name: None };
    let request =
        Request { bundles: &[], site: None, signatures: None, signed: false, keep: usize::MAX, now, life };
    show(lock, &request, &[step])
}

/// The digest of the manifest of a generation that is whole.
fn intact(dir: Dir, generation: &Generation, path: &str) -> Result<Sha256Sum> {
    let mut faults = Vec::new();
    let Some(Bundle { manifest, contents }) = bundle::open(&dir, "", &mut faults)? else {
        return Err(Refused::new("the generation before is damaged", faults).into());
    };
    let (id, sum) = (manifest.id, contents.manifest);
    faults.extend(compare(&[Place { dir, shown: String::new(), contents }], &|_| {})?);
    if !faults.is_empty() {
        return Err(Refused::new("the generation before is damaged", faults).into());
    }
    ensure!(
        id == generation.id && Line::of_profile(&manifest.base) == path,
        "the generation before holds another bundle: {id} for {}",
        manifest.base
    );
    Ok(sum)
}

/// A step, where it goes, what is current there, and what will be said of it.
struct Move<'a> {
    step: &'a Staged,
    line: Line,
    before: Option<Sha256Sum>,
    publication: Publication,
}

type Undo<'a> = Vec<Box<dyn Fn() -> Result<()> + 'a>>;

/// Puts what is staged in its place and switches to it, or takes all of that back.
fn show(lock: &Lock, request: &Request<'_>, steps: &[Staged]) -> Result<Outcome> {
    let generation = lock.next_generation()?;
    let mut moves = Vec::new();
    for step in steps {
        let line = Line::make(&lock.root, &step.line)?;
        let before = line.current()?;
        let publication = Publication::new(generation, request.now, request.life, step.manifest)?;
        moves.push(Move { step, line, before, publication });
    }
    switch_or_undo(lock, &moves)?;
    let mut removed = Vec::new();
    let confirmed = confirm(lock, request, &moves, &mut removed);
    let published = moves.into_iter().map(|own| Published {
        line: own.line.path,
        id: own.step.id,
        publication: own.publication,
        before: own.before,
    });
    Ok(Outcome { published: published.collect(), removed, unconfirmed: confirmed.err() })
}

fn switch_or_undo(lock: &Lock, moves: &[Move<'_>]) -> Result<()> {
    let mut undo = Undo::new();
    switch(lock, moves, &mut undo).inspect_err(|_| {
        // What can't be taken back is a generation that nobody is sent to: the next run replaces it.
        undo.into_iter().rev().for_each(|back| drop(back()));
    })
}

/// Everything goes to its place first; only then is anything switched.
fn switch<'a>(lock: &'a Lock, moves: &'a [Move<'_>], undo: &mut Undo<'a>) -> Result<()> {
    for own in moves {
        place(lock, own, undo)?;
    }
    for own in moves {
        let (id, before) = (own.step.id, own.before);
        if before != Some(id) {
            undo.push(Box::new(move || own.line.switch_back(lock, before)));
            own.line.switch(lock, id)?;
        }
    }
    Ok(())
}

fn place<'a>(lock: &'a Lock, own: &'a Move<'_>, undo: &mut Undo<'a>) -> Result<()> {
    let (line, body) = (&own.line, own.publication.print()?);
    if let Some(name) = &own.step.name {
        let staged = lock.stage.open_dir(name).context("could not open the stage")?;
        let (file, _) = staged
            .write_new(PUBLICATION, file_mode(false), &body)
            .context("could not write publication.json")?;
        sync_file(&file).and_then(|()| staged.sync()).context("could not make publication.json durable")?;
        let exchanged = line.place(lock, name, own.step.id)?;
        undo.push(Box::new(move || line.take_back(lock, name, own.step.id, exchanged)));
        return line.dir.sync().with_context(|| format!("could not make {} durable", line.path));
    }
    // What is there already only gets its new number.
    let dir = line.dir.open_dir(&own.step.id.to_string()).context("could not open a generation")?;
    if let Ok(old) = dir.read(PUBLICATION) {
        let again = line.dir.open_dir(&own.step.id.to_string()).context("could not open a generation")?;
        undo.push(Box::new(move || again.replace_from(&lock.stage, PUBLICATION, &old)));
    }
    dir.replace_from(&lock.stage, PUBLICATION, &body)
}

/// Makes certain that it lasts, and removes what is old.
fn confirm(lock: &Lock, request: &Request<'_>, moves: &[Move<'_>], removed: &mut Vec<String>) -> Result<()> {
    for own in moves {
        own.line.dir.sync().with_context(|| format!("could not make {} durable", own.line.path))?;
    }
    for Move { line, before, .. } in moves {
        let gone = line.prune(lock, *before, request.keep)?;
        removed.extend(gone.into_iter().map(|id| format!("{}/{id}", line.path)));
    }
    lock.clean()
}
