//! Linux itself: what of an overlay is left after `switch_root`, with Debian's kernel in QEMU and the overlay as a second
//! initrd, as iPXE gives it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::netboot::machine::NODE01;

/// A stage 1 in the way of NixOS' scripted one, which has `carry.sh` inline.
const STAGE_1: &str = r#"#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mkdir -p /run /new
mount -t tmpfs -o mode=0755 tmpfs /run
mount -t tmpfs -o mode=0755 tmpfs /new
(
set --
CARRY
)
mkdir /new/bin /new/run
cp /bin/busybox /new/bin/
cp /stage-2 /new/
mount -o move /run /new/run
exec switch_root /new /stage-2
"#;

/// Says what it finds, and turns the machine off.
const STAGE_2: &str = r#"#!/bin/busybox sh
b=/bin/busybox
echo BEGIN
for path in /etc /root; do
  if $b test -e $path; then echo "$path is there"; fi
done
cd /run/plasmagen
$b find . | $b sort | while read path; do $b stat -c '%a %F %n' "$path"; done
echo "host $($b cat overlay/etc/hostname)"
$b cat overlay/root/.ssh/authorized_keys
echo END
$b poweroff -f
"#;

/// How often a machine is started that stops as QEMU's do now and then, long before an initrd counts.
const ATTEMPTS: usize = 4;

/// Where Debian's kernel and its static busybox lie, unpacked.
pub(crate) fn debian() -> PathBuf {
    let dir = std::env::var_os("PLASMAGEN_BOOT_DIR")
        .map_or_else(|| Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("boot"), PathBuf::from);
    assert!(dir.join("bin/busybox").exists(), "{} has no busybox: tests/run unpacks one", dir.display());
    dir
}

fn kernel() -> PathBuf {
    let dir = fs::read_dir(debian().join("boot")).unwrap();
    let mut images = dir.map(|entry| entry.unwrap().path());
    images.find(|path| path.to_string_lossy().contains("/vmlinuz-")).unwrap()
}

/// What a machine prints that boots the bundle's kernel and `initrd`.
fn boot(bundle: &Path, initrd: &Path) -> String {
    for _ in 0..ATTEMPTS {
        // Firmware stops under some virtual KVM devices: always emulated.
        let machine =
            ["300", "qemu-system-x86_64", "-accel", "tcg", "-m", "384", "-nodefaults", "-no-reboot"];
        let words = ["-display", "none", "-serial", "stdio", "-append", "console=ttyS0 loglevel=3 panic=-1"];
        let output = Command::new("timeout")
            .args(machine)
            .args(words)
            .args(["-kernel".as_ref(), bundle.join("bzImage").as_path(), "-initrd".as_ref(), initrd])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).replace('\r', "");
        assert_ne!(output.status.code(), Some(127), "{output:?} (Debian package qemu-system-x86)");
        if !said.contains("IO-APIC + timer doesn't work") {
            return said;
        }
    }
    panic!("QEMU's timer did not work {ATTEMPTS} times in a row");
}

#[test]
fn an_overlay_outlasts_switch_root() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let carry = fs::read_to_string("profiles/netboot/carry.sh").unwrap();
    fs::create_dir_all(path("root/bin")).unwrap();
    fs::copy(debian().join("bin/busybox"), path("root/bin/busybox")).unwrap();
    for (name, text) in [("init", STAGE_1.replace("CARRY", &carry)), ("stage-2", STAGE_2.to_owned())] {
        let file = path("root").join(name);
        fs::write(&file, text).unwrap();
        fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let bundle = Command::new(env!("CARGO_BIN_EXE_plasmagen"))
        .args(["--quiet", "bundle", "--base", "worker", "--compress", "gzip"])
        .args(["--kernel".as_ref(), kernel().as_path(), "--root".as_ref(), path("root").as_path()])
        .args(["--out".as_ref(), path("bundle").as_path()])
        .output()
        .unwrap();
    assert!(bundle.status.success(), "{bundle:?}");
    let mut initrd = fs::read(path("bundle/initrd")).unwrap();
    initrd.resize(initrd.len().next_multiple_of(4), 0);
    initrd.extend(fs::read(NODE01).unwrap());
    fs::write(path("initrd"), initrd).unwrap();

    let said = boot(&path("bundle"), &path("initrd"));
    let (_, report) = said.split_once("BEGIN\n").unwrap_or_else(|| panic!("it did not boot: {said}"));
    let (report, _) = report.split_once("END\n").unwrap_or_else(|| panic!("it stopped: {said}"));
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIL845TiWoOe2XrCMNfJUqPLN1eh7VXS0D1UnHilzay57 provisioning@example.com";
    let expected = format!(
        "700 directory .\n\
         700 directory ./overlay\n\
         700 directory ./overlay/etc\n\
         600 regular file ./overlay/etc/hostname\n\
         700 directory ./overlay/etc/plasmagen\n\
         600 regular file ./overlay/etc/plasmagen/node.json\n\
         700 directory ./overlay/root\n\
         700 directory ./overlay/root/.ssh\n\
         600 regular file ./overlay/root/.ssh/authorized_keys\n\
         host node01\n{key}\n"
    );
    assert_eq!(report, expected);
}
