//! `docs/inventory.md`: every key of the inventory, made from the JSON Schema and from the rejected inventories, which
//! show the rules of each key. `UPDATE=1 cargo test --test inventory reference` writes the page anew.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use plasmagen::check::check;
use plasmagen::diag::Report;
use plasmagen::inventory::{self, Texts};
use plasmagen::rules::{Enforcement, RULES, Rule};
use serde_json::Value;
use toml::de::{DeTable, DeValue};

const PAGE: &str = "docs/inventory.md";
/// How wide the page is.
const WIDTH: usize = 100;
/// The rules that hold for every key.
const EVERYWHERE: [&str; 8] =
    ["PG-A01", "PG-A02", "PG-A03", "PG-A04", "PG-A06", "PG-A11", "PG-A13", "PG-A14"];

/// The rules that compare a key with files beside the inventory: certificates, what was rendered last, and modules.
const BESIDE: [(&str, &[&str]); 27] = [
    ("cluster.admin_keys", &["PG-J06"]),
    ("cluster.bootstrap", &["PG-G13", "PG-J04"]),
    ("cluster.domain", &["PG-H06", "PG-H09", "PG-H18"]),
    ("cluster.formed", &["PG-G13", "PG-J04"]),
    ("cluster.former_names", &["PG-H18"]),
    ("cluster.name", &["PG-H18"]),
    ("cluster.removed", &["PG-J03"]),
    ("network.NAME.subnet", &["PG-H09", "PG-H18"]),
    ("network.NAME.subnet6", &["PG-H09", "PG-H18"]),
    ("node.NAME.address.NETWORK", &["PG-H06", "PG-H09"]),
    ("node.NAME.address6.NETWORK", &["PG-H06", "PG-H09"]),
    ("node.NAME.hardware_file", &["PG-A17"]),
    ("node.NAME.mac", &["PG-J07"]),
    ("node.NAME.serial", &["PG-J07"]),
    ("profile.NAME.disk.luks.labels", &["PG-J05"]),
    ("profile.NAME.disk.lvm.labels", &["PG-J05"]),
    ("profile.NAME.disk.lvm.luks", &["PG-J05"]),
    ("profile.NAME.disk.raid1.labels", &["PG-J05"]),
    ("profile.NAME.disk.raid1.luks", &["PG-J05"]),
    ("profile.NAME.disk.single.labels", &["PG-J05"]),
    ("profile.NAME.modules", &["PG-A17"]),
    ("tls.algorithm", &["PG-H10"]),
    ("tls.ca_days", &["PG-H01", "PG-H17"]),
    ("tls.node_days", &["PG-H01", "PG-H02", "PG-H11", "PG-H17"]),
    ("vault.path", &["PG-H14", "PG-H19"]),
    ("vip.NAME", &["PG-H06", "PG-H09"]),
    ("vip6.NAME", &["PG-H06", "PG-H09"]),
];

/// The rules about certificates that no key has a part in.
const OF_NO_KEY: [&str; 6] = ["PG-H03", "PG-H04", "PG-H05", "PG-H07", "PG-H08", "PG-H12"];

const HEAD: &str = "# The keys of the inventory

`inventory.toml` describes a cluster. This page has every key: its meaning, type and default, an example, and the rules
that look at it. A name in capitals is a name that you give. `plasmagen explain KEY` prints the part of this page about a
key, such as `plasmagen explain cluster.bootstrap`, and `plasmagen explain PG-C13` the page of a rule.

The rules PG-A01, PG-A02, PG-A03, PG-A04, PG-A06, PG-A11, PG-A13 and PG-A14 hold for every key. A test makes this page
from the JSON Schema, which editors read as well (`plasmagen schema`).

**Many nodes that are alike.** 48 machines that are alike are 48 rows of a table and not 600 lines. `[nodes]`
names a file beside the inventory:

```toml
[nodes]
from = \"nodes.csv\"
```

```text
name,profile,mac,serial,disks,rack,address.provisioning,address.production
node06,worker,3c:ec:ef:00:00:06,SN0006,/dev/disk/by-id/wwn-0x5002538e40a1b2d1,r2,10.0.100.82,10.0.200.22
node07,worker,3c:ec:ef:00:00:07,SN0007,/dev/disk/by-id/wwn-0x5002538e40a1b2d3,r2,10.0.100.83,10.0.200.23
```

