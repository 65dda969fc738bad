//! `facts.sh`: what the console shows of a machine, and that an inventory takes it.

use std::os::unix::fs::symlink;

use serde_json::json;

use crate::netboot::machine::{Machine, NODE01};

const MAC: &str = "52:54:00:12:34:56";

fn with_hardware(machine: &Machine) {
    machine.write("sys/class/dmi/id/product_serial", "CN7475139H0023\n");
    machine.card("eth0", MAC, true);
    machine.card("eth1", "52:54:00:12:34:99", false);
    machine.write("sys/class/net/lo/address", "00:00:00:00:00:00\n");
    machine.disk(
        "nvme0n1",
        960,
        &[
            "nvme-eui.0025388b1234",
            "nvme-SAMSUNG_MZQL2960HCJR_S64FNE0R800001",
            "nvme-SAMSUNG_MZQL2960HCJR_S64FNE0R800001_1",
        ],
    );
    machine.disk(
        "sda",
        480,
        &["wwn-0x5002538e40a1b2c3", "ata-INTEL_SSDSC2KB480G8_PHYF", "scsi-35002538e40a1b2c3"],
    );
    machine.disk("sda1", 1, &["wwn-0x5002538e40a1b2c3-part1", "ata-INTEL_SSDSC2KB480G8_PHYF-part1"]);
    machine.disk("sdb", 16, &["usb-Kingston_DataTraveler-0:0"]);
    machine.disk("sr0", 1, &["ata-DVD_DRIVE"]);
    machine.disk("dm-0", 1, &["dm-name-root", "lvm-pv-uuid-x"]);
}

/// The table of the one node in what was printed, as an inventory reads it.
fn node(text: &str) -> (String, toml::Table) {
    let document: toml::Table = toml::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let nodes = document["node"].as_table().unwrap();
    let (name, node) = nodes.iter().next().unwrap();
    (name.clone(), node.as_table().unwrap().clone())
}

#[test]
fn an_unknown_machine_is_ready_for_the_inventory() {
    let machine = Machine::new();
    with_hardware(&machine);
    let (said, text) = machine.run("facts");
    assert!(said);
    let expected = r#"
# plasmagen: for the inventory
[node.NAME]
mac = "52:54:00:12:34:56" # eth0, bnxt_en, linked
# mac = "52:54:00:12:34:99" # eth1, bnxt_en, no link
serial = "CN7475139H0023"
hardware = "machine"
disks = [
  "/dev/disk/by-id/nvme-SAMSUNG_MZQL2960HCJR_S64FNE0R800001_1", # nvme0n1, 960 GB
  "/dev/disk/by-id/ata-INTEL_SSDSC2KB480G8_PHYF", # sda, 480 GB
]

# Once for all machines of this model, unless a built-in model is meant. The drivers of its disks and network cards:
[hardware.machine]
description = " "
cpu = "other"
kernel_modules = [
]

"#;
    assert_eq!(text, expected);
}

