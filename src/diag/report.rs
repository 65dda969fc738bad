//! What was found, gathered and set in order.

use std::collections::BTreeMap;

use super::{Diagnostic, Severity, Span, Spanned};

/// The faults of an inventory, gathered while it is read, resolved and checked.
#[derive(Clone, Debug, Default)]
pub struct Report {
    found: Vec<Diagnostic>,
    acknowledged: Vec<Acknowledged>,
    garbled: Vec<Span>,
}

/// A warning that the author knows of: one code of an `allow`.
#[derive(Clone, Debug)]
pub struct Acknowledged {
    /// The code, and where it is written.
    pub code: Spanned<String>,
    /// What it covers.
    places: Vec<Span>,
}

impl Report {
    /// Adds a fault.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.found.push(diagnostic);
    }

    /// Adds a fault if there is one.
    pub fn push_some(&mut self, diagnostic: Option<Diagnostic>) {
        self.found.extend(diagnostic);
    }

    /// Acknowledges the warnings `code` at `places`: see `allow` in the inventory.
    pub fn acknowledge(&mut self, code: Spanned<String>, places: &[Span]) {
        self.acknowledged.push(Acknowledged { code, places: places.to_vec() });
    }

    /// Says that what stands at `place` is no value at all, which is reported: what else is said of it merely follows.
    pub fn garble(&mut self, place: &Span) {
        self.garbled.push(place.clone());
    }

    /// Where something has been found so far.
    pub fn places(&self) -> impl Iterator<Item = &Span> {
        self.found.iter().map(|found| &found.span)
    }

    /// Whether an error has been found so far.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.found.iter().any(|found| found.severity == Severity::Error)
    }

    /// What the author has acknowledged.
    #[must_use]
    pub fn acknowledged(&self) -> &[Acknowledged] {
        &self.acknowledged
    }

    /// What acknowledges nothing that has been found so far, where that can be told: among errors, rules keep quiet.
    #[must_use]
    pub fn idle(&self) -> Vec<Acknowledged> {
        if self.has_errors() {
            return Vec::new();
        }
        let mut found = BTreeMap::<&str, Vec<&Span>>::new();
        for own in &self.found {
            found.entry(own.code).or_default().push(&own.span);
        }
        for spans in found.values_mut() {
            spans.sort_by_key(|span| (span.start, span.end));
        }
        let used = |own: &&Acknowledged| {
            let spans = found.get(own.code.value.as_str()).map_or(&[][..], |spans| spans);
            own.places.iter().any(|place| {
                let after = spans.partition_point(|span| span.start < place.start);
                spans.get(after).is_some_and(|span| span.end <= place.end)
            })
        };
        self.acknowledged.iter().filter(|own| !used(own)).cloned().collect()
    }

    /// The faults by place, each once (a fault of a profile is found at every node that uses it), without the
    /// warnings that are acknowledged.
    #[must_use]
    pub fn finish(self) -> Vec<Diagnostic> {
        let mut places_of = BTreeMap::<&str, Vec<&Span>>::new();
        for acknowledged in &self.acknowledged {
            places_of.entry(&acknowledged.code.value).or_default().extend(&acknowledged.places);
        }
        for places in places_of.values_mut() {
            places.sort_by_key(|place| place.start);
        }
        let acknowledged = |d: &Diagnostic| {
            d.severity == Severity::Warning
                && places_of.get(d.code).is_some_and(|places| {
                    let after = places.partition_point(|place| place.start <= d.span.start);
                    places[..after].last().is_some_and(|place| d.span.end <= place.end)
                })
        };
        let mut garbled = self.garbled;
        garbled.sort_by_key(|place| place.start);
        let follows = |d: &Diagnostic| {
            let before = garbled.partition_point(|place| place.start <= d.span.end);
            d.code != "PG-A01" && garbled[..before].last().is_some_and(|place| d.span.start <= place.end)
        };
        let mut found: Vec<_> = self.found.into_iter().filter(|d| !acknowledged(d) && !follows(d)).collect();
        found.sort_by(|a, b| {
            let key = |d: &Diagnostic| (d.span.start, d.span.end, d.code);
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
    fn what_is_said_of_a_garbled_value_is_left_out() {
        let mut report = Report::default();
        report.garble(&(24..29));
        report.push(Diagnostic::error("PG-A01", &(24..29), "garbled"));
        report.push(Diagnostic::error("PG-D01", &(20..29), "follows"));
        report.push(Diagnostic::error("PG-D01", &(30..39), "another"));
        let left: Vec<_> = report.finish().into_iter().map(|d| d.message).collect();
        assert_eq!(left, ["garbled", "another"]);
    }

    #[test]
    fn an_acknowledgement_is_idle_where_nothing_is_warned_of() {
        let mut report = Report::default();
        report.acknowledge(Spanned::new("PG-D04".into(), 40..46), &[20..30, 0..10]);
        report.acknowledge(Spanned::new("PG-F01".into(), 47..53), &[20..30, 0..10]);
        report.push(Diagnostic::warning("PG-D04", &(22..25), "covered"));
        report.push(Diagnostic::warning("PG-F01", &(12..15), "elsewhere"));
        let idle = |report: &Report| report.idle().into_iter().map(|own| own.code.value).collect::<Vec<_>>();
        assert_eq!(idle(&report), ["PG-F01"]);
        report.push(Diagnostic::error("PG-A01", &(0..1), "rules keep quiet now"));
        assert!(idle(&report).is_empty());
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
