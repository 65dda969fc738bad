//! Interfaces: those of a node laid over those of its profile.

use std::collections::BTreeMap;

use crate::diag::{Span, Spanned};
use crate::inventory::{BondTable, InterfaceTable};
use crate::model::{IfName, Label, MacAddr};

use super::layer::{Layer, Said, lay};
use super::network::{NetworkEntry, Networks};

/// An interface of a node, laid over that of its profile key by key.
#[derive(Debug)]
pub struct DraftInterface<'a> {
    /// The interface's name as written.
    pub key: &'a str,
    /// The place of that name.
    pub span: Span,
    /// The name, where it is legal.
    pub name: Option<&'a IfName>,
    /// The last layer that has the interface.
    pub layer: Layer<'a>,
    /// The name of the network; `None` within where the name is faulty.
    pub network_name: Option<Said<'a, Spanned<Option<Label>>>>,
    /// The network, unless its name is dangling.
    pub network: Option<&'a NetworkEntry>,
    /// Whether frames carry the tag of the network's VLAN.
    pub tagged: Option<Said<'a, Spanned<bool>>>,
    /// The MTU in bytes; `None` within where it is faulty.
    pub mtu: Option<Said<'a, Spanned<Option<u16>>>>,
    /// The bond that the interface is.
    pub bond: Option<Said<'a, Spanned<BondTable>>>,
    /// The MAC address of the NIC that gets the name.
    pub mac: Option<Said<'a, Spanned<MacAddr>>>,
}

impl<'a> DraftInterface<'a> {
    fn new(key: &'a str, span: &Span, name: Option<&'a IfName>, layer: Layer<'a>) -> Self {
        Self {
            key,
            span: span.clone(),
            name,
            layer,
            network_name: None,
            network: None,
            tagged: None,
            mtu: None,
            bond: None,
            mac: None,
        }
    }
}

/// The interfaces of `layers` by name, those of a later layer laid over those of the layers before, key by key.
pub(super) fn lay_interfaces<'a>(
    networks: &Networks<'a>,
    layers: impl Iterator<Item = Layer<'a>>,
) -> Vec<DraftInterface<'a>> {
    let mut laid = BTreeMap::<&str, DraftInterface<'a>>::new();
    for layer in layers {
        for entry in &layer.common().interfaces {
            let interface = laid
                .entry(&entry.key)
                .or_insert_with(|| DraftInterface::new(&entry.key, &entry.span, entry.name.as_ref(), layer));
            let InterfaceTable { network, tagged, mtu, bond, mac } = &entry.value;
            interface.layer = layer;
            lay(&mut interface.network_name, network.as_ref(), layer);
            lay(&mut interface.tagged, tagged.as_ref(), layer);
            lay(&mut interface.mtu, mtu.as_ref(), layer);
            lay(&mut interface.bond, bond.as_ref(), layer);
            lay(&mut interface.mac, mac.as_ref(), layer);
        }
    }
    let mut interfaces: Vec<_> = laid.into_values().collect();
    for interface in &mut interfaces {
        let name = interface.network_name.and_then(|name| name.written.value.as_ref());
        interface.network = name.and_then(|name| networks.get(name.as_str()).copied());
    }
    interfaces
}
