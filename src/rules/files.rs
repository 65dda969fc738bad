//! Chapter A: the files that the inventory names (A17).

use crate::diag::{Diagnostic, Report, Spanned};
use crate::inventory::Common;
use crate::model::RelPath;
use crate::plan::NamedFile;

use super::committed::Committed;

/// A17: the files that the inventory names are there and can be used, and a flake sees those of nodes.
pub(super) fn a17(committed: &Committed<'_>, report: &mut Report) {
    let inventory = committed.draft.inventory;
    let profiles = inventory.profiles.iter().flat_map(|profile| modules(&profile.value.common));
    let nodes = inventory.nodes.iter().flat_map(|node| modules(&node.value.common));
    let hardware = inventory.nodes.iter().filter_map(|node| node.value.hardware_file.as_ref());
    for file in profiles.chain(nodes).chain(hardware) {
        report.push_some(find_fault(file, committed.named.find(&file.value)));
    }
    let reservations = inventory.provisioner.as_ref().and_then(|table| table.reservations.as_ref());
    for file in reservations.into_iter().flat_map(|list| &list.value) {
        report.push_some(find_fault(file, committed.named.find(&file.value)));
        if let Some(why) = committed.named.find_fault(&file.value) {
            let message = format!("the reservations in `{}` cannot be used: {why}", file.value);
            let help = "change one of the two inventories, and copy site/pxe/reservations.json of the other cluster again";
            report.push(Diagnostic::error("PG-A17", &file.span, message).help(help));
        }
    }
}

/// The modules in `common`.
fn modules(common: &Common) -> &[Spanned<RelPath>] {
    common.modules.as_ref().map_or(&[], |list| &list.value)
}

/// The fault of `file`, which was found as `state`.
fn find_fault(file: &Spanned<RelPath>, state: Option<NamedFile>) -> Option<Diagnostic> {
    let path = &file.value;
    match state? {
        NamedFile::Present => None,
        NamedFile::Absent => {
            let message = format!("there is no file `{path}` below the inventory's directory");
            let fault = Diagnostic::error("PG-A17", &file.span, message);
            Some(
                fault.help(
                    "put the file there, or correct the path, which begins at the inventory's directory",
                ),
            )
        }
        NamedFile::Outside => {
            let message = format!(
                "a symbolic link at `{path}` is absolute or leads out of the tree, and Nix copies only the tree"
            );
            let fault = Diagnostic::error("PG-A17", &file.span, message);
            Some(fault.help(
                "put the file itself below the inventory's directory, or link to it by a relative path within the tree",
            ))
        }
        NamedFile::Untracked => {
            let message = format!("git does not know `{path}`, and a flake sees only files that git knows");
            let fault = Diagnostic::warning("PG-A17", &file.span, message);
            Some(fault.help(format!("run: git add {path}")))
        }
    }
}
