//! A channel: a directory of generations, `nixos/<base>` or `site`. Each generation is a directory named by its id, and
//! the symbolic link `current` names one of them. Readers see a change only by a rename.
//!
//! Where several clusters share a web root, `sites/<cluster>` is a channel without that link: the joint site says which of its
//! generations is current.

use anyhow::{Context, Result, anyhow, bail};

use super::joint::{CLUSTERS, cluster_of, read_current_sites};
use super::lock::WebRootLock;
use super::publication::{PUBLICATION, Publication};
use super::root::{CURRENT, NIXOS, SITE, WebRoot};
use crate::fs::{DIR_MODE, Dir, Errno, FileType, Sha256Sum, TEXT_LIMIT, explain_refusal, kind_of};
use crate::model::{Label, Word};

/// An open channel.
#[derive(Debug)]
pub(super) struct Channel {
    /// Path below the web root: `nixos/worker`, `site`, `sites/oak`.
    pub(super) path: String,
    pub(super) dir: Dir,
    /// The directory of the joint site's generations, for the site of a cluster that shares the web root; none where there is
    /// no such directory, and for every other channel.
    joint: Option<Dir>,
}

/// A generation of a channel.
#[derive(Clone, Debug)]
pub(super) struct Generation {
    pub(super) id: Sha256Sum,
    /// None where the publication can't be read.
    pub(super) publication: Option<Publication>,
    /// Whether the generation is a joint site, or says so.
    pub(super) is_joint: bool,
}

