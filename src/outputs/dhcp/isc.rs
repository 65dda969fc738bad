//! `dhcpd.conf`: leases, reservations and boot files for ISC DHCP (dhcpd.conf(5)).

use std::net::Ipv4Addr;

use serde::Serialize;

use crate::artifact::Artifact;
use crate::model::{AbsPath, DhcpServer};
use crate::outputs::{Emit, Output};
use crate::plan::Plan;
use crate::render::{Renderer, Template, template};

use super::{BootFiles, Ipv4Subnet};

const SERVER: DhcpServer = DhcpServer::Isc;
const TEMPLATE: Template = template!("dhcpd.dhcp.j2");

pub(in crate::outputs) const OUTPUT: Output =
    Output { name: SERVER.facts().config, templates: &[TEMPLATE], emit: Emit::Site(emit) };

#[derive(Serialize)]
struct Context<'a> {
    next_server: Ipv4Addr,
    lease: u32,
    longest_lease: u32,
    #[serde(flatten)]
    boot: BootFiles,
    subnets: Vec<Ipv4Subnet<'a>>,
    /// The user's additions: a file on the provisioner.
    extra: Option<&'a AbsPath>,
}

fn emit(plan: &Plan, renderer: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    let cluster = &plan.cluster;
    let context = Context {
        next_server: cluster.provisioner.home.address,
        lease: super::LEASE,
        longest_lease: super::LONGEST_LEASE,
        boot: BootFiles::new(cluster),
        subnets: super::subnets4(cluster).into_iter().map(Into::into).collect(),
        extra: cluster.provisioner.extra.get(&SERVER),
    };
    Ok(vec![super::artifact(SERVER.facts().config, renderer.render(TEMPLATE.name, &context)?)?])
}
