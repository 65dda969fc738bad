//! Read back by dnsmasq itself: it quotes the path of a file that is not there, and the word that it cannot use.

use std::fs;
use std::process::Command;

use proptest::prelude::*;
use test_kit::process::{lossy, run};

use crate::dialects::{DIGITS, LOWER, UPPER, calls, print, same, taken, text};

/// Whether dnsmasq takes `config`, and what it says of it.
fn dnsmasq(config: &str) -> (bool, String) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("dnsmasq.conf");
    fs::write(&file, config).unwrap();
    let out = run("dnsmasq-base", Command::new("/usr/sbin/dnsmasq").args(["--test", "-C"]).arg(&file));
    (out.status.success(), lossy(&out.stderr))
}

/// The path that dnsmasq read from `printed`, which ends in the name of no file.
fn path(printed: &str) -> Option<String> {
    let (_, said) = dnsmasq(&format!("conf-file={printed}\n"));
    let (_, rest) = said.split_once("cannot read ")?;
    rest.rsplit_once(": ").map(|(path, _)| path.to_owned())
}

fn sayable(text: &str) -> bool {
    (1..=512).contains(&text.len())
        && text.bytes().all(|b| matches!(b, b' '..=b'~') && b != b'"' && b != b'\\')
}

/// A process each, since dnsmasq stops at the first fault.
fn texts() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(text(), 100)
}

proptest! {
    #![proptest_config(calls(8))]

    #[test]
    fn strings_read_back(texts in texts()) {
        let texts: Vec<String> = texts.iter().map(|text| format!("/nowhere/{text}")).collect();
        let (said, printed): (Vec<_>, Vec<_>) =
            texts.iter().filter_map(|text| Some((text.as_str(), print("literal.dnsmasq.j2", text)?))).unzip();
        same(&said, texts.iter().filter(|text| sayable(text)))?;
        same(printed.iter().map(|literal| path(literal).unwrap_or_default()), said)?;
        // Where words are separated by commas, as a boot file and an option.
        let lines = printed.iter().map(|literal| {
            // An option carries at most 255 bytes (RFC 2132); no value of ours that goes into one has more.
            let option = format!("dhcp-option=tag:a,option:domain-name,{literal}\n");
            let option = if literal.len() > 257 { "" } else { &option };
            format!("dhcp-boot=tag:a,{literal},,10.0.0.1\n{option}")
        });
        let (accepted, complaints) = dnsmasq(&lines.collect::<String>());
        prop_assert!(accepted, "{}", complaints);
    }

    #[test]
    fn bare_words_read_back(texts in texts()) {
        let words: Vec<_> = texts.iter().filter_map(|text| print("bare.dnsmasq.j2", text)).collect();
        let paths = words.iter().map(|word| path(&format!("/nowhere/{word}")).unwrap_or_default());
        same(paths, words.iter().map(|word| format!("/nowhere/{word}")))?;
        // A word is one of several, and not a comment: what follows it is still complained about.
        for word in &words {
            let (_, said) = dnsmasq(&format!("dhcp-option=tag:{word},option:router,nonsense-{word}\n"));
            prop_assert!(said.contains("bad IP"), "{word}: {said}");
        }
    }

    #[test]
    fn addresses_are_taken(hosts in prop::collection::vec((any::<std::net::Ipv4Addr>(), any::<[u8; 6]>(), any::<std::net::Ipv6Addr>()), 300)) {
        let bare = |text: String| print("bare.dnsmasq.j2", text).unwrap();
        let addresses: Vec<_> = hosts.iter().take(40).map(|(address, _, _)| address.to_string()).collect();
        let mut config = format!("dhcp-option=option:dns-server,{}\n", print("bare.dnsmasq.j2", &addresses).unwrap());
        // Two hosts may not have the same address, to dnsmasq either.
        let unique: std::collections::BTreeMap<_, _> = hosts.into_iter().map(|(v4, mac, v6)| (v4, (mac, v6))).collect();
        for (i, (v4, (mac, v6))) in unique.into_iter().enumerate() {
            let mac = mac.map(|byte| format!("{byte:02x}")).join(":");
            let (mac, v4, v6) = (bare(mac), bare(v4.to_string()), bare(v6.to_string()));
            config += &format!("dhcp-host={mac},{v4},[{v6}],h{i}\n");
        }
        let (accepted, complaints) = dnsmasq(&config);
        prop_assert!(accepted, "{}", complaints);
    }
}

#[test]
fn what_is_a_bare_word() {
    assert_eq!(taken("bare.dnsmasq.j2", "", "a"), format!("{DIGITS}:{UPPER}_{LOWER}"));
    assert_eq!(taken("bare.dnsmasq.j2", "a", "a"), format!("-./{DIGITS}:{UPPER}_{LOWER}"));
    for word in ["", "aé", "a b", "a,b", "#a", "a#b", "a=b", "\"a\"", "-a", "*"] {
        assert_eq!(print("bare.dnsmasq.j2", word), None, "{word:?}");
    }
}

#[test]
fn a_string_leaves_room_in_its_line() {
    let longest = format!("/{}", "a".repeat(511));
    let printed = print("literal.dnsmasq.j2", &longest).unwrap();
    assert_eq!(path(&printed).unwrap(), longest);
    assert_eq!(print("literal.dnsmasq.j2", format!("{longest}a")), None);
    // Why: of a longer line dnsmasq makes two, and says nothing.
    assert_ne!(path(&format!("\"{}\"", longest.repeat(3))), Some(longest.repeat(3)));
}

#[test]
fn lists_and_numbers() {
    assert_eq!(print("bare.dnsmasq.j2", ["10.0.0.1", "10.0.0.2"]).unwrap(), "10.0.0.1,10.0.0.2");
    assert_eq!(print("literal.dnsmasq.j2", ["a,b", "c"]).unwrap(), r#""a,b","c""#);
    assert_eq!(print("literal.dnsmasq.j2", 3600).unwrap(), "3600");
    assert_eq!(print("literal.dnsmasq.j2", Vec::<&str>::new()), None);
    assert_eq!(print("literal.dnsmasq.j2", -1), None);
    assert_eq!(print("literal.dnsmasq.j2", None::<&str>), None);
}
