//! Machines come as far as they should, and no further.

use std::fs;
use std::path::Path;
use std::process::Command;

use test_kit::process::{printed, run};

use crate::lab::kit::{BOOTS, boot, inventory, unpacked};

/// What is compared of a machine that boots: address, boot file, four files loaded, five facts of the machine, its
/// command line, the three files of its overlay and two digests.
const CHECKS: u64 = 17;

/// The steps of a machine that goes to its own disk: of one that nobody has armed, and of one that nobody knows.
const UNARMED: [&str; 5] = ["lease", "loader", "boot-script", "node-script", "local-disk"];
const UNKNOWN: [&str; 5] = ["lease", "loader", "boot-script", "page", "local-disk"];

#[test]
fn the_reference_boots_by_bios_with_kea() {
    let (_dir, path) = inventory(".", "");
    let lab = boot(&path, &["--firmware", "bios", "--dhcp", "kea"]);
    for (node, address) in [("node01", "10.0.100.50"), ("node04", "10.0.100.80")] {
        lab.is_good(node, "armed", &BOOTS);
        let row = lab.machine(node, "armed");
        assert_eq!((&row["address"], &row["checks"]), (&address.into(), &CHECKS.into()), "{row:#}");
    }
    lab.is_good("node01", "unarmed", &UNARMED);
    lab.is_good("a stranger", "unknown", &UNKNOWN);
    let sampled = serde_json::json!([["node02", "node01"], ["node03", "node01"], ["node05", "node04"]]);
    assert_eq!(lab.report["sampled"], sampled);
    assert_eq!((lab.code, &lab.report["ok"]), (Some(0), &true.into()), "{}", lab.said);
}

/// As operators run it who say nothing but the DHCP server: with the builds of iPXE that this machine has.
#[test]
fn the_reference_boots_by_uefi_with_dnsmasq() {
    let (_dir, path) = inventory(".", "");
    let lab = boot(&path, &["--dhcp", "dnsmasq"]);
    for node in ["node01", "node04"] {
        lab.is_good(node, "armed", &BOOTS);
        let row = lab.machine(node, "armed");
        assert_eq!((&row["firmware"], &row["checks"]), (&"uefi".into(), &CHECKS.into()), "{row:#}");
    }
    lab.is_good("node01", "unarmed", &UNARMED);
    lab.is_good("a stranger", "unknown", &UNKNOWN);
    assert_eq!((lab.code, &lab.report["ok"]), (Some(0), &true.into()), "{}", lab.said);
}

/// Makes the provisioner the router of its network in the inventory at `path`.
fn make_gateway(path: &Path, router: &str, provisioner: &str) {
    let text = fs::read_to_string(path).unwrap();
    let gateway = |address: &str| format!("gateway = \"{address}\"");
    assert!(text.contains(&gateway(router)));
    fs::write(path, text.replace(&gateway(router), &gateway(provisioner))).unwrap();
}

/// The firmware asks no TFTP server for a file. The provisioner is the router.
#[test]
fn a_node_boots_by_uefi_over_http_with_dhcpd() {
    let (_dir, path) = inventory(".", "");
    make_gateway(&path, "10.0.100.1", "10.0.100.10");
    let lab = boot(&path, &["--node", "node04", "--dhcp", "isc", "--firmware", "uefi-http"]);
    lab.is_good("node04", "armed", &BOOTS);
    assert_eq!(lab.machine("node04", "armed")["checks"], CHECKS - 1);
    assert_eq!(lab.code, Some(0));
}

