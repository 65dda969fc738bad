//! What the guard refuses, and what it lets pass.

use std::fs;

use plasmagen::model::SerialNumber;

use crate::wipe_guard::machine::{DISK, MAC, Machine, OTHER_MAC, SERIAL};

const OVERRIDDEN: &str = "PLASMAGEN_ERASE=node01: THE DISKS ARE ERASED ALL THE SAME";

/// Changes node01's machine by `change`: the guard refuses for the reason `reason`, unless the override is given.
fn differs(reason: &str, change: impl Fn(&mut Machine)) {
    let mut machine = Machine::new();
    change(&mut machine);
    let (passes, text) = machine.guard(None);
    assert!(!passes && text.contains(&format!("  - {reason}")), "{reason}: {text}");
    assert!(text.contains("refused, and nothing was written"), "{text}");
    assert!(!machine.guard(Some("node02")).0 && !machine.guard(Some("node01 ")).0, "{reason}");
    assert!(!machine.guard(Some("1")).0 && !machine.guard(Some("")).0, "{reason}");
    let (passes, text) = machine.guard(Some("node01"));
    assert!(passes && text.contains(OVERRIDDEN) && text.contains(&format!("  - {reason}")), "{text}");
}

/// The guard refuses for the reason `reason`, whatever the override.
fn cannot(reason: &str, change: impl Fn(&mut Machine)) {
    let mut machine = Machine::new();
    change(&mut machine);
    for erase in [None, Some("node01")] {
        let (passes, text) = machine.guard(erase);
        assert!(!passes && text.contains(&format!("  - {reason}")), "{reason}: {text}");
        assert!(text.contains("PLASMAGEN_ERASE does not override"), "{text}");
    }
}

fn fits(what: &str, change: impl Fn(&mut Machine)) {
    let mut machine = Machine::new();
    change(&mut machine);
    let (passes, text) = machine.guard(None);
    assert!(passes && text.contains("plasmagen: this is node01, and disko goes on."), "{what}: {text}");
}

#[test]
fn the_machine_of_the_inventory_passes() {
    let (passes, text) = Machine::new().guard(None);
    assert!(passes);
    let expected = "
plasmagen: is this node01? The inventory is compared with this machine before the first write.

         fact           inventory                  this machine
ok       serial number  CN7475139H0023             CN7475139H0023
ok       boot MAC       52:54:00:12:34:56          eth0
ok       eth1 MAC       52:54:00:12:34:57          eth1
ok       firmware       uefi                       uefi
ok       processor      x86_64                     x86_64
ok       disk           /dev/disk/by-id/nvme-A_1 894G nvme0n1, 960 GB, holds no named partition
ok       disk           /dev/disk/by-id/nvme-B_1   nvme1n1, 960 GB, holds no named partition

plasmagen: this is node01, and disko goes on.
";
    assert_eq!(text, expected);
}

#[test]
fn another_serial_number() {
    let file = "sys/class/dmi/id/product_serial";
    differs("the serial number is CN7475139H0024, and node01 has CN7475139H0023", |machine| {
        machine.write(file, "CN7475139H0024\n");
    });
    differs("the serial number is not readable, and node01 has", |machine| machine.remove(file));
    differs("the serial number is Default string, and node01 has", |machine| {
        machine.write(file, "Default string\n");
    });
    // A number that somebody has to write into the inventory first.
    differs("the serial number is CN7475139H0023, and node01 has Default string", |machine| {
        machine.says(SERIAL, "Default string");
    });
    // The number as facts.sh prints it.
    fits("blanks", |machine| machine.write(file, format!("  {SERIAL}  \n")));
    fits("device tree", |machine| {
        machine.remove(file);
        machine.write("proc/device-tree/serial-number", format!("{SERIAL}\0"));
    });
    fits("no number in the inventory", |machine| machine.says(SERIAL, ""));
}

