//! Private files and directories: created with their mode, read only if nobody else can.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use anyhow::{Context, ensure};
use rustix::fs::{FlockOperation, flock};
use zeroize::Zeroizing;

/// Waits until no other process holds the lock, and holds it until the file is closed, so also by being killed.
pub(super) fn lock(path: &Path) -> anyhow::Result<File> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
    let file = file.with_context(|| format!("could not open {}", path.display()))?;
    flock(&file, FlockOperation::LockExclusive)
        .with_context(|| format!("could not lock {}", path.display()))?;
    Ok(file)
}

pub(super) fn remove_tree(path: &Path) -> anyhow::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("could not remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

pub(super) fn make_dir(path: &Path) -> anyhow::Result<()> {
    DirBuilder::new().mode(0o700).create(path).with_context(|| format!("could not make {}", path.display()))
}

/// Makes `dir` and what is missing above it, each private and durable in the directory that holds it.
pub(super) fn make_dirs(dir: &Path) -> anyhow::Result<()> {
    let missing: Vec<&Path> = dir.ancestors().take_while(|dir| !dir.exists()).collect();
    for dir in missing.into_iter().rev() {
        // Recursive, since another run may make it at the same time.
        let made = DirBuilder::new().mode(0o700).recursive(true).create(dir);
        made.with_context(|| format!("could not make {}", dir.display()))?;
        sync_dir(dir.parent().unwrap_or(dir))?;
    }
    Ok(())
}

pub(super) fn write_new(path: &Path, text: &str) -> anyhow::Result<File> {
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(text.as_bytes())?;
        Ok::<_, std::io::Error>(file)
    };
    write().with_context(|| format!("could not write {}", path.display()))
}

pub(super) fn open_dir(path: &Path) -> anyhow::Result<File> {
    File::open(path).with_context(|| format!("could not open {}", path.display()))
}

pub(super) fn sync_dir(path: &Path) -> anyhow::Result<()> {
    open_dir(path)?.sync_all().with_context(|| format!("could not make {} durable", path.display()))
}

/// The text of a file that only its owner may read; `None` where there is none.
pub(super) fn read_private(path: &Path) -> anyhow::Result<Option<Zeroizing<String>>> {
    let context = || format!("could not read {}", path.display());
    let mut file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file.with_context(context)?,
    };
    let metadata = file.metadata().with_context(context)?;
    check_private(path, &metadata, "600")?;
    // Large enough at once: a string that grows leaves copies behind.
    let size = usize::try_from(metadata.len()).with_context(context)?;
    let mut text = Zeroizing::new(String::with_capacity(size + 1));
    file.read_to_string(&mut text).with_context(context)?;
    Ok(Some(text))
}

pub(super) fn check_private(path: &Path, metadata: &fs::Metadata, mode: &str) -> anyhow::Result<()> {
    let actual = metadata.permissions().mode() & 0o7777;
    ensure!(
        actual & 0o077 == 0,
        "{path} has mode {actual:04o}, so others on this machine can read private keys. If none of them may have, run: \
         chmod {mode} {path}",
        path = path.display()
    );
    Ok(())
}
