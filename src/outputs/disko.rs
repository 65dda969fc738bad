//! `disko.nix`: the partitions and file systems that an installation makes on the node's disks (disko's `disko.devices`).
//! Every layout has a BIOS boot partition and an ESP, so that either firmware boots. Beside the layout stands the machine that
//! may be erased, for the wipe guard.

use serde::Serialize;

use crate::artifact::Artifact;
use crate::model::{
    DiskId, Firmware, Format, IfName, Labels, MacAddr, Node, SerialNumber, Size, Style, System, Unlock,
    Volume,
};
use crate::plan::Plan;
use crate::render::{Renderer, Template, template};

use super::{Emit, Output, path_in_node_dir};

const TEMPLATE: Template = template!("disko.nix.j2");

pub(super) const OUTPUT: Output =
    Output { name: "disko.nix", templates: &[TEMPLATE], emit: Emit::Node(emit) };

#[derive(Serialize)]
struct Context<'a> {
    style: &'static str,
    /// The way in which encrypted disks are unlocked; none where nothing is encrypted.
    unlock: Option<Unlock>,
    /// The names of the RAID arrays of /boot and of the root.
    boot_array: String,
    root_array: String,
    volume_group: String,
    disks: Vec<DiskOptions<'a>>,
    esp: Size,
    format: Format,
    swap: Option<Size>,
    volumes: &'a [Volume],
    guard: GuardOptions<'a>,
}

/// The options `plasmagen.wipeGuard` of profiles/wipe-guard: the machine that disko's scripts may erase.
#[derive(Serialize)]
struct GuardOptions<'a> {
    /// The error of an evaluation without plasmagen's modules.
    refusal: String,
    serial: Option<&'a SerialNumber>,
    mac: MacAddr,
    /// The MAC addresses of further cards, by interface.
    interfaces: Vec<(&'a IfName, MacAddr)>,
    firmware: Firmware,
    system: System,
    /// The disks, each with the size that the inventory says.
    disks: Vec<(&'a DiskId, Option<Size>)>,
    /// The least size of the disk that boots, and of all disks together.
    each: Size,
    all: Size,
    /// The names that are the node's on a disk, whichever the layout writes.
    label: String,
    volume_group: String,
}

/// The options `disko.devices.disk.<name>`.
#[derive(Serialize)]
struct DiskOptions<'a> {
    name: String,
    device: &'a DiskId,
    /// Whether a machine can boot from the disk.
    boots: bool,
    /// The name of the opened disk of an encrypted volume group, in `/dev/mapper`: on the running node alone.
    opened: String,
}

fn emit(_: &Plan, node: &Node, renderer: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    let layout = &node.layout;
    let (swap, volumes) = match &layout.style {
        Style::Lvm { swap, volumes } => (*swap, &volumes[..]),
        _ => (None, &[][..]),
    };
    let names = node.disk_names(layout.labels);
    let disk = |(at, device)| DiskOptions {
        name: names.disk(at),
        device,
        boots: at == 0 || layout.style == Style::Raid1,
        opened: format!("crypt{}", at + 1),
    };
    let context = Context {
        style: layout.style.name(),
        unlock: layout.unlock,
        boot_array: names.array("boot"),
        root_array: names.array("root"),
        volume_group: names.volume_group(),
        disks: node.disks.iter().enumerate().map(disk).collect(),
        esp: layout.esp,
        format: layout.format,
        swap,
        volumes,
        guard: guard_options(node),
    };
    let text = renderer.render(TEMPLATE.name, &context)?;
    Ok(vec![Artifact::new(path_in_node_dir(node, "disko.nix"), text)?])
}

fn guard_options(node: &Node) -> GuardOptions<'_> {
    let names = node.disk_names(Labels::Node);
    let cards = node.interfaces.iter().filter_map(|interface| Some((&interface.name, interface.mac?)));
    GuardOptions {
        refusal: format!(
            "without plasmagen's modules, disko's script has no wipe guard; with the flake it has: disko --flake .#{}",
            node.name
        ),
        serial: node.serial.as_ref(),
        mac: node.mac,
        interfaces: cards.filter(|(_, mac)| *mac != node.mac).collect(),
        firmware: node.firmware,
        system: node.system,
        disks: node.disks.iter().map(|disk| (disk, node.disk_sizes.get(disk).copied())).collect(),
        each: node.layout.least_size(),
        all: node.layout.least_total(),
        label: names.label(),
        volume_group: names.volume_group(),
    }
}
