//! Read back by `nix-instantiate --eval --strict --json`.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Component, Path, PathBuf};

use proptest::prelude::*;
use serde_json::{Value, json};
use test_kit::nix::nix_instantiate;
use test_kit::process::lossy;

use crate::dialects::{DIGITS, LOWER, UPPER, calls, print, same, taken, text, texts};

/// Evaluates a list of `items` in the file `dir`/list.nix, without store, daemon or network.
fn eval(dir: &Path, items: &[String]) -> Vec<Value> {
    let file = dir.join("list.nix");
    fs::write(&file, format!("[\n{}\n]\n", items.join("\n"))).unwrap();
    let out = nix_instantiate(
        ["--eval", "--strict", "--json"].map(OsStr::new).into_iter().chain([file.as_os_str()]),
    );
    assert!(out.status.success(), "{}", lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).unwrap()
}

fn sayable(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

/// Whether Nix has a literal for all of `value`.
fn has_literal(value: &Value) -> bool {
    match value {
        Value::String(text) => sayable(text),
        Value::Number(number) => number.as_i64().is_some_and(|number| number != i64::MIN),
        Value::Array(items) => items.iter().all(has_literal),
        Value::Object(map) => map.iter().all(|(key, value)| sayable(key) && has_literal(value)),
        Value::Null | Value::Bool(_) => true,
    }
}

/// What Nix's lexer or evaluator knows by name, and one name with a quote.
const KEYWORDS: &[&str] =
    &["assert", "else", "if", "in", "inherit", "let", "or", "rec", "then", "with", "__curPos", "null", "x'"];

/// Attribute names: any text and all keywords, but not the two by which Nix makes a string of a set.
fn key() -> impl Strategy<Value = String> {
    prop_oneof![prop::sample::select(KEYWORDS).prop_map(str::to_owned), "[a-z][a-z0-9.'_-]{0,8}", text()]
        .prop_filter("means something to toJSON", |key| key != "__toString" && key != "outPath")
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop::sample::select(&[0, -1, i64::MAX, i64::MIN + 1, i64::MIN]).prop_map(Value::from),
        Just(json!(u64::MAX)),
        "[ -~é]{0,12}".prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(key(), inner, 0..4).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #![proptest_config(calls(8))]

    #[test]
    fn strings_read_back(texts in texts()) {
        let (said, printed): (Vec<_>, Vec<_>) =
            texts.iter().filter_map(|text| Some((text.as_str(), print("literal.nix.j2", text)?))).unzip();
        same(&said, texts.iter().filter(|text| sayable(text)))?;
        same(eval(tempfile::tempdir()?.path(), &printed), said)?;
    }

    #[test]
    fn values_read_back(values in prop::collection::vec(value(), 300)) {
        let (said, printed): (Vec<_>, Vec<_>) =
            values.iter().filter_map(|value| Some((value.clone(), print("literal.nix.j2", value)?))).unzip();
        same(&said, values.iter().filter(|value| has_literal(value)))?;
        same(eval(tempfile::tempdir()?.path(), &printed), said)?;
    }

    #[test]
    fn names_read_back(keys in prop::collection::vec(key(), 300)) {
        let (said, printed): (Vec<_>, Vec<_>) =
            keys.iter().filter_map(|key| Some((json!({ key: 1 }), print("name.nix.j2", key)?))).unzip();
        prop_assert_eq!(said.len(), keys.iter().filter(|key| sayable(key)).count());
        let sets: Vec<_> = printed.iter().map(|name| format!("{{ {name} = 1; }}")).collect();
        same(eval(tempfile::tempdir()?.path(), &sets), said)?;
    }

    /// JSON from Nix has six digits, so that Nix itself compares with what its JSON parser makes of the number.
    #[test]
    fn floats_read_back(floats in prop::collection::vec(prop::num::f64::ANY, 400)) {
        let (said, printed): (Vec<f64>, Vec<_>) =
            floats.iter().filter_map(|float| Some((*float, print("literal.nix.j2", float)?))).unzip();
        prop_assert!(floats.iter().filter(|float| float.is_normal()).eq(said.iter().filter(|float| **float != 0.0)));
        let equal: Vec<_> = said
            .iter()
            .zip(&printed)
            .map(|(float, literal)| format!("({literal} == builtins.fromJSON \"{}\" && builtins.isFloat {literal})", json!(float)))
            .collect();
        same(eval(tempfile::tempdir()?.path(), &equal), vec![json!(true); said.len()])?;
    }

    #[test]
    fn bare_words_read_back(texts in texts(), paths in prop::collection::vec("\\.\\.?(/[a-zA-Z0-9._+-]{1,5}){1,3}", 200)) {
        let dir = tempfile::tempdir()?;
        let (mut items, mut expected) = (vec![], vec![]);
        for word in texts.iter().chain(&paths) {
            let Some(printed) = print("bare.nix.j2", word) else { continue };
            prop_assert_eq!(&printed, word);
            if word.contains('/') {
                items.push(format!("(toString {printed})"));
                expected.push(json!(normal(&dir.path().join(word))));
            } else {
                items.push(format!("{{ {printed} = 1; }}"));
                expected.push(json!(BTreeMap::from([(word, 1)])));
            }
        }
        prop_assert!(items.len() >= paths.len());
        same(eval(dir.path(), &items), expected)?;
    }
}

/// Without `.` and `..`, as Nix reads a path.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => drop(normal.pop()),
            Component::CurDir => {}
            other => normal.push(other),
        }
    }
    normal
}

#[test]
fn what_is_a_bare_word() {
    assert_eq!(taken("bare.nix.j2", "", "a"), format!("{UPPER}_{LOWER}"));
    assert_eq!(taken("bare.nix.j2", "a", "a"), format!("'-{DIGITS}{UPPER}_{LOWER}"));
    assert_eq!(taken("bare.nix.j2", "./", ""), format!("+-.{DIGITS}{UPPER}_{LOWER}"));
    assert_eq!(taken("bare.nix.j2", "./a", "a"), format!("+-./{DIGITS}{UPPER}_{LOWER}"));
    for word in [
        "",
        "./a//b",
        "./a/",
        "./",
        "..",
        "/etc/passwd",
        "a/b",
        "~/a",
        "a.b",
        "with",
        "rec",
        "./é",
        "<nixpkgs>",
    ] {
        assert_eq!(print("bare.nix.j2", word), None, "{word:?}");
    }
}

#[test]
fn what_has_no_literal() {
    for float in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 5e-324] {
        assert_eq!(print("literal.nix.j2", float), None, "{float}");
    }
    assert_eq!(print("literal.nix.j2", BTreeMap::from([(1, 2)])), None);
}

#[test]
fn it_reads_well() {
    let value = json!({ "b c": [1, -2, "x"], "a": { "or": null, "x'": true }, "e": [], "f": {}, "g": 0.5 });
    assert_eq!(
        print("literal.nix.j2", value).unwrap(),
        r#"{ a = { "or" = null; x' = true; }; "b c" = [ 1 (-2) "x" ]; e = [ ]; f = { }; g = 0.5; }"#
    );
}
