//! Moves and exchanges between two open directories, and why the kernel refuses one.

use anyhow::anyhow;
use rustix::fs::{AtFlags, RenameFlags, linkat, renameat, renameat_with, unlinkat};
use rustix::io::Errno;

use super::dir::Dir;

impl Dir {
    /// Moves `name` to `to`, where it replaces a file or an empty directory called `new`.
    pub(crate) fn rename(&self, name: &str, to: &Self, new: &str) -> Result<(), Errno> {
        renameat(&self.0, name, &to.0, new)
    }

    /// Moves `name` to `to` where nothing is called `new` there; else the two exchange their places, if `exchange`. Either
    /// is one step for everybody who looks.
    pub(crate) fn move_or_exchange(
        &self,
        name: &str,
        to: &Self,
        new: &str,
        exchange: bool,
    ) -> Result<(), Errno> {
        let flags = if exchange { RenameFlags::EXCHANGE } else { RenameFlags::NOREPLACE };
        renameat_with(&self.0, name, &to.0, new, flags)
    }

    /// Gives the file `fresh` the name `name` if nothing has that name; else removes `fresh` and returns false.
    pub(super) fn name_new(&self, fresh: &str, name: &str) -> Result<bool, Errno> {
        let named = match self.move_or_exchange(fresh, self, name, false) {
            // NFS knows no flags of a rename. A link replaces nothing either.
            Err(Errno::INVAL | Errno::NOSYS) => linkat(&self.0, fresh, &self.0, name, AtFlags::empty())
                .and_then(|()| unlinkat(&self.0, fresh, AtFlags::empty())),
            named => named,
        };
        match named {
            Err(Errno::EXIST) => unlinkat(&self.0, fresh, AtFlags::empty()).map(|()| false),
            named => named.map(|()| true),
        }
    }
}

/// Explains why the directory `dir` could not be moved or exchanged (rename(2)), and what to do.
///
/// `owner` names the thing that must be moved to another file system when this one can't exchange directories, as in "the
/// inventory". `fallback` is the message for every other error.
pub(crate) fn explain_refusal(error: Errno, dir: &str, owner: &str, fallback: String) -> anyhow::Error {
    let why = match error {
        Errno::BUSY => format!(
            "{dir}/ is a mount point, and the kernel replaces no mount point. Mount the directory above it instead"
        ),
        Errno::XDEV => format!(
            "{dir}/ can't be renamed: it is on another file system than {owner}, or in a lower layer of an overlay (as in a \
             container image). Replace it with a copy of itself: cp -a {dir} {dir}.copy && rm -r {dir} && mv {dir}.copy \
             {dir}"
        ),
        Errno::INVAL => format!(
            "this file system can't exchange two directories in one step (FAT, NFS and 9p can't). Put {owner} on another \
             one, such as ext4, XFS, Btrfs, ZFS or tmpfs"
        ),
        _ => fallback,
    };
    anyhow!(error).context(why)
}
