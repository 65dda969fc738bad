//! Directories and files that are made by path, because no directory is open yet.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Makes the directory `path` and what is missing above it, with the modes that the user's umask gives.
pub(crate) fn make_dirs(path: &Path) -> Result<()> {
    fs::create_dir_all(path).with_context(|| format!("could not make {}", path.display()))
}

/// Makes the directory `path` and what is missing above it, each closed to others and durable in the directory above.
pub(crate) fn make_private_dirs(path: &Path) -> Result<()> {
    let missing: Vec<&Path> = path.ancestors().take_while(|dir| !dir.exists()).collect();
    for dir in missing.into_iter().rev() {
        // Recursive, since another run may make it at the same time.
        let made = DirBuilder::new().mode(0o700).recursive(true).create(dir);
        made.with_context(|| format!("could not make {}", dir.display()))?;
        let parent = dir.parent().unwrap_or(dir);
        let open = File::open(parent).with_context(|| format!("could not open {}", parent.display()))?;
        open.sync_all().with_context(|| format!("could not make {} durable", parent.display()))?;
    }
    Ok(())
}

/// Removes the empty directory `path`.
pub(crate) fn remove_empty_dir(path: &Path) -> io::Result<()> {
    fs::remove_dir(path)
}

/// Writes new files, all of them or none, in this order: where one can't be written, those before are removed. Returns for
/// each whether it was written; a file that is there already stays.
pub(crate) fn create_all(files: &[(PathBuf, String)]) -> Result<Vec<bool>> {
    let mut written = Vec::with_capacity(files.len());
    for (path, text) in files {
        match create_whole(path, text) {
            Ok(is_new) => written.push(is_new),
            Err(error) => {
                let made = files.iter().zip(written).filter(|(_, is_new)| *is_new);
                // What can't be removed stays; the next run keeps it where it finds it.
                made.for_each(|((path, _), _)| drop(fs::remove_file(path)));
                return Err(error);
            }
        }
    }
    Ok(written)
}

/// Writes the new file `path`, whole or not at all, with the mode that the user's umask gives; false where something is
/// there already, which is never replaced.
fn create_whole(path: &Path, text: &str) -> Result<bool> {
    let could_not = || format!("could not write {}", path.display());
    if path.symlink_metadata().is_ok() {
        return Ok(false);
    }
    let dir = path.parent().unwrap_or(path);
    let mut builder = tempfile::Builder::new();
    builder.permissions(Permissions::from_mode(0o666));
    let mut file = builder.tempfile_in(dir).with_context(could_not)?;
    file.write_all(text.as_bytes()).and_then(|()| file.as_file().sync_all()).with_context(could_not)?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(true),
        Err(refused) if refused.error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(refused) => Err(refused.error).with_context(could_not),
    }
}
