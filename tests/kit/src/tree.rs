//! Directories: copies, and what is in them.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

/// A file, a directory or a symbolic link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Type and permissions, as in stat(2).
    pub mode: u32,
    /// The number of the inode: another one after a replacement.
    pub inode: u64,
    /// The time of the last change of the content: seconds and nanoseconds.
    pub modified: (i64, i64),
    /// The content of a file, the target of a symbolic link.
    pub body: Vec<u8>,
}

impl Entry {
    fn of(entry: &DirEntry) -> Self {
        let meta = entry.metadata().unwrap();
        let body = match entry.file_type() {
            kind if kind.is_file() => fs::read(entry.path()).unwrap(),
            kind if kind.is_symlink() => {
                fs::read_link(entry.path()).unwrap().into_os_string().into_encoded_bytes()
            }
            _ => Vec::new(),
        };
        let modified = (meta.mtime(), meta.mtime_nsec());
        Self { mode: meta.mode(), inode: meta.ino(), modified, body }
    }
}

/// Everything at and below `root`, by its path; nothing where there is no `root`.
pub fn entries(root: &Path) -> BTreeMap<PathBuf, Entry> {
    if root.symlink_metadata().is_err() {
        return BTreeMap::new();
    }
    let all = WalkDir::new(root).into_iter().map(Result::unwrap);
    all.map(|entry| (entry.path().to_owned(), Entry::of(&entry))).collect()
}

/// Modes and contents of everything at and below `root`, by the path below `root`: the same for a copy.
pub fn contents(root: &Path) -> BTreeMap<PathBuf, String> {
    let show = |(path, entry): (PathBuf, Entry)| {
        let body =
            String::from_utf8(entry.body).unwrap_or_else(|error| error.as_bytes().escape_ascii().to_string());
        (path.strip_prefix(root).unwrap().to_owned(), format!("{:o} {body}", entry.mode))
    };
    entries(root).into_iter().map(show).collect()
}

/// Copies the file `from`, or the directory with everything below, to `to`, with modes and links. Directories are made
/// where they are missing.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    for entry in WalkDir::new(from) {
        let entry = entry.unwrap_or_else(|error| panic!("{}: {error}", from.display()));
        let below = entry.path().strip_prefix(from).unwrap();
        let target = if below == Path::new("") { to.to_owned() } else { to.join(below) };
        if entry.file_type().is_dir() {
            fs::create_dir_all(&target).unwrap();
            fs::set_permissions(&target, entry.metadata().unwrap().permissions()).unwrap();
        } else if entry.path_is_symlink() {
            symlink(fs::read_link(entry.path()).unwrap(), target).unwrap();
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
