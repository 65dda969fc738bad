//! The scripts that iPXE runs: `boot.ipxe` for every machine, and for each node a script that only sets facts, with the
//! overlay that the script names with its digest.

use serde::Serialize;

use crate::artifact::Artifact;
use crate::fs::Sha256Sum;
use crate::model::{BootVerification, HostName, Node, Provisioner};
use crate::plan::Plan;
use crate::render::{Renderer, Template, template};

use super::{Emit, Output, configuration, overlay};

const BOOT_TEMPLATE: Template = template!("boot.ipxe.j2");
const NODE_TEMPLATE: Template = template!("node.ipxe.j2");

/// The script that every machine runs.
pub(super) const BOOT: Output =
    Output { name: "boot.ipxe", templates: &[BOOT_TEMPLATE], emit: Emit::Site(emit_boot) };

/// The script of each node and the node's overlay, for each MAC address by which the node may boot.
pub(super) const NODE: Output =
    Output { name: "node.ipxe", templates: &[NODE_TEMPLATE], emit: Emit::Node(emit_node) };

#[derive(Serialize)]
struct BootContext {
    /// The web root: a URL, or the path from the directory of the script.
    base: String,
    verify: BootVerification,
    /// Whether chained scripts must be signed.
    signed: bool,
    /// The time for which a message stays on the screen, in seconds.
    pause: u32,
}

#[derive(Serialize)]
struct NodeContext<'a> {
    node: &'a HostName,
    /// The name of the netboot image.
    profile: String,
    kernel_params: Vec<String>,
    /// The URL of the overlay.
    overlay: String,
    overlay_sha256: Sha256Sum,
}

fn emit_boot(plan: &Plan, renderer: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    let boot = &plan.cluster.boot;
    let context = BootContext {
        base: base_of(&plan.cluster.provisioner),
        verify: boot.verify,
        signed: boot.verify == BootVerification::Signature,
        pause: boot.pause.get(),
    };
    Ok(vec![Artifact::new("site/www/ipxe/boot.ipxe", renderer.render(BOOT_TEMPLATE.name, &context)?)?])
}

/// The web root as `boot.ipxe` names it. Where machines load from several addresses, one script serves all of them: iPXE
/// takes a relative path from the URL that the script was loaded from (<https://ipxe.org/cfg/cwuri>).
fn base_of(provisioner: &Provisioner) -> String {
    if provisioner.other_interfaces.is_empty() {
        provisioner.base_url(&provisioner.home)
    } else {
        "..".to_owned()
    }
}

fn emit_node(plan: &Plan, node: &Node, renderer: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    let archive = overlay::pack(&plan.cluster, node)?;
    let provisioner = &plan.cluster.provisioner;
    let load_from =
        node.reservation().map_or(&provisioner.home, |reserved| provisioner.interface_for(reserved.network));
    let mut artifacts = Vec::new();
    for mac in node.boot_macs() {
        let mac = mac.hyphens();
        let path = format!("overlay/{mac}.cpio.gz");
        let context = NodeContext {
            node: &node.name,
            profile: node.image(),
            kernel_params: configuration::list_kernel_params(&plan.cluster, node),
            overlay: format!("{}/{path}", provisioner.base_url(load_from)),
            overlay_sha256: Sha256Sum::of(&archive),
        };
        let text = renderer.render(NODE_TEMPLATE.name, &context)?;
        artifacts.push(Artifact::new(format!("site/www/ipxe/node/{mac}.ipxe"), text)?);
        artifacts.push(Artifact::new(format!("site/www/{path}"), archive.clone())?);
    }
    Ok(artifacts)
}
