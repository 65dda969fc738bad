//! The settings of Debian's two TFTP servers in `/etc/default`. Firmware loads iPXE from a TFTP server. Both servers take one
//! address to listen at, and answer from the address that was asked.

use serde::Serialize;

use crate::artifact::Artifact;
use crate::plan::Plan;
use crate::render::{Renderer, Template, template};

use super::{Emit, Output};

const HPA_TEMPLATE: Template = template!("tftpd-hpa.shell.j2");
const ATFTPD_TEMPLATE: Template = template!("atftpd.shell.j2");

/// The settings of tftpd-hpa (in.tftpd(8)).
pub(super) const HPA: Output =
    Output { name: "tftpd-hpa.default", templates: &[HPA_TEMPLATE], emit: Emit::Site(emit_hpa) };

/// The settings of atftpd (atftpd(8)).
pub(super) const ATFTPD: Output =
    Output { name: "atftpd.default", templates: &[ATFTPD_TEMPLATE], emit: Emit::Site(emit_atftpd) };

/// The largest block whose packet is not longer than Ethernet's 1500 bytes: the headers take 20 bytes (IP), 8 (UDP) and
/// 4 (TFTP; RFC 2348). A longer packet arrives in fragments, and firmware that asks for such blocks may be unable to join
/// fragments.
const BLOCK_BYTES: u16 = 1468;

#[derive(Serialize)]
struct HpaContext {
    directory: String,
    address: String,
    options: String,
}

#[derive(Serialize)]
struct AtftpdContext {
    options: String,
}

fn emit_hpa(plan: &Plan, renderer: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    let provisioner = &plan.cluster.provisioner;
    let context = HpaContext {
        directory: provisioner.tftp_root(),
        address: format!("{}:69", provisioner.listening_address()),
        // in.tftpd serves from a chroot. Without --create, it accepts no uploads of new files.
        options: format!("--secure --blocksize {BLOCK_BYTES} --verbose"),
    };
    let text = renderer.render(HPA_TEMPLATE.name, &context)?;
    Ok(vec![Artifact::new("site/pxe/tftpd-hpa.default", text)?])
}

fn emit_atftpd(plan: &Plan, renderer: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    // One thread serves one machine: the default of 100 threads refuses a rack. atftpd has no option for a largest block.
    let provisioner = &plan.cluster.provisioner;
    let (address, directory) = (provisioner.listening_address(), provisioner.tftp_root());
    let options = format!(
        "--bind-address {address} --tftpd-timeout 300 --retry-timeout 5 --maxthread 1000 --no-multicast \
         --verbose=5 {directory}"
    );
    let text = renderer.render(ATFTPD_TEMPLATE.name, AtftpdContext { options })?;
    Ok(vec![Artifact::new("site/pxe/atftpd.default", text)?])
}
