//! A bundle of the user's: the lab waits until SSH answers. NixOS cannot be built here; what stands in for it boots as
//! NixOS does: its first program hands over to the `init=` of the command line, which lies in the store, asks DHCP for the
//! machine's address and starts an SSH server.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::lab::kit::{boot, inventory, unpacked};
use test_kit::run;

const SYSTEM: &str = "nix/store/2q0bcxnapcv7ffhjqyqwn5bl3xjc1b2a-nixos-system-stand-in";

const STAGE_1: &str = r"#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
for word in $(/bin/busybox cat /proc/cmdline); do
  case $word in init=*) exec ${word#init=} ;; esac
done
";

const STAGE_2: &str = r"#!/bin/busybox sh
export PATH=/bin
/bin/busybox --install -s /bin
mount -t devtmpfs dev /dev
mount -t sysfs sys /sys
for module in virtio_ring virtio_pci_modern_dev virtio_pci_legacy_dev virtio virtio_pci failover net_failover virtio_net; do
  insmod /modules/$module.ko
done
ip link set eth0 up
udhcpc -q -n -f -i eth0 -s /bin/bound -t 8 -T 2
";

const BOUND: &str = r"#!/bin/busybox sh
[ $1 = bound ] && ip address add $ip/$mask dev $interface && ip route add default via $router
";

/// A bundle for workers in `dir`, which ends with `last`.
fn bundle(dir: &Path, last: &str) -> PathBuf {
    let root = dir.join("root");
    for path in ["bin", "dev", "etc/dropbear", "lib64", "modules", "proc", "root", "sys", "tmp", SYSTEM] {
        fs::create_dir_all(root.join(path)).unwrap();
    }
    let program = |path: &str, bytes: &[u8]| {
        fs::write(root.join(path), bytes).unwrap();
        fs::set_permissions(root.join(path), fs::Permissions::from_mode(0o755)).unwrap();
    };
    program("bin/busybox", &fs::read(unpacked("PLASMAGEN_LAB_BUSYBOX", "busybox-static")).unwrap());
    program("init", STAGE_1.as_bytes());
    program(&format!("{SYSTEM}/init"), format!("{STAGE_2}{last}\n").as_bytes());
    program("bin/bound", BOUND.as_bytes());
    for (path, file) in files(Path::new(&unpacked("PLASMAGEN_BOOT_DIR", "linux-image-cloud-amd64")), ".ko") {
        fs::copy(path, root.join("modules").join(file)).unwrap();
    }
    // Programs name the loader in the one, and Debian's looks for libraries in the other.
    symlink("lib64", root.join("lib")).unwrap();
    let sshd = PathBuf::from(unpacked("PLASMAGEN_LAB_SSHD", "dropbear-bin"));
    for (path, file) in files(&sshd, ".so") {
        fs::copy(path, root.join("lib64").join(file)).unwrap();
    }
    program("bin/dropbear", &fs::read(sshd.join("usr/sbin/dropbear")).unwrap());
    let out = dir.join("bundle");
    let mut command = Command::new(env!("CARGO_BIN_EXE_plasmagen"));
    command.args(["bundle", "--quiet", "--base", "worker", "--cmdline", "console=ttyS0,115200 panic=-1"]);
    command.args(["--init", &format!("/{SYSTEM}/init")]).arg("--root").arg(&root).arg("--out").arg(&out);
    command.arg("--kernel").arg(unpacked("PLASMAGEN_LAB_KERNEL", "linux-image-cloud-amd64"));
    let made = run("plasmagen", &mut command);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    out
}

/// The files below `dir` that may be wanted of it: network modules, or libraries.
fn files(dir: &Path, kind: &str) -> Vec<(PathBuf, String)> {
    let all = walkdir::WalkDir::new(dir).into_iter().map(|entry| entry.unwrap().into_path());
    let named = all.map(|path| (path.clone(), path.file_name().unwrap().to_string_lossy().into_owned()));
    let wanted = |path: &Path, name: &str| match kind {
        ".ko" => name.ends_with(kind) && (name.starts_with("virtio") || name.contains("failover")),
        _ => name.contains(kind) && path.is_file() && !path.to_string_lossy().contains("/gconv/"),
    };
    named.filter(|(path, name)| wanted(path, name)).collect()
}

#[test]
fn a_bundle_boots_until_ssh_answers() {
    let (dir, path) = inventory(".", "");
    let out = bundle(dir.path(), "exec dropbear -F -E -R -p 22");
    let worker = format!("worker={}", out.display());
    let lab = boot(&path, &["--node", "node04", "--firmware", "bios", "--bundle", &worker]);
    let steps = ["node-script", "armed", "bundle-script", "kernel", "initrd", "overlay", "ssh"];
    let steps: Vec<&str> = ["lease", "loader", "boot-script"].into_iter().chain(steps).collect();
    lab.is_good("node04", "armed", &steps);
    // Address, boot file, and the four files loaded.
    assert_eq!(lab.machine("node04", "armed")["checks"], 6);
    assert_eq!(lab.code, Some(0), "{}", lab.said);
}

#[test]
fn a_bundle_whose_ssh_does_not_answer_fails() {
    let (dir, path) = inventory(".", "");
    let out = bundle(dir.path(), "exec sleep 100000");
    let worker = format!("worker={}", out.display());
    let lab =
        boot(&path, &["--node", "node04", "--firmware", "bios", "--bundle", &worker, "--timeout", "40s"]);
    let row = lab.machine("node04", "armed");
    assert!(row["missing"].as_array().unwrap().contains(&"ssh".into()), "{row:#}");
    assert_eq!(row["faults"], serde_json::json!(["it took longer than 40 s (--timeout)"]), "{row:#}");
    assert_eq!(lab.code, Some(1), "{}", lab.said);
}
