//! What is said to the author of an inventory: diagnostics with a place, all of them at once.

use std::ops::Range;

mod report;

pub use report::{Acknowledged, Report};

/// A place in the inventory: byte offsets.
pub type Span = Range<usize>;

/// A value and the place where it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    /// What is written.
    pub value: T,
    /// Where.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// `value` as written at `span`.
    pub fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }
}

/// How grave a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The inventory is refused.
    Error,
    /// The author should know, and may acknowledge it with `allow = ["PG-…"]` where it concerns.
    Warning,
}

/// The stable code of a rule, `PG-C13`; the catalogue is `rules::RULES`.
pub type Code = &'static str;

/// Another place that explains a diagnostic, such as "first used here".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Related {
    /// Where.
    pub span: Span,
    /// What is there.
    pub label: String,
}

/// One fault of an inventory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The rule that it breaks.
    pub code: Code,
    /// Whether the inventory is refused for it.
    pub severity: Severity,
    /// Where it is written.
    pub span: Span,
    /// What is wrong, in one line.
    pub message: String,
    /// Further places that it has to do with.
    pub related: Vec<Related>,
    /// What to write instead.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A fault for which the inventory is refused.
    pub fn error(code: Code, span: &Span, message: impl Into<String>) -> Self {
        let (span, message) = (span.clone(), message.into());
        Self { code, severity: Severity::Error, span, message, related: Vec::new(), help: None }
    }

    /// Something that the author should know.
    pub fn warning(code: Code, span: &Span, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, span, message) }
    }

    /// Says what to write instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Points at another place.
    #[must_use]
    pub fn related(mut self, span: &Span, label: impl Into<String>) -> Self {
        self.related.push(Related { span: span.clone(), label: label.into() });
        self
    }
}
