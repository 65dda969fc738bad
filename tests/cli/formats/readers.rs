//! The real readers of the formats: the SARIF SDK's validator, and the runner of GitHub Actions in its own words.

use std::fs;
use std::process::Command;

use super::{faulty, formatted, installed, latin1};

/// What Microsoft's validator has to say about a log: errors and warnings, `code: …`.
fn validate(log: &str) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("log.sarif"), log).unwrap();
    let tool = installed("npm/node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool");
    let mut command = Command::new(tool);
    command.current_dir(dir.path()).env("HOME", dir.path());
    command.args(["validate", "log.sarif", "--rule-kind", "Sarif;Ghas", "--level", "Error;Warning"]);
    let output = command.args(["--output", "result.sarif"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    // Its exit status says nothing of what it found.
    let done = text.contains("1 files scanned") && text.contains("Analysis completed successfully");
    assert!(output.status.success() && done, "{text}");
    let finding = |line: &str| {
        let (_, rest) = line.split_once(": error ").or_else(|| line.split_once(": warning "))?;
        // plasmagen has no home page that it could name.
        (!rest.starts_with("SARIF2005")).then(|| rest.to_owned())
    };
    text.lines().filter_map(finding).collect()
}

#[test]
fn the_validator_has_nothing_against_our_sarif() {
    let sound = fs::read("inventory.toml").unwrap();
    for (input, code) in [(faulty().into_bytes(), 1), (latin1(), 1), (sound, 0)] {
        let log = formatted("sarif", &input, code);
        assert_eq!(validate(&log), Vec::<String>::new(), "{log}");
    }
}

#[test]
fn the_validator_sees_what_is_wrong() {
    let log = formatted("sarif", faulty().as_bytes(), 1);
    for (old, new, code) in [
        ("\"startLine\"", "\"startLien\"", "JSON1005"),
        ("\"endLine\": 5", "\"endLine\": 4", "SARIF1007"),
        ("\"ruleIndex\": 0", "\"ruleIndex\": 99", "SARIF1009"),
        ("inventory.toml\"", "inven tory.toml\"", "SARIF1002"),
    ] {
        assert!(log.contains(old), "{old}");
        let found = validate(&log.replace(old, new));
        assert!(found.iter().any(|finding| finding.starts_with(code)), "{old}: {found:?}");
    }
}

/// Reads a workflow command as the runner does: properties to the first `::`, then the message.
fn command(line: &str) -> (&str, Vec<(String, String)>, String) {
    let decode = |text: &str| {
        let text = text.replace("%3A", ":").replace("%2C", ",").replace("%0A", "\n").replace("%0D", "\r");
        text.replace("%25", "%")
    };
    let (head, message) = line.strip_prefix("::").unwrap().split_once("::").unwrap();
    let (name, properties) = head.split_once(' ').unwrap();
    let pair = |pair: &str| {
        let (key, value) = pair.split_once('=').unwrap();
        (key.to_owned(), decode(value))
    };
    (name, properties.split(',').map(pair).collect(), decode(message))
}

#[test]
fn a_runner_of_github_reads_what_was_meant() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("50%,a::b.toml");
    fs::write(&path, faulty()).unwrap();
    let output = super::check(&["--format", "github", path.to_str().unwrap()], b"");
    let text = String::from_utf8(output.stdout).unwrap();
    let commands: Vec<_> = text.lines().map(command).collect();
    let (name, properties, message) = commands
        .iter()
        .find(|(_, properties, _)| properties.contains(&("title".into(), "PG-C13".into())))
        .unwrap();
    let expected = [
        ("file", path.to_str().unwrap()),
        ("line", "34"),
        ("endLine", "34"),
        ("col", "33"),
        ("endColumn", "44"),
        ("title", "PG-C13"),
    ];
    assert_eq!(*name, "error");
    assert_eq!(*properties, expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
    let lines: Vec<_> = message.lines().collect();
    assert_eq!(lines[1..], ["44:8: the pool", "help: give the BMC of `node01` an address outside the pool"]);
    assert!(commands.iter().any(|(name, ..)| *name == "warning"));
}
