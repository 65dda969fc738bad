//! The stage: new generations grow here, whole and durable, before any of them takes its place.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use rayon::prelude::*;

use super::bundle::{self, Bundle};
use super::commit::Request;
use super::compare::{Place, compare};
use super::contents::Contents;
use super::copy::{Target, copy};
use super::fault::{Fault, Refused};
use super::line::{CURRENT, Line};
use super::lock::Lock;
use super::root::{Root, SITE};
use super::signatures;
use super::site::{self, Site};
use crate::fs::{Dir, FileType, Sha256Sum, file_mode, kind, split, sync_file};
use crate::image::{INITRD, KERNEL, MANIFEST, SCRIPT};

/// From so many files on, one syncfs(2) is cheaper than an fsync(2) of each.
const MANY: usize = 64;

/// A generation that is about to be current.
#[derive(Debug)]
pub(super) struct Staged {
    /// The path of its line.
    pub(super) line: String,
    pub(super) id: Sha256Sum,
    /// The digest of its manifest.
    pub(super) manifest: Sha256Sum,
    /// Its name on the stage; none where it is in its place already.
    pub(super) name: Option<String>,
}

/// Stages everything that is to be published.
///
/// # Errors
/// When something is not what its manifest says: then all that is wrong with it is told.
pub(super) fn all(
    lock: &Lock,
    request: &Request<'_>,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Vec<Staged>> {
    let about =
        |path: &Path| format!("could not publish the site {}, and nothing was changed", path.display());
    let site = request.site.map(|path| Site::open(path, request.signatures).with_context(|| about(path)));
    let site = site.transpose()?;
    let asks = match &site {
        Some(site) => site.asks_for_signatures(),
        None => site::published_asks_for_signatures(&lock.root)?,
    };
    let signed = request.signed || asks;
    let mut steps: Vec<Staged> = Vec::new();
    for path in request.bundles {
        let step = of_bundle(lock, path, &steps.len().to_string(), signed, progress).with_context(|| {
            format!("could not publish the bundle {}, and nothing was changed", path.display())
        })?;
        let taken = steps.iter().any(|own| own.line == step.line);
        ensure!(!taken, "two bundles are for {}: publish the one that is meant", step.line);
        steps.push(step);
    }
    if let (Some(path), Some(site)) = (request.site, &site) {
        steps.push(of_site(lock, site, signed, progress).with_context(|| about(path))?);
    }
    Ok(steps)
}

