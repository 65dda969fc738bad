//! The provisioner as the router of two networks: machines of each reach what they are sent to at the provisioner's address in the
//! other, by way of the provisioner's address in their own. By packets.

use std::fs;

use serde_json::json;

use super::named::reaches_provisioner;
use crate::firewalls::compare;
use test_kit::{plan, render_into};

#[test]
fn time_and_logs_are_reached_at_the_address_in_another_routed_network() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("inventory.toml"), include_str!("routed.toml")).unwrap();
    let plan = plan(dir.path());
    render_into(&plan, dir.path());
    compare(&plan.cluster, dir.path());
    // The other machine stands in both networks. As a machine of one it sends all to the gateway there.
    let by_gateway = |source: &str, gateway: &str, table: &str| {
        format!("ip rule add from {source} lookup {table}; ip route add default via {gateway} table {table}")
    };
    let cases = json!({
        "links": [
            ["eno2", ["10.30.0.1/24"], ["10.30.0.11/24", "10.30.0.200/24"]],
            ["eno3", ["10.31.0.1/24"], ["10.31.0.12/24"]],
            ["eno1", ["192.0.2.1/24"], ["192.0.2.7/24"]],
        ],
        "routes": [
            by_gateway("10.30.0.11", "10.30.0.1", "100"), by_gateway("10.30.0.200", "10.30.0.1", "101"),
            by_gateway("10.31.0.12", "10.31.0.1", "102"), by_gateway("192.0.2.7", "192.0.2.1", "103"),
        ],
        "packets": [
            ["udp", "10.30.0.11", "10.30.0.1", 123, true],
            ["udp", "10.31.0.12", "10.30.0.1", 123, true],
            ["tcp", "10.31.0.12", "10.31.0.1", 514, true],
            ["tcp", "10.30.0.11", "10.31.0.1", 514, true],
            ["tcp", "10.30.0.200", "10.31.0.1", 8080, true],
            ["tcp", "10.31.0.12", "10.30.0.1", 8080, true],
            ["udp", "192.0.2.7", "10.30.0.1", 123, false],
            ["tcp", "192.0.2.7", "10.31.0.1", 514, false],
            // Not at the address of the card outside.
            ["udp", "10.31.0.12", "192.0.2.1", 123, false],
            ["tcp", "10.30.0.11", "192.0.2.1", 514, false],
        ],
    });
    reaches_provisioner(&cases, dir.path());
}
