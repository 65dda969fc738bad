//! The addresses that nothing new may have, by the rules of this chapter and of chapter E.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::model::{Range, broadcast, is_network_address};
use crate::resolve::{Draft, NetworkEntry};

use super::claims::{bmcs, hosts, provisioner, vips};

/// The addresses that a new node or BMC must not have, each with its owner in words: those of nodes, BMCs, the
/// provisioner, virtual addresses, gateways, resolvers and time servers (rules C04, C05, C06, E01, E05), and the pools
/// (C13).
#[derive(Clone, Debug)]
pub struct TakenAddresses {
    owners: HashMap<IpAddr, String>,
    pools: Vec<Range<IpAddr>>,
}

impl TakenAddresses {
    /// Lists the addresses that `draft` gives to something.
    #[must_use]
    pub fn of(draft: &Draft<'_>) -> Self {
        let claims = hosts(draft).chain(provisioner(draft)).chain(vips(draft)).chain(bmcs(draft));
        let mut owners: HashMap<IpAddr, String> = claims.map(|claim| (claim.address, claim.owner)).collect();
        for network in draft.networks.values() {
            for (gateway, _) in network.value.gateways() {
                owners.entry(gateway).or_insert_with(|| format!("the gateway of `{}`", network.key));
            }
            for (resolver, _) in network.value.resolvers() {
                owners.entry(resolver).or_insert_with(|| format!("a resolver of `{}`", network.key));
            }
        }
        let servers = draft.inventory.ntp.servers.iter().flat_map(|list| &list.value);
        for server in servers.filter_map(|server| server.value.as_ref()?.address()) {
            owners.entry(server).or_insert_with(|| "a time server".to_owned());
        }
        let pools = draft.networks.values().flat_map(|network| network.value.pools());
        Self { owners, pools: pools.map(|(pool, _)| pool).collect() }
    }

    /// The owner of `address` in `network`, in words; none where the address is free.
    #[must_use]
    pub fn owner(&self, network: &NetworkEntry, address: IpAddr) -> Option<String> {
        if let Some(owner) = self.owners.get(&address) {
            return Some(owner.clone());
        }
        if self.pools.iter().any(|pool| pool.contains(&address)) {
            return Some("the pool".to_owned());
        }
        let subnet = network.value.subnet_for(address)?;
        let is_reserved = is_network_address(subnet, address) || broadcast(subnet) == Some(address);
        is_reserved.then(|| "the network itself".to_owned())
    }

    /// Gives `address` to `owner`, in words.
    pub fn take(&mut self, address: IpAddr, owner: String) {
        self.owners.insert(address, owner);
    }

    /// The owners of the addresses in `range`, in the order of the addresses.
    #[must_use]
    pub fn owners_in(&self, range: &Range<IpAddr>) -> Vec<&str> {
        let mut owners: Vec<_> = self.owners.iter().filter(|(address, _)| range.contains(address)).collect();
        owners.sort();
        owners.into_iter().map(|(_, owner)| owner.as_str()).collect()
    }
}
