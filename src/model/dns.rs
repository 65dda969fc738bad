//! The names of the site and the zones that hold them: the zone files and the hosts file are written from this.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net};

use super::reverse::{blocks, blocks_around, name as reverse_name};
use super::{Cluster, DelegatedZone, DomainName, Invalid, Label, Node, ReverseZone, Word};

/// The provisioner's name in the cluster's domain.
pub const PROVISIONER: &str = "boot";

/// The name of a node's BMC in the cluster's domain.
#[must_use]
pub fn bmc_name(node: &str) -> String {
    format!("{node}-bmc")
}

/// The name in the cluster's domain of a name server that the inventory lists by address alone; `at` is the server's
/// number in that list, counted from 0.
#[must_use]
pub fn server_name(at: usize) -> String {
    format!("ns{}", at + 1)
}

/// The domain of nodes' names in a network other than the one they are reached in: the network's `domain`, if one of the
/// site's zones holds the domain.
#[must_use]
pub fn network_domain(
    cluster: &DomainName,
    network: &Label,
    domain: Option<&DomainName>,
    has_zone: bool,
) -> String {
    let is_held = |domain: &DomainName| has_zone || is_inside(domain.as_str(), cluster.as_str());
    match domain.filter(|domain| *domain != cluster && is_held(domain)) {
        Some(domain) => domain.to_string(),
        None => format!("{network}.{cluster}"),
    }
}

/// Whether `name` is `domain` or lies below it.
#[must_use]
pub fn is_inside(name: &str, domain: &str) -> bool {
    name.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// The names of the site and their addresses.
#[derive(Clone, Debug, Default)]
pub struct SiteNames {
    /// The addresses of each name.
    pub hosts: BTreeMap<DomainName, Vec<IpAddr>>,
    /// The name of each address for reverse lookups: one of the names with that address.
    pub owners: BTreeMap<IpAddr, DomainName>,
    /// The name servers of every zone, the primary server first.
    pub servers: Vec<DomainName>,
}

impl SiteNames {
    /// Adds `address` to `name`, unless the address has a name already.
    fn add(&mut self, name: &DomainName, address: IpAddr) {
        if self.owners.contains_key(&address) {
            return;
        }
        self.owners.insert(address, name.clone());
        self.hosts.entry(name.clone()).or_default().push(address);
    }
}

/// A zone: forward with `addresses`, or reverse with `pointers`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Zone {
    /// The addresses of the zone's names (A, AAAA), by name; among them addresses of name servers in zones below (glue).
    pub addresses: Vec<(DomainName, IpAddr)>,
    /// The names of addresses (PTR), by address.
    pub pointers: Vec<(String, DomainName)>,
    /// The zones directly below this zone.
    pub delegations: Vec<DomainName>,
}

impl Cluster {
    /// The names of the site.
    ///
    /// # Errors
    /// When a name is too long for DNS, which rule B11 refuses.
    pub fn names(&self) -> Result<SiteNames, Invalid> {
        let inside = |name: &str| DomainName::parse(&format!("{name}.{}", self.domain));
        let mut names = SiteNames::default();
        let boot = inside(PROVISIONER)?;
        names.add(&boot, self.provisioner.home.address.into());
        for interface in &self.provisioner.other_interfaces {
            let domain = self.domain_in(&interface.network);
            names.add(&DomainName::parse(&format!("{PROVISIONER}.{domain}"))?, interface.address.into());
        }
        for vip in &self.vips {
            names.add(&inside(vip.name.as_str())?, vip.address);
        }
        for node in &self.nodes {
            self.add_node(node, &mut names)?;
            if let Some(bmc) = &node.bmc {
                names.add(&inside(&bmc_name(node.name.as_str()))?, bmc.address);
            }
        }
        for (at, server) in self.dns.name_servers.iter().enumerate() {
            let name = match server.address() {
                None => DomainName::parse(server.as_str())?,
                Some(address) => {
                    names.add(&inside(&server_name(at))?, address);
                    names.owners[&address].clone()
                }
            };
            if !names.servers.contains(&name) {
                names.servers.push(name);
            }
        }
        if names.servers.is_empty() {
            names.servers.push(boot);
        }
        Ok(names)
    }

    /// The domain of the names that machines have in the network `label`, where they are reached in another network.
    fn domain_in(&self, label: &Label) -> String {
        let network = self.networks.get(label);
        let domain = network.and_then(|network| network.domain.as_ref());
        network_domain(&self.domain, label, domain, network.is_some_and(|network| network.zone))
    }

