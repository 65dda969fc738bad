//! The keys of nodes that are about the machine: disks, hardware, boot, modules of the user's.

use crate::change::effect::Effect::Reboot;
use crate::change::effect::Flag::NotKnown;
use crate::change::judges::{disks, volumes};
use crate::change::row::Row;

use super::{PUBLISH, judged, node, nothing, row};

pub(in crate::change) const MACHINES: &[Row] = &[
    judged("nodes.*.disks", disks::disks, &[PUBLISH], "disko: grub.devices names the disks; docs/disks.md"),
    row(
        "nodes.*.disk_sizes.*",
        &[nothing("the next installation compares the disk with that size")],
        "src/outputs/disko.rs",
    ),
    judged("nodes.*.layout.style", disks::divided_anew, &[], "disko#695; a switch skips `/` and `/nix`"),
    judged("nodes.*.layout.format", disks::divided_anew, &[], "disko#695; a switch skips `/` and `/nix`"),
    judged("nodes.*.layout.labels", disks::divided_anew, &[], "disko#551; rule PG-J05"),
    judged("nodes.*.layout.unlock", disks::unlock, &[], "disko#695; systemd-cryptenroll(1); docs/nix.md"),
    row("nodes.*.layout.esp", &[nothing("the next installation makes the partition of that size")], "disko"),
    judged("nodes.*.layout.swap", volumes::swap, &[], "disko; systemd.swap(5)"),
    judged(
        "nodes.*.layout.volumes.*",
        volumes::volume,
        &[],
        "a switch stops the mount of an entry that disappears",
    ),
    row(
        "nodes.*.layout.volumes.*.name",
        &[nothing("the name tells volumes apart")],
        "src/change/difference.rs",
    ),
    row(
        "nodes.*.layout.volumes.*.size",
        &[nothing("the next installation makes the volume of that size")],
        "disko",
    ),
    judged(
        "nodes.*.layout.volumes.*.mount",
        volumes::mount,
        &[],
        "a switch stops the mount of an entry that disappears",
    ),
    judged("nodes.*.layout.volumes.*.format", volumes::format, &[], "systemd.mount(5): Type="),
    row("nodes.*.hardware.description", &[nothing("the words are for people")], "src/outputs/hardware.rs"),
    row(
        "nodes.*.hardware.cpu",
        &[node(Reboot, "microcode and KVM's module are those of another processor")],
        "src/outputs/hardware.rs",
    ),
    row(
        "nodes.*.hardware.kernel_modules",
        &[node(Reboot, "the initrd has other drivers")],
        "NixOS: boot.initrd.availableKernelModules",
    ),
    row("nodes.*.hardware.console", &[PUBLISH], "src/outputs/configuration.rs: list_kernel_params"),
    row("nodes.*.memory", &[nothing("rules look at it")], "src/rules/loading.rs"),
    row(
        "nodes.*.hardware_file",
        &[node(
            Reboot,
            "another file of yours describes the hardware: nixos-rebuild dry-activate tells more",
        )
        .flags(&[NotKnown])],
        "the file is not read",
    ),
    row(
        "nodes.*.modules",
        &[node(Reboot, "modules of yours come or go: nixos-rebuild dry-activate tells more")
            .flags(&[NotKnown])],
        "the files are not read",
    ),
    row("nodes.*.kernel_params", &[PUBLISH], "NixOS: boot.kernelParams"),
];
