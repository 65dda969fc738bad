//! A staged generation: in the staging directory, whole and durable, before it is moved to its place.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use rayon::prelude::*;
use time::OffsetDateTime;

use super::channel::Channel;
use super::compare::{ExpectedDir, compare};
use super::contents::Contents;
use super::copy::{CopyTarget, copy_expected, open_expected};
use super::fault::Fault;
use super::links::MissingLink;
use super::lock::WebRootLock;
use super::root::WebRoot;
use crate::fs::{Dir, Progress, Sha256Sum, parents, split};
use crate::image::BundleManifest;

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
    pub(super) role: StagedRole,
}

/// The role of a staged generation in its publication.
#[derive(Debug)]
pub(super) enum StagedRole {
    /// Somebody asked to publish this bundle or this site.
    Requested,
    /// The joint site of several clusters, which follows from their sites. It expires when the last of them does: at this time,
    /// or with the site that is published now.
    Joint(OffsetDateTime),
    /// A generation that keeps its publication, the text of `publication.json`, and the signature of that.
    Adopted(Vec<u8>, Option<Vec<u8>>),
}

impl StagedGeneration {
    /// Opens the directory of the generation, be it in the staging directory or in its place.
    pub(super) fn open(&self, lock: &WebRootLock) -> Result<Dir> {
        let dir = match &self.name {
            Some(name) => lock.staging.open_dir(name),
            None => lock.root.dir.open_dir(&format!("{}/{}", self.channel, self.id)),
        };
        dir.context("could not open the staged generation")
    }

    /// Whether the generation is one that somebody asked to publish.
    pub(super) fn is_requested(&self) -> bool {
        matches!(self.role, StagedRole::Requested)
    }
}

/// Whether the generation `id` is in its place already, and whole.
pub(super) fn is_published(
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
pub(super) fn fill(
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
