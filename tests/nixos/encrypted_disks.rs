//! Encrypted disks: which NixOS opens at boot, by the rendered layouts; the enrolment of a TPM, with systemd's programs on
//! Debian's kernel and TPMs of swtpm, in QEMU.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use serde_json::{Value, json};

use test_kit::process::run;
use test_kit::{nix, repository};

use crate::profiles::kit::config;

const ENROL: &str = "plasmagen-enrol-tpm";

/// The `nodes` of a golden case, evaluated.
fn golden(case: &str, nodes: &[&str]) -> Value {
    let site = tempfile::tempdir().unwrap();
    let copies = site.path().join("nodes");
    fs::create_dir(&copies).unwrap();
    for node in nodes {
        let node = repository().join("tests/golden").join(case).join("expected/nodes").join(node);
        let copied = run("coreutils", Command::new("cp").arg("-r").arg(node).arg(&copies));
        assert!(copied.status.success());
    }
    // The `hardware_file` of a node.
    fs::create_dir(site.path().join("hardware")).unwrap();
    fs::write(site.path().join("hardware/node02.nix"), "{ nixpkgs.hostPlatform = \"x86_64-linux\"; }")
        .unwrap();
    nix::evaluate(&copies)
}

/// What NixOS opens at boot on `node`: name, device and options of crypttab.
fn opened(node: &Value) -> Value {
    let devices = node["boot"]["initrd"]["luks"]["devices"].as_object().unwrap();
    devices.iter().map(|(name, disk)| json!([name, disk["device"], disk["crypttabExtraOpts"]])).collect()
}

/// The arguments of the enrolment behind its programs.
fn enrolled(node: &Value) -> Option<Vec<String>> {
    let unit = node["systemd"]["services"].get(ENROL)?;
    assert_eq!(unit["unitConfig"]["ConditionPathExists"], "/etc/nixos/secrets/luks-passphrase");
    let command = unit["serviceConfig"]["ExecStart"].as_str().unwrap();
    Some(command.split(' ').skip(4).map(str::to_owned).collect())
}

#[test]
fn every_encrypted_layout_is_opened_in_stage_1_and_by_the_tpm_where_the_inventory_says_so() {
    let by_tpm = json!(["tpm2-device=auto"]);
    let single = golden("single-segment", &["node02.small.example.com", "node03.small.example.com"]);
    let raid = golden("bonds-and-vlans", &["r1n1.racks.example.com"]);
    let lvm = golden("cards", &["bonded.cards.example.com"]);
    let root = "/dev/disk/by-partlabel/disk-node02-main-root";
    for (node, disks, devices) in [
        (&single["node02.small.example.com"], json!([["cryptroot", root, by_tpm]]), Some(vec![root])),
        (
            &raid["r1n1.racks.example.com"],
            json!([["cryptroot", "/dev/md/r1n1-root", by_tpm]]),
            Some(vec!["/dev/md/r1n1-root"]),
        ),
        (
            &lvm["bonded.cards.example.com"],
            json!([["crypt1", "/dev/disk/by-partlabel/disk-bonded-main-lvm", []]]),
            None,
        ),
        (&single["node03.small.example.com"], json!([]), None),
    ] {
        let name = &node["networking"]["hostName"];
        assert_eq!(opened(node), disks, "{name}");
        assert_eq!(node["boot"]["initrd"]["systemd"]["enable"], disks != json!([]), "{name}");
        let staged = "/etc/nixos/secrets/luks-passphrase";
        let arguments = devices.map(|devices| [&[staged][..], &devices].concat());
        assert_eq!(
            enrolled(node),
            arguments.map(|all| all.into_iter().map(str::to_owned).collect()),
            "{name}"
        );
    }
}

/// A disk that the site itself encrypts is none of the profile's.
#[test]
fn only_disks_of_the_tpm_are_enrolled() {
    let disk = |name: &str, options: &str| {
        format!("boot.initrd.luks.devices.{name} = {{ device = \"/dev/{name}\"; {options} }};")
    };
    let tpm = "crypttabExtraOpts = [ \"discard\" \"tpm2-device=auto\" ];";
    let machine = config(&format!("{{ {} {} {} }}", disk("a", tpm), disk("b", ""), disk("c", tpm)));
    assert_eq!(enrolled(&machine).unwrap()[1..], ["/dev/a", "/dev/c"]);
    let mode = &machine["systemd"]["tmpfiles"]["settings"]["plasmagen-encrypted-disks"];
    assert_eq!(mode["/etc/nixos/secrets/luks-passphrase"]["z"]["mode"], "0400");
    assert_eq!(enrolled(&config(&format!("{{ {} }}", disk("b", "")))), None);
}

