//! Stages generations: each is built in the staging directory, whole and durable, before any of them is moved to its place.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use rayon::prelude::*;

use super::bundle::{Bundle, is_same_bundle, read_bundle};
use super::channel::Channel;
use super::compare::{ExpectedDir, compare};
use super::contents::Contents;
use super::copy::{CopyTarget, copy_expected, open_expected};
use super::fault::{Fault, Refused};
use super::links::{MissingLink, find_missing_links};
use super::lock::WebRootLock;
use super::request::PublishRequest;
use super::root::{SITE, WebRoot};
use super::signatures::unsigned_fault;
use super::site::{self, RenderedSite};
use super::takeover::{ClusterIdentity, find_cluster};
use crate::fs::{Dir, Progress, Sha256Sum, TEXT_LIMIT, file_mode, parents, split, sync_file};
use crate::image::{BundleManifest, INITRD, KERNEL, MANIFEST, SCRIPT};

/// From this number of files on, one syncfs(2) is cheaper than an fsync(2) of each.
const MANY: usize = 64;

/// A generation that is ready to be published.
#[derive(Debug)]
pub(super) struct StagedGeneration {
    /// Path of the channel.
    pub(super) channel: String,
    pub(super) id: Sha256Sum,
    /// Digest of the manifest.
    pub(super) manifest: Sha256Sum,
    /// Name in the staging directory; none where the generation is in its place already.
    pub(super) name: Option<String>,
    /// The manifest of a bundle; none for a site.
    pub(super) bundle: Option<BundleManifest>,
    /// Name of the cluster whose machines boot the generation, where that is known.
    pub(super) cluster: Option<String>,
    /// The links into the site that the web root lacks; none for a bundle.
    pub(super) links: Vec<MissingLink>,
}

/// Stages everything that is to be published.
///
/// # Errors
/// When files are not what their manifest says: then all faults are told.
pub(super) fn stage(
    lock: &WebRootLock,
    request: &PublishRequest<'_>,
    progress: Progress<'_>,
) -> Result<Vec<StagedGeneration>> {
    let about =
        |path: &Path| format!("could not publish the site {}, and nothing was changed", path.display());
    let open = |path| RenderedSite::open(path, request.signatures).with_context(|| about(path));
    let site = request.site.map(open).transpose()?;
    let asks = match &site {
        Some(site) => site.asks_for_signatures(),
        None => site::published_asks_for_signatures(&lock.root)?,
    };
    let signed = request.signed || asks;
    let of_site = site.as_ref().map(|site| ClusterIdentity::of_site(site.cluster.as_deref(), &site.dir));
    let of_site = of_site.transpose()?;
    let cluster = find_cluster(&lock.root, of_site, &request.terms)?;
    let mut staged: Vec<StagedGeneration> = Vec::new();
    for path in request.bundles {
        let name = staged.len().to_string();
        let mut generation = stage_bundle(lock, path, &name, signed, progress).with_context(|| {
            format!("could not publish the bundle {}, and nothing was changed", path.display())
        })?;
        generation.cluster.clone_from(&cluster);
        let is_taken = staged.iter().any(|other| other.channel == generation.channel);
        ensure!(!is_taken, "two bundles are for {}: publish only one of them", generation.channel);
        staged.push(generation);
    }
    if let (Some(path), Some(site)) = (request.site, &site) {
        let mut generation = stage_site(lock, site, signed, progress).with_context(|| about(path))?;
        generation.cluster = cluster;
        staged.push(generation);
    }
    Ok(staged)
}

fn stage_bundle(
    lock: &WebRootLock,
    path: &Path,
    name: &str,
    signed: bool,
    progress: Progress<'_>,
) -> Result<StagedGeneration> {
    let dir = Dir::open(path).context("could not open it")?;
    let mut faults = Vec::new();
    let Some(bundle) = read_bundle(&dir, "", &mut faults)? else {
        return Err(Refused::new("it is not what it says", faults).into());
    };
    if signed {
        let is_signed = |file: &str| bundle.contents.signatures.contains(&format!("{file}.sig"));
        let files = [KERNEL, INITRD, SCRIPT].into_iter().filter(|file| !is_signed(file));
        faults.extend(unsigned_fault(files));
    }
    let channel = Channel::path_of_image(&bundle.manifest.image());
    let id = bundle.manifest.id;
    let is_same = |found: &Dir| is_same_bundle(found, &dir, &bundle);
    let is_kept = is_published(&lock.root, &channel, id, &bundle.contents, &is_same)?;
    let to = if is_kept { None } else { Some(lock.staging.ensure_dir(name)?) };
    fill(&dir, &bundle.contents, to.as_ref(), &mut faults, progress)?;
    if let Some(to) = &to {
        copy_signatures(&dir, &bundle, to)?;
    }
    if !faults.is_empty() {
        return Err(Refused::new("it is not what it says", faults).into());
    }
    let (manifest, name) = (bundle.contents.manifest, to.map(|_| name.to_owned()));
    let bundle = Some(bundle.manifest);
    Ok(StagedGeneration { channel, id, manifest, name, bundle, cluster: None, links: Vec::new() })
}

