//! Refuses a publication that takes the scripts of armed machines away.

use anyhow::Result;

use super::armed::{ArmedFile, list_armed};
use super::fault::{Fault, FaultKind, Refused};
use super::needs::NodeScript;
use super::root::{ARMED, WebRoot};
use crate::fs::Dir;

/// Refuses a site, whose files are in `site`, in which an armed node has no script any more, or the script of another node.
pub(super) fn check_armed_nodes(root: &WebRoot, site: &Dir) -> Result<()> {
    let mut faults = Vec::new();
    for file in list_armed(root)? {
        let Some(armed) = &file.armed else {
            faults.extend(report_foreign(&file));
            continue;
        };
        let node = armed.node.escape_debug();
        let message = match NodeScript::read(site, &file.name) {
            Some(script) if script.is_of(armed) => continue,
            Some(_) => "the site has the script of another node or image for this address",
            None => "the site has no script for this address",
        };
        let message = format!("{node} is armed, and {message}: run plasmagen disarm {node} first");
        faults.push(Fault::new(FaultKind::Swapped, format!("{ARMED}/{}", file.name), message));
    }
    if faults.is_empty() {
        return Ok(());
    }
    Err(Refused::new("armed nodes would lose their scripts, and nothing was changed", faults).into())
}

/// Reports a file that may arm a machine of which nobody knows what it boots.
pub(super) fn report_foreign(file: &ArmedFile) -> Option<Fault> {
    let message = "it may arm a machine, and this version of plasmagen did not write it: disarm its node, or run \
                   plasmagen disarm --all";
    let path = format!("{ARMED}/{}", file.name.escape_debug());
    file.is_foreign().then(|| Fault::new(FaultKind::Changed, path, message))
}
