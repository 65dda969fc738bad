//! Directories that are made by path, because no directory is open yet, and the new files in such a directory.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use anyhow::{Context, Result};

use super::dir::Dir;

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

/// Writes new files into the directory `dir`, all of them or none, in this order: where one can't be written, those before
/// are removed. Returns for each whether it was written; a file that is there already stays.
pub(crate) fn create_all(dir: &Path, files: &[(&str, String)]) -> Result<Vec<bool>> {
    let open = Dir::open(dir).with_context(|| format!("could not open {}", dir.display()))?;
    let mut written = Vec::with_capacity(files.len());
    for (name, text) in files {
        let created = create_whole(&open, name, text);
        match created.with_context(|| format!("could not write {}", dir.join(name).display())) {
            Ok(is_new) => written.push(is_new),
            Err(error) => {
                let made = files.iter().zip(written).filter(|(_, is_new)| *is_new);
                // What can't be removed stays; the next run keeps it where it finds it.
                made.for_each(|((name, _), _)| drop(open.remove_file(name)));
                return Err(error);
            }
        }
    }
    Ok(written)
}

/// Writes the new file `name`, whole or not at all, with the mode that the user's umask gives; false where something is
/// there already, which is never replaced.
fn create_whole(dir: &Dir, name: &str, text: &str) -> Result<bool> {
    if dir.exists(name)? {
        return Ok(false);
    }
    let fresh = format!("{name}.plasmagen-new");
    // A run that was killed may have left the file.
    dir.remove_file(&fresh)?;
    let create = || {
        let mut file = dir.create(&fresh)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        Ok(dir.name_new(&fresh, name)?)
    };
    create().inspect_err(|_| drop(dir.remove_file(&fresh)))
}
