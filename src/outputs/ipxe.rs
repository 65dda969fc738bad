//! What iPXE runs: `boot.ipxe` for every machine, and a script per node that only sets facts; beside it the overlay that
//! it names with its digest.

use serde::Serialize;

use crate::artifact::Artifact;
use crate::fs::Sha256Sum;
use crate::model::{BootVerification, HostName, Node};
use crate::plan::Plan;
use crate::render::Renderer;

use super::{Emit, Output, configuration, overlay, template};

pub(super) const BOOT: Output = Output {
    name: "boot.ipxe",
    about: "what every machine does once iPXE runs",
    template: Some(template!("boot.ipxe.j2")),
    emit: Emit::Site(boot),
};

pub(super) const NODE: Output = Output {
    name: "node.ipxe",
    about: "what boot.ipxe must know of a node, by its MAC address, and the overlay with which its installer knows it",
    template: Some(template!("node.ipxe.j2")),
    emit: Emit::Node(node),
};

#[derive(Serialize)]
struct Boot {
    base: String,
    verify: BootVerification,
    /// Whether what is chained must be signed.
    signed: bool,
    /// How long a message stands, in seconds.
    pause: u32,
}

#[derive(Serialize)]
struct Facts<'a> {
    node: &'a HostName,
    /// Which netboot image: the profile's base.
    profile: &'static str,
    kernel_params: Vec<String>,
    /// The URL of the overlay.
    overlay: String,
    overlay_sha256: Sha256Sum,
}

fn boot(plan: &Plan, renderer: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    let own = &plan.cluster.boot;
    let context = Boot {
        base: plan.cluster.provisioner.base_url(),
        verify: own.verify,
        signed: own.verify == BootVerification::Signature,
        pause: own.pause.get(),
    };
    Ok(vec![Artifact::new("site/www/ipxe/boot.ipxe", renderer.render("boot.ipxe.j2", &context)?)?])
}

fn node(plan: &Plan, node: &Node, renderer: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    let archive = overlay::pack(&plan.cluster, node)?;
    let path = format!("overlay/{}.cpio.gz", node.mac.hyphens());
    let context = Facts {
        node: &node.name,
        profile: node.base.as_str(),
        kernel_params: configuration::kernel_params(&plan.cluster, node),
        overlay: format!("{}/{path}", plan.cluster.provisioner.base_url()),
        overlay_sha256: Sha256Sum::of(&archive),
    };
    let text = renderer.render("node.ipxe.j2", &context)?;
    Ok(vec![
        Artifact::new(format!("site/www/ipxe/node/{}.ipxe", node.mac.hyphens()), text)?,
        Artifact::new(format!("site/www/{path}"), archive)?,
    ])
}
