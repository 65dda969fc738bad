//! Loaders: builds of iPXE in `tftp/`. The publication of a site has their digests, so that its signature covers them.
//!
//! Names and digests of the builds that plasmagen installs stand in [`RECORD`] before any file changes. A file in `tftp/`
//! that neither the record nor the publication knows is somebody's own build.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::builds::{BUILDS, LOADER_LIMIT, find_build};
use super::channel::Channel;
use super::joint::{SiteIds, open_part, path_of_site, read_served_sites};
use super::lock::WebRootLock;
use super::publication::{PUBLICATION, Publication};
use super::request::{ClusterNames, LoaderSource};
use super::root::{SITE, TFTP, WebRoot};
use crate::fs::{Dir, Sha256Sum, TEXT_LIMIT};
use crate::model::{Cluster, HostName, Loader};

/// The record of the builds that plasmagen has installed or is about to install.
const RECORD: &str = "loaders.json";

/// The digests of loaders by their names in `tftp/`.
pub(super) type LoaderDigests = BTreeMap<String, Sha256Sum>;

/// The outcome of publishing one loader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InstalledLoader {
    /// The loader was copied from this file.
    Copied(PathBuf),
    /// The loader was installed before.
    Same,
    /// Somebody's own build has the name of the loader, and was not replaced.
    Kept,
    /// Another cluster of the web root, which has this name, has published another build, which was not replaced.
    OfCluster(String),
}

/// A loader that no directory has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MissingLoader {
    /// Name of the file in `tftp/`.
    pub file: &'static str,
    /// The packages that have the loader.
    pub package: &'static str,
}

/// The outcome of publishing all loaders.
#[derive(Clone, Debug, Default)]
pub struct LoaderOutcome {
    /// The loaders in `tftp/`.
    pub installed: BTreeMap<&'static str, InstalledLoader>,
    /// The loaders that are neither there nor in any directory.
    pub missing: Vec<MissingLoader>,
    /// The replaced builds that other clusters of the web root have published, each with the name of such a cluster.
    pub replaced: BTreeMap<&'static str, String>,
}

