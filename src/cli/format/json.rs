//! One JSON object per line (JSON Lines), by the versioned schema of `docs/formats.md`.

use serde::Serialize;

use crate::cli::escape::ascii_controls;
use crate::diag::{Diagnostic, Span};
use crate::rules;

use super::findings::Findings;
use super::source::{Position, SourceText};

/// The version of the schema. A field that is removed or changes its meaning raises the version; a new field does
/// not.
const SCHEMA: u16 = 1;

#[derive(Serialize)]
struct DiagnosticJson<'a> {
    schema: u16,
    file: &'a str,
    code: &'a str,
    severity: &'a str,
    message: &'a str,
    help: Option<&'a str>,
    title: Option<&'a str>,
    why: Option<&'a str>,
    span: Option<SpanJson>,
    related: Vec<RelatedJson<'a>>,
    edit: Option<EditJson<'a>>,
}

#[derive(Serialize)]
struct EditJson<'a> {
    span: Option<SpanJson>,
    text: &'a str,
}

#[derive(Serialize)]
struct RelatedJson<'a> {
    /// The file, where it is not that of the diagnostic.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    message: &'a str,
    span: Option<SpanJson>,
}

#[derive(Serialize)]
struct SpanJson {
    start: PositionJson,
    end: PositionJson,
}

#[derive(Serialize)]
struct PositionJson {
    #[serde(flatten)]
    position: Position,
    offset: usize,
}

impl<'a> DiagnosticJson<'a> {
    fn new(source: &SourceText<'a>, diagnostic: &'a Diagnostic) -> Self {
        let rule = rules::find(diagnostic.code);
        let related = diagnostic.related.iter();
        let file = source.locate(&diagnostic.span).0.path;
        let other_file = |span: &Span| Some(source.locate(span).0.path).filter(|other| *other != file);
        Self {
            schema: SCHEMA,
            file,
            code: diagnostic.code,
            severity: diagnostic.severity.as_str(),
            message: &diagnostic.message,
            help: diagnostic.help.as_deref(),
            title: rule.map(|rule| rule.title),
            why: rule.map(|rule| rule.why),
            span: SpanJson::new(&diagnostic.span, source),
            related: related
                .map(|other| RelatedJson {
                    file: other_file(&other.span),
                    message: &other.label,
                    span: SpanJson::new(&other.span, source),
                })
                .collect(),
            edit: diagnostic
                .edit
                .as_ref()
                .map(|edit| EditJson { span: SpanJson::new(&edit.span, source), text: &edit.text }),
        }
    }
}

impl SpanJson {
    /// Finds the lines and columns of `span`; `None` where the source is not text.
    fn new(span: &Span, source: &SourceText<'_>) -> Option<Self> {
        let (source, span) = source.locate(span);
        let at = |offset| PositionJson { position: source.position(offset), offset };
        source.is_text().then(|| Self { start: at(span.start), end: at(span.end) })
    }
}

pub(super) fn render(findings: &[Findings<'_>]) -> anyhow::Result<String> {
    let mut text = String::new();
    for Findings { source, found } in findings {
        for diagnostic in found {
            text += &ascii_controls(&serde_json::to_string(&DiagnosticJson::new(source, diagnostic))?);
            text.push('\n');
        }
    }
    Ok(text)
}
