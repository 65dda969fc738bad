//! `hardware.nix`: drivers, boot loader and processor of the machine, which the operating system must know before it can
//! start.

use serde::Serialize;

use crate::artifact::Artifact;
use crate::model::{Cpu, Firmware, KernelModule, Node, System};
use crate::plan::Plan;
use crate::render::{Renderer, Template, template};

use super::{Emit, Output, path_in_node_dir};

const TEMPLATE: Template = template!("hardware.nix.j2");

pub(super) const OUTPUT: Output =
    Output { name: "hardware.nix", templates: &[TEMPLATE], emit: Emit::Node(emit) };

#[derive(Serialize)]
struct Context<'a> {
    /// The user's hardware module, which replaces the rendered options: a path relative to the node's directory.
    file: Option<String>,
    system: &'static str,
    modules: &'a [KernelModule],
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
        modules: &node.hardware.kernel_modules,
        cpu,
        kvm: cpu.map(|vendor| format!("kvm-{vendor}")).unwrap_or_default(),
        uefi: node.firmware == Firmware::Uefi,
        arm: node.system == System::Aarch64,
    };
    let text = renderer.render(TEMPLATE.name, &context)?;
    Ok(vec![Artifact::new(path_in_node_dir(node, "hardware.nix"), text)?])
}
