//! From the inventory to a cluster: references followed, profiles laid under nodes, defaults filled in.
//!
//! A [`Draft`] is resolved as far as it goes, so that rules still run on what is sound of a faulty inventory. Only a
//! draft without faults becomes a [`Cluster`](crate::model::Cluster): see [`seal`].

mod node;
mod seal;

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use ipnet::IpNet;

use crate::diag::{Span, Spanned};
use crate::inventory::{Entry, Inventory, NetworkTable, ProfileTable, ServiceTable};
use crate::model::{HostName, Label, Ports, Range, Role, known_service};

pub use node::{Address, DraftInterface, DraftNode, DraftService};
pub use seal::seal;

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
    /// Its nodes, by name.
    pub nodes: Vec<DraftNode<'a>>,
    /// Where each node is in `nodes`.
    index: HashMap<&'a str, usize>,
}

fn by_name<K, T>(entries: &[Entry<K, T>]) -> impl Iterator<Item = (&str, &Entry<K, T>)> {
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
        index: inventory.nodes.iter().enumerate().map(|(at, node)| (node.key.as_str(), at)).collect(),
    };
    draft.nodes = inventory.nodes.iter().map(|entry| node::resolve(&draft, entry)).collect();
    draft
}

impl<'a> Draft<'a> {
    /// The node called `name`.
    #[must_use]
    pub fn node(&self, name: &str) -> Option<&DraftNode<'a>> {
        self.index.get(name).map(|at| &self.nodes[*at])
    }

    /// `cluster.bootstrap` as it is written; empty where it is missing.
    #[must_use]
    pub fn bootstrap(&self) -> &'a [Spanned<String>] {
        let list = self.inventory.cluster.as_ref().and_then(|cluster| cluster.bootstrap.as_ref());
        list.map_or(&[], |list| &list.value)
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
            .or_else(|| Some(Ports { port: table?.port.as_ref()?.value, ..Ports::default() }))?;
        if let Some(table) = table {
            let port = |own: &Option<Spanned<u16>>, base| own.as_ref().map(|port| port.value).or(base);
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
        self.roles.as_ref().is_some_and(|roles| roles.value.iter().any(|own| own.value == role))
    }

    /// Its subnet of the family of `address`.
    #[must_use]
    pub fn subnet_for(&self, address: IpAddr) -> Option<IpNet> {
        match address {
            IpAddr::V4(_) => self.subnet.as_ref().map(|net| net.value.into()),
            IpAddr::V6(_) => self.subnet6.as_ref().map(|net| net.value.into()),
        }
    }

    /// Its gateways with their places.
    pub fn gateways(&self) -> impl Iterator<Item = (IpAddr, &Span)> {
        let v4 = self.gateway.as_ref().map(|gateway| (gateway.value.into(), &gateway.span));
        let v6 = self.gateway6.as_ref().map(|gateway| (gateway.value.into(), &gateway.span));
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
