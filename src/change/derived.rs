//! Facts that follow from several keys, compared like keys. Their values are those parts that differ.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::model::{Opening, Protocol, Traffic, forwarding, openings, ssh_sources};
use crate::outputs::{
    ClusterConfig, DerivedSettings, Hosts, list_common_hosts, list_kernel_params, list_own_hosts,
};
use crate::pki::LeafRequest;
use crate::pki::cluster::leaf_request;

use super::case::{Pair, Sides};
use super::difference::{Difference, Place, list_differences};

/// The facts of both clusters that are the same for all their nodes.
#[derive(Debug)]
pub(super) struct CommonFacts<'a> {
    sides: Sides<'a>,
    /// The names that all nodes know, before and after.
    hosts: [Hosts; 2],
    /// The subnets that SSH is open to, before and after.
    ssh: [Vec<IpNet>; 2],
}

impl<'a> CommonFacts<'a> {
    /// Derives the facts of both clusters.
    #[must_use]
    pub(super) fn new(sides: Sides<'a>) -> Self {
        let clusters = [sides.old, sides.new];
        Self { sides, hosts: clusters.map(list_common_hosts), ssh: clusters.map(ssh_sources) }
    }

    /// Lists the derived facts of `pair` that differ.
    ///
    /// # Errors
    /// When a name cannot be certified: a bug of plasmagen.
    pub(super) fn list_of_node(&self, pair: Pair<'_>, found: &mut Vec<Difference>) -> anyhow::Result<()> {
        let place = Place::entry("nodes", pair.new.name.as_str());
        let Sides { old, new } = self.sides;
        let requests = (leaf_request(old, pair.old)?, leaf_request(new, pair.new)?);
        if !requests.1.accepts(&requests.0) {
            add_lists(place.key("(certificate)"), &list_sans(&requests.0), &list_sans(&requests.1), found);
        }
        let configs = (ClusterConfig::new(old, pair.old), ClusterConfig::new(new, pair.new));
        if configs.0 != configs.1 {
            add_keys(&place.key("(cluster-config)"), &configs.0, &configs.1, found)?;
        }
        self.add_hosts(&place, pair, found);
        self.add_settings(&place, pair, found);
        self.add_firewall(&place, pair, found);
        let params = (list_kernel_params(old, pair.old), list_kernel_params(new, pair.new));
        if params.0 != params.1 {
            add_lists(place.key("(kernel-params)"), &params.0, &params.1, found);
        }
        Ok(())
    }

    /// Adds the names that the node knows without a name server.
    fn add_hosts(&self, place: &Place, pair: Pair<'_>, found: &mut Vec<Difference>) {
        let Sides { old, new } = self.sides;
        let alone = [list_own_hosts(old, pair.old), list_own_hosts(new, pair.new)];
        if self.hosts[0] == self.hosts[1] && alone[0] == alone[1] {
            return;
        }
        let [olds, news] = [0, 1].map(|side| {
            let mut lines = list_lines(&self.hosts[side]);
            let others = alone[side].iter().filter(|(address, _)| !self.hosts[side].contains_key(*address));
            lines.extend(others.map(describe_host));
            lines
        });
        add_lists(place.key("(hosts)"), &olds, &news, found);
    }

    /// Adds the settings that plasmagen derives, for each service that the node runs before and after.
    fn add_settings(&self, place: &Place, pair: Pair<'_>, found: &mut Vec<Difference>) {
        for service in &pair.new.services {
            let name = service.name.as_str();
            if pair.old.service(name).is_none() {
                continue;
            }
            let old = DerivedSettings::new(self.sides.old, pair.old, name);
            let new = DerivedSettings::new(self.sides.new, pair.new, name);
            if old != new {
                let (old, new) = (old.to_table(), new.to_table());
                let differing = |one: &Map<String, Value>, other: &Map<String, Value>| {
                    one.iter()
                        .filter(|(key, value)| other.get(*key) != Some(value))
                        .map(|(key, value)| (key.clone(), value.clone()))
                        .collect()
                };
                let (olds, news) =
                    (Value::Object(differing(&old, &new)), Value::Object(differing(&new, &old)));
                found.push(place.key("(settings)").named(name).differs(Some(olds), Some(news)));
            }
        }
    }

    /// Adds what the node's firewall lets in, where that or what it forwards differs.
    fn add_firewall(&self, place: &Place, pair: Pair<'_>, found: &mut Vec<Difference>) {
        let Sides { old, new } = self.sides;
        let firewalls = [openings(old, pair.old), openings(new, pair.new)];
        let are_equal = firewalls[0] == firewalls[1] && self.ssh[0] == self.ssh[1];
        if are_equal && forwarding(old, pair.old) == forwarding(new, pair.new) {
            return;
        }
        let [olds, news] = [0, 1].map(|side| {
            let ssh = self.ssh[side].iter().map(|subnet| format!("ssh from {subnet}"));
            ssh.chain(list_openings(&firewalls[side])).collect::<Vec<_>>()
        });
        add_lists(place.key("(firewall)"), &olds, &news, found);
    }
}

/// Adds the lines that only one of two lists has.
pub(super) fn add_lists(place: Place, old: &[String], new: &[String], found: &mut Vec<Difference>) {
    add_optional(place, Some(old), Some(new), found);
}

/// As [`add_lists`], where a list may be missing as a whole.
pub(super) fn add_optional(
    place: Place,
    old: Option<&[String]>,
    new: Option<&[String]>,
    found: &mut Vec<Difference>,
) {
    let only = |one: Option<&[String]>, other: Option<&[String]>| {
        let others: BTreeSet<&String> = other.unwrap_or_default().iter().collect();
        one.map(|lines| json!(lines.iter().filter(|line| !others.contains(line)).collect::<Vec<_>>()))
    };
    found.push(place.differs(only(old, new), only(new, old)));
}

/// Adds the keys whose values differ in two tables.
fn add_keys(
    place: &Place,
    old: &impl Serialize,
    new: &impl Serialize,
    found: &mut Vec<Difference>,
) -> anyhow::Result<()> {
    list_differences(place, &serde_json::to_value(old)?, &serde_json::to_value(new)?, found);
    Ok(())
}

fn list_sans(request: &LeafRequest) -> Vec<String> {
    let addresses = request.addresses().iter().map(ToString::to_string);
    request.dns_names().iter().cloned().chain(addresses).collect()
}

fn list_lines(hosts: &Hosts) -> Vec<String> {
    hosts.iter().map(describe_host).collect()
}

fn describe_host((address, names): (&IpAddr, &Vec<String>)) -> String {
    format!("{address} {}", names.join(" "))
}

pub(super) fn list_openings(openings: &[Opening]) -> impl Iterator<Item = String> {
    openings.iter().map(|opening| {
        let sources = opening.sources.iter().map(|source| match &source.device {
            Some(device) => format!("{} at {device}", source.subnet),
            None => source.subnet.to_string(),
        });
        format!(
            "{} {} from {}",
            opening.purpose,
            describe(opening.traffic),
            sources.collect::<Vec<_>>().join(", ")
        )
    })
}

fn describe(traffic: Traffic) -> String {
    match traffic {
        Traffic::Ports(protocol, ports) => {
            let protocol = if protocol == Protocol::Tcp { "tcp" } else { "udp" };
            if ports.first == ports.last {
                format!("{protocol} {}", ports.first)
            } else {
                format!("{protocol} {ports}")
            }
        }
        Traffic::Other(number) => format!("protocol {number}"),
        Traffic::Any => "any packet".to_owned(),
    }
}
