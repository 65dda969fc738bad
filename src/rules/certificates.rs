//! Chapter H: what committed certificates say, against the inventory and their CA.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use crate::diag::{Diagnostic, Report, Span};
use crate::pki::read::SanDifference;

use super::committed::{Committed, NodeCertificate, ca_fault, certificate_fault};

/// Serial numbers have 64 random bits or more, and 20 octets or less (RFC 5280 section 4.1.2.2).
const SERIAL_OCTETS: std::ops::RangeInclusive<usize> = 8..=20;

/// Where certificates are, their CA is.
pub(super) fn h03(committed: &Committed<'_>, report: &mut Report) {
    if !committed.published && committed.leaves().next().is_some() {
        let message = "nodes/ holds certificates but no ca-cert.pem";
        let fault = Diagnostic::error("PG-H03", &committed.cluster_span(), message);
        report.push(
            fault.help("restore it from git: a new CA would cut off every machine that trusts the old one"),
        );
    }
}

/// What is committed as a certificate is one.
pub(super) fn h04(committed: &Committed<'_>, report: &mut Report) {
    if let Some(why) = &committed.broken {
        report.push(ca_fault("PG-H04", committed, format!("cannot be read: {why}")));
    }
    for member in &committed.members {
        if let Some(Err(why)) = &member.certificate {
            report.push(certificate_fault("PG-H04", member, format!("cannot be read: {why}")));
        }
    }
}

/// Serial numbers are positive, long enough to be random, and used once.
pub(super) fn h05(committed: &Committed<'_>, report: &mut Report) {
    let mut seen = HashMap::<(&str, &str), &NodeCertificate<'_>>::new();
    for (member, certificate) in committed.leaves() {
        // Hexadecimal; a first digit of 8 and more is a sign.
        let positive = certificate.serial.starts_with(|c: char| ('0'..'8').contains(&c));
        if !positive || !SERIAL_OCTETS.contains(&(certificate.serial.len() / 2)) {
            let what = format!(
                "has the serial number {}, which is no random number of 8 to 20 octets",
                certificate.serial
            );
            report.push(certificate_fault("PG-H05", member, what));
        }
        if let Some(first) = seen.insert((&certificate.issuer, &certificate.serial), member) {
            let what = format!("has the serial number of that of `{}`", first.node.name);
            report.push(certificate_fault("PG-H05", member, what).related(first.span, "this node's"));
        }
    }
}

/// A certificate says the names and addresses of the inventory: a warning where the inventory went ahead of it, and an
/// error where plasmagen never wrote what it says.
pub(super) fn h06(committed: &Committed<'_>, report: &mut Report) {
    for (member, certificate) in committed.leaves() {
        let strange =
            |name: &&String| name.is_empty() || name.contains('*') || name.parse::<IpAddr>().is_ok();
        if let Some(name) = certificate.dns_names.iter().find(strange) {
            report.push(certificate_fault(
                "PG-H06",
                member,
                format!("names `{name}`, which is no host's name"),
            ));
            continue;
        }
        let differs = certificate.difference(&member.request);
        if differs == SanDifference::default() {
            if !certificate.covers(&member.request) {
                report.push(certificate_fault("PG-H06", member, "names more than host names and addresses"));
            }
            continue;
        }
        // What the CA refuses is H09's.
        if committed.refused(member).is_empty() {
            let SanDifference { missing, extra } = differs;
            let lacks = (!missing.is_empty()).then(|| format!("lacks {}", missing.join(", ")));
            let has = (!extra.is_empty()).then(|| format!("still has {}", extra.join(", ")));
            let what: Vec<_> = lacks.into_iter().chain(has).collect();
            let message = format!("the certificate of `{}` {}", member.node.name, what.join(" and "));
            let found = Diagnostic::warning("PG-H06", member.span, message);
            report.push(found.help("`plasmagen render` issues another"));
        }
    }
}