/// An installed system without the driver of its disk does not start: VMD and the controllers behind it, too.
#[test]
fn the_drivers_that_a_machine_uses_are_its_hardware() {
    let machine = Machine::new();
    with_hardware(&machine);
    machine.write("sys/class/dmi/id/sys_vendor", "Dell Inc.\n");
    machine.write("sys/class/dmi/id/product_name", "PowerEdge R650 (SKU=0912)\n");
    machine.write("proc/cpuinfo", "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel\t\t: 106\n");
    machine.behind("sys/class/block/nvme0n1", &[("0000:00:0e.0", "vmd"), ("10000:01:00.0", "nvme")]);
    machine.behind("sys/class/block/sda", &[("0000:65:00.0", "mpi3mr"), ("target0:0:1", "sd_mod")]);
    machine.behind("sys/class/block/sdb", &[("usb1", "usb_storage")]);
    machine.behind("sys/class/net/eth1", &[("0000:31:00.0", "ice")]);
    let (said, text) = machine.run("facts");
    assert!(said);
    let document: toml::Table = toml::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let (name, hardware) = document["hardware"].as_table().unwrap().iter().next().unwrap();
    assert_eq!([name.as_str(), node(&text).1["hardware"].as_str().unwrap()], ["poweredge-r650-sku0912"; 2]);
    assert_eq!(hardware["description"].as_str(), Some("Dell Inc. PowerEdge R650 SKU0912"));
    assert_eq!(hardware["cpu"].as_str(), Some("intel"));
    let modules: Vec<_> =
        hardware["kernel_modules"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert_eq!(modules, ["ice", "mpi3mr", "nvme", "sd_mod", "vmd"]);

    // The table goes into an inventory as it is.
    let at = text.find("[hardware.").unwrap();
    let reference = std::fs::read_to_string("inventory.toml").unwrap();
    let original = "hardware = \"dell-r640\"";
    assert!(reference.contains(original));
    let changed =
        format!("{}\n{}", reference.replace(original, &format!("hardware = \"{name}\"")), &text[at..]);
    let found = |text: &str| plasmagen::check::check(text.as_bytes()).unwrap().diagnostics;
    assert_eq!(found(&changed).len(), found(&reference).len(), "{:#?}", found(&changed));
}

/// What is printed goes into the reference in the place of node01's facts, and the inventory is as sound as before.
#[test]
fn an_inventory_takes_it_as_it_is() {
    let machine = Machine::new();
    with_hardware(&machine);
    let (_, node) = node(&machine.run("facts").1);
    let reference = std::fs::read_to_string("inventory.toml").unwrap();
    let disk = node["disks"].as_array().unwrap()[1].as_str().unwrap();
    let changed = reference.replace("/dev/disk/by-id/nvme-SAMSUNG_MZQL2960HCJR-00A07_S64FNE0R800001_1", disk);
    assert_ne!(changed, reference);
    assert!(
        changed.contains(node["mac"].as_str().unwrap()) && changed.contains(node["serial"].as_str().unwrap())
    );
    let found = |text: &str| plasmagen::check::check(text.as_bytes()).unwrap().diagnostics.len();
    assert_eq!(found(&changed), found(&reference));
}

#[test]
fn a_node_is_told_whether_it_is_the_one_that_was_meant() {
    let machine = Machine::with(NODE01);
    with_hardware(&machine);
    let (_, text) = machine.run("facts");
    assert!(text.contains("# plasmagen: the inventory calls this machine node01\n[node.node01]\n"), "{text}");
    assert!(!text.contains("WARNING"), "{text}");

    machine.says("serial", json!("ANOTHER"));
    machine.says("mac", json!("52:54:00:12:34:11"));
    let (_, text) = machine.run("facts");
    assert!(
        text.contains("serial number is CN7475139H0023, and the inventory says ANOTHER: do not install"),
        "{text}"
    );
    assert!(text.contains("no card has the MAC address 52:54:00:12:34:11"), "{text}");

    // The card that booted is the node's, also where another one came first.
    machine.says("mac", json!("52:54:00:12:34:99"));
    assert_eq!(node(&machine.run("facts").1).1["mac"].as_str(), Some("52:54:00:12:34:99"));
}

#[test]
fn nothing_that_firmware_or_an_overlay_says_is_more_than_a_word() {
    let machine = Machine::with(NODE01);
    with_hardware(&machine);
    machine.write("sys/class/dmi/id/product_serial", b"A\"]\n\x1b[31m\\u0041\xff\0B;$(id)\n");
    machine.says("name", json!("x]\n[evil]\n\u{1b}[31m"));
    machine.says("serial", json!("\u{1b}]0;x\u{7}\n[evil]"));
    symlink("../../sdc", machine.path("dev/disk/by-id/ata-\"]\n[evil]")).unwrap();
    symlink("../../$(id)", machine.path("dev/disk/by-id/ata-fine")).unwrap();
    let (done, text) = machine.run("facts");
    assert!(done && text.chars().all(|c| c == '\n' || (' '..='~').contains(&c)), "{text:?}");
    let (name, node) = node(&text);
    assert_eq!(name, "xevil31m");
    assert_eq!(node["serial"].as_str(), Some("A31mu0041Bid"));
    assert_eq!(node["disks"].as_array().unwrap().len(), 2, "{text}");

    for text in ["", "{", "[]", "7", "{}{}"] {
        machine.lay("etc/plasmagen/node.json", text);
        assert!(machine.run("facts").0, "{text}");
    }
}

#[test]
fn a_machine_that_shows_nothing_is_no_failure() {
    let machine = Machine::new();
    let (done, text) = machine.run("facts");
    assert!(done);
    let (name, node) = node(&text);
    assert_eq!((name.as_str(), node["serial"].as_str(), node.get("mac")), ("NAME", Some(""), None));
    assert_eq!(node["disks"].as_array().unwrap().len(), 0);
    machine.write("sys/class/dmi/id/product_serial", " VMware-56 4d aa \n");
    assert!(machine.run("facts").1.contains("serial = \"VMware-56 4d aa\"\n"));
    std::fs::remove_file(machine.path("sys/class/dmi/id/product_serial")).unwrap();
    // ARM without DMI.
    machine.write("proc/device-tree/serial-number", b"10000000abcd\0");
    let (_, text) = machine.run("facts");
    assert!(text.contains("serial = \"10000000abcd\""), "{text}");
}
