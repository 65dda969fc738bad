//! Finds the programs and the firmware that a lab needs. An error names everything that is missing at once, with its
//! packages.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

use crate::model::{DhcpServer, System};
use crate::publish::PACKAGE_DIRS;

/// A program that the lab runs.
#[derive(Debug)]
struct Program {
    name: &'static str,
    /// The package of Debian, and the package of nixpkgs.
    packages: (&'static str, &'static str),
}

impl Program {
    /// The program of a DHCP server.
    const fn of_server(server: DhcpServer) -> Self {
        let facts = server.facts();
        Self { name: facts.program, packages: (facts.debian, facts.nixpkgs) }
    }
}

const UNSHARE: Program = Program { name: "unshare", packages: ("util-linux", "util-linux") };
/// `unshare` needs it to give a user other than root the ids of other users.
const NEWUIDMAP: Program = Program { name: "newuidmap", packages: ("uidmap", "shadow") };
const MOUNT: Program = Program { name: "mount", packages: ("mount", "util-linux") };
const IP: Program = Program { name: "ip", packages: ("iproute2", "iproute2") };
const NGINX: Program = Program { name: "nginx", packages: ("nginx-light", "nginx") };
const TFTPD: Program = Program { name: "in.tftpd", packages: ("tftpd-hpa", "tftp-hpa") };
/// The router of the lab, with every DHCP server.
const DNSMASQ: Program = Program::of_server(DhcpServer::Dnsmasq);
const QEMU: Program = Program { name: "qemu-system-x86_64", packages: ("qemu-system-x86", "qemu") };
const QEMU_ARM: Program = Program { name: "qemu-system-aarch64", packages: ("qemu-system-arm", "qemu") };

/// The names of firmware files in error messages.
const IPXE: &str = "an iPXE that Linux's boot protocol starts (ipxe.lkrn)";
const OVMF: &str = "UEFI firmware for x86 (OVMF_CODE and OVMF_VARS)";
const AAVMF: &str = "UEFI firmware for 64-bit ARM (AAVMF_CODE and AAVMF_VARS)";

/// The directories of administrators' programs, which many users do not have in their search path.
const SBIN: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// Directories of packages that install `ipxe.lkrn` for boot loaders, such as Debian's grub-ipxe. Firmware loads nothing from
/// there.
const BOOT_LOADER_DIRS: [&str; 1] = ["/boot"];

/// The names of the iPXE that Linux's boot protocol starts, in the directories of packages.
const LKRN: [&str; 2] = ["ipxe.lkrn", "x86_64/ipxe.lkrn"];

/// The code and the variables of UEFI firmware, where distributions install them.
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

/// The DHCP server and the kinds of machines of a lab run: they decide which tools the run needs.
#[derive(Clone, Copy, Debug)]
pub struct Requirements {
    /// The DHCP server that runs.
    pub dhcp: DhcpServer,
    /// Whether a machine boots by BIOS.
    pub bios: bool,
    /// Whether an x86 machine boots by UEFI.
    pub uefi: bool,
    /// Whether a machine is a 64-bit ARM machine.
    pub arm: bool,
}

/// The paths of all programs and firmware files. None leads through `/run`, which the lab hides.
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
    /// The iPXE that plays the PXE firmware of a machine with BIOS.
    pub(super) lkrn: Option<PathBuf>,
    pub(super) ovmf: Option<(PathBuf, PathBuf)>,
    pub(super) aavmf: Option<(PathBuf, PathBuf)>,
}

