//! Builds of iPXE in `tftp/`, from where distributions have them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::lock::Lock;
use super::root::{Root, TFTP};
use crate::fs::Sha256Sum;
use crate::model::{Cluster, HostName, Loader};

/// Where distributions put them: Debian and Ubuntu; Fedora, Arch and openSUSE.
const PLACES: [&str; 2] = ["/usr/lib/ipxe", "/usr/share/ipxe"];

/// What was installed, with its digest: what differs is somebody's own build.
const RECORD: &str = "loaders.json";

/// The largest build of iPXE.
const LARGEST: u64 = 16 << 20;

/// How a loader is called elsewhere, and who has it.
struct Build {
    file: &'static str,
    /// What distributions have that is better than `names`: in a directory that somebody names it is not looked for.
    before: &'static [&'static str],
    names: &'static [&'static str],
    /// `Machine` of its PE header (Microsoft PE format, "Machine Types"); none for a build for BIOS.
    machine: Option<u16>,
    package: &'static str,
}

const BUILDS: [Build; 4] = [
    Build {
        file: "undionly.kpxe",
        before: &[],
        names: &["undionly.kpxe"],
        machine: None,
        package: "ipxe (Debian, nixpkgs) or ipxe-bootimgs-x86 (Fedora)",
    },
    Build {
        file: "ipxe.efi",
        // As undionly.kpxe, it has no drivers but the firmware's own, by which it was loaded. A full build of before
        // November 2020, such as Debian 12's, hangs when it gives such a network card back: on the way to the local disk.
        before: &["snponly.efi", "ipxe-snponly-x86_64.efi", "x86_64/snponly.efi"],
        names: &["ipxe.efi", "ipxe-x86_64.efi", "x86_64/ipxe.efi"],
        machine: Some(0x8664),
        package: "ipxe (Debian, nixpkgs) or ipxe-bootimgs-x86 (Fedora)",
    },
    Build {
        file: "ipxe-ia32.efi",
        before: &[],
        names: &["ipxe-ia32.efi", "ipxe-i386.efi", "i386/ipxe.efi"],
        machine: Some(0x014c),
        package: "ipxe-bootimgs-x86 (Fedora)",
    },
    Build {
        file: "ipxe-arm64.efi",
        before: &[],
        names: &[
            "ipxe-arm64.efi",
            "ipxe-aarch64.efi",
            "arm64-efi/ipxe.efi",
            "arm64-efi/snponly.efi",
            "ipxe.efi",
        ],
        machine: Some(0xaa64),
        package: "ipxe (Debian 13, nixpkgs for aarch64) or ipxe-bootimgs-aarch64 (Fedora)",
    },
];

/// What became of a loader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Installed {
    /// It was copied from there.
    Copied(PathBuf),
    /// It is as it should be.
    Same,
    /// Somebody's own build lies in its place, and stays.
    Kept,
}

/// A loader that is nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lacking {
    /// Its name in `tftp/`.
    pub file: &'static str,
    /// The packages that have it.
    pub package: &'static str,
}

/// Puts loaders into `tftp/`: from `named` where it is given, also over somebody's own; else from where distributions
/// have them.
///
/// # Errors
/// When a disk refuses.
pub fn install(
    lock: &Lock,
    named: Option<&Path>,
) -> Result<(BTreeMap<&'static str, Installed>, Vec<Lacking>)> {
    let places: Vec<&Path> = named.map_or_else(|| PLACES.iter().map(Path::new).collect(), |dir| vec![dir]);
    let dir = lock.root.dir.ensure_dir(TFTP)?;
    let mut record = record(&lock.root);
    let (mut done, mut lacking) = (BTreeMap::new(), Vec::new());
    for build in &BUILDS {
        let there = dir.read_limited(build.file).ok().map(|body| Sha256Sum::of(&body));
        let own = there.is_none() && dir.exists(build.file)?
            || there.is_some() && there != record.get(build.file).copied();
        if own && named.is_none() {
            done.insert(build.file, Installed::Kept);
            continue;
        }
        let before = if named.is_none() { build.before } else { &[] };
        let Some((path, body)) = find(build, before, &places)? else {
            if there.is_none() {
                lacking.push(Lacking { file: build.file, package: build.package });
            } else {
                done.insert(build.file, Installed::Same);
            }
            continue;
        };
        let sum = Sha256Sum::of(&body);
        if there == Some(sum) {
            record.insert(build.file.to_owned(), sum);
            done.insert(build.file, Installed::Same);
            continue;
        }
        // First what it will be: a run that dies in between leaves what the next one replaces.
        record.insert(build.file.to_owned(), sum);
        dir.replace_from(&lock.stage, build.file, &body)?;
        done.insert(build.file, Installed::Copied(path));
    }
    let text = serde_json::to_vec_pretty(&record)?;
    lock.root.state.replace_from(&lock.stage, RECORD, &text)?;
    Ok((done, lacking))
}

/// The loaders that the nodes of `cluster` start, and which nodes.
#[must_use]
pub fn needed(cluster: &Cluster) -> BTreeMap<&'static str, Vec<&HostName>> {
    let mut needed = BTreeMap::<_, Vec<_>>::new();
    for node in &cluster.nodes {
        let loader = Loader::over_pxe(node.firmware, node.system);
        needed.entry(loader.file).or_default().push(&node.name);
    }
    needed
}

/// What was installed, by name; nothing where that is unreadable.
pub(super) fn record(root: &Root) -> BTreeMap<String, Sha256Sum> {
    let text = root.state.read_limited(RECORD).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

/// The first file in `places` that is the build; one of the names `before` comes before all others.
fn find(build: &Build, before: &[&str], places: &[&Path]) -> Result<Option<(PathBuf, Vec<u8>)>> {
    let among = |names: &[&str]| -> Vec<PathBuf> {
        places.iter().flat_map(|place| names.iter().map(|name| place.join(name))).collect()
    };
    for path in among(before).into_iter().chain(among(build.names)) {
        let Ok(file) = File::open(&path) else { continue };
        let mut body = Vec::new();
        file.take(LARGEST)
            .read_to_end(&mut body)
            .with_context(|| format!("could not read {}", path.display()))?;
        if machine(&body) == build.machine {
            return Ok(Some((path, body)));
        }
    }
    Ok(None)
}

/// `Machine` of a PE image; none where it is none.
fn machine(body: &[u8]) -> Option<u16> {
    let at = body.get(0x3c..0x40).filter(|_| body.starts_with(b"MZ"))?;
    let at = u32::from_le_bytes(at.try_into().ok()?) as usize;
    let header = body.get(at..at.checked_add(6)?)?;
    header.strip_prefix(b"PE\0\0").and_then(|machine| Some(u16::from_le_bytes(machine.try_into().ok()?)))
}
