//! Runs programs, and makes the directories of the lab.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// The directory of all files that the lab makes. Inside the lab's namespaces it lies in memory, or in the directory of
/// `--keep`.
pub(super) const LAB_DIR: &str = "/run/plasmagen-lab";

/// Runs `command` to its end.
///
/// # Errors
/// When the program does not start or fails: the error quotes its standard error.
pub(super) fn run_command(command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("could not start {}", command.get_program().display()))?;
    if output.status.success() {
        return Ok(());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy()).collect();
    bail!("{} {} failed: {}", command.get_program().display(), words.join(" "), stderr.trim())
}

/// Makes the directory `name` below [`LAB_DIR`], for a machine or a server.
///
/// # Errors
/// When the directory cannot be made.
pub(super) fn make_dir(name: &str) -> Result<PathBuf> {
    let dir = Path::new(LAB_DIR).join(name);
    fs::create_dir_all(&dir).with_context(|| format!("could not make {}", dir.display()))?;
    Ok(dir)
}
