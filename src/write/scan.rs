//! The files of a tree on disk, each with its SHA-256. A file is read only when the stat cache does not know its digest.

use std::io::ErrorKind;

use anyhow::{Context, Result, bail};
use rayon::prelude::*;

use crate::fs::{self, Dir, FileType, Hasher, Sha256Sum, Stat, kind_of};

/// The size of the largest file that is read, in bytes: no output is larger, and a sparse file of somebody else's may be.
const LARGEST: i64 = 256 << 20;

/// Entries of a directory that one thread takes at a time: to look at a single file is too little work for a thread.
const GRAIN: usize = 16;

/// The stat data that tell whether a file is unchanged: when any of them differs, the file is read again.
///
/// Times are nanoseconds since 1970. Nobody can set the change time, so it also shows an edit whose author has reset the
/// modification time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StatData {
    pub(super) ino: u64,
    pub(super) size: u64,
    pub(super) mtime: i128,
    pub(super) ctime: i128,
}

impl StatData {
    /// Takes the data from fstat(2); a negative size, which no file has, becomes 0.
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

/// The stat data of a file, and the digest of its content.
pub(super) type HashedStat = (StatData, Sha256Sum);

/// A file, or anything else but a directory with content, in a tree.
pub(super) struct TreeEntry {
    /// Path relative to the tree; that of an empty directory ends with `/`.
    pub(super) path: String,
    pub(super) kind: TreeEntryKind,
}

/// The kind of an entry.
#[derive(Debug)]
pub(super) enum TreeEntryKind {
    File(ScannedFile),
    EmptyDir,
    /// Neither file nor directory: the name of the kind, as in "symbolic link".
    Other(&'static str),
}

/// A file in a tree.
#[derive(Debug)]
pub(super) struct ScannedFile {
    pub(super) stat: StatData,
    pub(super) sha256: Sha256Sum,
    /// Permission bits.
    pub(super) mode: u32,
    /// Whether the file had to be read.
    pub(super) was_read: bool,
}

impl ScannedFile {
    /// Stat data and digest.
    pub(super) fn hashed_stat(&self) -> HashedStat {
        (self.stat, self.sha256)
    }

    /// Whether the owner may execute the file, which is what git records.
    pub(super) fn is_executable(&self) -> bool {
        self.mode & 0o100 != 0
    }
}

/// A tree on disk, sorted by path.
pub(super) struct ScannedTree {
    /// Whether there is a directory at all.
    pub(super) exists: bool,
    pub(super) entries: Vec<TreeEntry>,
}

impl ScannedTree {
    /// Every file of the tree.
    pub(super) fn files(&self) -> impl Iterator<Item = &ScannedFile> {
        self.entries.iter().filter_map(|entry| match &entry.kind {
            TreeEntryKind::File(file) => Some(file),
            TreeEntryKind::EmptyDir | TreeEntryKind::Other(_) => None,
        })
    }

    /// One digest over all names, kinds and contents; none where there is no directory.
    pub(super) fn fingerprint(&self) -> Option<Sha256Sum> {
        let mut hasher = Hasher::default();
        for entry in &self.entries {
            let content = match &entry.kind {
                TreeEntryKind::File(file) => format!("{} {}", file.is_executable(), file.sha256),
                TreeEntryKind::EmptyDir => String::new(),
                TreeEntryKind::Other(what) => (*what).to_owned(),
            };
            hasher.update(format!("{}\0{content}\n", entry.path).as_bytes());
        }
        self.exists.then(|| hasher.finish().sha256)
    }
}

/// Looks up the digest of a file whose content is known.
pub(super) type KnownDigest<'a> = &'a (dyn Fn(&StatData) -> Option<Sha256Sum> + Sync);

/// Scans the tree `name` in `root`.
///
/// # Errors
/// When the tree is a symbolic link or not a directory, or something in it can't be read.
pub(super) fn scan_tree(root: &Dir, name: &str, known: KnownDigest<'_>) -> Result<ScannedTree> {
    let stat = root.stat(name).with_context(|| format!("could not look at {name}"))?;
    match stat.as_ref().map(kind_of) {
        None => return Ok(ScannedTree { exists: false, entries: Vec::new() }),
        Some(FileType::Directory) => {}
        Some(FileType::Symlink) => bail!(
            "{name} is a symbolic link. plasmagen replaces this directory as a whole and never writes through a link, \
             or files elsewhere would be lost. Remove the link; if the files shall live elsewhere, move the inventory \
             there"
        ),
        Some(_) => bail!("{name} is not a directory, and plasmagen needs that name for one. Move it away"),
    }
    let dir = root.open_dir(name).with_context(|| format!("could not open {name}"))?;
    let entries = scan_dir(&dir, "", known).with_context(|| format!("could not read {name}"))?;
    Ok(ScannedTree { exists: true, entries })
}

fn scan_dir(dir: &Dir, prefix: &str, known: KnownDigest<'_>) -> Result<Vec<TreeEntry>> {
    let list = dir.list().with_context(|| format!("could not list {prefix:?}"))?;
    if list.is_empty() && !prefix.is_empty() {
        return Ok(vec![TreeEntry { path: prefix.to_owned(), kind: TreeEntryKind::EmptyDir }]);
    }
    let slash = |stat: &Stat| if kind_of(stat) == FileType::Directory { "/" } else { "" };
    let mut list: Vec<_> = list
        .into_iter()
        .map(|(name, stat)| (format!("{prefix}{name}{}", slash(&stat)), name, stat))
        .collect();
    // With its slash a directory sorts where the paths of its files do, so the whole is sorted when each part is.
    list.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    let add = |mut entries: Vec<TreeEntry>, (path, name, stat): (String, String, Stat)| {
        let could_not = || format!("could not read {path}");
        if kind_of(&stat) == FileType::Directory {
            entries.extend(scan_dir(&dir.open_dir(&name).with_context(could_not)?, &path, known)?);
        } else {
            let kind = scan_entry(dir, &name, &stat, known).with_context(could_not)?;
            entries.push(TreeEntry { path, kind });
        }
        anyhow::Ok(entries)
    };
    let join = |mut left: Vec<TreeEntry>, right: Vec<TreeEntry>| {
        left.extend(right);
        anyhow::Ok(left)
    };
    list.into_par_iter().with_min_len(GRAIN).try_fold(Vec::new, add).try_reduce(Vec::new, join)
}

fn scan_entry(dir: &Dir, name: &str, stat: &Stat, known: KnownDigest<'_>) -> Result<TreeEntryKind> {
    Ok(match kind_of(stat) {
        FileType::RegularFile if stat.st_size > LARGEST => TreeEntryKind::Other("file of more than 256 MiB"),
        FileType::RegularFile => {
            let data = StatData::new(stat);
            let cached = known(&data);
            let sha256 = match cached {
                Some(sha256) => sha256,
                None => match dir.open_regular(name) {
                    // plasmagen makes no such file, and can replace the tree without a look at its content.
                    Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                        return Ok(TreeEntryKind::Other("file that may not be read"));
                    }
                    file => fs::copy(&mut file?, None, &|_| {})?.sha256,
                },
            };
            let was_read = cached.is_none();
            TreeEntryKind::File(ScannedFile { stat: data, sha256, mode: stat.st_mode & 0o7777, was_read })
        }
        FileType::Symlink => TreeEntryKind::Other("symbolic link"),
        FileType::Fifo => TreeEntryKind::Other("pipe"),
        FileType::Socket => TreeEntryKind::Other("socket"),
        _ => TreeEntryKind::Other("device"),
    })
}
