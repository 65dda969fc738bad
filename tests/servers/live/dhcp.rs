//! Every server tells every machine what the model says, and so all of them tell it the same.

use std::fs;

use plasmagen::model::Reservation;

use crate::live::cases;
use crate::live::lab::Lab;
use crate::live::servers::{Server, ask, told};
use test_kit::{plan, repository};

/// The reference, and the cases that bring something new: relays, architectures, firmware, IPv6, bonds.
const INVENTORIES: [&str; 5] = [
    ".",
    "tests/golden/cards",
    "tests/golden/ipv6",
    "tests/golden/bonds-and-vlans",
    "tests/servers/live/racks",
];

fn answers_as_the_model_says(server: Server) {
    let wrong = |dir: &str| -> Vec<String> {
        let mut lab = Lab::new(&format!("{server:?}, {dir}"), &plan(&repository().join(dir)));
        server.start(&mut lab);
        let cases = cases::all(&lab.cluster, server);
        assert!(cases.iter().any(|case| case.expected.is_some()));
        // Two clusters, one provisioner.
        let is_of_elm = |case: &&cases::Case| case.name.starts_with("elm-") && case.expected.is_some();
        assert!(!dir.ends_with("racks") || cases.iter().filter(is_of_elm).count() > 2);
        let mut wrong = ask(&lab, &cases);
        let count = wrong.len();
        wrong.truncate(30);
        if count > 0 {
            wrong.push(format!("{count} in all"));
            wrong.insert(0, lab.name.clone());
            wrong.push(lab.logs());
        }
        wrong
    };
    // Most of the time is spent waiting for answers.
    let wrong: Vec<_> = std::thread::scope(|scope| {
        let labs = INVENTORIES.map(|dir| scope.spawn(move || wrong(dir)));
        labs.into_iter().flat_map(|lab| lab.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn dhcpd_answers_as_the_model_says() {
    answers_as_the_model_says(Server::Dhcpd);
}

#[test]
fn kea_answers_as_the_model_says() {
    answers_as_the_model_says(Server::Kea);
}

#[test]
fn dnsmasq_answers_as_the_model_says() {
    answers_as_the_model_says(Server::Dnsmasq);
}

/// One address changed by hand: the questions find it.
#[test]
fn a_wrong_reservation_is_found() {
    for server in [Server::Dhcpd, Server::Kea, Server::Dnsmasq] {
        let mut lab = Lab::new(&format!("{server:?}"), &plan(repository()));
        let path = lab.file(server.configuration());
        let text = fs::read_to_string(&path).unwrap();
        let changed = text.replacen("10.0.100.50", "10.0.100.59", 1);
        assert_ne!(text, changed);
        fs::write(path, changed).unwrap();
        server.start(&mut lab);
        let cases: Vec<_> =
            cases::all(&lab.cluster, server).into_iter().filter(|case| case.at_home).collect();
        let wrong = ask(&lab, &cases);
        assert!(!wrong.is_empty(), "{server:?}");
        for line in &wrong {
            assert!(
                line.starts_with("node01 (") && line.ends_with("expected `10.0.100.50`, got `10.0.100.59`"),
                "{line}"
            );
        }
    }
}

/// Firmware goes on to the next card, which asks while the first one's lease lives. No machine waits longer than its
/// firmware does.
fn a_bond_boots_through_each_member(server: Server) {
    let mut lab = Lab::new(&format!("{server:?}, bonds"), &plan(&repository().join("tests/golden/cards")));
    server.start(&mut lab);
    let cluster = lab.cluster.clone();
    let bonded: Vec<_> = cluster.reservations().filter(|reservation| reservation.macs.len() > 1).collect();
    assert_eq!(bonded.len(), 2);
    // One bond without a pool to take an address from.
    assert!(bonded.iter().any(|node| cluster.networks[node.network].pool.is_none()));
    let boots = |member: usize, stages: usize| {
        let boot = |node: &Reservation<'_>| {
            let mut cases = cases::boot(&cluster, server, node, node.macs[member]);
            cases.truncate(stages);
            cases
        };
        bonded.iter().flat_map(boot).collect::<Vec<_>>()
    };
    // The installer of the first member would keep the address for ten minutes in Kea.
    for cases in [boots(0, 2), boots(1, 2), boots(0, 3)] {
        for (case, mut told) in cases.iter().zip(told(&lab, &cases)) {
            let mut expected = case.expected.clone().unwrap();
            let (address, got) = (expected.remove("address").unwrap(), told.remove("address").unwrap());
            // Where there is a pool, Kea does not wait for the end of the first lease.
            let is_from_pool = server == Server::Kea && got.starts_with("10.31.0.2");
            assert!(got == address || is_from_pool, "{}: {got} for {address}", case.name);
            assert_eq!(told, expected, "{}", case.name);
        }
    }
}

#[test]
fn a_bond_boots_through_each_member_with_dhcpd() {
    a_bond_boots_through_each_member(Server::Dhcpd);
}

#[test]
fn a_bond_boots_through_each_member_with_kea() {
    a_bond_boots_through_each_member(Server::Kea);
}

#[test]
fn a_bond_boots_through_each_member_with_dnsmasq() {
    a_bond_boots_through_each_member(Server::Dnsmasq);
}