- The columns are keys of a node, as `plasmagen node list --format csv` prints them: `name`, `profile`, `mac`, `serial`,
  `disks` (separated by `;`), `hardware`, `rack`, `bmc.KEY`, `interface.NAME.mac`, `address.NETWORK` and
  `address6.NETWORK`. An empty cell is a key that is not written. What machines have in common stands in their profile.
- A row means what `[node.NAME]` with these keys means. A node with other keys stands in such a table beside the file; a
  name in both is refused, with both places.
- A spreadsheet may write the file: commas, semicolons or tabs between cells, cells in quotes, `\\r\\n`, a byte order
  mark. There are no comments. Rule PG-A18 says which file is refused.
- The file lies below the inventory's directory, and a link does not lead out of it. It has at most 64 MiB. Commit it with
  the inventory.
- Every command reads both files. Faults name the file, the row and the column, `plasmagen show NODE` prints the origin as
  `nodes.csv:7`, `plasmagen diff --since REV` reads both files of the revision. `plasmagen node add` writes a row,
  `node remove` and `node replace` change the file in which the node stands ([nodes.md](nodes.md)).

Other forms were considered and rejected. A pattern such as `[node.\"node[06-53]\"]` with counted addresses still needs a
list of 48 MAC addresses, serial numbers and disks, whose order then says which machine is which: one line too few shifts
all that follow. A list of rows in the inventory itself (`rows = [[…]]`) is no shorter than the file, and no spreadsheet
opens it. YAML or JSON would be a second language with the same length. Including any part of the inventory from other
files would leave the reader without the one place to look; a table of nodes has one kind of content.
";

/// A key of the inventory.
struct Key {
    /// The path, with a capital word for each name of the user's.
    path: Vec<String>,
    schema: Value,
    is_required: bool,
}

impl Key {
    fn name(&self) -> String {
        self.path.join(".")
    }

    fn text(&self, of: &str) -> &str {
        self.schema[of].as_str().unwrap_or_default()
    }
}

/// The keys in the order of the page: those of each table behind the table.
fn keys() -> Vec<Key> {
    let mut found = Vec::new();
    walk(&[], &inventory::json_schema(), &mut found);
    found
}

/// The word for the names in the table `key`.
fn placeholder(key: &str) -> &'static str {
    match key {
        "address" | "address6" => "NETWORK",
        "range" | "range6" => "PROFILE",
        "settings" => "SERVICE",
        "extra" => "SERVER",
        _ => "NAME",
    }
}

fn walk(path: &[String], schema: &Value, found: &mut Vec<Key>) {
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (key, inner) in schema["properties"].as_object().into_iter().flatten() {
        let mut path = [path, &[key.to_owned()]].concat();
        let is_required = required.contains(&key.as_str());
        let mut inner = inner;
        // A table of names: what stands under a name is the key. `provisioner.interface` may be a text instead.
        if inner["additionalProperties"].is_object() {
            if inner["type"].is_array() {
                let mut text = inner.clone();
                text["type"] = "string".into();
                found.push(Key { path: path.clone(), schema: text, is_required });
            }
            path.push(placeholder(key).to_owned());
            let mut value = inner["additionalProperties"].clone();
            let is_text = inner["type"].is_array();
            if !is_text {
                value["description"] = inner["description"].clone();
            }
            found.push(Key { path: path.clone(), schema: value, is_required: is_required && !is_text });
            inner = &inner["additionalProperties"];
        } else {
            found.push(Key { path: path.clone(), schema: inner.clone(), is_required });
        }
        walk(&path, inner, found);
    }
}

/// Whether the key of a node is described at profiles: all that profiles and nodes have in common.
fn is_shared(key: &Key, all: &BTreeSet<String>) -> bool {
    key.path.len() > 2 && key.path[0] == "node" && all.contains(&key.name().replacen("node.", "profile.", 1))
}

/// The type of `schema` in words.
fn describe_type(schema: &Value) -> String {
    let choices: Vec<String> = schema["enum"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|choice| format!("`{}`", choice.as_str().unwrap()))
        .collect();
    if schema["type"].is_array() {
        return "string or table".to_owned();
    }
    match schema["type"].as_str().unwrap() {
        "string" if !choices.is_empty() => format!("string: {}", choices.join(", ")),
        "integer" if schema["minimum"].is_number() => {
            format!("whole number, {} to {}", schema["minimum"], schema["maximum"])
        }
        "integer" => format!("whole number: {}", schema["const"]),
        "boolean" => "`true` or `false`".to_owned(),
        "array" => match describe_type(&schema["items"]) {
            items if items.starts_with("string: ") => {
                format!("list of strings: {}", &items["string: ".len()..])
            }
            items => format!("list of {}s", items.replace(" or ", "s or ")),
        },
        "object" => "table".to_owned(),
        other => other.to_owned(),
    }
}

