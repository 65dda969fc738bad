//! Running the rules of the table.

use crate::diag::{Report, Severity};
use crate::resolve::Draft;

use super::acknowledgements;
use super::committed::Committed;
use super::rule::Enforcement;
use super::table::RULES;

/// Runs every rule on the resolved inventory, errors first: a warning may be left out where it only follows from an
/// error.
pub fn check(draft: &Draft<'_>, report: &mut Report) {
    for severity in [Severity::Error, Severity::Warning] {
        for rule in RULES.iter().filter(|rule| rule.severity == severity) {
            if let Enforcement::Resolved(check) = rule.enforcement {
                check(draft, report);
            }
        }
    }
    acknowledgements::check_codes(report);
    acknowledgements::check_use(report);
}

/// Runs every rule on the committed certificates, and on the operator's files.
pub fn check_certificates(committed: &Committed<'_>, report: &mut Report) {
    for rule in RULES {
        if let Enforcement::Certificates(check) | Enforcement::Files(check) = rule.enforcement {
            check(committed, report);
        }
    }
}
