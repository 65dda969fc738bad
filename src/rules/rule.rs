//! A rule of the catalogue, and how it is enforced.

use crate::diag::{Code, Report, Severity};
use crate::resolve::Draft;

use super::committed::Committed;

/// A rule of the catalogue.
#[derive(Debug)]
pub struct Rule {
    /// The stable code, such as `PG-C13`. A code is never given a new meaning.
    pub code: Code,
    /// Whether an inventory that breaks the rule is refused.
    pub severity: Severity,
    /// Whether the rule warns, if only in some cases: then `allow` can acknowledge the warning.
    pub warns: bool,
    /// The condition that must hold.
    pub title: &'static str,
    /// The consequence when the condition does not hold.
    pub why: &'static str,
    /// How the rule is enforced.
    pub enforcement: Enforcement,
    /// The page that `plasmagen explain` prints: what the rule protects, the incident behind it, the fix.
    pub page: &'static str,
}

/// How a rule is enforced.
#[derive(Clone, Copy, Debug)]
pub enum Enforcement {
    /// By the reader of the inventory, or by the newtype of the value.
    Reading,
    /// By a function that looks at the resolved inventory.
    Resolved(fn(&Draft<'_>, &mut Report)),
    /// By a function that looks at the committed certificates, and at what was rendered last, of a sound inventory.
    Certificates(fn(&Committed<'_>, &mut Report)),
    /// By a function that looks at the operator's files that a sound inventory names.
    Files(fn(&Committed<'_>, &mut Report)),
    /// By a part of plasmagen that does not look at the inventory; the text names that part.
    Elsewhere(&'static str),
    /// Not yet: the text says what is missing.
    Later(&'static str),
}
