//! A walk through the schema, and inventories made along the way.

use std::ops::Range;

use plasmagen::diag::{Diagnostic, Report};
use plasmagen::inventory;
use serde_json::Value;

/// A place in the schema: the path of a key, and what the schema says of it.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) path: Vec<String>,
    pub(crate) schema: Value,
}

/// Every place in the schema, the root first. Names that are the user's are examples.
pub(crate) fn places() -> Vec<Place> {
    let mut found = Vec::new();
    walk(&[], &inventory::json_schema(), &mut found);
    assert!(found.len() > 150, "the walk is lost: {}", found.len());
    found
}

fn walk(path: &[String], schema: &Value, found: &mut Vec<Place>) {
    found.push(Place { path: path.to_vec(), schema: schema.clone() });
    let below = |key: &str| [path, &[key.to_owned()]].concat();
    for (key, inner) in schema["properties"].as_object().into_iter().flatten() {
        walk(&below(key), inner, found);
    }
    if schema["additionalProperties"].is_object() {
        let names = &schema["propertyNames"];
        let name = names["examples"][0].as_str().or(names["enum"][0].as_str()).unwrap();
        walk(&below(name), &schema["additionalProperties"], found);
    }
}

/// The strings of a list in the schema.
pub(crate) fn strings(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().map(|item| item.as_str().unwrap()).collect()
}

/// The faults of form that `text` has.
pub(crate) fn faults(text: &str) -> Vec<Diagnostic> {
    let mut report = Report::default();
    let _ = inventory::parse(text, &mut report);
    report.finish()
}

/// An inventory of one table, with the place of the table's name.
pub(crate) fn table(path: &[String], body: &str) -> (String, Range<usize>) {
    // Without any table of an inventory, a text is taken for another file.
    let Some(name) = path.last() else {
        let table = if body.starts_with("ntp ") { "dns" } else { "ntp" };
        return (format!("{table} = {{}}\n{body}"), 0..0);
    };
    let header = format!("[{}]", path.join("."));
    let end = header.len() - 1;
    (format!("{header}\n{body}"), end - name.len()..end)
}

/// The faults that the reader finds in `value`, written at `path`.
pub(crate) fn refused(path: &[String], value: &str) -> Vec<Diagnostic> {
    let (key, above) = path.split_last().unwrap();
    let (before, _) = table(above, &format!("{key} = "));
    let place = before.len()..before.len() + value.len();
    let mut found = faults(&format!("{before}{value}\n"));
    // Of a table, the name is the place.
    found.retain(|fault| fault.span.end > before.len() - key.len() - 3 && fault.span.start < place.end);
    found
}

/// A value of TOML; JSON's strings, numbers and lists are TOML's as well.
pub(crate) fn toml(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(toml).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => {
            let pairs = map.iter().map(|(key, value)| format!("\"{key}\" = {}", toml(value)));
            format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", "))
        }
        plain => plain.to_string(),
    }
}
