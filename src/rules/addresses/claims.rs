//! Who claims which address.

use std::net::IpAddr;

use crate::diag::Span;
use crate::inventory::known;
use crate::model::Role;
use crate::resolve::{Draft, NetworkEntry};

use super::holders::Holders;

/// An address that something claims.
pub(super) struct Claim<'a> {
    /// The address.
    pub(super) address: IpAddr,
    /// The place where the address is written.
    pub(super) span: &'a Span,
    /// The owner of the address, in words.
    pub(super) owner: String,
    /// The network that the address is in, where known.
    pub(super) network: Option<&'a NetworkEntry>,
}

/// Lists the addresses of all nodes.
pub(super) fn hosts<'a>(draft: &'a Draft<'_>) -> impl Iterator<Item = Claim<'a>> {
    draft.nodes.iter().flat_map(|node| {
        node.addresses.iter().map(|address| Claim {
            address: address.address,
            span: address.span,
            owner: format!("`{}`", node.entry.key),
            network: address.network,
        })
    })
}

/// Lists the provisioner's addresses.
pub(super) fn provisioner<'a>(draft: &'a Draft<'_>) -> impl Iterator<Item = Claim<'a>> {
    draft.provisioner_interfaces().filter_map(|interface| {
        let address = interface.address?;
        let network = interface.network.and_then(|name| draft.networks.get(name.value.as_str()).copied());
        let owner = "the provisioner".to_owned();
        Some(Claim { address: address.value.into(), span: &address.span, owner, network })
    })
}

/// Lists the virtual addresses in the order of the file; each is in the cluster network that holds it.
pub(super) fn vips<'a>(draft: &'a Draft<'_>) -> impl Iterator<Item = Claim<'a>> {
    let networks = network_finder(draft, Role::Cluster);
    let mut vips: Vec<_> = draft.vips().collect();
    vips.sort_by_key(|vip| vip.span.start);
    vips.into_iter().map(move |vip| Claim {
        address: vip.address,
        span: vip.span,
        owner: format!("`{}`", vip.key),
        network: networks(vip.address),
    })
}

/// Makes a function that finds the network with `role` which holds an address.
pub(in crate::rules) fn network_finder<'a>(
    draft: &Draft<'a>,
    role: Role,
) -> impl Fn(IpAddr) -> Option<&'a NetworkEntry> + use<'a> {
    let networks = draft.networks.values().copied().filter(|network| network.value.is(role));
    let subnets = networks.flat_map(|network| {
        let v4 =
            known(&network.value.subnet).map(|net| (net.network().into(), net.broadcast().into(), network));
        let v6 =
            known(&network.value.subnet6).map(|net| (net.network().into(), net.broadcast().into(), network));
        v4.into_iter().chain(v6)
    });
    let holders = Holders::new(subnets);
    move |address| holders.find(address)
}

/// Lists the addresses of all BMCs; each is in the management network that holds it.
pub(super) fn bmcs<'a>(draft: &'a Draft<'_>) -> impl Iterator<Item = Claim<'a>> {
    let networks = network_finder(draft, Role::Management);
    draft.nodes.iter().filter_map(move |node| {
        let address = node.entry.value.bmc.as_ref()?.address.as_ref()?;
        let owner = format!("the BMC of `{}`", node.entry.key);
        Some(Claim { address: address.value, span: &address.span, owner, network: networks(address.value) })
    })
}
