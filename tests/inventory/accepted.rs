//! What `check` accepts, every output renders: any text is tried at every key of the schema that takes text, and where
//! the rules accept it, certificates are issued and all files are rendered.

use std::collections::{BTreeMap, BTreeSet};

use plasmagen::check::check;
use plasmagen::inventory::json_schema;
use plasmagen::model::Cluster;
use plasmagen::outputs;
use plasmagen::pki::Vault;
use plasmagen::pki::cluster::{self as certificates, IssueOrder};
use plasmagen::plan::{Certificates, HostKeys, Plan, Zones};
use proptest::sample::subsequence;
use proptest::strategy::{Strategy, ValueTree};
use proptest::string::string_regex;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value};
use time::macros::datetime;

/// The frame: an inventory that says every key.
const FRAME: &str = include_str!("accepted.toml");

/// How many texts of a key's pattern are tried at each place, and how many that differ from the usual text.
const FORMED: usize = 3;
const VARIED: usize = 14;

/// Lengths at limits of kernels, DNS, X.509 and file systems, and one more.
const LENGTHS: [usize; 12] = [15, 16, 32, 33, 58, 59, 63, 64, 128, 253, 255, 256];

/// What other languages, limits and scans have a meaning for.
const PIECES: [&str; 24] = [
    "-",
    "_",
    ".",
    "+",
    "@",
    "/",
    ":",
    ",",
    "=",
    " ",
    "#",
    "%",
    "'",
    "\"",
    "\\",
    "$",
    "${x}",
    "{{",
    "é",
    "0",
    "a.",
    "--",
    "AGE-SECRET-KEY-1QQQQQQQQ",
    "-----BEGIN PRIVATE KEY-----\\nMIGHAgEAMBMG",
];

/// A key of the schema, such as `node.*.serial`; `.NAME` behind it stands for the names that the user gives in that table.
type SchemaPath = String;

/// The keys that take a text of the user's, each with the pattern of the text.
fn list_free_texts(schema: &Value, path: &str, found: &mut BTreeMap<SchemaPath, Option<String>>) {
    let pattern = |schema: &Value| schema["pattern"].as_str().map(str::to_owned);
    let is_free = |schema: &Value| schema.get("enum").is_none();
    if schema["type"] == "string" && is_free(schema) {
        found.insert(path.to_owned(), pattern(schema));
    }
    for (key, property) in schema["properties"].as_object().into_iter().flatten() {
        list_free_texts(property, format!("{path}.{key}").trim_start_matches('.'), found);
    }
    if schema["items"].is_object() {
        list_free_texts(&schema["items"], &format!("{path}.*"), found);
    }
    if let Some(entries) = schema.get("additionalProperties").filter(|entries| entries.is_object()) {
        if is_free(&schema["propertyNames"]) {
            found.insert(format!("{path}.NAME"), pattern(&schema["propertyNames"]));
        }
        list_free_texts(entries, &format!("{path}.*"), found);
    }
    if is_passed_through(schema) {
        found.insert(format!("{path}.NAME"), None);
        found.insert(format!("{path}.*"), None);
    }
}

/// Whether the schema describes a table that plasmagen passes through unread, such as `settings`.
fn is_passed_through(schema: &Value) -> bool {
    schema["type"] == "object"
        && schema.get("properties").is_none()
        && schema.get("additionalProperties").is_none()
}

/// The texts of `value`, each with its key of the schema.
fn list_texts(value: &Value, schema: &Value, path: &str, found: &mut BTreeSet<(SchemaPath, String)>) {
    match value {
        Value::String(text) => drop(found.insert((path.to_owned(), text.clone()))),
        Value::Array(items) => {
            items.iter().for_each(|item| list_texts(item, &schema["items"], &format!("{path}.*"), found));
        }
        Value::Object(table) => {
            for (key, value) in table {
                if let Some(property) = schema["properties"].get(key) {
                    list_texts(value, property, format!("{path}.{key}").trim_start_matches('.'), found);
                } else {
                    found.insert((format!("{path}.NAME"), key.clone()));
                    list_texts(value, &schema["additionalProperties"], &format!("{path}.*"), found);
                }
            }
        }
        _ => {}
    }
}

