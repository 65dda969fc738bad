//! The servers themselves, which only check a configuration.

use std::fs;

use plasmagen::model::Cluster;

use crate::dhcp::sites::sites;
use test_kit::process::{run, unshare};

/// Brings up the provisioner's interfaces in a network namespace of its own; Kea looks for them even to check. Each is a
/// veth, since not every kernel has dummy devices.
const LINK: &str = r#"PATH=$PATH:/usr/sbin:/sbin
while [ "$1" != -- ]; do
  ip link add "$1" type veth peer name "peer$#" && ip link set "$1" up && ip link set "peer$#" up &&
  ip address add "$2" dev "$1" && shift 2 || exit 1
done
shift && exec "$@""#;

/// Whether `server` accepts `text` on the provisioner of `cluster`, and what it says.
fn accepts(cluster: &Cluster, server: &[&str], text: &str) -> (bool, String) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("configuration");
    fs::write(&file, text).unwrap();
    let provisioner = &cluster.provisioner;
    let mut command = unshare(&["--net", "sh", "-c", LINK, "sh"]);
    for interface in provisioner.interfaces() {
        command.args([interface.name.to_string(), format!("{}/24", interface.address)]);
    }
    command.arg("--").args(server).arg(&file);
    command.env("KEA_PIDFILE_DIR", dir.path()).env("KEA_LOCKFILE_DIR", dir.path());
    let output = run("util-linux", &mut command);
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

pub(crate) fn dhcpd(cluster: &Cluster, text: &str) -> (bool, String) {
    accepts(cluster, &["dhcpd", "-4", "-t", "-cf"], text)
}

pub(crate) fn kea4(cluster: &Cluster, text: &str) -> (bool, String) {
    accepts(cluster, &["kea-dhcp4", "-t"], text)
}

pub(crate) fn kea6(cluster: &Cluster, text: &str) -> (bool, String) {
    accepts(cluster, &["kea-dhcp6", "-t"], text)
}

pub(crate) fn dnsmasq(cluster: &Cluster, text: &str) -> (bool, String) {
    accepts(cluster, &["dnsmasq", "--test", "-C"], text)
}

/// The text less the line that brings in the user's own file, which lies on the provisioner.
pub(crate) fn without_extra(text: &str) -> String {
    let include = |line: &&str| {
        ["include \"", "<?include \"", "conf-file="]
            .iter()
            .any(|directive| line.trim_start().starts_with(directive))
    };
    let lines: Vec<&str> = text.lines().filter(|line| !include(line)).collect();
    // In JSON the comma before it goes too.
    lines.join("\n").replace("],\n  }\n}", "]\n  }\n}") + "\n"
}

#[test]
fn each_server_accepts_its_file_of_every_site() {
    let mut of6 = 0;
    for site in sites() {
        let cluster = &site.cluster;
        let check = |name: &str, server: fn(&Cluster, &str) -> (bool, String)| {
            let (accepted, said) = server(cluster, &without_extra(site.file(name)));
            assert!(accepted, "{}: {name}: {said}", site.name);
            // Kea says so of what it takes though it should not.
            assert!(!said.contains("WARN") && !said.contains("ERROR"), "{}: {name}: {said}", site.name);
        };
        check("dhcpd.conf", dhcpd);
        check("kea-dhcp4.json", kea4);
        check("dnsmasq.conf", dnsmasq);
        if site.find("kea-dhcp6.json").is_some() {
            check("kea-dhcp6.json", kea6);
            of6 += 1;
        }
    }
    assert!(of6 >= 2);
}

#[test]
fn each_server_refuses_what_is_wrong() {
    let site = sites().remove(0);
    for (name, server) in [
        ("dhcpd.conf", dhcpd as fn(&Cluster, &str) -> (bool, String)),
        ("kea-dhcp4.json", kea4),
        ("dnsmasq.conf", dnsmasq),
    ] {
        let mac = site.cluster.nodes[0].mac.to_string();
        let text = site.file(name);
        assert!(text.contains(&mac));
        let (accepted, said) = server(&site.cluster, &text.replace(&mac, "zz:zz"));
        assert!(!accepted, "{name}: {said}");
    }
}
