//! A machine that is named as resolver, time server or log host is reached by those who are sent there, and by nobody
//! else; and firewalls do what `[firewall] open` says. By packets, with the provisioner, a node and a virtual address as the one named.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::live::packets;
use crate::firewalls::compare;
use test_kit::{plan, render_into, with_two_interfaces};

/// The site of `named.toml`, rendered into `dir`.
fn render(dir: &Path) {
    fs::write(dir.join("inventory.toml"), include_str!("named.toml")).unwrap();
    let plan = plan(dir);
    render_into(&plan, dir);
    compare(&plan.cluster, dir);
}

/// Sends the packets of `cases` through each of the files `nft` and `iptables` below `dir`.
fn reaches(cases: &Value, dir: &Path, nft: &str, iptables: &str) {
    let cases = cases.to_string();
    packets("named.py", &[&cases], &[("nft -f", dir.join(nft))]);
    packets("named.py", &[&cases], &[("iptables-restore", dir.join(iptables))]);
}

/// Sends the packets of `cases` through the provisioner's firewall, in both languages.
pub(super) fn reaches_provisioner(cases: &Value, dir: &Path) {
    reaches(cases, dir, "site/firewall/provisioner.nft", "site/firewall/provisioner.iptables");
}

#[test]
fn a_named_provisioner_is_reached_by_those_who_are_sent_there() {
    let dir = tempfile::tempdir().unwrap();
    render(dir.path());
    let cases = json!({
        "links": [
            ["eth0", ["10.0.1.10/24"], ["10.0.1.11/24", "10.0.1.200/24", "10.0.9.7/32", "10.0.9.9/32", "10.0.2.11/32"]],
            ["eth1", ["10.0.9.1/24"], ["10.0.9.254/24"]],
        ],
        "packets": [
            ["udp", "10.0.1.11", "10.0.1.10", 123, true],
            ["tcp", "10.0.1.11", "10.0.1.10", 514, true],
            ["tcp", "10.0.1.200", "10.0.1.10", 53, true],
            ["udp", "10.0.1.200", "10.0.1.10", 53, true],
            ["tcp", "10.0.9.7", "10.0.1.10", 514, false],
            ["udp", "10.0.9.7", "10.0.1.10", 123, false],
            ["udp", "10.0.9.7", "10.0.1.10", 53, false],
            ["tcp", "10.0.9.7", "10.0.1.10", 9100, true],
            ["tcp", "10.0.1.11", "10.0.1.10", 9100, false],
            ["tcp", "10.0.9.9", "10.0.1.10", 7777, true],
            ["tcp", "10.0.9.7", "10.0.1.10", 7777, false],
            ["tcp", "10.0.9.7", "10.0.1.10", 30000, false],
        ],
    });
    reaches_provisioner(&cases, dir.path());
}

#[test]
fn a_named_node_and_a_virtual_address_are_reached_by_those_who_are_sent_there() {
    let dir = tempfile::tempdir().unwrap();
    render(dir.path());
    let cases = json!({
        "links": [
            ["eth0", ["10.0.1.11/24"], ["10.0.1.200/24"]],
            ["eth1", ["10.0.2.11/24", "10.0.2.100/24"], ["10.0.2.12/24", "10.0.9.7/32", "10.0.9.9/32"]],
            ["eth2", ["10.0.9.1/24"], ["10.0.9.254/24"]],
        ],
        "packets": [
            ["udp", "10.0.2.12", "10.0.2.11", 53, true],
            ["tcp", "10.0.2.12", "10.0.2.100", 53, true],
            ["udp", "10.0.2.12", "10.0.2.100", 53, true],
            // Routed: it comes in through another device than that of its network.
            ["udp", "10.0.1.200", "10.0.2.100", 53, true],
            ["udp", "10.0.9.7", "10.0.2.100", 53, false],
            ["udp", "10.0.1.200", "10.0.1.11", 123, false],
            ["udp", "10.0.2.12", "10.0.2.11", 123, false],
            ["tcp", "10.0.9.7", "10.0.2.11", 30000, true],
            ["tcp", "10.0.9.7", "10.0.2.11", 32767, true],
            ["tcp", "10.0.9.7", "10.0.2.11", 32768, false],
            ["tcp", "10.0.2.12", "10.0.2.11", 30000, false],
            ["tcp", "10.0.9.9", "10.0.2.11", 7777, true],
        ],
    });
    let of_profile = "site/firewall/control-plane.iptables";
    reaches(&cases, dir.path(), "nodes/n1.site.example.com/firewall.nft", of_profile);
}

/// Each network of the provisioner is let in through the interface in that network.
#[test]
fn a_provisioner_with_two_interfaces_is_reached_through_each() {
    let dir = with_two_interfaces();
    let plan = plan(dir.path());
    render_into(&plan, dir.path());
    compare(&plan.cluster, dir.path());
    let cases = json!({
        "links": [
            ["eno1", ["10.31.0.5/24"], ["10.31.0.11/24"]],
            ["eno2", ["10.31.4.5/24"], ["10.31.4.14/24"]],
        ],
        "packets": [
            ["udp", "10.31.0.11", "10.31.0.5", 67, true],
            ["udp", "10.31.0.11", "10.31.0.5", 69, true],
            ["tcp", "10.31.0.11", "10.31.0.5", 8080, true],
            ["udp", "10.31.4.14", "10.31.4.5", 67, true],
            ["udp", "10.31.4.14", "10.31.4.5", 69, true],
            ["tcp", "10.31.4.14", "10.31.4.5", 8080, true],
            ["udp", "10.31.4.14", "10.31.4.5", 53, true],
            // The time server is the second address, for the node that stands there.
            ["udp", "10.31.4.14", "10.31.4.5", 123, true],
            ["udp", "10.31.0.11", "10.31.0.5", 123, false],
            // The name server and nginx answer at the second address as well, and are asked there by way of its router.
            ["udp", "10.31.0.11", "10.31.4.5", 53, true],
            ["tcp", "10.31.0.11", "10.31.4.5", 53, true],
            ["tcp", "10.31.0.11", "10.31.4.5", 8080, true],
            ["udp", "10.31.0.11", "10.31.4.5", 69, false],
            ["tcp", "10.31.4.14", "10.31.4.5", 9999, false],
        ],
    });
    reaches_provisioner(&cases, dir.path());
}
