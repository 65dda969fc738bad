//! Machines come as far as they should, and no further.

use crate::kit::{BOOTS, boot, inventory};

/// What is compared of a machine that boots: address, boot file, four files loaded, five facts of the machine, its
/// command line, the three files of its overlay and two digests.
const CHECKS: u64 = 17;

#[test]
fn the_reference_boots_by_bios_with_kea() {
    let (_dir, path) = inventory(".", "");
    let lab = boot(&path, &["--firmware", "bios", "--dhcp", "kea"]);
    for (node, address) in [("node01", "10.0.100.50"), ("node04", "10.0.100.80")] {
        lab.is_good(node, "armed", &BOOTS);
        let row = lab.machine(node, "armed");
        assert_eq!((&row["address"], &row["checks"]), (&address.into(), &CHECKS.into()), "{row:#}");
    }
    lab.is_good("node01", "unarmed", &["lease", "loader", "boot-script", "node-script", "local-disk"]);
    lab.is_good("a stranger", "unknown", &["lease", "loader", "boot-script", "page", "local-disk"]);
    let sampled = serde_json::json!([["node02", "node01"], ["node03", "node01"], ["node05", "node04"]]);
    assert_eq!(lab.report["sampled"], sampled);
    assert_eq!((lab.code, &lab.report["ok"]), (Some(0), &true.into()), "{}", lab.said);
}

#[test]
fn a_node_boots_by_uefi_with_dnsmasq() {
    let (_dir, path) = inventory(".", "");
    let lab = boot(&path, &["--node", "node02", "--dhcp", "dnsmasq"]);
    lab.is_good("node02", "armed", &BOOTS);
    assert_eq!(lab.machine("node02", "armed")["firmware"], "uefi");
    assert_eq!(lab.machine("node02", "armed")["checks"], CHECKS);
    assert_eq!(lab.code, Some(0));
}

/// The firmware asks no TFTP server for a file.
#[test]
fn a_node_boots_by_uefi_over_http_with_dhcpd() {
    let (_dir, path) = inventory(".", "");
    let lab = boot(&path, &["--node", "node04", "--dhcp", "isc", "--firmware", "uefi-http"]);
    lab.is_good("node04", "armed", &BOOTS);
    assert_eq!(lab.machine("node04", "armed")["checks"], CHECKS - 1);
    assert_eq!(lab.code, Some(0));
}

#[test]
fn a_node_boots_behind_a_relay() {
    let (_dir, path) = inventory("tests/live/racks", "");
    let lab = boot(&path, &["--node", "a1", "--firmware", "bios"]);
    lab.is_good("a1", "armed", &BOOTS);
    let row = lab.machine("a1", "armed");
    assert_eq!((&row["network"], &row["address"]), (&"rack-a".into(), &"10.1.0.11".into()), "{row:#}");
}

/// Debian's iPXE can't compute digests: where the inventory asks for them no machine boots, tampered with or not.
#[test]
fn what_was_changed_is_not_booted() {
    let (_dir, path) = inventory(".", "verify = \"digest\"");
    let lab = boot(&path, &["--firmware", "bios"]);
    let mut steps = BOOTS.to_vec();
    steps.truncate(9);
    steps.extend(["refused", "local-disk"]);
    lab.is_good("node01", "tampered", &steps);
    let row = lab.machine("node01", "armed");
    assert_eq!(row["missing"], serde_json::json!(["system"]), "{row:#}");
    assert!(row["serial"].as_str().unwrap().contains("this iPXE has no sha256sum"), "{row:#}");
    assert_eq!((lab.code, &lab.report["ok"]), (Some(1), &false.into()), "{}", lab.said);
}
