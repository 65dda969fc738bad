//! The directories above a path: a user who may write to one of them can put another directory, or another file, in the place
//! of the one that plasmagen has checked, between two runs. sshd's `StrictModes` looks at them for the same reason.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::{Context, Result, bail};
use rustix::process::geteuid;

/// The way out where other users control an ancestor.
const INSTEAD: &str = "Name a path below directories that only you or root may write to";

/// Refuses an absolute path without symbolic links where another user could put something else. Each directory above must
/// belong to root, to the caller or to `owner`, the user to whom the thing at `path` belongs anyway. Nobody else may be able
/// to write to the directory, unless it is sticky: in `/tmp` each user can rename only what belongs to that user. Directories
/// that do not exist yet are skipped.
///
/// # Errors
/// When such a directory is found, with a message that names the directory and a way out, or when the system refuses to
/// look at one.
pub(crate) fn check_ancestors(path: &Path, owner: Option<u32>) -> Result<()> {
    for dir in path.ancestors().skip(1) {
        let shown = dir.display();
        let metadata = match dir.symlink_metadata() {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            metadata => metadata.with_context(|| format!("could not look at {shown}"))?,
        };
        let (of_dir, mode) = (metadata.uid(), metadata.mode() & 0o7777);
        if !is_trusted_owner(of_dir) && Some(of_dir) != owner && !is_unmapped(of_dir) {
            bail!(
                "{shown} belongs to another user (uid {of_dir}), who can replace what lies there. {INSTEAD}"
            );
        }
        if mode & 0o022 != 0 && mode & 0o1000 == 0 {
            let caller = geteuid();
            // Root owns the system's directories, whose modes have reasons.
            let is_users = !caller.is_root() && of_dir == caller.as_raw();
            let instead = if is_users { format!(", or run: chmod go-w {shown}") } else { String::new() };
            bail!(
                "{shown} has mode {mode:04o}, so other users can replace what lies there. {INSTEAD}{instead}"
            );
        }
    }
    Ok(())
}

/// Whether files of this user can be relied on: of root, or of the user who runs plasmagen.
pub(crate) fn is_trusted_owner(owner: u32) -> bool {
    owner == 0 || owner == geteuid().as_raw()
}

/// Whether the kernel does not tell the owner, since that user has no number in this user namespace, as root of the host
/// in a container without root: user_namespaces(7) then shows the overflow uid.
fn is_unmapped(owner: u32) -> bool {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let has_uid = |line: &str| {
        let numbers: Vec<u32> = line.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        // The first uid inside, the first one outside, and how many.
        matches!(numbers[..], [first, _, count] if owner >= first && owner - first < count)
    };
    read("/proc/sys/kernel/overflowuid").trim().parse() == Ok(owner)
        && !read("/proc/self/uid_map").lines().any(has_uid)
}
