//! `dhcpd.conf`: leases, reservations and boot files for ISC DHCP (dhcpd.conf(5)).

use std::net::Ipv4Addr;

use serde::Serialize;

use crate::artifact::Artifact;
use crate::model::{AbsPath, Cluster, DhcpServer, Label, ProvisionerInterface};
use crate::outputs::{Emit, Output};
use crate::plan::Plan;
use crate::render::{Renderer, Template, template};

use super::{BootFiles, Ipv4Subnet, PlatformFiles, ReservedHost, ServedSubnet};

const SERVER: DhcpServer = DhcpServer::Isc;
const TEMPLATE: Template = template!("dhcpd.dhcp.j2");

pub(in crate::outputs) const OUTPUT: Output =
    Output { name: SERVER.facts().config, templates: &[TEMPLATE], emit: Emit::Site(emit) };

#[derive(Serialize)]
struct Context<'a> {
    next_server: Ipv4Addr,
    lease: u32,
    longest_lease: u32,
    /// The files that machines load from the home address.
    boot: BootFiles,
    subnets: Vec<IscSubnet<'a>>,
    groups: Vec<HostGroup<'a>>,
    /// The BMCs, which boot nothing.
    bmcs: Vec<ReservedHost<'a, Ipv4Addr>>,
    /// The user's additions: a file on the provisioner.
    extra: Option<&'a AbsPath>,
}

/// A subnet, with what machines load there if not from the provisioner's home address.
#[derive(Serialize)]
struct IscSubnet<'a> {
    #[serde(flatten)]
    subnet: Ipv4Subnet<'a>,
    other: Option<OtherFiles>,
}

/// The boot files at another interface of the provisioner than the home interface.
#[derive(Serialize)]
struct OtherFiles {
    next_server: Ipv4Addr,
    #[serde(flatten)]
    boot: BootFiles,
}

/// The nodes of one platform that load from the same address.
#[derive(Serialize)]
struct HostGroup<'a> {
    /// The network of the address, unless it is the home address.
    network: Option<&'a Label>,
    platform: PlatformFiles,
    hosts: Vec<ReservedHost<'a, Ipv4Addr>>,
}

fn emit(plan: &Plan, renderer: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    let cluster = &plan.cluster;
    let provisioner = &cluster.provisioner;
    let mut subnets = super::subnets4(cluster);
    let bmcs =
        subnets.iter_mut().flat_map(|subnet| subnet.hosts.extract_if(.., |host| host.platform.is_none()));
    let bmcs = bmcs.collect();
    let groups = provisioner.interfaces().flat_map(|interface| group_hosts(cluster, interface, &mut subnets));
    let groups = groups.collect();
    let other_files = |interface: &ProvisionerInterface| OtherFiles {
        next_server: interface.address,
        boot: BootFiles::new(cluster, interface),
    };
    let context = Context {
        next_server: provisioner.home.address,
        lease: super::LEASE,
        longest_lease: super::LONGEST_LEASE,
        boot: BootFiles::new(cluster, &provisioner.home),
        groups,
        bmcs,
        subnets: subnets
            .into_iter()
            .map(|subnet| {
                let other = subnet.interface.filter(|interface| **interface != provisioner.home);
                IscSubnet { other: other.map(other_files), subnet: subnet.into() }
            })
            .collect(),
        extra: provisioner.extra.get(&SERVER),
    };
    Ok(vec![super::artifact(SERVER.facts().config, renderer.render(TEMPLATE.name, &context)?)?])
}

/// Takes the nodes that load from the address of `interface` out of `subnets`, and groups them by platform.
fn group_hosts<'a>(
    cluster: &'a Cluster,
    interface: &'a ProvisionerInterface,
    subnets: &mut [ServedSubnet<'a, Ipv4Addr>],
) -> Vec<HostGroup<'a>> {
    let provisioner = &cluster.provisioner;
    let loads_here =
        |subnet: &&mut ServedSubnet<'_, Ipv4Addr>| provisioner.interface_for(subnet.label) == interface;
    let hosts = subnets.iter_mut().filter(loads_here).flat_map(|subnet| std::mem::take(&mut subnet.hosts));
    let mut hosts: Vec<_> = hosts.collect();
    let network = (*interface != provisioner.home).then_some(&interface.network);
    let mut groups = Vec::new();
    for platform in BootFiles::new(cluster, interface).platforms {
        let (of_platform, others): (Vec<_>, Vec<_>) =
            hosts.into_iter().partition(|host| host.platform.as_ref() == Some(&platform.name));
        hosts = others;
        if !of_platform.is_empty() {
            groups.push(HostGroup { network, platform, hosts: of_platform });
        }
    }
    groups
}
