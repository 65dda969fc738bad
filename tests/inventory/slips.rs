//! The usual slips of TOML: one diagnostic for one slip, at its place, with the change that mends it.

use plasmagen::check::check;
use plasmagen::diag::Diagnostic;

const REFERENCE: &str = include_str!("../../inventory.toml");

/// What the help of a slip can do.
enum Mended {
    /// The change makes the inventory sound again.
    Sound,
    /// The change leads on to a fault with this code, which the slip hid.
    Hides(&'static str),
    /// The help is for people.
    ByHand,
}
use Mended::{ByHand, Hides, Sound};

/// Slips: what stands in the reference, what is written in its place, the text that the diagnostic marks, a part of its
/// message, and what its help does.
#[rustfmt::skip]
const SLIPS: &[(&str, &str, &str, &str, Mended)] = &[
    // Quotes and spaces of word processors.
    ("name = \"prod-cluster\"", "name = “prod-cluster”", "“prod-cluster”", "quote of word processors", Sound),
    ("name = \"prod-cluster\"", "name = \"prod-cluster”", "”", "quote of word processors", Sound),
    ("bootstrap = [\"node01\", \"node02\", \"node03\"]", "bootstrap = [„node01“, „node02“, „node03“]", "„node01“, „node02“, „node03“", "quote of word processors", Sound),
    ("name = \"prod-cluster\"", "name = `prod-cluster`", "`prod-cluster`", "quote of word processors", Sound),
    ("name = \"prod-cluster\"", "name\u{a0}=\u{a0}\"prod-cluster\"", "\u{a0}=\u{a0}", "U+00A0", Sound),
    // A quote that is missing.
    ("name = \"prod-cluster\"", "name = \"prod-cluster", "\"prod-cluster", "no closing quote", Sound),
    ("name = \"prod-cluster\"", "name = 'prod-cluster\"", "'prod-cluster\"", "no closing quote", Sound),
    ("name = \"prod-cluster\"", "name = \"prod-cluster'", "\"prod-cluster'", "no closing quote", Sound),
    ("name = \"prod-cluster\"", "name = prod-cluster\"", "prod-cluster\"", "no opening quote", Sound),
    ("name = \"prod-cluster\"", "name = 'prod-cluster", "'prod-cluster", "no closing quote", Sound),
    ("\"node01\", \"node02\", \"node03\"]", "\"node01\", \"node02\", \"node03]", "\"node03", "no closing quote", Sound),
    ("\"node01\", \"node02\", \"node03\"]", "\"node01, \"node02\", \"node03\"]", "\"node01", "no closing quote", Sound),
    ("\"node01\", \"node02\", \"node03\"]", "\"node01\", node02\", \"node03\"]", "node02\"", "no opening quote", Sound),
    ("name = \"prod-cluster\"", "name = \"\"\"prod-cluster\"", "\"\"\"", "never ends", ByHand),
    // Text without quotes, and words of other languages.
    ("name = \"prod-cluster\"", "name = prod-cluster", "prod-cluster", "no quotes", Sound),
    ("mac = \"52:54:00:12:34:57\"", "mac = 52:54:00:12:34:57", "52:54:00:12:34:57", "no quotes", Sound),
    ("address = \"10.0.100.10\"", "address = 10.0.100.10", "10.0.100.10", "no quotes", Sound),
    ("serial = \"CN7475139H0025\"", "serial = CN7475139 H0025", "CN7475139 H0025", "no quotes", Sound),
    ("formed = false", "formed = False", "False", "`False` is no value", Sound),
    ("formed = false", "formed = no", "no", "`no` is no value", Sound),
    ("formed = false", "formed = null", "null", "no empty value", ByHand),
    ("vlan = 100", "vlan = 0100", "0100", "no leading zeros", Sound),
    ("name = \"prod-cluster\"", "name = \"prod\\dcluster\"", "\\d", "`\\d` is no escape", Hides("PG-B01")),
    // Signs of other languages.
    ("name = \"prod-cluster\"", "name = \"prod-cluster\",", ",", "stands behind the value", Sound),
    ("name = \"prod-cluster\"", "name = \"prod-cluster\";", ";", "stands behind the value", Sound),
    ("vlan = 100", "vlan = 100;", ";", "stands behind the value", Sound),
    ("name = \"prod-cluster\"", "// our cluster\nname = \"prod-cluster\"", "//", "begins no comment", Sound),
    ("name = \"prod-cluster\"", "name = \"prod-cluster\" // our cluster", "//", "begins no comment", Sound),
    // Brackets and commas.
    ("\"node01\", \"node02\", \"node03\"]", "\"node01\", \"node02\", \"node03\"", "[", "never closed", Sound),
    ("\"node01\", \"node02\", \"node03\"]", "\"node01\", \"node02\", \"node03\"}", "}", "cannot close a `[`", Sound),
    ("\"node01\", \"node02\", \"node03\"]", "\"node01\", \"node02\", \"node03\"]]", "]", "closes nothing", Sound),
    ("\"node01\", \"node02\", \"node03\"]", "\"node01\" \"node02\", \"node03\"]", "\"node02\"", "a comma is missing", Sound),
    ("\"node01\", \"node02\", \"node03\"]", "\n  \"node01\"\n  \"node02\",\n  \"node03\",\n]", "\"node02\"", "a comma is missing", Sound),
    ("[node.node05]", "[node.node05", "[node.node05", "header is never closed", Sound),
    ("[node.node05]", "[node.node05 = \"x\"", "[node.node05 = \"x\"", "header is never closed", ByHand),
    ("[node.node05]", "[node.node05] the last one", "the last one", "stands behind a header", ByHand),
    ("[node.node05]\nprofile", "[node.node05] profile", "profile = \"worker\"", "stands behind a header", Sound),
    ("[node.node05]", "[node.node05]]", "]", "closes nothing", Sound),
    ("[node.node05]", "node.node05]", "node.node05]", "header is never opened", Sound),
    // Keys.
    ("name = \"prod-cluster\"", "name \"prod-cluster\"", "name", "`=` is missing", Sound),
    ("name = \"prod-cluster\"", "name", "name", "`=` is missing", ByHand),
    ("name = \"prod-cluster\"", "name =", "name =", "has no value", ByHand),
    ("name = \"prod-cluster\"", "name == \"prod-cluster\"", "=", "one `=`", Sound),
    ("name = \"prod-cluster\"", "name === \"prod-cluster\"", "==", "one `=`", Sound),
    ("\"node01\", \"node02\", \"node03\"]", "\"node01\", \"node02\", \"node03\"]]]", "]", "closes nothing", Sound),
    ("name = \"prod-cluster\"", "name => \"prod-cluster\"", ">", "one `=`", Sound),
    ("[node.node05]", "[node.tromsø]", "tromsø", "is no ASCII character", Sound),
    ("[node.node05]", "[node node05]", "node node05", "a space stands in a key", Sound),
    ("[node.node05]", "[node.node 05]", "node 05", "a space stands in a key", Hides("PG-B01")),
    ("[node.node05]", "[node.node/05]", "node/05", "`/` stands in a key", Hides("PG-B01")),
    // YAML, JSON, git.
    ("name = \"prod-cluster\"", "name: \"prod-cluster\"", "name: \"prod-cluster\"", "this is YAML", Sound),
    ("name = \"prod-cluster\"", "name: prod-cluster", "name: prod-cluster", "this is YAML", Sound),
    ("name = \"prod-cluster\"", "\"name\": \"prod-cluster\",", "\"name\": \"prod-cluster\",", "this is YAML", Sound),
    ("bootstrap = [\"node01\", \"node02\", \"node03\"]", "bootstrap:\n  - node01\n  - node02\n  - node03", "bootstrap:", "this is YAML", Sound),
    ("bootstrap = [\"node01\", \"node02\", \"node03\"]", "bootstrap =\n  - node01\n  - node02\n  - node03", "bootstrap =", "this is YAML", Sound),
    ("[node.node05]", "ntp:\n  servers:\n    - \"a\"\n  more: true\n[node.node05]", "ntp:", "this is YAML", ByHand),
    ("vlan = 100", "<<<<<<< HEAD\nvlan = 100\n=======\nvlan = 101\n>>>>>>> branch", "<<<<<<< HEAD", "merge conflict", ByHand),
];

fn found(text: &str) -> Vec<Diagnostic> {
    check(text.as_bytes()).unwrap().diagnostics
}

/// `text` after the change that the help of `fault` proposes.
fn mend(text: &str, fault: &Diagnostic) -> Option<String> {
    let edit = fault.edit.as_ref()?;
    Some([&text[..edit.span.start], &edit.text, &text[edit.span.end..]].concat())
}

#[test]
fn one_slip_is_one_diagnostic_that_mends_it() {
    let mut wrong = Vec::new();
    for (sound, slip, marked, message, mended) in SLIPS {
        assert!(REFERENCE.contains(sound), "{sound}");
        let text = REFERENCE.replacen(sound, slip, 1);
        let faults = found(&text);
        let [fault] = &faults[..] else {
            let faults: Vec<_> = faults.iter().map(|fault| &fault.message).collect();
            wrong.push(format!("{slip}: {faults:#?}"));
            continue;
        };
        let place = &text[fault.span.clone()];
        if place != *marked || !fault.message.contains(message) || fault.help.is_none() {
            wrong.push(format!("{slip}: marks {place:?}: {}; help: {:?}", fault.message, fault.help));
        }
        let after = mend(&text, fault).map(|text| found(&text));
        let codes = after.as_ref().map(|found| found.iter().map(|found| found.code).collect::<Vec<_>>());
        let is_right = match (mended, codes.as_deref()) {
            (Sound, Some([])) | (ByHand, None) => true,
            (Hides(code), Some(codes)) => codes.first() == Some(code),
            _ => false,
        };
        if !is_right {
            wrong.push(format!("{slip}: after {:?}: {after:#?}", fault.edit));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn several_slips_are_as_many_diagnostics() {
    let mut text = REFERENCE.to_owned();
    for (sound, slip) in [
        ("name = \"prod-cluster\"", "name = prod-cluster"),
        ("\"node01\", \"node02\", \"node03\"]", "\"node01\", \"node02\", \"node03\""),
        ("vlan = 100", "vlan = 100;"),
        ("[node.node05]", "[node.node05"),
    ] {
        text = text.replacen(sound, slip, 1);
    }
    let messages: Vec<String> = found(&text).into_iter().map(|fault| fault.message).collect();
    assert_eq!(messages.len(), 4, "{messages:#?}");
}

#[test]
fn a_whole_file_of_another_language_is_one_diagnostic() {
    let yaml = "---\ncluster:\n  name: prod\n  bootstrap:\n    - node01\n\n# nodes\nnodes:\n  node01: {}\n";
    let json = "{\n  \"schema\": 1,\n  \"cluster\": { \"name\": \"prod\" }\n}\n";
    for (text, message) in [(yaml, "this is YAML"), (json, "this is JSON")] {
        let faults = found(text);
        let syntax: Vec<_> = faults.iter().filter(|fault| fault.code == "PG-A01").collect();
        assert!(syntax.len() == 1 && syntax[0].message.contains(message), "{faults:#?}");
    }
}

#[test]
fn an_empty_inventory_is_one_diagnostic() {
    for text in ["", "\n", "# an inventory\n"] {
        let faults = found(text);
        assert!(faults.len() == 1 && faults[0].message.contains("is empty"), "{faults:#?}");
    }
}

/// Documents with a key or table twice: the key of the second one is reported, and the first one shown.
const TWICE: [(&str, &str, usize); 7] = [
    ("[node.a]\nmac = 1\n[node.b]\nmac = 2\nmac = 3\n", "mac", 1),
    ("[node.a]\nmac = 1\nmac = 2\n[node.b]\nmac = 3\n", "mac", 0),
    ("[node.a]\nx = 1\n[node.b]\nx = 1\n[node.a]\nx = 2\n", "a", 0),
    ("[node.a.b]\nx = 1\n[node.a]\nx = 1\n[node.a]\nx = 2\n", "a]", 0),
    ("[node.a]\naddress.p = 1\nmac = 1\naddress = {}\n", "address", 0),
    ("[node.a]\nbond = { mode = 1, x = { mode = 2 }, mode = 3 }\n", "mode", 0),
    ("[node.a]\n\"mac\" = 1\nmac = 2\n", "mac", 0),
];

#[test]
fn the_first_of_two_is_shown() {
    for (text, key, first) in TWICE {
        let faults = found(text);
        let fault = faults.iter().find(|fault| fault.code == "PG-A02").unwrap();
        let shown = fault.related[0].span.start;
        let places: Vec<usize> = text.match_indices(key).map(|(at, _)| at).collect();
        let quoted = usize::from(text[shown..].starts_with('"'));
        assert_eq!(shown + quoted, places[first], "{text}: {fault:?}");
    }
}
