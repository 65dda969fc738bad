//! Whether a directory is a vault, by the entries in it.

use anyhow::ensure;

use super::authorities::parse_generation;
use super::entry_kind::BMCS;
use super::files::{PrivateDir, key_file_name};

/// Refuses a directory that is no vault, and one that is not private. Only where there is a vault does the message
/// say how to make it private.
pub(super) fn check_contents(dir: &PrivateDir) -> anyhow::Result<()> {
    let shown = dir.path.display();
    let instead = "name the vault with --vault; a directory that does not exist yet becomes a new vault";
    let names = dir.list()?;
    let is_other = |name: &&String| !name.starts_with('.') && *name != "lost+found";
    let Some(first) = names.iter().find(is_other) else {
        // The message of the check would propose to change a directory that is none of plasmagen's.
        let not_private = dir.check().is_err();
        ensure!(
            !not_private,
            "there is no vault at {shown}, only an empty directory that others may enter, or that \
             belongs to another user: {instead}"
        );
        return Ok(());
    };
    let is_entry = |name: &String| {
        parse_generation(name).is_some()
            || dir
                .open_dir(name)
                .is_ok_and(|entry| entry.is_some_and(|entry| entry.has(&key_file_name(name))))
    };
    // The passwords of BMCs may be there first. A restore that was interrupted has put other things into place first; the next
    // one ends it.
    let is_new = names.iter().filter(is_other).all(|name| name == BMCS);
    ensure!(
        is_new || names.iter().any(is_entry) || dir.dir.has_staged_batch()?,
        "there is no vault at {shown}, which holds other things, such as {first:?}: {instead}"
    );
    dir.check()
}
