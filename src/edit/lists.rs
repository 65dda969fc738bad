//! Items of an array of strings, added and removed.

use anyhow::{Result, bail};

use crate::diag::Span;

use super::blocks::{indent_at, line_end};
use super::literal::toml_string;
use super::source::{SourceMap, Statement};
use super::splice::Splice;

/// Adds `items` at the end of the array that is the value of `entry`: behind the last item, or on lines of their own
/// where the items stand on lines of their own.
///
/// # Errors
/// When the value is no array.
pub(super) fn add_items(map: &SourceMap<'_>, entry: &Statement, items: &[&str]) -> Result<Vec<Splice>> {
    let text = map.text;
    if !text[entry.value.clone()].starts_with('[') {
        bail!("`{}` is no list", entry.path.join("."));
    }
    let added: Vec<_> = items.iter().map(|item| toml_string(item)).collect();
    let Some(last) = map.parts(&entry.events).pop() else {
        let close = entry.value.end - 1;
        return Ok(vec![Splice::new(close..close, added.join(", "))]);
    };
    let end = last.value.end;
    if !text[entry.value.start..last.value.start].contains('\n') {
        let added: String = added.iter().map(|item| format!(", {item}")).collect();
        return Ok(vec![Splice::new(end..end, added)]);
    }
    let start = text[..last.value.start].rfind('\n').map_or(0, |at| at + 1);
    let (indent, line_end) = (indent_at(text, start), line_end(text));
    let has_comma = text[end..].trim_start().starts_with(',');
    let comma = (!has_comma).then(|| Splice::new(end..end, ","));
    let behind = text[end..entry.value.end].find('\n').map_or(entry.value.end - 1, |at| end + at + 1);
    let lines: String = added.iter().map(|item| format!("{indent}{item},{line_end}")).collect();
    Ok(comma.into_iter().chain([Splice::new(behind..behind, lines)]).collect())
}

/// Removes the items that are among `items` from the array that is the value of `entry`, each with its comma.
pub(super) fn remove_items(map: &SourceMap<'_>, entry: &Statement, items: &[&str]) -> Vec<Splice> {
    let parts = map.parts(&entry.events);
    let is_removed = |span: &Span| items.contains(&map.string_at(span).as_str());
    let mut splices = Vec::new();
    for (at, part) in parts.iter().enumerate().filter(|(_, part)| is_removed(&part.value)) {
        let span = match parts.get(at + 1) {
            Some(next) => part.value.start..next.value.start,
            None => {
                let kept = parts[..at].iter().rfind(|part| !is_removed(&part.value));
                kept.map_or(part.value.start, |kept| kept.value.end)..part.value.end
            }
        };
        splices.push(Splice::new(span, ""));
    }
    splices
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::splice::apply;

    fn edit(text: &str, edit: impl Fn(&SourceMap<'_>, &Statement) -> Vec<Splice>) -> String {
        let map = SourceMap::read(text).unwrap();
        apply(text, edit(&map, map.find_entry(&["a"]).unwrap()))
    }

    #[test]
    fn items_are_added_in_the_style_of_the_list() {
        for (before, after) in [
            ("a = []", "a = [\"x\", \"y\"]"),
            ("a = [\"b\"] # c", "a = [\"b\", \"x\", \"y\"] # c"),
            ("a = [\n  \"b\", # b\n]\n", "a = [\n  \"b\", # b\n  \"x\",\n  \"y\",\n]\n"),
            ("a = [\r\n\t\"b\" # b\r\n]\r\n", "a = [\r\n\t\"b\", # b\r\n\t\"x\",\r\n\t\"y\",\r\n]\r\n"),
        ] {
            assert_eq!(edit(before, |map, entry| add_items(map, entry, &["x", "y"]).unwrap()), after);
        }
    }

    #[test]
    fn items_are_removed_with_their_commas() {
        for (before, after) in [
            ("a = [\"x\"]", "a = []"),
            ("a = [\"x\", 'b', 'y']", "a = ['b']"),
            ("a = [\"b\", \"x\", \"y\"]", "a = [\"b\"]"),
            ("a = [\n  \"b\",\n  \"x\",\n]", "a = [\n  \"b\",\n]"),
        ] {
            assert_eq!(edit(before, |map, entry| remove_items(map, entry, &["x", "y"])), after);
        }
    }
}
