//! What a machine must have been told, loaded and become: compared with the inventory and with what is published.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::net::IpAddr;

use anyhow::{Context, Result};

use super::follow::{SAYS, Watch};
use super::machine::NO_SERIAL;
use super::trial::{Kind, Step, Trial};
use crate::artifact::{ArtifactPath, ArtifactSet};
use crate::fs::Sha256Sum;
use crate::image::{BundleManifest, INITRD, KERNEL, SCRIPT};
use crate::model::{Cluster, Node};

/// What was compared, and what was not as it should be.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    pub(super) checks: usize,
    pub(super) faults: Vec<String>,
}

impl Verdict {
    fn same(&mut self, what: &str, expected: &str, got: Option<&str>) {
        self.checks += 1;
        if got != Some(expected) {
            let got = got.map_or_else(|| "none".to_owned(), |got| format!("`{got}`"));
            self.faults.push(format!("{what}: expected `{expected}`, got {got}"));
        }
    }
}

/// Compares what `watch` has seen of `trial`.
///
/// # Errors
/// When what was rendered cannot be read: a bug of ours.
pub(super) fn judge(
    cluster: &Cluster,
    artifacts: &ArtifactSet,
    bundles: &BTreeMap<String, BundleManifest>,
    trial: &Trial<'_>,
    watch: &Watch<'_>,
) -> Result<Verdict> {
    let mut verdict = Verdict::default();
    let Some(node) = trial.node else { return Ok(verdict) };
    let address = cluster.reservation(node).and_then(|own| own.address).map(IpAddr::V4);
    let got = watch.address.map(|own| own.to_string());
    if let Some(address) = address {
        verdict.same("address", &address.to_string(), got.as_deref());
    }
    let loader = trial.loader();
    if !loader.http {
        verdict.same("boot file", loader.file, watch.asked.as_deref());
    }
    if trial.kind == Kind::Unarmed {
        return Ok(verdict);
    }
    let profile = node.base.as_str();
    let manifest = bundles.get(profile).with_context(|| format!("there is no bundle for {profile}"))?;
    let overlay = overlay(artifacts, node)?;
    loaded(&mut verdict, watch, manifest, node, overlay.len() as u64);
    if trial.kind == Kind::Armed
        && trial.steps.contains(&Step::System)
        && watch.steps.contains_key(&Step::System)
    {
        let facts = facts(&watch.serial);
        became(&mut verdict, &facts, node, address, &got);
        command_line(&mut verdict, &facts, artifacts, manifest, node)?;
        contents(&mut verdict, &facts, manifest, overlay)?;
    }
    Ok(verdict)
}

/// The overlay of `node`, as it was rendered.
fn overlay<'a>(artifacts: &'a ArtifactSet, node: &Node) -> Result<&'a [u8]> {
    let path = ArtifactPath::new(format!("site/www/overlay/{}.cpio.gz", node.mac.hyphens()))?;
    artifacts.get(&path).map(|own| &*own.body).with_context(|| format!("there is no {path}"))
}

/// Every byte of every file was sent, once the machine asked for it.
fn loaded(verdict: &mut Verdict, watch: &Watch<'_>, manifest: &BundleManifest, node: &Node, overlay: u64) {
    let (id, profile) = (manifest.id, node.base.as_str());
    let own = |name: &str| manifest.files.get(name).map_or(0, |own| own.bytes);
    for (path, bytes) in [
        (format!("nixos/{profile}/current/{SCRIPT}"), own(SCRIPT)),
        (format!("nixos/{profile}/{id}/{KERNEL}"), own(KERNEL)),
        (format!("nixos/{profile}/{id}/{INITRD}"), own(INITRD)),
        (format!("overlay/{}.cpio.gz", node.mac.hyphens()), overlay),
    ] {
        let got = watch.fetched.iter().find(|own| own.path == path);
        let got = got.map(|own| format!("{} bytes with status {}", own.bytes, own.status));
        verdict.same(&path, &format!("{bytes} bytes with status 200"), got.as_deref());
    }
}

/// What the lab's own system said: key and value.
fn facts(serial: &str) -> Vec<(String, String)> {
    let line = |line: &str| {
        let (_, said) = line.split_once(SAYS)?;
        let (key, value) = said.trim_end().split_once(' ')?;
        Some((key.to_owned(), value.to_owned()))
    };
    serial.lines().filter_map(line).collect()
}

