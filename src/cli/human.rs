//! Diagnostics for people: where, what, why, and what to write instead.

use std::borrow::Cow;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use crate::diag::{Diagnostic, Severity, Span};
use crate::model::is_invisible;
use crate::rules;

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

/// `text` without characters that a terminal obeys or hides. Each is replaced by one of as many bytes, so that places
/// stay where they are; the ASCII ones are left to the renderer, which shows them as `␛` and the like.
fn visible(text: &str) -> Cow<'_, str> {
    let odd = |c: char| !c.is_ascii() && is_invisible(c);
    if !text.contains(odd) {
        return Cow::Borrowed(text);
    }
    let shown = |c: char| match c.len_utf8() {
        _ if !odd(c) => c,
        2 => '\u{bf}',
        3 => '\u{fffd}',
        _ => '\u{1f5ff}',
    };
    Cow::Owned(text.chars().map(shown).collect())
}

/// The source of diagnostics, with its line starts found once.
pub(super) struct Source<'a> {
    path: &'a str,
    text: Cow<'a, str>,
    lines: Vec<usize>,
}

impl<'a> Source<'a> {
    pub(super) fn new(path: &'a str, bytes: &'a [u8]) -> Self {
        // Text that is not UTF-8 has no places to show.
        let text = visible(std::str::from_utf8(bytes).unwrap_or_default());
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { path, text, lines }
    }

    /// The number of the line that holds `offset`, from 0.
    fn line(&self, offset: usize) -> usize {
        self.lines.partition_point(|start| *start <= offset).saturating_sub(1)
    }

    /// The whole lines around `span`, the number of the first, and where they begin.
    fn excerpt(&self, span: &Span) -> (&str, usize, usize) {
        let (first, last) = (self.line(span.start), self.line(span.end));
        let start = self.lines[first];
        let end = self.lines.get(last + 1).map_or(self.text.len(), |next| next - 1);
        (&self.text[start..end.max(start)], first + 1, start)
    }

    /// Whether a private key would be shown: terminals are logged.
    fn is_secret(&self, found: &Diagnostic) -> bool {
        let (text, ..) = self.excerpt(&around(found));
        ["PRIVATE KEY", "AGE-SECRET-KEY-"].iter().any(|mark| text.contains(mark))
    }

    /// `found` as text, with colours if `styled`.
    pub(super) fn render(&self, found: &Diagnostic, styled: bool) -> String {
        let level = if found.severity == Severity::Error { Level::ERROR } else { Level::WARNING };
        let mut group =
            level.primary_title(&*found.message).id(found.code).elements(Vec::<Origin<'_>>::new());
        if self.text.is_empty() {
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
