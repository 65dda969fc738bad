//! Files, directories and links in an open directory: made, replaced, removed, made durable.

use std::fs::File;
use std::io::Write;

use anyhow::{Context, Result, anyhow};
use rayon::prelude::*;
use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, Stat, chmodat, fchmod, fstat, fsync, linkat, mkdirat, openat, symlinkat,
    syncfs, unlinkat,
};
use rustix::io::Errno;

use super::dir::{Dir, kind_of};

/// The mode of every directory that plasmagen makes for others to read.
pub(crate) const DIR_MODE: u32 = 0o755;

/// The mode of a file that plasmagen writes for others to read.
pub(crate) fn file_mode(executable: bool) -> u32 {
    if executable { 0o755 } else { 0o644 }
}

/// How a new file is opened: it fails when the name is taken.
const NEW: OFlags =
    OFlags::WRONLY.union(OFlags::CREATE).union(OFlags::EXCL).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

impl Dir {
    /// Writes a new file with exactly `mode`, whatever the umask; fails when the name is taken.
    pub(crate) fn write_new(&self, name: &str, mode: u32, body: &[u8]) -> Result<(File, Stat)> {
        let mode = Mode::from_raw_mode(mode);
        let mut file = File::from(openat(&self.0, name, NEW, mode)?);
        file.write_all(body)?;
        let mut stat = fstat(&file)?;
        if stat.st_mode & 0o7777 != mode.bits() {
            fchmod(&file, mode)?;
            stat = fstat(&file)?;
        }
        Ok((file, stat))
    }

    /// Makes an empty file, to be filled, that everybody may read, whatever the umask; fails when the name is taken.
    pub(crate) fn create_public(&self, name: &str) -> Result<File, Errno> {
        let mode = Mode::from_raw_mode(file_mode(false));
        let file = openat(&self.0, name, NEW, mode)?;
        fchmod(&file, mode)?;
        Ok(file.into())
    }

    /// Makes an empty file, to be filled, with the mode that the user's umask gives; fails when the name is taken.
    pub(crate) fn create(&self, name: &str) -> Result<File, Errno> {
        openat(&self.0, name, NEW, Mode::from_raw_mode(0o666)).map(File::from)
    }

    /// Replaces the file `name` by one rename, so that a reader sees the old file or the new one.
    pub(crate) fn replace(&self, name: &str, body: &[u8], durable: bool) -> Result<()> {
        let fresh = format!("{name}.new");
        self.replace_by_way_of(self, &fresh, name, body, durable)
    }

    /// Replaces the file `name` durably, by way of `staging`, a directory on the same file system.
    pub(crate) fn replace_from(&self, staging: &Self, name: &str, body: &[u8]) -> Result<()> {
        self.replace_by_way_of(staging, name, name, body, true)
            .with_context(|| format!("could not write {name}"))
    }

    fn replace_by_way_of(
        &self,
        from: &Self,
        fresh: &str,
        name: &str,
        body: &[u8],
        durable: bool,
    ) -> Result<()> {
        from.remove_file(fresh)?;
        let (file, _) = from.write_new(fresh, file_mode(false), body)?;
        if durable {
            fsync(&file)?;
        }
        from.rename(fresh, self, name)?;
        if durable {
            self.sync()?;
        }
        Ok(())
    }

    /// Makes the directory `name`, of that mode less the umask; fails when the name is taken.
    pub(crate) fn make_dir(&self, name: &str, mode: u32) -> Result<(), Errno> {
        mkdirat(&self.0, name, Mode::from_raw_mode(mode))
    }

    /// Makes the directory `name` with exactly that mode, whatever the umask, and opens it; fails when the name is taken.
    pub(crate) fn make_dir_exact(&self, name: &str, mode: u32) -> Result<Self, Errno> {
        mkdirat(&self.0, name, Mode::RWXU)?;
        chmodat(&self.0, name, Mode::from_raw_mode(mode), AtFlags::empty())?;
        self.open_dir(name)
    }

    /// Opens the directory `name`, and makes it durably where there is none: everybody may read it, whatever the umask.
    pub(crate) fn ensure_dir(&self, name: &str) -> Result<Self> {
        let made = match self.make_dir(name, DIR_MODE) {
            Err(Errno::EXIST) => false,
            made => made.map(|()| true).with_context(|| format!("could not make {name}/"))?,
        };
        let dir = self.open_dir(name).map_err(|error| match error {
            Errno::LOOP | Errno::NOTDIR => anyhow!(
                "{name} is not a directory, and plasmagen follows no symbolic link here: remove it, or name the directory \
                 where the link leads"
            ),
            error => anyhow::Error::new(error).context(format!("could not open {name}/")),
        })?;
        if made {
            dir.set_mode(DIR_MODE).with_context(|| format!("could not set the mode of {name}/"))?;
            self.sync().with_context(|| format!("could not make {name}/ durable"))?;
        }
        Ok(dir)
    }

    /// Sets the mode of this directory.
    pub(crate) fn set_mode(&self, mode: u32) -> Result<(), Errno> {
        fchmod(&self.0, Mode::from_raw_mode(mode))
    }

    /// Makes the symbolic link `name` to `target`.
    pub(crate) fn make_link(&self, target: &str, name: &str) -> Result<(), Errno> {
        symlinkat(target, &self.0, name)
    }

    /// Gives the file `name` the same name in `to`, as a hard link.
    pub(crate) fn hard_link(&self, name: &str, to: &Self) -> Result<(), Errno> {
        linkat(&self.0, name, &to.0, name, AtFlags::empty())
    }

    /// Removes the file or link `name`; it is no fault when there is none.
    pub(crate) fn remove_file(&self, name: &str) -> Result<()> {
        match unlinkat(&self.0, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(error).with_context(|| format!("could not remove {name}")),
        }
    }

    /// Removes the empty directory `name`.
    pub(crate) fn remove_empty_dir(&self, name: &str) -> Result<(), Errno> {
        unlinkat(&self.0, name, AtFlags::REMOVEDIR)
    }

    /// Removes `name` with everything in it, on all cores; it is no fault when there is none. Of a symbolic link only the
    /// link goes.
    pub(crate) fn remove_tree(&self, name: &str) -> Result<()> {
        self.discard(name).with_context(|| format!("could not remove {name}"))
    }

    fn discard(&self, name: &str) -> Result<()> {
        match self.stat(name)?.as_ref().map(kind_of) {
            None => Ok(()),
            Some(FileType::Directory) => {
                let dir = self.open_dir(name)?;
                let (dirs, files): (Vec<_>, Vec<_>) =
                    dir.list()?.into_iter().partition(|(_, stat)| kind_of(stat) == FileType::Directory);
                dirs.into_par_iter().try_for_each(|(child, _)| dir.discard(&child))?;
                files.iter().try_for_each(|(child, _)| dir.remove_file(child))?;
                Ok(self.remove_empty_dir(name)?)
            }
            Some(_) => self.remove_file(name),
        }
    }

    /// Makes the names in this directory durable.
    pub(crate) fn sync(&self) -> Result<(), Errno> {
        fsync(&self.0)
    }

    /// Makes everything on the file system of this directory durable.
    pub(crate) fn sync_file_system(&self) -> Result<(), Errno> {
        syncfs(&self.0)
    }
}

/// Makes the content of `file` durable.
pub(crate) fn sync_file(file: &File) -> Result<(), Errno> {
    fsync(file)
}
