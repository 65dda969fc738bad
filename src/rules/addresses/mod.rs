//! Chapters C and E: addresses, and who claims them.

mod bmc;
mod hosts;
mod ranges;
mod resolvers;

use std::net::IpAddr;

use crate::diag::Span;
use crate::model::Role;
use crate::resolve::{Draft, NetworkEntry};

pub(super) use bmc::{e01, e02};
pub(super) use hosts::{c01, c02, c03, c04, c05, c06, c10};
pub(super) use ranges::{c12, c13, c14, c17, c19};
pub(super) use resolvers::c15;

/// Something that is given an address in a network.
struct Claim<'a> {
    address: IpAddr,
    span: &'a Span,
    /// Whose it is, in words.
    owner: String,
    network: Option<&'a NetworkEntry>,
}

/// The addresses of all nodes.
fn hosts<'a>(draft: &'a Draft<'_>) -> impl Iterator<Item = Claim<'a>> {
    draft.nodes.iter().flat_map(|node| {
        node.addresses.iter().map(|own| Claim {
            address: own.address,
            span: own.span,
            owner: format!("`{}`", node.entry.key),
            network: own.network,
        })
    })
}

/// The provisioner's address.
fn provisioner<'a>(draft: &'a Draft<'_>) -> Option<Claim<'a>> {
    let table = draft.inventory.provisioner.as_ref()?;
    let address = table.address.as_ref()?;
    let network = table.network.as_ref().and_then(|name| draft.networks.get(name.value.as_str()).copied());
    Some(Claim {
        address: address.value.into(),
        span: &address.span,
        owner: "the provisioner".to_owned(),
        network,
    })
}

/// The virtual addresses in the order in which they are written; each is in that cluster network which holds it.
fn vips<'a>(draft: &'a Draft<'_>) -> impl Iterator<Item = Claim<'a>> {
    let networks = holding(draft, Role::Cluster);
    let mut vips: Vec<_> = draft.vips().collect();
    vips.sort_by_key(|vip| vip.span.start);
    vips.into_iter().map(move |vip| Claim {
        address: vip.address,
        span: vip.span,
        owner: format!("`{}`", vip.key),
        network: networks(vip.address),
    })
}

/// Finds the network for `role` that holds an address.
fn holding<'a>(draft: &Draft<'a>, role: Role) -> impl Fn(IpAddr) -> Option<&'a NetworkEntry> + use<'a> {
    let networks: Vec<_> = draft.networks.values().copied().filter(|own| own.value.is(role)).collect();
    move |address| {
        let holds =
            |own: &&NetworkEntry| own.value.subnet_for(address).is_some_and(|net| net.contains(&address));
        networks.iter().copied().find(holds)
    }
}

/// The addresses of all BMCs; each is in that management network which holds it.
fn bmcs<'a>(draft: &'a Draft<'_>) -> impl Iterator<Item = Claim<'a>> {
    let networks = holding(draft, Role::Management);
    draft.nodes.iter().filter_map(move |node| {
        let address = node.entry.value.bmc.as_ref()?.address.as_ref()?;
        let owner = format!("the BMC of `{}`", node.entry.key);
        Some(Claim { address: address.value, span: &address.span, owner, network: networks(address.value) })
    })
}
