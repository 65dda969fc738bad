//! `kea-dhcp4.json`: Kea's server for IPv4, the one that machines boot from (Kea's ARM, "The DHCPv4 Server").

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use serde::Serialize;

use crate::artifact::Artifact;
use crate::model::{AbsPath, Cluster, DhcpServer, HTTP_CLIENT, IPXE_CLASS, broadcast};
use crate::outputs::{Emit, Output, json};
use crate::plan::Plan;
use crate::render::Renderer;

use super::kea::{Interfaces, LEASES, Leases, Logger, OptionData, Served};
use super::{Choice, Subnet, kea};

pub(in crate::outputs) const OUTPUT: Output = Output {
    name: "kea-dhcp4.json",
    about: "leases, reservations and boot files for Kea",
    template: None,
    emit: Emit::Site(emit),
};

/// The class of iPXE. It is decided first, and the firmware's classes leave out its members.
const IPXE: &str = "ipxe";

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct File<'a> {
    dhcp4: Dhcp4<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Dhcp4<'a> {
    interfaces_config: Interfaces<'a>,
    lease_database: Leases,
    loggers: [Logger; 1],
    authoritative: bool,
    /// Firmware, iPXE and the system name themselves differently, and are one machine: its MAC address says which.
    match_client_id: bool,
    host_reservation_identifiers: [&'static str; 1],
    valid_lifetime: u32,
    max_valid_lifetime: u32,
    next_server: Ipv4Addr,
    /// For firmware of an architecture without a class.
    boot_file_name: &'static str,
    client_classes: Vec<Class>,
    subnet4: Vec<Served<'a, Ipv4Addr, Address>>,
}

/// Machines that boot the same way.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Class {
    name: String,
    test: String,
    boot_file_name: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    option_data: Vec<OptionData>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Address {
    ip_address: Ipv4Addr,
}

fn emit(plan: &Plan, _: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    let cluster = &plan.cluster;
    let own = &cluster.provisioner;
    let boot = super::boot(cluster);
    let mut taken = HashSet::new();
    let subnets = super::subnets4(cluster).into_iter();
    let file = File {
        dhcp4: Dhcp4 {
            interfaces_config: kea::interfaces(&own.interface, Some("raw")),
            lease_database: LEASES,
            loggers: kea::logger("kea-dhcp4"),
            authoritative: true,
            match_client_id: false,
            host_reservation_identifiers: ["hw-address"],
            valid_lifetime: super::LEASE,
            max_valid_lifetime: super::LONGEST_LEASE,
            next_server: own.address,
            boot_file_name: boot.default,
            client_classes: [ipxe(boot.script)]
                .into_iter()
                .chain(boot.loaders.into_iter().map(class))
                .collect(),
            subnet4: subnets.map(|own| subnet(own, cluster, &mut taken)).collect(),
        },
    };
    let body = with_extra(json(&file)?, own.extra.get(&DhcpServer::Kea));
    Ok(vec![Artifact::new("site/pxe/kea-dhcp4.json", body)?])
}

/// iPXE sends its class as it is; some builds send it with its length before it (RFC 3004). It need not wait for
/// offers of proxies: its option 175.176, `no-pxedhcp`.
fn ipxe(script: String) -> Class {
    let length = u8::try_from(IPXE_CLASS.len()).unwrap_or(u8::MAX);
    let counted = kea::hex(&[&[length], IPXE_CLASS.as_bytes()].concat());
    Class {
        name: IPXE.to_owned(),
        test: format!("option[77].hex == '{IPXE_CLASS}' or option[77].hex == 0x{counted}"),
        boot_file_name: script,
        option_data: vec![OptionData::raw(175, &[176, 1, 1]).always()],
    }
}

fn class(own: Choice) -> Class {
    let vendor_class = || OptionData::named("vendor-class-identifier", HTTP_CLIENT).always();
    Class {
        name: format!("arch-{:04x}", own.architecture),
        test: format!("not member('{IPXE}') and option[93].hex == 0x{:04X}", own.architecture),
        boot_file_name: own.file,
        option_data: own.http.then(vendor_class).into_iter().collect(),
    }
}

fn subnet<'a>(
    own: Subnet<'a, Ipv4Addr>,
    cluster: &'a Cluster,
    taken: &mut HashSet<u32>,
) -> Served<'a, Ipv4Addr, Address> {
    let options = [
        kea::list("routers", own.gateway.as_slice()),
        broadcast(IpNet::V4(own.net)).map(|address: IpAddr| OptionData::named("broadcast-address", address)),
        kea::list("domain-name-servers", &own.resolvers),
        own.domain.map(|domain| OptionData::named("domain-name", domain)),
    ];
    let id = kea::subnet_id(own.net.network().to_bits(), taken);
    kea::served(own, cluster, id, options, |address| Address { ip_address: address })
}

/// Puts what the user adds at the end of `Dhcp4`, by a directive of Kea's: members of that map, with commas between.
/// Kea takes an empty file too, with a warning. Without an addition, the file is pure JSON.
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
