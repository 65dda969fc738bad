//! The diagnostics of an inventory: faults with a place, all reported in one run.

mod diagnostic;
mod report;
mod span;

pub use diagnostic::{Code, Diagnostic, Related, Severity, Subject};
pub use report::{Acknowledgement, Report};
pub use span::{Span, Spanned};
