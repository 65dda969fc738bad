//! Zones as BIND's own compiler prints them, those that `named.conf` names by BIND's own parser; and `hosts` as glibc
//! reads it.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use super::SaidOfEach;
use crate::agreement::facts::{Facts, Said};
use crate::agreement::namespace::script;
use crate::agreement::tree::Tree;

pub(crate) fn read(trees: &[Tree]) -> SaidOfEach {
    let named = script("named-checkconf", NAMED, &files(trees, "site/dns/named.conf"));
    let hosts = script("getent", GETENT, &files(trees, "site/dns/hosts"));
    let mut arguments = vec![Vec::new(); trees.len()];
    let mut counts = Vec::new();
    let mut said: SaidOfEach = vec![Vec::new(); trees.len()];
    for (at, (tree, conf)) in trees.iter().zip(sections(&named)).enumerate() {
        let (mut included, files) = included(&conf);
        for (zone, path, _) in tree.between("site/dns/", ".zone") {
            if !files.values().any(|file| path.ends_with(file.as_str())) {
                included.facts.add(zone, "zone", "a file that named.conf does not name");
            }
        }
        counts.push(files.len());
        for (zone, file) in files {
            arguments[at].push(PathBuf::from(zone));
            arguments[at].push(tree.path(&format!("site/dns/{file}")));
        }
        said[at].push(included);
    }
    let compiled = script("named-compilezone", COMPILE, &arguments);
    let mut zones = sections(&compiled);
    for ((count, hosts), said) in counts.into_iter().zip(sections(&hosts)).zip(&mut said) {
        let of_tree: Vec<Vec<&str>> = zones.by_ref().take(count).collect();
        said.push(records(&of_tree));
        said.push(aliases(&hosts));
    }
    said
}

fn files(trees: &[Tree], file: &str) -> Vec<Vec<PathBuf>> {
    trees.iter().map(|tree| vec![tree.path(file)]).collect()
}

/// Each prints a line `;;` before what it says of a file.
const NAMED: &str = r#"for file; do echo ";;"; named-checkconf -p "$file" || exit 1; done"#;
const COMPILE: &str = r#"
while [ $# -gt 0 ]; do
  echo ";;"
  named-compilezone -q -f text -F text -k fail -m fail -M fail -n fail -r fail -S fail -i local -o - "$1" "$2" || exit 1
  shift 2
done"#;
const GETENT: &str = r#"
for file; do
  echo ";;"
  names=$(sed 's/#.*//' "$file" | awk '{ for (at = 2; at <= NF; at++) print $at }' | sort -u)
  mount --bind "$file" /etc/hosts || exit 1
  for name in $names; do echo "$name:"; getent -s files ahosts "$name" || exit 1; done
  umount /etc/hosts
done"#;

/// The lines after each `;;`.
fn sections(output: &str) -> impl Iterator<Item = Vec<&str>> {
    output.split(";;\n").skip(1).map(|section| section.lines().collect())
}

/// The zones that `named.conf` names, with their files, in the order of the files' names.
fn included(conf: &[&str]) -> (Said, BTreeMap<String, String>) {
    let mut facts = Facts::default();
    let (mut zones, mut zone) = (BTreeMap::new(), "");
    for line in conf {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["zone", name, "{"] => zone = name.trim_matches('"'),
            ["file", file] => {
                let file = file.trim_matches(['"', ';']);
                assert!(!zone.is_empty());
                facts.add(zone, "zone", file);
                zones.insert(file.to_owned(), zone.to_owned());
            }
            ["type", "primary;"] => {}
            ["};"] => zone = "",
            [] => {}
            other => panic!("named.conf says {other:?}, which no reader knows"),
        }
    }
    let said = Said { source: "site/dns/named.conf", kinds: &["zone"], facts };
    (said, zones.into_iter().map(|(file, zone)| (zone, file)).collect())
}

fn records(zones: &[Vec<&str>]) -> Said {
    let mut facts = Facts::default();
    for lines in zones {
        let soa = lines.iter().find(|line| line.contains("SOA")).unwrap_or_else(|| panic!("{lines:#?}"));
        let apex = name(soa.split_whitespace().next().unwrap());
        for line in lines.iter().filter(|line| !line.starts_with(';')) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [owner, ttl, "IN", kind, data @ ..] = words.as_slice() else { panic!("{line}") };
            let owner = name(owner);
            facts.add(apex, "TTL", ttl);
            match (*kind, data) {
                ("A" | "AAAA", [address]) => facts.add(owner, "address record", address),
                ("PTR", [target]) => facts.add(address(owner), "reverse record", name(target)),
                ("NS", [server]) if owner == apex => facts.add(apex, "name server", name(server)),
                ("NS", [_]) => facts.add(apex, "delegation", owner),
                ("SOA", [server, contact, serial, ..]) => {
                    facts.add(apex, "primary", name(server));
                    facts.add(apex, "contact", name(contact));
                    assert!(serial.parse::<u32>().unwrap() > 0, "{line}");
                }
                other => panic!("{apex}: {other:?}"),
            }
        }
    }
    let kinds =
        &["address record", "reverse record", "name server", "primary", "contact", "delegation", "TTL"];
    Said { source: "site/dns/*.zone", kinds, facts }
}

/// A name without its final dot.
fn name(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or_else(|| panic!("{name} is not whole"))
}

/// The address that a name below `in-addr.arpa` or `ip6.arpa` is for; a delegated zone (RFC 2317) has further labels
/// after the first.
fn address(owner: &str) -> IpAddr {
    if let Some(labels) = owner.strip_suffix(".in-addr.arpa") {
        let labels: Vec<&str> = labels.split('.').collect();
        let [.., c, b, a] = labels.as_slice() else { panic!("{owner}") };
        return format!("{a}.{b}.{c}.{}", labels[0]).parse::<Ipv4Addr>().unwrap().into();
    }
    let nibbles: String = owner.strip_suffix(".ip6.arpa").unwrap().split('.').rev().collect();
    assert_eq!(nibbles.len(), 32, "{owner}");
    Ipv6Addr::from(u128::from_str_radix(&nibbles, 16).unwrap()).into()
}

/// Each name of the file, and the addresses that glibc finds for it, the first with the name that it is another word for.
fn aliases(hosts: &[&str]) -> Said {
    let mut facts = Facts::default();
    let (mut asked, mut canonical) = ("", "");
    for line in hosts {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [name] => asked = name.strip_suffix(':').unwrap(),
            [address, "STREAM", rest @ ..] => {
                canonical = rest.first().copied().unwrap_or(canonical);
                facts.add(canonical, "address record", address);
                if asked != canonical {
                    facts.add(canonical, "alias", asked);
                }
            }
            [_, "DGRAM" | "RAW"] => {}
            other => panic!("{other:?}"),
        }
    }
    Said { source: "site/dns/hosts", kinds: &["address record", "alias"], facts }
}
