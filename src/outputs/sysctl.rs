//! `sysctl.conf`: the kernel's settings of a provisioner that is the gateway of networks (sysctl.d(5)).

use crate::artifact::Artifact;
use crate::model::is_gateway;
use crate::plan::Plan;
use crate::render::Renderer;

use super::{Emit, Output};

pub(super) const OUTPUT: Output = Output { name: "sysctl.conf", templates: &[], emit: Emit::Site(emit) };

const TEXT: &str = "\
# This machine is the gateway of its networks: the kernel forwards IPv4 packets, and firewall/provisioner.nft says which.
net.ipv4.ip_forward = 1
";

fn emit(plan: &Plan, _: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    if !is_gateway(&plan.cluster) {
        return Ok(Vec::new());
    }
    Ok(vec![Artifact::new("site/pxe/sysctl.conf", TEXT)?])
}
