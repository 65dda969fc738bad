//! The file-system calls that the other files share: relative to an open directory, never through a symbolic link.

use std::fs::File;
use std::io::{Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};

use anyhow::{Context, Result};
use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, RawDir, SeekFrom, Stat, fchmod, fstat, fsync, openat, renameat, seek,
    statat, unlinkat,
};
use rustix::io::Errno;

/// Mode of every directory that we make.
pub(crate) const DIR_MODE: u32 = 0o755;

/// Mode of a file that we write.
pub(crate) fn file_mode(executable: bool) -> u32 {
    if executable { 0o755 } else { 0o644 }
}

/// Opens the directory `path` below `base`; the empty path is `base` itself.
///
/// Component by component, since `O_NOFOLLOW` guards only the last one (openat2(2) would do it in one call, but some
/// container sandboxes refuse it).
pub(crate) fn open_dir(base: impl AsFd, path: &str) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    let mut dir = openat(base, if first.is_empty() { "." } else { first }, flags, Mode::empty())?;
    for name in rest.split('/').filter(|name| !name.is_empty()) {
        dir = openat(&dir, name, flags, Mode::empty())?;
    }
    Ok(dir)
}

/// Opens the file `name` in `dir` to read it.
pub(crate) fn open_file(dir: impl AsFd, name: &str) -> Result<File, Errno> {
    // Without O_NONBLOCK a pipe put there a moment ago would hold us for ever.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    openat(dir, name, flags, Mode::empty()).map(File::from)
}

/// The whole file `path` below `base`.
pub(crate) fn read(base: impl AsFd, path: &str) -> Result<Vec<u8>> {
    let (parent, name) = split(path);
    let mut body = Vec::new();
    open_file(open_dir(base, parent)?, name)?.read_to_end(&mut body)?;
    Ok(body)
}

/// Directory and name of `path`; the directory is empty where there is none.
pub(crate) fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// What lies at `name` in `dir`, if anything does; a symbolic link is itself.
pub(crate) fn stat(dir: impl AsFd, name: &str) -> Result<Option<Stat>, Errno> {
    match statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(stat)),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Names and stats of everything in `dir`.
pub(crate) fn list(dir: impl AsFd) -> Result<Vec<(String, Stat)>, Errno> {
    let mut entries = Vec::new();
    // An open directory remembers how far it was listed before.
    seek(&dir, SeekFrom::Start(0))?;
    let mut buffer = [MaybeUninit::uninit(); 8192];
    let mut names = RawDir::new(&dir, &mut buffer);
    while let Some(entry) = names.next() {
        let entry = entry?;
        let name = entry.file_name();
        if name != c"." && name != c".." {
            let stat = statat(&dir, name, AtFlags::SYMLINK_NOFOLLOW)?;
            // Our names are ASCII; another one only has to be named in a message.
            entries.push((name.to_string_lossy().into_owned(), stat));
        }
    }
    Ok(entries)
}

/// What kind of thing `stat` describes.
pub(crate) fn kind(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

/// Writes a new file with exactly `mode`, whatever the umask; fails when the name is taken.
pub(crate) fn create(dir: impl AsFd, name: &str, mode: u32, body: &[u8]) -> Result<(File, Stat)> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file = File::from(openat(dir, name, flags, Mode::from_raw_mode(mode))?);
    file.write_all(body)?;
    let mut stat = fstat(&file)?;
    if stat.st_mode & 0o7777 != mode {
        fchmod(&file, Mode::from_raw_mode(mode))?;
        stat = fstat(&file)?;
    }
    Ok((file, stat))
}

/// Puts `body` at `name` in our state directory by one rename: a reader sees the old file or the new one.
pub(crate) fn replace(state: impl AsFd, name: &str, body: &[u8], durable: bool) -> Result<()> {
    let fresh = format!("{name}.new");
    remove(&state, &fresh)?;
    let (file, _) = create(&state, &fresh, file_mode(false), body)?;
    if durable {
        fsync(&file)?;
    }
    renameat(&state, &fresh, &state, name)?;
    if durable {
        fsync(&state)?;
    }
    Ok(())
}

/// Removes the file `name` from `dir`; it is no fault when there is none.
pub(crate) fn remove(dir: impl AsFd, name: &str) -> Result<()> {
    match unlinkat(dir, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(error).with_context(|| format!("could not remove {name}")),
    }
}
