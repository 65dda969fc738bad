//! Profiles: what several nodes have in common.

use serde::Serialize;

use super::{Interface, Label, Service};

/// A profile of the inventory, resolved as a node would be that adds nothing to it.
#[derive(Clone, Debug, Serialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
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
