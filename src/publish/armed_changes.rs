//! The changes that a publication brings to nodes that are armed: they boot another bundle, or other files of the site, from the
//! switch on.

use anyhow::Result;

use super::armed::{Armed, list_armed};
use super::bundle::read_bundle;
use super::channel::Channel;
use super::fault::{Fault, FaultKind, Refused};
use super::needs::open_current;
use super::request::PublicationTerms;
use super::root::{ARMED, SITE, WebRoot};
use super::site::{BOOT, path_of_overlay, path_of_script};
use super::staged::StagedGeneration;
use super::takeover::report_foreign;
use crate::fs::{Dir, LIST_LIMIT, Sha256Sum};
use crate::model::System;

/// Finds the changes that a switch from the generation `before` to `staged` makes for armed nodes, a sentence each.
///
/// # Errors
/// [`Refused`] where a node would get another bundle and the terms do not allow that, or a bundle for another architecture.
pub(super) fn check_bundles(
    root: &WebRoot,
    staged: &StagedGeneration,
    before: Option<Sha256Sum>,
    terms: &PublicationTerms<'_>,
) -> Result<Vec<String>> {
    let Some(bundle) = staged.bundle.as_ref().filter(|_| before != Some(staged.id)) else {
        return Ok(Vec::new());
    };
    let arch = before.and_then(|before| read_arch(root, &staged.channel, before));
    let (mut changes, mut faults) = (Vec::new(), Vec::new());
    for file in list_armed(root)? {
        faults.extend(report_foreign(&file).filter(|_| !terms.may_change_armed));
        let Some(armed) = file.armed.filter(|armed| armed.image == bundle.image()) else { continue };
        let was = before.unwrap_or(armed.bundle);
        if was == staged.id {
            // The link `current` is broken, and the node gets the bundle that it was armed for.
            continue;
        }
        let node = armed.node.escape_debug().to_string();
        let (was, new) = (was.to_string(), staged.id.to_string());
        let other = arch.filter(|arch| *arch != bundle.arch);
        let why = match other {
            Some(arch) => format!(
                "{node} is armed, and can't boot a bundle for {} instead of {}: run plasmagen disarm {node} first",
                bundle.arch.as_str(),
                arch.as_str()
            ),
            None if terms.may_change_armed => {
                let change =
                    format!("{node} is armed, and boots the bundle {new:.12} now instead of {was:.12}");
                // A node has a file for each network card.
                changes.extend(Some(change).filter(|change| !changes.contains(change)));
                continue;
            }
            None => format!(
                "{node} is armed, and would boot the bundle {new:.12} instead of {was:.12}: run plasmagen disarm {node} \
                 first, or add --yes"
            ),
        };
        faults.push(Fault::new(FaultKind::Swapped, format!("{ARMED}/{}", file.name), why));
    }
    refuse_unless_empty(faults, "armed nodes would boot another bundle, and nothing was changed")?;
    Ok(changes)
}

/// Refuses the publication for the reason `why`, where there are `faults`.
fn refuse_unless_empty(faults: Vec<Fault>, why: &str) -> Result<()> {
    if faults.is_empty() { Ok(()) } else { Err(Refused::new(why, faults).into()) }
}

/// Reads the architecture of the bundle `id` in the channel at `path`; none where that is not known.
fn read_arch(root: &WebRoot, path: &str, id: Sha256Sum) -> Option<System> {
    let dir = Channel::open(root, path).ok()??.open_generation(id).ok()?;
    Some(read_bundle(&dir, "", &mut Vec::new()).ok()??.manifest.arch)
}

/// Finds the files of the site in `new` that differ from the served ones for an armed node, a sentence for each node.
///
/// # Errors
/// [`Refused`] where the script or the overlay of a node differs, which name the disks, and the terms do not allow that.
pub(super) fn check_site_changes(
    root: &WebRoot,
    new: &Dir,
    terms: &PublicationTerms<'_>,
) -> Result<Vec<String>> {
    let Some((_, served)) = open_current(root, SITE)? else { return Ok(Vec::new()) };
    let (mut changes, mut faults) = (Vec::new(), Vec::new());
    for file in list_armed(root)? {
        let Some(Armed { node, .. }) = file.armed else { continue };
        let paths = [BOOT.to_owned(), path_of_script(&file.name), path_of_overlay(&file.name)];
        let read = |dir: &Dir, path: &str| dir.read_limited(path, LIST_LIMIT).ok();
        let changed: Vec<_> =
            paths.into_iter().filter(|path| read(&served, path) != read(new, path)).collect();
        if changed.is_empty() {
            continue;
        }
        let (node, files) = (node.escape_debug(), changed.join(", "));
        // boot.ipxe is the same for all machines, and names no disk.
        if terms.may_change_armed || changed == [BOOT] {
            changes.push(format!("{node} is armed, and loads another {files} now"));
        } else {
            let why = format!(
                "{node} is armed, and would load another {files}: run plasmagen disarm {node} first, or add --yes"
            );
            faults.push(Fault::new(FaultKind::Swapped, format!("{ARMED}/{}", file.name), why));
        }
    }
    refuse_unless_empty(faults, "armed nodes would load another script or overlay, and nothing was changed")?;
    Ok(changes)
}
