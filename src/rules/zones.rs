//! Chapter B: the names in zones that are made from others, and the zones of addresses (B08, B10, B11 and B12).

use std::collections::{HashMap, HashSet};

use crate::diag::{Diagnostic, Report, Span, Spanned};
use crate::inventory::known;
use crate::model::dns::{PROVISIONER, bmc_name, is_inside, network_domain, server_name};
use crate::model::{DomainName, ReverseZone, reverse};
use crate::resolve::{Draft, DraftNode, NetworkEntry};

/// The longest domain whose file `<domain>.zone` has a name: file systems take 255 bytes.
const LONGEST_DOMAIN: usize = 255 - ".zone".len();

/// A name in a zone that plasmagen makes from others.
struct DerivedName<'a> {
    name: String,
    /// The place of the value that the name comes from.
    span: &'a Span,
    /// The owner of the name, in words.
    what: String,
    /// The place of the domain, if it is that of a network.
    domain: Option<&'a Span>,
}

/// The cluster's domain.
pub(super) fn domain<'a>(draft: &'a Draft<'_>) -> Option<&'a DomainName> {
    draft.inventory.cluster.as_ref()?.domain.as_ref().map(|domain| &domain.value)
}

/// The domains of networks for which the site has a zone, or a part of the cluster's zone.
fn zone_domains<'a>(draft: &'a Draft<'_>) -> impl Iterator<Item = &'a Spanned<DomainName>> {
    let with_zone = draft.networks.values().filter(|network| network.value.has_zone());
    with_zone.filter_map(|network| network.value.domain.as_ref())
}

/// The domain of names in `network`, for machines that are reached in another network.
fn names_domain(domain: &DomainName, network: &NetworkEntry) -> Option<String> {
    let written = network.value.domain.as_ref().map(|domain| &domain.value);
    Some(network_domain(domain, network.name.as_ref()?, written, network.value.has_zone()))
}

/// Makes the derived names: those of the provisioner in further networks, of BMCs, of nodes in networks where they are not
/// reached, and of name servers that are known only by an address.
fn derive_names<'a>(draft: &'a Draft<'_>, domain: &DomainName) -> Vec<DerivedName<'a>> {
    let mut names: Vec<_> = draft
        .provisioner_interfaces()
        .skip(1)
        .filter_map(|interface| {
            let network = draft.networks.get(interface.network?.value.as_str())?;
            Some(DerivedName {
                name: format!("{PROVISIONER}.{}", names_domain(domain, network)?),
                span: &interface.address?.span,
                what: format!("the provisioner in `{}`", network.key),
                domain: network.value.domain.as_ref().map(|domain| &domain.span),
            })
        })
        .collect();
    for node in draft.nodes.iter().filter(|node| node.entry.name.is_some()) {
        let key = &node.entry.key;
        if let Some(address) = node.entry.value.bmc.as_ref().and_then(|bmc| bmc.address.as_ref()) {
            let name = format!("{}.{domain}", bmc_name(key));
            names.push(DerivedName {
                name,
                span: &address.span,
                what: format!("the BMC of `{key}`"),
                domain: None,
            });
        }
        names.extend(other_networks(node).filter_map(|(network, span)| {
            Some(DerivedName {
                name: format!("{key}.{}", names_domain(domain, network)?),
                span,
                what: format!("`{key}` in `{}`", network.key),
                domain: network.value.domain.as_ref().map(|domain| &domain.span),
            })
        }));
    }
    let taken: HashSet<_> = named_addresses(draft).collect();
    let servers = draft.inventory.dns.name_servers.as_ref();
    for (at, server) in servers.iter().flat_map(|list| &list.value).enumerate() {
        if server.value.address().is_some_and(|address| !taken.contains(&address)) {
            let name = format!("{}.{domain}", server_name(at));
            let what = format!("the name server {}", server.value);
            names.push(DerivedName { name, span: &server.span, what, domain: None });
        }
    }
    names
}