/// Copies the signatures of a bundle, which have no digest, from `dir` to `to`.
fn copy_signatures(dir: &Dir, bundle: &Bundle, to: &Dir) -> Result<()> {
    for name in &bundle.contents.signatures {
        let body = dir.read_limited(name, TEXT_LIMIT).with_context(|| format!("could not read {name}"))?;
        let (file, _) = to.write_new(name, file_mode(false), &body)?;
        sync_file(&file).with_context(|| format!("could not make {name} durable"))?;
    }
    to.sync().context("could not make the staging directory durable")
}

fn stage_site(
    lock: &WebRootLock,
    site: &RenderedSite,
    signed: bool,
    progress: Progress<'_>,
) -> Result<StagedGeneration> {
    if let Some(fault) = signed.then(|| site.unsigned_fault()).flatten() {
        let message = "sign it, and name the directory of signatures with --signatures";
        return Err(Refused::new(message, vec![fault]).into());
    }
    let is_same = |dir: &Dir| {
        let mut faults = Vec::new();
        let contents = site::read_published(dir, "", &mut faults)?;
        Ok(faults.is_empty() && contents.is_some_and(|contents| contents.manifest == site.id()))
    };
    let is_kept = is_published(&lock.root, SITE, site.id(), &site.published_contents(), &is_same)?;
    let to = if is_kept { None } else { Some(lock.staging.ensure_dir(SITE)?) };
    let mut faults = Vec::new();
    site.contents.report_extra(&site.dir, "www/", &mut faults)?;
    fill(&site.dir, &site.contents, to.as_ref(), &mut faults, progress)?;
    if let Some((dir, contents)) = &site.signatures {
        fill(dir, contents, to.as_ref(), &mut faults, progress)?;
    }
    if !faults.is_empty() {
        return Err(Refused::new("it is not as plasmagen render left it; run it again", faults).into());
    }
    if let Some(to) = &to {
        let (file, _) = to.write_new(MANIFEST, file_mode(false), &site.manifest)?;
        sync_file(&file).and_then(|()| to.sync()).context("could not make the staging directory durable")?;
    }
    Ok(StagedGeneration {
        channel: SITE.to_owned(),
        id: site.id(),
        manifest: site.id(),
        name: to.map(|_| SITE.to_owned()),
        bundle: None,
        cluster: None,
        links: find_missing_links(&lock.root, &site.top_names())?,
    })
}

/// Whether the generation `id` is in its place already, and whole.
fn is_published(
    root: &WebRoot,
    channel: &str,
    id: Sha256Sum,
    contents: &Contents,
    is_same: &dyn Fn(&Dir) -> Result<bool>,
) -> Result<bool> {
    let Some(channel) = Channel::open(root, channel)? else { return Ok(false) };
    let Ok(dir) = channel.open_generation(id) else { return Ok(false) };
    if !is_same(&dir)? {
        return Ok(false);
    }
    let expected = ExpectedDir { dir, prefix: String::new(), contents: contents.clone() };
    Ok(compare(&[expected], &|_| {})?.is_empty())
}

/// Copies every file with a digest to `to`, or only reads them where there is no `to`.
fn fill(
    from: &Dir,
    contents: &Contents,
    to: Option<&Dir>,
    faults: &mut Vec<Fault>,
    progress: Progress<'_>,
) -> Result<()> {
    // Sizes first: a sparse file of any size costs its author nothing.
    let sizes = contents.expected.par_iter().filter_map(|file| open_expected(from, file).err());
    let wrong: Vec<Fault> = sizes.collect();
    if !wrong.is_empty() {
        faults.extend(wrong);
        return Ok(());
    }
    let dirs: BTreeSet<&str> = contents.expected.iter().flat_map(|file| parents(&file.path)).collect();
    let mut made = Vec::new();
    for dir in dirs.iter().filter(|_| to.is_some()) {
        let (parent, name) = split(dir);
        if let Some(to) = to {
            let parent = to.open_dir(parent).context("could not open the staging directory")?;
            made.push(parent.ensure_dir(name)?);
        }
    }
    let sync = contents.expected.len() < MANY;
    let target = to.map(|dir| CopyTarget { dir, sync });
    let copied = contents.expected.par_iter().map(|file| copy_expected(from, file, target, progress));
    faults.extend(copied.collect::<Result<Vec<_>>>()?.into_iter().flatten());
    if let Some(to) = to {
        if sync {
            made.iter().try_for_each(Dir::sync).context("could not make the staging directory durable")?;
        } else {
            to.sync_file_system().context("could not make the staging directory durable")?;
        }
    }
    Ok(())
}
