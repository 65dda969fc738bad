//! `kea-dhcp4.json`: leases, reservations and boot files for Kea's server for IPv4, which machines boot from (Kea's ARM,
//! "The DHCPv4 Server").

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use serde::Serialize;

use crate::artifact::Artifact;
use crate::model::{AbsPath, Cluster, broadcast};
use crate::outputs::dhcp::{BootFiles, ServedSubnet, artifact, subnets4};
use crate::outputs::{Emit, Output};
use crate::plan::Plan;
use crate::render::Renderer;

use super::classes::{ClientClass, client_classes};
use super::subnet::{KeaSubnet, ReservedAddress, subnet_id};
use super::{KeaConfig, OptionData, SERVER, has_shared_addresses};

pub(in crate::outputs) const OUTPUT: Output =
    Output { name: SERVER.facts().config, templates: &[], emit: Emit::Site(emit) };

/// How clients are told apart.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Dhcp4Clients {
    authoritative: bool,
    /// Firmware, iPXE and the system send different client identifiers for one machine: its MAC address tells which
    /// machine it is.
    match_client_id: bool,
    host_reservation_identifiers: [&'static str; 1],
}

/// The boot files and the subnets.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Dhcp4Service<'a> {
    next_server: Ipv4Addr,
    /// The file for firmware of an architecture without a class.
    boot_file_name: &'static str,
    client_classes: Vec<ClientClass>,
    subnet4: Vec<KeaSubnet<'a, Ipv4Addr>>,
}

fn emit(plan: &Plan, _: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    let cluster = &plan.cluster;
    let home = BootFiles::new(cluster, &cluster.provisioner.home);
    let mut taken = HashSet::new();
    let config = KeaConfig::new(
        "kea-dhcp4",
        cluster,
        Some("raw"),
        Dhcp4Clients {
            authoritative: true,
            match_client_id: false,
            host_reservation_identifiers: ["hw-address"],
        },
        Dhcp4Service {
            next_server: cluster.provisioner.home.address,
            boot_file_name: home.default,
            client_classes: client_classes(cluster, home, has_shared_addresses(cluster)),
            subnet4: subnets4(cluster).into_iter().map(|net| subnet(net, cluster, &mut taken)).collect(),
        },
    );
    let body = with_extra(config.file("Dhcp4")?, cluster.provisioner.extra.get(&SERVER));
    Ok(vec![artifact(SERVER.facts().config, body)?])
}

fn subnet<'a>(
    subnet: ServedSubnet<'a, Ipv4Addr>,
    cluster: &'a Cluster,
    taken: &mut HashSet<u32>,
) -> KeaSubnet<'a, Ipv4Addr> {
    let broadcast = broadcast(IpNet::V4(subnet.net));
    let options = [
        OptionData::addresses("routers", subnet.gateway.as_slice()),
        broadcast.map(|address: IpAddr| OptionData::named("broadcast-address", address)),
        OptionData::addresses("domain-name-servers", &subnet.resolvers),
        subnet.domain.map(|domain| OptionData::named("domain-name", domain)),
    ];
    let id = subnet_id(subnet.net.network().to_bits(), taken);
    let other = subnet.interface.filter(|interface| **interface != cluster.provisioner.home);
    let next_server = other.map(|interface| interface.address);
    let mut subnet = KeaSubnet::new(subnet, id, options, ReservedAddress::IpAddress);
    subnet.next_server = next_server;
    subnet
}

/// Puts the user's additions at the end of `Dhcp4`, by a directive of Kea's: members of that map, with commas between.
/// Kea takes an empty file too, with a warning. Without additions, the file is pure JSON.
fn with_extra(body: Vec<u8>, extra: Option<&AbsPath>) -> Vec<u8> {
    const END: &[u8] = b"\n  }\n}\n";
    match extra.zip(body.strip_suffix(END)) {
        Some((path, members)) => {
            let include = format!(",\n    <?include \"{path}\"?>");
            [members, include.as_bytes(), END].concat()
        }
        None => body,
    }
}
