//! From the inventory to a cluster: references followed, profiles laid under nodes, defaults filled in.
//!
//! A [`Draft`] is resolved as far as it goes, so that rules still run on what is sound of a faulty inventory. Only a
//! draft without faults becomes a [`Cluster`](crate::model::Cluster): see [`seal`].

mod layers;
mod node;
mod origin;
mod profile;
mod seal;
mod show;

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use ipnet::IpNet;

use crate::diag::Span;
use crate::inventory::{Entries, Entry, Inventory, Maybe, NetworkTable, ProfileTable, ServiceTable, known};
use crate::model::{HostName, Label, Ports, Range, Role, known_service};

pub use node::{Address, DraftInterface, DraftNode, DraftService};
pub use origin::Origin;
pub use seal::seal;
pub use show::{Shown, show_cluster, show_node};

/// A network as it is written, with its name.
pub type NetworkEntry = Entry<Label, NetworkTable>;

/// An inventory whose references have been followed. What is dangling or missing is `None`.
#[derive(Debug)]
pub struct Draft<'a> {
    /// What is written.
    pub inventory: &'a Inventory,
    /// Its networks by name.
    pub networks: BTreeMap<&'a str, &'a NetworkEntry>,
    /// Its profiles by name.
    pub profiles: HashMap<&'a str, &'a Entry<Label, ProfileTable>>,
    /// Its `[service.…]` tables by name.
    pub services: HashMap<&'a str, &'a Entry<Label, ServiceTable>>,
    /// Its nodes in the order in which they are written, so that of two that share something, the first comes first.
    pub nodes: Vec<DraftNode<'a>>,
    /// Where each node is in `nodes`.
    index: HashMap<&'a str, usize>,
}

fn by_name<K, T>(entries: &Entries<K, T>) -> impl Iterator<Item = (&str, &Entry<K, T>)> {
    entries.iter().map(|entry| (entry.key.as_str(), entry))
}

/// Follows the references of `inventory`.
#[must_use]
pub fn resolve(inventory: &Inventory) -> Draft<'_> {
    let mut draft = Draft {
        inventory,
        networks: by_name(&inventory.networks).collect(),
        profiles: by_name(&inventory.profiles).collect(),
        services: by_name(&inventory.services).collect(),
        nodes: Vec::new(),
        index: HashMap::new(),
    };
    draft.nodes = inventory.nodes.iter().map(|entry| node::resolve(&draft, entry)).collect();
    draft.nodes.sort_by_key(|node| node.entry.span.start);
    draft.index = draft.nodes.iter().enumerate().map(|(at, node)| (node.entry.key.as_str(), at)).collect();
    draft
}

impl<'a> Draft<'a> {
    /// The node called `name`.
    #[must_use]
    pub fn node(&self, name: &str) -> Option<&DraftNode<'a>> {
        self.index.get(name).map(|at| &self.nodes[*at])
    }

    /// The names of `cluster.bootstrap` with their places, without faulty ones.
    pub fn bootstrap(&self) -> impl Iterator<Item = (&'a str, &'a Span)> + use<'a> {
        let list = self.inventory.cluster.as_ref().and_then(|cluster| cluster.bootstrap.as_ref());
        let names = list.map_or(&[][..], |list| &list.value);
        names.iter().filter_map(|name| Some((name.value.as_deref()?, &name.span)))
    }

    /// Whether the cluster lives already.
    #[must_use]
    pub fn formed(&self) -> bool {
        let formed = self.inventory.cluster.as_ref().and_then(|cluster| cluster.formed.as_ref());
        formed.is_some_and(|formed| formed.value)
    }

    /// The ports of the service called `name`: those known from the start, under what the inventory says.
    #[must_use]
    pub fn ports(&self, name: &str) -> Option<Ports> {
        let table = self.services.get(name).map(|entry| &entry.value);
        let mut ports = known_service(name)
            .or_else(|| Some(Ports { port: *known(&table?.port)?, ..Ports::default() }))?;
        if let Some(table) = table {
            let port = |own: &Maybe<u16>, base| own.as_ref().map_or(base, |port| port.value);
            ports.port = port(&table.port, Some(ports.port))?;
            ports.raft_port = port(&table.raft_port, ports.raft_port);
            ports.gossip_port = port(&table.gossip_port, ports.gossip_port);
            ports.health_port = port(&table.health_port, ports.health_port);
            ports.udp = table.udp.as_ref().map_or(ports.udp, |udp| udp.value);
            ports.clients = table.clients.as_ref().map_or(ports.clients, |clients| clients.value);
        }
        Some(ports)
    }

    /// The virtual addresses of both families.
    pub fn vips(&self) -> impl Iterator<Item = Vip<'a>> {
        let inventory = self.inventory;
        let v4 = inventory
            .vips
            .iter()
            .map(|vip| Vip::new(&vip.key, &vip.span, &vip.name, vip.value.value, &vip.value.span));
        let v6 = inventory
            .vips6
            .iter()
            .map(|vip| Vip::new(&vip.key, &vip.span, &vip.name, vip.value.value, &vip.value.span));
        v4.chain(v6)
    }
}

