//! The functions of the table: effects that depend on the values.

pub(super) mod access;
pub(super) mod disks;
pub(super) mod interfaces;
pub(super) mod members;
pub(super) mod networks;
pub(super) mod nodes;
pub(super) mod services;
pub(super) mod site;
pub(super) mod volumes;
