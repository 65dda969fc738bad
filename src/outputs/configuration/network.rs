//! A node's interfaces in the terms of the NixOS options `networking.{interfaces,bonds,vlans}`.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Serialize;

use crate::model::{BondMode, IfName, Interface, MacAddr, Node};

/// The options `networking.interfaces.<device>`.
#[derive(Serialize)]
pub(super) struct InterfaceOptions<'a> {
    device: &'a IfName,
    ipv4: Vec<AddressOptions>,
    ipv6: Vec<AddressOptions>,
    mtu: Option<u16>,
}

/// An element of `networking.interfaces.<device>.ipv4.addresses`.
#[derive(Serialize)]
struct AddressOptions {
    address: IpAddr,
    prefix: u8,
}

/// The options `networking.defaultGateway` and `networking.defaultGateway6`.
#[derive(Serialize)]
pub(super) struct GatewayOptions<'a> {
    address: IpAddr,
    /// The device on whose link the gateway is. systemd-networkd has no route without a link.
    interface: &'a IfName,
}

/// The options `networking.bonds.<name>`.
#[derive(Serialize)]
pub(super) struct BondOptions<'a> {
    name: &'a IfName,
    members: &'a [IfName],
    mode: BondMode,
    /// Whether the bond negotiates with the switch; bonds of the other modes watch the link.
    lacp: bool,
}

/// The options `networking.vlans.<device>`.
#[derive(Serialize)]
pub(super) struct VlanOptions<'a> {
    device: &'a IfName,
    link: &'a IfName,
    id: u16,
}

/// A file that binds an interface's name to a MAC address (systemd.link(5)).
#[derive(Serialize)]
pub(super) struct LinkFile<'a> {
    /// The name of the file.
    file: String,
    name: &'a IfName,
    mac: MacAddr,
    /// The MTU. systemd applies the first link file that matches, so it would ignore the file that NixOS writes for
    /// `networking.interfaces.<device>.mtu`.
    mtu: Option<String>,
}

/// Lists every device that has addresses, by name, and every physical interface whose VLANs have an MTU.
pub(super) fn list_interfaces(node: &Node) -> Vec<InterfaceOptions<'_>> {
    let mut devices = BTreeMap::<&IfName, InterfaceOptions<'_>>::new();
    let empty = |device| InterfaceOptions { device, ipv4: Vec::new(), ipv6: Vec::new(), mtu: None };
    for interface in node.interfaces.iter().filter(|interface| interface.network.is_some()) {
        let device = devices.entry(&interface.device).or_insert_with(|| empty(&interface.device));
        device.mtu = device.mtu.max(interface.mtu);
        for net in &interface.addresses {
            let list = if net.addr().is_ipv4() { &mut device.ipv4 } else { &mut device.ipv6 };
            list.push(AddressOptions { address: net.addr(), prefix: net.prefix_len() });
        }
        if interface.vlan.is_some() && interface.mtu.is_some() {
            let link = devices.entry(&interface.name).or_insert_with(|| empty(&interface.name));
            link.mtu = link.mtu.max(interface.mtu);
        }
    }
    devices.into_values().collect()
}

/// Lists the default routes of `node`, each with the name of its NixOS option.
pub(super) fn list_gateways(node: &Node) -> Vec<(&'static str, GatewayOptions<'_>)> {
    let families = [
        ("defaultGateway", node.gateway.map(IpAddr::V4)),
        ("defaultGateway6", node.gateway6.map(IpAddr::V6)),
    ];
    families
        .into_iter()
        .filter_map(|(option, gateway)| Some((option, find_gateway(node, gateway?)?)))
        .collect()
}

/// Finds the interface for the default route of `node` by the gateway `address`: the interface with an address in the
/// gateway's subnet, or else the first interface in the network in which the node is reached.
fn find_gateway(node: &Node, address: IpAddr) -> Option<GatewayOptions<'_>> {
    let is_on_link = |interface: &&Interface| interface.addresses.iter().any(|net| net.contains(&address));
    let is_at_home = |interface: &&Interface| interface.network == node.home;
    let interface =
        node.interfaces.iter().find(is_on_link).or_else(|| node.interfaces.iter().find(is_at_home))?;
    Some(GatewayOptions { address, interface: &interface.device })
}

/// Lists the bonds of `node`.
pub(super) fn list_bonds(node: &Node) -> Vec<BondOptions<'_>> {
    let mut bonds = Vec::new();
    for interface in &node.interfaces {
        if let Some(bond) = &interface.bond {
            let lacp = bond.mode == BondMode::Lacp;
            bonds.push(BondOptions { name: &interface.name, members: &bond.members, mode: bond.mode, lacp });
        }
    }
    bonds
}

/// Lists the VLAN devices of `node`.
pub(super) fn list_vlans(node: &Node) -> Vec<VlanOptions<'_>> {
    let tagged = node.interfaces.iter().filter_map(|interface| Some((interface, interface.vlan?)));
    tagged
        .map(|(interface, id)| VlanOptions { device: &interface.device, link: &interface.name, id })
        .collect()
}

/// Lists a link file for each interface of `node` that is bound to a MAC address.
pub(super) fn list_links(node: &Node) -> Vec<LinkFile<'_>> {
    let bound = node.interfaces.iter().filter_map(|interface| Some((interface, interface.mac?)));
    bound
        .map(|(interface, mac)| LinkFile {
            file: format!("10-{}", interface.name),
            name: &interface.name,
            mac,
            mtu: interface.mtu.map(|mtu| mtu.to_string()),
        })
        .collect()
}
