//! Chapter H: the vault of the committed certificates (H19).

use crate::diag::{Diagnostic, Report};
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
