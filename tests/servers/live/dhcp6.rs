//! IPv6: a node gets what is kept for it, a stranger an address of the pool.

use std::net::{IpAddr, Ipv6Addr};

use plasmagen::model::{Cluster, Network};
use serde_json::{Value, json};

use crate::live::lab::{Lab, Port};
use crate::live::servers::Server;
use test_kit::{plan, repository};

const DHCP: Port = Port("udp6", 547);

/// Options: resolvers (RFC 3646).
const RESOLVERS: &str = "23";

/// How a client names itself in DHCPv6: by the UUID of its machine (RFC 6355), as firmware and iPXE do, or by the address
/// of its NIC (RFC 8415 section 11.4).
fn duids(mac: &str) -> [Vec<u8>; 2] {
    let octets = mac.split(':').map(|octet| u8::from_str_radix(octet, 16).unwrap());
    let uuid = [0, 4].into_iter().chain([0; 10]).chain(octets.clone()).collect();
    [uuid, [0, 3, 0, 1].into_iter().chain(octets).collect()]
}

/// The address that a MAC address makes (RFC 4291 appendix A).
fn link_local(mac: &str) -> Ipv6Addr {
    let octets: Vec<_> = mac.split(':').map(|octet| u16::from_str_radix(octet, 16).unwrap()).collect();
    let [a, b, c, d, e, f] = octets[..] else { panic!("{mac}") };
    Ipv6Addr::new(0xfe80, 0, 0, 0, (a ^ 2) << 8 | b, c << 8 | 0xff, 0xfe00 | d, e << 8 | f)
}

fn question(mac: &str, duid: &[u8]) -> Value {
    json!({
        "mac": mac, "duid": duid, "architecture": 7, "user_class": null, "vendor_class": null,
        "wanted": [23, 24, 59], "silent": false,
    })
}

/// The resolvers of `network` as the option has them.
fn resolvers(network: &Network) -> Value {
    let v6 = network.dns.iter().filter_map(|resolver| {
        if let IpAddr::V6(address) = resolver { Some(address.octets()) } else { None }
    });
    json!(v6.flatten().collect::<Vec<u8>>())
}

fn provisioner_network(cluster: &Cluster) -> &Network {
    &cluster.networks[&cluster.provisioner.home.network]
}

/// A node names itself in the way `way`, since what is kept goes to one of its names as long as its lease lives.
fn leases_as_the_model_says(way: usize, start: fn(&mut Lab)) {
    let mut lab = Lab::new("IPv6", &plan(&repository().join("tests/golden/ipv6")));
    start(&mut lab);
    let pool = provisioner_network(&lab.cluster).pool6.unwrap();
    let mut cases: Vec<(String, Option<Ipv6Addr>)> = lab
        .cluster
        .reservations()
        .map(|reservation| (reservation.macs[0].to_string(), reservation.address6))
        .collect();
    assert!(cases.iter().all(|(_, kept)| kept.is_some()));
    cases.push(("02:00:00:00:00:01".into(), None));
    let questions: Vec<_> = cases.iter().map(|(mac, _)| question(mac, &duids(mac)[way])).collect();
    let answers = lab.script("dhcp6_client.py", &["wire"], &json!(questions));
    for ((mac, kept), answer) in cases.iter().zip(answers.as_array().unwrap()) {
        for message in ["advertise", "reply"] {
            let told = &answer[message];
            let address = told["address"].as_str().and_then(|text| text.parse().ok());
            let address: Ipv6Addr = address
                .unwrap_or_else(|| panic!("{mac}: no address in {message} of {answer}\n{}", lab.logs()));
            match kept {
                Some(kept) => assert_eq!(address, *kept, "{mac}, {message}\n{}", lab.logs()),
                None => assert!(
                    (pool.first..=pool.last).contains(&address),
                    "{mac}, {message}: {address} is not of the pool\n{}",
                    lab.logs()
                ),
            }
            assert_eq!(
                told["options"][RESOLVERS],
                resolvers(provisioner_network(&lab.cluster)),
                "{mac}, {message}"
            );
        }
    }
}

fn kea(lab: &mut Lab) {
    let mut command = lab.on_provisioner("kea-dhcp6");
    command.arg("-c").arg(lab.file("site/pxe/kea-dhcp6.json"));
    command.env("KEA_PIDFILE_DIR", "/run/kea").env("KEA_LOCKFILE_DIR", "/run/kea");
    lab.start("kea-dhcp6-server", DHCP, &mut command);
}

/// dnsmasq leases in the networks that it has an address in; the inventory does not know the provisioner's.
fn dnsmasq(lab: &mut Lab) {
    let address = provisioner_network(&lab.cluster).subnet6.unwrap().hosts().nth(9).unwrap();
    let interface = lab.cluster.provisioner.home.name.to_string();
    let words = ["address", "add", &format!("{address}/64"), "dev", &interface, "nodad"];
    lab.done("iproute2", lab.on_provisioner("ip").args(words));
    // It looks a client's MAC address up among its neighbours, and asks for it for half a second only, which can be too
    // short on a busy machine. So they are neighbours already.
    for reservation in lab.cluster.reservations() {
        let mac = reservation.macs[0].to_string();
        let words = ["neighbour", "add", &link_local(&mac).to_string(), "lladdr", &mac, "dev", &interface];
        lab.done("iproute2", lab.on_provisioner("ip").args(words));
    }
    Server::Dnsmasq.start(lab);
}

#[test]
fn kea_leases_ipv6_by_the_link_local_address() {
    leases_as_the_model_says(0, kea);
}

#[test]
fn kea_leases_ipv6_by_the_name_of_the_client() {
    leases_as_the_model_says(1, kea);
}

#[test]
fn dnsmasq_leases_ipv6_whatever_the_name_of_the_client() {
    leases_as_the_model_says(0, dnsmasq);
    leases_as_the_model_says(1, dnsmasq);
}
