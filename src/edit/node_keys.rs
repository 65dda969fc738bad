//! The keys of the table of a new node.

use std::net::IpAddr;

use crate::inventory::BmcTable;
use crate::resolve::{Draft, DraftNode};

use super::allocate::Assigned;
use super::literal::toml_key;
use super::new_node::{AddedNode, NewNode};
use super::style::{NewKey, NewValue};

/// A node with its name and its addresses.
pub(super) struct Planned<'n> {
    pub(super) node: &'n NewNode,
    pub(super) name: String,
    pub(super) addresses: Vec<Assigned>,
    pub(super) bmc: Option<IpAddr>,
}

impl Planned<'_> {
    pub(super) fn report(&self, bound: &[&str]) -> AddedNode {
        let addresses = self.addresses.iter().map(|one| (one.network.clone(), one.address)).collect();
        let Self { node, name, bmc, .. } = self;
        let facts = [
            ("mac", node.mac.is_some()),
            ("disks", !node.disks.is_empty()),
            ("serial", node.serial.is_some()),
        ];
        let lacks = facts.iter().filter(|(_, is_known)| !is_known).map(|(key, _)| (*key).to_owned());
        let is_given = |name: &str| node.interface_macs.iter().any(|(given, _)| given == name);
        let cards = bound.iter().filter(|name| !is_given(name)).map(|name| format!("interface.{name}.mac"));
        let lacks = lacks.chain(cards).collect();
        AddedNode { name: name.clone(), profile: node.profile.clone(), addresses, bmc: *bmc, lacks }
    }
}

/// The last node of `profile` in the order of the inventory.
pub(super) fn last_of_profile<'d>(draft: &'d Draft<'_>, profile: &str) -> Option<&'d DraftNode<'d>> {
    draft.nodes.iter().rev().find(|node| has_profile(node, profile))
}

pub(super) fn has_profile(node: &DraftNode<'_>, profile: &str) -> bool {
    node.profile.is_some_and(|entry| entry.key == profile)
}

/// What the nodes of a profile have in common.
pub(super) struct ProfileFacts<'d> {
    profile: &'d str,
    bmcs: Vec<(&'d str, &'d BmcTable)>,
    /// The number of disks of the last node.
    disks: usize,
    /// The interfaces that the last node binds to cards.
    pub(super) bound: Vec<&'d str>,
}

impl<'d> ProfileFacts<'d> {
    pub(super) fn of(draft: &'d Draft<'_>, profile: &'d str) -> Self {
        let nodes = draft.nodes.iter().filter(|node| has_profile(node, profile));
        let bmcs = nodes.filter_map(|node| Some((node.entry.key.as_str(), node.entry.value.bmc.as_ref()?)));
        let last = last_of_profile(draft, profile);
        let interfaces = last.iter().flat_map(|node| &node.entry.value.common.interfaces);
        let bound = interfaces.filter(|entry| entry.value.mac.is_some()).map(|entry| entry.key.as_str());
        let disks = last.map_or(1, |node| node.disks().count().max(1));
        Self { profile, bmcs: bmcs.collect(), disks, bound: bound.collect() }
    }

    /// The value that `key` has at the BMCs of all nodes of the profile.
    fn common<T: PartialEq>(&self, key: impl Fn(&'d str, &'d BmcTable) -> Option<T>) -> Option<T> {
        let mut values = self.bmcs.iter().map(|(name, bmc)| key(name, bmc));
        let first = values.next()??;
        values.all(|value| value.as_ref() == Some(&first)).then_some(first)
    }
}