/// The addresses that have a name because of something else than `[dns] name_servers`.
fn named_addresses<'a>(draft: &'a Draft<'_>) -> impl Iterator<Item = std::net::IpAddr> + use<'a> {
    let provisioner = draft.provisioner_interfaces().filter_map(|interface| interface.address);
    let nodes = draft.nodes.iter().flat_map(|node| {
        let bmc = node.entry.value.bmc.as_ref().and_then(|bmc| bmc.address.as_ref());
        node.addresses.iter().map(|address| address.address).chain(bmc.map(|bmc| bmc.value))
    });
    nodes
        .chain(draft.vips().map(|vip| vip.address))
        .chain(provisioner.map(|provisioner| provisioner.value.into()))
}

/// The networks in which a node has an address but is not reached, each with the place of such an address.
fn other_networks<'a>(node: &'a DraftNode<'_>) -> impl Iterator<Item = (&'a NetworkEntry, &'a Span)> {
    let known = node
        .addresses
        .iter()
        .all(|address| address.network.is_some_and(|network| network.value.roles_known()));
    let home = node.home().map(|home| &home.key);
    let mut seen = HashSet::new();
    node.addresses.iter().filter_map(move |address| {
        let network = address.network?;
        (known && Some(&network.key) != home && seen.insert(&network.key)).then_some((network, address.span))
    })
}