/// One node boots behind a relay, and one in the network of the provisioner's second interface. And everything is kept.
/// The relay's router has no address in the provisioner's home network, whose router the provisioner is.
#[test]
fn nodes_boot_behind_a_relay_and_at_a_second_interface() {
    let (_dir, path) = inventory("tests/servers/live/racks", "");
    make_gateway(&path, "10.2.1.254", "10.2.0.10");
    let lab = boot(&path, &["--node", "a1", "--node", "c1", "--firmware", "bios", "--keep"]);
    for (node, network, address) in [("a1", "rack-a", "10.1.0.11"), ("c1", "rack-c", "10.3.0.11")] {
        lab.is_good(node, "armed", &BOOTS);
        let row = lab.machine(node, "armed");
        assert_eq!((&row["network"], &row["address"]), (&network.into(), &address.into()), "{row:#}");
    }
    let kept = lab.said.lines().find_map(|line| line.strip_prefix("all files stay in ")).unwrap();
    for (file, text) in [
        ("machines/a1-armed-1/serial.log", "plasmagen-lab: hostname a1"),
        ("machines/c1-armed-1/serial.log", "plasmagen-lab: hostname c1"),
        ("rendered/site/pxe/nginx.conf", "listen 0.0.0.0:8080"),
        ("logs/router.log", "DHCP relay"),
    ] {
        let path = Path::new(kept).join(file);
        let read = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(String::from_utf8_lossy(&read).contains(text), "{}", path.display());
    }
    fs::remove_dir_all(kept).unwrap();
}

/// iPXE 2 computes digests: what was published boots, what was changed does not.
#[test]
fn what_was_changed_is_not_booted() {
    let (_dir, path) = inventory(".", "verify = \"digest\"");
    let ipxe = unpacked("PLASMAGEN_LAB_IPXE", "ipxe of sid");
    let lab = boot(&path, &["--ipxe", &ipxe]);
    for node in ["node01", "node04"] {
        lab.is_good(node, "armed", &BOOTS);
    }
    lab.is_good("node01", "unarmed", &UNARMED);
    lab.is_good("a stranger", "unknown", &UNKNOWN);
    lab.is_good("node01", "tampered", &refuses());
    assert_eq!((lab.code, &lab.report["ok"]), (Some(0), &true.into()), "{}", lab.said);
}

/// Debian 12's iPXE can't: where the inventory asks for them no machine boots, tampered with or not.
#[test]
fn what_cannot_be_checked_is_not_booted() {
    let (_dir, path) = inventory(".", "verify = \"digest\"");
    let lab = boot(&path, &["--firmware", "bios"]);
    lab.is_good("node01", "tampered", &refuses());
    let row = lab.machine("node01", "armed");
    assert_eq!(row["missing"], serde_json::json!(["system"]), "{row:#}");
    assert!(row["serial"].as_str().unwrap().contains("this iPXE has no sha256sum"), "{row:#}");
    assert_eq!((lab.code, &lab.report["ok"]), (Some(1), &false.into()), "{}", lab.said);
}

/// No distribution's iPXE verifies signatures: the lab signs with the key, publishes, and no machine boots unverified.
#[test]
fn what_is_signed_is_published_and_boots_no_machine_that_verifies_nothing() {
    let (dir, path) = inventory(".", "verify = \"signature\"\nsigner = \"signer.pem\"\n");
    let script = "umask 077
        for name in ca signer; do openssl ecparam -name prime256v1 -genkey -noout -out $name.key; done
        openssl req -x509 -new -key ca.key -days 3 -subj '/CN=CA' -out ca.pem
        openssl req -new -key signer.key -subj '/CN=signer' -out request
        printf 'keyUsage=digitalSignature\\nextendedKeyUsage=codeSigning\\n' > extensions
        openssl x509 -req -in request -CA ca.pem -CAkey ca.key -CAcreateserial -days 3 -extfile extensions -out signer.pem
        cat ca.pem >> signer.pem";
    let output = run("bash", Command::new("bash").args(["-ec", script]).current_dir(dir.path()));
    assert!(output.status.success(), "{}", printed(&output));
    let key = dir.path().join("signer.key");
    let lab = boot(&path, &["--node", "node01", "--firmware", "bios", "--key", key.to_str().unwrap()]);
    let row = lab.machine("node01", "armed");
    let made: Vec<_> = row["steps"].as_array().unwrap().iter().map(|step| &step[0]).collect();
    assert_eq!(made, ["lease", "loader", "boot-script", "node-script", "local-disk"], "{row:#}");
    assert!(
        row["serial"].as_str().unwrap().contains("This script is not signed, or this iPXE lacks"),
        "{row:#}"
    );
    assert_eq!(lab.code, Some(1), "{}", lab.said);
}

/// The steps of a machine that has loaded everything, and starts its own disk instead.
fn refuses() -> Vec<&'static str> {
    BOOTS[..9].iter().copied().chain(["refused", "local-disk"]).collect()
}
