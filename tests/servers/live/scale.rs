//! Many nodes: the servers still tell each of them what the model says; and, when asked for, what that costs.

use std::time::Instant;

use plasmagen::outputs;
use plasmagen::plan::Plan;

use crate::live::lab::Lab;
use crate::live::servers::{Server, ask, milliseconds};
use crate::live::{cases, dns};
use test_kit::many::inventory;
use test_kit::plan;

/// The plan of so many nodes.
fn many(nodes: usize) -> Plan {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("inventory.toml"), inventory(nodes, "SERIAL")).unwrap();
    plan(dir.path())
}

#[test]
fn a_thousand_nodes_are_answered_as_the_model_says() {
    let plan = many(1000);
    let files = &outputs::render(&plan).unwrap();
    let cluster = &plan.cluster;
    let answers = |server: Server| {
        let mut lab = Lab::with(&format!("{server:?}, 1000 nodes"), cluster.clone(), files);
        server.start(&mut lab);
        let cases = cases::once(&lab.cluster, server);
        assert_eq!(cases.len(), 1000);
        let wrong = ask(&lab, &cases);
        assert!(wrong.is_empty(), "{}: {:#?}\n{}", lab.name, &wrong[..wrong.len().min(30)], lab.logs());
    };
    std::thread::scope(|scope| {
        for server in [Server::Dhcpd, Server::Kea, Server::Dnsmasq] {
            scope.spawn(move || answers(server));
        }
    });
}

#[test]
#[ignore = "measures, on a quiet machine: cargo test --release --test servers what_many -- --ignored --nocapture"]
fn what_many_nodes_cost() {
    for nodes in [1_000, 10_000] {
        let plan = many(nodes);
        let start = Instant::now();
        let files = outputs::render(&plan).unwrap();
        say(&format!("{nodes} nodes: rendered in {:.2?}", start.elapsed()));
        let lab = |name: &str| Lab::with(name, plan.cluster.clone(), &files);
        for server in [Server::Dhcpd, Server::Kea, Server::Dnsmasq] {
            dhcp_costs(server, &mut lab(&format!("{server:?}")));
        }
        dns_costs(&mut lab("named"));
        load_costs(&lab("the provisioner"));
    }
}

#[allow(clippy::print_stdout, reason = "a measurement is for its reader")]
fn say(line: &str) {
    println!("{line}");
}

fn dhcp_costs(server: Server, lab: &mut Lab) {
    let start = Instant::now();
    server.start(lab);
    let ready = start.elapsed();
    let last = cases::once(&lab.cluster, server).pop().unwrap();
    let lease = milliseconds(lab, &[last]);
    let memory = lab.memory();
    say(&format!(
        "  {server:?}: listens after {ready:.2?}, the last node has its lease in {lease:.1} ms, {memory}"
    ));
}

/// It listens before it has read the zones.
fn dns_costs(lab: &mut Lab) {
    let start = Instant::now();
    dns::start(lab);
    let last = lab.cluster.nodes.last().unwrap().fqdn.to_string();
    let query = [(format!("{last}."), "A")].into();
    while dns::dig(lab, &query).is_empty() {}
    say(&format!("  named: knows the last node after {:.2?}, {}", start.elapsed(), lab.memory()));
}

fn load_costs(lab: &Lab) {
    for (program, options, file) in [
        ("nft", &["-f"][..], "site/firewall/provisioner.nft"),
        ("iptables-restore", &[], "site/firewall/provisioner.iptables"),
        ("nginx", &["-t", "-c"], "site/pxe/nginx.conf"),
    ] {
        let start = Instant::now();
        lab.done(program, lab.on_provisioner(program).args(options).arg(lab.file(file)));
        say(&format!("  {program}: {:.2?}", start.elapsed()));
    }
}
