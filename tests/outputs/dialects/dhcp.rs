//! Read back by dhcpd itself: its complaints about unknown classes and hosts declared twice quote what it has read.

use std::fs;
use std::process::Command;

use proptest::prelude::*;
use test_kit::process::{lossy, run};

use crate::dialects::{DIGITS, LOWER, UPPER, calls, print, same, taken, texts};

/// Whether dhcpd takes `config`, and what it says of it.
fn dhcpd(config: &str) -> (bool, String) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("dhcpd.conf");
    fs::write(&file, config).unwrap();
    let out = run("isc-dhcp-server", Command::new("/usr/sbin/dhcpd").args(["-t", "-cf"]).arg(&file));
    (out.status.success(), lossy(&out.stderr))
}

/// What stands between `before` and `after` on those lines of `said` that have both.
fn quoted(said: &str, before: &str, after: &str) -> Vec<String> {
    said.lines().filter_map(|line| Some(line.split_once(before)?.1.strip_suffix(after)?.to_owned())).collect()
}

fn sayable(text: &str) -> bool {
    text.len() <= 255 && text.bytes().all(|b| matches!(b, b' '..=b'~') && b != b'"' && b != b'\\')
}

proptest! {
    #![proptest_config(calls(8))]

    #[test]
    fn strings_read_back(texts in texts()) {
        let (said, printed): (Vec<_>, Vec<_>) =
            texts.iter().filter_map(|text| Some((text.as_str(), print("literal.dhcp.j2", text)?))).unzip();
        same(&said, texts.iter().filter(|text| sayable(text)))?;

        let classes: String = printed.iter().map(|literal| format!("subclass {literal} 1;\n")).collect();
        same(quoted(&dhcpd(&classes).1, ": no class named ", ""), said)?;

        let hosts = printed.iter().enumerate().map(|(i, literal)| {
            format!("host h{i} {{ option host-name {literal}; filename {literal}; }}\n")
        });
        let (accepted, complaints) = dhcpd(&hosts.collect::<String>());
        prop_assert!(accepted, "{}", complaints);
    }

    #[test]
    fn bare_words_read_back(texts in texts(), names in prop::collection::hash_set("[a-z][a-z0-9-]{0,20}(\\.[a-z][a-z0-9-]{0,9}){0,2}", 200)) {
        let mut words: Vec<_> = texts.iter().chain(&names).filter_map(|text| print("bare.dhcp.j2", text)).collect();
        prop_assert!(words.len() >= names.len());
        words.sort();
        words.dedup();
        // A host's name has no colon.
        words.retain(|word| !word.contains(':'));
        let twice: String = words.iter().map(|word| format!("host {word} {{ }}\nhost {word} {{ }}\n")).collect();
        same(quoted(&dhcpd(&twice).1, ": host ", ": already exists"), words)?;
    }

    #[test]
    fn addresses_are_taken(hosts in prop::collection::vec((any::<std::net::Ipv4Addr>(), any::<[u8; 6]>()), 300)) {
        let bare = |text: String| print("bare.dhcp.j2", text).unwrap();
        let addresses: Vec<_> = hosts.iter().map(|(address, _)| address.to_string()).collect();
        let mut config = format!("option domain-name-servers {};\n", print("bare.dhcp.j2", &addresses).unwrap());
        for (i, (address, mac)) in hosts.into_iter().enumerate() {
            let mac = mac.map(|byte| format!("{byte:02x}")).join(":");
            let (mac, address) = (bare(mac), bare(address.to_string()));
            config += &format!("host h{i} {{ hardware ethernet {mac}; fixed-address {address}; default-lease-time {i}; }}\n");
        }
        let (accepted, complaints) = dhcpd(&config);
        prop_assert!(accepted, "{}", complaints);
    }
}

#[test]
fn what_is_a_bare_word() {
    assert_eq!(taken("bare.dhcp.j2", "", "a"), format!("{DIGITS}{UPPER}{LOWER}"));
    assert_eq!(taken("bare.dhcp.j2", "a", "a"), format!("-.{DIGITS}:{UPPER}_{LOWER}"));
    for word in ["", "a.", "a..b", "a._b", "a.-b", "::1", "aé"] {
        assert_eq!(print("bare.dhcp.j2", word), None, "{word:?}");
    }
}

#[test]
fn lists_and_numbers() {
    assert_eq!(print("literal.dhcp.j2", ["a.example.com", "b"]).unwrap(), r#""a.example.com", "b""#);
    assert_eq!(print("literal.dhcp.j2", 86_400).unwrap(), "86400");
    assert_eq!(print("literal.dhcp.j2", Vec::<&str>::new()), None);
    assert_eq!(print("literal.dhcp.j2", -1), None);
    assert_eq!(print("literal.dhcp.j2", 1.5), None);
    assert_eq!(print("literal.dhcp.j2", true), None);
    assert_eq!(print("literal.dhcp.j2", None::<&str>), None);
}
