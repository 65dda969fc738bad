//! A machine in a directory: what the kernel and udev show of node01.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;
use test_kit::process::{lossy, run};
use test_kit::repository;

pub(crate) const SERIAL: &str = "CN7475139H0023";
pub(crate) const MAC: &str = "52:54:00:12:34:56";
pub(crate) const OTHER_MAC: &str = "52:54:00:12:34:57";
pub(crate) const DISK: &str = "/dev/disk/by-id/nvme-A_1";
pub(crate) const MIRROR: &str = "/dev/disk/by-id/nvme-B_1";

/// The number of 512-byte sectors of a disk of 960 GB.
const SECTORS: u64 = 1_875_385_008;

pub(crate) struct Machine {
    dir: TempDir,
    /// The arguments of the guard behind the root; a test changes them.
    pub(crate) arguments: Vec<String>,
}

impl Machine {
    /// The machine that the arguments mean: two cards, and two disks that hold nothing.
    pub(crate) fn new() -> Self {
        let mut this = Self { dir: tempfile::tempdir().unwrap(), arguments: Vec::new() };
        this.write("proc/self/mountinfo", "22 1 0:20 / / rw shared:1 - tmpfs tmpfs rw\n");
        this.write("proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n");
        this.write("proc/sys/kernel/arch", "x86_64\n");
        this.write("sys/class/dmi/id/product_serial", format!("{SERIAL}\n"));
        fs::create_dir_all(this.path("sys/firmware/efi")).unwrap();
        this.card("eth0", MAC, "0");
        this.card("eth1", OTHER_MAC, "0");
        // The network card of a BMC has one address on all machines.
        this.card("usb0", "be:3a:f2:b6:05:9f", "0");
        this.write("sys/class/net/lo/address", "00:00:00:00:00:00\n");
        this.disk("nvme0n1", "259:0", &["nvme-A_1", "nvme-eui.01"]);
        this.disk("nvme1n1", "259:4", &["nvme-B_1"]);
        let pairs = [
            ("node", "node01"),
            ("label", "node01"),
            ("group", "poolnode01"),
            ("serial", SERIAL),
            ("mac", MAC),
            ("interface", "eth1=52:54:00:12:34:57"),
            ("firmware", "uefi"),
            ("machine", "x86_64"),
            ("each", "1028M"),
            ("all", "1028M"),
            ("disk", DISK),
            ("size", "894G"),
            ("disk", MIRROR),
            ("erases", DISK),
            ("erases", MIRROR),
        ];
        this.arguments =
            pairs.iter().flat_map(|(key, value)| [format!("--{key}"), (*value).to_owned()]).collect();
        this
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn append(&self, path: &str, text: &str) {
        let old = fs::read_to_string(self.path(path)).unwrap_or_default();
        self.write(path, old + text);
    }

    pub(crate) fn remove(&self, path: &str) {
        fs::remove_file(self.path(path)).unwrap();
    }

    /// The argument `old` becomes `new`.
    pub(crate) fn says(&mut self, old: &str, new: &str) {
        let argument = self.arguments.iter_mut().find(|argument| *argument == old).unwrap();
        new.clone_into(argument);
    }

    /// A card; `kind` is 0 for the address that the card has by itself.
    pub(crate) fn card(&self, name: &str, mac: &str, kind: &str) {
        let dir = format!("sys/class/net/{name}");
        self.write(&format!("{dir}/address"), format!("{mac}\n"));
        self.write(&format!("{dir}/addr_assign_type"), format!("{kind}\n"));
        fs::create_dir_all(self.path(&format!("{dir}/device"))).unwrap();
    }

    fn device(&self, dir: &str, number: &str) {
        self.write(&format!("{dir}/dev"), format!("{number}\n"));
        self.write(&format!("{dir}/ro"), "0\n");
        self.write(&format!("{dir}/size"), format!("{SECTORS}\n"));
        for list in ["holders", "slaves"] {
            fs::create_dir_all(self.path(&format!("{dir}/{list}"))).unwrap();
        }
        let name = dir.rsplit('/').next().unwrap();
        self.write(&format!("dev/{name}"), "");
    }

    pub(crate) fn disk(&self, name: &str, number: &str, links: &[&str]) {
        let dir = format!("sys/class/block/{name}");
        self.device(&dir, number);
        fs::create_dir_all(self.path(&format!("{dir}/device"))).unwrap();
        for link in links {
            self.link(&format!("dev/disk/by-id/{link}"), &format!("../../{name}"));
        }
    }

    pub(crate) fn link(&self, path: &str, to: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let _ = fs::remove_file(&path);
        symlink(to, path).unwrap();
    }

    /// The partition `name` of `disk` with the label `label`.
    pub(crate) fn partition(&self, disk: &str, name: &str, number: &str, label: &str) {
        let dir = format!("sys/class/block/{disk}/{name}");
        self.device(&dir, number);
        self.write(&format!("{dir}/partition"), "1\n");
        self.write(&format!("{dir}/uevent"), format!("DEVTYPE=partition\nPARTNAME={label}\n"));
        self.link(&format!("sys/class/block/{name}"), &format!("{disk}/{name}"));
    }

    /// Lines of udev's database on the device with that number.
    pub(crate) fn udev(&self, number: &str, lines: &str) {
        self.append(&format!("run/udev/data/b{number}"), lines);
    }

    /// The device `name` above `members`: an array or a mapping.
    pub(crate) fn above(&self, name: &str, number: &str, members: &[&str]) {
        self.device(&format!("sys/class/block/{name}"), number);
        for member in members {
            self.link(&format!("sys/class/block/{name}/slaves/{member}"), &format!("../../{member}"));
            self.link(&format!("sys/class/block/{member}/holders/{name}"), "../..");
        }
    }

    /// The array `title` over `members`, assembled by udev.
    pub(crate) fn array(&self, name: &str, number: &str, title: &str, members: &[&str]) {
        self.above(name, number, members);
        fs::create_dir_all(self.path(&format!("sys/class/block/{name}/md"))).unwrap();
        self.udev(number, &format!("E:MD_NAME=any:{title}\nE:MD_DEVNAME={title}\n"));
    }

    /// The mapping `title` with that UUID over `members`.
    pub(crate) fn mapping(&self, name: &str, number: &str, (title, uuid): (&str, &str), members: &[&str]) {
        self.above(name, number, members);
        self.write(&format!("sys/class/block/{name}/dm/name"), format!("{title}\n"));
        self.write(&format!("sys/class/block/{name}/dm/uuid"), format!("{uuid}\n"));
    }

    /// The files of the machine, with their texts.
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let entries =
            walkdir::WalkDir::new(self.dir.path()).into_iter().map(|entry| entry.unwrap().into_path());
        entries.map(|path| (path.clone(), fs::read(&path).unwrap_or_default())).collect()
    }

    /// Runs the guard with `erase` as `PLASMAGEN_ERASE`: whether disko may go on, and the text.
    pub(crate) fn guard(&self, erase: Option<&str>) -> (bool, String) {
        let before = self.files();
        let mut command = Command::new("bash");
        command.arg(repository().join("profiles/wipe-guard/program/guard.sh"));
        command.arg(self.dir.path()).args(&self.arguments).env_remove("PLASMAGEN_ERASE");
        command.envs(erase.map(|name| ("PLASMAGEN_ERASE", name)));
        let output = run("bash", &mut command);
        assert_eq!(before, self.files(), "the guard wrote");
        let text = lossy(&output.stderr);
        assert!(output.stdout.is_empty() && matches!(output.status.code(), Some(0 | 1)), "{output:?}");
        assert!(text.chars().all(|c| c == '\n' || c == ' ' || c.is_ascii_graphic()), "{text:?}");
        (output.status.success(), text)
    }
}
