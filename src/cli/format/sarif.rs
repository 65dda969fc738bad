//! SARIF 2.1.0 (OASIS, Static Analysis Results Interchange Format), for code scanning.

use std::collections::BTreeSet;
use std::path::Path;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use serde_json::{Value, json};

use crate::cli::escape::ascii_controls;
use crate::diag::{Diagnostic, Span};
use crate::rules;

use super::findings::Findings;
use super::source::SourceText;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The characters that are percent-encoded in the path of a URI: all but those of RFC 3986, section 3.3, and `:`,
/// which would read as the end of a scheme.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub(super) fn render(findings: &[Findings<'_>]) -> anyhow::Result<String> {
    let codes: BTreeSet<&str> =
        findings.iter().flat_map(|Findings { found, .. }| found).map(|fault| fault.code).collect();
    let results: Vec<Value> = findings
        .iter()
        .flat_map(|Findings { source, found }| found.iter().map(|fault| write_result(source, fault, &codes)))
        .collect();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": env!("CARGO_PKG_NAME"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": codes.iter().map(|code| write_descriptor(code)).collect::<Vec<_>>(),
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    Ok(ascii_controls(&serde_json::to_string_pretty(&log)?) + "\n")
}

/// Writes the `reportingDescriptor` of a rule that was broken; a log need not describe other rules.
fn write_descriptor(code: &str) -> Value {
    let Some(rule) = rules::find(code) else { return json!({ "id": code }) };
    json!({
        "id": code,
        "shortDescription": { "text": format!("{}.", rule.title) },
        "fullDescription": { "text": format!("{}; otherwise {}.", rule.title, rule.why) },
        "help": { "text": rule.page, "markdown": rule.page },
        "defaultConfiguration": { "level": rule.severity.as_str() },
    })
}

fn write_result(source: &SourceText<'_>, fault: &Diagnostic, codes: &BTreeSet<&str>) -> Value {
    let help = fault.help.iter().map(|help| format!(" Help: {}", end_sentence(help))).collect::<String>();
    let mut result = json!({
        "ruleId": fault.code,
        "ruleIndex": codes.range(..fault.code).count(),
        "level": fault.severity.as_str(),
        "message": { "text": end_sentence(&fault.message) + &help },
        "locations": [write_location(source, &fault.span)],
    });
    if !fault.related.is_empty() {
        let related = fault.related.iter().enumerate().map(|(id, other)| {
            let mut place = write_location(source, &other.span);
            place["id"] = json!(id + 1);
            place["message"] = json!({ "text": end_sentence(&other.label) });
            place
        });
        result["relatedLocations"] = related.collect();
    }
    if let Some(edit) = fault.edit.as_ref().filter(|_| source.is_text()) {
        let replacement = json!({
            "deletedRegion": write_region(source, &edit.span),
            "insertedContent": { "text": edit.text },
        });
        let change =
            json!({ "artifactLocation": write_artifact(source.path), "replacements": [replacement] });
        let mut fix = json!({ "artifactChanges": [change] });
        if let Some(help) = &fault.help {
            fix["description"] = json!({ "text": end_sentence(help) });
        }
        result["fixes"] = json!([fix]);
    }
    result
}

/// Ends `text` with a full stop, unless it is a question: SARIF's messages are sentences.
fn end_sentence(text: &str) -> String {
    if text.ends_with('?') { text.to_owned() } else { format!("{text}.") }
}

fn write_location(source: &SourceText<'_>, span: &Span) -> Value {
    let (source, span) = source.locate(span);
    let region = if source.is_text() {
        write_region(source, &span)
    } else {
        // GitHub shows only what has a line.
        json!({ "startLine": 1 })
    };
    json!({ "physicalLocation": { "artifactLocation": write_artifact(source.path), "region": region } })
}

fn write_region(source: &SourceText<'_>, span: &Span) -> Value {
    let (start, end) = source.ends(span);
    json!({
        "startLine": start.line,
        "startColumn": start.column,
        "endLine": end.line,
        "endColumn": end.column,
    })
}

/// Writes the location of the file at `path`. A relative path is one below the root of the sources, which the reader
/// of the log knows.
fn write_artifact(path: &str) -> Value {
    let encoded = percent_encode(path.strip_prefix("./").unwrap_or(path).as_bytes(), PATH);
    if Path::new(path).is_absolute() {
        json!({ "uri": format!("file://{encoded}") })
    } else {
        json!({ "uri": encoded.to_string(), "uriBaseId": "%SRCROOT%" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_becomes_a_uri() {
        assert_eq!(
            write_artifact("./a b/ä:1.toml"),
            json!({ "uri": "a%20b/%C3%A4%3A1.toml", "uriBaseId": "%SRCROOT%" })
        );
        assert_eq!(write_artifact("/a#b"), json!({ "uri": "file:///a%23b" }));
    }
}
