//! The diagnostics of one run: collected, sorted, without the acknowledged warnings.

use std::collections::BTreeMap;

use super::diagnostic::{Cure, Diagnostic, Severity, Subject};
use super::span::{Span, Spanned};

/// The diagnostics of an inventory, collected while the inventory is read, resolved and checked.
#[derive(Clone, Debug, Default)]
pub struct Report {
    found: Vec<Diagnostic>,
    acknowledgements: Vec<Acknowledgement>,
    unreadable: Vec<Span>,
}

/// One code of an `allow`: warnings of that code are acknowledged at some places.
#[derive(Clone, Debug)]
pub struct Acknowledgement {
    /// The code as written in the `allow`.
    pub code: Spanned<String>,
    /// The places that the acknowledgement covers.
    places: Vec<Span>,
}

impl Report {
    /// Adds a diagnostic.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.found.push(diagnostic);
    }

    /// Adds a diagnostic if there is one.
    pub fn push_some(&mut self, diagnostic: Option<Diagnostic>) {
        self.found.extend(diagnostic);
    }

    /// Acknowledges the warnings `code` at `places`: see `allow` in the inventory.
    pub fn acknowledge(&mut self, code: Spanned<String>, places: &[Span]) {
        self.acknowledgements.push(Acknowledgement { code, places: places.to_vec() });
    }

    /// Marks the value at `place` as not readable as TOML. Of what is reported there only the syntax fault is kept:
    /// the other faults are about a value that the parser made up.
    pub fn mark_unreadable(&mut self, place: &Span) {
        self.unreadable.push(place.clone());
    }

    /// The places of all diagnostics so far.
    pub fn places(&self) -> impl Iterator<Item = &Span> {
        self.found.iter().map(|diagnostic| &diagnostic.span)
    }

    /// Whether an error has been found so far.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.found.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Whether an error has been found so far that the cures `cures` do not remove.
    #[must_use]
    pub fn refuses(&self, cures: &[Cure]) -> bool {
        self.found.iter().any(|diagnostic| diagnostic.is_refusal(cures))
    }

    /// The acknowledgements of the author.
    #[must_use]
    pub fn acknowledgements(&self) -> &[Acknowledgement] {
        &self.acknowledgements
    }

    /// The acknowledgements that cover no diagnostic so far; none while there are errors, because rules leave out
    /// warnings that may only follow from an error.
    #[must_use]
    pub fn unused_acknowledgements(&self) -> Vec<Acknowledgement> {
        if self.has_errors() {
            return Vec::new();
        }
        let mut found = BTreeMap::<&str, Vec<&Span>>::new();
        for diagnostic in &self.found {
            found.entry(diagnostic.code).or_default().push(&diagnostic.span);
        }
        for spans in found.values_mut() {
            spans.sort_by_key(|span| (span.start, span.end));
        }
        let is_used = |acknowledgement: &&Acknowledgement| {
            let spans = found.get(acknowledgement.code.value.as_str()).map_or(&[][..], |spans| spans);
            acknowledgement.places.iter().any(|place| {
                let after = spans.partition_point(|span| span.start < place.start);
                spans.get(after).is_some_and(|span| span.end <= place.end)
            })
        };
        self.acknowledgements.iter().filter(|acknowledgement| !is_used(acknowledgement)).cloned().collect()
    }

    /// The diagnostics by place, without the acknowledged warnings. Each stands there once, although a fault of a
    /// profile is found at every node that uses the profile.
    #[must_use]
    pub fn finish(self) -> Vec<Diagnostic> {
        let mut places_of = BTreeMap::<&str, Vec<&Span>>::new();
        for acknowledgement in &self.acknowledgements {
            places_of.entry(&acknowledgement.code.value).or_default().extend(&acknowledgement.places);
        }
        for places in places_of.values_mut() {
            places.sort_by_key(|place| place.start);
        }
        let is_acknowledged = |diagnostic: &Diagnostic| {
            diagnostic.severity == Severity::Warning
                && places_of.get(diagnostic.code).is_some_and(|places| {
                    let after = places.partition_point(|place| place.start <= diagnostic.span.start);
                    places[..after].last().is_some_and(|place| diagnostic.span.end <= place.end)
                })
        };
        let mut unreadable = self.unreadable;
        unreadable.sort_by_key(|place| place.start);
        let is_made_up = |diagnostic: &Diagnostic| {
            let before = unreadable.partition_point(|place| place.start <= diagnostic.span.end);
            diagnostic.subject != Subject::Syntax
                && unreadable[..before].last().is_some_and(|place| diagnostic.span.start <= place.end)
        };
        let mut found: Vec<_> = self
            .found
            .into_iter()
            .filter(|diagnostic| !is_acknowledged(diagnostic) && !is_made_up(diagnostic))
            .collect();
        found.sort_by(|a, b| {
            let key = |diagnostic: &Diagnostic| (diagnostic.span.start, diagnostic.span.end, diagnostic.code);
            key(a).cmp(&key(b)).then_with(|| a.message.cmp(&b.message))
        });
        found.dedup_by(|a, b| a.code == b.code && a.span == b.span && a.message == b.message);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_sorted_and_says_each_thing_once() {
        let mut report = Report::default();
        report.push(Diagnostic::error("PG-B01", &(9..12), "b"));
        report.push(Diagnostic::error("PG-A01", &(1..2), "a"));
        report.push(Diagnostic::error("PG-B01", &(9..12), "b"));
        let codes: Vec<_> = report.finish().iter().map(|d| d.code).collect();
        assert_eq!(codes, ["PG-A01", "PG-B01"]);
    }

    #[test]
    fn faults_of_an_unreadable_value_are_left_out() {
        let mut report = Report::default();
        report.mark_unreadable(&(24..29));
        report.push(Diagnostic::error("PG-A01", &(24..29), "not TOML").about(Subject::Syntax));
        report.push(Diagnostic::error("PG-D01", &(20..29), "follows"));
        report.push(Diagnostic::error("PG-D01", &(30..39), "another"));
        let left: Vec<_> = report.finish().into_iter().map(|d| d.message).collect();
        assert_eq!(left, ["not TOML", "another"]);
    }

    #[test]
    fn an_acknowledgement_without_a_warning_is_unused() {
        let mut report = Report::default();
        report.acknowledge(Spanned::new("PG-D04".into(), 40..46), &[20..30, 0..10]);
        report.acknowledge(Spanned::new("PG-F01".into(), 47..53), &[20..30, 0..10]);
        report.push(Diagnostic::warning("PG-D04", &(22..25), "covered"));
        report.push(Diagnostic::warning("PG-F01", &(12..15), "elsewhere"));
        let unused = |report: &Report| {
            report.unused_acknowledgements().into_iter().map(|unused| unused.code.value).collect::<Vec<_>>()
        };
        assert_eq!(unused(&report), ["PG-F01"]);
        report.push(Diagnostic::error("PG-A01", &(0..1), "rules keep quiet now"));
        assert!(unused(&report).is_empty());
    }

    #[test]
    fn only_warnings_are_acknowledged_and_only_where_it_was_said() {
        let mut report = Report::default();
        report.acknowledge(Spanned::new("PG-D04".into(), 40..46), &[20..30, 0..10]);
        report.push(Diagnostic::warning("PG-D04", &(22..25), "acknowledged"));
        report.push(Diagnostic::warning("PG-D04", &(12..15), "elsewhere"));
        report.push(Diagnostic::warning("PG-F01", &(2..5), "another rule"));
        report.push(Diagnostic::error("PG-D04", &(3..5), "an error"));
        let left: Vec<_> = report.finish().into_iter().map(|d| d.message).collect();
        assert_eq!(left, ["another rule", "an error", "elsewhere"]);
    }
}
