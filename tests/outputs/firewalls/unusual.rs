//! What an inventory may say of firewalls and seldom does; every tool takes it.

use std::fs;

use plasmagen::model::{Cluster, Opening, Protocol, Traffic};

use crate::firewalls::{compare, model};
use test_kit::{plan, render_into, repository};

/// The golden case `name` with `more` at its end, rendered into a directory.
fn rendered(name: &str, more: &str) -> (Cluster, tempfile::TempDir) {
    let case = repository().join("tests/golden").join(name).join("inventory.toml");
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("inventory.toml"), fs::read_to_string(case).unwrap() + more).unwrap();
    let plan = plan(dir.path());
    render_into(&plan, dir.path());
    (plan.cluster, dir)
}

#[test]
fn everything_twice_and_overlapping() {
    let more = r#"
[firewall]
ssh_from = ["0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/8", "10.0.100.0/24", "::/0", "2001:db8::7/128", "192.0.2.1/32"]
open.again = { port = 22, from = ["10.0.0.0/8", "10.0.0.0/8"] }
open.all = { port = 123, protocol = "udp", from = ["0.0.0.0/0", "::/0"] }
"#;
    let (cluster, dir) = rendered("ipv6", more);
    compare(&cluster, dir.path());
    for node in &cluster.nodes {
        let path = dir.path().join(format!("nodes/{}/firewall.nft", node.fqdn));
        assert_eq!(crate::firewalls::nft::loaded(&path), model::of(&cluster, node));
    }
}

/// Without name servers of its own, a site asks the provisioner; with them, nobody need.
#[test]
fn the_provisioner_answers_names_where_nobody_else_does() {
    let answers = |cluster: &Cluster| {
        let openings = plasmagen::model::provisioner_openings(cluster);
        let dns = |opening: &Opening| {
            [Protocol::Tcp, Protocol::Udp]
                .into_iter()
                .find(|protocol| opening.traffic == Traffic::port(*protocol, 53))
        };
        let dns = openings.iter().filter_map(|opening| Some((dns(opening)?, opening.sources.len())));
        dns.collect::<Vec<_>>()
    };
    let (cluster, _dir) = rendered("ipv6", "");
    assert!(cluster.dns.name_servers.is_empty());
    let subnets = cluster.networks.values().map(|network| network.subnets().count()).sum();
    assert_eq!(answers(&cluster), [(Protocol::Tcp, subnets), (Protocol::Udp, subnets)]);
    let (cluster, dir) = rendered("ipv6", "\n[dns]\nname_servers = [\"10.0.100.253\"]\n");
    assert_eq!(answers(&cluster), []);
    compare(&cluster, dir.path());
}

/// A masqueraded packet of a tenant has the worker's address: an opening for a host elsewhere, or for one of the nodes'
/// network, is none for tenants (FAULTS 35).
#[test]
fn an_opening_for_a_host_gives_tenants_no_control_port() {
    let more = "\n[firewall]\nopen.mon = { port = 2379, from = [\"192.0.2.9/32\"] }\n\
                open.admin = { port = 22, from = [\"192.0.2.9/32\"] }\n";
    let (cluster, dir) = rendered("bonds-and-vlans", more);
    compare(&cluster, dir.path());
    let ports =
        |cluster: &Cluster| -> Vec<_> { cluster.control_ports.iter().map(|port| port.traffic).collect() };
    for port in [22, 2379] {
        assert!(ports(&cluster).contains(&Traffic::port(Protocol::Tcp, port)), "{port}");
    }
}