/// Certificates are for what they are used for: the CA's for signing, the nodes' for both ends of TLS.
pub(super) fn h07(committed: &Committed<'_>, report: &mut Report) {
    if committed.authorities.iter().any(|ca| !ca.is_ca()) {
        let what = "is not one for leaves: its certificate lacks cA with pathlen 0, or keyCertSign";
        report.push(ca_fault("PG-H07", committed, what));
    }
    for (member, certificate) in committed.leaves().filter(|(_, certificate)| !certificate.is_node()) {
        let what = if certificate.is_ca() {
            "is that of a CA, and whoever has the node signs what he likes"
        } else {
            "is not for both ends of TLS: it lacks digitalSignature, serverAuth or clientAuth"
        };
        report.push(certificate_fault("PG-H07", member, what));
    }
}

/// Who signed a certificate is found by key and by name.
pub(super) fn h08(committed: &Committed<'_>, report: &mut Report) {
    let mut names = HashSet::new();
    for ca in &committed.authorities {
        if ca.subject_key_id.is_none() {
            report.push(ca_fault("PG-H08", committed, "has no key identifier in its certificate"));
        }
        if !names.insert(&ca.subject) {
            let what = format!("is there twice under one name, {}: clients take the wrong one", ca.subject);
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
                "lacks the identifier of its key or of its CA's",
            ));
        } else if let Some(ca) = committed.issuer(certificate).filter(|ca| ca.subject != certificate.issuer) {
            let what =
                format!("says that {} signed it, and the key is that of {}", certificate.issuer, ca.subject);
            report.push(certificate_fault("PG-H08", member, what));
        }
    }
}

/// The CA may vouch for every name and address of the inventory.
pub(super) fn h09(committed: &Committed<'_>, report: &mut Report) {
    let help = "the name constraints of a CA are fixed when it is made: take the change back, or replace the CA \
                (`plasmagen explain PG-H11`)";
    for ca in &committed.authorities {
        let subnets = &ca.constraints.permitted.subnets;
        let stated = |v6: bool| subnets.iter().any(|net| net.network().is_ipv6() == v6);
        if subnets.is_empty() {
            continue;
        }
        if !stated(false) || !stated(true) {
            let what =
                "states the subnets of one address family only, and some clients leave the other one open";
            report.push(ca_fault("PG-H09", committed, what));
            return;
        }
    }
    // One new network is one fault, however many nodes stand in it.
    let mut told = HashSet::<Span>::new();
    for member in &committed.members {
        for refused in committed.refused(member) {
            let (span, what) = committed.origin(member, &refused);
            if told.insert(span.clone()) {
                let message = format!("the cluster's CA may not vouch for {what}");
                report.push(Diagnostic::error("PG-H09", &span, message).help(help));
            }
        }
    }
}

/// Keys are of a kind that every TLS stack takes and nobody breaks.
pub(super) fn h10(committed: &Committed<'_>, report: &mut Report) {
    let what =
        "has a weak or unknown kind of key: ECDSA P-256 and P-384 are taken, and RSA of 3072 bits or more";
    if committed.authorities.iter().any(|ca| !ca.key_type.is_accepted()) {
        report.push(ca_fault("PG-H10", committed, what));
    }
    for (member, _) in committed.leaves().filter(|(_, certificate)| !certificate.key_type.is_accepted()) {
        report.push(certificate_fault("PG-H10", member, what));
    }
}

/// The CA of every certificate that still lives is published.
pub(super) fn h12(committed: &Committed<'_>, report: &mut Report) {
    if committed.authorities.is_empty() {
        return;
    }
    for (member, certificate) in committed.leaves() {
        let lives = certificate.not_after >= committed.now;
        // One without an issuer's identifier, or signed by itself, is H08's.
        let named = certificate.authority_key_id.is_some() && certificate.issuer != certificate.subject;
        if lives && named && committed.issuer(certificate).is_none() {
            let what = "is not from a CA in ca-cert.pem, and nobody who trusts that file accepts it";
            let help = "restore ca-cert.pem from git: it holds each CA until nothing lives that it signed";
            report.push(certificate_fault("PG-H12", member, what).help(help));
        }
    }
}