/// A virtual address as it is written.
#[derive(Clone, Copy, Debug)]
pub struct Vip<'a> {
    /// Its name as it is written.
    pub key: &'a str,
    /// Where the name is written.
    pub key_span: &'a Span,
    /// The name, where it is legal.
    pub name: Option<&'a HostName>,
    /// The address.
    pub address: IpAddr,
    /// Where the address is written.
    pub span: &'a Span,
}

impl<'a> Vip<'a> {
    fn new(
        key: &'a str,
        key_span: &'a Span,
        name: &'a Option<HostName>,
        address: impl Into<IpAddr>,
        span: &'a Span,
    ) -> Self {
        Self { key, key_span, name: name.as_ref(), address: address.into(), span }
    }
}

impl NetworkTable {
    /// Whether it is for `role`.
    #[must_use]
    pub fn is(&self, role: Role) -> bool {
        self.roles.as_ref().is_some_and(|roles| roles.value.iter().any(|own| own.value == Some(role)))
    }

    /// Whether it is for `role`, or may be: its roles are faulty or missing.
    #[must_use]
    pub fn may_be(&self, role: Role) -> bool {
        self.is(role) || !self.roles_known()
    }

    /// Whether its roles are there and sound.
    #[must_use]
    pub fn roles_known(&self) -> bool {
        self.roles.as_ref().is_some_and(|roles| roles.value.iter().all(|own| own.value.is_some()))
    }

    /// Its subnet of the family of `address`.
    #[must_use]
    pub fn subnet_for(&self, address: IpAddr) -> Option<IpNet> {
        match address {
            IpAddr::V4(_) => known(&self.subnet).map(|net| IpNet::V4(*net)),
            IpAddr::V6(_) => known(&self.subnet6).map(|net| IpNet::V6(*net)),
        }
    }

    /// Whether it has a subnet of the family of `address`, or may have: one of its subnets is faulty or missing.
    #[must_use]
    pub fn may_have_family(&self, address: IpAddr) -> bool {
        let written = if address.is_ipv4() { self.subnet.is_some() } else { self.subnet6.is_some() };
        written || (self.subnet.is_none() && self.subnet6.is_none())
    }

    /// Whether its subnet holds `address`, or may hold it: the subnet is faulty or missing.
    #[must_use]
    pub fn may_hold(&self, address: IpAddr) -> bool {
        let net = self.subnet_for(address);
        net.map_or_else(|| self.may_have_family(address), |net| net.contains(&address))
    }

    /// Its sound resolvers with their places.
    pub fn resolvers(&self) -> impl Iterator<Item = (IpAddr, &Span)> + Clone {
        let resolvers = known(&self.dns).into_iter().flatten();
        resolvers.filter_map(|own| Some((own.value?, &own.span)))
    }

    /// Its gateways with their places.
    pub fn gateways(&self) -> impl Iterator<Item = (IpAddr, &Span)> {
        let v4 = self.gateway.as_ref().and_then(|own| Some((own.value?.into(), &own.span)));
        let v6 = self.gateway6.as_ref().and_then(|own| Some((own.value?.into(), &own.span)));
        v4.into_iter().chain(v6)
    }

    /// Its pools with their places.
    pub fn pools(&self) -> impl Iterator<Item = (Range<IpAddr>, &Span)> {
        let v4 = self.pool.as_ref().map(|pool| (wide(pool.value), &pool.span));
        let v6 = self.pool6.as_ref().map(|pool| (wide(pool.value), &pool.span));
        v4.into_iter().chain(v6)
    }

    /// Its named ranges with their places.
    pub fn ranges(&self) -> impl Iterator<Item = (&str, Range<IpAddr>, &Span)> {
        let v4 =
            self.ranges.iter().map(|range| (range.key.as_str(), wide(range.value.value), &range.value.span));
        let v6 =
            self.ranges6.iter().map(|range| (range.key.as_str(), wide(range.value.value), &range.value.span));
        v4.chain(v6)
    }
}

/// The same range as one of either family; an IPv4 address is never inside an IPv6 range.
fn wide<A: Into<IpAddr>>(range: Range<A>) -> Range<IpAddr> {
    Range { first: range.first.into(), last: range.last.into() }
}
