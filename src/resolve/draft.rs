//! The draft: an inventory whose references have been followed.

use std::collections::HashMap;

use crate::diag::Span;
use crate::inventory::{Entries, Entry, Inventory, ProvisionerTable, WrittenInterface};
use crate::model::{Labels, Ports};

use super::layer::Profiles;
use super::network::Networks;
use super::node::{DraftNode, resolve_node};
use super::recorder::Recorder;
use super::service::{Services, resolve_ports};
use super::vip::{DraftVip, list_vips};

/// An inventory whose references have been followed. A dangling or missing reference is `None`.
#[derive(Debug)]
pub struct Draft<'a> {
    /// The inventory as written.
    pub inventory: &'a Inventory,
    /// The networks by name.
    pub networks: Networks<'a>,
    /// The profiles by name.
    pub profiles: Profiles<'a>,
    /// The `[service.…]` tables by name.
    pub services: Services<'a>,
    /// The nodes in the order in which they are written, so that of two nodes that share something, the first comes first.
    pub nodes: Vec<DraftNode<'a>>,
    /// The position of each node in `nodes`, by name.
    index: HashMap<&'a str, usize>,
}

fn by_name<K, T>(entries: &Entries<K, T>) -> impl Iterator<Item = (&str, &Entry<K, T>)> {
    entries.iter().map(|entry| (entry.key.as_str(), entry))
}

/// Follows the references of `inventory`.
#[must_use]
pub fn resolve(inventory: &Inventory) -> Draft<'_> {
    let networks = by_name(&inventory.networks).collect();
    let profiles = by_name(&inventory.profiles).collect();
    let services = by_name(&inventory.services).collect();
    let mut nodes: Vec<_> =
        inventory.nodes.iter().map(|entry| resolve_node(entry, &profiles, &networks, &services)).collect();
    nodes.sort_by_key(|node| node.entry.span.start);
    let index = nodes.iter().enumerate().map(|(at, node)| (node.entry.key.as_str(), at)).collect();
    Draft { inventory, networks, profiles, services, nodes, index }
}

impl<'a> Draft<'a> {
    /// The node called `name`.
    #[must_use]
    pub fn node(&self, name: &str) -> Option<&DraftNode<'a>> {
        self.index.get(name).map(|at| &self.nodes[*at])
    }

    /// Keeps `labels` on the disks of the node called `name`, where the layout has none.
    pub fn keep_labels(&mut self, name: &str, labels: Labels) {
        if let Some(at) = self.index.get(name) {
            self.nodes[*at].kept_labels = Some(labels);
        }
    }

    /// The provisioner's interfaces as written, that of the home network first.
    pub fn provisioner_interfaces(&self) -> impl Iterator<Item = WrittenInterface<'a>> + use<'a> {
        self.inventory.provisioner.iter().flat_map(ProvisionerTable::interfaces)
    }

    /// The names of `cluster.bootstrap` with their places, without faulty names.
    pub fn bootstrap(&self) -> impl Iterator<Item = (&'a str, &'a Span)> + use<'a> {
        let list = self.inventory.cluster.as_ref().and_then(|cluster| cluster.bootstrap.as_ref());
        let names = list.map_or(&[][..], |list| &list.value);
        names.iter().filter_map(|name| Some((name.value.as_deref()?, &name.span)))
    }

    /// Whether the inventory says that the cluster is formed.
    #[must_use]
    pub fn formed(&self) -> bool {
        let formed = self.inventory.cluster.as_ref().and_then(|cluster| cluster.formed.as_ref());
        formed.is_some_and(|formed| formed.value)
    }

    /// The ports of the service called `name`: those of the inventory, else those of the built-in service.
    #[must_use]
    pub fn ports(&self, name: &str) -> Option<Ports> {
        resolve_ports(&self.services, name, &mut Recorder::off())
    }

    /// The virtual addresses of both families, IPv4 first.
    pub fn vips(&self) -> impl Iterator<Item = DraftVip<'a>> + use<'a> {
        list_vips(self.inventory)
    }
}
