//! Models of machines: the runbook's compatibility matrix (section 2.3).

use serde::{Deserialize, Serialize};

use super::{Console, KernelModule, Word};

/// How a machine's firmware starts an operating system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Firmware {
    /// UEFI.
    Uefi,
    /// BIOS, or UEFI's compatibility support module.
    Bios,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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

/// The kernel modules for disks and buses that any server may have.
const COMMON: [&str; 6] = ["ahci", "nvme", "sd_mod", "usb_storage", "usbhid", "xhci_pci"];

/// The built-in model called `name`.
#[must_use]
pub fn known(name: &str) -> Option<Hardware> {
    let (description, cpu, drivers, console): (_, _, &[&str], _) = match name {
        "dell-r640" => (
            "Dell PowerEdge R640 (BIOS A19 or newer)",
            Cpu::Intel,
            &["bnxt_en", "i40e", "megaraid_sas", "tg3"],
            "ttyS0",
        ),
        "dell-r650" => (
            "Dell PowerEdge R650",
            Cpu::Intel,
            &["bnxt_en", "ice", "megaraid_sas", "mlx5_core", "tg3"],
            "ttyS0",
        ),
        "hpe-dl360" => (
            "HPE ProLiant DL360 (Secure Boot off)",
            Cpu::Intel,
            &["hpsa", "i40e", "smartpqi", "tg3"],
            "ttyS0",
        ),
        "hpe-dl380" => (
            "HPE ProLiant DL380 (latest firmware)",
            Cpu::Intel,
            &["hpsa", "i40e", "smartpqi", "tg3"],
            "ttyS0",
        ),
        "supermicro-2029u" => (
            "Supermicro SYS-2029U (BMC 1.73 or newer)",
            Cpu::Intel,
            &["i40e", "igb", "ixgbe", "mpt3sas"],
            "ttyS1",
        ),
        "lenovo-thinksystem" => {
            ("Lenovo ThinkSystem", Cpu::Intel, &["bnxt_en", "i40e", "megaraid_sas", "mlx5_core"], "ttyS0")
        }
        "generic" => {
            let drivers = &[
                "e1000e",
                "igb",
                "ixgbe",
                "megaraid_sas",
                "mpt3sas",
                "r8169",
                "virtio_blk",
                "virtio_net",
                "virtio_pci",
            ];
            ("any other machine", Cpu::Other, drivers, "")
        }
        _ => return None,
    };
    let mut modules: Vec<&str> = COMMON.iter().chain(drivers).copied().collect();
    modules.sort_unstable();
    Some(Hardware {
        description: description.to_owned(),
        cpu,
        kernel_modules: modules.into_iter().filter_map(|module| KernelModule::parse(module).ok()).collect(),
        console: Console::parse(&format!("{console},115200")).ok(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_model_is_complete() {
        for name in KNOWN {
            let hardware = known(name).unwrap();
            assert!(hardware.kernel_modules.len() > COMMON.len(), "{name}");
            assert_eq!(hardware.console.is_none(), name == "generic", "{name}");
        }
    }
}
