//! A machine in a directory: what the kernel shows of it, and the overlay that was laid over its initrd.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// The overlay of the reference's node01.
pub(crate) const NODE01: &str = "site/www/overlay/52-54-00-12-34-56.cpio.gz";

pub(crate) struct Machine {
    dir: TempDir,
}

impl Machine {
    /// One that nobody knows, without cards and disks.
    pub(crate) fn new() -> Self {
        let this = Self { dir: tempfile::tempdir().unwrap() };
        for dir in ["etc", "proc/sys/kernel", "run", "sys/class/net", "dev/disk/by-id"] {
            fs::create_dir_all(this.path(dir)).unwrap();
        }
        this.write("proc/cmdline", "init=/nix/store/x/init console=ttyS0 initrd=initrd initrd=overlay\n");
        this
    }

    /// One into whose initrd the kernel has unpacked `overlay`, and that has come to stage 2.
    pub(crate) fn with(overlay: &str) -> Self {
        let this = Self::new();
        this.unpack(overlay);
        this.carry("sh");
        this
    }

    pub(crate) fn unpack(&self, overlay: &str) {
        let overlay = Path::new(env!("CARGO_MANIFEST_DIR")).join(overlay);
        let script = "gzip --decompress --stdout \"$1\" | cpio --extract --quiet";
        let arguments = ["-c", script, "sh", overlay.to_str().unwrap()];
        let done = Command::new("sh").args(arguments).current_dir(self.dir.path()).output().unwrap();
        assert!(done.status.success(), "cpio (Debian package cpio): {done:?}");
    }

    /// Runs stage 1 in the shell `shell`, successfully; then the root of stage 1 is gone.
    pub(crate) fn carry(&self, shell: &str) {
        let done = self.try_carry(shell);
        assert!(done.status.success() && done.stderr.is_empty(), "{done:?}");
        for dir in ["etc", "root"] {
            let _ = fs::remove_dir_all(self.path(dir));
        }
    }

    /// Runs stage 1 in the shell `shell`, and leaves the root of stage 1.
    pub(crate) fn try_carry(&self, shell: &str) -> Output {
        let mut words = shell.split(' ');
        let mut command = Command::new(words.next().unwrap());
        command.args(words).arg(script("carry")).arg(self.dir.path()).output().unwrap()
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    pub(crate) fn overlay(&self, path: &str) -> PathBuf {
        self.path("run/plasmagen/overlay").join(path)
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_default()
    }

    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Replaces the file at `path` of the overlay.
    pub(crate) fn lay(&self, path: &str, text: impl AsRef<[u8]>) {
        self.write(&format!("run/plasmagen/overlay/{path}"), text);
    }

    /// Changes `key` of the overlay's node.json.
    pub(crate) fn says(&self, key: &str, value: Value) {
        let path = self.overlay("etc/plasmagen/node.json");
        let mut node: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        node[key] = value;
        self.lay("etc/plasmagen/node.json", node.to_string());
    }

    /// A network card.
    pub(crate) fn card(&self, name: &str, mac: &str, linked: bool) {
        let dir = format!("sys/class/net/{name}");
        self.write(&format!("{dir}/address"), format!("{mac}\n"));
        self.write(&format!("{dir}/carrier"), if linked { "1\n" } else { "0\n" });
        fs::create_dir_all(self.path(&format!("{dir}/device"))).unwrap();
        symlink("../../../../bus/pci/drivers/bnxt_en", self.path(&format!("{dir}/device/driver"))).unwrap();
    }

    /// The disk or card `path` of sysfs behind the devices `chain`, each with the kernel module that drives the device.
    pub(crate) fn behind(&self, path: &str, chain: &[(&str, &str)]) {
        let mut device = self.path("sys/devices");
        for (name, module) in chain {
            device.push(name);
            fs::create_dir_all(device.join("driver")).unwrap();
            symlink(format!("../../../../module/{module}"), device.join("driver/module")).unwrap();
        }
        let link = self.path(path).join("device");
        if link.is_dir() {
            fs::remove_dir_all(&link).unwrap();
        }
        symlink(device, link).unwrap();
    }

    /// A disk with `names` in /dev/disk/by-id.
    pub(crate) fn disk(&self, device: &str, gigabytes: u64, names: &[&str]) {
        self.write(
            &format!("sys/class/block/{device}/size"),
            format!("{}\n", gigabytes * 1_000_000_000 / 512),
        );
        for name in names {
            symlink(format!("../../{device}"), self.path("dev/disk/by-id").join(name)).unwrap();
        }
    }

    /// Runs the script `name` as its unit does: whether it succeeded, and what it printed.
    pub(crate) fn run(&self, name: &str) -> (bool, String) {
        let overlay = self.overlay("");
        let done = Command::new("bash").arg(script(name)).arg(overlay).arg(self.dir.path()).output().unwrap();
        let Output { status, stdout, stderr } = done;
        assert!(stderr.is_empty(), "{}", String::from_utf8_lossy(&stderr));
        (status.success(), String::from_utf8(stdout).unwrap())
    }
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles/netboot").join(name).with_extension("sh")
}