    /// Adds the node's addresses: those of the home network under the full name, the others under a name in the domain of
    /// their network.
    fn add_node(&self, node: &Node, names: &mut SiteNames) -> Result<(), Invalid> {
        let home = node.home.as_ref();
        for interface in &node.interfaces {
            let Some(label) = &interface.network else { continue };
            let name = if Some(label) == home {
                node.fqdn.clone()
            } else {
                DomainName::parse(&format!("{}.{}", node.name, self.domain_in(label)))?
            };
            interface.addresses.iter().for_each(|net| names.add(&name, net.addr()));
        }
        Ok(())
    }

    /// The zones by name, with their records. A zone exists as long as its domain or network, even without records, so
    /// that its serial number never starts anew.
    #[must_use]
    pub fn zones(&self, names: &SiteNames) -> BTreeMap<String, Zone> {
        let mut zones = BTreeMap::new();
        self.forward_zones(names, &mut zones);
        self.reverse_zones(names, &mut zones);
        zones
    }

    fn forward_zones(&self, names: &SiteNames, zones: &mut BTreeMap<String, Zone>) {
        let with_zone = self.networks.values().filter(|network| network.zone);
        let domains = with_zone.filter_map(|network| network.domain.as_ref());
        let others = domains.filter(|domain| !is_inside(domain.as_str(), self.domain.as_str()));
        let apexes: BTreeMap<&str, &DomainName> =
            others.chain([&self.domain]).map(|domain| (domain.as_str(), domain)).collect();
        zones.extend(apexes.keys().map(|name| ((*name).to_owned(), Zone::default())));
        for (&name, &apex) in &apexes {
            let above = above(name).and_then(|name| closest(&apexes, name));
            let Some(zone) = above.and_then(|above| zones.get_mut(above)) else { continue };
            zone.delegations.push(apex.clone());
        }
        for (name, addresses) in &names.hosts {
            // Above a delegation, the addresses of servers below it are needed to get there (RFC 1034 section 4.2.1).
            let serves = names.servers.contains(name);
            let mut next = closest(&apexes, name.as_str());
            while let Some(apex) = next {
                if let Some(zone) = zones.get_mut(apex) {
                    zone.addresses.extend(addresses.iter().map(|address| (name.clone(), *address)));
                }
                next = above(apex).filter(|_| serves).and_then(|name| closest(&apexes, name));
            }
        }
    }

    fn reverse_zones(&self, names: &SiteNames, zones: &mut BTreeMap<String, Zone>) {
        let mut delegated = BTreeMap::<Ipv4Addr, (Ipv4Net, &DelegatedZone)>::new();
        let mut aligned = HashMap::<IpNet, String>::new();
        for network in self.networks.values() {
            if let (Some(net), Some(ReverseZone::Delegated(zone))) = (network.subnet, &network.reverse_zone) {
                delegated.insert(net.network(), (net, zone));
            }
            // `reverse_zone` concerns IPv4.
            let nets =
                network.subnets().filter(|net| network.reverse_zone.is_none() || matches!(net, IpNet::V6(_)));
            aligned.extend(nets.flat_map(blocks).map(|block| (block, reverse_name(block))));
        }
        zones.extend(delegated.values().map(|(_, zone)| (zone.to_string(), Zone::default())));
        zones.extend(aligned.values().map(|name| (name.clone(), Zone::default())));
        for (address, owner) in &names.owners {
            let classless = |v4: &Ipv4Addr| {
                let (_, (net, zone)) = delegated.range(..=*v4).next_back()?;
                net.contains(v4).then(|| (format!("{}.{zone}", v4.octets()[3]), zone.as_str()))
            };
            let in_delegated = if let IpAddr::V4(v4) = address { classless(v4) } else { None };
            let in_aligned = || {
                let zone = blocks_around(*address).find_map(|block| aligned.get(&block))?;
                Some((reverse_name(IpNet::from(*address)), zone.as_str()))
            };
            if let Some((name, zone)) = in_delegated.or_else(in_aligned)
                && let Some(zone) = zones.get_mut(zone)
            {
                zone.pointers.push((name, owner.clone()));
            }
        }
    }
}

/// The name without its first label.
fn above(name: &str) -> Option<&str> {
    name.split_once('.').map(|(_, rest)| rest)
}

/// The zone that holds `name`.
fn closest<'a>(apexes: &BTreeMap<&'a str, &DomainName>, name: &str) -> Option<&'a str> {
    std::iter::successors(Some(name), |name| above(name))
        .find_map(|name| apexes.get_key_value(name).map(|(name, _)| *name))
}
