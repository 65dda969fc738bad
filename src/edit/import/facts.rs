//! The facts of machines that the installer prints: tables of nodes in the inventory's form.

use std::collections::BTreeSet;

use crate::edit::source::SourceMap;

use super::candidate::{Candidate, FilePlace, ImportFault, normal_mac};

/// The name that the installer prints for a machine that the inventory does not know.
const UNNAMED: &str = "NAME";

/// Reads the machines of `text`.
pub(super) fn read_facts(
    file: &str,
    text: &str,
    faults: &mut Vec<ImportFault>,
    notes: &mut BTreeSet<String>,
) -> Vec<Candidate> {
    let start = FilePlace { file: file.to_owned(), line: 1, column: 1 };
    let map = match text.parse::<toml::Table>() {
        Ok(_) => SourceMap::read(text).map_err(|error| error.to_string()),
        Err(error) => {
            let at = error.span().map_or(0, |span| span.start);
            faults.push(ImportFault::new(
                &place_of(file, text, at),
                format!("this is not TOML: {}", error.message()),
            ));
            return Vec::new();
        }
    };
    let Ok(map) = map else { return Vec::new() };
    let mut candidates: Vec<Candidate> = Vec::new();
    let mut last = None;
    for statement in map.statements.iter().filter(|statement| !statement.is_header) {
        let place = place_of(file, text, statement.value.start);
        let [table, name, key] = &statement.path[..] else { continue };
        if table != "node" {
            continue;
        }
        if last.as_ref() != Some(name) {
            let mut candidate = Candidate::new(place_of(file, text, statement.lines.start));
            if name != UNNAMED {
                candidate.add("name", name, &place);
            }
            candidates.push(candidate);
            last = Some(name.clone());
        }
        let Some(candidate) = candidates.last_mut() else { continue };
        match key.as_str() {
            "disks" => {
                for disk in map.parts(&statement.events) {
                    // A disk with its size is a table.
                    let fields = map.parts(&disk.events);
                    let id = fields.iter().find(|field| field.path == ["id"]).unwrap_or(&disk);
                    if fields.iter().any(|field| field.path == ["size"]) {
                        notes.insert(format!("{file}: the sizes of disks were not read"));
                    }
                    candidate.add("disks", &map.string_at(&id.value), &place_of(file, text, id.value.start));
                }
            }
            "mac" => candidate.add("mac", &normal_mac(&map.string_at(&statement.value)), &place),
            "serial" | "hardware" => candidate.add(key, &map.string_at(&statement.value), &place),
            other => {
                notes.insert(format!("{file}: the key `{other}` was not read"));
            }
        }
    }
    if candidates.is_empty() {
        faults.push(ImportFault::new(
            &start,
            "there is no [node.…] table, such as the installer's console prints",
        ));
    }
    candidates
}

/// The place of the byte `at` of `text`.
fn place_of(file: &str, text: &str, at: usize) -> FilePlace {
    let before = &text[..at.min(text.len())];
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    let column = before[line_start..].chars().count() + 1;
    FilePlace { file: file.to_owned(), line: before.matches('\n').count() + 1, column }
}
