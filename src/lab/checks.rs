//! Compares what a machine was told, what it loaded and what it became with the inventory and with the published files.

use std::collections::BTreeMap;
use std::net::IpAddr;

use anyhow::{Context, Result};

use super::boot_test::{BootStep, BootTest, Scenario};
use super::machine::DEFAULT_SERIAL_NUMBER;
use super::observer::{Observer, TEST_SYSTEM_PREFIX};
use crate::artifact::{ArtifactPath, ArtifactSet};
use crate::fs::Sha256Sum;
use crate::image::{BundleManifest, INITRD, KERNEL, SCRIPT, read_initrd};
use crate::model::Node;

/// The number of facts that were compared, and the differences.
#[derive(Debug, Default)]
pub(super) struct Checks {
    pub(super) count: usize,
    pub(super) faults: Vec<String>,
}

impl Checks {
    /// Compares one fact, called `what` in the fault.
    fn compare(&mut self, what: &str, expected: &str, got: Option<&str>) {
        self.count += 1;
        if got != Some(expected) {
            let got = got.map_or_else(|| "none".to_owned(), |got| format!("`{got}`"));
            self.faults.push(format!("{what}: expected `{expected}`, got {got}"));
        }
    }
}

/// Compares what `observer` has seen of the machine of `test`. `bundles` holds the manifests of the published bundles by
/// image.
///
/// # Errors
/// When a rendered artifact or a manifest is missing or cannot be read: a bug in plasmagen.
pub(super) fn check_machine(
    artifacts: &ArtifactSet,
    bundles: &BTreeMap<String, BundleManifest>,
    test: &BootTest<'_>,
    observer: &Observer<'_>,
) -> Result<Checks> {
    let mut checks = Checks::default();
    let Some(node) = test.node else { return Ok(checks) };
    let reserved = node.reservation().and_then(|reservation| reservation.address).map(IpAddr::V4);
    let leased = observer.address.map(|address| address.to_string());
    if let Some(address) = reserved {
        checks.compare("address", &address.to_string(), leased.as_deref());
    }
    let loader = test.loader();
    if !loader.http {
        checks.compare("boot file", loader.file, observer.tftp_file.as_deref());
    }
    if test.scenario == Scenario::Unarmed {
        return Ok(checks);
    }
    let image = node.image();
    let manifest = bundles.get(&image).with_context(|| format!("there is no bundle for {image}"))?;
    let overlay = find_overlay(artifacts, node)?;
    check_requests(&mut checks, observer, manifest, node, overlay.len() as u64);
    let has_printed =
        test.steps.contains(&BootStep::System) && observer.steps.contains_key(&BootStep::System);
    if test.scenario == Scenario::Armed && has_printed {
        let facts = Facts::parse(&observer.serial);
        let address = reserved.map(|address| address.to_string()).or(leased).unwrap_or_default();
        check_identity(&mut checks, &facts, node, &address);
        check_command_line(&mut checks, &facts, artifacts, manifest, node)?;
        check_overlay(&mut checks, &facts, overlay)?;
        check_served(&mut checks, &facts, manifest);
    }
    Ok(checks)
}

/// Finds the rendered overlay of `node`.
fn find_overlay<'a>(artifacts: &'a ArtifactSet, node: &Node) -> Result<&'a [u8]> {
    let path = ArtifactPath::new(format!("site/www/overlay/{}.cpio.gz", node.mac.hyphens()))?;
    let overlay = artifacts.get(&path).with_context(|| format!("there is no {path}"))?;
    Ok(&overlay.body)
}

/// Checks that the server sent every byte of each file that the machine must load.
fn check_requests(
    checks: &mut Checks,
    observer: &Observer<'_>,
    manifest: &BundleManifest,
    node: &Node,
    overlay_bytes: u64,
) {
    let (id, image) = (manifest.id, node.image());
    let bytes_of = |name: &str| manifest.files.get(name).map_or(0, |file| file.bytes);
    for (path, bytes) in [
        (format!("nixos/{image}/current/{SCRIPT}"), bytes_of(SCRIPT)),
        (format!("nixos/{image}/{id}/{KERNEL}"), bytes_of(KERNEL)),
        (format!("nixos/{image}/{id}/{INITRD}"), bytes_of(INITRD)),
        (format!("overlay/{}.cpio.gz", node.mac.hyphens()), overlay_bytes),
    ] {
        let request = observer.requests.iter().find(|request| request.path == path);
        let got = request.map(|request| format!("{} bytes with status {}", request.bytes, request.status));
        checks.compare(&path, &format!("{bytes} bytes with status 200"), got.as_deref());
    }
}

