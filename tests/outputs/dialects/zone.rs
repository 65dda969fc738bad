//! Read back by named-compilezone, which prints every record of a zone it has taken.

use std::collections::BTreeMap;
use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::process::Command;

use proptest::prelude::*;
use test_kit::process::{lossy, run};

use crate::dialects::{DIGITS, LOWER, UPPER, calls, print, same, taken, texts};

/// The records of `lines` in the zone of the root, so that every name lies in it: owner, type and data.
fn records(lines: &[String]) -> Vec<(String, String, String)> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("root.zone");
    let text = format!(
        "$TTL 1\n@ IN SOA ns. me. ( 1 2 3 4 5 )\n@ IN NS ns.\nns. IN A 10.0.0.1\n{}\n",
        lines.join("\n")
    );
    fs::write(&file, text).unwrap();
    let checks = ["-i", "none", "-k", "ignore", "-o", "-", "."];
    let out = run("bind9-utils", Command::new("named-compilezone").args(checks).arg(&file));
    assert!(out.status.success(), "{}", lossy(&out.stderr));
    let text = lossy(&out.stdout);
    let record = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        (words[0].to_owned(), words[3].to_owned(), words[4..].join(" "))
    };
    text.lines()
        .map(record)
        .filter(|record| !["SOA", "NS"].contains(&record.1.as_str()) && record.0 != "ns.")
        .collect()
}

fn data(lines: &[String]) -> Vec<String> {
    records(lines).into_iter().map(|record| record.2).collect()
}

/// Names that sort as their numbers do.
fn numbered(index: usize) -> String {
    format!("n{index:05}.")
}

fn label(text: &str, more: &str) -> bool {
    let first = text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_');
    first
        && text.len() <= 63
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || more.as_bytes().contains(&b))
}

fn sayable(text: &str) -> bool {
    let name = |text: &str| text.split('.').all(|part| label(part, "_/-"));
    text.len() <= 253
        && match text.split_once('@') {
            None => name(text),
            Some((user, domain)) => {
                user.len() <= 63 && user.split('.').all(|part| label(part, "_+-")) && name(domain)
            }
        }
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Za-z0-9_/-]{1,20}(\\.[a-z0-9_/-]{1,20}){0,4}",
        "[a-z0-9]{60,66}\\.[a-z]{60,66}\\.[a-z]{60,63}\\.[a-z]{60,63}",
        "[a-z0-9._+-]{1,64}@[a-z0-9._/-]{1,20}",
    ]
}

proptest! {
    #![proptest_config(calls(8))]

    #[test]
    fn names_read_back(texts in texts(), names in prop::collection::vec(name(), 400)) {
        let all: Vec<String> = texts.into_iter().chain(names).collect();
        let (said, printed): (Vec<_>, Vec<_>) =
            all.iter().filter_map(|text| Some((text.as_str(), print("name.zone.j2", text)?))).unzip();
        same(&said, all.iter().filter(|text| sayable(text)))?;
        prop_assert!(said.iter().any(|text| text.contains('@')) && said.iter().any(|text| text.contains('/')));

        let read = |text: &&str| match text.split_once('@') {
            None => format!("{text}."),
            Some((user, domain)) => format!("{}.{domain}.", user.replace('.', "\\.")),
        };
        let lines: Vec<_> =
            printed.iter().enumerate().map(|(i, name)| format!("{} IN PTR {name}", numbered(i))).collect();
        same(data(&lines), said.iter().map(read))?;

        // As owners; those that differ in case only are one.
        let owners: BTreeMap<String, &String> =
            said.iter().map(|text| read(text).to_lowercase()).zip(&printed).collect();
        let lines: Vec<_> =
            owners.values().enumerate().map(|(i, name)| format!("{name} IN PTR {}", numbered(i))).collect();
        let back: BTreeMap<_, _> =
            records(&lines).into_iter().map(|record| (record.2, record.0.to_lowercase())).collect();
        same(back.into_values(), owners.into_keys())?;
    }

    #[test]
    fn addresses_read_back(v4 in prop::collection::vec(any::<Ipv4Addr>(), 200), v6 in prop::collection::vec(any::<Ipv6Addr>(), 200)) {
        let bare = |text: String| print("bare.zone.j2", text).unwrap();
        let lines4 = v4.iter().enumerate().map(|(i, address)| format!("{} IN A {}", numbered(i), bare(address.to_string())));
        let lines6 = v6.iter().enumerate().map(|(i, address)| format!("{} IN AAAA {}", numbered(i), bare(address.to_string())));
        let read = |lines: Vec<String>| data(&lines);
        same(read(lines4.collect()).iter().map(|text| text.parse::<Ipv4Addr>().unwrap()), v4)?;
        same(read(lines6.collect()).iter().map(|text| text.parse::<Ipv6Addr>().unwrap()), v6)?;
    }

    #[test]
    fn only_addresses_are_bare(texts in texts()) {
        let said = texts.iter().filter(|text| print("bare.zone.j2", text).is_some());
        same(said, texts.iter().filter(|text| text.parse::<std::net::IpAddr>().is_ok()))?;
    }
}

#[test]
fn what_a_name_is_made_of() {
    assert_eq!(taken("name.zone.j2", "", "a"), format!("{DIGITS}{UPPER}_{LOWER}"));
    assert_eq!(taken("name.zone.j2", "a", "a"), format!("-./{DIGITS}@{UPPER}_{LOWER}"));
    assert_eq!(taken("name.zone.j2", "a", "a@b"), format!("+-.{DIGITS}{UPPER}_{LOWER}"));
    for name in ["", ".", "a.", ".a", "a..b", "@", "a@", "@a", "a@b@c", "*.a", "a.\\b", "é"] {
        assert_eq!(print("name.zone.j2", name), None, "{name:?}");
    }
    assert_eq!(print("name.zone.j2", "a.b@c.d").unwrap(), "a\\.b.c.d.");
}

#[test]
fn numbers_and_nothing_else() {
    assert_eq!(print("literal.zone.j2", u32::MAX).unwrap(), "4294967295");
    for refused in ["", "a", "10.0.0.1"] {
        assert_eq!(print("literal.zone.j2", refused), None);
    }
    assert_eq!(print("literal.zone.j2", -1), None);
}
