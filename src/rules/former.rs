//! Chapters G and J: the inventory beside the cluster that was rendered last.

use crate::diag::{Diagnostic, Report};
use crate::model::{AdminKey, escape_line};

use super::committed::Committed;

/// G13: no second set of voters forms a cluster beside the first.
pub(super) fn g13(committed: &Committed<'_>, report: &mut Report) {
    let founders = &committed.former.founders;
    if committed.is_formed() || founders.is_empty() {
        return;
    }
    let voters: Vec<_> = committed.draft.bootstrap().map(|(name, _)| name).collect();
    let fresh: Vec<_> = voters.iter().copied().filter(|name| !founders.contains(*name)).collect();
    // A majority of empty disks elects a leader without asking the voters that know the state.
    if fresh.len() <= voters.len() / 2 {
        return;
    }
    let former: Vec<_> = founders.iter().map(String::as_str).collect();
    let message = format!(
        "{} of {} voters ({}) are not among those that nodes/ tells to form the cluster ({}): they are a majority, and would \
         form a second cluster of the same name",
        fresh.len(),
        voters.len(),
        fresh.join(", "),
        former.join(", ")
    );
    let fault = Diagnostic::error("PG-G13", &committed.bootstrap_span(), message);
    report.push(fault.help(
        "if the cluster exists, write `formed = true`, and exchange its voters one by one; if no machine was ever installed, \
         remove nodes/*/cluster-config.json and site/inventory.json, and run `plasmagen render`",
    ));
}

/// J04: a voter of a formed cluster stays, or is named as removed.
pub(super) fn j04(committed: &Committed<'_>, report: &mut Report) {
    if !(committed.is_formed() || committed.former.formed) {
        return;
    }
    for voter in &committed.former.voters {
        let is_node = committed.members.iter().any(|member| member.node.name.as_str() == voter.name);
        if is_node || committed.is_removed(&voter.name) {
            continue;
        }
        let gone = format!("`{}`, a voter of the formed cluster", voter.name);
        let has_serial = |serial: &String| {
            let mut members = committed.members.iter();
            members.find(|member| member.node.serial.as_ref().is_some_and(|known| known.as_str() == serial))
        };
        let removed = format!("write `removed = [\"{}\"]` in [cluster]", voter.name);
        let (span, message, help) = match voter.serial.as_ref().and_then(has_serial) {
            Some(member) => (
                member.span.clone(),
                format!(
                    "`{}` has the serial number of {gone}, which is gone without standing in `removed`",
                    member.node.name
                ),
                format!(
                    "take the old name back; a machine with another name is another member: remove the old member from the \
                     cluster, {removed}, run `plasmagen render --install-anew {}`, and install the machine again",
                    member.node.name
                ),
            ),
            None => (
                committed.bootstrap_span(),
                format!("{gone}, is gone without standing in `removed`"),
                format!("take the node back, or remove the member from the cluster and {removed}"),
            ),
        };
        report.push(Diagnostic::warning("PG-J04", &span, message).help(help));
    }
}

/// J06: an admin key that was rendered last stays until the new ones were tried.
pub(super) fn j06(committed: &Committed<'_>, report: &mut Report) {
    let former = &committed.former.admin_keys;
    let written = committed.draft.inventory.cluster.as_ref().and_then(|cluster| cluster.admin_keys.as_ref());
    let Some(written) = written.filter(|_| !former.is_empty()) else { return };
    let is_kept = |key: &AdminKey| former.iter().any(|former| find_body(former) == find_body(key.as_str()));
    // H13 reports an empty list.
    if written.value.is_empty() || committed.cluster.admin_keys.iter().any(is_kept) {
        return;
    }
    let message = "none of these keys opens a node or an installer yet: all keys that were rendered last are gone, and \
                   if the new ones do not work, nobody can log in any more";
    let kept = former.first().map_or("", |key| key);
    report.push(Diagnostic::error("PG-J06", &written.span, message).help(format!(
        "keep a key that was rendered last until somebody has logged in to every node with a new one, such as {:?}, \
         and remove it then: docs/ssh-keys.md, \"Replacing an admin key\"",
        escape_line(kept)
    )));
}

/// The key itself in a line of a `.pub` file, without type and comment.
fn find_body(line: &str) -> Option<&str> {
    line.split_whitespace().nth(1)
}
