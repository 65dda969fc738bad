//! Where the ports and settings of services come from.

use serde_json::Value;

use crate::inventory::Common;
use crate::model::known_service;
use crate::model::service::Settings;
use crate::resolve::{Draft, DraftNode, DraftService};

use super::{Origin, layer};

/// Where a port of `service` comes from.
pub(in crate::resolve) fn of_port<'a>(
    draft: &Draft<'a>,
    service: &DraftService<'a>,
    key: &str,
) -> Option<Origin<'a>> {
    let table = draft.services.get(service.name.as_str()).map(|entry| &entry.value);
    let says = table.is_some_and(|table| match key {
        "port" => table.port.is_some(),
        "raft_port" => table.raft_port.is_some(),
        "gossip_port" => table.gossip_port.is_some(),
        "health_port" => table.health_port.is_some(),
        "udp" => table.udp.is_some(),
        "clients" => table.clients.is_some(),
        _ => false,
    });
    let name = service.name.as_str();
    Some(match known_service(name) {
        _ if says => Origin::Named("service", name),
        Some(_) => Origin::BuiltIn("service", name),
        None => Origin::Default,
    })
}

/// The last of service, profile and node to say something at `path`: it was laid over the others.
pub(super) fn of_setting<'a>(
    draft: &Draft<'a>,
    node: &DraftNode<'a>,
    name: &str,
    path: &[&str],
) -> Option<Origin<'a>> {
    let says =
        |common: &Common| common.settings.iter().any(|own| own.key == name && holds(&own.value.values, path));
    layer(node, says).or_else(|| setting_of_service(draft, name, path))
}

/// The service, if it says something at `path` of its settings.
pub(in crate::resolve) fn setting_of_service<'a>(
    draft: &Draft<'a>,
    name: &str,
    path: &[&str],
) -> Option<Origin<'a>> {
    let entry = draft.services.get(name)?;
    let settings = entry.value.settings.as_ref()?;
    holds(&settings.value.values, path).then_some(Origin::Named("service", &entry.key))
}

/// Whether there is something at `path`.
pub(in crate::resolve) fn holds(settings: &Settings, path: &[&str]) -> bool {
    let Some((key, below)) = path.split_first() else { return true };
    match settings.get(*key) {
        Some(Value::Object(inner)) => holds(inner, below),
        found => found.is_some() && below.is_empty(),
    }
}
