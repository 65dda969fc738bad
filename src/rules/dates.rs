//! Chapter H: the dates of committed certificates, against those of their CA and the clock.

use time::{OffsetDateTime, UtcOffset};

use crate::diag::{Diagnostic, Report, Severity};
use crate::pki::PublicCert;
use crate::pki::issue::FIRST_YEAR;
use crate::pki::status::Validity;

use super::committed::{Committed, ca_fault, fault};

/// The day of `moment`, in UTC.
fn day(moment: OffsetDateTime) -> time::Date {
    moment.to_offset(UtcOffset::UTC).date()
}

/// `moment` to the second, in UTC.
fn second(moment: OffsetDateTime) -> String {
    let moment = moment.to_offset(UtcOffset::UTC);
    let (hour, minute, second) = moment.to_hms();
    format!("{} {hour:02}:{minute:02}:{second:02} UTC", moment.date())
}

/// Whether the clock that dated `own` had been reset.
fn is_reset(own: &PublicCert) -> bool {
    own.not_before.year() < FIRST_YEAR
}

/// A certificate lives within the life of its CA.
pub(super) fn h01(committed: &Committed<'_>, report: &mut Report) {
    for (member, own) in committed.leaves() {
        let Some(ca) = committed.issuer(own) else { continue };
        if own.not_after > ca.not_after {
            let (own, ca) = (day(own.not_after), day(ca.not_after));
            report.push(fault("PG-H01", member, format!("is valid until {own}, and its CA only until {ca}")));
        }
        // One that is older than any of plasmagen's is H17's.
        if own.not_before < ca.not_before && !is_reset(own) {
            let (own, ca) = (second(own.not_before), second(ca.not_before));
            report.push(fault("PG-H01", member, format!("is valid from {own}, and its CA only from {ca}")));
        }
    }
}

/// A certificate is valid already.
pub(super) fn h02(committed: &Committed<'_>, report: &mut Report) {
    let early = |own: &PublicCert| Validity::of(own, committed.now) == Validity::NotYetValid;
    let help = "set the clock of this machine; if it is right, that of the machine which made the certificate was not";
    for ca in committed.authorities.iter().filter(|ca| early(ca)) {
        let what =
            format!("is valid from {} only, and here it is {}", second(ca.not_before), second(committed.now));
        report.push(ca_fault("PG-H02", committed, what).help(help));
    }
    // Leaves begin after their CA: of those whose CA is not valid yet, nothing more is to be said.
    for (member, own) in committed.leaves().filter(|(_, own)| early(own)) {
        if !committed.issuer(own).is_some_and(early) {
            let what = format!(
                "is valid from {} only, and here it is {}",
                second(own.not_before),
                second(committed.now)
            );
            report.push(fault("PG-H02", member, what).help(help));
        }
    }
}

/// Certificates last: a third of their life is left, and 14 days at the very least.
pub(super) fn h11(committed: &Committed<'_>, report: &mut Report) {
    let weigh = |found: Diagnostic, own: &PublicCert| match Validity::of(own, committed.now) {
        // What a clock in 1970 dated is H17's.
        _ if is_reset(own) => None,
        Validity::Renew => Some(Diagnostic { severity: Severity::Warning, ..found }),
        Validity::Urgent | Validity::Expired => Some(found),
        Validity::Ok | Validity::NotYetValid => None,
    };
    let until = |own: &PublicCert| {
        let left = (own.not_after - committed.now).whole_days();
        match own.not_after < committed.now {
            true => format!("is expired since {}", day(own.not_after)),
            false => format!("is valid until {}, for {left} more days", day(own.not_after)),
        }
    };
    for ca in &committed.authorities {
        let found = ca_fault("PG-H11", committed, until(ca));
        let help = "make a new one while machines still trust the old: `plasmagen certs rotate`";
        report.push_some(weigh(found.help(help), ca));
    }
    for (member, own) in committed.leaves() {
        // What ends with its CA is not cured before that is.
        if committed.issuer(own).is_none_or(|ca| ca.not_after > own.not_after) {
            report.push_some(weigh(fault("PG-H11", member, until(own)), own));
        }
    }
}

/// No certificate was made by a clock that had been reset.
pub(super) fn h17(committed: &Committed<'_>, report: &mut Report) {
    let what = |own: &PublicCert| {
        format!("is dated {}: the clock of the machine that made it was reset", day(own.not_before))
    };
    for ca in committed.authorities.iter().filter(|ca| is_reset(ca)) {
        report.push(ca_fault("PG-H17", committed, what(ca)));
    }
    // What a CA of that day signed on that day is to be made anew with it.
    for (member, own) in committed.leaves().filter(|(_, own)| is_reset(own)) {
        if !committed.issuer(own).is_some_and(is_reset) {
            report.push(fault("PG-H17", member, what(own)));
        }
    }
}
