//! Private files: their names, and reading them, only if nobody else can.

use std::fs;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, ensure};
use zeroize::Zeroizing;

use crate::fs::{TEXT_LIMIT, open_input};

/// Names the file of a node's key, with the host name that begins the full name.
pub(super) fn key_file_name(fqdn: &str) -> String {
    format!("{}-key.pem", fqdn.split('.').next().unwrap_or(fqdn))
}

/// Reads the text of a file, which only its owner may be able to read; none where there is no file.
pub(super) fn read_private(path: &Path) -> anyhow::Result<Option<Zeroizing<String>>> {
    let context = || format!("could not read {}", path.display());
    let mut file = match open_input(path, TEXT_LIMIT) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file.with_context(context)?,
    };
    let metadata = file.metadata().with_context(context)?;
    check_private(path, &metadata, "600")?;
    // Large enough at once: a string that grows leaves copies in memory.
    let size = usize::try_from(metadata.len()).with_context(context)?;
    let mut text = Zeroizing::new(String::with_capacity(size + 1));
    file.read_to_string(&mut text).with_context(context)?;
    Ok(Some(text))
}

/// Refuses a file or directory that group or others may read; `mode` is the mode to set instead.
pub(super) fn check_private(path: &Path, metadata: &fs::Metadata, mode: &str) -> anyhow::Result<()> {
    let actual = metadata.permissions().mode() & 0o7777;
    ensure!(
        actual & 0o077 == 0,
        "{path} has mode {actual:04o}, so others on this machine can read private keys. If nobody can have read them yet, run: \
         chmod {mode} {path}",
        path = path.display()
    );
    Ok(())
}