impl Tools {
    /// Finds all programs and firmware that `requirements` need. Programs are searched in the directories of `path` and in
    /// those of administrators.
    ///
    /// # Errors
    /// When programs or files are missing: the error names each with its packages.
    pub fn find(requirements: Requirements, path: &str) -> Result<Self> {
        let mut search =
            Search { dirs: path.split(':').chain(SBIN).map(PathBuf::from).collect(), missing: Vec::new() };
        let x86 = requirements.bios || requirements.uefi;
        search.program_if(!rustix::process::geteuid().is_root(), &NEWUIDMAP);
        let tools = Self {
            unshare: search.program(&UNSHARE).unwrap_or_default(),
            mount: search.program(&MOUNT).unwrap_or_default(),
            ip: search.program(&IP).unwrap_or_default(),
            nginx: search.program(&NGINX).unwrap_or_default(),
            dnsmasq: search.program(&DNSMASQ).unwrap_or_default(),
            tftpd: search.program_if(!requirements.dhcp.facts().serves_tftp, &TFTPD),
            dhcpd: search.program(&Program::of_server(requirements.dhcp)).unwrap_or_default(),
            qemu: search.program_if(x86, &QEMU),
            qemu_arm: search.program_if(requirements.arm, &QEMU_ARM),
            lkrn: search.file(requirements.bios, IPXE, ("ipxe", "ipxe"), find_lkrn),
            ovmf: search.file(requirements.uefi, OVMF, ("ovmf", "OVMF"), || find_pair(&OVMF_PAIRS)),
            aavmf: search
                .file(requirements.arm, AAVMF, ("qemu-efi-aarch64", "qemu"), || find_pair(&AAVMF_PAIRS)),
        };
        if search.missing.is_empty() {
            return Ok(tools);
        }
        let list: String = search.missing.iter().map(|line| format!("\n  {line}")).collect();
        bail!("the lab needs programs or files that this machine lacks:{list}")
    }

    /// The QEMU for machines of `system`.
    pub(super) fn qemu_for(&self, system: System) -> Option<&Path> {
        match system {
            System::X86_64 => self.qemu.as_deref(),
            System::Aarch64 => self.qemu_arm.as_deref(),
        }
    }
}

/// Finds the iPXE that Linux's boot protocol starts where distributions install it.
fn find_lkrn() -> Option<PathBuf> {
    let dirs = PACKAGE_DIRS.into_iter().chain(BOOT_LOADER_DIRS).map(Path::new);
    let mut paths = dirs.flat_map(|dir| LKRN.map(|name| dir.join(name)));
    paths.find_map(|path| path.canonicalize().ok())
}

/// Finds the first pair whose two files exist.
fn find_pair(pairs: &[(&str, &str)]) -> Option<(PathBuf, PathBuf)> {
    pairs.iter().find_map(|(code, vars)| {
        Some((Path::new(code).canonicalize().ok()?, Path::new(vars).canonicalize().ok()?))
    })
}

/// A search that notes what is missing.
struct Search {
    dirs: Vec<PathBuf>,
    missing: Vec<String>,
}

impl Search {
    /// Finds a program.
    fn program(&mut self, program: &Program) -> Option<PathBuf> {
        // The directory is resolved, and the name is kept: some programs do different things under different names.
        let found = self.dirs.iter().find_map(|dir| {
            let path = dir.canonicalize().ok()?.join(program.name);
            path.is_file().then_some(path)
        });
        if found.is_none() {
            self.note_missing(program.name, program.packages);
        }
        found
    }

    /// Finds a program if it is needed.
    fn program_if(&mut self, is_needed: bool, program: &Program) -> Option<PathBuf> {
        if is_needed { self.program(program) } else { None }
    }

    /// Finds a file with `find` if the file is needed.
    fn file<T>(
        &mut self,
        is_needed: bool,
        what: &str,
        packages: (&str, &str),
        find: impl FnOnce() -> Option<T>,
    ) -> Option<T> {
        let found = if is_needed { find() } else { return None };
        if found.is_none() {
            self.note_missing(what, packages);
        }
        found
    }

    fn note_missing(&mut self, what: &str, (debian, nix): (&str, &str)) {
        let line = format!("{what}: Debian package {debian}, nixpkgs {nix}");
        // dnsmasq is looked for as the router and as the DHCP server.
        if !self.missing.contains(&line) {
            self.missing.push(line);
        }
    }
}
