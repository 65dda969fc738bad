//! Keys, types, choices, ranges and examples.

use std::collections::BTreeSet;

use plasmagen::diag::Diagnostic;
use serde_json::{Value, json};

use crate::schema::walk::{Place, faults, places, refused, strings, table, toml};

/// Whether the schema of `place` allows values of the type `name`: a type, or a list of types.
fn has_type(place: &Place, name: &str) -> bool {
    let types = &place.schema["type"];
    types == name || types.as_array().into_iter().flatten().any(|other| other == name)
}

/// The words in backticks of what follows `start` in `text`.
fn quoted<'t>(text: &'t str, start: &str) -> BTreeSet<&'t str> {
    let (_, list) = text.split_once(start).unwrap_or_else(|| panic!("{start:?} is not in {text:?}"));
    list.split('`').skip(1).step_by(2).collect()
}

#[test]
fn tables_have_the_keys_that_the_reader_knows() {
    let mut tables = 0;
    for place in places().iter().filter(|place| place.schema["properties"].is_object()) {
        tables += 1;
        assert_eq!(place.schema["additionalProperties"], false, "{:?}", place.path);
        let (text, _) = table(&place.path, "no-such-key-in-any-table = 1\n");
        let faults = faults(&text);
        let fault = faults.iter().find(|fault| fault.message.contains("no-such-key")).unwrap();
        let known = fault.help.as_ref().unwrap().strip_prefix("known here: ").unwrap();
        let known: BTreeSet<&str> = known.split(", ").collect();
        let properties: BTreeSet<&str> =
            place.schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(known, properties, "{:?}", place.path);
    }
    assert!(tables > 30, "{tables}");
}

#[test]
fn tables_require_what_the_reader_misses() {
    for place in places().iter().filter(|place| place.schema["properties"].is_object()) {
        let (text, span) = table(&place.path, "");
        let missing = |fault: &Diagnostic| {
            let (key, _) = fault.message.strip_prefix('`')?.split_once("` is missing here")?;
            (fault.span == span).then(|| key.to_owned())
        };
        let mut missed: BTreeSet<String> = faults(&text).iter().filter_map(missing).collect();
        if faults(&text).iter().any(|fault| fault.code == "PG-A05" && fault.span == span) {
            missed.insert("schema".to_owned());
        }
        let either = strings(&place.schema["anyOf"][0]["required"]);
        let required = strings(&place.schema["required"]).into_iter().chain(either).map(str::to_owned);
        assert_eq!(missed, required.collect(), "{:?}", place.path);
    }
}

#[test]
fn a_subnet_of_either_family_is_enough() {
    for subnet in ["subnet = \"10.0.0.0/24\"", "subnet6 = \"fd00::/64\""] {
        let (text, span) = table(&["network".into(), "lan".into()], &format!("{subnet}\n"));
        assert!(!faults(&text).iter().any(|fault| fault.span == span && fault.message.contains("subnet")));
    }
}

#[test]
fn choices_are_the_readers() {
    let mut choices = 0;
    for place in places() {
        let (legal, as_item) = match (&place.schema["enum"], &place.schema["items"]["enum"]) {
            (Value::Null, Value::Null) => continue,
            (Value::Null, items) => (strings(items), true),
            (choices, _) => (strings(choices), false),
        };
        choices += 1;
        let written = |word: &str| toml(&if as_item { json!([word]) } else { json!(word) });
        let faults = refused(&place.path, &written("no-such-word"));
        let mut words = quoted(faults[0].help.as_ref().unwrap(), "legal are ");
        words.extend(&legal);
        for word in words {
            let accepted = refused(&place.path, &written(word)).is_empty();
            assert_eq!(accepted, legal.contains(&word), "{word} at {:?}", place.path);
        }
    }
    assert!(choices > 15, "{choices}");
}

#[test]
fn names_that_are_choices_are_the_readers() {
    let maps: Vec<_> =
        places().into_iter().filter(|place| place.schema["propertyNames"]["enum"].is_array()).collect();
    assert!(!maps.is_empty());
    for map in maps {
        let (text, _) = table(&map.path, "no-such-word = \"/x\"\n");
        let faults = faults(&text);
        let fault = faults.iter().find(|fault| fault.message.contains("no-such-word")).unwrap();
        let legal = strings(&map.schema["propertyNames"]["enum"]).into_iter().collect();
        assert_eq!(quoted(fault.help.as_ref().unwrap(), "legal are "), legal);
    }
}

#[test]
fn ranges_are_the_readers() {
    let mut numbers = 0;
    for place in places().iter().filter(|place| place.schema["type"] == "integer") {
        numbers += 1;
        let bound =
            |key: &str| place.schema.get(key).or(place.schema.get("const")).unwrap().as_i64().unwrap();
        let (first, last) = (bound("minimum"), bound("maximum"));
        for (value, legal) in [(first, true), (last, true), (first - 1, false), (last + 1, false)] {
            let accepted = refused(&place.path, &value.to_string()).is_empty();
            assert_eq!(accepted, legal, "{value} at {:?}", place.path);
        }
    }
    assert!(numbers >= 10, "{numbers}");
}

#[test]
fn types_are_the_readers() {
    let samples =
        [("string", "\"x\""), ("boolean", "true"), ("integer", "7"), ("array", "[]"), ("object", "{}")];
    for place in places().iter().filter(|place| !place.path.is_empty()) {
        for (name, sample) in samples.iter().chain(&[("number", "1.5"), ("date", "2026-01-01")]) {
            let faults = refused(&place.path, sample);
            let expected = faults.iter().any(|fault| fault.message.starts_with("expected "));
            assert_eq!(!expected, has_type(place, name), "{sample} at {:?}: {faults:?}", place.path);
        }
    }
}

#[test]
fn examples_and_defaults_are_accepted() {
    let mut tried = 0;
    for place in places().iter().filter(|place| !place.path.is_empty()) {
        let Value::Array(items) = json!([place.schema["default"]]) else { unreachable!() };
        let examples = place.schema["examples"].as_array().into_iter().flatten();
        let listed = place.schema["items"]["examples"].as_array().into_iter().flatten();
        let words = items.into_iter().filter(|value| !value.is_null()).chain(examples.cloned());
        for value in words.chain(listed.map(|word| json!([word]))) {
            tried += 1;
            let mut faults = refused(&place.path, &toml(&value));
            // The table of nodes is a file, and nothing lies beside a text.
            faults.retain(|fault| fault.code != "PG-A18");
            assert!(faults.is_empty(), "{value} at {:?}", place.path);
        }
    }
    assert!(tried > 80, "{tried}");
}

#[test]
fn everything_is_described() {
    for place in places() {
        let text = place.schema["description"].as_str().unwrap_or_default();
        let inner = place.schema["items"]["description"].as_str().or(place.schema["enum"][0].as_str());
        assert!(!text.is_empty() || inner.is_some(), "{:?}", place.path);
        assert!(!text.contains("[`") && !text.contains("`None`"), "{:?}: {text}", place.path);
    }
}