/// How often to power on a machine whose emulated timer does not work.
const ATTEMPTS: usize = 5;

/// The directory that the variable `name` names.
fn unpacked(name: &str) -> PathBuf {
    PathBuf::from(std::env::var_os(name).unwrap_or_else(|| panic!("{name} is not set: tests/run sets it")))
}

/// Starts a TPM with its state in `dir`, which ends with the machine; returns QEMU's options for it.
fn start_tpm(dir: &Path) -> [String; 6] {
    fs::create_dir_all(dir).unwrap();
    let (state, socket) = (format!("dir={}", dir.display()), dir.join("socket"));
    let control = format!("type=unixio,path={}", socket.display());
    let mut swtpm = Command::new("swtpm");
    swtpm.args(["socket", "--tpm2", "--daemon", "--terminate", "--tpmstate", &state, "--ctrl", &control]);
    let started = run("swtpm", &mut swtpm);
    assert!(started.status.success(), "{}", String::from_utf8_lossy(&started.stderr));
    let device = format!("socket,id=tpm,path={}", socket.display());
    ["-chardev", &device, "-tpmdev", "emulator,id=tpm0,chardev=tpm", "-device", "tpm-tis,tpmdev=tpm0"]
        .map(str::to_owned)
}

/// Boots the machine in `dir` with `disk`, and with the TPM whose state is in `tpm`: tries the cases of `boot`, of which
/// there must be so many.
fn boot(dir: &Path, boot: &str, disk: &Path, tpm: Option<&str>, cases: usize) {
    for _ in 0..ATTEMPTS {
        let mut command = Command::new("timeout");
        // Firmware stops under some virtual KVM devices: always emulated.
        command.args([
            "900",
            "qemu-system-x86_64",
            "-accel",
            "tcg",
            "-m",
            "256",
            "-nodefaults",
            "-no-reboot",
        ]);
        command
            .args(["-display", "none", "-serial", "stdio", "-kernel"])
            .arg(unpacked("PLASMAGEN_LAB_KERNEL"));
        command.arg("-initrd").arg(dir.join("initrd"));
        command.args(["-append", &format!("console=ttyS0 quiet no_timer_check boot={boot}")]);
        let drive = format!("if=none,id=disk,format=raw,cache=unsafe,file={}", disk.display());
        command.args(["-drive", &drive, "-device", "virtio-blk-pci,drive=disk"]);
        command.args(tpm.map(|tpm| start_tpm(&dir.join(tpm))).into_iter().flatten());
        let output = run("coreutils", &mut command);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_ne!(output.status.code(), Some(127), "{error} (Debian package qemu-system-x86)");
        let said = String::from_utf8_lossy(&output.stdout).replace('\r', "");
        if said.contains("IO-APIC + timer doesn't work") {
            continue;
        }
        let passed = said.lines().filter(|line| line.starts_with("ok ")).count();
        assert!(!said.contains("FAILED ") && said.lines().any(|line| line == "end"), "{boot}: {said}{error}");
        assert_eq!(passed, cases, "{boot}: {said}");
        return;
    }
    panic!("QEMU's timer did not work {ATTEMPTS} times in a row");
}

/// `tests/disks/tpm/cases` says what is tried at each boot.
#[test]
fn a_tpm_that_the_first_boot_enrols_opens_the_disk_and_no_other_does() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let mut make = Command::new(repository().join("tests/disks/tpm/root"));
    make.args([unpacked("PLASMAGEN_BOOT_DIR"), unpacked("PLASMAGEN_TSS"), dir.join("initrd")]);
    let made = run("bash", &mut make);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let [disk, copy] = ["disk", "copy"].map(|name| dir.join(name));
    fs::File::create(&disk).unwrap().set_len(64 << 20).unwrap();
    boot(dir, "first", &disk, Some("one"), 5);
    fs::copy(&disk, &copy).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| boot(dir, "none", &copy, None, 4));
        boot(dir, "same", &disk, Some("one"), 4);
        boot(dir, "other", &disk, Some("two"), 13);
    });
}
