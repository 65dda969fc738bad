//! The services that a node runs, and their ports.

use std::collections::HashMap;

use crate::diag::{Span, Spanned};
use crate::inventory::{Entry, Maybe, ServiceTable, known};
use crate::model::{Label, Ports, known_service};

use super::layer::{Layer, Said};
use super::origin::Origin;
use super::recorder::Recorder;

/// The `[service.…]` tables of the inventory by name.
pub(super) type Services<'a> = HashMap<&'a str, &'a Entry<Label, ServiceTable>>;

/// A list of services as written; `None` within where the list, or the name of a service, is faulty.
pub(super) type ServiceList = Spanned<Option<Vec<Spanned<Option<Label>>>>>;

/// A service that a node runs.
#[derive(Debug)]
pub struct DraftService<'a> {
    /// The name of the service.
    pub name: &'a Label,
    /// The place of that name.
    pub span: &'a Span,
    /// The layer that lists the service.
    pub layer: Layer<'a>,
    /// The ports, unless the service is neither built in nor described.
    pub ports: Option<Ports>,
}

/// The sound services of the list that counts.
pub(super) fn list_services<'a>(
    services: &Services<'a>,
    listed: Option<Said<'a, ServiceList>>,
) -> Vec<DraftService<'a>> {
    let Some(Said { written, layer }) = listed else { return Vec::new() };
    let sound = |name: &'a Spanned<Option<Label>>| {
        let Spanned { value, span } = name;
        let name = value.as_ref()?;
        let ports = resolve_ports(services, name.as_str(), &mut Recorder::off());
        Some(DraftService { name, span, layer, ports })
    };
    written.value.iter().flatten().filter_map(sound).collect()
}

/// The ports of the service called `name`: those of the inventory, else those of the built-in service. `None` where neither
/// says a port.
pub(super) fn resolve_ports<'n>(
    services: &Services<'_>,
    name: &'n str,
    recorder: &mut Recorder<'n>,
) -> Option<Ports> {
    let table = services.get(name).map(|entry| &entry.value);
    let (base, below) = match known_service(name) {
        Some(ports) => (ports, Origin::BuiltIn("service", name)),
        None => (Ports { port: *known(&table?.port)?, ..Ports::default() }, Origin::Default),
    };
    let empty = ServiceTable::default();
    let ServiceTable { port, raft_port, gossip_port, health_port, udp, clients, .. } =
        table.unwrap_or(&empty);
    let here = Origin::Named("service", name);
    let pick_port = |written: &Maybe<u16>, base: Option<u16>| {
        here.says(written.as_ref().map(|port| port.value)).unwrap_or(below.gives(base))
    };
    let pick_flag = |written: &Option<Spanned<bool>>, base: bool| {
        here.says(written.as_ref().map(|flag| flag.value)).unwrap_or(below.gives(base))
    };
    Some(Ports {
        port: recorder.take("port", pick_port(port, Some(base.port)))?,
        raft_port: recorder.take("raft_port", pick_port(raft_port, base.raft_port)),
        gossip_port: recorder.take("gossip_port", pick_port(gossip_port, base.gossip_port)),
        health_port: recorder.take("health_port", pick_port(health_port, base.health_port)),
        udp: recorder.take("udp", pick_flag(udp, base.udp)),
        clients: recorder.take("clients", pick_flag(clients, base.clients)),
    })
}
