//! The next free addresses of the ranges of a profile.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use anyhow::{Context, Result, anyhow, ensure};

use crate::inventory::{ProfileTable, known};
use crate::model::{Label, Range, Role, list_few};
use crate::resolve::{Draft, DraftNode, NetworkEntry};
use crate::rules::TakenAddresses;

/// Gives out the addresses of ranges, lowest first.
pub(super) struct Allocator<'d> {
    draft: &'d Draft<'d>,
    taken: TakenAddresses,
    /// By first address of the range: the last address that was given out.
    last: HashMap<IpAddr, IpAddr>,
}

/// An address for a new node, in `network`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Assigned {
    /// The name of the network.
    pub(super) network: String,
    /// The address.
    pub(super) address: IpAddr,
}

impl<'d> Allocator<'d> {
    pub(super) fn new(draft: &'d Draft<'d>) -> Self {
        Self { draft, taken: TakenAddresses::of(draft), last: HashMap::new() }
    }

    /// Keeps `address`, which was asked for, from being given out.
    ///
    /// # Errors
    /// When `network` is unknown, or the address belongs to something.
    pub(super) fn reserve(&mut self, node: &str, network: &str, address: IpAddr) -> Result<()> {
        let entry = self.draft.networks.get(network).copied();
        let entry = entry.with_context(|| format!("there is no network `{network}`"))?;
        if let Some(owner) = self.taken.owner(entry, address) {
            return Err(anyhow!(
                "{address} belongs to {owner}: give `{node}` another address in `{network}`"
            ));
        }
        self.taken.take(address, format!("`{node}`"));
        Ok(())
    }

    /// Keeps `address`, which was asked for as that of a BMC, from being given out.
    pub(super) fn reserve_bmc(&mut self, node: &str, address: IpAddr) {
        self.taken.take(address, format!("the BMC of `{node}`"));
    }

    /// The addresses of `node` in the networks that the interfaces of `profile` name, IPv4 first; networks in `given`
    /// have one.
    ///
    /// # Errors
    /// When a network has no range for the profile, or the range is full.
    pub(super) fn assign(&mut self, node: &str, profile: &str, given: &[Assigned]) -> Result<Vec<Assigned>> {
        let table = self.draft.profiles.get(profile).copied();
        let table = table.with_context(|| self.unknown_profile(profile))?;
        let (mut assigned, mut faults) = (Vec::new(), Vec::new());
        for network in self.networks_of(&table.value) {
            for is_ipv4 in [true, false] {
                let is_given =
                    |given: &&Assigned| given.network == network.key && given.address.is_ipv4() == is_ipv4;
                if let Some(given) = given.iter().find(is_given) {
                    assigned.push(given.clone());
                    continue;
                }
                match self.next_in(node, profile, network, is_ipv4) {
                    Ok(address) => assigned
                        .extend(address.map(|address| Assigned { network: network.key.clone(), address })),
                    Err(fault) => faults.push(fault.to_string()),
                }
            }
        }
        ensure!(faults.is_empty(), "{}", faults.join("; "));
        for given in given {
            if !assigned.contains(given) {
                assigned.push(given.clone());
            }
        }
        assigned.sort_by_key(|assigned| assigned.address.is_ipv6());
        Ok(assigned)
    }

    /// The address of the BMC of `node`: of the range of `profile` in a network that is for BMCs and not for the node.
    ///
    /// # Errors
    /// When the range is full.
    pub(super) fn assign_bmc(&mut self, node: &str, profile: &str) -> Result<Option<IpAddr>> {
        let Some(table) = self.draft.profiles.get(profile).copied() else { return Ok(None) };
        let connected: Vec<&str> =
            self.networks_of(&table.value).iter().map(|network| network.key.as_str()).collect();
        let networks = self.draft.networks.values().copied();
        let managed = networks
            .filter(|network| network.value.is(Role::Management) && !connected.contains(&&*network.key));
        for network in managed {
            for is_ipv4 in [true, false] {
                if let Some(range) = find_range(network, profile, is_ipv4) {
                    let owner = format!("the BMC of `{node}`");
                    return self.take_next(owner, profile, network, range).map(Some);
                }
            }
        }
        Ok(None)
    }

    /// How many addresses are left in each range of `profile`, by network and range.
    pub(super) fn left(&self, profile: &str) -> Vec<(String, Range<IpAddr>, u128)> {
        let networks = self.draft.networks.values().copied();
        let ranges = networks.flat_map(|network| {
            [true, false].map(|is_ipv4| Some((network, find_range(network, profile, is_ipv4)?)))
        });
        let count = |(network, range): (&NetworkEntry, Range<IpAddr>)| {
            let size = (number(range.last).saturating_sub(number(range.first))).saturating_add(1);
            let taken = u128::try_from(self.taken.owners_in(&range).len()).unwrap_or(u128::MAX);
            (network.key.clone(), range, size.saturating_sub(taken))
        };
        ranges.flatten().map(count).collect()
    }

