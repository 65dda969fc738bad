//! The fault of syntax, and the question whether a text is a value.

use toml::de::DeTable;

use crate::diag::{Diagnostic, Span, Subject};

/// How many faults of syntax are looked for: an inventory with more of them is another kind of file.
pub(in crate::inventory) const MOST_FAULTS: usize = 1000;

/// Makes a fault of syntax.
pub(super) fn fault(span: &Span, message: impl Into<String>) -> Diagnostic {
    Diagnostic::error("PG-A01", span, message).about(Subject::Syntax)
}

/// Whether TOML has the value `text`.
pub(super) fn is_value(text: &str) -> bool {
    DeTable::parse(&format!("value = {text}")).is_ok()
}