/// Loaders that are ready to be installed.
#[derive(Debug, Default)]
pub(super) struct StagedLoaders {
    /// The digest of each published loader once the loaders are installed.
    pub(super) digests: LoaderDigests,
    /// The loaders to copy, with their contents.
    bodies: Vec<(&'static str, Vec<u8>)>,
    pub(super) outcome: LoaderOutcome,
}

/// Functions that undo the steps so far, in the order of the steps.
pub(super) type Undo<'a> = Vec<Box<dyn Fn() -> Result<()> + 'a>>;

/// Lists the digests that the publication of the served site has.
pub(super) fn list_published(root: &WebRoot) -> Result<LoaderDigests> {
    let channel = Channel::open(root, SITE)?;
    // verify reports a link that leads nowhere.
    let current = channel.and_then(|channel| channel.current_generation().ok().flatten());
    let publication = current.and_then(|generation| generation.publication);
    Ok(publication.map(|publication| publication.loaders).unwrap_or_default())
}

/// Lists the digests for which the cluster `names` vouches, or the last publication of a site. Where several clusters share
/// `root`, the publications of their sites are signed, and not that of the joint site.
pub(super) fn list_vouched(root: &WebRoot, names: Option<ClusterNames<'_>>) -> Result<LoaderDigests> {
    // verify reports a joint site that can't be read.
    let Some(sites) = read_served_sites(root).ok().flatten() else { return list_published(root) };
    let mut publications = Vec::new();
    for cluster in sites.keys().filter(|cluster| names.is_none_or(|names| names.has(cluster))) {
        let channel = Channel::open(root, &path_of_site(cluster)).ok().flatten();
        let current = channel.and_then(|channel| channel.current_generation().ok().flatten());
        publications.extend(current.and_then(|generation| generation.publication));
    }
    let last = publications.into_iter().max_by_key(|publication| publication.generation);
    Ok(last.map(|publication| publication.loaders).unwrap_or_default())
}

/// Reads the loaders that are to be published with a site. Those in the directory that the request names replace
/// somebody's own builds, and those of the clusters whose sites are `others`.
///
/// # Errors
/// When a disk refuses, or a build holds a private key.
pub(super) fn stage_loaders(
    lock: &WebRootLock,
    source: LoaderSource<'_>,
    others: &SiteIds,
) -> Result<StagedLoaders> {
    let published = list_published(&lock.root)?;
    let named = match source {
        LoaderSource::Unchanged => {
            return Ok(StagedLoaders { digests: published, ..StagedLoaders::default() });
        }
        LoaderSource::Packages => None,
        LoaderSource::Dir(dir) => Some(dir),
    };
    let dir = lock.root.dir.ensure_dir(TFTP)?;
    let record = read_record(&lock.root);
    let mut staged = StagedLoaders::default();
    for build in &BUILDS {
        let LoaderOutcome { installed, missing, replaced } = &mut staged.outcome;
        let found = find_build(build, named)?;
        let sha256 = found.as_ref().map(|(_, body)| Sha256Sum::of(body));
        let present = dir.read_limited(build.file, LOADER_LIMIT).ok().map(|body| Sha256Sum::of(&body));
        let is_known = |present: Sha256Sum| {
            [record.get(build.file), published.get(build.file), sha256.as_ref()].contains(&Some(&present))
        };
        let is_foreign = dir.exists(build.file)? && !present.is_some_and(is_known);
        let other = present.and_then(|present| find_voucher(&lock.root, others, build.file, present));
        match found {
            None if is_foreign => drop(installed.insert(build.file, InstalledLoader::Kept)),
            Some(_) if is_foreign && named.is_none() => {
                installed.insert(build.file, InstalledLoader::Kept);
            }
            None => match present {
                None => missing.push(MissingLoader { file: build.file, package: build.package }),
                Some(present) => {
                    installed.insert(build.file, InstalledLoader::Same);
                    staged.digests.insert(build.file.to_owned(), present);
                }
            },
            Some((path, body)) => {
                let sha256 = Sha256Sum::of(&body);
                let kept =
                    present.zip(other.clone()).filter(|(present, _)| named.is_none() && *present != sha256);
                if let Some((present, cluster)) = kept {
                    staged.digests.insert(build.file.to_owned(), present);
                    installed.insert(build.file, InstalledLoader::OfCluster(cluster));
                    continue;
                }
                staged.digests.insert(build.file.to_owned(), sha256);
                if present == Some(sha256) {
                    installed.insert(build.file, InstalledLoader::Same);
                } else {
                    replaced.extend(other.map(|cluster| (build.file, cluster)));
                    installed.insert(build.file, InstalledLoader::Copied(path));
                    staged.bodies.push((build.file, body));
                }
            }
        }
    }
    Ok(staged)
}

/// Finds a cluster whose site is one of `others`, and whose publication vouches for the build `file` with this digest.
fn find_voucher(root: &WebRoot, others: &SiteIds, file: &str, sha256: Sha256Sum) -> Option<String> {
    let vouches = |(cluster, id): &(&String, &Sha256Sum)| {
        let text = open_part(root, cluster, **id).ok()?.read_limited(PUBLICATION, TEXT_LIMIT).ok()?;
        Some(*Publication::parse(&text).ok()?.loaders.get(file)? == sha256)
    };
    others.iter().find(|other| vouches(other) == Some(true)).map(|(cluster, _)| cluster.clone())
}

impl StagedLoaders {
    /// Installs the loaders durably. `undo` gets a step for each that puts the file of before back.
    pub(super) fn install<'a>(&'a self, lock: &'a WebRootLock, undo: &mut Undo<'a>) -> Result<()> {
        if self.bodies.is_empty() {
            return Ok(());
        }
        let text = serde_json::to_vec_pretty(&self.digests)?;
        // Else a build that only the record of before knows would be somebody's own after a failed run.
        let record = lock.root.state.read_limited(RECORD, TEXT_LIMIT).ok();
        undo.push(Box::new(move || put_back(&lock.root.state, lock, RECORD, record.as_deref())));
        lock.root.state.replace_from(&lock.staging, RECORD, &text)?;
        for (name, body) in &self.bodies {
            let dir = lock.root.dir.open_dir(TFTP).context("could not open tftp/")?;
            let before = dir.read_limited(name, LOADER_LIMIT).ok();
            let is_new = !dir.exists(name)?;
            let again = dir.try_clone().context("could not open tftp/")?;
            // A link or a file that can't be read can't be put back: then the new build stays, since without one machines
            // would boot nothing.
            if is_new || before.is_some() {
                undo.push(Box::new(move || put_back(&again, lock, name, before.as_deref())));
            }
            dir.replace_from(&lock.staging, name, body)?;
        }
        Ok(())
    }
}

/// Gives the file `name` in `dir` its old content again, or removes the file where there was none.
fn put_back(dir: &Dir, lock: &WebRootLock, name: &str, before: Option<&[u8]>) -> Result<()> {
    match before {
        Some(body) => dir.replace_from(&lock.staging, name, body),
        None => dir.remove_file(name),
    }
}

/// Lists the loaders that the nodes of `cluster` start, each with its nodes.
#[must_use]
pub fn list_needed_loaders(cluster: &Cluster) -> BTreeMap<&'static str, Vec<&HostName>> {
    let mut needed = BTreeMap::<_, Vec<_>>::new();
    for node in &cluster.nodes {
        let loader = Loader::over_pxe(node.firmware, node.system);
        needed.entry(loader.file).or_default().push(&node.name);
    }
    needed
}

/// Reads the record of installed loaders. It is empty where the record is unreadable.
fn read_record(root: &WebRoot) -> LoaderDigests {
    let text = root.state.read_limited(RECORD, TEXT_LIMIT).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}
