//! Chapter H: the contents of committed certificates, compared with the inventory and the CA.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use crate::diag::{Cure, Diagnostic, Report, Span};
use crate::pki::read::SanDifference;

use super::committed::{Committed, NodeCertificate, ca_fault, certificate_fault};

/// Lengths of a serial number: 64 random bits or more, and 20 octets or less (RFC 5280 section 4.1.2.2).
const SERIAL_OCTETS: std::ops::RangeInclusive<usize> = 8..=20;

/// H03: where there are certificates, there is their CA.
pub(super) fn h03(committed: &Committed<'_>, report: &mut Report) {
    if !committed.published && committed.leaves().next().is_some() {
        let message = "nodes/ holds certificates but no ca-cert.pem";
        let fault = Diagnostic::error("PG-H03", &committed.cluster_span(), message);
        report.push(fault.help(
            "restore ca-cert.pem from git: a new CA would cut off every machine that trusts the old one",
        ));
    }
}

/// H04: the committed certificates can be read.
pub(super) fn h04(committed: &Committed<'_>, report: &mut Report) {
    if let Some(why) = &committed.broken {
        report.push(ca_fault("PG-H04", committed, format!("cannot be read: {why}")));
    }
    for member in &committed.members {
        if let Some(Err(why)) = &member.certificate {
            report.push(certificate_fault("PG-H04", member, format!("cannot be read: {why}")));
        }
    }
    let Some(known) = committed.known_vault() else { return };
    // H18 reports the vault of another cluster.
    let leaves = committed.leaves().filter(|(_, certificate)| committed.issuer(certificate).is_some());
    for (member, certificate) in leaves {
        if known.is_superseded(&member.node.name, certificate) {
            let what = format!("is for a key that the vault {} has put aside", known.dir.display());
            let help = "`plasmagen render` issues a certificate for the key that has taken its place: the run that made that key \
                        was killed before it published one";
            let found = certificate_fault("PG-H04", member, what).help(help);
            report.push(found.cured_by(Cure::Renewal));
        } else if known.keys.get(&member.node.name).is_some_and(|key| !certificate.has_key(key)) {
            let what = format!(
                "is for another key than that of `{}` in the vault {}",
                member.node.name,
                known.dir.display()
            );
            let help = format!(
                "restore a newer backup of the vault, `plasmagen vault restore FILE --vault DIR`, name the vault of \
                 this cluster with --vault, or restore the certificate from git; if the key of the certificate is \
                 lost, give the node a new one: `plasmagen certs renew {} --new-key`",
                member.node.name
            );
            report.push(certificate_fault("PG-H04", member, what).help(help).cured_by(Cure::NewKey));
        }
    }
}

/// H05: serial numbers are positive, long enough to be random, and used once.
pub(super) fn h05(committed: &Committed<'_>, report: &mut Report) {
    let mut seen = HashMap::<(&str, &str), &NodeCertificate<'_>>::new();
    for (member, certificate) in committed.leaves() {
        // Hexadecimal; a first digit of 8 and more is a sign.
        let positive = certificate.serial.starts_with(|c: char| ('0'..'8').contains(&c));
        if !positive || !SERIAL_OCTETS.contains(&(certificate.serial.len() / 2)) {
            let what = format!(
                "has the serial number {}, which is not a positive random number of 8 to 20 octets",
                certificate.serial
            );
            report.push(certificate_fault("PG-H05", member, what));
        }
        if let Some(first) = seen.insert((&certificate.issuer, &certificate.serial), member) {
            let what = format!("has the same serial number as that of `{}`", first.node.name);
            report.push(certificate_fault("PG-H05", member, what).related(first.span, "the other node"));
        }
    }
}

/// H06: a certificate holds the names and addresses of the inventory. It is a warning where the inventory has changed
/// since, and an error where plasmagen never writes such a certificate.
pub(super) fn h06(committed: &Committed<'_>, report: &mut Report) {
    for (member, certificate) in committed.leaves() {
        let strange =
            |name: &&String| name.is_empty() || name.contains('*') || name.parse::<IpAddr>().is_ok();
        if let Some(name) = certificate.dns_names.iter().find(strange) {
            report.push(certificate_fault(
                "PG-H06",
                member,
                format!("holds `{name}`, which is not a host name"),
            ));
            continue;
        }
        let differs = certificate.difference(&member.request);
        if differs == SanDifference::default() {
            if !certificate.covers(&member.request) {
                report.push(certificate_fault("PG-H06", member, "holds more than host names and addresses"));
            }
            continue;
        }
        // H09 reports names that the CA may not vouch for, and H18 a CA that is not the cluster's.
        if committed.refused(member).is_empty() && !committed.is_from_foreign_ca(certificate) {
            let SanDifference { missing, extra } = differs;
            let lacks = (!missing.is_empty()).then(|| format!("lacks {}", missing.join(", ")));
            let has = (!extra.is_empty()).then(|| format!("still has {}", extra.join(", ")));
            let what: Vec<_> = lacks.into_iter().chain(has).collect();
            let message = format!("the certificate of `{}` {}", member.node.name, what.join(" and "));
            let found = Diagnostic::warning("PG-H06", member.span, message);
            report.push(found.help("`plasmagen render` issues a new certificate"));
        }
    }
}

