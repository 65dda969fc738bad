//! Networks as written: questions that rules and the finished cluster ask.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::diag::Span;
use crate::inventory::{Entry, NetworkTable, known};
use crate::model::{Label, Range, Role};

/// A network as written, with its name.
pub type NetworkEntry = Entry<Label, NetworkTable>;

/// The networks of the inventory by name.
pub(super) type Networks<'a> = BTreeMap<&'a str, &'a NetworkEntry>;

impl NetworkTable {
    /// Whether the network has `role`.
    #[must_use]
    pub fn is(&self, role: Role) -> bool {
        self.roles.as_ref().is_some_and(|roles| roles.value.iter().any(|item| item.value == Some(role)))
    }

    /// Whether the network has `role`, or may have: its roles are faulty or missing.
    #[must_use]
    pub fn may_be(&self, role: Role) -> bool {
        self.is(role) || !self.roles_known()
    }

    /// Whether the roles are written and sound.
    #[must_use]
    pub fn roles_known(&self) -> bool {
        self.roles.as_ref().is_some_and(|roles| roles.value.iter().all(|role| role.value.is_some()))
    }

    /// The subnet of the family of `address`.
    #[must_use]
    pub fn subnet_for(&self, address: IpAddr) -> Option<IpNet> {
        match address {
            IpAddr::V4(_) => known(&self.subnet).map(|net| IpNet::V4(*net)),
            IpAddr::V6(_) => known(&self.subnet6).map(|net| IpNet::V6(*net)),
        }
    }

    /// The sound subnets with their places.
    pub fn subnets(&self) -> impl Iterator<Item = (IpNet, &Span)> {
        let v4 = self.subnet.as_ref().and_then(|net| Some((IpNet::V4(net.value?), &net.span)));
        let v6 = self.subnet6.as_ref().and_then(|net| Some((IpNet::V6(net.value?), &net.span)));
        v4.into_iter().chain(v6)
    }

    /// Whether the network has a subnet of the family of `address`, or may have: that subnet is faulty, or both are missing.
    #[must_use]
    pub fn may_have_family(&self, address: IpAddr) -> bool {
        let written = if address.is_ipv4() { self.subnet.is_some() } else { self.subnet6.is_some() };
        written || (self.subnet.is_none() && self.subnet6.is_none())
    }

    /// Whether the subnet holds `address`, or may hold it: the subnet is faulty or missing.
    #[must_use]
    pub fn may_hold(&self, address: IpAddr) -> bool {
        let net = self.subnet_for(address);
        net.map_or_else(|| self.may_have_family(address), |net| net.contains(&address))
    }

    /// Whether the site has a zone for the network's domain.
    #[must_use]
    pub fn has_zone(&self) -> bool {
        self.zone.as_ref().is_none_or(|zone| zone.value)
    }

    /// The sound DNS servers with their places.
    pub fn resolvers(&self) -> impl Iterator<Item = (IpAddr, &Span)> + Clone {
        let resolvers = known(&self.dns).into_iter().flatten();
        resolvers.filter_map(|server| Some((server.value?, &server.span)))
    }

    /// The sound gateways with their places.
    pub fn gateways(&self) -> impl Iterator<Item = (IpAddr, &Span)> {
        let v4 = self.gateway.as_ref().and_then(|gateway| Some((gateway.value?.into(), &gateway.span)));
        let v6 = self.gateway6.as_ref().and_then(|gateway| Some((gateway.value?.into(), &gateway.span)));
        v4.into_iter().chain(v6)
    }

    /// The pools with their places.
    pub fn pools(&self) -> impl Iterator<Item = (Range<IpAddr>, &Span)> {
        let v4 = self.pool.as_ref().map(|pool| (of_any_family(pool.value), &pool.span));
        let v6 = self.pool6.as_ref().map(|pool| (of_any_family(pool.value), &pool.span));
        v4.into_iter().chain(v6)
    }

    /// The named ranges with their places.
    pub fn ranges(&self) -> impl Iterator<Item = (&str, Range<IpAddr>, &Span)> {
        let v4 = self
            .ranges
            .iter()
            .map(|Entry { key, value: range, .. }| (key.as_str(), of_any_family(range.value), &range.span));
        let v6 = self
            .ranges6
            .iter()
            .map(|Entry { key, value: range, .. }| (key.as_str(), of_any_family(range.value), &range.span));
        v4.chain(v6)
    }
}

/// `range` as a range of either family; an IPv4 address is never inside an IPv6 range.
fn of_any_family<A: Into<IpAddr>>(range: Range<A>) -> Range<IpAddr> {
    Range { first: range.first.into(), last: range.last.into() }
}