    /// The networks that the interfaces of the profile name, in their order.
    fn networks_of(&self, profile: &ProfileTable) -> Vec<&'d NetworkEntry> {
        let mut interfaces: Vec<_> = profile.common.interfaces.iter().collect();
        interfaces.sort_by_key(|interface| interface.span.start);
        let names =
            interfaces.iter().filter_map(|interface| known(&interface.value.network).map(Label::as_str));
        let mut networks: Vec<&NetworkEntry> = Vec::new();
        for network in names.filter_map(|name| self.draft.networks.get(name).copied()) {
            if !networks.iter().any(|other| other.key == network.key) {
                networks.push(network);
            }
        }
        networks
    }

    /// The next address of one family in `network`; none where nodes of the profile have none there.
    fn next_in(
        &mut self,
        node: &str,
        profile: &str,
        network: &NetworkEntry,
        is_ipv4: bool,
    ) -> Result<Option<IpAddr>> {
        if let Some(range) = find_range(network, profile, is_ipv4) {
            return self.take_next(format!("`{node}`"), profile, network, range).map(Some);
        }
        if !self.needs_address(profile, network, is_ipv4) {
            return Ok(None);
        }
        let (key, example) = if is_ipv4 {
            ("range", "10.0.100.80-10.0.100.99")
        } else {
            ("range6", "fd00:100::80-fd00:100::9f")
        };
        Err(anyhow!(
            "the network `{name}` has no range for the profile `{profile}`: add a line to [network.{name}], such as \
             `{key}.{profile} = \"{example}\"`, or name the address with --address {name}=ADDRESS",
            name = network.key
        ))
    }

    /// Whether a node of `profile` has an address of that family in `network`: the others have one, or there is no
    /// other node, and nodes cannot do without.
    fn needs_address(&self, profile: &str, network: &NetworkEntry, is_ipv4: bool) -> bool {
        let unspecified: IpAddr =
            if is_ipv4 { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        if network.value.subnet_for(unspecified).is_none() {
            return false;
        }
        let is_peer = |node: &&DraftNode<'_>| node.profile.is_some_and(|entry| entry.key == profile);
        let mut peers = self.draft.nodes.iter().filter(is_peer).peekable();
        if peers.peek().is_some() {
            let has_address = |node: &DraftNode<'_>| {
                let mut addresses =
                    node.addresses.iter().filter(|address| address.network_name == network.key);
                addresses.any(|address| address.address.is_ipv4() == is_ipv4)
            };
            return peers.any(has_address);
        }
        let is_required = network.value.is(Role::Provisioning) || network.value.is(Role::Cluster);
        is_required
            && find_range(network, profile, !is_ipv4).is_none()
            && (is_ipv4 || network.value.subnet.is_none())
    }

    /// Takes the lowest free address of `range`.
    fn take_next(
        &mut self,
        owner: String,
        profile: &str,
        network: &NetworkEntry,
        range: Range<IpAddr>,
    ) -> Result<IpAddr> {
        // Addresses only become taken, so that those before the last one need no second look.
        let mut next = match self.last.get(&range.first) {
            Some(last) => successor(*last),
            None => Some(range.first),
        };
        while let Some(address) = next.filter(|address| range.contains(address)) {
            if self.taken.owner(network, address).is_none() {
                self.taken.take(address, owner);
                self.last.insert(range.first, address);
                return Ok(address);
            }
            next = successor(address);
        }
        let holders = list_few(&self.taken.owners_in(&range));
        let left = self.left(profile).into_iter().filter(|(_, _, left)| *left > 0);
        let left: Vec<_> = left.map(|(name, range, left)| format!("{left} in {range} of `{name}`")).collect();
        let rest = if left.is_empty() { String::new() } else { format!("; left are {}", left.join(", ")) };
        Err(anyhow!(
            "the range {range} of `{profile}` in the network `{}` is full, held by {holders}{rest}: make the range larger",
            network.key
        ))
    }

    fn unknown_profile(&self, profile: &str) -> String {
        let mut names: Vec<&str> = self.draft.profiles.keys().copied().collect();
        names.sort_unstable();
        format!("there is no profile `{profile}`: the inventory has {}", list_few(&names))
    }
}

/// The range of `profile` in `network` of one family.
fn find_range(network: &NetworkEntry, profile: &str, is_ipv4: bool) -> Option<Range<IpAddr>> {
    let mut ranges = network.value.ranges();
    ranges
        .find(|(name, range, _)| *name == profile && range.first.is_ipv4() == is_ipv4)
        .map(|(_, range, _)| range)
}

/// An address as a number.
fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    }
}

/// The address after `address`.
fn successor(address: IpAddr) -> Option<IpAddr> {
    match address {
        IpAddr::V4(address) => u32::from(address).checked_add(1).map(|next| Ipv4Addr::from(next).into()),
        IpAddr::V6(address) => u128::from(address).checked_add(1).map(|next| Ipv6Addr::from(next).into()),
    }
}
