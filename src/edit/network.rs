//! Networks that are added.

use std::net::IpAddr;

use anyhow::{Result, bail, ensure};
use ipnet::IpNet;

use crate::diag::Report;
use crate::inventory::{self, Sources, Texts};
use crate::model::{DomainName, Label, Range, Role};
use crate::resolve::{Draft, resolve};

use super::blocks::keep_end;
use super::literal::toml_key;
use super::places::{NotEditable, Places};
use super::proof::{check_texts, new_errors, prove_clusters, prove_values, read_texts, read_values};
use super::source::SourceMap;
use super::splice::{Splice, apply};
use super::style::{NewKey, NewValue, Style, insertion};

/// A network to add.
#[derive(Clone, Debug)]
pub struct NewNetwork {
    /// The name.
    pub name: Label,
    /// The purposes.
    pub roles: Vec<Role>,
    /// The subnets, at most one of each family.
    pub subnets: Vec<IpNet>,
    /// The VLAN ID.
    pub vlan: Option<u16>,
    /// The routers, at most one of each family.
    pub gateways: Vec<IpAddr>,
    /// The resolvers.
    pub dns: Vec<IpAddr>,
    /// The domain that DHCP hands out.
    pub domain: Option<DomainName>,
    /// The pools, at most one of each family.
    pub pools: Vec<Range<IpAddr>>,
    /// The ranges of profiles, and of `vip`.
    pub ranges: Vec<(String, Range<IpAddr>)>,
}

/// The result of [`add_network`].
#[derive(Debug)]
pub struct NetworkAddition {
    /// The new text of the inventory.
    pub text: String,
    /// The table that was put into the text.
    pub block: String,
    /// What the network needs beside its table, a sentence each.
    pub needs: Vec<String>,
}

/// Adds `network` to the inventory `sources`, behind the last network and written as that is.
///
/// # Errors
/// When there is such a network, the network breaks a rule, or the inventory is written in a form that is not edited.
pub fn add_network<'s>(sources: impl Into<Sources<'s>>, network: &NewNetwork) -> Result<NetworkAddition> {
    let texts = read_texts(sources.into())?;
    read_values(&texts)?;
    let text = texts.inventory;
    let inventory = inventory::parse(texts.clone(), &mut Report::default());
    let draft = resolve(&inventory);
    let name = network.name.as_str();
    ensure!(
        !draft.networks.contains_key(name),
        "there is a network `{name}` already: plasmagen show prints it"
    );
    let map = SourceMap::read(text)?;
    let places = Places::find(&map, "network");
    let neighbour = places.last(|_| true);
    let style =
        neighbour.map_or_else(|| Style::plain(text, "network"), |place| Style::of(&map, place, "network"));
    let block = style.print(name, list_keys(network)?);
    if neighbour.is_none() && map.find_entry(&["network"]).is_some() {
        let why = "`network` is one value, which is not edited: write the network by hand".to_owned();
        return Err(NotEditable { why, block }.into());
    }
    let at = neighbour.map_or(text.len(), |place| place.end(&map));
    let splice = Splice::new(at..at, insertion(text, at, &style, std::slice::from_ref(&block)));
    let new = keep_end(text, apply(text, vec![splice]));
    let edited = Texts { inventory: &new, nodes: texts.nodes.clone() };
    prove_values(&texts, &edited, |_, after| {
        if let Some(networks) = after.get_mut("network").and_then(toml::Value::as_table_mut) {
            networks.remove(name);
        }
    })?;
    let (before, after) = (check_texts(&texts)?, check_texts(&edited)?);
    if let Some(first) = new_errors(&before, &after).first() {
        let help = first.help.as_ref().map_or_else(String::new, |help| format!(" ({help})"));
        bail!("{}: {}{help}. Nothing was written", first.code, first.message);
    }
    prove_clusters(&before, &after, &[], &["networks"])?;
    Ok(NetworkAddition { needs: list_needs(&draft, network), text: new, block })
}

/// The keys of the table.
fn list_keys(network: &NewNetwork) -> Result<Vec<NewKey>> {
    let strings = |items: Vec<String>| NewValue::List(items);
    let roles = network.roles.iter().map(|role| role.as_str().to_owned());
    let mut keys = vec![("roles", strings(roles.collect()))];
    keys.extend(network.vlan.map(|vlan| ("vlan", NewValue::Number(vlan))));
    let subnets = network.subnets.iter().map(|net| (net.addr().is_ipv4(), net.to_string()));
    keys.extend(by_family("--subnet", ["subnet", "subnet6"], subnets)?);
    let gateways = network.gateways.iter().map(|gateway| (gateway.is_ipv4(), gateway.to_string()));
    keys.extend(by_family("--gateway", ["gateway", "gateway6"], gateways)?);
    if !network.dns.is_empty() {
        keys.push(("dns", strings(network.dns.iter().map(ToString::to_string).collect())));
    }
    keys.extend(network.domain.as_ref().map(|domain| ("domain", NewValue::Text(domain.to_string()))));
    let pools = network.pools.iter().map(|pool| (pool.first.is_ipv4(), pool.to_string()));
    keys.extend(by_family("--pool", ["pool", "pool6"], pools)?);
    for (key, is_ipv4) in [("range", true), ("range6", false)] {
        let ranges = network.ranges.iter().filter(|(_, range)| range.first.is_ipv4() == is_ipv4);
        let pairs: Vec<_> = ranges.map(|(name, range)| (toml_key(name), range.to_string())).collect();
        if !pairs.is_empty() {
            keys.push((key, NewValue::Table(pairs)));
        }
    }
    Ok(keys)
}

/// The keys of an option that may be given once for each family.
fn by_family(
    option: &str,
    names: [&'static str; 2],
    values: impl Iterator<Item = (bool, String)>,
) -> Result<Vec<NewKey>> {
    let mut keys: Vec<NewKey> = Vec::new();
    for (is_ipv4, value) in values {
        let name = names[usize::from(!is_ipv4)];
        ensure!(keys.iter().all(|(key, _)| *key != name), "{option} is given twice for one address family");
        keys.push((name, NewValue::Text(value)));
    }
    Ok(keys)
}

/// What else the network needs.
fn list_needs(draft: &Draft<'_>, network: &NewNetwork) -> Vec<String> {
    let name = network.name.as_str();
    let mut needs = Vec::new();
    if let Some(vlan) = network.vlan {
        needs.push(format!("the switches carry VLAN {vlan} to the ports of the machines in `{name}`"));
    }
    let boots = network.roles.contains(&Role::Provisioning);
    if boots
        && let Some(home) =
            draft.provisioner_interfaces().find_map(|interface| Some(interface.address?.value))
    {
        needs.push(format!(
            "DHCP requests reach the provisioner: the router of `{name}` relays them to {home} (on switches, ip \
             helper-address {home}), or the provisioner gets a card there: [provisioner.interface.NAME] with \
             `network = \"{name}\"`"
        ));
    }
    let for_nodes = network.roles.iter().any(|role| *role != Role::Management);
    if for_nodes {
        needs.push(format!(
            "machines have an interface in `{name}`: `interface.NAME = {{ network = \"{name}\" }}` in their profile, and an \
             address each: `address.{name}`"
        ));
    }
    if network.ranges.is_empty() {
        needs.push(format!(
            "plasmagen node add gives out addresses of ranges: `range.PROFILE = \"FIRST-LAST\"` in [network.{name}]"
        ));
    }
    needs
}