/// A placeholder says nothing: cards and disks tell.
#[test]
fn placeholders_are_no_identity() {
    for placeholder in
        SerialNumber::PLACEHOLDERS.into_iter().chain(["00000000", "XXXX", "-", "To Be Filled By O.E.M."])
    {
        let mut machine = Machine::new();
        machine.says(SERIAL, placeholder);
        machine.write("sys/class/dmi/id/product_serial", "System Serial Number\n");
        let (passes, text) = machine.guard(None);
        assert!(passes && text.contains("no identity; cards and disks must fit"), "{placeholder}: {text}");
        machine.card("eth0", "52:54:00:12:34:99", "0");
        assert!(!machine.guard(None).0, "{placeholder}");
    }
}

#[test]
fn another_network_card() {
    let reason = format!("no network card has the MAC address {MAC} (boot)");
    differs(&reason, |machine| machine.card("eth0", "52:54:00:12:34:99", "0"));
    // Set by a person, and made up by a driver.
    for kind in ["1", "3"] {
        differs(&reason, |machine| machine.card("eth0", MAC, kind));
    }
    differs(&reason, |machine| {
        fs::remove_dir(machine.path("sys/class/net/eth0/device")).unwrap();
    });
    differs(&format!("no network card has the MAC address {OTHER_MAC} (eth1)"), |machine| {
        machine.card("eth1", "52:54:00:12:34:99", "0");
    });
    fits("swapped names", |machine| {
        machine.card("eth0", OTHER_MAC, "0");
        machine.card("eth1", MAC, "0");
    });
    fits("a member of a bond", |machine| {
        machine.card("eth1", MAC, "3");
        machine.write("sys/class/net/eth1/bonding_slave/perm_hwaddr", format!("{OTHER_MAC}\n"));
    });
}

#[test]
fn another_kind_of_machine() {
    differs("this machine has started by bios", |machine| {
        fs::remove_dir(machine.path("sys/firmware/efi")).unwrap();
    });
    differs("the processor is another kind", |machine| machine.write("proc/sys/kernel/arch", "aarch64\n"));
}

#[test]
fn disks_that_disko_could_not_erase() {
    cannot(&format!("{DISK} is not there"), |machine| machine.remove("dev/disk/by-id/nvme-A_1"));
    cannot(&format!("{DISK} is not there"), |machine| machine.remove("dev/nvme0n1"));
    cannot(&format!("{DISK} is no block device"), |machine| {
        machine.link("dev/disk/by-id/nvme-A_1", "../../null");
        machine.write("dev/null", "");
    });
    cannot(&format!("{DISK} is not a whole disk"), |machine| {
        machine.partition("nvme0n1", "nvme0n1p1", "259:1", "x");
        machine.link("dev/disk/by-id/nvme-A_1", "../../nvme0n1p1");
    });
    cannot("/dev/disk/by-id/nvme-B_1 is the same disk as /dev/disk/by-id/nvme-A_1", |machine| {
        machine.link("dev/disk/by-id/nvme-B_1", "../../nvme0n1");
    });
    cannot(&format!("{DISK} is read-only"), |machine| machine.write("sys/class/block/nvme0n1/ro", "1\n"));
    cannot(&format!("{DISK} has 1027 MiB, and the layout takes 1028M or more"), |machine| {
        machine.write("sys/class/block/nvme0n1/size", "2103296\n");
    });
    cannot("the disks have 1831430 MiB together, and the layout takes 2T", |machine| {
        let last = machine.arguments.iter().rposition(|argument| argument == "1028M").unwrap();
        machine.arguments[last] = "2T".to_owned();
    });
}

#[test]
fn a_missing_disk_is_shown_beside_those_that_there_are() {
    let machine = Machine::new();
    machine.remove("dev/disk/by-id/nvme-A_1");
    let (_, text) = machine.guard(None);
    assert!(text.contains("there is       /dev/disk/by-id/nvme-eui.01 nvme0n1, 960 GB"), "{text}");
}

