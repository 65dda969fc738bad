//! The invariants: what must be true of an inventory before anything is written from it.
//!
//! One file a theme, one function a rule, one table of all. To add a rule: its function in the file of its theme, its row
//! in `table.rs`, its page in `docs/rules/`, and `tests/rejects/<code>.toml`.

mod access;
mod addresses;
mod bonds;
mod certificates;
mod committed;
mod dates;
mod derived;
mod disks;
mod links;
mod loading;
mod macs;
mod members;
mod mtu;
mod names;
mod ports;
mod quorum;
mod references;
mod table;
mod unused;
mod vlans;
mod zones;

pub use committed::Committed;
pub use table::RULES;

use crate::diag::{Code, Diagnostic, Report, Severity};
use crate::resolve::Draft;

/// A rule of the catalogue.
#[derive(Debug)]
pub struct Rule {
    /// `PG-C13`. A code is never given a new meaning.
    pub code: Code,
    /// Whether the inventory is refused when it is broken.
    pub severity: Severity,
    /// Whether it warns, if only in some cases: then `allow` may acknowledge it.
    pub warns: bool,
    /// What must be true.
    pub title: &'static str,
    /// What happens when it is not.
    pub why: &'static str,
    /// How it is enforced.
    pub check: Check,
    /// The page that `plasmagen explain` prints: what the rule protects, the incident behind it, the fix.
    pub page: &'static str,
}

/// How a rule is enforced.
#[derive(Clone, Copy, Debug)]
pub enum Check {
    /// While the inventory is read: by the reader, or by the newtype of the value.
    Reading,
    /// Over the resolved inventory.
    Resolved(fn(&Draft<'_>, &mut Report)),
    /// Over the committed certificates of a sound inventory.
    Certificates(fn(&Committed<'_>, &mut Report)),
    /// Not by `check`, but where its matter is handled: which room, and how.
    Elsewhere(&'static str),
    /// Not yet: it is about something that does not exist so far, which is named.
    Later(&'static str),
}

/// The rule of that code.
#[must_use]
pub fn find(code: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.code == code)
}

/// Runs every rule over `draft`: warnings last, so that they can keep quiet about what follows from an error.
pub fn check(draft: &Draft<'_>, report: &mut Report) {
    for severity in [Severity::Error, Severity::Warning] {
        for rule in RULES.iter().filter(|rule| rule.severity == severity) {
            if let Check::Resolved(check) = rule.check {
                check(draft, report);
            }
        }
    }
    let wrong = report.acknowledged().iter().filter_map(|own| {
        let message = match find(&own.code.value) {
            None => format!("there is no rule {}", own.code.value),
            Some(rule) if !rule.warns => format!("{} is an error, which cannot be acknowledged", rule.code),
            Some(_) => return None,
        };
        let fault = Diagnostic::error("PG-A11", &own.code.span, message);
        Some(fault.help("write the code of the warning that you know of"))
    });
    let wrong: Vec<_> = wrong.collect();
    wrong.into_iter().for_each(|fault| report.push(fault));
    unused::acknowledgements(report);
}

/// Runs every rule on certificates.
pub fn check_certificates(committed: &Committed<'_>, report: &mut Report) {
    for rule in RULES {
        if let Check::Certificates(check) = rule.check {
            check(committed, report);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_names_each_rule_once() {
        assert!(RULES.windows(2).all(|pair| pair[0].code < pair[1].code));
    }
}
