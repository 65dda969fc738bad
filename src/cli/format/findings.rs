//! The diagnostics of one inventory.

use crate::diag::Diagnostic;

use super::source::SourceText;

/// An inventory and its diagnostics.
pub(in crate::cli) struct Findings<'a> {
    pub(in crate::cli) source: SourceText<'a>,
    pub(in crate::cli) found: Vec<Diagnostic>,
}
