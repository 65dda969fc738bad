//! Read back by `iptables-save` after the kernel has taken the rules, in a network namespace of their own.

use std::fs;
use std::net::IpAddr;

use proptest::prelude::*;
use test_kit::process::{lossy, run, unshare};

use crate::dialects::{DIGITS, LOWER, UPPER, calls, print, same, taken, texts};

/// Loads a chain of `rules` and lists what the kernel has then, without the name of the chain.
fn load(tool: &str, rules: &[String]) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("rules");
    let rules: String = rules.iter().map(|rule| format!("-A INPUT {rule}\n")).collect();
    fs::write(&file, format!("*filter\n:INPUT ACCEPT [0:0]\n{rules}COMMIT\n")).unwrap();
    let script = format!("{tool}-restore \"$0\" && {tool}-save -t filter");
    let mut command = unshare(&["--net", "sh", "-c", &script]);
    let out = run("util-linux", command.arg(&file).env("XTABLES_LOCKFILE", dir.path().join("lock")));
    assert!(out.status.success(), "{} (Debian package iptables)", lossy(&out.stderr));
    let saved = lossy(&out.stdout);
    saved.lines().filter_map(|line| Some(line.strip_prefix("-A INPUT ")?.to_owned())).collect()
}

fn sayable(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 255
        && text != "!"
        && !text.starts_with('-')
        && !text.ends_with('+')
        && !text.chars().any(char::is_control)
}

/// What `iptables-save` quoted (`xtables_save_string`): `\` before `"`, `\` and `'`.
fn unquote(saved: &str) -> String {
    let Some(quoted) = saved.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return saved.to_owned();
    };
    let mut chars = quoted.chars();
    std::iter::from_fn(|| match chars.next()? {
        '\\' => chars.next(),
        c => Some(c),
    })
    .collect()
}

proptest! {
    #![proptest_config(calls(8))]

    #[test]
    fn strings_read_back(texts in texts()) {
        let (said, printed): (Vec<_>, Vec<_>) =
            texts.iter().filter_map(|text| Some((text.as_str(), print("literal.iptables.j2", text)?))).unzip();
        same(&said, texts.iter().filter(|text| sayable(text)))?;
        let rules: Vec<_> = printed.iter().map(|literal| format!("-m comment --comment {literal} -j ACCEPT")).collect();
        let listed = load("iptables", &rules);
        let comment = |rule: &String| {
            unquote(rule.strip_prefix("-m comment --comment ").unwrap().strip_suffix(" -j ACCEPT").unwrap())
        };
        same(listed.iter().map(comment), said)?;
    }

    #[test]
    fn addresses_read_back(networks in prop::collection::vec((any::<IpAddr>(), any::<u8>()), 300)) {
        for v6 in [false, true] {
            let (tool, bits) = if v6 { ("ip6tables", 128) } else { ("iptables", 32) };
            let of_family = networks.iter().filter(|(address, _)| address.is_ipv6() == v6);
            // A prefix of length 0 is no match at all.
            let said: Vec<String> = of_family
                .map(|(address, length)| ipnet::IpNet::new(*address, 1 + length % bits).unwrap().trunc().to_string())
                .collect();
            let rules: Vec<_> =
                said.iter().map(|network| format!("-s {} -j ACCEPT", print("bare.iptables.j2", network).unwrap())).collect();
            let source = |rule: &String| {
                rule.strip_prefix("-s ").unwrap().strip_suffix(" -j ACCEPT").unwrap().parse::<ipnet::IpNet>().unwrap().to_string()
            };
            same(load(tool, &rules).iter().map(source), said)?;
        }
    }
}

#[test]
fn names_of_interfaces_read_back() {
    let names = ["eth0", "bond0.300", "_x", ".y", "lan-1", "123456789012345"];
    let rules: Vec<_> =
        names.map(|name| format!("-i {} -j ACCEPT", print("literal.iptables.j2", name).unwrap())).into();
    assert_eq!(load("iptables", &rules), names.map(|name| format!("-i {name} -j ACCEPT")));
}

#[test]
fn what_is_a_bare_word() {
    assert_eq!(taken("bare.iptables.j2", "", "a"), format!("{DIGITS}:{UPPER}_{LOWER}"));
    assert_eq!(taken("bare.iptables.j2", "a", "a"), format!("-./{DIGITS}:{UPPER}_{LOWER}"));
    assert_eq!(print("bare.iptables.j2", ""), None);
    assert_eq!(print("bare.iptables.j2", "aé"), None);
}

#[test]
fn lists() {
    let ports = print("literal.iptables.j2", [22, 80]).unwrap();
    let rules = load("iptables", &[format!("-p tcp -m multiport --dports {ports} -j ACCEPT")]);
    assert_eq!(rules, ["-p tcp -m multiport --dports 22,80 -j ACCEPT"]);
    assert_eq!(print("literal.iptables.j2", Vec::<&str>::new()), None);
}
