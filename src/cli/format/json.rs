//! An object a line (JSON Lines), by the versioned schema of `docs/formats.md`.

use serde::Serialize;

use crate::diag::Span;
use crate::rules;

use super::Findings;
use super::concise::word;
use super::source::{Position, Source, ascii_controls};

/// The version of the schema: a new one where a field is removed or changes its meaning, the same where one is added.
const SCHEMA: u16 = 1;

#[derive(Serialize)]
struct Line<'a> {
    schema: u16,
    file: &'a str,
    code: &'a str,
    severity: &'a str,
    message: &'a str,
    help: Option<&'a str>,
    title: Option<&'a str>,
    why: Option<&'a str>,
    span: Option<Place>,
    related: Vec<Related<'a>>,
}

#[derive(Serialize)]
struct Related<'a> {
    message: &'a str,
    span: Option<Place>,
}

#[derive(Serialize)]
struct Place {
    start: Point,
    end: Point,
}

#[derive(Serialize)]
struct Point {
    #[serde(flatten)]
    position: Position,
    offset: usize,
}

impl Place {
    /// None in what is not text.
    fn of(span: &Span, source: &Source<'_>) -> Option<Self> {
        let point = |offset| Point { position: source.position(offset), offset };
        source.is_text().then(|| Self { start: point(span.start), end: point(span.end) })
    }
}

pub(super) fn render(findings: &[Findings<'_>]) -> anyhow::Result<String> {
    let mut text = String::new();
    for Findings { source, found } in findings {
        for fault in found {
            let rule = rules::find(fault.code);
            let related = fault.related.iter();
            let line = Line {
                schema: SCHEMA,
                file: source.path,
                code: fault.code,
                severity: word(fault.severity),
                message: &fault.message,
                help: fault.help.as_deref(),
                title: rule.map(|rule| rule.title),
                why: rule.map(|rule| rule.why),
                span: Place::of(&fault.span, source),
                related: related
                    .map(|other| Related { message: &other.label, span: Place::of(&other.span, source) })
                    .collect(),
            };
            text += &ascii_controls(&serde_json::to_string(&line)?);
            text.push('\n');
        }
    }
    Ok(text)
}
