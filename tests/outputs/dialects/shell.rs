//! Read back by sh itself.

use std::fs;
use std::process::Command;

use proptest::prelude::*;
use test_kit::process::{lossy, run};

use crate::dialects::{DIGITS, LOWER, UPPER, calls, print, same, taken, texts};

/// What a shell has in variables after it has read a file that gives them `tokens`.
fn read_back(tokens: &[String]) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let lines = tokens.iter().enumerate().map(|(n, token)| format!("V{n}={token}\n"));
    fs::write(dir.path().join("default"), lines.collect::<String>()).unwrap();
    let prints = (0..tokens.len()).map(|n| format!("printf '%s\\0' \"$V{n}\"\n"));
    let script = format!(". ./default\n{}", prints.collect::<String>());
    let out = run("dash", Command::new("sh").args(["-eu", "-c", &script]).current_dir(dir.path()));
    assert!(out.status.success() && out.stderr.is_empty(), "{}", lossy(&out.stderr));
    out.stdout.split(|byte| *byte == 0).map(lossy).take(tokens.len()).collect()
}

fn sayable(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() || c == '\'' || c == '\\')
}

proptest! {
    #![proptest_config(calls(8))]

    #[test]
    fn strings_read_back(texts in texts()) {
        let (said, printed): (Vec<_>, Vec<_>) =
            texts.iter().filter_map(|text| Some((text.as_str(), print("literal.shell.j2", text)?))).unzip();
        same(&said, texts.iter().filter(|text| sayable(text)))?;
        same(read_back(&printed), said.iter().copied())?;
    }

    #[test]
    fn bare_words_read_back(texts in texts()) {
        let words: Vec<_> = texts.iter().filter_map(|text| print("bare.shell.j2", text)).collect();
        prop_assert!(words.len() > 20);
        same(read_back(&words), words)?;
    }
}

#[test]
fn what_is_a_bare_word() {
    assert_eq!(taken("bare.shell.j2", "", "a"), format!("/{DIGITS}{UPPER}_{LOWER}"));
    assert_eq!(taken("bare.shell.j2", "a", "a"), format!("-./{DIGITS}:{UPPER}_{LOWER}"));
    assert_eq!(print("bare.shell.j2", ""), None);
    assert_eq!(print("bare.shell.j2", "aé"), None);
}

#[test]
fn lists_and_numbers() {
    assert_eq!(print("literal.shell.j2", ["a", "b c"]).unwrap(), "'a' 'b c'");
    assert_eq!(print("literal.shell.j2", Vec::<&str>::new()).unwrap(), "");
    assert_eq!(print("literal.shell.j2", 69).unwrap(), "69");
    assert_eq!(print("literal.shell.j2", true), None);
}