/// A value of `schema` in TOML.
fn example(schema: &Value) -> Option<String> {
    let first = |list: &str| schema[list][0].as_str().map(|text| format!("{text:?}"));
    match schema["type"].as_str().unwrap_or("string") {
        "string" => first("enum").or_else(|| first("examples")).or_else(|| quoted(schema)),
        "boolean" => Some("true".to_owned()),
        "integer" => {
            let number = [&schema["const"], &schema["default"], &schema["minimum"]];
            number.into_iter().find(|number| number.is_number()).map(ToString::to_string)
        }
        "array" => match example(&schema["items"]) {
            Some(item) => Some(format!("[{item}]")),
            None => quoted(schema),
        },
        _ => None,
    }
}

/// The first text that a description quotes behind `such as`, as a value of TOML.
fn quoted(schema: &Value) -> Option<String> {
    let text = schema["description"].as_str()?.split_once("such as `")?.1.split_once('`')?.0;
    Some(if text.starts_with('[') { text.to_owned() } else { format!("{text:?}") })
}

/// The rules that refuse a value of each key in `tests/rejects`, by the key.
fn rules() -> BTreeMap<String, BTreeSet<&'static str>> {
    let schema = inventory::json_schema();
    let mut rules = BTreeMap::<String, BTreeSet<&'static str>>::new();
    for entry in fs::read_dir("tests/rejects").unwrap() {
        let path = entry.unwrap().path();
        let Some(text) =
            fs::read_to_string(&path).ok().filter(|_| path.extension().is_some_and(|end| end == "toml"))
        else {
            continue;
        };
        let Ok(document) = DeTable::parse(&text) else { continue };
        for fault in check(text.as_bytes()).unwrap().diagnostics {
            let key = key_at(document.get_ref(), &schema, fault.span.start);
            if !EVERYWHERE.contains(&fault.code) && !key.is_empty() {
                rules.entry(key.join(".")).or_default().insert(fault.code);
            }
        }
    }
    for (key, codes) in BESIDE {
        rules.entry(key.to_owned()).or_default().extend(codes);
    }
    rules
}

/// A further rule about certificates or files stands at its keys.
#[test]
fn every_rule_about_files_stands_at_its_keys() {
    let page = fs::read_to_string(PAGE).unwrap();
    for (key, _) in BESIDE {
        assert!(page.contains(&format!("\n### `{key}`\n")), "{key}");
    }
    let listed =
        |code: &str| BESIDE.iter().any(|(_, codes)| codes.contains(&code)) || OF_NO_KEY.contains(&code);
    let is_about_files =
        |rule: &&Rule| matches!(rule.enforcement, Enforcement::Certificates(_) | Enforcement::Files(_));
    for rule in RULES.iter().filter(is_about_files) {
        assert!(listed(rule.code), "{}", rule.code);
    }
}

/// The path of the innermost key whose name or value holds the place `at`.
fn key_at(table: &DeTable<'_>, schema: &Value, at: usize) -> Vec<String> {
    for (name, value) in table {
        let name_text = name.get_ref().as_ref();
        let inner = &schema["properties"][name_text];
        let mut path = vec![name_text.to_owned()];
        let (inner, table) = match value.get_ref() {
            DeValue::Table(entries) if inner["additionalProperties"].is_object() => {
                path.push(placeholder(name_text).to_owned());
                for (entry, value) in entries {
                    let below = match value.get_ref() {
                        DeValue::Table(table) => key_at(table, &inner["additionalProperties"], at),
                        _ => Vec::new(),
                    };
                    if !below.is_empty() || entry.span().contains(&at) || value.span().contains(&at) {
                        return [path, below].concat();
                    }
                }
                continue;
            }
            DeValue::Table(table) => (inner, Some(table)),
            _ => (inner, None),
        };
        let below = table.map(|table| key_at(table, inner, at)).unwrap_or_default();
        if !below.is_empty() || name.span().contains(&at) || value.span().contains(&at) && table.is_none() {
            return [path, below].concat();
        }
    }
    Vec::new()
}

