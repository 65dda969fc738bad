//! Diagnostics for people: where, what, why, and what to write instead.

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use crate::diag::{Diagnostic, Severity, Span};
use crate::rules;

use super::source::Source;

/// How many bytes two places may lie apart to be shown in one excerpt; what lies between is folded.
const NEAR: usize = 4096;

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
    /// Whether a private key would be shown: terminals are logged.
    fn is_secret(&self, found: &Diagnostic) -> bool {
        let (text, ..) = self.excerpt(&around(found));
        ["PRIVATE KEY", "AGE-SECRET-KEY-"].iter().any(|mark| text.contains(mark))
    }

    /// `found` as text, with colours if `styled`.
    pub(in crate::cli) fn render(&self, found: &Diagnostic, styled: bool) -> String {
        let level = if found.severity == Severity::Error { Level::ERROR } else { Level::WARNING };
        let mut group =
            level.primary_title(&*found.message).id(found.code).elements(Vec::<Origin<'_>>::new());
        if !self.is_text() {
            group = group.element(Origin::path(self.path));
        } else if self.is_secret(found) {
            group = group.element(Origin::path(self.path).line(self.line(found.span.start) + 1));
        } else {
            group = self.places(group, found);
        }
        if let Some(rule) = rules::find(found.code) {
            group = group.element(Level::NOTE.message(format!("{}; otherwise {}", rule.title, rule.why)));
        }
        if let Some(help) = &found.help {
            group = group.element(Level::HELP.message(&**help));
        }
        let renderer = if styled { Renderer::styled() } else { Renderer::plain() };
        renderer.render(&[group])
    }

    /// Adds excerpts of the source: one for all places near the fault, one more for each that is far away.
    fn places<'r>(&'r self, group: Group<'r>, found: &'r Diagnostic) -> Group<'r> {
        let (text, line, start) = self.excerpt(&around(found));
        let moved = |span: &Span, start: usize| span.start - start..span.end - start;
        let mut snippet = Snippet::source(text).line_start(line).path(self.path);
        snippet = snippet.annotation(AnnotationKind::Primary.span(moved(&found.span, start)));
        for related in found.related.iter().filter(|related| near(found, &related.span)) {
            let annotation = AnnotationKind::Context.span(moved(&related.span, start)).label(&*related.label);
            snippet = snippet.annotation(annotation);
        }
        let far = found.related.iter().filter(|related| !near(found, &related.span));
        far.fold(group.element(snippet), |group, related| {
            let (text, line, start) = self.excerpt(&related.span);
            let annotation = AnnotationKind::Context.span(moved(&related.span, start)).label(&*related.label);
            group.element(Snippet::source(text).line_start(line).path(self.path).annotation(annotation))
        })
    }
}
