//! What Debian's TFTP servers are told in `/etc/default`: firmware loads iPXE from them.

use serde::Serialize;

use crate::artifact::Artifact;
use crate::plan::Plan;
use crate::render::Renderer;

use super::{Emit, Output, template};

pub(super) const HPA: Output = Output {
    name: "tftpd-hpa.default",
    about: "what tftpd-hpa serves (in.tftpd(8))",
    template: Some(template!("tftpd-hpa.shell.j2")),
    emit: Emit::Site(hpa),
};

pub(super) const ATFTPD: Output = Output {
    name: "atftpd.default",
    about: "what atftpd serves (atftpd(8))",
    template: Some(template!("atftpd.shell.j2")),
    emit: Emit::Site(atftpd),
};

/// The largest block whose packet is no longer than Ethernet's 1500 bytes: 20 are IP's, 8 UDP's, 4 TFTP's (RFC 2348).
/// A larger one comes in fragments, and firmware that asks for one may not be able to join them.
const BLOCK_BYTES: u16 = 1468;

#[derive(Serialize)]
struct Hpa {
    directory: String,
    address: String,
    options: String,
}

#[derive(Serialize)]
struct Atftpd {
    options: String,
}

/// The TFTP root.
fn directory(plan: &Plan) -> String {
    format!("{}/tftp", plan.cluster.provisioner.web_root)
}

fn hpa(plan: &Plan, renderer: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    let context = Hpa {
        directory: directory(plan),
        address: format!("{}:69", plan.cluster.provisioner.address),
        // In a chroot; without --create it makes no file.
        options: format!("--secure --blocksize {BLOCK_BYTES} --verbose"),
    };
    let text = renderer.render("tftpd-hpa.shell.j2", &context)?;
    Ok(vec![Artifact::new("site/pxe/tftpd-hpa.default", text)?])
}

fn atftpd(plan: &Plan, renderer: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    // A thread serves one machine; the default of 100 refuses a rack. It has no largest block to set.
    let (address, directory) = (plan.cluster.provisioner.address, directory(plan));
    let options = format!(
        "--bind-address {address} --tftpd-timeout 300 --retry-timeout 5 --maxthread 1000 --no-multicast \
         --verbose=5 {directory}"
    );
    let text = renderer.render("atftpd.shell.j2", Atftpd { options })?;
    Ok(vec![Artifact::new("site/pxe/atftpd.default", text)?])
}
