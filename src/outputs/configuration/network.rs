//! A node's interfaces in the terms of `networking.{interfaces,bonds,vlans}`.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Serialize;

use crate::model::{BondMode, IfName, MacAddr, Node};

/// `networking.interfaces.<device>`.
#[derive(Serialize)]
pub(super) struct Interface<'a> {
    device: &'a IfName,
    ipv4: Vec<Address>,
    ipv6: Vec<Address>,
    mtu: Option<u16>,
}

#[derive(Serialize)]
struct Address {
    address: IpAddr,
    prefix: u8,
}

/// `networking.bonds.<name>`.
#[derive(Serialize)]
pub(super) struct Bond<'a> {
    name: &'a IfName,
    members: &'a [IfName],
    mode: BondMode,
    /// LACP wants to hear of a partner; the other modes watch the link itself.
    lacp: bool,
}

/// `networking.vlans.<device>`.
#[derive(Serialize)]
pub(super) struct Vlan<'a> {
    device: &'a IfName,
    link: &'a IfName,
    id: u16,
}

/// A name that is bound to an address (systemd.link(5)).
#[derive(Serialize)]
pub(super) struct Link<'a> {
    /// The name of the link file.
    file: String,
    name: &'a IfName,
    mac: MacAddr,
    /// systemd applies the first link file that matches, so that what NixOS writes for `mtu` would be lost.
    mtu: Option<String>,
}

/// Every device that has addresses, by name, and every physical one whose VLANs carry larger packets than usual.
pub(super) fn interfaces(node: &Node) -> Vec<Interface<'_>> {
    let mut devices = BTreeMap::<&IfName, Interface<'_>>::new();
    let empty = |device| Interface { device, ipv4: Vec::new(), ipv6: Vec::new(), mtu: None };
    for own in node.interfaces.iter().filter(|own| own.network.is_some()) {
        let device = devices.entry(&own.device).or_insert_with(|| empty(&own.device));
        device.mtu = device.mtu.max(own.mtu);
        for net in &own.addresses {
            let list = if net.addr().is_ipv4() { &mut device.ipv4 } else { &mut device.ipv6 };
            list.push(Address { address: net.addr(), prefix: net.prefix_len() });
        }
        if own.vlan.is_some() && own.mtu.is_some() {
            let link = devices.entry(&own.name).or_insert_with(|| empty(&own.name));
            link.mtu = link.mtu.max(own.mtu);
        }
    }
    devices.into_values().collect()
}

pub(super) fn bonds(node: &Node) -> Vec<Bond<'_>> {
    let mut bonds = Vec::new();
    for own in &node.interfaces {
        if let Some(bond) = &own.bond {
            let lacp = bond.mode == BondMode::Lacp;
            bonds.push(Bond { name: &own.name, members: &bond.members, mode: bond.mode, lacp });
        }
    }
    bonds
}

pub(super) fn vlans(node: &Node) -> Vec<Vlan<'_>> {
    let tagged = node.interfaces.iter().filter_map(|own| Some((own, own.vlan?)));
    tagged.map(|(own, id)| Vlan { device: &own.device, link: &own.name, id }).collect()
}

pub(super) fn links(node: &Node) -> Vec<Link<'_>> {
    let bound = node.interfaces.iter().filter_map(|own| Some((own, own.mac?)));
    bound
        .map(|(own, mac)| Link {
            file: format!("10-{}", own.name),
            name: &own.name,
            mac,
            mtu: own.mtu.map(|mtu| mtu.to_string()),
        })
        .collect()
}
