//! The provisioner as the gateway of its network is reached by those who are sent there, and by nobody else, with and
//! without masquerading: by packets.

use std::fs;

use super::live::packets;
use crate::firewalls::compare;
use test_kit::{plan, render_into};

#[test]
fn a_gateway_forwards_what_its_machines_send_and_what_nodes_let_in() {
    for (nat, asker) in [("nat = false", "10.30.0.11"), ("nat = true", "192.0.2.1")] {
        let dir = tempfile::tempdir().unwrap();
        let inventory = include_str!("gateway.toml").replace("nat = false", nat);
        fs::write(dir.path().join("inventory.toml"), inventory).unwrap();
        let plan = plan(dir.path());
        render_into(&plan, dir.path());
        compare(&plan.cluster, dir.path());
        let file = |extension: &str| dir.path().join(format!("site/firewall/provisioner.{extension}"));
        packets("gateway.py", &[asker], &[("nft -f", file("nft"))]);
        packets("gateway.py", &[asker], &[("iptables-restore", file("iptables"))]);
    }
}
