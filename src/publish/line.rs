//! A line: a directory of generations, `nixos/<profile>` or `site`. Each is a directory named by what it holds, and the
//! symbolic link `current` names one of them. Only a rename ever changes what a reader finds.

use anyhow::{Context, Result, anyhow, bail};

use super::lock::Lock;
use super::publication::{PUBLICATION, Publication};
use super::root::{NIXOS, Root};
use crate::fs::{DIR_MODE, Dir, Errno, FileType, Sha256Sum, kind, refused};

/// The link to the generation that machines boot.
pub(super) const CURRENT: &str = "current";

/// A directory of generations.
#[derive(Debug)]
pub(super) struct Line {
    /// Below the root: `nixos/worker`, `site`.
    pub(super) path: String,
    pub(super) dir: Dir,
}

/// One of them, as far as it can be read.
#[derive(Clone, Debug)]
pub(super) struct Generation {
    pub(super) id: Sha256Sum,
    pub(super) publication: Option<Publication>,
}

impl Line {
    /// Opens the line at `path`.
    pub(super) fn open(root: &Root, path: &str) -> Result<Option<Self>> {
        match root.dir.open_dir(path) {
            Ok(dir) => Ok(Some(Self { path: path.to_owned(), dir })),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error).with_context(|| format!("could not open {path}/")),
        }
    }

    /// The same, made where it is none.
    pub(super) fn make(root: &Root, path: &str) -> Result<Self> {
        let mut dir = root.dir.ensure_dir(path.split('/').next().unwrap_or(path))?;
        if let Some((_, name)) = path.split_once('/') {
            dir = dir.ensure_dir(name)?;
        }
        Ok(Self { path: path.to_owned(), dir })
    }

    /// The path of the line of bundles of `profile`, which is a label.
    pub(super) fn of_profile(profile: &str) -> String {
        format!("{NIXOS}/{profile}")
    }

    /// What `current` names, if there is one.
    pub(super) fn current(&self) -> Result<Option<Sha256Sum>> {
        let target = match self.dir.read_link(CURRENT) {
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::INVAL) => bail!("{}/{CURRENT} is no symbolic link", self.path),
            target => target.with_context(|| format!("could not read {}/{CURRENT}", self.path))?,
        };
        let id = target.to_str().ok().and_then(|text| Sha256Sum::try_from(text.to_owned()).ok());
        id.map(Some).ok_or_else(|| anyhow!("{}/{CURRENT} leads to no generation", self.path))
    }

    /// Every generation, the highest first; one without a readable publication comes last.
    pub(super) fn generations(&self) -> Result<Vec<Generation>> {
        let mut found = Vec::new();
        for (name, stat) in self.dir.list().with_context(|| format!("could not list {}", self.path))? {
            if let Ok(id) = Sha256Sum::try_from(name.clone())
                && kind(&stat) == FileType::Directory
            {
                let text = self.dir.read(&format!("{name}/{PUBLICATION}"));
                let publication = text.and_then(|text| Publication::parse(&text)).ok();
                found.push(Generation { id, publication });
            }
        }
        found.sort_by_key(|own| (std::cmp::Reverse(own.number()), own.id));
        Ok(found)
    }

    /// The generation that `current` names.
    pub(super) fn current_generation(&self) -> Result<Option<Generation>> {
        let Some(current) = self.current()? else { return Ok(None) };
        Ok(self.generations()?.into_iter().find(|own| own.id == current))
    }

    /// Moves the staged directory `name` to its place; true where it has exchanged places with what lay there, which is
    /// damaged, or differs in what the id does not cover.
    pub(super) fn place(&self, lock: &Lock, name: &str, id: Sha256Sum) -> Result<bool> {
        let exchange = self.dir.exists(&id.to_string())?;
        self.rename(lock, name, id, exchange)?;
        Ok(exchange)
    }

    /// The way back of [`place`](Self::place).
    pub(super) fn take_back(&self, lock: &Lock, name: &str, id: Sha256Sum, exchanged: bool) -> Result<()> {
        if exchanged {
            return self.rename(lock, name, id, true);
        }
        self.dir.rename(&id.to_string(), &lock.stage, name).context("could not take a generation back")
    }

    fn rename(&self, lock: &Lock, name: &str, id: Sha256Sum, exchange: bool) -> Result<()> {
        let else_ = || format!("could not put a generation into {}", self.path);
        lock.stage
            .place(name, &self.dir, &id.to_string(), exchange)
            .map_err(|error| refused(error, &self.path, "the web root", else_()))
    }

    /// Lets `current` name `id`, by one rename; the link is relative.
    pub(super) fn switch(&self, lock: &Lock, id: Sha256Sum) -> Result<()> {
        let run = || {
            lock.stage.remove_file(CURRENT)?;
            lock.stage.make_link(&id.to_string(), CURRENT)?;
            lock.stage.rename(CURRENT, &self.dir, CURRENT)?;
            anyhow::Ok(())
        };
        run().with_context(|| format!("could not switch {}/{CURRENT}", self.path))
    }

    /// Brings `current` back to what it was.
    pub(super) fn switch_back(&self, lock: &Lock, before: Option<Sha256Sum>) -> Result<()> {
        match before {
            Some(id) => self.switch(lock, id),
            None => self.dir.remove_file(CURRENT),
        }
    }

    /// Removes all generations but the current one and `keep` others: `before` first, since machines may be halfway
    /// through it, then the highest. Returns which.
    pub(super) fn prune(
        &self,
        lock: &Lock,
        before: Option<Sha256Sum>,
        keep: usize,
    ) -> Result<Vec<Sha256Sum>> {
        let current = self.current()?;
        let mut others = self.generations()?;
        // What has no publication is none that we made.
        others.retain(|own| Some(own.id) != current && own.publication.is_some());
        others.sort_by_key(|own| Some(own.id) != before);
        let removed: Vec<_> = others.into_iter().skip(keep).map(|own| own.id).collect();
        if removed.is_empty() {
            return Ok(removed);
        }
        let trash = format!("old-{}", self.path.replace('/', "-"));
        lock.stage.make_dir(&trash, DIR_MODE)?;
        let to = lock.stage.open_dir(&trash)?;
        for id in &removed {
            let name = id.to_string();
            // Gone as one for whoever looks, and then piece by piece.
            self.dir
                .rename(&name, &to, &name)
                .with_context(|| format!("could not remove {}/{name}", self.path))?;
        }
        self.dir.sync().with_context(|| format!("could not make {} durable", self.path))?;
        lock.stage.remove_tree(&trash)?;
        Ok(removed)
    }

    /// Removes the empty directory `name` beside the lines, where tmpfiles.d(5) or a person made one.
    pub(super) fn remove_empty(root: &Root, name: &str) -> Result<(), Errno> {
        root.dir.remove_empty_dir(name)
    }
}

impl Generation {
    /// Its number; 0 where that can't be read.
    pub(super) fn number(&self) -> u64 {
        self.publication.map_or(0, |own| own.generation)
    }
}
