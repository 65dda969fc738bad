//! The guard on real disks, in QEMU: no byte of a disk changes where it refuses. `tests/disks/guard/init` says what is tried.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use plasmagen::fs::Sha256Sum;
use test_kit::process::{feed, lossy, run};
use test_kit::repository;

/// How often to power on a machine whose emulated timer does not work.
const ATTEMPTS: usize = 5;

/// The disks with their sizes in MiB, and whether QEMU lets the machine write.
const DISKS: [(&str, u64, bool); 4] =
    [("right", 64, true), ("large", 128, true), ("fixed", 64, false), ("foreign", 64, true)];

/// The path that the variable `name` names.
fn unpacked(name: &str) -> PathBuf {
    PathBuf::from(std::env::var_os(name).unwrap_or_else(|| panic!("{name} is not set: tests/run sets it")))
}

/// Makes the disks of a machine in `dir`, each with a partition.
fn make_disks(dir: &Path) {
    for (name, mib, _) in DISKS {
        let disk = dir.join(name);
        fs::File::create(&disk).unwrap().set_len(mib << 20).unwrap();
        let node = if name == "foreign" { "node02" } else { "node01" };
        let table = format!("label: gpt\nsize=32MiB, name=\"disk-{node}-main-root\"\n");
        let made = feed("fdisk", Command::new("sfdisk").arg("--quiet").arg(&disk), table.as_bytes());
        assert!(made.status.success(), "{made:?}");
    }
}

/// The digest of each disk.
fn digests(dir: &Path) -> Vec<(&'static str, Sha256Sum)> {
    let digest = |name: &str| Sha256Sum::of(&fs::read(dir.join(name)).unwrap());
    DISKS.iter().map(|(name, ..)| (*name, digest(name))).collect()
}

/// Boots a machine with the disks in `dir`, which differs from node01 in `differs`; `cases` are tried.
fn boot(initrd: &Path, dir: &Path, differs: &str, serial: &str, mac: &str, cases: usize) {
    for _ in 0..ATTEMPTS {
        let mut command = Command::new("timeout");
        // Firmware stops under some virtual KVM devices: always emulated.
        command.args([
            "600",
            "qemu-system-x86_64",
            "-accel",
            "tcg",
            "-m",
            "192",
            "-nodefaults",
            "-no-reboot",
        ]);
        command.args(["-display", "none", "-serial", "stdio"]);
        command.arg("-kernel").arg(unpacked("PLASMAGEN_LAB_KERNEL")).arg("-initrd").arg(initrd);
        command.args(["-append", &format!("console=ttyS0 quiet no_timer_check differs={differs}")]);
        command.args(["-smbios", &format!("type=1,serial={serial}")]);
        command.args(["-device", &format!("virtio-net-pci,romfile=,mac={mac}")]);
        for (name, _, is_writable) in DISKS {
            let read_only = if is_writable { "off" } else { "on" };
            let file = dir.join(name).display().to_string();
            command.args([
                "-drive",
                &format!("if=none,id={name},format=raw,cache=unsafe,read-only={read_only},file={file}"),
            ]);
            command.args(["-device", &format!("virtio-blk-pci,drive={name},serial={name}")]);
        }
        let output = run("coreutils", &mut command);
        assert_ne!(output.status.code(), Some(127), "Debian package qemu-system-x86");
        let said = lossy(&output.stdout).replace('\r', "");
        if said.contains("IO-APIC + timer doesn't work") {
            continue;
        }
        let passed = said.lines().filter(|line| line.starts_with("ok ")).count();
        let ended = said.lines().any(|line| line == "end");
        assert!(
            !said.contains("FAILED ") && ended && passed == cases,
            "{differs}: {said}{}",
            lossy(&output.stderr)
        );
        return;
    }
    panic!("QEMU's timer did not work {ATTEMPTS} times in a row");
}

#[test]
fn no_byte_of_a_disk_changes_where_the_guard_refuses() {
    let dir = tempfile::tempdir().unwrap();
    let initrd = dir.path().join("initrd");
    let mut make = Command::new(repository().join("tests/disks/guard/root"));
    let made = run("bash", make.arg(unpacked("PLASMAGEN_BOOT_DIR")).arg(&initrd));
    assert!(made.status.success(), "{}", lossy(&made.stderr));
    let machine = |differs: &str, serial: &str, mac: &str, cases: usize| {
        let disks = dir.path().join(differs);
        fs::create_dir(&disks).unwrap();
        make_disks(&disks);
        let before = digests(&disks);
        boot(&initrd, &disks, differs, serial, mac, cases);
        let pairs = before.into_iter().zip(digests(&disks));
        pairs.filter(|(old, new)| old != new).map(|((name, _), _)| name).collect::<Vec<_>>()
    };
    let (serial, mac) = ("CN7475139H0023", "52:54:00:12:34:56");
    thread::scope(|scope| {
        let wrong = scope.spawn(|| {
            assert_eq!(machine("serial", "CN7475139H0024", mac, 1), [""; 0]);
            assert_eq!(machine("mac", serial, "52:54:00:12:34:99", 1), [""; 0]);
        });
        // The disk that is meant, and the one for which the override is given.
        assert_eq!(machine("nothing", serial, mac, 7), ["right", "foreign"]);
        wrong.join().unwrap();
    });
}
