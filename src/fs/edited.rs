//! A file that a person wrote, replaced by an edited version.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use rustix::fs::{Gid, Mode, Uid, fchmod, fchown, fsync};

use super::dir::Dir;

/// Replaces the file at `path`, which held `old` when the caller read it, by `new`: by one rename, so that a reader, or
/// a run that is killed, finds the old file or the new one. Mode, owner and group stay; of a symbolic link the file
/// that it leads to is replaced.
///
/// # Errors
/// When the file no longer holds `old`, somebody else edits in the directory, or the disk refuses. The file is then as
/// it was.
pub(crate) fn replace_edited(path: &Path, old: &[u8], new: &[u8]) -> Result<()> {
    let shown = path.display();
    let real = path.canonicalize().with_context(|| format!("could not find {shown}"))?;
    let (Some(parent), Some(name)) = (real.parent(), real.file_name().and_then(|name| name.to_str())) else {
        bail!("{shown} has a name that is not UTF-8: rename the file")
    };
    let dir = Dir::open(parent).with_context(|| format!("could not open {}", parent.display()))?;
    dir.wait_for_lock().with_context(|| format!("another plasmagen edits a file in {}", parent.display()))?;
    let fresh = format!(".{name}.plasmagen-new");
    // A run that was killed may have left the file.
    dir.remove_file(&fresh)?;
    let write = || {
        check_unchanged(&dir, name, old)?;
        let before = dir.open_regular(name)?.metadata()?;
        let (file, stat) = dir.write_new(&fresh, before.mode() & 0o7777, new)?;
        if (stat.st_uid, stat.st_gid) != (before.uid(), before.gid()) {
            let (user, group) = (Uid::from_raw(before.uid()), Gid::from_raw(before.gid()));
            fchown(&file, Some(user), Some(group)).context("could not keep the owner of the file")?;
            // A change of the owner takes bits of the mode away.
            fchmod(&file, Mode::from_raw_mode(before.mode() & 0o7777))?;
        }
        fsync(&file)?;
        check_unchanged(&dir, name, old)?;
        dir.rename(&fresh, &dir, name)?;
        anyhow::Ok(dir.sync()?)
    };
    write().inspect_err(|_| drop(dir.remove_file(&fresh))).with_context(|| format!("could not write {shown}"))
}

/// Refuses a file that no longer holds `old`.
fn check_unchanged(dir: &Dir, name: &str, old: &[u8]) -> Result<()> {
    let now = dir.read_limited(name, u64::MAX - 1)?;
    ensure!(now == old, "the file has changed since it was read: run the command again");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_file_that_has_changed_since_is_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("inventory.toml");
        fs::write(&path, "by hand").unwrap();
        let error = replace_edited(&path, b"old", b"new").unwrap_err();
        assert!(format!("{error:#}").contains("has changed since it was read"), "{error:#}");
        assert_eq!(fs::read(&path).unwrap(), b"by hand");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        replace_edited(&path, b"by hand", b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }
}
