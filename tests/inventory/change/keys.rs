//! Every key of `site/inventory.json` has its row: those of the golden cases, and those of the model's types.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use plasmagen::change::table::list_rows;
use serde_json::Value;
use test_kit::{case_dirs, repository};

/// The types of the model, each with its places in the file. A type that is not here fails the test.
const TYPES: [(&str, &[&str]); 19] = [
    ("Cluster", &[""]),
    ("Vip", &["vips.*"]),
    ("Tls", &["tls"]),
    ("Boot", &["boot"]),
    ("Dns", &["dns"]),
    ("FirewallExtra", &["firewall.*"]),
    ("Provisioner", &["provisioner"]),
    ("ProvisionerInterface", &["provisioner", "provisioner.other_interfaces.*"]),
    ("Network", &["networks.*"]),
    ("Profile", &["profiles.*"]),
    ("Node", &["nodes.*"]),
    ("Interface", &["nodes.*.interfaces.*", "profiles.*.interfaces.*"]),
    ("Bond", &["nodes.*.interfaces.*.bond", "profiles.*.interfaces.*.bond"]),
    ("Service", &["nodes.*.services.*", "profiles.*.services.*"]),
    ("Ports", &["nodes.*.services.*", "profiles.*.services.*"]),
    ("Layout", &["nodes.*.layout"]),
    ("Volume", &["nodes.*.layout.volumes.*"]),
    ("Hardware", &["nodes.*.hardware"]),
    ("Bmc", &["nodes.*.bmc"]),
];

/// Keys that no row has, since all their values have keys of their own.
const TABLES: [&str; 6] = ["provisioner", "tls", "boot", "dns", "nodes.*.layout", "nodes.*.hardware"];

/// Keys whose entries have names.
const LISTS: [&str; 13] = [
    "networks",
    "vips",
    "firewall",
    "profiles",
    "nodes",
    "provisioner.extra",
    "provisioner.other_interfaces",
    "nodes.*.interfaces",
    "nodes.*.services",
    "nodes.*.disk_sizes",
    "nodes.*.layout.volumes",
    "profiles.*.interfaces",
    "profiles.*.services",
];

/// The rows of keys of the file: those of derived facts have parentheses, or none of the file's names.
fn rows() -> BTreeSet<&'static str> {
    let rows = list_rows().map(|row| row.key);
    rows.filter(|key| !key.contains('(') && !["zones.*", "reservations.*"].contains(key)).collect()
}

/// The keys below `value`, which stands at `at`, as the table writes them.
fn collect(at: &str, value: &Value, found: &mut BTreeSet<String>) {
    let join = |key: &str| if at.is_empty() { key.to_owned() } else { format!("{at}.{key}") };
    match value {
        Value::Object(table) if at.ends_with(".settings") => drop(found.insert(at.to_owned())),
        Value::Object(table) => {
            if !at.is_empty() && !TABLES.contains(&at) {
                found.insert(at.to_owned());
            }
            for (key, value) in table {
                let key = if LISTS.contains(&at) { "*" } else { key.as_str() };
                collect(&join(key), value, found);
            }
        }
        Value::Array(items) if LISTS.contains(&at) => {
            items.iter().for_each(|item| collect(&join("*"), item, found));
        }
        _ => drop(found.insert(at.to_owned())),
    }
}

#[test]
fn every_key_of_every_golden_case_has_a_row() {
    let rows = rows();
    let mut found = BTreeSet::new();
    let goldens = case_dirs().into_iter().map(|case| case.join("expected"));
    for root in goldens.chain([repository().to_owned()]) {
        let text = fs::read(root.join("site/inventory.json")).unwrap();
        collect("", &serde_json::from_slice(&text).unwrap(), &mut found);
    }
    found.retain(|key| !LISTS.contains(&key.as_str()));
    assert!(found.len() > 80, "{found:?}");
    let missing: Vec<_> = found.iter().filter(|key| !rows.contains(key.as_str())).collect();
    assert!(missing.is_empty(), "keys without a row: {missing:#?}");
}

/// The fields of the types in `src/model` that are written and read, by type. An enum counts by the fields of its variants.
fn fields() -> BTreeMap<String, BTreeSet<String>> {
    let mut types = BTreeMap::<String, BTreeSet<String>>::new();
    for entry in fs::read_dir(repository().join("src/model")).unwrap() {
        let Ok(text) = fs::read_to_string(entry.unwrap().path()) else { continue };
        for part in text.split("#[derive(").skip(1) {
            let (derives, rest) = part.split_once(")]").unwrap();
            if !(derives.contains("Serialize, Deserialize")) {
                continue;
            }
            let Some((head, body)) = rest.split_once("{\n") else { continue };
            let Some(name) = head.split("pub struct ").nth(1) else { continue };
            let name = name.split(['<', ' ']).next().unwrap();
            let body = body.split("\n}").next().unwrap();
            let (mut renamed, mut is_left_out) = (None, false);
            for line in body.lines().map(str::trim) {
                if let Some(serde) = line.strip_prefix("#[serde(") {
                    is_left_out |= serde == "skip)]" || serde.starts_with("flatten");
                    renamed = serde.strip_prefix("rename = \"").and_then(|rest| rest.split('"').next());
                } else if let Some(field) = line.strip_prefix("pub ") {
                    let field = field.split(':').next().unwrap();
                    if !std::mem::take(&mut is_left_out) {
                        types.entry(name.to_owned()).or_default().insert(renamed.unwrap_or(field).to_owned());
                    }
                    renamed = None;
                }
            }
        }
    }
    types
}

#[test]
fn the_rows_are_the_keys_of_the_models_types() {
    let places: BTreeMap<_, _> = TYPES.into_iter().collect();
    let mut expected = BTreeSet::from(["schema".to_owned()]);
    for (name, fields) in fields() {
        if ["ReservationFile", "ReservedNode"].contains(&name.as_str()) {
            continue;
        }
        let places = places.get(name.as_str()).unwrap_or_else(|| panic!("{name} has no place in the file"));
        for place in *places {
            let keys =
                fields.iter().map(|field| format!("{place}.{field}").trim_start_matches('.').to_owned());
            expected.extend(keys);
        }
    }
    // The keys of `Style`, an enum.
    expected.extend(["style", "swap", "volumes"].map(|key| format!("nodes.*.layout.{key}")));
    let with_entries: BTreeSet<String> = expected
        .into_iter()
        .filter(|key| !TABLES.contains(&key.as_str()))
        .map(|key| if LISTS.contains(&key.as_str()) { key + ".*" } else { key })
        .collect();
    let rows: BTreeSet<String> = rows().into_iter().map(str::to_owned).collect();
    assert_eq!(rows, with_entries);
}

#[test]
fn a_row_says_whom_it_reaches_in_words_and_has_evidence() {
    let mut seen = BTreeSet::new();
    for row in list_rows() {
        assert!(seen.insert(row.key), "two rows for {}", row.key);
        assert!(!row.affects.is_empty() || row.judge.is_some(), "{}", row.key);
        assert!(!row.evidence.is_empty(), "{}", row.key);
        for affects in row.affects {
            assert!(!affects.text.is_empty() && !affects.text.ends_with('.'), "{}", row.key);
        }
        let ours = |part: &&str| {
            ["src/", "docs/", "profiles/", "templates/", "tests/"].iter().any(|dir| part.starts_with(dir))
        };
        for path in row.evidence.split("; ").filter(ours) {
            let path = path.split(": ").next().unwrap();
            assert!(repository().join(path).exists(), "{}: there is no {path}", row.key);
        }
    }
}