/// The names that are not derived: those of nodes, virtual addresses and the provisioner.
fn written_names<'a>(
    draft: &'a Draft<'_>,
    domain: &DomainName,
) -> impl Iterator<Item = (String, &'a Span)> + use<'a> {
    let full = |name: &str| format!("{name}.{domain}");
    let nodes = draft.nodes.iter().map(|node| (full(&node.entry.key), &node.entry.span));
    let vips = draft.vips().map(|vip| (full(vip.key), vip.key_span));
    let home = draft.provisioner_interfaces().next().and_then(|interface| interface.address);
    let boot = home.map(|provisioner| (full(PROVISIONER), &provisioner.span));
    nodes.chain(vips).chain(boot).collect::<Vec<_>>().into_iter()
}

/// B11: derived names fit DNS, and zones the file system.
pub(super) fn check_lengths(draft: &Draft<'_>, report: &mut Report) {
    let fault = |span, message| Diagnostic::error("PG-B11", span, message);
    for domain in zone_domains(draft) {
        if domain.value.as_str().len() > LONGEST_DOMAIN {
            let message = "the file of this domain's zone would have a name of more than 255 bytes";
            report.push(fault(&domain.span, message.to_owned()).help("shorten the domain"));
        }
    }
    // In a longer domain no node's name fits the kernel, which B03 reports.
    let Some(domain) = domain(draft).filter(|domain| domain.as_str().len() <= 62) else { return };
    let mut told = HashSet::new();
    for DerivedName { name, span, what, domain } in derive_names(draft, domain) {
        let label = name.split('.').next().unwrap_or_default();
        if label.len() > 63 {
            let message = format!(
                "{what} would be called `{label}`, which has {} bytes, and DNS allows 63",
                label.len()
            );
            report.push(fault(span, message).help("shorten the node's name"));
        } else if let Some(domain) = domain.filter(|_| name.len() > 253)
            && told.insert(domain)
        {
            let message =
                format!("the name of {what} in this domain has {} bytes, and DNS allows 253", name.len());
            report.push(fault(domain, message).related(span, "this address").help("shorten the domain"));
        }
    }
}

/// B12: nothing else has a derived name.
pub(super) fn check_uniqueness(draft: &Draft<'_>, report: &mut Report) {
    let Some(domain) = domain(draft) else { return };
    let mut seen: HashMap<String, &Span> = written_names(draft, domain).collect();
    for DerivedName { name, span, what, .. } in derive_names(draft, domain) {
        if let Some(first) = seen.get(&name) {
            let message = format!("{what} would be called `{name}`, which is taken");
            let fault = Diagnostic::error("PG-B12", span, message).related(first, "first used here");
            report.push(fault.help("give one of the two another name, or the network another domain"));
        } else {
            seen.insert(name, span);
        }
    }
}

/// B10: a name server in a domain of the site has an address there; name servers refuse the zone otherwise.
pub(super) fn check_name_servers(draft: &Draft<'_>, report: &mut Report) {
    let (Some(domain), Some(servers)) = (domain(draft), &draft.inventory.dns.name_servers) else { return };
    let inventory = draft.inventory;
    if !(inventory.nodes.is_whole() && inventory.vips.is_whole() && inventory.vips6.is_whole()) {
        return;
    }
    let domains: Vec<&str> =
        zone_domains(draft).map(|domain| domain.value.as_str()).chain([domain.as_str()]).collect();
    let mut names: Option<HashSet<String>> = None;
    for server in servers.value.iter().filter(|server| server.value.address().is_none()) {
        let name = server.value.as_str();
        if !domains.iter().any(|domain| is_inside(name, domain)) {
            continue;
        }
        let names = names.get_or_insert_with(|| {
            let made = derive_names(draft, domain).into_iter().map(|derived| derived.name);
            made.chain(written_names(draft, domain).map(|written| written.0)).collect()
        });
        if !names.contains(name) {
            let message = format!("`{name}` is in a domain of the site, but nothing there has that name");
            let fault = Diagnostic::error("PG-B10", &server.span, message);
            report.push(fault.help(
                "write the server's address, and plasmagen gives it a name; or the name of a node or virtual address",
            ));
        }
    }
}

/// B08: name servers find the addresses of a network in its reverse zone.
pub(super) fn b08(draft: &Draft<'_>, report: &mut Report) {
    let subnets = |network: &'_ NetworkEntry| known(&network.value.subnet).copied();
    // The networks without a `reverse_zone`, by the blocks of a /24 or more that they have the zones of.
    let mut whole = HashMap::new();
    for network in draft.networks.values().filter(|network| network.value.reverse_zone.is_none()) {
        let blocks = subnets(network).into_iter().flat_map(|net| reverse::blocks(net.into()));
        whole.extend(blocks.map(|block| (block, *network)));
    }
    for network in draft.networks.values() {
        let Some(Spanned { value, span }) = &network.value.reverse_zone else { continue };
        let fault = |message: String| Diagnostic::error("PG-B08", span, message);
        if network.value.subnet.is_none() {
            let fault = fault(format!("`{}` has no IPv4 subnet for this zone", network.key));
            report.push(fault.help("remove `reverse_zone`: IPv6 zones can be delegated at any digit"));
            continue;
        }
        let (ReverseZone::Delegated(zone), Some(net)) = (value, subnets(network)) else { continue };
        let Some(parent) = zone.parent() else { continue };
        if net.prefix_len() <= 24 {
            let zone_names: String = reverse::blocks(net.into()).take(1).map(reverse::name).collect();
            let fault = fault(format!("{net} is not a part of a /24, and has the zone {zone_names}"));
            report.push(fault.help("remove `reverse_zone`"));
        } else if !parent.contains(&net) {
            let whole_zone = reverse::blocks(net.into()).map(reverse::name).collect::<String>();
            let fault = fault(format!("`{zone}` is not below `{whole_zone}`, where {net} is looked up"));
            report.push(
                fault.help(format!("write the name below `{whole_zone}` that its owner has delegated")),
            );
        } else if let Some(other) = reverse::blocks(net.into()).find_map(|block| whole.get(&block)) {
            let whole_zone = reverse::name(parent.into());
            let message = format!(
                "`{}` makes this site the owner of `{whole_zone}`, and name servers look there first",
                other.key
            );
            let fault = fault(message).related(&other.span, "this network");
            report.push(
                fault.help("remove `reverse_zone`, or give the other network a delegated zone as well"),
            );
        }
    }
}
