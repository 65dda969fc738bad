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
    if read("/proc/sys/kernel/overflowuid").trim().parse() != Ok(owner) {
        return false;
    }
    let of_root = fs::symlink_metadata("/").ok().map(|metadata| metadata.uid());
    is_overflow(owner, &read("/proc/self/uid_map"), of_root)
}

/// Whether the overflow uid `overflow` stands for users without a number in a user namespace with the map `uid_map`, where
/// `/` belongs to `of_root`. Subordinate ids (`unshare --map-auto`, podman) often have 65534, too: then the number may be that
/// of a user of the namespace, except where `/` belongs to it, which is the host's root.
fn is_overflow(overflow: u32, uid_map: &str, of_root: Option<u32>) -> bool {
    // The first uid inside, the first one outside, and how many.
    let numbers =
        |line: &str| line.split_whitespace().filter_map(|word| word.parse().ok()).collect::<Vec<u32>>();
    let ranges: Vec<_> = uid_map.lines().map(numbers).collect();
    let is_initial = ranges == [vec![0, 0, u32::MAX]];
    let has_uid = |range: &Vec<u32>| matches!(range[..], [first, _, count] if overflow >= first && overflow - first < count);
    !ranges.iter().any(has_uid) || !is_initial && of_root == Some(overflow)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_overflow_uid_is_told_from_a_user_of_the_namespace() {
        const NOBODY: u32 = 65534;
        let (initial, lab) = ("         0          0 4294967295\n", "0 1000 1\n1 100000 65536\n");
        for (uid_map, of_root, expected) in [
            (initial, Some(0), false),
            (initial, Some(NOBODY), false),
            ("0 1000 1\n", Some(NOBODY), true),
            ("0 1000 1\n", Some(0), true),
            (lab, Some(NOBODY), true),
            (lab, Some(0), false),
            (lab, None, false),
            ("0 100000 65536\n", Some(0), false),
        ] {
            assert_eq!(is_overflow(NOBODY, uid_map, of_root), expected, "{uid_map} {of_root:?}");
        }
    }
}
