//! What several layers say of one thing, laid over each other: a profile's, and a node's over it.

use std::collections::BTreeMap;

use crate::diag::Spanned;
use crate::inventory::{Common, InterfaceTable};
use crate::model::Label;
use crate::model::service::{self, Settings};

use super::{Draft, DraftInterface, DraftService};

/// The sound ones of the services that are `listed`.
pub(super) fn services<'a>(draft: &Draft<'a>, listed: &'a [Spanned<Option<Label>>]) -> Vec<DraftService<'a>> {
    let sound = listed.iter().filter_map(|own| Some((own.value.as_ref()?, &own.span)));
    sound.map(|(name, span)| DraftService { name, span, ports: draft.ports(name.as_str()) }).collect()
}

/// The interfaces of `layers`, those of a later one laid over those before, key by key.
pub(super) fn interfaces<'a>(
    draft: &Draft<'a>,
    layers: impl Iterator<Item = &'a Common>,
) -> Vec<DraftInterface<'a>> {
    let mut merged = BTreeMap::<&str, DraftInterface<'a>>::new();
    for entry in layers.flat_map(|common| &common.interfaces) {
        let own = merged.entry(&entry.key).or_insert_with(|| DraftInterface {
            key: &entry.key,
            span: entry.span.clone(),
            name: entry.name.as_ref(),
            ..DraftInterface::default()
        });
        let InterfaceTable { network, tagged, mtu, bond, mac } = &entry.value;
        own.network_name = network.as_ref().or(own.network_name);
        own.tagged = tagged.as_ref().or(own.tagged);
        own.mtu = mtu.as_ref().or(own.mtu);
        own.bond = bond.as_ref().or(own.bond);
        own.mac = mac.as_ref().or(own.mac);
    }
    let mut interfaces: Vec<_> = merged.into_values().collect();
    for interface in &mut interfaces {
        let name = interface.network_name.and_then(|name| name.value.as_ref());
        interface.network = name.and_then(|name| draft.networks.get(name.as_str()).copied());
    }
    interfaces
}

/// The settings of the service called `name`: the service's, under those of `layers` in their order.
pub(super) fn settings<'a>(
    draft: &Draft<'_>,
    layers: impl Iterator<Item = &'a Common>,
    name: &str,
) -> Settings {
    let of_service = draft.services.get(name).and_then(|entry| entry.value.settings.as_ref());
    let mut settings = of_service.map(|own| own.value.values.clone()).unwrap_or_default();
    for own in layers.flat_map(|common| &common.settings).filter(|own| own.key == name) {
        service::merge(&mut settings, &own.value.values);
    }
    settings
}
