//! Profiles: what several nodes have in common.

use serde::{Deserialize, Serialize};

use super::{Interface, Label, Service, System, Word};

/// A profile of the inventory, resolved as a node would be that adds nothing to it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Profile {
    /// The profile's name.
    pub name: Label,
    /// The built-in module set and netboot image that the profile uses.
    pub base: Base,
    /// The profile's interfaces by name, without addresses. An interface that only a node completes is left out.
    pub interfaces: Vec<Interface>,
    /// The services that the profile's nodes run.
    pub services: Vec<Service>,
}

/// A built-in set of NixOS modules, and the netboot image of the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Base {
    /// Raft, database, identity.
    ControlPlane,
    /// Virtual machines and their networks.
    Worker,
    /// Everything on one machine.
    AllInOne,
}

impl Base {
    /// The base's name in the inventory.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ControlPlane => "control-plane",
            Self::Worker => "worker",
            Self::AllInOne => "all-in-one",
        }
    }
}

/// The name of the netboot image of `base` for machines of `system`: a directory of the web root's `nixos/`. For x86 it is
/// the name of the base alone, as in the runbook's paths.
#[must_use]
pub fn image_name(base: &str, system: System) -> String {
    match system {
        System::X86_64 => base.to_owned(),
        System::Aarch64 => format!("{base}{AARCH64}"),
    }
}

/// The names of all netboot images.
#[must_use]
pub fn list_image_names() -> Vec<String> {
    let systems = [System::X86_64, System::Aarch64];
    let of_base = |base: &&str| systems.map(|system| image_name(base, system));
    Base::FORM.choices.iter().flat_map(of_base).collect()
}

/// The end of the names of images for 64-bit ARM.
const AARCH64: &str = "-aarch64";
