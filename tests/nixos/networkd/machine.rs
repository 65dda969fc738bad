//! systemd-networkd of Debian on Debian's kernel, in QEMU, with the files of a golden node. `tests/networkd/cases` tries
//! what happens to cards and cables, and says of each case whether the network is as the inventory has it.

use std::path::{Path, PathBuf};
use std::process::Command;

use test_kit::process::run;
use test_kit::repository;

/// How often to power on a machine whose emulated timer does not work.
const ATTEMPTS: usize = 5;

/// A node's machine: how many cases it must pass, its first MAC address, and whether its second member is a card that
/// carries frames of 1500 bytes at most.
#[derive(Clone, Copy)]
struct Machine {
    node: &'static str,
    cases: usize,
    vendor: &'static str,
    has_small_card: bool,
}

fn debian() -> PathBuf {
    let hint = "PLASMAGEN_BOOT_DIR names no directory with Debian's linux-image-cloud-amd64 and busybox-static unpacked: tests/run makes one";
    PathBuf::from(std::env::var_os("PLASMAGEN_BOOT_DIR").unwrap_or_else(|| panic!("{hint}")))
}

/// QEMU with three cards of the node, each on a cable to a card of the switch, and its monitor on the second serial port:
/// the machine pulls its cables itself.
fn qemu(machine: Machine, dir: &Path, initrd: &Path) -> Command {
    let kernel = std::env::var_os("PLASMAGEN_LAB_KERNEL")
        .unwrap_or_else(|| panic!("PLASMAGEN_LAB_KERNEL names no kernel: tests/run sets it"));
    let monitor = dir.join("monitor");
    let small = if machine.has_small_card { "yes" } else { "no" };
    let mut command = Command::new("timeout");
    // Firmware stops under some virtual KVM devices: always emulated.
    command.args(["900", "qemu-system-x86_64", "-accel", "tcg", "-m", "256", "-nodefaults", "-no-reboot"]);
    command.args(["-display", "none", "-serial", "stdio", "-kernel"]).arg(kernel).arg("-initrd").arg(initrd);
    command
        .arg("-append")
        .arg(format!("console=ttyS0 quiet net.ifnames=0 no_timer_check node={} small={small}", machine.node));
    command.arg("-chardev").arg(format!("socket,id=monitor,path={},server=on,wait=off", monitor.display()));
    command
        .args(["-mon", "chardev=monitor", "-chardev"])
        .arg(format!("socket,id=port,path={}", monitor.display()));
    command.args(["-serial", "chardev:port"]);
    // LACP needs a speed, and these cards have none of their own.
    let card = "virtio-net-pci,speed=10000,duplex=full,romfile=";
    for cable in 0..3 {
        let mtu = if machine.has_small_card && cable == 2 { ",host_mtu=1500" } else { "" };
        let mac = format!("{}:0{}", machine.vendor, cable + 1);
        command.args(["-netdev", &format!("hubport,id=node{cable},hubid={cable}"), "-device"]);
        command.arg(format!("{card},id=card{cable},netdev=node{cable},mac={mac}{mtu}"));
    }
    for cable in 0..3 {
        command.args(["-netdev", &format!("hubport,id=switch{cable},hubid={cable}"), "-device"]);
        command.arg(format!("{card},netdev=switch{cable}"));
    }
    command
}

fn try_cases(machine: Machine) {
    let dir = tempfile::tempdir().unwrap();
    let initrd = dir.path().join("initrd");
    let made = run("bash", Command::new(repository().join("tests/networkd/root")).arg(debian()).arg(&initrd));
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    for _ in 0..ATTEMPTS {
        let output = run("coreutils", &mut qemu(machine, dir.path(), &initrd));
        let error = String::from_utf8_lossy(&output.stderr);
        assert_ne!(output.status.code(), Some(127), "{error} (Debian package qemu-system-x86)");
        let said = String::from_utf8_lossy(&output.stdout).replace('\r', "");
        if said.contains("IO-APIC + timer doesn't work") {
            continue;
        }
        let passed = said.lines().filter(|line| line.starts_with("ok ")).count();
        assert!(!said.contains("FAILED ") && said.lines().any(|line| line == "end"), "{said}{error}");
        assert_eq!(passed, machine.cases, "{said}");
        return;
    }
    panic!("QEMU's timer did not work {ATTEMPTS} times in a row");
}

#[test]
fn lacp_with_vlans_lives_through_cards_and_cables() {
    try_cases(Machine { node: "r1n1", cases: 37, vendor: "3c:ec:ef:00:01", has_small_card: false });
}

#[test]
fn active_backup_lives_through_cards_and_cables() {
    try_cases(Machine { node: "r2n1", cases: 37, vendor: "3c:ec:ef:00:03", has_small_card: false });
}

#[test]
fn a_card_that_cannot_carry_the_mtu_takes_nothing_down() {
    try_cases(Machine { node: "r2n1", cases: 10, vendor: "3c:ec:ef:00:03", has_small_card: true });
}
