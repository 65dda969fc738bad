//! Chapter H: the dates of committed certificates, compared with those of the CA and with the clock.

use time::{OffsetDateTime, UtcOffset};

use crate::diag::{Cure, Diagnostic, Report, Severity};
use crate::pki::PublicCert;
use crate::pki::issue::FIRST_YEAR;
use crate::pki::status::Validity;

use super::committed::{Committed, ca_fault, certificate_fault};

/// The day of `moment`, in UTC.
fn format_day(moment: OffsetDateTime) -> time::Date {
    moment.to_offset(UtcOffset::UTC).date()
}

/// `moment` to the second, in UTC.
fn format_second(moment: OffsetDateTime) -> String {
    let moment = moment.to_offset(UtcOffset::UTC);
    let (hour, minute, second) = moment.to_hms();
    format!("{} {hour:02}:{minute:02}:{second:02} UTC", moment.date())
}

/// Whether the clock that dated `certificate` had been reset.
fn is_reset(certificate: &PublicCert) -> bool {
    certificate.not_before.year() < FIRST_YEAR
}

/// H01: the life of a certificate lies within that of its CA.
pub(super) fn h01(committed: &Committed<'_>, report: &mut Report) {
    for (member, certificate) in committed.leaves() {
        let Some(ca) = committed.issuer(certificate) else { continue };
        if certificate.not_after > ca.not_after {
            let (end, ca_end) = (format_day(certificate.not_after), format_day(ca.not_after));
            let what = format!("is valid until {end}, and its CA only until {ca_end}");
            report.push(certificate_fault("PG-H01", member, what));
        }
        // H17 reports a certificate that is older than plasmagen.
        if certificate.not_before < ca.not_before && !is_reset(certificate) {
            let (start, ca_start) = (format_second(certificate.not_before), format_second(ca.not_before));
            let what = format!("is valid from {start}, and its CA only from {ca_start}");
            report.push(certificate_fault("PG-H01", member, what));
        }
    }
}

/// H02: a certificate is already valid.
pub(super) fn h02(committed: &Committed<'_>, report: &mut Report) {
    let early = |certificate: &PublicCert| Validity::of(certificate, committed.now) == Validity::NotYetValid;
    let help = "set the clock of this machine; if it is right, the clock of the machine that made the certificate was wrong";
    for ca in committed.authorities.iter().filter(|ca| early(ca)) {
        let what = format!(
            "is valid only from {}, and the clock of this machine shows {}",
            format_second(ca.not_before),
            format_second(committed.now)
        );
        report.push(ca_fault("PG-H02", committed, what).help(help));
    }
    // A leaf begins with its CA at the earliest: where the CA is not valid yet, that is the only fault to report.
    for (member, certificate) in committed.leaves().filter(|(_, certificate)| early(certificate)) {
        if !committed.issuer(certificate).is_some_and(early) {
            let what = format!(
                "is valid only from {}, and the clock of this machine shows {}",
                format_second(certificate.not_before),
                format_second(committed.now)
            );
            report.push(certificate_fault("PG-H02", member, what).help(help));
        }
    }
}

/// H11: certificates have a third of their life left, and at least 14 days.
pub(super) fn h11(committed: &Committed<'_>, report: &mut Report) {
    let weigh = |found: Diagnostic, certificate: &PublicCert| match Validity::of(certificate, committed.now) {
        // H17 reports certificates that a reset clock dated.
        _ if is_reset(certificate) => None,
        Validity::Renew => Some(Diagnostic { severity: Severity::Warning, ..found }),
        Validity::Urgent | Validity::Expired => Some(found),
        Validity::Ok | Validity::NotYetValid => None,
    };
    let until = |certificate: &PublicCert| {
        let left = (certificate.not_after - committed.now).whole_days();
        match certificate.not_after < committed.now {
            true => format!("expired on {}", format_day(certificate.not_after)),
            false => format!("is valid until {}, for {left} more days", format_day(certificate.not_after)),
        }
    };
    for ca in committed.authorities.iter().filter(|ca| !committed.is_replaced(ca)) {
        let found = ca_fault("PG-H11", committed, until(ca));
        let help = "replace the CA while machines still trust it: `plasmagen certs rotate status` says which step is next";
        report.push_some(weigh(found.help(help).cured_by(Cure::Rotation), ca));
    }
    for (member, certificate) in committed.leaves() {
        // A certificate that ends with its CA can only be renewed after the CA.
        if committed.issuer(certificate).is_none_or(|ca| ca.not_after > certificate.not_after) {
            let help = format!(
                "`plasmagen certs renew {}` issues a new certificate for the same key",
                member.node.name
            );
            let found = certificate_fault("PG-H11", member, until(certificate)).help(help);
            report.push_some(weigh(found.cured_by(Cure::Renewal), certificate));
        }
    }
}

/// H17: no certificate was dated by a clock that had been reset.
pub(super) fn h17(committed: &Committed<'_>, report: &mut Report) {
    let what = |certificate: &PublicCert| {
        format!(
            "is dated {}: the clock of the machine that made it was reset",
            format_day(certificate.not_before)
        )
    };
    for ca in committed.authorities.iter().filter(|ca| is_reset(ca)) {
        report.push(ca_fault("PG-H17", committed, what(ca)));
    }
    // A certificate of such a CA is made anew together with the CA.
    for (member, certificate) in committed.leaves().filter(|(_, certificate)| is_reset(certificate)) {
        if !committed.issuer(certificate).is_some_and(is_reset) {
            report.push(certificate_fault("PG-H17", member, what(certificate)));
        }
    }
}
