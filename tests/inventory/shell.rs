//! `set -e` is off in conditions: in the parts of `if`, `!`, `&&` and `||`, and in all that they call. A command there that
//! fails unseen is a fault of a shipped program.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use test_kit::repository;

/// The first words of lines that do not fail unseen: parts of compound commands, commands whose failure is the answer or ends
/// the shell, and commands that cannot fail.
const HARMLESS: [&str; 28] = [
    "local", "if", "elif", "else", "fi", "while", "until", "for", "do", "done", "case", "esac", "return",
    "continue", "break", "shift", "[[", "[", "log", "die", "exit", "exec", "trap", "mapfile", "set", "}",
    ")", ";;",
];

/// Whether a failure of the command in `line` is seen, or cannot be.
fn is_handled(line: &str, functions: &BTreeMap<&str, Vec<&str>>) -> bool {
    let word = line.split([' ', ';']).next().unwrap();
    let assigns = || {
        let (name, value) = line.split_once('=').unwrap_or(("", "$("));
        let is_name = name.trim_end_matches('+').chars().all(|c| c.is_alphanumeric() || "_[]\"$".contains(c));
        is_name && !name.is_empty() && !value.replace("$((", "").contains("$(")
    };
    let is_set_e = word == "set"
        && line.split(' ').nth(1).is_some_and(|flags| flags.starts_with("-e") || flags.starts_with("-u"));
    // A message.
    let prints =
        || ["echo", "printf"].contains(&word) && !line.replace("<3>", "").replace(">&2", "").contains('>');
    line.is_empty()
        || line.starts_with('#')
        || line.ends_with("=$(") // the lines up to `)` are a body of their own
        || prints()
        || line.contains("||") && !is_set_e
        || line.starts_with("((")
        || line.starts_with("--") // the words of an array
        || line.ends_with(";;") // a branch of `case`, whose patterns come first
        || line.ends_with(')') && !line.contains('(')
        || HARMLESS.contains(&word) && !is_set_e
        || functions.contains_key(word)
        || assigns()
}

/// Whether `line` is a condition, or has the word at `from` before `&&` or `||`.
fn is_condition(line: &str, from: usize) -> bool {
    let starts = ["if ", "elif ", "while ", "until ", "! "].iter().any(|word| line.starts_with(word));
    starts || line[from..].contains("||") || line[from..].contains("&&") || line[..from].contains("! ")
}

/// Where `name` is a word of `line`.
fn find_word(line: &str, name: &str) -> Option<usize> {
    let is_part = |c: char| c.is_alphanumeric() || "_-/.$".contains(c);
    line.match_indices(name)
        .map(|(at, _)| at)
        .find(|at| !line[..*at].ends_with(is_part) && !line[at + name.len()..].starts_with(is_part))
}

/// The functions of a program, with the lines of their bodies.
fn functions<'a>(lines: &[&'a str]) -> BTreeMap<&'a str, Vec<&'a str>> {
    let mut found = BTreeMap::<&str, Vec<&str>>::new();
    let mut name = None;
    for line in lines {
        if let Some((function, body)) = line.split_once("() {") {
            name = body.is_empty().then_some(function);
            found.insert(function, body.trim_end_matches('}').split(';').map(str::trim).collect());
        } else if *line == "}" {
            name = None;
        } else if let Some(name) = name {
            found.get_mut(name).unwrap().push(line.trim());
        }
    }
    found
}

/// The functions that a condition calls, directly or through another function.
fn called_in_conditions<'a>(
    lines: &[&str],
    functions: &BTreeMap<&'a str, Vec<&'a str>>,
) -> BTreeSet<&'a str> {
    let code = || lines.iter().map(|line| line.trim()).filter(|line| !line.starts_with('#'));
    let is_asked =
        |name: &str| code().any(|line| find_word(line, name).is_some_and(|at| is_condition(line, at)));
    let mut called: BTreeSet<&str> = functions.keys().copied().filter(|name| is_asked(name)).collect();
    loop {
        let body = |name: &&str| functions[*name].iter().copied();
        let more: Vec<_> = functions
            .keys()
            .copied()
            .filter(|name| !called.contains(name))
            .filter(|name| called.iter().flat_map(body).any(|line| find_word(line, name).is_some()))
            .collect();
        if more.is_empty() {
            return called;
        }
        called.extend(more);
    }
}

/// The bodies of `( … )` and `{ … }` in conditions.
fn compounds<'a>(lines: &[&'a str]) -> Vec<Vec<&'a str>> {
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let opens = line.ends_with('(') || line.ends_with(" {") || line.trim() == "{";
        if opens && !line.contains("() {") {
            let closes = |other: &&str| {
                other.len() > indent
                    && other[indent..].starts_with([')', '}'])
                    && other[..indent].trim().is_empty()
            };
            let Some(length) = lines[at + 1..].iter().position(closes) else { continue };
            if is_condition(line.trim(), line.trim().len()) || is_condition(lines[at + 1 + length].trim(), 0)
            {
                found.push(lines[at + 1..at + 1 + length].iter().map(|line| line.trim()).collect());
            }
        }
        for (open, close) in [("( ", " )"), ("{ ", "; }")] {
            if let Some((before, rest)) = line.split_once(open)
                && let Some((body, after)) = rest.split_once(close)
                && !before.ends_with("()")
                && (is_condition(before.trim_start(), before.trim_start().len()) || is_condition(after, 0))
            {
                found.push(body.split(';').map(str::trim).collect());
            }
        }
    }
    found
}

