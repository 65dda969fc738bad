//! Inventories to boot, and the program that boots them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use test_kit::repository;

/// A copy of the inventory in `dir`, with `boot` as its `[boot]`: nobody waits for half a minute at each message. The
/// reservations of other clusters lie beside.
pub(crate) fn inventory(dir: &str, boot: &str) -> (TempDir, PathBuf) {
    let source = repository().join(dir);
    let text = fs::read_to_string(source.join("inventory.toml")).unwrap();
    let text = text.replace("\n[provisioner]", &format!("\n[boot]\npause = \"1s\"\n{boot}\n[provisioner]"));
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("inventory.toml");
    fs::write(&path, text).unwrap();
    if source.join("elm.json").exists() {
        fs::copy(source.join("elm.json"), dir.path().join("elm.json")).unwrap();
    }
    (dir, path)
}

/// `plasmagen lab` on `inventory`, with the kernel and busybox that `tests/run` has unpacked.
pub(crate) fn lab(inventory: &Path, arguments: &[&str]) -> Command {
    // The lab ends with the thread that has started it: also where this program is killed.
    let mut command = Command::new("/usr/bin/setpriv");
    command.args(["--pdeathsig", "TERM", "/usr/bin/env"]);
    // Who runs in the background of a script is born deaf to interrupts.
    command
        .args(["--default-signal=INT", env!("CARGO_BIN_EXE_plasmagen"), "lab"])
        .arg(inventory)
        .args(arguments);
    command.args(["--kernel", &unpacked("PLASMAGEN_LAB_KERNEL", "linux-image-cloud-amd64")]);
    command.args(["--busybox", &unpacked("PLASMAGEN_LAB_BUSYBOX", "busybox-static")]);
    command
}

/// What `tests/run` has unpacked of a Debian package.
pub(crate) fn unpacked(variable: &str, package: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| {
        panic!("{variable} does not name what tests/run unpacks of the Debian package {package}")
    })
}

/// What came of it.
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) report: Value,
    pub(crate) said: String,
}

/// Boots `inventory`.
pub(crate) fn boot(inventory: &Path, arguments: &[&str]) -> Outcome {
    let Output { status, stdout, stderr } =
        lab(inventory, arguments).args(["--format", "json"]).output().unwrap();
    let said = String::from_utf8(stderr).unwrap();
    let report = serde_json::from_slice(&stdout).unwrap_or_else(|error| panic!("{error}\n{said}"));
    Outcome { code: status.code(), report, said }
}

impl Outcome {
    /// The machine `node` that was tried as `kind`.
    pub(crate) fn machine(&self, node: &str, kind: &str) -> &Value {
        let all = self.report["machines"].as_array().unwrap();
        let machine = all.iter().find(|row| row["node"] == node && row["kind"] == kind);
        machine.unwrap_or_else(|| panic!("no {kind} {node} in {:#}\n{}", self.report, self.said))
    }

    /// Makes sure that `node` was fine as `kind`, and made these steps, no other, none before the one before it.
    pub(crate) fn is_good(&self, node: &str, kind: &str, steps: &[&str]) {
        let row = self.machine(node, kind);
        assert_eq!(
            (&row["faults"], &row["missing"]),
            (&Value::from([""; 0]), &Value::from([""; 0])),
            "{row:#}"
        );
        let made: Vec<_> =
            row["steps"].as_array().unwrap().iter().map(|step| step[0].as_str().unwrap()).collect();
        assert_eq!(made, steps, "{row:#}");
        let times = row["steps"].as_array().unwrap().iter().map(|step| step[1].as_f64().unwrap());
        assert!(times.is_sorted(), "{row:#}");
    }
}

/// The steps of a machine that boots what is published.
pub(crate) const BOOTS: [&str; 10] = [
    "lease",
    "loader",
    "boot-script",
    "node-script",
    "armed",
    "bundle-script",
    "kernel",
    "initrd",
    "overlay",
    "system",
];
