//! A system without NixOS: the distribution's kernel and a static busybox, made into a bundle like any other. It comes
//! up, says what it sees, and goes.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use super::modules;
use crate::image::{BundleManifest, Codec, INITRD, InitrdSource, KERNEL, Kernel, Recipe, build_bundle};
use crate::model::System;

/// Where kernels lie: Debian and its relatives, Fedora, NixOS.
const KERNEL_DIRS: [&str; 1] = ["/boot"];
const KERNELS: [&str; 1] = ["/run/current-system/kernel"];

/// What its first program calls.
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

/// Besides the serial console: a panic ends the machine, and an emulated timer that is late is no reason for one.
const COMMAND_LINE: &str = "console=ttyS0,115200 panic=-1 no_timer_check";
const COMMAND_LINE_ARM: &str = "console=ttyAMA0 panic=-1";

/// What the system is made of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Parts {
    /// The kernel.
    pub kernel: PathBuf,
    /// Its modules: `lib/modules/VERSION`; not there where everything is built in.
    pub modules: Option<PathBuf>,
    /// A busybox that needs no library.
    pub busybox: PathBuf,
}

impl Parts {
    /// Looks for them where distributions have them.
    ///
    /// # Errors
    /// When there is none, or what was named is not what it should be: with its packages.
    pub fn find(kernel: Option<&Path>, busybox: Option<&Path>, path: &str) -> Result<Self> {
        let kernel = match kernel {
            Some(named) => named.to_owned(),
            None => installed_kernel().context(
                "no kernel to boot: name one with --kernel, or a bundle with --bundle (Debian package \
                 linux-image-cloud-amd64; `dpkg -x` unpacks it anywhere)",
            )?,
        };
        let kernel =
            kernel.canonicalize().with_context(|| format!("there is no kernel {}", kernel.display()))?;
        let version = Kernel::read(&kernel)?.version;
        let beside = kernel.parent().and_then(Path::parent).map(|root| root.join("lib/modules"));
        let dirs = beside
            .into_iter()
            .chain(["/lib/modules", "/run/current-system/kernel-modules/lib/modules"].map(PathBuf::from));
        let modules = dirs.map(|dir| dir.join(&version)).find_map(|dir| dir.canonicalize().ok());
        let named = busybox.map(Path::to_owned);
        let mut candidates = named
            .into_iter()
            .chain(path.split(':').chain(["/bin"]).map(|dir| Path::new(dir).join("busybox")));
        let found = match busybox {
            Some(named) => is_static(named).then(|| named.to_owned()),
            None => candidates.find(|path| is_static(path)),
        };
        let busybox = found.context(
            "no static busybox: name one with --busybox (Debian package busybox-static, nixpkgs pkgsStatic.busybox; \
             `dpkg -x` unpacks it anywhere)",
        )?;
        let busybox = busybox.canonicalize().with_context(|| format!("there is no {}", busybox.display()))?;
        Ok(Self { kernel, modules, busybox })
    }

    /// What the kernel runs on.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn system(&self) -> Result<System> {
        Ok(Kernel::read(&self.kernel)?.system)
    }

    /// Makes the bundle for `profile` in the new directory `out`, from a tree in the new directory `root`.
    ///
    /// # Errors
    /// When an input is not what it should be.
    pub(super) fn build(&self, profile: &str, base: &str, root: &Path, out: &Path) -> Result<BundleManifest> {
        self.tree(profile, base, root).context("could not make the lab's own system")?;
        let system = self.system()?;
        let command_line = if system == System::X86_64 { COMMAND_LINE } else { COMMAND_LINE_ARM };
        let recipe = Recipe {
            profile: profile.to_owned(),
            arch: Some(system),
            kernel: self.kernel.clone(),
            initrd: InitrdSource::Directory(root.to_owned()),
            overlays: Vec::new(),
            init: Some("/init".to_owned()),
            command_line: command_line.to_owned(),
            codec: Codec::Gzip(6),
        };
        build_bundle(&recipe, out, &|_| ())
    }

    fn tree(&self, profile: &str, base: &str, root: &Path) -> Result<()> {
        for dir in ["bin", "dev", "etc", "lab", "modules", "proc", "root", "sys", "tmp"] {
            fs::create_dir_all(root.join(dir))?;
        }
        let program = |path: &str, text: &[u8]| -> Result<()> {
            fs::write(root.join(path), text)?;
            Ok(fs::set_permissions(root.join(path), fs::Permissions::from_mode(0o755))?)
        };
        program("bin/busybox", &fs::read(&self.busybox)?)?;
        for applet in APPLETS {
            symlink("busybox", root.join("bin").join(applet))?;
        }
        program("init", include_bytes!("init.sh"))?;
        program("bin/bound", include_bytes!("bound.sh"))?;
        // What is laid over it must win.
        fs::write(root.join("etc/hostname"), "nobody\n")?;
        fs::write(root.join("lab/base"), format!("{base}\n"))?;
        let served: String =
            [KERNEL, INITRD].map(|file| format!("nixos/{profile}/current/{file}\n")).concat();
        fs::write(root.join("lab/served"), served)?;
        let mut order = String::new();
        if let Some(dir) = &self.modules {
            for (name, bytes) in modules::with_dependencies(dir, &modules::NETWORK)? {
                fs::write(root.join("modules").join(&name), bytes)?;
                order.push_str(&format!("{name}\n"));
            }
        }
        Ok(fs::write(root.join("modules/order"), order)?)
    }
}

/// The newest kernel that the machine has.
fn installed_kernel() -> Option<PathBuf> {
    let mut found: Vec<_> = KERNEL_DIRS
        .iter()
        .filter_map(|dir| fs::read_dir(dir).ok())
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("vmlinuz")))
        .chain(KERNELS.iter().map(PathBuf::from))
        .filter(|path| Kernel::read(path).is_ok())
        .collect();
    found.sort_by_key(|path| fs::metadata(path).and_then(|own| own.modified()).ok());
    found.pop()
}

/// Whether a program asks for no interpreter (`PT_INTERP`, elf(5)).
fn is_static(path: &Path) -> bool {
    let check = || -> Result<bool> {
        let bytes = fs::read(path)?;
        ensure!(bytes.starts_with(b"\x7fELF\x02\x01"), "it is no program");
        let number = |at: usize, len: usize| {
            let field = bytes.get(at..at + len).context("it is cut off")?;
            anyhow::Ok(field.iter().rev().fold(0_usize, |value, byte| value << 8 | usize::from(*byte)))
        };
        let (table, size, count) = (number(32, 8)?, number(54, 2)?, number(56, 2)?);
        for header in 0..count {
            if number(table + header * size, 4)? == 3 {
                return Ok(false);
            }
        }
        Ok(true)
    };
    check().unwrap_or(false)
}
