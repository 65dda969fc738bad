//! Nodes: each laid over its profile, with its references followed.

use std::net::IpAddr;

use crate::diag::{Span, Spanned};
use crate::inventory::{Common, Entries, LayoutTable, NodeTable, WrittenDisk};
use crate::model::{DiskId, Family, Label, Labels, Role, Size};

use super::interface::{DraftInterface, lay_interfaces};
use super::layer::{Layer, NodeEntry, ProfileEntry, Profiles, Said, said};
use super::network::{NetworkEntry, Networks};
use super::service::{DraftService, Services, list_services};

/// A node laid over its profile, with its references followed.
#[derive(Debug)]
pub struct DraftNode<'a> {
    /// The node as written.
    pub entry: &'a NodeEntry,
    /// The profile, unless the reference is dangling.
    pub profile: Option<&'a ProfileEntry>,
    /// The interfaces by name.
    pub interfaces: Vec<DraftInterface<'a>>,
    /// The addresses of both families, by network.
    pub addresses: Vec<DraftAddress<'a>>,
    /// The services that the node runs.
    pub services: Vec<DraftService<'a>>,
    /// How the disks are divided.
    pub layout: Option<Said<'a, LayoutTable>>,
    /// Whose name the names on the disks hold where the layout has no `labels`: none for the default.
    pub kept_labels: Option<Labels>,
}

/// An address of a node, as written.
#[derive(Clone, Copy, Debug)]
pub struct DraftAddress<'a> {
    /// The address.
    pub address: IpAddr,
    /// The place of the address.
    pub span: &'a Span,
    /// The name of the network that the address is in.
    pub network_name: &'a str,
    /// The place of that name.
    pub key_span: &'a Span,
    /// The network, unless its name is dangling.
    pub network: Option<&'a NetworkEntry>,
}

/// Lays the node `entry` over its profile and follows its references.
pub(super) fn resolve_node<'a>(
    entry: &'a NodeEntry,
    profiles: &Profiles<'a>,
    networks: &Networks<'a>,
    services: &Services<'a>,
) -> DraftNode<'a> {
    let NodeTable { profile, addresses, addresses6, .. } = &entry.value;
    let profile = profile.as_ref().and_then(|name| profiles.get(name.value.as_str()).copied());
    let mut node = DraftNode {
        entry,
        profile,
        interfaces: Vec::new(),
        addresses: sound_addresses(addresses, networks)
            .chain(sound_addresses(addresses6, networks))
            .collect(),
        services: Vec::new(),
        layout: None,
        kept_labels: None,
    };
    node.interfaces = lay_interfaces(networks, node.layers());
    node.layout = node
        .said(|common| common.layout.as_ref())
        .and_then(|layout| layout.part(|layout| layout.value.as_ref()));
    node.services = list_services(services, node.said(|common| common.services.as_ref()));
    node
}

/// The sound addresses of one family.
fn sound_addresses<'a, A: Family>(
    entries: &'a Entries<Label, Option<Spanned<A>>>,
    networks: &Networks<'a>,
) -> impl Iterator<Item = DraftAddress<'a>> {
    entries.iter().filter_map(|entry| {
        let Spanned { value, span } = entry.value.as_ref()?;
        let (address, network_name) = ((*value).into(), entry.key.as_str());
        let network = networks.get(network_name).copied();
        Some(DraftAddress { address, span, network_name, key_span: &entry.span, network })
    })
}

impl<'a> DraftNode<'a> {
    /// The layers that speak of the node: its profile, then the node.
    pub fn layers(&self) -> impl Iterator<Item = Layer<'a>> + use<'a> {
        self.profile.map(Layer::Profile).into_iter().chain([Layer::Node(self.entry)])
    }

    /// The word of the node for a key, else the word of its profile.
    pub fn said<T>(&self, key: impl Fn(&'a Common) -> Option<&'a T>) -> Option<Said<'a, T>> {
        said(self.layers(), key)
    }

    /// Who lacks a value that neither the node nor its profile says, in words, and the place of that table: the profile, so
    /// that the lack is reported once and not at each of its nodes; or the node, where it `says` something of the kind.
    pub fn who_lacks(&self, says: impl Fn(&Common) -> bool) -> (String, &'a Span) {
        match self.profile.filter(|_| !says(&self.entry.value.common)) {
            Some(profile) => (format!("profile `{}`", profile.key), &profile.span),
            None => (format!("`{}`", self.entry.key), &self.entry.span),
        }
    }

