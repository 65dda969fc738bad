//! `disko.nix`: how the node's disks are divided (disko's `disko.devices`). Every layout has a BIOS boot partition and
//! an ESP, so that either firmware boots.

use serde::Serialize;

use crate::artifact::Artifact;
use crate::model::{DiskId, Format, Node, Size, Style, Volume};
use crate::plan::Plan;
use crate::render::Renderer;

use super::{Emit, Output, in_node_dir, template};

pub(super) const OUTPUT: Output = Output {
    name: "disko.nix",
    about: "what an installation makes of the node's disks",
    template: Some(template!("disko.nix.j2")),
    emit: Emit::Node(emit),
};

#[derive(Serialize)]
struct Context<'a> {
    style: &'static str,
    disks: Vec<Disk<'a>>,
    esp: Size,
    format: Format,
    swap: Option<Size>,
    volumes: &'a [Volume],
}

#[derive(Serialize)]
struct Disk<'a> {
    /// Its name in disko's terms.
    name: String,
    device: &'a DiskId,
    /// Whether a machine can boot from it.
    boots: bool,
}

fn emit(_: &Plan, node: &Node, renderer: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    let layout = &node.layout;
    let (swap, volumes) = match &layout.style {
        Style::Lvm { swap, volumes } => (*swap, &volumes[..]),
        _ => (None, &[][..]),
    };
    let alone = node.disks.len() == 1;
    let disk = |(at, device)| Disk {
        name: if alone { "main".to_owned() } else { format!("disk{}", at + 1) },
        device,
        boots: at == 0 || layout.style == Style::Raid1,
    };
    let context = Context {
        style: layout.style.name(),
        disks: node.disks.iter().enumerate().map(disk).collect(),
        esp: layout.esp,
        format: layout.format,
        swap,
        volumes,
    };
    let text = renderer.render("disko.nix.j2", &context)?;
    Ok(vec![Artifact::new(in_node_dir(node, "disko.nix"), text)?])
}