#[test]
fn another_size() {
    // 894 GiB are 1,874,853,888 sectors.
    for sectors in [1_874_853_888_u64 / 100 * 102, 1_874_853_888 / 100 * 98] {
        differs(&format!("{DISK} has"), |machine| {
            machine.write("sys/class/block/nvme0n1/size", format!("{sectors}\n"));
        });
    }
    for sectors in [1_874_853_888_u64 / 1000 * 1009, 1_874_853_888 / 1000 * 992] {
        fits("one per cent", |machine| machine.write("sys/class/block/nvme0n1/size", format!("{sectors}\n")));
    }
    fits("no size in the inventory", |machine| {
        machine.write("sys/class/block/nvme1n1/size", "8388608\n");
    });
}

#[test]
fn disks_that_are_in_use() {
    let partition =
        |machine: &Machine| machine.partition("nvme0n1", "nvme0n1p3", "259:3", "disk-node01-main-root");
    cannot(&format!("{DISK} is in use: nvme0n1p3 is mounted at /mnt. Boot the installer anew"), |machine| {
        partition(machine);
        machine.append("proc/self/mountinfo", "60 22 259:3 / /mnt rw - ext4 /dev/nvme0n1p3 rw\n");
    });
    // Btrfs has a number of its own.
    cannot(&format!("{DISK} is in use: nvme0n1p3 is mounted at /mnt/a?040b"), |machine| {
        partition(machine);
        machine.append("proc/self/mountinfo", "60 22 0:44 / /mnt/a\\040b rw - btrfs /dev/nvme0n1p3 rw\n");
    });
    cannot(&format!("{DISK} is in use: dm-1 is used as swap"), |machine| {
        partition(machine);
        machine.mapping("dm-1", "254:1", ("poolnode01-swap", "LVM-x"), &["nvme0n1p3"]);
        machine.link("dev/mapper/poolnode01-swap", "../dm-1");
        machine.append("proc/swaps", "/dev/mapper/poolnode01-swap partition 1 0 -2\n");
    });
    cannot(&format!("{DISK} is open as cryptroot: boot the installer anew"), |machine| {
        partition(machine);
        machine.mapping("dm-0", "254:0", ("cryptroot", "CRYPT-LUKS2-x"), &["nvme0n1p3"]);
    });
    cannot(&format!("{DISK} is a path of the multipath device mpatha"), |machine| {
        machine.mapping("dm-0", "254:0", ("mpatha", "mpath-3600"), &["nvme0n1"]);
    });
    differs(&format!("{DISK} is in use by the mapping odd"), |machine| {
        machine.mapping("dm-0", "254:0", ("odd", "odd"), &["nvme0n1"]);
    });
}

/// After a fresh boot, udev has assembled the arrays and the volume group that the node itself wrote.
#[test]
fn the_nodes_own_layout_passes() {
    for names in
        [["node01-root", "poolnode01-root", "disk-node01-main-root"], ["root", "pool-root", "disk-main-root"]]
    {
        fits(names[0], |machine| {
            machine.partition("nvme0n1", "nvme0n1p3", "259:3", names[2]);
            machine.partition("nvme1n1", "nvme1n1p3", "259:7", &names[2].replace("main", "disk2"));
            machine
                .udev("259:3", &format!("E:ID_FS_TYPE=linux_raid_member\nE:ID_FS_LABEL=any:{}\n", names[0]));
            machine.array("md127", "9:127", names[0], &["nvme0n1p3", "nvme1n1p3"]);
            machine.mapping("dm-0", "254:0", (names[1], "LVM-x"), &["md127"]);
        });
    }
}

