//! Text that is not meant to be TOML: merge conflicts, YAML, JSON.

use toml_parser::lexer::TokenKind;

use crate::diag::{Diagnostic, Span};

use super::fault::{MOST_FAULTS, fault, is_value};
use super::statement::Statement;
use super::steps::count_step;

/// Finds the merge conflicts that git has left in `text`.
pub(super) fn find_conflicts(text: &str) -> Vec<Diagnostic> {
    let (mut beginnings, mut conflicts) = (Vec::<Span>::new(), Vec::<(Span, Option<Span>)>::new());
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        count_step();
        if line.starts_with("<<<<<<< ") {
            beginnings.push(start..start + line.trim_end().len());
        } else if line.starts_with(">>>>>>>") {
            conflicts.extend(beginnings.drain(..).map(|beginning| (beginning, Some(start..start + 7))));
        }
        start += line.len();
    }
    conflicts.extend(beginnings.into_iter().map(|beginning| (beginning, None)));
    let refuse = |(beginning, end): (Span, Option<Span>)| {
        let fault = fault(&beginning, "a merge conflict is not resolved here");
        let fault = match end {
            Some(end) => fault.related(&end, "the conflict ends here"),
            None => fault,
        };
        fault.help("keep one of the two sides, and remove the lines `<<<<<<<`, `=======` and `>>>>>>>`")
    };
    conflicts.into_iter().take(MOST_FAULTS + 1).map(refuse).collect()
}

/// Finds the brace that an inventory in JSON begins with.
pub(super) fn find_json(statement: &Statement<'_>) -> Option<Diagnostic> {
    let first = statement.tokens().next()?;
    let start = first.span().start();
    let fault = fault(&(start..start + 1), "this is JSON, and an inventory is TOML");
    (first.kind() == TokenKind::LeftCurlyBracket)
        .then(|| fault.help("write `[table]` headers and `key = value` lines, as `plasmagen init` does"))
}

/// A line of YAML.
enum YamlLine<'i> {
    /// `key: value`, or `key:` with an empty value.
    Pair { key: &'i str, value: &'i str },
    /// `- item`.
    Item(&'i str),
    /// Three hyphens, which begin a document.
    Mark,
}

/// Reads `line` as YAML, if TOML cannot have such a line.
fn read_yaml(line: &str) -> Option<YamlLine<'_>> {
    let line = line.split(" #").next().unwrap_or_default().trim();
    if line == "---" {
        return Some(YamlLine::Mark);
    }
    if let Some(item) = line.strip_prefix('-').filter(|item| item.is_empty() || item.starts_with(' ')) {
        return Some(YamlLine::Item(item.trim()));
    }
    let (key, value) = line.split_once(':')?;
    let is_bare = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || "_-.".contains(c));
    let is_quoted = key.len() > 2 && key.starts_with('"') && key.ends_with('"');
    let is_apart = value.is_empty() || value.starts_with([' ', '"', '\'']);
    ((is_bare || is_quoted) && is_apart).then(|| YamlLine::Pair { key, value: value.trim() })
}

/// Finds YAML at the beginning of `statement`, and says where the last line of YAML ends.
pub(super) fn find_yaml(statement: &Statement<'_>) -> Option<(Diagnostic, usize)> {
    let text = statement.text;
    let start = statement.tokens().next()?.span().start();
    let key_only = statement
        .equals()
        .filter(|equals| statement.tokens().next_back().is_some_and(|last| last.span() == equals.span()));
    let first = text[start..].lines().next().unwrap_or_default();
    // `key =` before a list of YAML.
    let (key, value) = match (key_only, read_yaml(first)) {
        (Some(equals), _) => (text[start..equals.span().start()].trim_end(), ""),
        (None, Some(YamlLine::Pair { key, value })) => (key, value),
        (None, Some(_)) => ("", ""),
        (None, None) => return None,
    };
    let (mut items, mut is_list) = (Vec::new(), true);
    let (mut at, mut end) = (start + first.len(), start + first.trim_end().len());
    for line in text[at..].split_inclusive('\n').skip(1) {
        count_step();
        let yaml = read_yaml(line);
        let is_blank = line.trim().is_empty() || line.trim_start().starts_with('#');
        match yaml {
            Some(YamlLine::Item(item)) => items.push(item),
            Some(_) => is_list = false,
            None if is_blank => {}
            None => break,
        }
        at += line.len();
        if !is_blank {
            end = start + first.len() + 1 + (at - start - first.len()) - (line.len() - line.trim_end().len());
        }
    }
    if key_only.is_some() && items.is_empty() {
        return None;
    }
    let span = start..start + first.trim_end().len();
    let fault = fault(&span, "this is YAML, and an inventory is TOML");
    let help = "write `key = \"value\"`, a list as `[\"…\", \"…\"]`, and what is indented below a key under a header, `[table.name]`";
    let all = start..end;
    let mended = match (key, value) {
        ("", _) => None,
        (key, "") if is_list && !items.is_empty() => {
            let items: Vec<String> = items.iter().map(|item| write_value(item)).collect();
            Some(format!("{key} = [{}]", items.join(", ")))
        }
        (_, "") => None,
        (key, value) if items.is_empty() && is_list => Some(format!("{key} = {}", write_value(value))),
        _ => None,
    };
    Some(match mended {
        Some(mended) => (fault.help(format!("write `{mended}`")).edit(all, mended), end),
        None => (fault.help(help), end),
    })
}

/// Writes a scalar of YAML or JSON as a value of TOML.
fn write_value(scalar: &str) -> String {
    let scalar = scalar.trim_end_matches(',').trim_end();
    if is_value(scalar) || scalar.starts_with(['[', '{', '"', '\'']) {
        return scalar.to_owned();
    }
    format!("\"{scalar}\"")
}