/// H07: the CA's certificate allows signing, and those of nodes both ends of TLS.
pub(super) fn h07(committed: &Committed<'_>, report: &mut Report) {
    if committed.authorities.iter().any(|ca| !ca.is_ca()) {
        let what =
            "may not sign certificates of nodes: its certificate lacks cA with pathlen 0, or keyCertSign";
        report.push(ca_fault("PG-H07", committed, what));
    }
    for (member, certificate) in committed.leaves().filter(|(_, certificate)| !certificate.is_node()) {
        let what = if certificate.is_ca() {
            "is that of a CA: with the node's key, anybody can sign certificates for the cluster"
        } else {
            "is not valid for both ends of TLS: it lacks digitalSignature, serverAuth or clientAuth"
        };
        report.push(certificate_fault("PG-H07", member, what));
    }
}

/// H08: the CA of a certificate is found by key and by name.
pub(super) fn h08(committed: &Committed<'_>, report: &mut Report) {
    let mut names = HashSet::new();
    for ca in &committed.authorities {
        if ca.subject_key_id.is_none() {
            report.push(ca_fault("PG-H08", committed, "has no key identifier in its certificate"));
        }
        if !names.insert(&ca.subject) {
            let what =
                format!("has two certificates with one name, {}: clients try the wrong one", ca.subject);
            report.push(ca_fault("PG-H08", committed, what));
        }
    }
    for (member, certificate) in committed.leaves() {
        if certificate.issuer == certificate.subject {
            report.push(certificate_fault("PG-H08", member, "is signed by itself"));
        } else if certificate.subject_key_id.is_none() || certificate.authority_key_id.is_none() {
            report.push(certificate_fault(
                "PG-H08",
                member,
                "lacks the identifier of its key or of the CA's key",
            ));
        } else if let Some(ca) = committed.issuer(certificate).filter(|ca| ca.subject != certificate.issuer) {
            let what = format!(
                "names {} as its issuer, but has the key identifier of {}",
                certificate.issuer, ca.subject
            );
            report.push(certificate_fault("PG-H08", member, what));
        }
    }
}

/// H09: the CA may vouch for every name and address of the inventory.
pub(super) fn h09(committed: &Committed<'_>, report: &mut Report) {
    let help = "the name constraints of a CA are fixed when it is made: take the change back, or replace the CA: \
                `plasmagen certs rotate begin` is the first of three steps";
    for ca in &committed.authorities {
        let subnets = &ca.constraints.permitted.subnets;
        let stated = |v6: bool| subnets.iter().any(|net| net.network().is_ipv6() == v6);
        if !stated(false) || !stated(true) {
            let what = "states subnets of one address family only, and some clients accept every address of the other";
            report.push(ca_fault("PG-H09", committed, what).cured_by(Cure::Rotation));
            return;
        }
    }
    // A new network is one fault, however many nodes are in it.
    let mut told = HashSet::<Span>::new();
    for member in &committed.members {
        for refused in committed.refused(member) {
            let (span, what) = committed.origin(member, &refused);
            if told.insert(span.clone()) {
                let message = format!("the cluster's CA may not vouch for {what}");
                let found = Diagnostic::error("PG-H09", &span, message).help(help);
                report.push(found.cured_by(Cure::Rotation));
            }
        }
    }
}

/// H10: keys are of a kind that every TLS stack accepts and nobody breaks.
pub(super) fn h10(committed: &Committed<'_>, report: &mut Report) {
    let what =
        "has a weak or unknown kind of key: accepted are ECDSA P-256 and P-384, and RSA of 3072 bits or more";
    if committed.authorities.iter().any(|ca| !ca.key_type.is_accepted()) {
        report.push(ca_fault("PG-H10", committed, what));
    }
    for (member, _) in committed.leaves().filter(|(_, certificate)| !certificate.key_type.is_accepted()) {
        report.push(certificate_fault("PG-H10", member, what));
    }
}

/// H12: a published CA signed each certificate that has not expired.
pub(super) fn h12(committed: &Committed<'_>, report: &mut Report) {
    if committed.authorities.is_empty() {
        return;
    }
    for (member, certificate) in committed.leaves() {
        let lives = certificate.not_after >= committed.now;
        // H08 reports a certificate without an issuer's identifier, or signed by itself; H18 a CA that is not the cluster's.
        let is_reported = certificate.authority_key_id.is_none()
            || certificate.issuer == certificate.subject
            || committed.is_from_foreign_ca(certificate);
        if is_reported {
            continue;
        }
        match committed.issuer(certificate) {
            None if lives => {
                let what = "is not from a CA in ca-cert.pem, so that nobody who trusts that file accepts it";
                let help = "restore ca-cert.pem from git; if a foreign CA signed the certificate, remove it and run \
                            `plasmagen render`";
                report.push(certificate_fault("PG-H12", member, what).help(help));
            }
            // H07 reports a CA that may not sign, and H08 another name of the issuer.
            Some(ca) if !member.has_signature && ca.is_ca() && ca.subject == certificate.issuer => {
                let what = format!(
                    "names {} as its CA, but the signature is not by that CA's key: the certificate was altered or forged",
                    ca.subject
                );
                report.push(certificate_fault("PG-H12", member, what));
            }
            _ => {}
        }
    }
}
