//! `hardware.nix`: drivers, boot loader and processor of the machine, which the operating system must know before it can
//! start.

use serde::Serialize;

use crate::artifact::Artifact;
use crate::model::{Cpu, Firmware, KernelModule, Node, System, add_storage};
use crate::plan::Plan;
use crate::render::{Renderer, Template, template};

use super::{Emit, Output, path_in_node_dir};

const TEMPLATE: Template = template!("hardware.nix.j2");

pub(super) const OUTPUT: Output =
    Output { name: "hardware.nix", templates: &[TEMPLATE], emit: Emit::Node(emit) };

#[derive(Serialize)]
struct Context {
    /// The user's hardware module, which replaces the rendered options: a path relative to the node's directory.
    file: Option<String>,
    system: &'static str,
    modules: Vec<KernelModule>,
    cpu: Option<&'static str>,
    kvm: String,
    uefi: bool,
    arm: bool,
}

fn emit(_: &Plan, node: &Node, renderer: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    let cpu = match node.hardware.cpu {
        Cpu::Intel => Some("intel"),
        Cpu::Amd => Some("amd"),
        Cpu::Other => None,
    };
    let context = Context {
        file: node.hardware_file.as_ref().map(|path| format!("../../{path}")),
        system: node.system.as_str(),
        // A model of the inventory lists the drivers that it adds.
        modules: add_storage(node.hardware.kernel_modules.clone(), node.system),
        cpu,
        kvm: cpu.map(|vendor| format!("kvm-{vendor}")).unwrap_or_default(),
        uefi: node.firmware == Firmware::Uefi,
        arm: node.system == System::Aarch64,
    };
    let text = renderer.render(TEMPLATE.name, &context)?;
    Ok(vec![Artifact::new(path_in_node_dir(node, "hardware.nix"), text)?])
}
