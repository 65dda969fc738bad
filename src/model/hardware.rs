//! Models of machines: the runbook's compatibility matrix (section 2.3).

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::{Console, KernelModule, Word};

/// How a machine's firmware starts an operating system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Firmware {
    /// UEFI.
    Uefi,
    /// BIOS, or UEFI's compatibility support module.
    Bios,
}

impl Firmware {
    /// The firmware's name in the inventory.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Uefi => "uefi",
            Self::Bios => "bios",
        }
    }
}

/// A kind of machine in Nix's terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum System {
    /// 64-bit x86.
    #[serde(rename = "x86_64-linux")]
    X86_64,
    /// 64-bit ARM.
    #[serde(rename = "aarch64-linux")]
    Aarch64,
}

impl System {
    /// Nix's name, such as `x86_64-linux`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64-linux",
            Self::Aarch64 => "aarch64-linux",
        }
    }
}

/// The manufacturer of a processor, which decides on microcode and KVM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cpu {
    /// Intel.
    Intel,
    /// AMD.
    Amd,
    /// Any other manufacturer, such as those of ARM processors.
    Other,
}

/// The facts about a machine that an operating system needs before it can start there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hardware {
    /// The name of the model, for people.
    pub description: String,
    /// The manufacturer of the processor.
    pub cpu: Cpu,
    /// Kernel modules of the initrd that reach the disks and the network interfaces.
    pub kernel_modules: Vec<KernelModule>,
    /// The serial console that the BMC shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub console: Option<Console>,
}

/// The names of the built-in models.
pub const KNOWN: [&str; 7] =
    ["generic", "dell-r640", "dell-r650", "hpe-dl360", "hpe-dl380", "supermicro-2029u", "lenovo-thinksystem"];

/// The kernel modules for the disks and buses that any machine may have: controllers are added and exchanged, and an
/// installed system without the driver of its disk does not start. All of them exist on every architecture (Debian's
/// linux-image-amd64 and linux-image-arm64 were compared).
const STORAGE: [&str; 28] = [
    "aacraid",
    "ahci",
    "ata_piix",
    "ehci_pci",
    "hpsa",
    "megaraid_sas",
    "mmc_block",
    "mpi3mr",
    "mpt3sas",
    "mptsas",
    "mptspi",
    "mvsas",
    "nvme",
    "pm80xx",
    "sata_sil24",
    "sd_mod",
    "sdhci_acpi",
    "sdhci_pci",
    "smartpqi",
    "sr_mod",
    "uas",
    "ufshcd_pci",
    "usb_storage",
    "usbhid",
    "virtio_blk",
    "virtio_pci",
    "virtio_scsi",
    "xhci_pci",
];

/// The kernel modules for disks that only x86 machines have: VMware, Hyper-V, Xen, Intel's Volume Management Device.
const STORAGE_X86: [&str; 6] = ["arcmsr", "hv_storvsc", "isci", "vmd", "vmw_pvscsi", "xen_blkfront"];

/// The kernel modules for disks that only ARM machines have.
const STORAGE_ARM: [&str; 2] = ["ahci_platform", "hisi_sas_v3_hw"];

/// The built-in models on each system, made once: thousands of nodes ask for them.
static MODELS: LazyLock<Vec<(&'static str, System, Hardware)>> = LazyLock::new(|| {
    let each = KNOWN.iter().flat_map(|name| [System::X86_64, System::Aarch64].map(|system| (*name, system)));
    each.filter_map(|(name, system)| Some((name, system, describe(name, system)?))).collect()
});

/// The built-in model called `name`, with the kernel modules that exist on `system`.
#[must_use]
pub fn known(name: &str, system: System) -> Option<Hardware> {
    let model = MODELS.iter().find(|(known, on, _)| *known == name && *on == system);
    model.map(|(_, _, hardware)| hardware.clone())
}

/// Describes the built-in model called `name`.
fn describe(name: &str, system: System) -> Option<Hardware> {
    let (description, cpu, drivers, console): (_, _, &[&str], _) = match name {
        "dell-r640" => {
            ("Dell PowerEdge R640 (BIOS A19 or newer)", Cpu::Intel, &["bnxt_en", "i40e", "tg3"], "ttyS0")
        }
        "dell-r650" => ("Dell PowerEdge R650", Cpu::Intel, &["bnxt_en", "ice", "mlx5_core", "tg3"], "ttyS0"),
        "hpe-dl360" => ("HPE ProLiant DL360 (Secure Boot off)", Cpu::Intel, &["i40e", "tg3"], "ttyS0"),
        "hpe-dl380" => ("HPE ProLiant DL380 (latest firmware)", Cpu::Intel, &["i40e", "tg3"], "ttyS0"),
        "supermicro-2029u" => {
            ("Supermicro SYS-2029U (BMC 1.73 or newer)", Cpu::Intel, &["i40e", "igb", "ixgbe"], "ttyS1")
        }
        "lenovo-thinksystem" => {
            ("Lenovo ThinkSystem", Cpu::Intel, &["bnxt_en", "i40e", "mlx5_core"], "ttyS0")
        }
        "generic" => {
            ("any other machine", Cpu::Other, &["e1000e", "igb", "ixgbe", "r8169", "virtio_net"], "")
        }
        _ => return None,
    };
    let modules = drivers.iter().filter_map(|module| KernelModule::parse(module).ok()).collect();
    Some(Hardware {
        description: description.to_owned(),
        cpu,
        kernel_modules: add_storage(modules, system),
        console: Console::parse(&format!("{console},115200")).ok(),
    })
}

/// `modules` with the drivers of the usual disks on `system`, each once, in order.
#[must_use]
pub fn add_storage(mut modules: Vec<KernelModule>, system: System) -> Vec<KernelModule> {
    let more: &[&str] = match system {
        System::X86_64 => &STORAGE_X86,
        System::Aarch64 => &STORAGE_ARM,
    };
    modules.extend(STORAGE.iter().chain(more).filter_map(|module| KernelModule::parse(module).ok()));
    modules.sort_unstable();
    modules.dedup();
    modules
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_model_is_complete() {
        for (name, system) in
            KNOWN.iter().flat_map(|name| [System::X86_64, System::Aarch64].map(|system| (name, system)))
        {
            let hardware = known(name, system).unwrap();
            let has = |module: &str| hardware.kernel_modules.iter().any(|known| known.as_str() == module);
            for module in STORAGE {
                assert!(has(module), "{name} {system:?} {module}");
            }
            assert_eq!([has("vmd"), has("vmw_pvscsi")], [system == System::X86_64; 2], "{name}");
            assert!(hardware.kernel_modules.len() > STORAGE.len() + 2, "{name}");
            assert!(
                hardware.kernel_modules.is_sorted_by(|a, b| a.as_str() < b.as_str()),
                "{name}: twice the same"
            );
            assert_eq!(hardware.console.is_none(), *name == "generic", "{name}");
        }
    }
}
