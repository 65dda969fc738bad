//! `dhcpd.conf`: ISC DHCP, for those who still run it (dhcpd.conf(5)).

use std::net::Ipv4Addr;

use serde::Serialize;

use crate::artifact::Artifact;
use crate::model::{AbsPath, DhcpServer, HTTP_CLIENT, IPXE_CLASS};
use crate::outputs::{Emit, Output, template};
use crate::plan::Plan;
use crate::render::Renderer;

use super::{Choice, Facts, Host};

pub(in crate::outputs) const OUTPUT: Output = Output {
    name: "dhcpd.conf",
    about: "leases, reservations and boot files for ISC DHCP",
    template: Some(template!("dhcpd.dhcp.j2")),
    emit: Emit::Site(emit),
};

#[derive(Serialize)]
struct Context<'a> {
    next_server: Ipv4Addr,
    lease: u32,
    longest_lease: u32,
    ipxe_class: &'static str,
    http_client: &'static str,
    /// What iPXE loads.
    script: String,
    loaders: Vec<Loads>,
    /// What firmware of another architecture loads.
    default: &'static str,
    subnets: Vec<Subnet<'a>>,
    /// The user's own additions: a file on the provisioner.
    extra: Option<&'a AbsPath>,
}

/// What firmware of one architecture loads.
#[derive(Serialize)]
struct Loads {
    /// Two bytes, as dhcpd compares data: `= 7` never matches.
    architecture: String,
    file: String,
    http: bool,
    about: &'static str,
}

/// A provisioning network: the provisioner's own, or one whose gateway relays.
#[derive(Serialize)]
struct Subnet<'a> {
    #[serde(flatten)]
    facts: Facts<'a>,
    hosts: Vec<Host<'a, Ipv4Addr>>,
}

fn emit(plan: &Plan, renderer: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    let cluster = &plan.cluster;
    let boot = super::boot(cluster);
    let context = Context {
        next_server: cluster.provisioner.address,
        lease: super::LEASE,
        longest_lease: super::LONGEST_LEASE,
        ipxe_class: IPXE_CLASS,
        http_client: HTTP_CLIENT,
        script: boot.script,
        loaders: boot.loaders.into_iter().map(loads).collect(),
        default: boot.default,
        subnets: super::subnets4(cluster).into_iter().map(subnet).collect(),
        extra: cluster.provisioner.extra.get(&DhcpServer::Isc),
    };
    Ok(vec![Artifact::new("site/pxe/dhcpd.conf", renderer.render("dhcpd.dhcp.j2", &context)?)?])
}

fn loads(own: Choice) -> Loads {
    let [high, low] = own.architecture.to_be_bytes();
    Loads { architecture: format!("{high:02x}:{low:02x}"), file: own.file, http: own.http, about: own.about }
}

fn subnet(own: super::Subnet<'_, Ipv4Addr>) -> Subnet<'_> {
    Subnet { facts: Facts::of(&own), hosts: own.hosts }
}
