//! /etc/hosts as a complete NixOS makes it, and what the C library of a node finds there.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use test_kit::process::run;

use super::{NODES, golden, units};

/// The addresses that getent(1) finds for `names`, by name, with `hosts` in the place of /etc/hosts.
fn find(hosts: &std::path::Path, names: &[&str]) -> BTreeMap<String, Vec<String>> {
    let script = "mount --bind \"$1\" /etc/hosts || exit 1; shift\n\
                  for name; do echo \"$name:\"; getent -s files ahosts \"$name\"; done; exit 0";
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", script, "sh"]).arg(hosts).args(names);
    let output = run("util-linux", &mut command);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut found = BTreeMap::<String, Vec<String>>::new();
    let mut asked = String::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        if let Some(name) = line.strip_suffix(':') {
            name.clone_into(&mut asked);
            found.insert(asked.clone(), Vec::new());
        } else if let [address, "STREAM", ..] = line.split_whitespace().collect::<Vec<_>>()[..] {
            found.get_mut(&asked).unwrap().push(address.to_owned());
        }
    }
    found.values_mut().for_each(|addresses| addresses.sort_unstable());
    found
}

#[test]
fn a_node_and_its_peers_are_found_without_a_name_server() {
    let addresses = BTreeMap::from([
        ("r1n1", vec!["10.9.1.1", "2001:db8:9::11"]),
        ("r1n2", vec!["10.9.1.2", "2001:db8:9::12"]),
        ("r2n1", vec!["10.9.2.1", "2001:db8:9::21"]),
    ]);
    for node in NODES {
        let full: Vec<_> = addresses.keys().map(|name| format!("{name}.racks.example.com")).collect();
        let mut names: Vec<_> = full.iter().map(String::as_str).chain(addresses.keys().copied()).collect();
        names.push("localhost");
        let found = find(&units(node).join("hosts"), &names);
        for (name, expected) in &addresses {
            for asked in [(*name).to_owned(), format!("{name}.racks.example.com")] {
                assert_eq!(found[&asked], *expected, "{asked} on {node}");
            }
        }
        assert!(found["localhost"].contains(&"127.0.0.1".to_owned()), "{found:?}");
    }
}

#[test]
fn the_file_says_what_the_options_say() {
    let all = golden();
    for node in NODES {
        let hosts = &all[format!("{node}.racks.example.com")]["networking"]["hosts"];
        let lines = hosts.as_object().unwrap().iter().filter(|(_, names)| names != &&serde_json::json!([]));
        let lines = lines.map(|(address, names)| {
            let names: Vec<_> = names.as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
            format!("{address} {}\n", names.join(" "))
        });
        let expected = format!("127.0.0.1 localhost\n::1 localhost\n{}", lines.collect::<String>());
        let text = fs::read_to_string(units(node).join("hosts")).unwrap();
        assert_eq!(text, expected, "{node}: run tests/networkd/evaluate NIXPKGS");
    }
}