/// The commands of `program` whose failures nobody sees.
fn find_unseen(program: &str) -> Vec<String> {
    let joined = program.replace("\\\n", " ");
    let lines: Vec<&str> = joined.lines().collect();
    let functions = functions(&lines);
    let called = called_in_conditions(&lines, &functions);
    let bodies = called.iter().map(|name| functions[name].clone()).chain(compounds(&lines));
    let unseen = |body: Vec<&str>| {
        let commands: Vec<_> =
            body.into_iter().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
        let (last, rest) = commands.split_last().map_or(("", &[][..]), |(last, rest)| (*last, rest));
        // The last command's status is the answer, unless all of this only sets an option.
        let all = rest.iter().copied().chain(last.starts_with("set ").then_some(last));
        all.filter(|line| !is_handled(line, &functions)).map(str::to_owned).collect::<Vec<_>>()
    };
    bodies.flat_map(unseen).collect()
}

/// The indented strings of a file in Nix.
fn strings_of_nix(text: &str) -> String {
    let plain = text.replace("'''", "").replace("''$", "$").replace("''\\", "\\");
    plain.split("''").skip(1).step_by(2).collect::<Vec<_>>().join("\n")
}

/// The shell programs of a machine, by path; a program together with those that it sources.
fn shipped() -> BTreeMap<String, String> {
    let mut programs = BTreeMap::<String, String>::new();
    for root in ["profiles", "nix", "templates", "src/lab"] {
        for entry in walkdir::WalkDir::new(repository().join(root)).sort_by_file_name() {
            let path = entry.unwrap().into_path();
            let name = path.strip_prefix(repository()).unwrap().to_str().unwrap().to_owned();
            let Ok(text) = fs::read_to_string(&path) else { continue };
            if name.starts_with("profiles/first-boot/programs/") {
                programs.entry("profiles/first-boot/programs".to_owned()).or_default().push_str(&text);
            } else if name.ends_with(".sh") {
                programs.insert(name, text);
            } else if name.ends_with(".nix") || name.ends_with(".nix.j2") {
                programs.insert(name, strings_of_nix(&text));
            }
        }
    }
    programs
}

#[test]
fn no_failure_of_a_shipped_program_is_unseen() {
    let programs = shipped();
    assert!(
        programs.len() > 40 && programs.contains_key("profiles/netboot/carry.sh"),
        "{:?}",
        programs.keys()
    );
    let found: Vec<_> = programs
        .iter()
        .flat_map(|(name, program)| {
            find_unseen(program).into_iter().map(move |line| format!("{name}: {line}"))
        })
        .collect();
    assert!(
        found.is_empty(),
        "in a condition `set -e` is off, so write what happens when these fail, such as `|| return 1`:\n{}",
        found.join("\n")
    );
}

#[test]
fn each_form_of_the_construct_is_found() {
    for program in [
        "(\n  set -eu\n  cp a b\n) || echo no",
        "{\n  cp a b\n  cp c d\n} && echo yes",
        "if (\n  cp a b\n  cp c d\n); then echo yes; fi",
        "if ! {\n  cp a b\n  cp c d\n}; then echo no; fi",
        "! (\n  cp a b\n  cp c d\n)",
        "while (\n  cp a b\n  cp c d\n); do sleep 1; done",
        "( set -e; cp a b ) || echo no",
        "if ( cp a b; cp c d ); then echo yes; fi",
        "x=$(\n  cp a b\n  cat c\n) || echo no",
        "copy() {\n  cp a b\n  cp c d\n}\ncopy || echo no",
        "copy() {\n  cp a b\n  cp c d\n}\nif copy; then echo yes; fi",
        "copy() {\n  cp a b\n  cp c d\n}\n! copy",
        "copy() {\n  x=$(cat a)\n  cp c d\n}\npatiently 3 copy || echo no",
        "copy() {\n  cp a b\n  cp c d\n}\nboth() {\n  copy\n  copy\n}\nboth && echo yes",
    ] {
        assert!(!find_unseen(program).is_empty(), "{program}");
    }
    for program in [
        "(\n  cp a b || exit 1\n  cp c d\n) || echo no",
        "(\n  set -e\n  cp a b\n  cp c d\n)",
        "copy() {\n  cp a b || return 1\n  cp c d\n}\ncopy || echo no",
        "copy() {\n  cp a b\n  cp c d\n}\ncopy",
        "if ! { cp a b && cp c d; }; then echo no; fi",
    ] {
        assert_eq!(find_unseen(program), [""; 0], "{program}");
    }
}
