//! Read back by `nft -j list ruleset` after the kernel has taken the rules, in a network namespace of their own.

use std::collections::BTreeSet;
use std::fs;
use std::net::IpAddr;
use std::process::Command;

use proptest::prelude::*;
use serde_json::Value;
use test_kit::process::{lossy, run, unshare};

use crate::dialects::{DIGITS, LOWER, UPPER, calls, print, same, taken, texts};

/// Loads a chain of `rules` and lists what the kernel has then.
fn load(rules: &[String]) -> Vec<Value> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ruleset.nft");
    fs::write(&file, format!("table inet t {{\n chain c {{\n{}\n }}\n}}\n", rules.join("\n"))).unwrap();
    let nft = run("nftables", Command::new("/usr/sbin/nft").arg("--version"));
    assert!(nft.status.success(), "{}", lossy(&nft.stderr));
    let script = r#"/usr/sbin/nft -f "$0" && /usr/sbin/nft -j list ruleset"#;
    let out = run("util-linux", unshare(&["--net", "sh", "-c", script]).arg(&file));
    assert!(out.status.success(), "{}", lossy(&out.stderr));
    let Value::Object(mut listing) = serde_json::from_slice(&out.stdout).unwrap() else {
        panic!("no object")
    };
    let Value::Array(entries) = listing["nftables"].take() else { panic!("no list") };
    entries.into_iter().filter_map(|mut entry| entry.get_mut("rule").map(Value::take)).collect()
}

fn sayable(text: &str) -> bool {
    text.len() <= 128 && !text.ends_with('*') && !text.chars().any(|c| c.is_control() || c == '"' || c == '$')
}

/// An address as nft lists it: alone, or within a prefix.
fn network(listed: &Value) -> (IpAddr, Option<u64>) {
    let prefix = &listed["prefix"];
    let address = prefix["addr"].as_str().or(listed.as_str()).unwrap();
    (address.parse().unwrap(), prefix["len"].as_u64())
}

proptest! {
    #![proptest_config(calls(8))]

    #[test]
    fn strings_read_back(texts in texts()) {
        let (said, printed): (Vec<_>, Vec<_>) =
            texts.iter().filter_map(|text| Some((text.as_str(), print("literal.nft.j2", text)?))).unzip();
        same(&said, texts.iter().filter(|text| sayable(text)))?;
        let rules: Vec<_> = printed.iter().map(|literal| format!("accept comment {literal}")).collect();
        same(load(&rules).iter().map(|rule| &rule["comment"]), said)?;
    }

    /// Names of interfaces and prefixes of the log are read elsewhere in nft than comments are.
    #[test]
    fn strings_read_back_elsewhere(texts in texts()) {
        let short = texts.iter().filter(|text| matches!(text.len(), 1..=15));
        let (said, printed): (Vec<_>, Vec<_>) =
            short.filter_map(|text| Some((text.as_str(), print("literal.nft.j2", text)?))).unzip();
        let rules: Vec<_> = printed.iter().map(|text| format!("iifname {text} log prefix {text}")).collect();
        let listed = load(&rules);
        same(listed.iter().map(|rule| &rule["expr"][0]["match"]["right"]), said.iter().copied())?;
        same(listed.iter().map(|rule| &rule["expr"][1]["log"]["prefix"]), said)?;
    }

    #[test]
    fn addresses_read_back(networks in prop::collection::vec((any::<IpAddr>(), any::<Option<u8>>()), 300)) {
        let mut expected = vec![];
        let mut rules = vec![];
        for (address, length) in networks {
            let bits = if address.is_ipv4() { 32 } else { 128 };
            // A prefix of full length is listed as an address, one of length 0 as no match at all.
            let network = length.map(|length| ipnet::IpNet::new(address, 1 + length % (bits - 1)).unwrap().trunc());
            let text = network.map_or(address.to_string(), |network| network.to_string());
            let family = if address.is_ipv4() { "ip" } else { "ip6" };
            rules.push(format!("{family} saddr {} accept", print("bare.nft.j2", &text).unwrap()));
            expected.push(network.map_or((address, None), |network| (network.addr(), Some(network.prefix_len().into()))));
        }
        let listed: Vec<_> = load(&rules).iter().map(|rule| network(&rule["expr"][0]["match"]["right"])).collect();
        same(listed, expected)?;
    }

    #[test]
    fn sets_read_back(ports in prop::collection::btree_set(any::<u16>(), 2..200)) {
        let rule = format!("tcp dport {} accept", print("literal.nft.j2", &ports).unwrap());
        let rules = load(&[rule]);
        let listed: BTreeSet<u16> = serde_json::from_value(rules[0]["expr"][0]["match"]["right"]["set"].clone()).unwrap();
        prop_assert_eq!(listed, ports);
    }
}

#[test]
fn what_is_a_bare_word() {
    assert_eq!(taken("bare.nft.j2", "", "a"), format!("{DIGITS}:{UPPER}_{LOWER}"));
    assert_eq!(taken("bare.nft.j2", "a", "a"), format!("-./{DIGITS}:{UPPER}_{LOWER}"));
    assert_eq!(print("bare.nft.j2", ""), None);
    assert_eq!(print("bare.nft.j2", "aé"), None);
}

#[test]
fn lists() {
    assert_eq!(print("literal.nft.j2", ["eth0", "eth1"]).unwrap(), r#"{ "eth0", "eth1" }"#);
    assert_eq!(
        print("bare.nft.j2", ["10.0.0.0/24", "10.0.1.1-10.0.1.9"]).unwrap(),
        "{ 10.0.0.0/24, 10.0.1.1-10.0.1.9 }"
    );
    assert_eq!(print("bare.nft.j2", Vec::<&str>::new()), None);
}
