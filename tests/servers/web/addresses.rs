//! nginx with the rendered files on a machine that lacks one of its addresses, such as that of an interface without a cable.

use std::fs;

use crate::web::kit::{Machine, pxe, reference};
use test_kit::with_two_interfaces;

/// With an interface in each of two networks, the machines of one boot where the address in the other is missing.
#[test]
fn one_missing_address_of_two_keeps_nobody_from_booting() {
    let dir = with_two_interfaces();
    let (plan, files) = pxe(dir.path());
    let (home, other) =
        (plan.cluster.provisioner.home.address, &plan.cluster.provisioner.other_interfaces[0]);
    for (missing, present) in [(home, other.address), (other.address, home)] {
        let mut machine = Machine::new(&plan, files.path());
        machine.run(&format!(
            "ip addr add {present}/32 dev lo || true; ip addr del {missing}/32 dev lo || true"
        ));
        machine.run(
            "ip -brief addr show dev lo >addresses; mkdir -p $root/tftp; printf loader >$root/tftp/ipxe.efi",
        );
        machine.start_nginx();
        let port = plan.cluster.provisioner.http_port;
        machine.run(&format!("curl -sS -o body http://{present}:{port}/boot/tftp/ipxe.efi"));
        machine.go();
        let addresses = fs::read_to_string(files.path().join("addresses")).unwrap();
        assert!(!addresses.contains(&format!("{missing}/")), "{addresses}");
        assert_eq!(fs::read_to_string(files.path().join("body")).unwrap(), "loader");
    }
}

/// With one interface, nginx does not start without its address: systemd must start it again (docs/pxe-server.md).
#[test]
fn nginx_starts_once_its_address_is_there() {
    let (plan, files) = reference();
    let address = plan.cluster.provisioner.home.address;
    let mut machine = Machine::new(&plan, files.path());
    machine.run(&format!("ip addr del {address}/32 dev lo"));
    machine.run("if nginx -c $PWD/nginx.conf -g 'daemon on;' 2>said; then exit 1; fi");
    machine.run(&format!(
        "ip addr add {address}/32 dev lo; mkdir -p $root/tftp; printf loader >$root/tftp/ipxe.efi"
    ));
    machine.start_nginx();
    machine.ask("/boot/tftp/ipxe.efi", "");
    let replies = machine.go();
    assert_eq!(replies[0].text(), "loader");
    let said = fs::read_to_string(files.path().join("said")).unwrap();
    assert!(said.contains("Cannot assign requested address"), "{said}");
}
