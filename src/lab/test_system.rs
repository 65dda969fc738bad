//! The test system: a bundle with the distribution's kernel and a static busybox, for nodes without a bundle of NixOS. The
//! system boots, prints what it sees on the serial console, and powers the machine off.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use super::kernel_modules::{NETWORK, read_modules};
use crate::fs::read_input;
use crate::image::{Codec, INITRD, InitrdSource, KERNEL, Kernel, Recipe, build_bundle};
use crate::model::{Node, System};

/// The directory of kernels on Debian, its relatives and Fedora.
const KERNEL_DIR: &str = "/boot";

/// The kernel of NixOS.
const NIXOS_KERNEL: &str = "/run/current-system/kernel";

/// The directories that may contain `VERSION` with the modules of a kernel.
const MODULE_DIRS: [&str; 2] = ["/lib/modules", "/run/current-system/kernel-modules/lib/modules"];

/// The directories of the system, some of them empty.
const DIRS: [&str; 9] = ["bin", "dev", "etc", "lab", "modules", "proc", "root", "sys", "tmp"];

/// The applets of busybox that the system's scripts call.
const APPLETS: [&str; 14] = [
    "cat",
    "echo",
    "find",
    "insmod",
    "ip",
    "mount",
    "poweroff",
    "sh",
    "sha256sum",
    "sort",
    "udhcpc",
    "wget",
    "[",
    "test",
];

/// The kernel command line on x86: serial console, a reboot at a panic (which ends QEMU), and no panic when an emulated
/// timer is late.
const COMMAND_LINE: &str = "console=ttyS0,115200 panic=-1 no_timer_check";

/// The kernel command line on ARM.
const COMMAND_LINE_ARM: &str = "console=ttyAMA0 panic=-1";

/// The type of the program header that names a dynamic linker (elf(5)).
const PT_INTERP: usize = 3;

/// The largest busybox in bytes. A static one has 2 MiB.
const PROGRAM_LIMIT: u64 = 64 << 20;

/// The files that the test system is made of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TestSystem {
    /// The kernel image.
    pub kernel: PathBuf,
    /// The directory `lib/modules/VERSION` of the kernel. `None` for a kernel with everything built in.
    pub modules: Option<PathBuf>,
    /// A statically linked busybox.
    pub busybox: PathBuf,
}

impl TestSystem {
    /// Finds the files where distributions install them, unless the user names them.
    ///
    /// # Errors
    /// When there is no kernel or no static busybox, or when a named file is not one. The error names the packages.
    pub fn find(kernel: Option<&Path>, busybox: Option<&Path>, path: &str) -> Result<Self> {
        let kernel = match kernel {
            Some(named) => named.to_owned(),
            None => find_installed_kernel().context(
                "no kernel to boot: name one with --kernel, or a bundle with --bundle (Debian package \
                 linux-image-cloud-amd64; `dpkg -x` unpacks it anywhere)",
            )?,
        };
        let kernel =
            kernel.canonicalize().with_context(|| format!("there is no kernel {}", kernel.display()))?;
        let version = Kernel::read(&kernel)?.version;
        let unpacked = kernel.parent().and_then(Path::parent).map(|root| root.join("lib/modules"));
        let mut module_dirs = unpacked.into_iter().chain(MODULE_DIRS.map(PathBuf::from));
        let modules = module_dirs.find_map(|dir| dir.join(&version).canonicalize().ok());
        let busybox = match busybox {
            Some(named) => is_static(named).then(|| named.to_owned()),
            None => {
                let mut candidates =
                    path.split(':').chain(["/bin"]).map(|dir| Path::new(dir).join("busybox"));
                candidates.find(|candidate| is_static(candidate))
            }
        };
        let busybox = busybox.context(
            "no static busybox: name one with --busybox (Debian package busybox-static, nixpkgs pkgsStatic.busybox; \
             `dpkg -x` unpacks it anywhere)",
        )?;
        let busybox = busybox.canonicalize().with_context(|| format!("there is no {}", busybox.display()))?;
        Ok(Self { kernel, modules, busybox })
    }

