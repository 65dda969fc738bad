//! What a user adds to a server's configuration is read by the server, where its file says so.

use std::fs;

use plasmagen::model::{Cluster, DhcpServer};

use crate::dhcp::servers::{dhcpd, dnsmasq, kea4};
use crate::dhcp::sites::{Site, sites};

fn site() -> Site {
    sites().into_iter().find(|site| site.cluster.provisioner.extra.len() == 3).unwrap()
}

/// Whether `server` takes `file` with `added` as the user's own file.
fn takes(
    server: fn(&Cluster, &str) -> (bool, String),
    (which, file): (DhcpServer, &str),
    added: &str,
) -> (bool, String) {
    let site = site();
    let dir = tempfile::tempdir().unwrap();
    let added_file = dir.path().join("added");
    fs::write(&added_file, added).unwrap();
    let path = site.cluster.provisioner.extra[&which].as_str();
    let text = site.file(file);
    assert_eq!(text.matches(path).count(), 1, "{file}");
    server(&site.cluster, &text.replace(path, added_file.to_str().unwrap()))
}

#[test]
fn dhcpd_reads_it() {
    let file = (DhcpServer::Isc, "dhcpd.conf");
    for (added, sound) in [("", true), ("option time-offset 0;\n", true), ("option nonsense 0;\n", false)] {
        let (accepted, said) = takes(dhcpd, file, added);
        assert_eq!(accepted, sound, "{added}: {said}");
    }
}

#[test]
fn dnsmasq_reads_it() {
    let file = (DhcpServer::Dnsmasq, "dnsmasq.conf");
    for (added, sound) in [("", true), ("log-dhcp\n", true), ("log-nonsense\n", false)] {
        let (accepted, said) = takes(dnsmasq, file, added);
        assert_eq!(accepted, sound, "{added}: {said}");
    }
}

#[test]
fn kea_reads_it_as_members_of_its_map() {
    let file = (DhcpServer::Kea, "kea-dhcp4.json");
    for (added, sound) in [
        ("", true),
        (r#""option-data": [ { "name": "time-offset", "data": "0" } ]"#, true),
        ("\"option-def\": [],\n# with a comma behind\n\"hooks-libraries\": [],\n", true),
        (r#""option-data": [ { "name": "nonsense", "data": "0" } ]"#, false),
        ("}", false),
    ] {
        let (accepted, said) = takes(kea4, file, added);
        assert_eq!(accepted, sound, "{added}: {said}");
    }
}
