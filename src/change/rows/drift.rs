//! Drift: what a machine has beside what was rendered for it. The effects are those of a switch to what was rendered.

use crate::change::effect::Effect::{Network, Reboot};
use crate::change::effect::Flag::{Identity, LockOut};
use crate::change::judges::services;
use crate::change::row::Row;

use super::{judged, node, row};

pub(in crate::change) const DRIFT: &[Row] = &[
    row(
        "nodes.*.(drift).host_name",
        &[node(Reboot, "the kernel has another name than the inventory").flags(&[Identity])],
        "nixpkgs#363368: a switch does not set the name",
    ),
    row(
        "nodes.*.(drift).booted",
        &[node(Reboot, "the machine runs another kernel or initrd than its present configuration has")],
        "NixOS: /run/booted-system and /run/current-system",
    ),
    judged("nodes.*.(drift).files.*", services::drifted_file, &[], "tests/nixos/restarts.rs"),
    row(
        "nodes.*.(drift).addresses",
        &[node(Network, "the machine has other addresses: it was not switched, or somebody set them")
            .flags(&[LockOut])
            .units(&["systemd-networkd"])],
        "docs/network.md",
    ),
];
