//! The programs and firmware that a lab is made of, with the packages that have them: all that is missing is named at
//! once.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

use crate::model::{DhcpServer, System};

/// Something that must be on the machine.
#[derive(Debug)]
struct Need {
    name: &'static str,
    /// The packages of Debian and of nixpkgs.
    packages: (&'static str, &'static str),
}

impl Need {
    /// The program of a DHCP server.
    const fn of_server(server: DhcpServer) -> Self {
        let facts = server.facts();
        Self { name: facts.program, packages: (facts.debian, facts.nixpkgs) }
    }
}

const UNSHARE: Need = Need { name: "unshare", packages: ("util-linux", "util-linux") };
/// With it, `unshare` gives a user other than root the ids of others.
const NEWUIDMAP: Need = Need { name: "newuidmap", packages: ("uidmap", "shadow") };
const MOUNT: Need = Need { name: "mount", packages: ("mount", "util-linux") };
const IP: Need = Need { name: "ip", packages: ("iproute2", "iproute2") };
const NGINX: Need = Need { name: "nginx", packages: ("nginx-light", "nginx") };
const TFTPD: Need = Need { name: "in.tftpd", packages: ("tftpd-hpa", "tftp-hpa") };
/// The router of the lab, whatever the DHCP server.
const DNSMASQ: Need = Need::of_server(DhcpServer::Dnsmasq);
const QEMU: Need = Need { name: "qemu-system-x86_64", packages: ("qemu-system-x86", "qemu") };
const QEMU_ARM: Need = Need { name: "qemu-system-aarch64", packages: ("qemu-system-arm", "qemu") };

/// Files, and where distributions have them.
const IPXE: &str = "an iPXE that Linux's boot protocol starts (ipxe.lkrn)";
const OVMF: &str = "UEFI firmware for x86 (OVMF_CODE and OVMF_VARS)";
const AAVMF: &str = "UEFI firmware for 64-bit ARM (AAVMF_CODE and AAVMF_VARS)";

/// Where programs of administrators are, which is not in everybody's path.
const SBIN: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// Where iPXE's builds are: Debian, Fedora, Arch, and a NixOS system that has them in its environment.
const IPXE_DIRS: [&str; 5] = [
    "/usr/lib/ipxe",
    "/boot",
    "/usr/share/ipxe",
    "/usr/share/ipxe/x86_64",
    "/run/current-system/sw/share/ipxe",
];

/// Pairs of code and variables.
const OVMF_PAIRS: [(&str, &str); 4] = [
    ("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"),
    ("/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"),
    ("/usr/share/edk2/x64/OVMF_CODE.4m.fd", "/usr/share/edk2/x64/OVMF_VARS.4m.fd"),
    (
        "/run/current-system/sw/share/qemu/edk2-x86_64-code.fd",
        "/run/current-system/sw/share/qemu/edk2-i386-vars.fd",
    ),
];
const AAVMF_PAIRS: [(&str, &str); 2] = [
    ("/usr/share/AAVMF/AAVMF_CODE.fd", "/usr/share/AAVMF/AAVMF_VARS.fd"),
    (
        "/run/current-system/sw/share/qemu/edk2-aarch64-code.fd",
        "/run/current-system/sw/share/qemu/edk2-arm-vars.fd",
    ),
];

/// What a lab has to do, as far as it decides on what it needs.
#[derive(Clone, Copy, Debug)]
pub struct Wants {
    /// Which DHCP server runs.
    pub dhcp: DhcpServer,
    /// Whether a machine starts by BIOS.
    pub bios: bool,
    /// Whether one starts by UEFI on x86.
    pub uefi: bool,
    /// Whether one is a 64-bit ARM.
    pub arm: bool,
}

/// Where everything is. Paths lead round `/run`, which a lab hides.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tools {
    pub(super) unshare: PathBuf,
    pub(super) mount: PathBuf,
    pub(super) ip: PathBuf,
    pub(super) nginx: PathBuf,
    pub(super) dnsmasq: PathBuf,
    /// The TFTP server, unless the DHCP server serves TFTP too.
    pub(super) tftpd: Option<PathBuf>,
    /// The DHCP server.
    pub(super) dhcpd: PathBuf,
    pub(super) qemu: Option<PathBuf>,
    pub(super) qemu_arm: Option<PathBuf>,
    /// It stands in for the network card of a machine with BIOS.
    pub(super) lkrn: Option<PathBuf>,
    pub(super) ovmf: Option<(PathBuf, PathBuf)>,
    pub(super) aavmf: Option<(PathBuf, PathBuf)>,
}