/// `text` in lines of `WIDTH`, the second and further ones indented by `indent`.
fn wrap(text: &str, indent: &str) -> String {
    let (mut lines, mut line) = (String::new(), String::new());
    for word in text.split(' ') {
        if !line.is_empty() && line.chars().count() + word.chars().count() >= WIDTH {
            lines += &format!("{}\n", line.trim_end());
            line = indent.to_owned();
        }
        line += &format!("{word} ");
    }
    lines + line.trim_end()
}

fn write_page() -> String {
    let keys = keys();
    let all: BTreeSet<String> = keys.iter().map(Key::name).collect();
    let mut rules = rules();
    // Profiles and nodes have most keys in common, and so the rules of them.
    for (key, codes) in rules.clone() {
        let profile = key.replacen("node.", "profile.", 1);
        if all.contains(&profile) {
            rules.entry(profile).or_default().extend(codes);
        }
    }
    let mut page = HEAD.to_owned();
    for key in keys.iter().filter(|key| !is_shared(key, &all)) {
        let name = key.name();
        let level = if key.path.len() <= 2 && key.schema["type"] == "object" { "##" } else { "###" };
        page += &format!("\n{level} `{name}`\n\n{}\n\n", wrap(key.text("description"), ""));
        if name == "node.NAME" {
            let shared: Vec<String> = keys
                .iter()
                .filter(|key| is_shared(key, &all) && key.path.len() <= 4)
                .map(|key| format!("`{}`", key.path[2]))
                .collect();
            let shared: BTreeSet<String> = shared.into_iter().collect();
            let shared = shared.into_iter().collect::<Vec<_>>().join(", ");
            page += &format!(
                "{}\n\n",
                wrap(
                    &format!(
                        "A node may have these keys of `profile.NAME`, too, and then the node's value counts: {shared}."
                    ),
                    ""
                )
            );
        }
        let mut facts = vec![format!("Type: {}", describe_type(&key.schema))];
        let default = &key.schema["default"];
        facts.push(match (key.is_required, default.is_null()) {
            (true, _) => "Required".to_owned(),
            (false, true) => "Optional".to_owned(),
            (false, false) => format!("Default: `{default}`"),
        });
        if let Some(example) = example(&key.schema) {
            facts.push(format!("Example: `{} = {example}`", key.path.last().unwrap()));
        }
        if let Some(codes) = rules.get(&name) {
            facts.push(format!("Rules: {}", codes.iter().copied().collect::<Vec<_>>().join(", ")));
        }
        for fact in facts {
            page += &format!("{}\n", wrap(&format!("- {fact}"), "  "));
        }
    }
    page
}

#[test]
fn the_page_is_current() {
    let page = write_page();
    if std::env::var_os("UPDATE").is_some() {
        fs::write(PAGE, &page).unwrap();
    }
    let committed = fs::read_to_string(PAGE).unwrap_or_default();
    assert!(committed == page, "{PAGE} is stale: UPDATE=1 cargo test --test inventory reference");
}

#[test]
fn every_key_has_a_meaning_and_every_example_is_read() {
    for key in keys() {
        let name = key.name();
        assert!(key.text("description").ends_with('.'), "{name}");
        assert!(key.text("description").len() > 15, "{name}");
        let Some(example) = example(&key.schema) else {
            assert!(key.schema["type"] == "object", "{name} has no example");
            continue;
        };
        let (last, above) = key.path.split_last().unwrap();
        let names = |part: &String| match part.as_str() {
            "SERVER" => "kea".to_owned(),
            part => part.to_lowercase(),
        };
        let header = above.iter().map(names).collect::<Vec<_>>().join(".");
        let header = if header.is_empty() { header } else { format!("[{header}]\n") };
        let written = format!("{header}{} = ", names(last));
        let mut report = Report::default();
        let text = format!("{written}{example}\n");
        let _ = inventory::parse(Texts { inventory: &text, nodes: Some(Ok("name\n")) }, &mut report);
        let refused: Vec<_> =
            report.finish().into_iter().filter(|fault| fault.span.start >= written.len()).collect();
        assert!(refused.is_empty(), "{name} = {example}: {refused:?}");
    }
}

#[test]
fn the_rules_of_a_key_are_found() {
    let rules = rules();
    let of = |key: &str| rules.get(key).cloned().unwrap_or_default();
    assert!(of("network.NAME.pool").contains("PG-C12"), "{rules:?}");
    assert!(of("cluster.bootstrap").contains("PG-G03"));
    assert!(of("node.NAME.disks").contains("PG-F03"));
}
