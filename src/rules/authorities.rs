//! Chapter H: the CAs that `nodes/` publishes (H18).

use std::borrow::Cow;

use crate::diag::{Diagnostic, Report};
use crate::model::{Label, Word};
use crate::pki::trust::CaFault;

use super::committed::Committed;

/// H18: every CA in ca-cert.pem is the cluster's. It is a warning where a network may have been removed or narrowed since the
/// CA was made, and no vault is at hand that would say so.
pub(super) fn h18(committed: &Committed<'_>, report: &mut Report) {
    for fault in committed.foreign.iter().map(|(_, fault)| fault).chain(&committed.doubts) {
        let message = format!("ca-cert.pem in nodes/ holds {fault}");
        let span = committed.cluster_span();
        let found = if fault.is_refused() {
            Diagnostic::error("PG-H18", &span, message)
        } else {
            Diagnostic::warning("PG-H18", &span, message)
        };
        report.push(found.help(advise(fault)));
    }
}

/// Says what to do about `fault`.
fn advise(fault: &CaFault) -> Cow<'static, str> {
    match fault {
        CaFault::NotInVault { .. } => {
            "restore ca-cert.pem in nodes/ from git, or name the vault of this cluster with --vault".into()
        }
        CaFault::OtherCluster { cluster: Some(former), .. } if Label::parse(former).is_ok() => format!(
            "restore ca-cert.pem in nodes/ from git; if that is this cluster's former name, write `former_names = \
             [\"{former}\"]` in [cluster]: its CA and its vault keep that name; if this is a new cluster, whose site was copied \
             from that cluster's, remove nodes/ and site/, and run `plasmagen render`"
        )
        .into(),
        CaFault::TooWide { .. } => {
            "restore ca-cert.pem in nodes/ from git: machines trust whatever is signed by a CA in that file; if the domain or \
             a network has changed since the CA was made, take the change back, name the vault with --vault, or replace the \
             CA: `plasmagen explain PG-H11`"
                .into()
        }
        CaFault::UnusedSubnets { .. } => {
            "name the vault with --vault, which says whether plasmagen made this CA; if a network was removed or narrowed \
             since then, and the vault is on another machine, write `allow = [\"PG-H18\"]` in [cluster]; if not, restore \
             ca-cert.pem in nodes/ from git: machines trust whatever is signed by a CA in that file"
                .into()
        }
        CaFault::OtherCluster { .. }
        | CaFault::NotSigned { .. }
        | CaFault::Unlimited { .. }
        | CaFault::NotCritical { .. } => {
            "restore ca-cert.pem in nodes/ from git: machines trust whatever is signed by a CA in that file".into()
        }
    }
}
