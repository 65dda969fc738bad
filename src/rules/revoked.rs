//! Chapter J: the lists of issued and revoked certificates, beside the CRLs that the CAs have signed of an earlier one.

use std::collections::BTreeSet;

use crate::diag::{Cure, Diagnostic, Report};
use crate::model::list_few;
use crate::pki::revocation::{Crl, RevocationList, has_current_crls, read_list, read_record};

use super::committed::{Committed, certificate_fault};

/// J03: `nodes/revoked.json` holds every certificate that a CRL revokes, no certificate of a node, and the CAs have signed
/// the list.
pub(super) fn j03(committed: &Committed<'_>, report: &mut Report) {
    let from_git = "restore nodes/ from git: git log -p -- nodes/revoked.json shows who changed the list";
    let mut refuse = |message: String| {
        report.push(Diagnostic::error("PG-J03", &committed.cluster_span(), message).help(from_git));
    };
    if let Err(why) = read_record(committed.certificates) {
        return refuse(format!("{why:#}"));
    }
    let list = match read_list(committed.certificates) {
        Ok(list) => list,
        Err(why) => return refuse(format!("{why:#}")),
    };
    let crls = match Crl::list_from_pem(committed.certificates.crl.as_deref().unwrap_or_default()) {
        Ok(crls) => crls,
        Err(why) => return refuse(format!("ca-crl.pem in nodes/ cannot be read: {why:#}")),
    };
    let dropped = list_dropped(committed, &list, &crls);
    if !dropped.is_empty() {
        let dropped: Vec<_> = dropped.into_iter().collect();
        return refuse(format!(
            "nodes/revoked.json lacks certificates that ca-crl.pem revokes, with the serial numbers {}",
            list_few(&dropped)
        ));
    }
    let known = committed.known_vault();
    for (member, certificate) in committed.leaves().filter(|(_, certificate)| list.has(&certificate.serial)) {
        let name = &member.node.name;
        // H04 reports a certificate whose successor was not published: `plasmagen render` does that.
        if known.is_some_and(|known| known.is_superseded(name, certificate)) {
            continue;
        }
        let what = "is in nodes/revoked.json: services that look at ca-crl.pem refuse the node";
        let help = format!(
            "restore nodes/ from git, or give the node a new key: `plasmagen certs renew {name} --new-key`"
        );
        report.push(certificate_fault("PG-J03", member, what).help(help).cured_by(Cure::NewKey));
    }
    // H04 reports a ca-cert.pem that cannot be read.
    if has_current_crls(committed.certificates, committed.now).is_ok_and(|is_current| !is_current) {
        let message = "ca-crl.pem in nodes/ is not what the cluster's CAs would sign of nodes/revoked.json";
        let found = Diagnostic::warning("PG-J03", &committed.cluster_span(), message);
        report.push(found.help("`plasmagen render` signs the list, which needs the vault"));
    }
}

/// Lists the serial numbers that a CRL of a published CA revokes, and the list does not hold.
fn list_dropped(committed: &Committed<'_>, list: &RevocationList, crls: &[Crl]) -> BTreeSet<String> {
    let mut dropped = BTreeSet::new();
    for ca in &committed.authorities {
        for crl in crls.iter().filter(|crl| crl.is_signed_by(ca)) {
            dropped.extend(crl.serials.difference(&list.serials_of(ca)).cloned());
        }
    }
    dropped
}
