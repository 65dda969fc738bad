//! Every rule of `check` has inventories that break it, the exact words that they are refused with, and a cure.
//!
//! `rejects/<code>[-<what>].toml` holds one fault. Its first lines say which, and what makes it sound:
//! `# twin: s|old|new|`, where `old` is there once. `rejects/<code>[-<what>].stderr` is what `plasmagen check` prints;
//! `UPDATE=1 cargo test --test inventory rejects` writes it anew.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use plasmagen::check::check;
use plasmagen::diag::{Diagnostic, Severity};
use plasmagen::rules::{Enforcement, RULES};

const DIR: &str = "tests/rejects";

/// An inventory with one fault.
struct Reject {
    /// `PG-C13-vip`.
    name: String,
    bytes: Vec<u8>,
}

impl Reject {
    fn code(&self) -> &str {
        &self.name[.."PG-C13".len()]
    }

    /// The inventory with its fault cured as its first lines say.
    fn twin(&self) -> String {
        let text = str::from_utf8(&self.bytes).unwrap();
        let (head, body) = text.split_once("\n\n").unwrap();
        let cures: Vec<_> = head.lines().filter_map(|line| line.strip_prefix("# twin: s")).collect();
        assert!(!cures.is_empty(), "{}: nothing says what makes it sound", self.name);
        cures.into_iter().fold(body.to_owned(), |body, cure| {
            let [_, old, new, ""] = cure.split(&cure[..1]).collect::<Vec<_>>()[..] else {
                panic!("{}: a twin is written `s|old|new|`", self.name);
            };
            let (old, new) = (unescape(old), unescape(new));
            assert_eq!(body.matches(&old).count(), 1, "{}: `{old}` is to be there once", self.name);
            body.replace(&old, &new)
        })
    }
}

/// `\n` and `\\`, as sed reads them.
fn unescape(text: &str) -> String {
    text.split("\\\\").map(|part| part.replace("\\n", "\n")).collect::<Vec<_>>().join("\\")
}

/// The names of the files in `rejects/` that end in `suffix`, without it.
fn names(suffix: &str) -> BTreeSet<String> {
    let files = Path::new(DIR).read_dir().unwrap().map(|entry| entry.unwrap().file_name());
    files.filter_map(|file| Some(file.to_str().unwrap().strip_suffix(suffix)?.to_owned())).collect()
}

fn written() -> Vec<Reject> {
    let read = |name: String| {
        let bytes = std::fs::read(format!("{DIR}/{name}.toml")).unwrap();
        Reject { name, bytes }
    };
    names(".toml").into_iter().map(read).collect()
}

/// Inventories that an editor would not keep as they are, made from the reference.
fn raw() -> Vec<Reject> {
    let sound = std::fs::read("inventory.toml").unwrap();
    let after = |mark: &str, what: &[u8]| {
        let at = sound.windows(mark.len()).position(|window| window == mark.as_bytes()).unwrap() + mark.len();
        [&sound[..at], what, &sound[at..]].concat()
    };
    let reject = |name: &str, bytes| Reject { name: name.to_owned(), bytes };
    vec![
        reject("PG-A01-bom", [b"\xef\xbb\xbf", &sound[..]].concat()),
        reject("PG-A01-latin1", after("# Raft, ", b"\xfcberall ")),
        reject("PG-A01-size", [&sound[..], &vec![b'\n'; 64 << 20]].concat()),
        reject("PG-A06-bidi", after("# BMCs", "\u{202e}".as_bytes())),
        reject("PG-A06-c1", after("# PXE boot", "\u{9b}31m".as_bytes())),
        reject("PG-A06-escape", after("name = \"", b"\x1b[2J")),
    ]
}

/// What `plasmagen check` prints of the file at `path` below `dir`, and its exit status.
fn run(dir: &Path, path: &str, arguments: &[&str]) -> (String, Option<i32>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plasmagen"));
    let output = command.current_dir(dir).arg("check").args(arguments).arg(path).output().unwrap();
    assert!(output.stdout.is_empty(), "{path}");
    (String::from_utf8(output.stderr).unwrap(), output.status.code())
}

/// Checks the file at `path` below `dir`, which holds `reject`. What is not as it should be is added to `wrong`.
fn refuse(reject: &Reject, dir: &Path, path: &str, wrong: &mut Vec<String>) {
    let name = &reject.name;
    let checked = check(&reject.bytes).unwrap();
    let found: Vec<_> = checked.diagnostics.iter().map(|found| found.code).collect();
    if found != [reject.code()] {
        wrong.push(format!("{name}: one fault is meant, and found are {found:?}"));
    }
    let (stderr, status) = run(dir, path, &[]);
    let denied = || run(dir, path, &["--deny-warnings"]).1;
    let right = match checked.count(Severity::Error) {
        0 => status == Some(0) && denied() == Some(1),
        _ => status == Some(1),
    };
    if !right {
        wrong.push(format!("{name}: the exit status is {status:?}"));
    }
    let expected = format!("{DIR}/{name}.stderr");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&expected, &stderr).unwrap();
    } else if std::fs::read_to_string(&expected).ok().as_ref() != Some(&stderr) {
        wrong.push(format!("{name}: the diagnostic is another one now:\n{stderr}"));
    }
}

#[test]
fn every_fault_is_refused_in_the_same_words() {
    let mut wrong = Vec::new();
    for reject in written() {
        refuse(&reject, Path::new("."), &format!("{DIR}/{}.toml", reject.name), &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn bytes_that_no_editor_keeps_are_refused_in_the_same_words() {
    let dir = tempfile::tempdir().unwrap();
    let mut wrong = Vec::new();
    for reject in raw() {
        std::fs::write(dir.path().join("inventory.toml"), &reject.bytes).unwrap();
        refuse(&reject, dir.path(), "inventory.toml", &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_twin_is_sound() {
    let words = |found: &Diagnostic| format!("{} {}", found.code, found.message);
    let mut wrong = Vec::new();
    for reject in written() {
        let checked = check(reject.twin().as_bytes()).unwrap();
        wrong.extend(checked.diagnostics.iter().map(|found| format!("{}: {}", reject.name, words(found))));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_rule_has_a_fixture_and_every_fixture_a_rule() {
    let rejects: Vec<_> = written().into_iter().chain(raw()).collect();
    let codes: BTreeSet<&str> = rejects.iter().map(Reject::code).collect();
    // Rules on certificates have theirs in `certificates/`.
    let on_inventories = RULES
        .iter()
        .filter(|rule| matches!(rule.enforcement, Enforcement::Reading | Enforcement::Resolved(_)));
    assert_eq!(codes, on_inventories.map(|rule| rule.code).collect());
    // Nothing is left of a fixture that is gone.
    assert_eq!(names(".stderr"), rejects.iter().map(|reject| reject.name.clone()).collect());
}