/// The value with `text` in every place that says `usual`, and in no other.
fn replaced(value: &Value, usual: &str, text: &str) -> Value {
    let chosen = |word: &str| if word == usual { text } else { word }.to_owned();
    match value {
        Value::String(word) => Value::String(chosen(word)),
        Value::Array(items) => items.iter().map(|item| replaced(item, usual, text)).collect(),
        Value::Object(table) => {
            let entries = table.iter().map(|(key, value)| (chosen(key), replaced(value, usual, text)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}

/// Writes a value as TOML. JSON's strings are TOML's, but for DEL, which TOML wants escaped.
fn toml(value: &Value) -> String {
    let string = |text: &str| Value::from(text).to_string().replace('\u{7f}', "\\u007F");
    match value {
        Value::String(text) => string(text),
        Value::Array(items) => format!("[{}]", items.iter().map(toml).collect::<Vec<_>>().join(", ")),
        Value::Object(table) => {
            let entry = |(key, value): (&String, &Value)| format!("{} = {}", string(key), toml(value));
            format!("{{{}}}", table.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// An inventory in TOML: a line for each table.
fn document(inventory: &Value) -> String {
    let line = |(key, value): (&String, &Value)| format!("{key} = {}\n", toml(value));
    inventory.as_object().unwrap().iter().map(line).collect()
}

/// Draws texts for a place that usually says `usual`: some of its pattern; some with a piece before, in or behind the usual
/// text; and some stretched to a length that a limit may be close to.
fn draw_texts(usual: &str, pattern: Option<&str>, runner: &mut TestRunner) -> Vec<String> {
    let pattern = pattern.map_or("\\PC*", |pattern| pattern.trim_start_matches('^').trim_end_matches('$'));
    let formed = string_regex(pattern).unwrap();
    let mut texts = Vec::new();
    let middle = usual.char_indices().nth(usual.chars().count() / 2).map_or(0, |(at, _)| at);
    for at in [0, middle, usual.len()] {
        let (before, behind) = usual.split_at(at);
        texts.extend(PIECES.iter().map(|piece| format!("{before}{piece}{behind}")));
        let Some(last) = before.chars().last() else { continue };
        let more = |length: usize| last.to_string().repeat(length.saturating_sub(usual.len()));
        texts.extend(LENGTHS.iter().map(|length| format!("{before}{}{behind}", more(*length))));
    }
    let varied = subsequence(texts, VARIED).new_tree(runner).unwrap().current();
    (0..FORMED).map(|_| formed.new_tree(runner).unwrap().current()).chain(varied).collect()
}

/// Does what `plasmagen render` does with an accepted cluster, in memory.
fn render(cluster: Cluster, vault: &Vault) -> anyhow::Result<()> {
    let now = datetime!(2026-01-01 0:00 UTC);
    let (none, order) = (Certificates::default(), IssueOrder::default());
    let selection = certificates::select(&cluster, &none, &order, now)?;
    let issued = certificates::issue(&cluster, &selection, none, vault, now)?;
    drop(selection);
    let plan = Plan {
        cluster,
        certificates: issued.certificates,
        host_keys: HostKeys::default(),
        zones: Zones::default(),
    };
    outputs::render(&plan).map(drop)
}

#[test]
fn what_check_accepts_every_output_renders() {
    let schema = json_schema();
    let frame: Value = toml::from_str(FRAME).unwrap();
    let mut free = BTreeMap::new();
    list_free_texts(&schema, "", &mut free);
    // The name of a file that is read: no output has it.
    free.remove("nodes.from");
    let mut written = BTreeSet::new();
    list_texts(&frame, &schema, "", &mut written);
    let missing: Vec<_> = free.keys().filter(|key| !written.iter().any(|(path, _)| path == *key)).collect();
    assert!(missing.is_empty(), "tests/inventory/accepted.toml says nothing for {missing:#?}");
    assert!(check(document(&frame).as_bytes()).unwrap().cluster.is_some());

    // A name and its references are tried together.
    let places: BTreeMap<_, _> = written
        .iter()
        .filter(|(path, _)| free.contains_key(path))
        .map(|(path, usual)| (usual, path))
        .collect();
    let dir = tempfile::tempdir().unwrap();
    let vault = Vault::open_or_new(&dir.path().join("vault"), &[]).unwrap();
    let mut runner = TestRunner::default();
    let (mut accepted, mut faults) = (0, BTreeMap::new());
    for (usual, path) in places {
        for text in draw_texts(usual, free[path].as_deref(), &mut runner) {
            let inventory = document(&replaced(&frame, usual, &text));
            let Some(cluster) = check(inventory.as_bytes()).unwrap().cluster else { continue };
            accepted += 1;
            if let Err(error) = render(cluster, &vault) {
                faults.entry(path).or_insert_with(|| format!("{text:?}: {error:#}"));
            }
        }
    }
    assert!(faults.is_empty(), "accepted, but not rendered: {faults:#?}");
    assert!(accepted > written.len(), "{accepted} accepted");
}
