//! What nodes have in common.

use serde::Serialize;

use super::{Base, Interface, Label, Service};

/// A profile of the inventory, as a node would be that adds nothing to it.
#[derive(Clone, Debug, Serialize)]
pub struct Profile {
    /// Its name.
    pub name: Label,
    /// Which module and which netboot image it is built on.
    pub base: Base,
    /// Its interfaces by name, without addresses. One that only a node completes is not among them.
    pub interfaces: Vec<Interface>,
    /// What it runs.
    pub services: Vec<Service>,
}
