//! Read back by `named-checkconf -p`, which prints the configuration that it has taken.

use std::fs;
use std::process::Command;

use proptest::prelude::*;
use test_kit::process::{lossy, run};

use crate::dialects::{calls, print, same, texts};

fn sayable(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b' '..=b'~') && b != b'"' && b != b'\\')
}

proptest! {
    #![proptest_config(calls(8))]

    #[test]
    fn strings_read_back(texts in texts()) {
        let (said, printed): (Vec<_>, Vec<_>) =
            texts.iter().filter_map(|text| Some((text.as_str(), print("literal.named.j2", text)?))).unzip();
        same(&said, texts.iter().filter(|text| sayable(text)))?;

        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("named.conf");
        // A file may be called anything.
        let channels = printed.iter().enumerate().map(|(i, literal)| format!("channel c{i} {{ file {literal}; }};\n"));
        fs::write(&file, format!("logging {{\n{}}};\n", channels.collect::<String>())).unwrap();
        let out = run("bind9-utils", Command::new("named-checkconf").arg("-p").arg(&file));
        prop_assert!(out.status.success(), "{}{}", lossy(&out.stdout), lossy(&out.stderr));
        let text = lossy(&out.stdout);
        let read = text.lines().filter_map(|line| line.trim_start().strip_prefix("file \"")?.strip_suffix("\";"));
        same(read, said)?;
    }
}

#[test]
fn lists_numbers_and_no_bare_words() {
    assert_eq!(print("literal.named.j2", ["a", "b c"]).unwrap(), r#"{ "a"; "b c"; }"#);
    assert_eq!(print("literal.named.j2", 53).unwrap(), "53");
    assert_eq!(print("bare.named.j2", "a"), None);
}
