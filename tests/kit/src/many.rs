//! Inventories of many nodes, to measure with.

use std::fmt::Write as _;

/// The inventory without its nodes.
const HEADER: &str = r#"
schema = 1
[cluster]
name = "many"
domain = "many.example.com"
bootstrap = ["n00000", "n00001", "n00002"]
state_version = "24.11"
admin_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIL845TiWoOe2XrCMNfJUqPLN1eh7VXS0D1UnHilzay57"]
[provisioner]
network = "boot"
address = "10.0.0.10"
interface = "eth0"
allow = ["PG-F21"]
[network.boot]
roles = ["provisioning"]
subnet = "10.0.0.0/9"
gateway = "10.0.0.1"
pool = "10.0.1.0-10.0.1.255"
[network.core]
roles = ["cluster"]
subnet = "10.128.0.0/9"
gateway = "10.128.0.1"
dns = ["10.128.0.1"]
[profile.control-plane]
services = ["chainfire", "flaredb", "iam"]
interface.eth0 = { network = "boot" }
interface.eth1 = { network = "core" }
disk.single = {}
allow = ["PG-D12"]
"#;

/// An inventory of `nodes` nodes; `serial` is the serial number of the last node.
#[must_use]
pub fn inventory(nodes: usize, serial: &str) -> String {
    let mut text = HEADER.to_owned();
    for n in 0..nodes {
        let (block, high, low) = (n / 62_500 + 1, n / 250 % 250 + 1, n % 250 + 1);
        let other = format!("SERIAL{n}");
        let serial = if n + 1 == nodes { serial } else { &other };
        write!(
            text,
            "[node.n{n:05}]\nprofile = \"control-plane\"\nmac = \"3c:ec:ef:{block:02x}:{high:02x}:{low:02x}\"\n\
             address.boot = \"10.{block}.{high}.{low}\"\naddress.core = \"10.{}.{high}.{low}\"\n\
             disks = [\"/dev/disk/by-id/nvme-DISK_{n}_1\"]\nserial = \"{serial}\"\n",
            block + 128
        )
        .unwrap();
    }
    text
}
