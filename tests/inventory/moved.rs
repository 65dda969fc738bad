//! A provisioner that moves, or a second one beside it: every URL, port and directory in the outputs is the inventory's.

use std::collections::BTreeMap;
use std::fs;

use plasmagen::outputs;
use test_kit::{plan, repository};

/// What the provisioner is called; each word stands nowhere in the reference otherwise.
struct Provisioner {
    address: &'static str,
    port: &'static str,
    web_root: &'static str,
    interface: &'static str,
}

const FIRST: Provisioner =
    Provisioner { address: "10.0.100.211", port: "18081", web_root: "/srv/first", interface: "lan7" };
const SECOND: Provisioner =
    Provisioner { address: "10.0.100.222", port: "28082", web_root: "/export/second", interface: "boot3" };

impl Provisioner {
    fn words(&self) -> [&'static str; 4] {
        [self.address, self.port, self.web_root, self.interface]
    }

    /// All outputs of the reference with this provisioner, by path.
    fn outputs(&self) -> BTreeMap<String, Vec<u8>> {
        let mut text = fs::read_to_string(repository().join("inventory.toml")).unwrap();
        for (old, new) in [
            ("address = \"10.0.100.10\"", format!("address = \"{}\"", self.address)),
            ("interface = \"eth0\"", format!("interface = \"{}\"", self.interface)),
            ("http_port = 8080", format!("http_port = {}", self.port)),
            ("/var/lib/pxe-boot", self.web_root.to_owned()),
        ] {
            assert_eq!(text.matches(old).count(), 1, "{old}");
            text = text.replace(old, &new);
        }
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("inventory.toml"), text).unwrap();
        let artifacts = outputs::render(&plan(dir.path())).unwrap();
        artifacts.iter().map(|artifact| (artifact.path.to_string(), artifact.body.clone())).collect()
    }
}

/// The outputs with what `from` is called turned into what `to` is called.
fn renamed(body: &[u8], from: &Provisioner, to: &Provisioner) -> String {
    let mut text = String::from_utf8_lossy(body).into_owned();
    for (old, new) in from.words().into_iter().zip(to.words()) {
        text = text.replace(old, new);
    }
    // Its name in the reverse zone, and the resolved inventory's networks, say the address in parts.
    text.replace("211", "222")
}

#[test]
fn no_output_keeps_anything_of_the_provisioner_before() {
    let (first, second) = (FIRST.outputs(), SECOND.outputs());
    assert!(first.keys().eq(second.keys()));
    let original = ["10.0.100.10:", ":8080/boot", "/var/lib/pxe-boot"];
    for (path, body) in &second {
        let text = String::from_utf8_lossy(body);
        for old in FIRST.words().into_iter().chain(original) {
            assert!(!text.contains(old), "{path} still says {old}");
        }
    }
    let changed: Vec<&str> =
        first.iter().filter(|(path, body)| second[*path] != **body).map(|(path, _)| path.as_str()).collect();
    for path in [
        "site/www/ipxe/boot.ipxe",
        "site/www/ipxe/node/52-54-00-12-34-56.ipxe",
        "site/pxe/kea-dhcp4.json",
        "site/pxe/dnsmasq.conf",
        "site/pxe/dhcpd.conf",
        "site/pxe/nginx.conf",
        "site/pxe/pxe-server.nix",
        "site/inventory.json",
    ] {
        assert!(changed.contains(&path), "{path} is the same: {changed:?}");
    }
    for path in &changed {
        assert!(!path.starts_with("nodes/"), "{path}: an installed node knows no provisioner");
    }
}

/// Nothing else differs: the values are carried through, never computed with.
#[test]
fn only_the_names_of_the_provisioner_differ() {
    let (first, second) = (FIRST.outputs(), SECOND.outputs());
    for (path, body) in &first {
        let text = String::from_utf8_lossy(&second[path]);
        assert_eq!(renamed(body, &FIRST, &SECOND), text.replace("211", "222"), "{path}");
    }
}

/// What a bundle and an image are made of names no machine: the same ones are served from anywhere.
#[test]
fn bundles_and_images_know_no_server() {
    let files = walkdir::WalkDir::new("profiles/netboot").into_iter().map(|entry| entry.unwrap().into_path());
    let files: Vec<_> = files
        .filter(|path| path.is_file())
        .chain(["templates/bundle.ipxe.j2".into(), "nix/bundle.nix".into()])
        .collect();
    assert!(files.len() > 8, "{files:?}");
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let numbers = text.split(|c: char| !c.is_ascii_digit() && c != '.');
        let addresses: Vec<&str> =
            numbers.filter(|word| word.parse::<std::net::Ipv4Addr>().is_ok()).collect();
        assert!(addresses.is_empty() && !text.contains("://"), "{}: {addresses:?}", path.display());
    }
}