#[test]
fn what_another_node_has_installed() {
    differs(
        &format!("{DISK} holds an installation of node02 (partition disk-node02-main-root)"),
        |machine| {
            machine.partition("nvme0n1", "nvme0n1p3", "259:3", "disk-node02-main-root");
        },
    );
    // A name that begins with the node's.
    differs(
        &format!("{DISK} holds an installation of node01-b (partition disk-node01-b-disk2-lvm)"),
        |machine| {
            machine.partition("nvme0n1", "nvme0n1p3", "259:3", "disk-node01-b-disk2-lvm");
        },
    );
    differs(&format!("{DISK} holds an installation of node02 (array node02-boot)"), |machine| {
        machine.udev("259:0", "E:ID_FS_TYPE=linux_raid_member\nE:ID_FS_LABEL=any:node02-boot\n");
    });
    differs(&format!("{DISK} holds an installation of node02 (array node02-root)"), |machine| {
        machine.array("md127", "9:127", "node02-root", &["nvme0n1", "nvme1n1"]);
    });
    differs(&format!("{DISK} holds an installation of node02 (group poolnode02)"), |machine| {
        machine.mapping("dm-0", "254:0", ("poolnode02-root", "LVM-x"), &["nvme0n1"]);
    });
}

/// disko removes arrays and volume groups whole, wherever they are.
#[test]
fn arrays_and_groups_that_are_not_the_nodes() {
    differs(
        &format!("{DISK} is part of the array data (md0), which is active and none of plasmagen's"),
        |machine| {
            machine.array("md0", "9:0", "data", &["nvme0n1"]);
        },
    );
    differs(&format!("{DISK} is part of the array without a name (md0)"), |machine| {
        machine.above("md0", "9:0", &["nvme0n1"]);
        fs::create_dir_all(machine.path("sys/class/block/md0/md")).unwrap();
    });
    differs(&format!("{DISK} is part of the group ubuntu-vg (dm-0)"), |machine| {
        machine.mapping("dm-0", "254:0", ("ubuntu--vg-root", "LVM-x"), &["nvme0n1"]);
    });
    differs("the array node01-root is on sdz as well, which is no disk of node01", |machine| {
        machine.disk("sdz", "8:0", &["wwn-0x5"]);
        machine.array("md127", "9:127", "node01-root", &["nvme0n1", "sdz"]);
    });
    differs("the group poolnode01 is on sdz as well", |machine| {
        machine.disk("sdz", "8:0", &["wwn-0x5"]);
        machine.partition("sdz", "sdz1", "8:1", "data");
        machine.mapping("dm-0", "254:0", ("poolnode01-root", "LVM-x"), &["nvme0n1", "sdz1"]);
    });
}

/// disko may be told other disks than the inventory: by `disko-install --disk`, or by a module of the site.
#[test]
fn disks_that_the_inventory_does_not_have() {
    differs("disko would erase /dev/sdz, which is no disk of node01 in the inventory", |machine| {
        machine.arguments.extend(["--erases", "/dev/sdz"].map(str::to_owned));
    });
}

/// No text of firmware and disks reaches the terminal as it is: `Machine::guard` looks at each character.
#[test]
fn hostile_texts_are_shown_harmlessly() {
    let hostile = "\u{1b}]0;x\u{7}\u{1b}[2Jok \u{202e}$(touch /tmp/x) `id` ${x}";
    let machine = Machine::new();
    machine.write("sys/class/dmi/id/product_serial", hostile);
    machine.write("proc/sys/kernel/arch", hostile);
    machine.write("sys/class/net/eth0/address", hostile);
    machine.write("sys/class/block/nvme1n1/size", "a[$(touch /tmp/x)]");
    machine.partition("nvme0n1", "nvme0n1p1", "259:1", &format!("disk-{hostile}-main-root"));
    machine.mapping("dm-0", "254:0", (hostile, "LVM-x"), &["nvme0n1p1"]);
    machine.append(
        "proc/self/mountinfo",
        &format!("60 22 259:1 / /mnt/{hostile} rw - ext4 /dev/nvme0n1p1 rw\n"),
    );
    machine.link(&format!("dev/disk/by-id/{}", "\u{1b}[2J"), "../../nvme0n1");
    machine.remove("dev/disk/by-id/nvme-B_1");
    assert!(!machine.guard(None).0);
}
