//! Each zone is taken without a word, and all of them together say what the inventory says and no more.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::process::Command;

use plasmagen::model::Cluster;

use crate::dns::published::{names, pointer};
use crate::dns::{Record, compile, files, inventories, zone_of};
use test_kit::{plan, repository, run};

/// The records of all zones of the inventory in `dir`, by zone.
fn compiled(dir: &Path) -> (Cluster, BTreeMap<String, Vec<Record>>) {
    let plan = plan(dir);
    let site = tempfile::tempdir().unwrap();
    let mut zones = BTreeMap::new();
    for (file, text) in files(&plan) {
        let path = site.path().join(&file);
        fs::write(&path, text).unwrap();
        if file.ends_with(".zone") {
            let zone = zone_of(&file);
            // All name servers of the golden cases are the provisioner.
            let inside = plan.cluster.dns.name_servers.is_empty() && zone == plan.cluster.domain.as_str();
            zones.insert(zone.clone(), compile(&zone, &path, inside));
        }
    }
    let conf = site.path().join("named.conf");
    let checked =
        run("bind9-utils", Command::new("named-checkconf").arg("-z").arg(&conf).current_dir(site.path()));
    let said = String::from_utf8(checked.stdout).unwrap();
    assert!(checked.status.success() && checked.stderr.is_empty(), "{said}");
    let loaded = said.lines().map(|line| line.split(['/', ' ']).nth(1).unwrap());
    assert_eq!(loaded.count(), zones.len(), "{said}");
    (plan.cluster, zones)
}

fn only<'r>(records: impl IntoIterator<Item = &'r Record>, kinds: &[&str]) -> BTreeSet<Record> {
    records.into_iter().filter(|record| kinds.contains(&record.1.as_str())).cloned().collect()
}

/// What `ns1` and its like stand for in the inventory of this directory.
fn server_addresses(dir: &Path) -> Vec<(IpAddr, String)> {
    if dir.ends_with("tests/outputs/dns") {
        vec![("203.0.113.53".parse().unwrap(), "ns3.lab.example.com.".to_owned())]
    } else {
        Vec::new()
    }
}

/// B08, too: what leads to a name leads back to it.
#[test]
fn the_zones_are_the_model_in_both_directions() {
    for dir in inventories() {
        let (cluster, zones) = compiled(&dir);
        let mut expected = names(&cluster);
        expected.extend(server_addresses(&dir));
        let all = || zones.values().flatten();

        let kind = |address: &IpAddr| if address.is_ipv4() { "A" } else { "AAAA" }.to_owned();
        let forward: BTreeSet<Record> = expected
            .iter()
            .map(|(address, name)| (name.clone(), kind(address), address.to_string()))
            .collect();
        assert_eq!(only(all(), &["A", "AAAA"]), forward, "{}", dir.display());

        let back: BTreeSet<Record> = expected
            .iter()
            .filter_map(|(address, name)| {
                Some((pointer(&cluster, *address)?, "PTR".to_owned(), name.clone()))
            })
            .collect();
        assert!(!back.is_empty());
        let pointers: Vec<_> = all().filter(|record| record.1 == "PTR").collect();
        assert_eq!((pointers.len(), only(pointers, &["PTR"])), (back.len(), back), "{}", dir.display());

        let strange = all().find(|record| !["A", "AAAA", "NS", "PTR", "SOA"].contains(&record.1.as_str()));
        assert_eq!(strange, None);
        for (zone, records) in &zones {
            let below =
                |record: &Record| record.0 == format!("{zone}.") || record.0.ends_with(&format!(".{zone}."));
            assert!(records.iter().all(below), "{zone}");
        }
    }
}