/// The keys of the table of `node`. With `stand_in`, facts that are missing are made up from that number.
pub(super) fn list_keys(
    planned: &Planned<'_>,
    facts: &ProfileFacts<'_>,
    stand_in: Option<usize>,
) -> Vec<NewKey> {
    let Planned { node, name, addresses, .. } = planned;
    let text = |text: &dyn std::fmt::Display| NewValue::Text(text.to_string());
    let mut keys = vec![("profile", text(&facts.profile))];
    let mac = node.mac.map(|mac| mac.to_string());
    keys.extend(
        mac.or(stand_in.map(|number| make_up_mac(number, 0))).map(|mac| ("mac", NewValue::Text(mac))),
    );
    let mut macs: Vec<(String, String)> = node
        .interface_macs
        .iter()
        .map(|(name, mac)| (format!("{}.mac", toml_key(name)), mac.to_string()))
        .collect();
    if let Some(number) = stand_in {
        let is_given = |name: &str| node.interface_macs.iter().any(|(given, _)| given == name);
        let lacking = facts.bound.iter().enumerate().filter(|(_, name)| !is_given(name));
        macs.extend(
            lacking.map(|(at, name)| (format!("{}.mac", toml_key(name)), make_up_mac(number, at + 1))),
        );
    }
    if !macs.is_empty() {
        keys.push(("interface", NewValue::Table(macs)));
    }
    keys.extend(node.hardware.as_ref().map(|hardware| ("hardware", text(hardware))));
    for (key, is_ipv4) in [("address", true), ("address6", false)] {
        let of_family = addresses.iter().filter(|one| one.address.is_ipv4() == is_ipv4);
        let pairs: Vec<_> = of_family.map(|one| (toml_key(&one.network), one.address.to_string())).collect();
        if !pairs.is_empty() {
            keys.push((key, NewValue::Table(pairs)));
        }
    }
    let mut disks: Vec<String> = node.disks.iter().map(|disk| disk.as_str().to_owned()).collect();
    if let Some(number) = stand_in.filter(|_| disks.is_empty()) {
        disks.extend(
            (0..facts.disks).map(|disk| format!("/dev/disk/by-id/ata-STAND_IN_{name}_{number}_{disk}")),
        );
    }
    if !disks.is_empty() {
        keys.push(("disks", NewValue::List(disks)));
    }
    keys.extend(list_bmc_keys(planned, facts).map(|pairs| ("bmc", NewValue::Table(pairs))));
    let serial = node.serial.as_ref().map(ToString::to_string);
    let serial = serial.or(stand_in.map(|number| format!("STANDIN{number}")));
    keys.extend(serial.map(|serial| ("serial", NewValue::Text(serial))));
    keys.extend(node.rack.as_ref().map(|rack| ("rack", text(rack))));
    keys
}

/// A MAC address for the card `card` of a machine whose addresses are not known.
fn make_up_mac(number: usize, card: usize) -> String {
    format!("02:00:{card:02x}:{:02x}:{:02x}:{:02x}", number >> 16 & 255, number >> 8 & 255, number & 255)
}

/// The keys of the BMC: those that are asked for, else those that all nodes of the profile share.
fn list_bmc_keys(planned: &Planned<'_>, facts: &ProfileFacts<'_>) -> Option<Vec<(String, String)>> {
    let Planned { node: NewNode { bmc, .. }, name, .. } = planned;
    let mut pairs = vec![("address".to_owned(), planned.bmc?.to_string())];
    let user = facts.common(|_, bmc| Some(bmc.user.as_ref()?.value.as_ref()?.to_string()));
    // A file that is named after its node.
    let stem = facts.common(|name, bmc| {
        let file = bmc.password_file.as_ref()?.value.as_ref()?.as_str();
        file.strip_suffix(name).map(str::to_owned)
    });
    let protocol = facts.common(|_, bmc| bmc.protocol.as_ref().map(|protocol| protocol.value));
    let mut add = |key: &str, value: Option<String>| pairs.extend(value.map(|value| (key.to_owned(), value)));
    add("user", bmc.user.clone().or(user));
    add("password_file", bmc.password_file.clone().or(stem.map(|stem| format!("{stem}{name}"))));
    add("protocol", bmc.protocol.or(protocol).map(|protocol| protocol.as_str().to_owned()));
    add("mac", bmc.mac.map(|mac| mac.to_string()));
    Some(pairs)
}
