//! Diagnostics for people: where the fault is, what is wrong, why it matters, and what to write instead.

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use crate::diag::{Diagnostic, Related, Severity, Span, Subject};
use crate::model::escape_line;
use crate::rules;

use super::source::SourceText;

/// How many bytes two places may lie apart to be shown in one excerpt; the lines between are folded.
const NEAR: usize = 4096;
/// How many bytes an excerpt has at most.
const READABLE: usize = 4 * NEAR;

impl SourceText<'_> {
    /// Whether `span` is shown in one excerpt with the place of `diagnostic`.
    fn is_near(&self, diagnostic: &Diagnostic, span: &Span) -> bool {
        let is_same_file = std::ptr::eq(self.locate(span).0, self.locate(&diagnostic.span).0);
        is_same_file && span.start.abs_diff(diagnostic.span.start) < NEAR
    }

    /// The span over the place of `diagnostic` and the related places near it.
    fn span_around(&self, diagnostic: &Diagnostic) -> Span {
        let related = diagnostic.related.iter().map(|related| &related.span);
        let near = related.filter(|span| self.is_near(diagnostic, span));
        near.fold(diagnostic.span.clone(), |all, span| all.start.min(span.start)..all.end.max(span.end))
    }

    /// The whole lines around `span`, the number of the first line, and the offset at which that line begins. `None`
    /// where the lines are not shown: they hold a private key, and terminals are logged, or they are too long to be read.
    fn excerpt(&self, span: &Span) -> Option<(&str, usize, usize)> {
        let (text, line, start) = self.lines(span);
        let next = self.keys.get(self.keys.partition_point(|key| key.end <= start));
        let holds_key = next.is_some_and(|key| key.start < start + text.len());
        (text.len() <= READABLE && !holds_key).then_some((text, line, start))
    }

    /// The place of `span` without an excerpt.
    fn origin(&self, span: &Span) -> Origin<'_> {
        let (source, span) = self.locate(span);
        let at = source.position(span.start);
        Origin::path(&*source.shown).line(at.line).char_column(at.column)
    }

    /// Writes `diagnostic` as text, with colours if `is_styled`.
    pub(in crate::cli) fn render(&self, diagnostic: &Diagnostic, is_styled: bool) -> String {
        let level = if diagnostic.severity == Severity::Error { Level::ERROR } else { Level::WARNING };
        let title = level.primary_title(escape_line(&diagnostic.message)).id(diagnostic.code);
        let mut group = title.elements(Vec::<Origin<'_>>::new());
        group = match self.is_text() {
            true if diagnostic.subject == Subject::Secret => group.element(self.origin(&diagnostic.span)),
            true => self.add_excerpts(group, diagnostic),
            false => group.element(Origin::path(&*self.shown)),
        };
        if let Some(rule) = rules::find(diagnostic.code) {
            group = group.element(Level::NOTE.message(format!("{}; otherwise {}", rule.title, rule.why)));
        }
        if let Some(help) = &diagnostic.help {
            group = group.element(Level::HELP.message(escape_line(help)));
        }
        let renderer = if is_styled { Renderer::styled() } else { Renderer::plain() };
        renderer.render(&[group])
    }

    /// Adds excerpts of the source: one for all places near the fault, and one for each place that is far away.
    fn add_excerpts<'r>(&'r self, group: Group<'r>, diagnostic: &'r Diagnostic) -> Group<'r> {
        let (together, far): (Vec<_>, Vec<_>) =
            diagnostic.related.iter().partition(|related| self.is_near(diagnostic, &related.span));
        let group = self.add_excerpt(group, &self.span_around(diagnostic), Some(&diagnostic.span), &together);
        far.into_iter().fold(group, |group, related| self.add_excerpt(group, &related.span, None, &[related]))
    }

    /// Adds the excerpt that holds `span`.
    fn add_excerpt<'r>(
        &'r self,
        group: Group<'r>,
        span: &Span,
        primary: Option<&Span>,
        related: &[&'r Related],
    ) -> Group<'r> {
        let (source, place) = self.locate(span);
        let Some((text, line, start)) = source.excerpt(&place) else {
            return group.element(self.origin(primary.unwrap_or(span)));
        };
        let start = start + (span.start - place.start);
        let within_excerpt = |span: &Span| span.start - start..span.end - start;
        let primary = primary.map(|span| AnnotationKind::Primary.span(within_excerpt(span)));
        let related = related.iter().map(|related| {
            AnnotationKind::Context.span(within_excerpt(&related.span)).label(escape_line(&related.label))
        });
        let snippet = Snippet::source(text).line_start(line).path(&*source.shown);
        group.element(snippet.annotations(primary.into_iter().chain(related)))
    }
}