    /// Reads the architecture of the kernel.
    ///
    /// # Errors
    /// When the kernel cannot be read.
    pub(super) fn read_system(&self) -> Result<System> {
        Ok(Kernel::read(&self.kernel)?.system)
    }

    /// Makes the bundle for machines like `node` in the new directory `out`. The content of the initrd is
    /// collected in the new directory `root`; `http_port` is the port of nginx.
    ///
    /// # Errors
    /// When a file of the test system cannot be read or is not valid.
    pub(super) fn build_bundle(&self, node: &Node, http_port: u16, root: &Path, out: &Path) -> Result<()> {
        self.write_root(&node.image(), http_port, root).context("could not make the test system")?;
        let system = self.read_system()?;
        let command_line = if system == System::X86_64 { COMMAND_LINE } else { COMMAND_LINE_ARM };
        let recipe = Recipe {
            base: node.base.as_str().to_owned(),
            arch: Some(system),
            kernel: self.kernel.clone(),
            initrd: InitrdSource::Directory(root.to_owned()),
            overlays: Vec::new(),
            init: Some("/init".to_owned()),
            command_line: command_line.to_owned(),
            codec: Codec::Gzip(6),
        };
        build_bundle(&recipe, out, &|_| ())?;
        Ok(())
    }

    /// Writes the content of the initrd into the directory `root`.
    fn write_root(&self, image: &str, http_port: u16, root: &Path) -> Result<()> {
        for dir in DIRS {
            fs::create_dir_all(root.join(dir))?;
        }
        let write_program = |path: &str, content: &[u8]| -> Result<()> {
            fs::write(root.join(path), content)?;
            Ok(fs::set_permissions(root.join(path), fs::Permissions::from_mode(0o755))?)
        };
        write_program("bin/busybox", &read_input(&self.busybox, PROGRAM_LIMIT)?)?;
        for applet in APPLETS {
            symlink("busybox", root.join("bin").join(applet))?;
        }
        write_program("init", include_bytes!("init.sh"))?;
        write_program("bin/udhcpc-script", include_bytes!("udhcpc.sh"))?;
        // The overlay of the node must replace this host name.
        fs::write(root.join("etc/hostname"), "nobody\n")?;
        fs::write(root.join("lab/port"), format!("{http_port}\n"))?;
        let served: String = [KERNEL, INITRD].map(|file| format!("nixos/{image}/current/{file}\n")).concat();
        fs::write(root.join("lab/served"), served)?;
        let mut order = String::new();
        if let Some(dir) = &self.modules {
            for (name, bytes) in read_modules(dir, &NETWORK)? {
                fs::write(root.join("modules").join(&name), bytes)?;
                order.push_str(&format!("{name}\n"));
            }
        }
        Ok(fs::write(root.join("modules/order"), order)?)
    }
}

/// Finds the newest kernel of this machine.
fn find_installed_kernel() -> Option<PathBuf> {
    let is_kernel =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("vmlinuz"));
    let entries = fs::read_dir(KERNEL_DIR).into_iter().flatten();
    let mut kernels: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(is_kernel)
        .chain([PathBuf::from(NIXOS_KERNEL)])
        .filter(|path| Kernel::read(path).is_ok())
        .collect();
    kernels.sort_by_key(|path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok());
    kernels.pop()
}

/// Whether the program is statically linked: its program headers have no `PT_INTERP` (elf(5)).
fn is_static(path: &Path) -> bool {
    let check = || -> Result<bool> {
        let bytes = read_input(path, PROGRAM_LIMIT)?;
        ensure!(bytes.starts_with(b"\x7fELF\x02\x01"), "it is not a 64-bit ELF program");
        let number = |at: usize, len: usize| {
            let field = bytes.get(at..at + len).context("it is cut off")?;
            anyhow::Ok(field.iter().rev().fold(0_usize, |value, byte| value << 8 | usize::from(*byte)))
        };
        let (table, size, count) = (number(32, 8)?, number(54, 2)?, number(56, 2)?);
        for header in 0..count {
            if number(table + header * size, 4)? == PT_INTERP {
                return Ok(false);
            }
        }
        Ok(true)
    };
    check().unwrap_or(false)
}
