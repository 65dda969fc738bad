//! The formats of `plasmagen check`, byte for byte, and what their readers make of them.
//!
//! `UPDATE=1 cargo test --test cli formats` writes the goldens anew.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

mod readers;

const FORMATS: [&str; 5] = ["human", "concise", "json", "github", "sarif"];

/// Runs `plasmagen check` with `input` on its standard input, where no certificates lie beside it.
fn check(arguments: &[&str], input: &[u8]) -> Output {
    let elsewhere = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_plasmagen"));
    if arguments.contains(&"--stdin-filename") {
        command.current_dir(elsewhere.path());
    }
    command.arg("check").args(arguments).env_remove("CLICOLOR_FORCE");
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

/// What `input` looks like in `format`, under the name `inventory.toml`.
fn formatted(format: &str, input: &[u8], code: i32) -> String {
    let output = check(&["--format", format, "--stdin-filename", "inventory.toml"], input);
    assert_eq!(output.status.code(), Some(code), "{format}: {output:?}");
    let (said, other) = match format {
        "human" => (output.stderr, output.stdout),
        _ => (output.stdout, Vec::new()),
    };
    assert!(other.is_empty(), "{format}");
    String::from_utf8(said).unwrap()
}

/// The inventory with faults of every kind, and its lines.
fn faulty() -> String {
    std::fs::read_to_string("tests/cli/formats/faulty.toml").unwrap()
}

/// What is no text has faults, too.
fn latin1() -> Vec<u8> {
    faulty().replace('ü', "\u{0}").bytes().map(|byte| if byte == 0 { 0xfc } else { byte }).collect()
}

/// A SARIF log, with the pages of the rules taken out once they are seen to be those of `docs/rules/`.
fn without_pages(log: &str) -> String {
    let mut log: Value = serde_json::from_str(log).unwrap();
    for rule in log["runs"][0]["tool"]["driver"]["rules"].as_array_mut().unwrap() {
        let help = rule.as_object_mut().unwrap().remove("help").unwrap();
        let page =
            std::fs::read_to_string(format!("docs/rules/{}.md", rule["id"].as_str().unwrap())).unwrap();
        assert_eq!((&help["text"], &help["markdown"]), (&page.clone().into(), &page.into()));
    }
    serde_json::to_string_pretty(&log).unwrap() + "\n"
}

#[test]
fn every_format_is_what_it_was() {
    let mut wrong = Vec::new();
    for (name, input) in [("faulty", faulty().into_bytes()), ("latin1", latin1())] {
        for format in FORMATS {
            let mut text = formatted(format, &input, 1);
            if format == "sarif" {
                text = without_pages(&text);
            }
            let golden = format!("tests/cli/formats/{name}.{format}");
            if std::env::var_os("UPDATE").is_some() {
                std::fs::write(&golden, &text).unwrap();
            } else if std::fs::read_to_string(&golden).ok().as_ref() != Some(&text) {
                wrong.push(format!("{golden} is another one now:\n{text}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_format_names_the_same_faults() {
    let codes = |text: &str, before: &str, after: &str| -> Vec<String> {
        let code = |line: &str| Some(line.split_once(before)?.1.split_once(after)?.0.to_owned());
        text.lines().filter_map(code).collect()
    };
    let of = |format| formatted(format, faulty().as_bytes(), 1);
    let human: Vec<_> = codes(&of("human"), "[PG-", "]:");
    assert!(human.len() >= 7, "{human:?}");
    assert_eq!(codes(&of("concise"), "[PG-", "]: "), human);
    assert_eq!(codes(&of("json"), "\"code\":\"PG-", "\","), human);
    assert_eq!(codes(&of("github"), ",title=PG-", "::"), human);
    assert_eq!(codes(&of("sarif"), "\"ruleId\": \"PG-", "\""), human);
}

#[test]
fn the_places_of_json_are_those_of_the_file() {
    let text = faulty();
    let mut seen = 0;
    for line in formatted("json", text.as_bytes(), 1).lines() {
        let fault: Value = serde_json::from_str(line).unwrap();
        assert_eq!(fault["schema"], 1);
        let related = fault["related"].as_array().unwrap().iter().map(|other| &other["span"]);
        for span in std::iter::once(&fault["span"]).chain(related) {
            for point in [&span["start"], &span["end"]] {
                let number = |key: &str| usize::try_from(point[key].as_u64().unwrap()).unwrap();
                let before = &text[..number("offset")];
                assert_eq!(number("line"), before.matches('\n').count() + 1);
                let column = before.rsplit('\n').next().unwrap().chars().count() + 1;
                assert_eq!(number("column"), column, "{line}");
                seen += 1;
            }
        }
    }
    assert!(seen > 14, "{seen}");
}

#[test]
fn nothing_that_a_terminal_obeys_is_written_raw() {
    let odd = faulty().replace("größe😀", "\\u001b[2J\\u009b\\u202e\\U000E0041\\n::error::x");
    assert_ne!(odd, faulty());
    for format in FORMATS {
        let text = formatted(format, odd.as_bytes(), 1);
        let raw = |c: char| plasmagen::model::is_invisible(c) && c != '\n';
        assert!(!text.contains(raw), "{format}: {text:?}");
        assert!(!text.lines().any(|line| line.starts_with("::error::x")), "{format}: {text}");
    }
    let name = "a\x1b[31m\n\u{202e}.toml";
    for format in &FORMATS {
        let output = check(&["--format", format, "--stdin-filename", name], faulty().as_bytes());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!said.contains(['\x1b', '\u{202e}']) && said.contains("31m"), "{format}: {said}");
        let text = String::from_utf8(output.stdout).unwrap();
        if *format == "human" {
            continue;
        }
        assert!(!text.contains(['\x1b', '\u{202e}']) && text.contains("31m"), "{format}: {text}");
        // Nothing is lost to programs.
        if *format == "json" {
            let fault: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
            assert_eq!(fault["file"], name);
        }
    }
}

#[test]
fn what_is_sound_is_an_empty_report() {
    let sound = std::fs::read("inventory.toml").unwrap();
    for format in ["concise", "json", "github"] {
        assert_eq!(formatted(format, &sound, 0), "", "{format}");
    }
    let log: Value = serde_json::from_str(&formatted("sarif", &sound, 0)).unwrap();
    assert_eq!(log["runs"][0]["results"], Value::Array(Vec::new()));
}

#[test]
fn warnings_are_said_and_counted_as_ever() {
    let warned = std::fs::read("tests/rejects/PG-D04.toml").unwrap();
    for format in ["concise", "json", "github", "sarif"] {
        assert!(formatted(format, &warned, 0).contains("PG-D04"), "{format}");
        let arguments = ["--format", format, "--stdin-filename", "a.toml"];
        let quiet = check(&[&arguments[..], &["--quiet"]].concat(), &warned);
        assert!(!String::from_utf8(quiet.stdout).unwrap().contains("PG-D04"), "{format}");
        let denied = check(&[&arguments[..], &["--quiet", "--deny-warnings"]].concat(), &warned);
        assert_eq!(denied.status.code(), Some(1));
        assert!(String::from_utf8(denied.stdout).unwrap().contains("PG-D04"), "{format}");
    }
}

#[test]
fn several_inventories_are_one_report() {
    let files =
        ["tests/rejects/PG-D04.toml", "tests/golden/minimal/inventory.toml", "tests/rejects/PG-C13.toml"];
    let output = check(&[&["--format", "sarif"][..], &files].concat(), b"");
    assert_eq!(output.status.code(), Some(1));
    let log: Value = serde_json::from_slice(&output.stdout).unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap();
    let rules = &log["runs"][0]["tool"]["driver"]["rules"];
    for (result, (file, code)) in results.iter().zip([(files[0], "PG-D04"), (files[2], "PG-C13")]) {
        let place = &result["locations"][0]["physicalLocation"]["artifactLocation"];
        assert_eq!((&place["uri"], &result["ruleId"]), (&file.into(), &code.into()));
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], code);
    }
    assert_eq!(results.len(), 2);
}

#[test]
fn standard_input_is_an_inventory_only_under_a_name() {
    let both = check(&["--stdin-filename", "a.toml", "inventory.toml"], b"");
    assert_eq!(both.status.code(), Some(2), "{both:?}");
    let missing = check(&["--format", "json", "nowhere.toml"], b"");
    assert_eq!((missing.status.code(), missing.stdout), (Some(2), Vec::new()));
}

/// Where tests/run has put something, below the target directory.
fn installed(path: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name(path);
    assert!(path.exists(), "{} is missing: tests/run installs it", path.display());
    path
}
