//! Facts of the site that follow from several keys: zones, reservations, the firewall of the provisioner.

use std::collections::BTreeMap;

use serde_json::json;

use crate::model::dns::Zone;
use crate::model::{Cluster, Node, Reservation, provisioner_openings, provisioner_routing, ssh_sources};

use super::case::Sides;
use super::derived::{add_lists, add_optional, list_openings};
use super::difference::{Difference, Place};

/// Lists the derived facts of the site that differ.
///
/// # Errors
/// When a name is too long for DNS: a bug of plasmagen.
pub(super) fn list_site_facts(sides: Sides<'_>, found: &mut Vec<Difference>) -> anyhow::Result<()> {
    let Sides { old, new } = sides;
    let zones = (read_zones(old)?, read_zones(new)?);
    for name in list_keys(&zones) {
        let (old, new) = (zones.0.get(name), zones.1.get(name));
        if old != new {
            let records = (old.map(list_records), new.map(list_records));
            add_optional(Place::entry("zones", name), records.0.as_deref(), records.1.as_deref(), found);
        }
    }
    list_reservations(sides, found);
    let openings = (provisioner_openings(old), provisioner_openings(new));
    let is_routing_equal = provisioner_routing(old) == provisioner_routing(new);
    if openings.0 != openings.1 || ssh_sources(old) != ssh_sources(new) || !is_routing_equal {
        let place = Place::default().key("(provisioner-firewall)");
        let lines = (list_openings(&openings.0), list_openings(&openings.1));
        add_lists(place, &lines.0.collect::<Vec<_>>(), &lines.1.collect::<Vec<_>>(), found);
    }
    Ok(())
}

/// The keys of two tables, each once, in order.
fn list_keys<V>(tables: &(BTreeMap<String, V>, BTreeMap<String, V>)) -> Vec<&String> {
    let mut keys: Vec<&String> = tables.0.keys().chain(tables.1.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

fn read_zones(cluster: &Cluster) -> anyhow::Result<BTreeMap<String, Zone>> {
    let names =
        cluster.names().map_err(|invalid| anyhow::anyhow!("a bug in plasmagen: {}", invalid.message))?;
    Ok(cluster.zones(&names))
}

fn list_records(zone: &Zone) -> Vec<String> {
    let addresses = zone.addresses.iter().map(|(name, address)| format!("{name} {address}"));
    let pointers = zone.pointers.iter().map(|(name, target)| format!("{name} PTR {target}"));
    let delegations = zone.delegations.iter().map(|zone| format!("{zone} NS"));
    addresses.chain(pointers).chain(delegations).collect()
}

/// Lists the reservations that differ, by the name of the node. A reservation follows from the node alone.
fn list_reservations(sides: Sides<'_>, found: &mut Vec<Difference>) {
    let Sides { old, new } = sides;
    let kept = new.nodes.iter().map(|node| (&node.name, old.node(&node.name), Some(node)));
    let gone = old.nodes.iter().filter(|node| new.node(&node.name).is_none());
    let gone = gone.map(|node| (&node.name, Some(node), None));
    let mut nodes: Vec<_> = kept.chain(gone).filter(|(_, old, new)| old != new).collect();
    nodes.sort_by_key(|(name, ..)| *name);
    for (name, old, new) in nodes {
        let [old, new] =
            [old, new].map(|node| node.and_then(Node::reservation).map(|found| describe(&found)));
        if old != new {
            let place = Place::entry("reservations", name.as_str());
            found.push(place.differs(old.map(|old| json!(old)), new.map(|new| json!(new))));
        }
    }
}

fn describe(reservation: &Reservation<'_>) -> String {
    let macs = reservation.macs.iter().map(ToString::to_string);
    let v4 = reservation.address.iter().map(ToString::to_string);
    let v6 = reservation.address6.iter().map(ToString::to_string);
    let words: Vec<_> = macs.chain(v4).chain(v6).collect();
    format!("{} in {} ({})", words.join(" "), reservation.network, reservation.platform.name())
}
