//! Chapters H and J: the vault of the committed certificates (H19), and the machines of its keys (J07).

use crate::diag::{Diagnostic, Report};
use crate::model::MachineIdentity;
use crate::pki::VaultView;

use super::committed::Committed;

/// H19: the vault is at hand and private. It is a warning where no vault is there, as on machines that need none, and an
/// error where the place of the vault has something that must not be used: then nothing would be compared with it.
pub(super) fn h19(committed: &Committed<'_>, report: &mut Report) {
    let (span, table) = committed.vault_span();
    match committed.vault {
        Some(VaultView::Unusable(why)) => {
            let fault = Diagnostic::error("PG-H19", &span, format!("the vault cannot be used: {why}"));
            report.push(fault.help(
                "name the vault of this cluster with --vault, or write its directory as `path` in [vault]",
            ));
        }
        Some(VaultView::NotAtHand(why)) if committed.published => {
            let message = format!("the vault of the CA in nodes/ is not at hand: {why}");
            let help = format!(
                "without the vault no certificate is issued or renewed, no node added, and no key staged or encrypted: \
                 restore the vault from a backup, plasmagen vault restore FILE, or name it with --vault; if it lies on another machine on purpose, as it \
                 does for CI, write `allow = [\"PG-H19\"]` in {table}"
            );
            report.push(Diagnostic::warning("PG-H19", &span, message).help(help));
        }
        _ => {}
    }
}

/// J07: the vault's keys of a node are for the machine that has the node's name now.
pub(super) fn j07(committed: &Committed<'_>, report: &mut Report) {
    let Some(known) = committed.known_vault() else { return };
    // The keys of a name that nodes/ does not know are replaced by the next run.
    let is_rendered = |name| committed.certificates.rendered.contains(name);
    for member in committed.members.iter().filter(|member| is_rendered(&member.node.name)) {
        let name = &member.node.name;
        let Some(other) = known.other_machines.get(name) else { continue };
        let message = format!(
            "the vault's keys of `{name}` are for another machine ({other}) than the inventory's ({}), and the other \
             machine may still have them",
            MachineIdentity::of(member.node)
        );
        report.push(Diagnostic::warning("PG-J07", member.span, message).help(format!(
            "make keys for the new machine: `plasmagen certs renew {name} --new-key`; where it is the same machine with \
             another mainboard or network card, keep them: `plasmagen render --same-machine {name}`"
        )));
    }
}
