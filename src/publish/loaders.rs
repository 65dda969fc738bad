//! Loaders: installs builds of iPXE into `tftp/`, from the directories of the distributions' packages.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::lock::WebRootLock;
use super::root::{TFTP, WebRoot};
use crate::fs::{Sha256Sum, TEXT_LIMIT, read_input};
use crate::model::{Cluster, HostName, Loader, find_private_key};

/// The directories of the distributions' packages of iPXE: Debian and Ubuntu; Fedora, Arch and openSUSE; a NixOS system
/// with iPXE in its environment.
pub(crate) const PACKAGE_DIRS: [&str; 3] =
    ["/usr/lib/ipxe", "/usr/share/ipxe", "/run/current-system/sw/share/ipxe"];

/// The record of installed loaders with their digests. A file with another digest is somebody's own build.
const RECORD: &str = "loaders.json";

/// The largest build of iPXE that is read, in bytes.
pub(super) const LOADER_LIMIT: u64 = 16 << 20;

/// A build of iPXE: its names in packages, and which packages have it.
struct Build {
    /// Name in `tftp/`.
    file: &'static str,
    /// Names that are better than `names` in the directories of packages. They are not searched in a directory that the
    /// user names.
    preferred: &'static [&'static str],
    /// Names of the file elsewhere.
    names: &'static [&'static str],
    /// `Machine` of the PE header (Microsoft PE format, "Machine Types"); none for a build for BIOS.
    machine: Option<u16>,
    package: &'static str,
}

const BUILDS: [Build; 4] = [
    Build {
        file: "undionly.kpxe",
        preferred: &[],
        names: &["undionly.kpxe"],
        machine: None,
        package: "ipxe (Debian, nixpkgs) or ipxe-bootimgs-x86 (Fedora)",
    },
    Build {
        file: "ipxe.efi",
        // Like undionly.kpxe, snponly.efi uses the driver of the firmware, by which it was loaded. A full build from before
        // November 2020, such as Debian 12's, hangs when it releases such a network card on the way to the local disk.
        preferred: &["snponly.efi", "ipxe-snponly-x86_64.efi", "x86_64/snponly.efi"],
        names: &["ipxe.efi", "ipxe-x86_64.efi", "x86_64/ipxe.efi"],
        machine: Some(0x8664),
        package: "ipxe (Debian, nixpkgs) or ipxe-bootimgs-x86 (Fedora)",
    },
    Build {
        file: "ipxe-ia32.efi",
        preferred: &[],
        names: &["ipxe-ia32.efi", "ipxe-i386.efi", "i386/ipxe.efi"],
        machine: Some(0x014c),
        package: "ipxe-bootimgs-x86 (Fedora)",
    },
    Build {
        file: "ipxe-arm64.efi",
        preferred: &[],
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

/// The outcome of publishing one loader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InstalledLoader {
    /// The loader was copied from this file.
    Copied(PathBuf),
    /// The loader was installed before.
    Same,
    /// Somebody's own build has the name of the loader, and was not replaced.
    Kept,
}

/// A loader that no directory has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MissingLoader {
    /// Name of the file in `tftp/`.
    pub file: &'static str,
    /// The packages that have the loader.
    pub package: &'static str,
}

/// Installs loaders into `tftp/`: from the directory `named` where it is given, replacing somebody's own builds; else from
/// the directories of the distributions' packages.
///
/// # Errors
/// When a disk refuses.
pub fn install_loaders(
    lock: &WebRootLock,
    named: Option<&Path>,
) -> Result<(BTreeMap<&'static str, InstalledLoader>, Vec<MissingLoader>)> {
    let sources: Vec<&Path> =
        named.map_or_else(|| PACKAGE_DIRS.iter().map(Path::new).collect(), |dir| vec![dir]);
    let dir = lock.root.dir.ensure_dir(TFTP)?;
    let mut record = read_record(&lock.root);
    let (mut done, mut missing) = (BTreeMap::new(), Vec::new());
    for build in &BUILDS {
        let installed = dir.read_limited(build.file, LOADER_LIMIT).ok().map(|body| Sha256Sum::of(&body));
        let is_foreign = installed.is_none() && dir.exists(build.file)?
            || installed.is_some() && installed != record.get(build.file).copied();
        if is_foreign && named.is_none() {
            done.insert(build.file, InstalledLoader::Kept);
            continue;
        }
        let preferred = if named.is_none() { build.preferred } else { &[] };
        let Some((path, body)) = find_build(build, preferred, &sources)? else {
            if installed.is_none() {
                missing.push(MissingLoader { file: build.file, package: build.package });
            } else {
                done.insert(build.file, InstalledLoader::Same);
            }
            continue;
        };
        let sha256 = Sha256Sum::of(&body);
        record.insert(build.file.to_owned(), sha256);
        if installed == Some(sha256) {
            done.insert(build.file, InstalledLoader::Same);
            continue;
        }
        dir.replace_from(&lock.staging, build.file, &body)?;
        done.insert(build.file, InstalledLoader::Copied(path));
    }
    let text = serde_json::to_vec_pretty(&record)?;
    lock.root.state.replace_from(&lock.staging, RECORD, &text)?;
    Ok((done, missing))
}

/// Lists the loaders that the nodes of `cluster` start, each with its nodes.
#[must_use]
pub fn list_needed_loaders(cluster: &Cluster) -> BTreeMap<&'static str, Vec<&HostName>> {
    let mut needed = BTreeMap::<_, Vec<_>>::new();
    for node in &cluster.nodes {
        let loader = Loader::over_pxe(node.firmware, node.system);
        needed.entry(loader.file).or_default().push(&node.name);
    }
    needed
}

/// Reads the record of installed loaders: digests by name. It is empty where the record is unreadable.
pub(super) fn read_record(root: &WebRoot) -> BTreeMap<String, Sha256Sum> {
    let text = root.state.read_limited(RECORD, TEXT_LIMIT).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

/// Finds the first file in `sources` that is the build; files with a preferred name come before all others.
fn find_build(build: &Build, preferred: &[&str], sources: &[&Path]) -> Result<Option<(PathBuf, Vec<u8>)>> {
    let paths = |names: &[&str]| -> Vec<PathBuf> {
        sources.iter().flat_map(|dir| names.iter().map(|name| dir.join(name))).collect()
    };
    for path in paths(preferred).into_iter().chain(paths(build.names)) {
        let body = match read_input(&path, LOADER_LIMIT) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            body => body.with_context(|| format!("could not read {}", path.display()))?,
        };
        if let Some(what) = find_private_key(&body) {
            bail!(
                "{} holds {what}, and every machine in the boot network could fetch the file",
                path.display()
            );
        }
        if read_machine(&body) == build.machine {
            return Ok(Some((path, body)));
        }
    }
    Ok(None)
}

/// Reads `Machine` of a PE image; none where the file is no PE image.
fn read_machine(body: &[u8]) -> Option<u16> {
    let at = body.get(0x3c..0x40).filter(|_| body.starts_with(b"MZ"))?;
    let at = u32::from_le_bytes(at.try_into().ok()?) as usize;
    let header = body.get(at..at.checked_add(6)?)?;
    header.strip_prefix(b"PE\0\0").and_then(|machine| Some(u16::from_le_bytes(machine.try_into().ok()?)))
}
