//! Diagnostics for people: where, what, why, and what to write instead.

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet, normalize_untrusted_str};

use crate::diag::{Diagnostic, Related, Severity, Span};
use crate::rules;

use super::source::{Source, visible};

/// How many bytes two places may lie apart to be shown in one excerpt; what lies between is folded.
const NEAR: usize = 4096;
/// How many bytes an excerpt has at most.
const READABLE: usize = 4 * NEAR;
/// What gives away a line that holds a secret, which has no business in an inventory.
const SECRETS: [&str; 4] = ["PRIVATE KEY", "AGE-SECRET-KEY-", "password =", "password="];

/// Whether `span` is shown in one excerpt with the place of `found`.
fn near(found: &Diagnostic, span: &Span) -> bool {
    span.start.abs_diff(found.span.start) < NEAR
}

/// The place of `found` and those near it.
fn around(found: &Diagnostic) -> Span {
    let spans = found.related.iter().map(|related| &related.span).filter(|span| near(found, span));
    spans.fold(found.span.clone(), |all, span| all.start.min(span.start)..all.end.max(span.end))
}

impl Source<'_> {
    /// The whole lines around `span`, the number of the first, and where they begin.
    ///
    /// `None` where they are not shown: a secret, since terminals are logged; or lines that nobody could read.
    fn excerpt(&self, span: &Span) -> Option<(&str, usize, usize)> {
        let (text, line, start) = self.lines(span);
        (text.len() <= READABLE && !SECRETS.iter().any(|mark| text.contains(mark)))
            .then_some((text, line, start))
    }

    /// The place of `span` without an excerpt.
    fn origin(&self, span: &Span) -> Origin<'_> {
        let at = self.position(span.start);
        Origin::path(&*self.shown).line(at.line).char_column(at.column)
    }

    /// `found` as text, with colours if `styled`.
    pub(in crate::cli) fn render(&self, found: &Diagnostic, styled: bool) -> String {
        let level = if found.severity == Severity::Error { Level::ERROR } else { Level::WARNING };
        let mut group =
            level.primary_title(visible(&found.message)).id(found.code).elements(Vec::<Origin<'_>>::new());
        group = match self.is_text() {
            // What is shown may be logged.
            true if found.code == "PG-A16" => group.element(self.origin(&found.span)),
            true => self.places(group, found),
            false => group.element(Origin::path(&*self.shown)),
        };
        if let Some(rule) = rules::find(found.code) {
            group = group.element(Level::NOTE.message(format!("{}; otherwise {}", rule.title, rule.why)));
        }
        if let Some(help) = &found.help {
            group = group.element(Level::HELP.message(normalize_untrusted_str(&visible(help))));
        }
        let renderer = if styled { Renderer::styled() } else { Renderer::plain() };
        renderer.render(&[group])
    }

    /// Adds excerpts of the source: one for all places near the fault, one more for each that is far away.
    fn places<'r>(&'r self, group: Group<'r>, found: &'r Diagnostic) -> Group<'r> {
        let (together, far): (Vec<_>, Vec<_>) = found.related.iter().partition(|own| near(found, &own.span));
        let group = self.place(group, &around(found), Some(&found.span), &together);
        far.into_iter().fold(group, |group, related| self.place(group, &related.span, None, &[related]))
    }

    /// Adds the excerpt that holds `span`.
    fn place<'r>(
        &'r self,
        group: Group<'r>,
        span: &Span,
        primary: Option<&Span>,
        related: &[&'r Related],
    ) -> Group<'r> {
        let Some((text, line, start)) = self.excerpt(span) else {
            return group.element(self.origin(primary.unwrap_or(span)));
        };
        let moved = |span: &Span| span.start - start..span.end - start;
        let primary = primary.map(|span| AnnotationKind::Primary.span(moved(span)));
        let related = related
            .iter()
            .map(|own| AnnotationKind::Context.span(moved(&own.span)).label(visible(&own.label)));
        let snippet = Snippet::source(text).line_start(line).path(&*self.shown);
        group.element(snippet.annotations(primary.into_iter().chain(related)))
    }
}