impl Channel {
    /// Opens the channel at `path`; none where there is no such directory.
    pub(super) fn open(root: &WebRoot, path: &str) -> Result<Option<Self>> {
        match root.dir.open_dir(path) {
            Ok(dir) => Ok(Some(Self::new(root, path, dir))),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error).with_context(|| format!("could not open {path}/")),
        }
    }

    /// Opens the channel at `path`, and makes it where there is none.
    pub(super) fn open_or_make(root: &WebRoot, path: &str) -> Result<Self> {
        let mut dir = root.dir.ensure_dir(path.split('/').next().unwrap_or(path))?;
        if let Some((_, name)) = path.split_once('/') {
            dir = dir.ensure_dir(name)?;
        }
        Ok(Self::new(root, path, dir))
    }

    fn new(root: &WebRoot, path: &str, dir: Dir) -> Self {
        let joint = cluster_of(path).and_then(|_| root.dir.open_dir(SITE).ok());
        Self { path: path.to_owned(), dir, joint }
    }

    /// The name of the channel on the command line: a netboot image, or `site`.
    pub(super) fn name(&self) -> &str {
        if self.is_site() { SITE } else { self.path.rsplit('/').next().unwrap_or(SITE) }
    }

    /// Whether the generations are sites, and not bundles.
    pub(super) fn is_site(&self) -> bool {
        is_site(&self.path)
    }

    /// Whether a link in the channel says which generation is current, and not the joint site.
    pub(super) fn has_link(&self) -> bool {
        cluster_of(&self.path).is_none()
    }

    /// Opens the channel that the command line calls `name`.
    ///
    /// # Errors
    /// When nothing is published there: the error lists the names of the channels.
    pub(super) fn open_named(root: &WebRoot, name: &str) -> Result<Self> {
        let path = if name == SITE { SITE.to_owned() } else { Self::path_of_image(name) };
        let channel = if Label::parse(name).is_ok() { Self::open(root, &path)? } else { None };
        let shown = name.escape_debug();
        channel.with_context(|| match list_names(root) {
            Ok(names) if !names.is_empty() => {
                format!("nothing is published for {shown}: there are {}", names.join(", "))
            }
            _ => format!("nothing is published for {shown}, nor for anything else"),
        })
    }

    /// The path of the channel of bundles for the netboot image `image`, which is a label.
    pub(super) fn path_of_image(image: &str) -> String {
        format!("{NIXOS}/{image}")
    }

    /// Reads the id that `current` names, or for the site of a cluster that shares the web root the joint site; none where
    /// none is current.
    pub(super) fn current(&self) -> Result<Option<Sha256Sum>> {
        if let Some(cluster) = cluster_of(&self.path) {
            let sites = self.joint.as_ref().map(read_current_sites).transpose()?.flatten();
            return Ok(sites.and_then(|sites| sites.get(cluster).copied()));
        }
        let target = match self.dir.read_link(CURRENT) {
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::INVAL) => bail!("{}/{CURRENT} is no symbolic link", self.path),
            target => target.with_context(|| format!("could not read {}/{CURRENT}", self.path))?,
        };
        let id = target.to_str().ok().and_then(|text| Sha256Sum::try_from(text.to_owned()).ok());
        id.map(Some).ok_or_else(|| anyhow!("{}/{CURRENT} leads to no generation", self.path))
    }

    /// Opens the directory of the generation `id`.
    pub(super) fn open_generation(&self, id: Sha256Sum) -> Result<Dir> {
        self.dir.open_dir(&id.to_string()).with_context(|| format!("could not open {}/{id}", self.path))
    }

    /// Lists every generation, the highest number first; generations without a readable publication come last.
    pub(super) fn generations(&self) -> Result<Vec<Generation>> {
        let mut generations = Vec::new();
        for (name, stat) in self.dir.list().with_context(|| format!("could not list {}", self.path))? {
            if let Ok(id) = Sha256Sum::try_from(name.clone())
                && kind_of(&stat) == FileType::Directory
            {
                let text = self.dir.read_limited(&format!("{name}/{PUBLICATION}"), TEXT_LIMIT);
                let publication = text.map_err(Into::into).and_then(|text| Publication::parse(&text)).ok();
                let is_joint = self.path == SITE && self.dir.exists(&format!("{name}/{CLUSTERS}"))?;
                generations.push(Generation { id, publication, is_joint });
            }
        }
        generations.sort_by_key(|generation| (std::cmp::Reverse(generation.number()), generation.id));
        Ok(generations)
    }

    /// The generation that `current` names; none where it names no existing one.
    pub(super) fn current_generation(&self) -> Result<Option<Generation>> {
        let Some(current) = self.current()? else { return Ok(None) };
        Ok(self.generations()?.into_iter().find(|generation| generation.id == current))
    }

    /// Moves the staged directory `name` to the place of the generation `id`. Returns true where the two were exchanged,
    /// because a damaged directory, or one with other signatures, had that id.
    pub(super) fn move_in(&self, lock: &WebRootLock, name: &str, id: Sha256Sum) -> Result<bool> {
        let exchange = self.dir.exists(&id.to_string())?;
        self.rename(lock, name, id, exchange)?;
        Ok(exchange)
    }

    /// Undoes [`move_in`](Self::move_in).
    pub(super) fn move_out(
        &self,
        lock: &WebRootLock,
        name: &str,
        id: Sha256Sum,
        was_exchanged: bool,
    ) -> Result<()> {
        if was_exchanged {
            return self.rename(lock, name, id, true);
        }
        self.dir.rename(&id.to_string(), &lock.staging, name).context("could not move a generation back")
    }

    fn rename(&self, lock: &WebRootLock, name: &str, id: Sha256Sum, exchange: bool) -> Result<()> {
        lock.staging.move_or_exchange(name, &self.dir, &id.to_string(), exchange).map_err(|error| {
            let other = format!("could not put a generation into {}", self.path);
            explain_refusal(error, &self.path, "the web root", other)
        })
    }

    /// Lets `current` name `id`, by one rename. The target of the link is relative.
    pub(super) fn switch(&self, lock: &WebRootLock, id: Sha256Sum) -> Result<()> {
        let run = || {
            lock.staging.remove_file(CURRENT)?;
            lock.staging.make_link(&id.to_string(), CURRENT)?;
            lock.staging.rename(CURRENT, &self.dir, CURRENT)?;
            anyhow::Ok(())
        };
        run().with_context(|| format!("could not switch {}/{CURRENT}", self.path))
    }

    /// Lets `current` name the generation `before` again, or removes the link where there was none.
    pub(super) fn switch_back(&self, lock: &WebRootLock, before: Option<Sha256Sum>) -> Result<()> {
        match before {
            Some(id) => self.switch(lock, id),
            None => self.dir.remove_file(CURRENT),
        }
    }

    /// Removes all generations but the current one and `keep` others: `before` is the first to be kept, since machines may
    /// be loading it, then those with the highest numbers. A joint site, to which nobody rolls back, is none of the others.
    /// Returns the ids of the removed ones.
    pub(super) fn prune(
        &self,
        lock: &WebRootLock,
        before: Option<Sha256Sum>,
        keep: usize,
    ) -> Result<Vec<Sha256Sum>> {
        let current = self.current()?;
        let mut others = self.generations()?;
        // plasmagen did not publish a directory without a publication.
        others.retain(|generation| Some(generation.id) != current && generation.publication.is_some());
        others.sort_by_key(|generation| Some(generation.id) != before);
        let (joint, single): (Vec<_>, Vec<_>) = others.into_iter().partition(|other| other.is_joint);
        let removed = joint.into_iter().chain(single.into_iter().skip(keep));
        let removed: Vec<_> = removed.map(|generation| generation.id).collect();
        if removed.is_empty() {
            return Ok(removed);
        }
        let trash = format!("old-{}", self.path.replace('/', "-"));
        lock.staging.make_dir(&trash, DIR_MODE)?;
        let to = lock.staging.open_dir(&trash)?;
        for id in &removed {
            let name = id.to_string();
            // For readers a generation is gone as a whole; then it is removed piece by piece.
            self.dir
                .rename(&name, &to, &name)
                .with_context(|| format!("could not remove {}/{name}", self.path))?;
        }
        self.dir.sync().with_context(|| format!("could not make {} durable", self.path))?;
        lock.staging.remove_tree(&trash)?;
        Ok(removed)
    }
}

/// Whether the generations of the channel at `path` are sites, and not bundles.
pub(super) fn is_site(path: &str) -> bool {
    path == SITE || cluster_of(path).is_some()
}

/// Lists the names of all channels of `root`.
fn list_names(root: &WebRoot) -> Result<Vec<String>> {
    let mut names = Vec::new();
    if root.dir.exists(NIXOS)? {
        let nixos = root.dir.open_dir(NIXOS)?.list()?;
        names.extend(nixos.into_iter().map(|(name, _)| name).filter(|name| Label::parse(name).is_ok()));
    }
    names.sort();
    if root.dir.exists(SITE)? {
        names.push(SITE.to_owned());
    }
    Ok(names)
}

impl Generation {
    /// The number of the generation; 0 where its publication can't be read.
    pub(super) fn number(&self) -> u64 {
        self.publication.as_ref().map_or(0, |publication| publication.generation)
    }
}
