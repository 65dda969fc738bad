//! Moves and exchanges between two open directories, and why the kernel refuses one.

use anyhow::anyhow;
use rustix::fs::{RenameFlags, renameat, renameat_with};
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
