//! Who may write and read what is in a web root: modes and owners of everything in it.

use anyhow::{Context, Result};
use rustix::process::geteuid;

use super::fault::{Fault, FaultKind};
use super::root::WebRoot;
use crate::fs::{Dir, FileType, STATE, Stat, kind_of};

/// How far below the web root directories are looked at: published files are not as deep, and others are reported as such.
const DEEPEST: usize = 16;

/// The search for files that others may write, or that servers can't read.
struct AccessSearch<'a> {
    /// The user ids of root, of the owner of the web root, and of the caller.
    owners: [u32; 3],
    faults: &'a mut Vec<Fault>,
}

/// Reports everything in `root` that others may write, that belongs to others, or that the web server can't read.
pub(super) fn verify_access(root: &WebRoot, faults: &mut Vec<Fault>) -> Result<()> {
    let stat = root.dir.stat_self().context("could not look at the web root")?;
    let mut search = AccessSearch { owners: [0, stat.st_uid, geteuid().as_raw()], faults };
    search.check(".", &stat, 0);
    let mut dirs = vec![String::new()];
    while let Some(dir) = dirs.pop() {
        let open =
            root.dir.open_dir(&dir).with_context(|| format!("could not open {}", dir.escape_debug()))?;
        dirs.extend(search.check_dir(&open, &dir)?);
    }
    Ok(())
}

impl AccessSearch<'_> {
    /// Checks everything in the directory `dir` at `path`; returns the paths of the directories in it.
    fn check_dir(&mut self, dir: &Dir, path: &str) -> Result<Vec<String>> {
        let list = dir.list().with_context(|| format!("could not list {}", path.escape_debug()))?;
        let mut dirs = Vec::new();
        for (name, stat) in list {
            // fsck's directory at the root of a file system is for root only.
            if path.is_empty() && name == "lost+found" {
                continue;
            }
            let path = if path.is_empty() { name } else { format!("{path}/{name}") };
            let is_dir = kind_of(&stat) == FileType::Directory;
            // Nobody serves plasmagen's state.
            let is_state = path.split('/').next() == Some(STATE);
            let wanted = match (is_state, is_dir) {
                (true, _) => 0,
                (false, true) => 0o755,
                (false, false) => 0o644,
            };
            self.check(&path, &stat, wanted);
            // A run at work fills the staging directory.
            if is_dir && !(is_state && path != STATE) && path.matches('/').count() < DEEPEST {
                dirs.push(path);
            }
        }
        Ok(dirs)
    }

    /// Checks owner and mode of a file or directory, which others must be able to use as the mode `wanted` says.
    fn check(&mut self, path: &str, stat: &Stat, wanted: u32) {
        let path = path.escape_debug().to_string();
        if !self.owners.contains(&stat.st_uid) {
            let (uid, [_, owner, _]) = (stat.st_uid, self.owners);
            let message = format!(
                "it belongs to the user {uid}, who may write it: give it to the user {owner} or to root"
            );
            self.faults.push(Fault::new(FaultKind::Mode, path.as_str(), message));
        }
        if ![FileType::Directory, FileType::RegularFile].contains(&kind_of(stat)) {
            return;
        }
        let mode = stat.st_mode & 0o7777;
        // A mode that is too strict for the web server is a fault, like a mode that is too lax for others.
        if mode & 0o022 != 0 || mode & wanted & 0o055 != wanted & 0o055 {
            let message = if wanted == 0 {
                format!("its mode is {mode:04o}, and others may write it")
            } else {
                format!("its mode is {mode:04o} instead of {wanted:04o}")
            };
            self.faults.push(Fault::new(FaultKind::Mode, path, message));
        }
    }
}
