//! Builds of iPXE: their names, and the search for them in the directories of the distributions' packages.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::fs::read_input;
use crate::model::find_private_key;

/// The directories of the distributions' packages of iPXE: Debian and Ubuntu; Fedora, Arch and openSUSE; a NixOS system
/// with iPXE in its environment.
pub(crate) const PACKAGE_DIRS: [&str; 3] =
    ["/usr/lib/ipxe", "/usr/share/ipxe", "/run/current-system/sw/share/ipxe"];

/// The largest build of iPXE that is read, in bytes.
pub(super) const LOADER_LIMIT: u64 = 16 << 20;

/// A build of iPXE: its names in packages, and which packages have it.
pub(super) struct Build {
    /// Name in `tftp/`.
    pub(super) file: &'static str,
    /// Names that are better than `names` in the directories of packages. They are not searched in a directory that the
    /// user names.
    preferred: &'static [&'static str],
    /// Names of the file elsewhere.
    names: &'static [&'static str],
    /// `Machine` of the PE header (Microsoft PE format, "Machine Types"); none for a build for BIOS.
    machine: Option<u16>,
    /// The packages that have the build.
    pub(super) package: &'static str,
}

/// All builds that a machine may load.
pub(super) const BUILDS: [Build; 4] = [
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

/// Finds the file that is the build: in the directory `named` where it is given, else in those of the distributions'
/// packages, where files with a preferred name come before all others.
pub(super) fn find_build(build: &Build, named: Option<&Path>) -> Result<Option<(PathBuf, Vec<u8>)>> {
    let preferred = if named.is_none() { build.preferred } else { &[] };
    let sources: Vec<&Path> =
        named.map_or_else(|| PACKAGE_DIRS.iter().map(Path::new).collect(), |dir| vec![dir]);
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