    /// The sound disks with their places.
    pub fn disks(&self) -> impl Iterator<Item = (&'a DiskId, &'a Span)> + use<'a> {
        let disks = self.entry.value.disks.as_ref().map_or(&[][..], |disks| &disks.value);
        disks.iter().filter_map(|disk| Some(&disk.value.as_ref()?.id)).map(|id| (&id.value, &id.span))
    }

    /// The sizes that are written, by disk.
    pub fn disk_sizes(&self) -> impl Iterator<Item = (&'a DiskId, &'a Spanned<Size>)> + use<'a> {
        let disks = self.entry.value.disks.as_ref().map_or(&[][..], |disks| &disks.value);
        disks.iter().filter_map(|disk| {
            let WrittenDisk { id, size } = disk.value.as_ref()?;
            Some((&id.value, size.as_ref()?))
        })
    }

    /// Whether the node runs the service called `name`.
    #[must_use]
    pub fn runs(&self, name: &str) -> bool {
        self.services.iter().any(|service| service.name.as_str() == name)
    }

    /// Whether the node runs that service, or may run it: its profile is dangling, or its list of services faulty.
    #[must_use]
    pub fn may_run(&self, name: &str) -> bool {
        self.runs(name)
            || match self.said(|common| common.services.as_ref()) {
                Some(list) => {
                    list.value.as_ref().is_none_or(|list| list.iter().any(|name| name.value.is_none()))
                }
                None => self.profile.is_none(),
            }
    }

    /// Whether all networks that the node is connected to are known, so that a network that is not among them is missing.
    #[must_use]
    pub fn networks_known(&self) -> bool {
        let is_known = |interface: &DraftInterface<'_>| match interface.network {
            Some(network) => network.value.roles_known(),
            None => interface.network_name.is_none(),
        };
        self.profile.is_some()
            && self.layers().all(|layer| layer.common().interfaces.is_whole())
            && self.interfaces.iter().all(is_known)
    }

    /// The first interface in a network with `role`.
    #[must_use]
    pub fn interface_for(&self, role: Role) -> Option<&DraftInterface<'a>> {
        self.interfaces_for(role).next()
    }

    /// The interfaces in networks with `role`, in order.
    pub fn interfaces_for(&self, role: Role) -> impl Iterator<Item = &DraftInterface<'a>> {
        let has_role = move |network: &NetworkEntry| network.value.is(role);
        self.interfaces.iter().filter(move |interface| interface.network.is_some_and(has_role))
    }

    /// The cluster networks that the node is connected to, in the order of its interfaces.
    pub fn cluster_networks(&self) -> impl Iterator<Item = &'a NetworkEntry> {
        self.interfaces_for(Role::Cluster).filter_map(|interface| interface.network)
    }

    /// The network in which the node is reached, from which it takes its default route and its resolvers: the cluster
    /// network with a gateway, else the first cluster network. Rule C11 refuses two with a gateway.
    #[must_use]
    pub fn home(&self) -> Option<&'a NetworkEntry> {
        let is_routed =
            |network: &&NetworkEntry| network.value.gateway.is_some() || network.value.gateway6.is_some();
        self.cluster_networks().find(is_routed).or_else(|| self.cluster_networks().next())
    }

    /// Whether an address is written for the network called `name`, sound or not, or may be meant for that network: the
    /// name that it is written for is none of `networks`.
    #[must_use]
    pub fn may_have_address(&self, networks: &Networks<'_>, name: &str) -> bool {
        let is_meant = |key: &str| key == name || !networks.contains_key(key);
        let NodeTable { addresses, addresses6, .. } = &self.entry.value;
        addresses.iter().any(|entry| is_meant(&entry.key))
            || addresses6.iter().any(|entry| is_meant(&entry.key))
            || !(addresses.is_whole() && addresses6.is_whole())
    }

    /// The node's addresses in `network`, IPv4 first.
    pub fn addresses_in(&self, network: &'a NetworkEntry) -> impl Iterator<Item = &DraftAddress<'a>> {
        self.addresses.iter().filter(move |address| address.network_name == network.key)
    }
}
