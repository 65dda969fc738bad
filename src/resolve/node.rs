//! A node laid over its profile.

use std::net::IpAddr;

use crate::diag::{Span, Spanned};
use crate::inventory::{BondTable, Common, Entries, Entry, LayoutTable, NodeTable, ProfileTable};
use crate::model::service::Settings;
use crate::model::{DiskId, Family, HostName, IfName, Label, Ports, Role};

use super::{Draft, NetworkEntry, layers};

/// A node laid over its profile, with its references followed.
#[derive(Debug)]
pub struct DraftNode<'a> {
    /// What is written.
    pub entry: &'a Entry<HostName, NodeTable>,
    /// Its profile, unless that is dangling.
    pub profile: Option<&'a Entry<Label, ProfileTable>>,
    /// Its interfaces by name.
    pub interfaces: Vec<DraftInterface<'a>>,
    /// Its addresses of both families, by network.
    pub addresses: Vec<Address<'a>>,
    /// What it runs.
    pub services: Vec<DraftService<'a>>,
    /// How its disks are divided.
    pub layout: Option<&'a LayoutTable>,
}

/// An interface laid over the profile's.
#[derive(Debug, Default)]
pub struct DraftInterface<'a> {
    /// Its name as it is written.
    pub key: &'a str,
    /// Where the name is written.
    pub span: Span,
    /// The name, where it is legal.
    pub name: Option<&'a IfName>,
    /// The name of its network; `None` within where it is faulty.
    pub network_name: Option<&'a Spanned<Option<Label>>>,
    /// Its network, unless that is dangling.
    pub network: Option<&'a NetworkEntry>,
    /// Whether it tags that network's VLAN.
    pub tagged: Option<&'a Spanned<bool>>,
    /// The largest packet in bytes; `None` within where it is faulty.
    pub mtu: Option<&'a Spanned<Option<u16>>>,
    /// The interfaces that it is made of.
    pub bond: Option<&'a Spanned<BondTable>>,
    /// The address that the name is bound to.
    pub mac: Option<&'a Spanned<crate::model::MacAddr>>,
}

/// An address of a node.
#[derive(Clone, Copy, Debug)]
pub struct Address<'a> {
    /// The address.
    pub address: IpAddr,
    /// Where it is written.
    pub span: &'a Span,
    /// The name of the network that it is in.
    pub network_name: &'a str,
    /// Where that name is written.
    pub key_span: &'a Span,
    /// That network, unless it is dangling.
    pub network: Option<&'a NetworkEntry>,
}

/// A service that a node runs.
#[derive(Debug)]
pub struct DraftService<'a> {
    /// Its name.
    pub name: &'a Label,
    /// Where that is written.
    pub span: &'a Span,
    /// Its ports, unless nobody knows them.
    pub ports: Option<Ports>,
}

pub(super) fn resolve<'a>(draft: &Draft<'a>, entry: &'a Entry<HostName, NodeTable>) -> DraftNode<'a> {
    let table = &entry.value;
    let profile = table.profile.as_ref().and_then(|name| draft.profiles.get(name.value.as_str()).copied());
    let network = |name: &str| draft.networks.get(name).copied();
    let addresses = addresses(&table.addresses).chain(addresses(&table.addresses6));
    let mut node = DraftNode {
        entry,
        profile,
        interfaces: Vec::new(),
        addresses: addresses.map(|own| Address { network: network(own.network_name), ..own }).collect(),
        services: Vec::new(),
        layout: None,
    };
    node.interfaces = layers::interfaces(draft, node.layers());
    node.layout = node.said(|common| common.layout.as_ref()).and_then(|layout| layout.value.as_ref());
    let services = node.said(|common| common.services.as_ref()).and_then(|list| list.value.as_deref());
    node.services = layers::services(draft, services.unwrap_or_default());
    node
}

/// The sound addresses of one family.
fn addresses<A: Family>(entries: &Entries<Label, Option<Spanned<A>>>) -> impl Iterator<Item = Address<'_>> {
    entries.iter().filter_map(|own| {
        let Spanned { value, span } = own.value.as_ref()?;
        let address = (*value).into();
        Some(Address { address, span, network_name: &own.key, key_span: &own.span, network: None })
    })
}

impl<'a> DraftNode<'a> {
    /// What the profile says, then what the node says.
    pub fn layers(&self) -> impl Iterator<Item = &'a Common> + use<'a> {
        self.profile.map(|profile| &profile.value.common).into_iter().chain([&self.entry.value.common])
    }