#[test]
fn zones_are_there_for_every_domain_and_subnet() {
    let names = |dir: &str| compiled(&repository().join(dir)).1.into_keys().collect::<BTreeSet<_>>();
    let reference = [
        "10.0.10.in-addr.arpa",
        "100.0.10.in-addr.arpa",
        "200.0.10.in-addr.arpa",
        "44.1.10.in-addr.arpa",
        "example.com",
    ];
    assert_eq!(names("."), reference.map(str::to_owned).into());
    let mut expected: BTreeSet<String> = [
        "example.com",
        "lab.example.com",
        "core.example.org",
        "users.example.net",
        "2.0.10.in-addr.arpa",
        "3.0.10.in-addr.arpa",
        "1.10.in-addr.arpa",
        "64/26.2.0.192.in-addr.arpa",
        "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.d.f.ip6.arpa",
    ]
    .map(str::to_owned)
    .into();
    expected.extend((4..8).map(|n| format!("{n}.0.10.in-addr.arpa")));
    expected.extend((16..32).map(|n| format!("{n}.172.in-addr.arpa")));
    expected.extend((8..16).map(|n| format!("{n:x}.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa")));
    assert_eq!(names("tests/outputs/dns"), expected);
}

/// RFC 1035 section 8 and RFC 1034 section 4.2.1.
#[test]
fn a_zone_says_who_serves_it_and_what_is_below_it() {
    let (_, zones) = compiled(&repository().join("tests/outputs/dns"));
    for (zone, records) in &zones {
        let soa = records.iter().find(|record| record.1 == "SOA").unwrap();
        assert_eq!(soa.2, "ns.provider.net. host\\.master+dns.example.com. 1 3600 900 1209600 3600");
        let servers = records.iter().filter(|record| record.1 == "NS" && record.0 == format!("{zone}."));
        let servers: BTreeSet<&str> = servers.map(|record| record.2.as_str()).collect();
        let four =
            ["ns.provider.net.", "n1.lab.example.com.", "ns3.lab.example.com.", "iam.lab.example.com."];
        assert_eq!(servers, four.into(), "{zone}");
    }
    // Above the cluster's domain: its delegation, the servers' addresses, and the names of the network.
    let above = zones["example.com"].iter().filter(|record| record.0 != "example.com.");
    let above: BTreeSet<String> =
        above.map(|record| format!("{} {} {}", record.0, record.1, record.2)).collect();
    let expected = [
        "iam.lab.example.com. A 10.0.2.50",
        "iam.lab.example.com. AAAA fd00:0:0:a::50",
        "lab.example.com. NS iam.lab.example.com.",
        "lab.example.com. NS n1.lab.example.com.",
        "lab.example.com. NS ns.provider.net.",
        "lab.example.com. NS ns3.lab.example.com.",
        "n1.example.com. A 10.0.7.254",
        "n1.lab.example.com. A 10.0.2.11",
        "n1.lab.example.com. AAAA fd00:0:0:f::11",
        "n2.example.com. A 10.0.4.2",
        "ns3.lab.example.com. A 203.0.113.53",
    ];
    assert_eq!(above, expected.map(str::to_owned).into());
}

/// A name is there once for each of its addresses, as in the zones, and its first label is an alias in the cluster's
/// domain only.
#[test]
fn the_hosts_file_agrees_with_the_zones() {
    for dir in inventories() {
        let plan = plan(&dir);
        let mut expected = names(&plan.cluster);
        expected.extend(server_addresses(&dir));
        let hosts = &files(&plan)["hosts"];
        let mut seen = BTreeSet::new();
        let lines = hosts.lines().filter(|line| !line.starts_with('#')).map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            let address: IpAddr = words[0].parse().unwrap();
            for name in &words[1..] {
                assert!(seen.insert((*name, address.is_ipv4())), "{name} is there twice");
            }
            let inside = words[1].strip_suffix(plan.cluster.domain.as_str());
            let inside = inside.and_then(|rest| rest.strip_suffix('.')).filter(|rest| !rest.contains('.'));
            assert_eq!(words[2..], inside.into_iter().collect::<Vec<_>>(), "{line}");
            (address, format!("{}.", words[1]))
        });
        assert_eq!(lines.collect::<BTreeMap<_, _>>(), expected, "{}", dir.display());
    }
}
