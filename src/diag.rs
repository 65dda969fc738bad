//! The diagnostics of an inventory: faults with a place, all reported in one run.

mod diagnostic;
mod report;
mod secret;
mod span;

pub use diagnostic::{Code, Cure, Diagnostic, Edit, Related, Severity, Subject};
pub use report::{Acknowledgement, Report};
pub use secret::{KEY_MARKERS, PASSPHRASE_LETTERS, find_keys, find_passphrase};
pub use span::{Span, Spanned};
