//! A directory by its descriptor: its files and directories, opened and listed without following a symbolic link.

use std::ffi::{CStr, CString};
use std::fs::File;
use std::io::{self, ErrorKind};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;

use anyhow::{Context, Result};
use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, RawDir, SeekFrom, Stat, fstat, openat, readlinkat, seek, statat,
};
use rustix::io::Errno;

use super::input::{INPUT, check_input, read_to_limit, to_text};

/// How a directory is opened that a user named.
const NAMED: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// How every directory below is opened.
const BELOW: OFlags = NAMED.union(OFlags::NOFOLLOW);

/// How a file is opened to be read.
const FILE: OFlags = INPUT.union(OFlags::NOFOLLOW);

/// An open directory.
#[derive(Debug)]
pub(crate) struct Dir(pub(super) OwnedFd);

impl Dir {
    /// Opens the directory `path` that a user named; symbolic links in it are followed.
    pub(crate) fn open(path: &Path) -> Result<Self, Errno> {
        rustix::fs::open(path, NAMED, Mode::empty()).map(Self)
    }

    /// Opens the directory `path` and refuses a symbolic link that was put in its place a moment ago.
    pub(crate) fn open_unlinked(path: &Path) -> Result<Self, Errno> {
        rustix::fs::open(path, BELOW, Mode::empty()).map(Self)
    }

    /// Opens the directory `path` below this one; the empty path is this directory itself.
    ///
    /// Component by component, since `O_NOFOLLOW` guards only the last one (openat2(2) would do it in one call, but some
    /// container sandboxes refuse it).
    pub(crate) fn open_dir(&self, path: &str) -> Result<Self, Errno> {
        let (first, rest) = path.split_once('/').unwrap_or((path, ""));
        let mut dir = openat(&self.0, if first.is_empty() { "." } else { first }, BELOW, Mode::empty())?;
        for name in rest.split('/').filter(|name| !name.is_empty()) {
            dir = openat(&dir, name, BELOW, Mode::empty())?;
        }
        Ok(Self(dir))
    }

    /// Opens the regular file `path` below this directory to read it. A symbolic link is refused.
    pub(crate) fn open_regular(&self, path: &str) -> io::Result<File> {
        self.open_limited(path, u64::MAX)
    }

    /// Reads the regular file `path` below this directory, of at most `limit` bytes. A symbolic link is refused.
    pub(crate) fn read_limited(&self, path: &str, limit: u64) -> io::Result<Vec<u8>> {
        read_to_limit(self.open_limited(path, limit)?, limit)
    }

    /// Reads the text of the regular file `path` below this directory, of at most `limit` bytes; none where there is none. A
    /// symbolic link is refused.
    pub(crate) fn read_text(&self, path: &str, limit: u64) -> io::Result<Option<String>> {
        match self.read_limited(path, limit) {
            Ok(body) => to_text(body).map(Some),
            // A file in the place of a directory is for `write` to refuse.
            Err(error) if [ErrorKind::NotFound, ErrorKind::NotADirectory].contains(&error.kind()) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn open_limited(&self, path: &str, limit: u64) -> io::Result<File> {
        let (parent, name) = split(path);
        let dir = if parent.is_empty() { None } else { Some(self.open_dir(parent)?) };
        let opened = openat(&dir.as_ref().unwrap_or(self).0, name, FILE, Mode::empty());
        let file = File::from(opened.map_err(|errno| match errno {
            // O_NOFOLLOW says "too many levels of symbolic links".
            Errno::LOOP => io::Error::other("it is a symbolic link, no regular file"),
            errno => errno.into(),
        })?);
        check_input(&file, limit)?;
        Ok(file)
    }

    /// Reads the target of the symbolic link `name`.
    pub(crate) fn read_link(&self, name: &str) -> Result<CString, Errno> {
        readlinkat(&self.0, name, Vec::new())
    }

    /// Looks at this directory itself.
    pub(crate) fn stat_self(&self) -> Result<Stat, Errno> {
        fstat(&self.0)
    }

    /// Looks at `name`; none where nothing lies there. A symbolic link is not followed.
    pub(crate) fn stat(&self, name: &str) -> Result<Option<Stat>, Errno> {
        match statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether something lies at `name`, be it a symbolic link that leads nowhere.
    pub(crate) fn exists(&self, name: &str) -> Result<bool> {
        let stat = self.stat(name).with_context(|| format!("could not look at {name}"))?;
        Ok(stat.is_some())
    }

    /// Lists names and stats of everything in this directory.
    pub(crate) fn list(&self) -> Result<Vec<(String, Stat)>, Errno> {
        let mut entries = Vec::new();
        self.visit(|name| {
            match statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
                // Another process has removed the file since.
                Err(Errno::NOENT) => {}
                stat => entries.push((print_name(name), stat?)),
            }
            Ok(())
        })?;
        Ok(entries)
    }

    /// Lists the names of everything in this directory, and looks at nothing: also where an inode can't be read.
    pub(crate) fn list_names(&self) -> Result<Vec<String>, Errno> {
        let mut names = Vec::new();
        self.visit(|name| {
            names.push(print_name(name));
            Ok(())
        })?;
        Ok(names)
    }

    /// Calls `visit` with each name in this directory.
    fn visit(&self, mut visit: impl FnMut(&CStr) -> Result<(), Errno>) -> Result<(), Errno> {
        // An open directory remembers how far it was listed before.
        seek(&self.0, SeekFrom::Start(0))?;
        let mut buffer = [MaybeUninit::uninit(); 8192];
        let mut names = RawDir::new(&self.0, &mut buffer);
        while let Some(entry) = names.next() {
            let entry = entry?;
            let name = entry.file_name();
            if name != c"." && name != c".." {
                visit(name)?;
            }
        }
        Ok(())
    }

    /// Another descriptor of the same directory.
    pub(crate) fn try_clone(&self) -> std::io::Result<Self> {
        self.0.try_clone().map(Self)
    }
}

/// The text of `name`: plasmagen's names are ASCII; another name only has to be told in a message.
fn print_name(name: &CStr) -> String {
    name.to_string_lossy().into_owned()
}

/// The kind of file that `stat` describes.
pub(crate) fn kind_of(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

/// Splits `path` into its directory, which may be empty, and its name.
pub(crate) fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// The directories above `path`, the topmost first.
pub(crate) fn parents(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at])
}
