//! `allow = ["PG-…"]` acknowledges warnings at the place that it stands in and below it, and nowhere else.
use std::fmt::Write;

use plasmagen::check::check;

/// Half of a sound inventory with every warning of [`ALL`], and others. `@` marks the tables that may acknowledge.
const WARNED: &str = r#"schema = 1

[cluster]
@cluster
name = "lab"
domain = "lab.example.com"
bootstrap = ["node1", "node2", "node3", "node4", "node5", "node6", "node7"]
state_version = "24.11"
admin_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIL845TiWoOe2XrCMNfJUqPLN1eh7VXS0D1UnHilzay57 ops@example.com"]

[provisioner]
@provisioner
network = "lan"
address = "10.0.0.10"
interface = "eth0"

[network.lan]
@network
roles = ["management", "provisioning", "cluster"]
subnet = "10.0.0.0/24"
dns = ["10.0.0.253"]
range.vip = "10.0.0.20-10.0.0.29"

[service.registry]
@service
port = 50000

[profile.all-in-one]
services = ["chainfire", "registry"]
interface.eth0 = { network = "lan" }
disk.single = {}

[profile.first]
@profile
base = "all-in-one"
services = ["chainfire"]
interface.eth0 = { network = "lan" }
interface.eth1 = { mac = "52:54:00:00:00:99" }
disk.single = {}

[node.node1]
@node1
profile = "first"
mac = "52:54:00:00:00:01"
address.lan = "10.0.0.21"
disks = ["/dev/sda"]
serial = "S1"
bmc = { address = "10.0.0.41", password_file = "bmc/node1", mac = "52:54:00:00:00:02" }
"#;

/// The other half: six more voters.
fn warned() -> String {
    let mut text = WARNED.to_owned();
    for node in 2..=7 {
        write!(
            text,
            r#"
[node.node{node}]
@node{node}
profile = "all-in-one"
mac = "3c:ec:ef:00:00:0{node}"
address.lan = "10.0.0.3{node}"
disks = ["/dev/disk/by-id/wwn-0x{node}"]
serial = "S{node}"
"#
        )
        .unwrap();
    }
    text
}

/// The codes that are left where `table` has `allow = [<allow>]`.
fn left(table: &str, allow: &str) -> Vec<&'static str> {
    let text = warned();
    let lines = text.lines().map(|line| match line.strip_prefix('@') {
        Some(name) if name == table => format!("allow = [{allow}]\n"),
        Some(_) => String::new(),
        None => format!("{line}\n"),
    });
    let checked = check(lines.collect::<String>().as_bytes()).unwrap();
    let codes = checked.diagnostics.iter().map(|diagnostic| diagnostic.code);
    let mut codes: Vec<_> =
        codes.filter(|code| ALL.contains(code) || ["PG-A04", "PG-A11"].contains(code)).collect();
    codes.sort_unstable();
    codes
}

const D04: &str = "PG-D04";
const ALL: &str = r#""PG-C19", "PG-D04", "PG-F01", "PG-G04", "PG-G09""#;

#[test]
fn each_table_acknowledges_its_own() {
    let warnings = left("", "");
    assert_eq!(warnings, ["PG-C19", D04, D04, D04, "PG-F01", "PG-G04", "PG-G09"]);
    assert_eq!(left("cluster", ALL), ["PG-C19", D04, D04, D04, "PG-F01", "PG-G09"]);
    assert_eq!(left("service", ALL), ["PG-C19", D04, D04, D04, "PG-F01", "PG-G04"]);
    assert_eq!(left("profile", ALL), ["PG-C19", D04, D04, "PG-F01", "PG-G04", "PG-G09"]);
    assert_eq!(left("node1", ALL), [D04, "PG-G04", "PG-G09"]);
    for elsewhere in ["network", "provisioner", "node2"] {
        assert_eq!(left(elsewhere, ALL), warnings, "{elsewhere}");
    }
}

#[test]
fn only_what_is_named_is_acknowledged() {
    assert_eq!(left("node1", r#""PG-F01""#), ["PG-C19", D04, D04, D04, "PG-G04", "PG-G09"]);
}

#[test]
fn acknowledgements_are_checked_themselves() {
    assert!(left("node1", r#""PG-Z99""#).contains(&"PG-A11"));
    assert!(left("node1", r#""D04""#).contains(&"PG-A04"));
    assert!(left("node1", r#""PG-C13""#).contains(&"PG-A11"));
}

#[test]
fn errors_cannot_be_acknowledged() {
    let text = warned().replace("10.0.0.21", "10.0.1.21").replace("@node1", r#"allow = ["PG-C01"]"#);
    let text: String =
        text.lines().filter(|line| !line.starts_with('@')).map(|line| format!("{line}\n")).collect();
    assert!(check(text.as_bytes()).unwrap().diagnostics.iter().any(|diagnostic| diagnostic.code == "PG-C01"));
}