    /// What the node says, else what the profile says.
    pub fn said<T>(&self, what: impl Fn(&'a Common) -> Option<&'a T>) -> Option<&'a T> {
        what(&self.entry.value.common)
            .or_else(|| self.profile.and_then(|profile| what(&profile.value.common)))
    }

    /// Who lacks what neither the node nor its profile says, in words, and where that is: the profile, so that it is
    /// reported once and not at each of its nodes; or the node, where it `says` something of the kind itself.
    pub fn who_lacks(&self, says: impl Fn(&Common) -> bool) -> (String, &'a Span) {
        match self.profile.filter(|_| !says(&self.entry.value.common)) {
            Some(profile) => (format!("profile `{}`", profile.key), &profile.span),
            None => (format!("`{}`", self.entry.key), &self.entry.span),
        }
    }

    /// Its sound disks with their places.
    pub fn disks(&self) -> impl Iterator<Item = (&'a DiskId, &'a Span)> + use<'a> {
        let disks = self.entry.value.disks.as_ref().map_or(&[][..], |disks| &disks.value);
        disks.iter().filter_map(|disk| Some((disk.value.as_ref()?, &disk.span)))
    }

    /// Whether it runs the service called `name`.
    #[must_use]
    pub fn runs(&self, name: &str) -> bool {
        self.services.iter().any(|service| service.name.as_str() == name)
    }

    /// Whether it runs that service, or may run it: its profile is dangling, or its list of services faulty.
    #[must_use]
    pub fn may_run(&self, name: &str) -> bool {
        let faulty = |list: &Spanned<Option<Vec<Spanned<Option<Label>>>>>| {
            list.value.as_ref().is_none_or(|list| list.iter().any(|own| own.value.is_none()))
        };
        self.runs(name)
            || match self.said(|common| common.services.as_ref()) {
                Some(list) => faulty(list),
                None => self.profile.is_none(),
            }
    }

    /// Whether all networks that it is connected to are known, so that one it should be connected to is missing.
    #[must_use]
    pub fn networks_known(&self) -> bool {
        let known = |own: &DraftInterface<'_>| match own.network {
            Some(network) => network.value.roles_known(),
            None => own.network_name.is_none(),
        };
        self.profile.is_some()
            && self.layers().all(|common| common.interfaces.whole())
            && self.interfaces.iter().all(known)
    }

    /// The first interface in a network for `role`.
    #[must_use]
    pub fn interface_for(&self, role: Role) -> Option<&DraftInterface<'a>> {
        self.interfaces_for(role).next()
    }

    /// Its interfaces in networks for `role`, in order.
    pub fn interfaces_for(&self, role: Role) -> impl Iterator<Item = &DraftInterface<'a>> {
        self.interfaces.iter().filter(move |own| own.network.is_some_and(|network| network.value.is(role)))
    }

    /// The cluster networks that it is connected to, in the order of its interfaces.
    pub fn cluster_networks(&self) -> impl Iterator<Item = &'a NetworkEntry> {
        self.interfaces_for(Role::Cluster).filter_map(|own| own.network)
    }

    /// The network that it takes its default route and its resolvers from: the cluster network with a gateway, else the
    /// first. Rule C11 sees to it that there are not two.
    #[must_use]
    pub fn home(&self) -> Option<&'a NetworkEntry> {
        let routed = |own: &&NetworkEntry| own.value.gateway.is_some() || own.value.gateway6.is_some();
        self.cluster_networks().find(routed).or_else(|| self.cluster_networks().next())
    }

    /// Whether an address is written for the network called `name`, sound or not, or may be meant for it: the network
    /// that it is written for is dangling.
    #[must_use]
    pub fn may_have_address(&self, draft: &Draft<'_>, name: &str) -> bool {
        let meant = |key: &str| key == name || !draft.networks.contains_key(key);
        let NodeTable { addresses, addresses6, .. } = &self.entry.value;
        addresses.iter().any(|own| meant(&own.key))
            || addresses6.iter().any(|own| meant(&own.key))
            || !(addresses.whole() && addresses6.whole())
    }

    /// Its addresses in `network`, IPv4 first.
    pub fn addresses_in(&self, network: &'a NetworkEntry) -> impl Iterator<Item = &Address<'a>> {
        self.addresses.iter().filter(move |own| own.network_name == network.key)
    }

    /// The settings of the service called `name`: the service's, under the profile's, under the node's.
    #[must_use]
    pub fn settings(&self, draft: &Draft<'_>, name: &str) -> Settings {
        layers::settings(draft, self.layers(), name)
    }
}
