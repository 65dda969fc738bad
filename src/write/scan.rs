//! What is on disk: every file of a tree with its SHA-256, read only where the stat cache does not know it.

use anyhow::{Context, Result, bail};
use rayon::prelude::*;

use crate::fs::{self, Dir, FileType, Hasher, Sha256Sum, Stat, kind};

/// Entries of a directory that one thread takes at a time: a look at a file is too short to be shared.
const GRAIN: usize = 16;

/// What tells that a file's content is still the same: when any of these differs, it is read again.
///
/// Times are nanoseconds since 1970. The change time can't be set by hand, so it also sees an edit that puts the
/// modification time back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StatData {
    pub(super) ino: u64,
    pub(super) size: u64,
    pub(super) mtime: i128,
    pub(super) ctime: i128,
}

impl StatData {
    /// From fstat(2); a negative size, which no file has, is 0.
    pub(super) fn new(stat: &Stat) -> Self {
        let time = |seconds, nanoseconds| i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds);
        Self {
            ino: stat.st_ino,
            size: u64::try_from(stat.st_size).unwrap_or_default(),
            mtime: time(stat.st_mtime, stat.st_mtime_nsec),
            ctime: time(stat.st_ctime, stat.st_ctime_nsec),
        }
    }
}

/// A file by its stat data, and what it holds.
pub(super) type Content = (StatData, Sha256Sum);

/// Something in a tree.
pub(super) struct Found {
    /// Relative to the tree; that of an empty directory ends with `/`.
    pub(super) path: String,
    pub(super) kind: Kind,
}

/// What it is.
#[derive(Debug)]
pub(super) enum Kind {
    File(FoundFile),
    EmptyDir,
    /// Neither file nor directory, by name.
    Other(&'static str),
}

/// A file in a tree.
#[derive(Debug)]
pub(super) struct FoundFile {
    pub(super) stat: StatData,
    pub(super) sha256: Sha256Sum,
    /// Permission bits.
    pub(super) mode: u32,
    /// Whether it had to be read.
    pub(super) read: bool,
}

impl FoundFile {
    pub(super) fn content(&self) -> Content {
        (self.stat, self.sha256)
    }

    /// As git sees it: the owner may execute it.
    pub(super) fn executable(&self) -> bool {
        self.mode & 0o100 != 0
    }
}

/// A tree as it lies on disk, sorted by path.
pub(super) struct FoundTree {
    /// Whether there is a directory at all.
    pub(super) exists: bool,
    pub(super) entries: Vec<Found>,
}

impl FoundTree {
    /// Every file.
    pub(super) fn files(&self) -> impl Iterator<Item = &FoundFile> {
        self.entries.iter().filter_map(|found| match &found.kind {
            Kind::File(file) => Some(file),
            Kind::EmptyDir | Kind::Other(_) => None,
        })
    }

    /// One sum over all names, kinds and contents; none where there is no directory.
    pub(super) fn fingerprint(&self) -> Option<Sha256Sum> {
        let mut sum = Hasher::default();
        for found in &self.entries {
            sum.update(found.path.as_bytes());
            match &found.kind {
                Kind::File(file) => {
                    sum.update(format!("\0{} {}\n", file.executable(), file.sha256).as_bytes());
                }
                Kind::EmptyDir => sum.update(b"\0\n"),
                Kind::Other(what) => sum.update(format!("\0{what}\n").as_bytes()),
            }
        }
        self.exists.then(|| sum.finish().sha256)
    }
}

/// Tells the sum of a file whose content is known.
pub(super) type Known<'a> = &'a (dyn Fn(&StatData) -> Option<Sha256Sum> + Sync);

/// Scans the tree `name` in `root`.
///
/// # Errors
/// When the tree is a symbolic link or no directory, or something in it can't be read.
pub(super) fn tree(root: &Dir, name: &str, known: Known<'_>) -> Result<FoundTree> {
    let stat = root.stat(name).with_context(|| format!("could not look at {name}"))?;
    match stat.as_ref().map(kind) {
        None => return Ok(FoundTree { exists: false, entries: Vec::new() }),
        Some(FileType::Directory) => {}
        Some(FileType::Symlink) => bail!(
            "{name} is a symbolic link. plasmagen replaces this directory as a whole and never writes through a link, \
             or files elsewhere would be lost. Remove the link; if the files shall live elsewhere, move the inventory \
             there"
        ),
        Some(_) => bail!("{name} is not a directory, and plasmagen needs that name for one. Move it away"),
    }
    let dir = root.open_dir(name).with_context(|| format!("could not open {name}"))?;
    let entries = scan(&dir, "", known).with_context(|| format!("could not read {name}"))?;
    Ok(FoundTree { exists: true, entries })
}

fn scan(dir: &Dir, prefix: &str, known: Known<'_>) -> Result<Vec<Found>> {
    let list = dir.list().with_context(|| format!("could not list {prefix:?}"))?;
    if list.is_empty() && !prefix.is_empty() {
        return Ok(vec![Found { path: prefix.to_owned(), kind: Kind::EmptyDir }]);
    }
    let slash = |stat: &Stat| if kind(stat) == FileType::Directory { "/" } else { "" };
    let mut list: Vec<_> = list
        .into_iter()
        .map(|(name, stat)| (format!("{prefix}{name}{}", slash(&stat)), name, stat))
        .collect();
    // With its slash a directory comes where the paths of its files do, so the whole is sorted when each part is.
    list.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    let add = |mut entries: Vec<Found>, (path, name, stat): (String, String, Stat)| {
        let could_not = || format!("could not read {path}");
        if kind(&stat) == FileType::Directory {
            entries.extend(scan(&dir.open_dir(&name).with_context(could_not)?, &path, known)?);
        } else {
            let kind = look(dir, &name, &stat, known).with_context(could_not)?;
            entries.push(Found { path, kind });
        }
        anyhow::Ok(entries)
    };
    let join = |mut left: Vec<Found>, right: Vec<Found>| {
        left.extend(right);
        anyhow::Ok(left)
    };
    list.into_par_iter().with_min_len(GRAIN).try_fold(Vec::new, add).try_reduce(Vec::new, join)
}

fn look(dir: &Dir, name: &str, stat: &Stat, known: Known<'_>) -> Result<Kind> {
    Ok(match kind(stat) {
        FileType::RegularFile => {
            let data = StatData::new(stat);
            let cached = known(&data);
            let sha256 = cached.map_or_else(|| hash(dir, name), Ok)?;
            Kind::File(FoundFile { stat: data, sha256, mode: stat.st_mode & 0o7777, read: cached.is_none() })
        }
        FileType::Symlink => Kind::Other("symbolic link"),
        FileType::Fifo => Kind::Other("pipe"),
        FileType::Socket => Kind::Other("socket"),
        _ => Kind::Other("device"),
    })
}

fn hash(dir: &Dir, name: &str) -> Result<Sha256Sum> {
    let facts = fs::copy(&mut dir.open_file(name)?, None, &|_| {})?;
    Ok(facts.sha256)
}