fn of_bundle(
    lock: &Lock,
    path: &Path,
    name: &str,
    signed: bool,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Staged> {
    let dir = Dir::open(path).context("could not open it")?;
    let mut faults = Vec::new();
    let Some(bundle) = bundle::open(&dir, "", &mut faults)? else {
        return Err(Refused::new("it is not what it says", faults).into());
    };
    if signed {
        let is_signed = |own: &str| bundle.contents.signatures.contains(&format!("{own}.sig"));
        let files = [KERNEL, INITRD, SCRIPT].into_iter().filter(|own| !is_signed(own));
        faults.extend(signatures::lacking(files));
    }
    let line = Line::of_profile(&bundle.manifest.base);
    let id = bundle.manifest.id;
    let there = |there: &Dir| bundle::same(there, &dir, &bundle);
    let kept = is_there(&lock.root, &line, id, &bundle.contents, &there)?;
    let staged = stage(lock, &dir, &bundle, name, kept, &mut faults, progress)?;
    if !faults.is_empty() {
        return Err(Refused::new("it is not what it says", faults).into());
    }
    Ok(Staged { line, id, manifest: bundle.contents.manifest, name: staged })
}

fn stage(
    lock: &Lock,
    dir: &Dir,
    bundle: &Bundle,
    name: &str,
    kept: bool,
    faults: &mut Vec<Fault>,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Option<String>> {
    let to = if kept { None } else { Some(lock.stage.ensure_dir(name)?) };
    fill(dir, &bundle.contents, to.as_ref(), faults, progress)?;
    let Some(to) = to else { return Ok(None) };
    for own in &bundle.contents.signatures {
        let body = dir.read_limited(own).with_context(|| format!("could not read {own}"))?;
        let (file, _) = to.write_new(own, file_mode(false), &body)?;
        sync_file(&file).with_context(|| format!("could not make {own} durable"))?;
    }
    to.sync().context("could not make the stage durable")?;
    Ok(Some(name.to_owned()))
}

fn of_site(lock: &Lock, site: &Site, signed: bool, progress: &(dyn Fn(u64) + Sync)) -> Result<Staged> {
    if let Some(fault) = signed.then(|| site.unsigned()).flatten() {
        return Err(Refused::new(
            "sign it, and name the directory of signatures with --signatures",
            vec![fault],
        )
        .into());
    }
    let there = |dir: &Dir| {
        let mut faults = Vec::new();
        let own = site::published(dir, "", &mut faults)?;
        Ok(faults.is_empty() && own.is_some_and(|own| own.manifest == site.id()))
    };
    let kept = is_there(&lock.root, SITE, site.id(), &site.all(), &there)?;
    let to = if kept { None } else { Some(lock.stage.ensure_dir(SITE)?) };
    let mut faults = Vec::new();
    site.contents.extra(&site.dir, "www/", &mut faults)?;
    fill(&site.dir, &site.contents, to.as_ref(), &mut faults, progress)?;
    if let Some((dir, contents)) = &site.signatures {
        fill(dir, contents, to.as_ref(), &mut faults, progress)?;
    }
    if !faults.is_empty() {
        return Err(Refused::new("it is not as plasmagen render left it; run it again", faults).into());
    }
    if let Some(to) = &to {
        let (file, _) = to.write_new(MANIFEST, file_mode(false), &site.manifest)?;
        sync_file(&file).and_then(|()| to.sync()).context("could not make the stage durable")?;
    }
    links(&lock.root, &site.names())?;
    let (line, name) = (SITE.to_owned(), to.map(|_| SITE.to_owned()));
    Ok(Staged { line, id: site.id(), manifest: site.id(), name })
}

/// Whether the generation `id` is in its place already, and whole.
fn is_there(
    root: &Root,
    line: &str,
    id: Sha256Sum,
    contents: &Contents,
    same: &dyn Fn(&Dir) -> Result<bool>,
) -> Result<bool> {
    let Some(line) = Line::open(root, line)? else { return Ok(false) };
    let Ok(dir) = line.dir.open_dir(&id.to_string()) else { return Ok(false) };
    if !same(&dir)? {
        return Ok(false);
    }
    let place = Place { dir, shown: String::new(), contents: contents.clone() };
    Ok(compare(&[place], &|_| {})?.is_empty())
}

/// Copies what has a digest to `to`, or only reads it.
fn fill(
    from: &Dir,
    contents: &Contents,
    to: Option<&Dir>,
    faults: &mut Vec<Fault>,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<()> {
    let dirs: BTreeSet<&str> = contents.expected.iter().flat_map(|own| parents(&own.path)).collect();
    let mut made = Vec::new();
    for dir in dirs.iter().filter(|_| to.is_some()) {
        let (parent, name) = split(dir);
        if let Some(to) = to {
            made.push(to.open_dir(parent).context("could not open the stage")?.ensure_dir(name)?);
        }
    }
    let sync = contents.expected.len() < MANY;
    let target = to.map(|dir| Target { dir, sync });
    let found = contents.expected.par_iter().map(|own| copy(from, "", own, target, progress));
    faults.extend(found.collect::<Result<Vec<_>>>()?.into_iter().flatten());
    if let Some(to) = to {
        if sync {
            made.iter().try_for_each(Dir::sync).context("could not make the stage durable")?;
        } else {
            to.sync_file_system().context("could not make the stage durable")?;
        }
    }
    Ok(())
}

/// The directories above `path`.
fn parents(path: &str) -> impl Iterator<Item = &str> {
    path.char_indices().filter(|(_, c)| *c == '/').map(|(at, _)| &path[..at])
}

/// Lets each of `names` below the root lead into the current site, for servers that know nothing of generations. The
/// links never change, so that one switch changes what all of them lead to.
fn links(root: &Root, names: &[String]) -> Result<()> {
    for name in names {
        let target = format!("{SITE}/{CURRENT}/{name}");
        let stat = root.dir.stat(name).with_context(|| format!("could not look at {name}"))?;
        match stat.as_ref().map(kind) {
            Some(FileType::Symlink) => {
                let leads = root.dir.read_link(name)?;
                ensure!(
                    leads.to_bytes() == target.as_bytes(),
                    "{name} is a symbolic link to somewhere else: remove it"
                );
                continue;
            }
            Some(FileType::Directory) => Line::remove_empty(root, name).with_context(|| {
                format!("{name} is a directory, and plasmagen needs that name: move it away")
            })?,
            Some(_) => bail!("{name} is in the way: move it away"),
            None => {}
        }
        root.dir.make_link(&target, name).with_context(|| format!("could not make the link {name}"))?;
    }
    root.dir.sync().context("could not make the web root durable")
}