/// The facts that the test system printed on the serial console, as keys and values.
struct Facts(Vec<(String, String)>);

impl Facts {
    fn parse(serial: &str) -> Self {
        let fact = |line: &str| {
            let (_, printed) = line.split_once(TEST_SYSTEM_PREFIX)?;
            let (key, value) = printed.trim_end().split_once(' ')?;
            Some((key.to_owned(), value.to_owned()))
        };
        Self(serial.lines().filter_map(fact).collect())
    }

    /// The first value of a key.
    fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(found, _)| found == key).map(|(_, value)| &**value)
    }

    /// The digests that were printed for a key, by path.
    fn digests(&self, key: &str) -> BTreeMap<&str, &str> {
        let values = self.0.iter().filter(|(found, _)| found == key).map(|(_, value)| value);
        values.filter_map(|value| value.split_once(' ')).map(|(sum, path)| (path, sum)).collect()
    }
}

/// Checks that the machine came up as `node`, with the address `address`.
fn check_identity(checks: &mut Checks, facts: &Facts, node: &Node, address: &str) {
    let serial = node.serial.as_ref().map_or(DEFAULT_SERIAL_NUMBER, |serial| serial.as_str());
    for (key, expected) in [
        ("hostname", node.name.as_str()),
        ("leased-name", node.name.as_str()),
        ("address", address),
        ("mac", &node.mac.to_string()),
        ("serial", serial),
    ] {
        checks.compare(key, expected, facts.get(key));
    }
}

/// Checks that the kernel command line has every word of the bundle and of the node, in this order. Under UEFI the
/// kernel's name stands before them.
fn check_command_line(
    checks: &mut Checks,
    facts: &Facts,
    artifacts: &ArtifactSet,
    manifest: &BundleManifest,
    node: &Node,
) -> Result<()> {
    let path = ArtifactPath::new(format!("site/www/ipxe/node/{}.ipxe", node.mac.hyphens()))?;
    let script = artifacts.get(&path).with_context(|| format!("there is no {path}"))?;
    let script = String::from_utf8_lossy(&script.body);
    let node_words = script.lines().find_map(|line| line.strip_prefix("set cmdline ")).unwrap_or_default();
    let init = manifest.init.as_ref().map(|init| format!("init={init}"));
    let expected: Vec<&str> = ["initrd=initrd", "initrd=overlay"]
        .into_iter()
        .chain(init.as_deref())
        .chain(manifest.command_line.split_whitespace())
        .chain(node_words.split_whitespace())
        .collect();
    let got = facts.get("cmdline").map(|got| {
        let got: Vec<&str> = got.split_whitespace().collect();
        let has_name = got.first() == Some(&"kernel");
        got[usize::from(has_name)..].join(" ")
    });
    checks.compare("kernel command line", &expected.join(" "), got.as_deref());
    Ok(())
}

/// Checks that every file of the overlay is on the machine.
fn check_overlay(checks: &mut Checks, facts: &Facts, overlay: &[u8]) -> Result<()> {
    let found = facts.digests("file");
    for (path, sum) in hash_files(overlay).context("the overlay cannot be read")? {
        let path = format!("/{path}");
        checks.compare(&format!("overlay: {path}"), &sum.to_string(), found.get(&*path).copied());
    }
    Ok(())
}

/// Checks that the files which the runbook's paths serve have the digests of the manifest.
fn check_served(checks: &mut Checks, facts: &Facts, manifest: &BundleManifest) {
    let found = facts.digests("served");
    for name in [KERNEL, INITRD] {
        let path = format!("nixos/{}/current/{name}", manifest.image());
        let sum = manifest.files.get(name).map(|file| file.sha256.to_string()).unwrap_or_default();
        checks.compare(&format!("SHA-256 of {path}"), &sum, found.get(&*path).copied());
    }
}

/// Computes the digests of the files in an initrd, by path.
fn hash_files(initrd: &[u8]) -> Result<BTreeMap<String, Sha256Sum>> {
    let mut files = BTreeMap::new();
    read_initrd(initrd, &mut |header, content| {
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes)?;
        if header.is_file() {
            let path = String::from_utf8_lossy(&header.path).into_owned();
            files.insert(path, Sha256Sum::of(&bytes));
        }
        Ok(())
    })?;
    Ok(files)
}