impl Tools {
    /// Looks for everything that `wants` takes, in the directories of `path` and of administrators.
    ///
    /// # Errors
    /// When something is missing: all of it is named, with its packages.
    pub fn find(wants: Wants, path: &str) -> Result<Self> {
        let mut search =
            Search { dirs: path.split(':').chain(SBIN).map(PathBuf::from).collect(), missing: Vec::new() };
        let x86 = wants.bios || wants.uefi;
        search.when(!rustix::process::geteuid().is_root(), &NEWUIDMAP);
        let tools = Self {
            unshare: search.program(&UNSHARE).unwrap_or_default(),
            mount: search.program(&MOUNT).unwrap_or_default(),
            ip: search.program(&IP).unwrap_or_default(),
            nginx: search.program(&NGINX).unwrap_or_default(),
            dnsmasq: search.program(&DNSMASQ).unwrap_or_default(),
            tftpd: search.when(!wants.dhcp.facts().serves_tftp, &TFTPD),
            dhcpd: search.program(&Need::of_server(wants.dhcp)).unwrap_or_default(),
            qemu: search.when(x86, &QEMU),
            qemu_arm: search.when(wants.arm, &QEMU_ARM),
            lkrn: search.file(wants.bios, IPXE, ("ipxe", "ipxe"), || ipxe_file("ipxe.lkrn")),
            ovmf: search.file(wants.uefi, OVMF, ("ovmf", "OVMF"), || pair(&OVMF_PAIRS)),
            aavmf: search.file(wants.arm, AAVMF, ("qemu-efi-aarch64", "qemu"), || pair(&AAVMF_PAIRS)),
        };
        if search.missing.is_empty() {
            return Ok(tools);
        }
        let list: String = search.missing.iter().map(|line| format!("\n  {line}")).collect();
        bail!("the lab needs what is not on this machine:{list}")
    }

    /// QEMU and its firmware for machines of `system`.
    pub(super) fn qemu_for(&self, system: System) -> Option<&Path> {
        match system {
            System::X86_64 => self.qemu.as_deref(),
            System::Aarch64 => self.qemu_arm.as_deref(),
        }
    }
}

/// A build of iPXE that a distribution has.
pub(super) fn ipxe_file(name: &str) -> Option<PathBuf> {
    IPXE_DIRS.iter().map(|dir| Path::new(dir).join(name)).find_map(|path| path.canonicalize().ok())
}

fn pair(pairs: &[(&str, &str)]) -> Option<(PathBuf, PathBuf)> {
    pairs.iter().find_map(|(code, vars)| {
        Some((Path::new(code).canonicalize().ok()?, Path::new(vars).canonicalize().ok()?))
    })
}

struct Search {
    dirs: Vec<PathBuf>,
    missing: Vec<String>,
}

impl Search {
    fn program(&mut self, need: &Need) -> Option<PathBuf> {
        // The directory is resolved and the name kept: some programs go by the name that they are called by.
        let found = self.dirs.iter().find_map(|dir| {
            let path = dir.canonicalize().ok()?.join(need.name);
            path.is_file().then_some(path)
        });
        if found.is_none() {
            self.miss(need.name, need.packages);
        }
        found
    }

    fn when(&mut self, wanted: bool, need: &Need) -> Option<PathBuf> {
        if wanted { self.program(need) } else { None }
    }

    fn file<T>(
        &mut self,
        wanted: bool,
        what: &str,
        packages: (&str, &str),
        find: impl FnOnce() -> Option<T>,
    ) -> Option<T> {
        let found = if wanted { find() } else { return None };
        if found.is_none() {
            self.miss(what, packages);
        }
        found
    }

    fn miss(&mut self, what: &str, (debian, nix): (&str, &str)) {
        let line = format!("{what}: Debian package {debian}, nixpkgs {nix}");
        // dnsmasq is looked for as the router and as the DHCP server.
        if !self.missing.contains(&line) {
            self.missing.push(line);
        }
    }
}