fn fact<'a>(facts: &'a [(String, String)], key: &str) -> Option<&'a str> {
    facts.iter().find(|(own, _)| own == key).map(|(_, value)| &**value)
}

fn became(
    verdict: &mut Verdict,
    facts: &[(String, String)],
    node: &Node,
    address: Option<IpAddr>,
    leased: &Option<String>,
) {
    let address = address.map(|own| own.to_string()).or_else(|| leased.clone()).unwrap_or_default();
    let serial = node.serial.as_ref().map_or(NO_SERIAL, |serial| serial.as_str());
    for (key, expected) in [
        ("hostname", node.name.as_str()),
        ("leased-name", node.name.as_str()),
        ("address", &address),
        ("mac", &node.mac.to_string()),
        ("serial", serial),
    ] {
        verdict.same(key, expected, fact(facts, key));
    }
}

/// The kernel has every word of the bundle and of the node, in this order; UEFI sets the kernel's name before them.
fn command_line(
    verdict: &mut Verdict,
    facts: &[(String, String)],
    artifacts: &ArtifactSet,
    manifest: &BundleManifest,
    node: &Node,
) -> Result<()> {
    let path = ArtifactPath::new(format!("site/www/ipxe/node/{}.ipxe", node.mac.hyphens()))?;
    let script = artifacts.get(&path).with_context(|| format!("there is no {path}"))?;
    let script = String::from_utf8_lossy(&script.body);
    let own = script.lines().find_map(|line| line.strip_prefix("set cmdline ")).unwrap_or_default();
    let init = manifest.init.as_ref().map(|init| format!("init={init}"));
    let words: Vec<&str> = ["initrd=initrd", "initrd=overlay"]
        .into_iter()
        .chain(init.as_deref())
        .chain(manifest.command_line.split_whitespace())
        .chain(own.split_whitespace())
        .collect();
    let got = fact(facts, "cmdline").map(|got| {
        let got: Vec<&str> = got.split_whitespace().collect();
        let named = got.first().is_some_and(|first| *first == "kernel");
        got[usize::from(named)..].join(" ")
    });
    verdict.same("kernel command line", &words.join(" "), got.as_deref());
    Ok(())
}

/// Every file of the overlay lies on the machine, and what is served has the digests of the manifest.
fn contents(
    verdict: &mut Verdict,
    facts: &[(String, String)],
    manifest: &BundleManifest,
    overlay: &[u8],
) -> Result<()> {
    let told = |key: &str| -> BTreeMap<&str, &str> {
        let values = facts.iter().filter(|(own, _)| own == key);
        values.filter_map(|(_, value)| value.split_once(' ')).map(|(sum, path)| (path, sum)).collect()
    };
    let files = told("file");
    for (path, sum) in unpack(overlay)? {
        verdict.same(
            &format!("overlay: /{path}"),
            &sum.to_string(),
            files.get(&*format!("/{path}")).copied(),
        );
    }
    let served = told("served");
    for name in [KERNEL, INITRD] {
        let path = format!("nixos/{}/current/{name}", manifest.profile);
        let sum = manifest.files.get(name).map(|own| own.sha256.to_string()).unwrap_or_default();
        verdict.same(&format!("SHA-256 of {path}"), &sum, served.get(&*path).copied());
    }
    Ok(())
}

/// The files of a packed archive, with their digests.
fn unpack(archive: &[u8]) -> Result<BTreeSet<(String, Sha256Sum)>> {
    let mut rest: Box<dyn Read> = Box::new(flate2::read::MultiGzDecoder::new(archive));
    let mut files = BTreeSet::new();
    loop {
        let mut entry = cpio::newc::Reader::new(rest).context("the overlay cannot be read")?;
        if entry.entry().is_trailer() {
            return Ok(files);
        }
        let (name, is_file) =
            (entry.entry().name().to_owned(), entry.entry().mode() & 0o170_000 == 0o100_000);
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).context("the overlay cannot be read")?;
        if is_file {
            files.insert((name, Sha256Sum::of(&bytes)));
        }
        rest = entry.finish().context("the overlay cannot be read")?;
    }
}
