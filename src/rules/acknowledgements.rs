//! The codes in `allow`: rules A11 and A13, once every other rule has run.

use crate::diag::{Diagnostic, Report};

use super::rule::Enforcement;
use super::table::find;

/// Reports each code in an `allow` that is not the code of a warning (A11).
pub(super) fn check_codes(report: &mut Report) {
    let mut faults = Vec::new();
    for acknowledgement in report.acknowledgements() {
        let code = &acknowledgement.code;
        let message = match find(&code.value) {
            None => format!("there is no rule {}", code.value),
            Some(rule) if !rule.warns => format!("{} is an error, which cannot be acknowledged", rule.code),
            Some(_) => continue,
        };
        let fault = Diagnostic::error("PG-A11", &code.span, message);
        faults.push(fault.help("write the code of a warning that you want to acknowledge"));
    }
    faults.into_iter().for_each(|fault| report.push(fault));
}

/// Warns of each acknowledgement that covers no warning (A13). Acknowledgements of A13 itself come last, since they
/// may cover the warnings of this function.
pub(super) fn check_use(report: &mut Report) {
    for last in [false, true] {
        let is_judged = |code: &str| {
            let enforcement = find(code).map(|rule| rule.enforcement);
            let here = matches!(enforcement, Some(Enforcement::Reading | Enforcement::Resolved(_)));
            here && (code == UNUSED) == last
        };
        for unused in
            report.unused_acknowledgements().into_iter().filter(|unused| is_judged(&unused.code.value))
        {
            let message = format!("there is no warning {} here", unused.code.value);
            let fault = Diagnostic::warning(UNUSED, &unused.code.span, message);
            report.push(fault.help("remove the code: it would hide the next such warning"));
        }
    }
}

/// The code of the warnings of [`check_use`].
const UNUSED: &str = "PG-A13";
