//! Which names the site has, and in which zones they stand: the zones and the hosts file are written from this.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net};

use super::reverse::{blocks, blocks_around, name as reverse_name};
use super::{Cluster, DomainName, Invalid, Label, Node, ReverseZone, Word};

/// The provisioner's name in the cluster's domain.
pub const PROVISIONER: &str = "boot";

/// The name of a node's BMC in the cluster's domain.
#[must_use]
pub fn bmc_name(node: &str) -> String {
    format!("{node}-bmc")
}

/// The name in the cluster's domain of the name server that is listed as number `at`, counted from 0, where its address
/// is all that is known.
#[must_use]
pub fn server_name(at: usize) -> String {
    format!("ns{}", at + 1)
}

/// The domain of the names that nodes have in a network which they are not reached in.
#[must_use]
pub fn network_domain(cluster: &DomainName, network: &Label, domain: Option<&DomainName>) -> String {
    match domain.filter(|own| *own != cluster) {
        Some(own) => own.to_string(),
        None => format!("{network}.{cluster}"),
    }
}

/// Whether `name` is `domain` or lies below it.
#[must_use]
pub fn is_inside(name: &str, domain: &str) -> bool {
    name.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// The names of the site, and what they lead to.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// The addresses that each name leads to.
    pub hosts: BTreeMap<DomainName, Vec<IpAddr>>,
    /// The name that each address leads back to: one that leads to it.
    pub owners: BTreeMap<IpAddr, DomainName>,
    /// The name servers of every zone, the primary one first.
    pub servers: Vec<DomainName>,
}

impl Names {
    /// An address has one name: the first.
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
    /// What its names lead to (A, AAAA), by name; among them addresses of name servers in zones below (glue).
    pub addresses: Vec<(DomainName, IpAddr)>,
    /// What its addresses lead back to (PTR), by address.
    pub pointers: Vec<(String, DomainName)>,
    /// The zones directly below it.
    pub delegations: Vec<DomainName>,
}

impl Cluster {
    /// The names of the site.
    ///
    /// # Errors
    /// When a name is too long for DNS, which rule B11 refuses.
    pub fn names(&self) -> Result<Names, Invalid> {
        let inside = |name: &str| DomainName::parse(&format!("{name}.{}", self.domain));
        let mut names = Names::default();
        let boot = inside(PROVISIONER)?;
        names.add(&boot, self.provisioner.address.into());
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

    /// The addresses where the node is reached have its full name, and the others a name in their network's domain.
    fn add_node(&self, node: &Node, names: &mut Names) -> Result<(), Invalid> {
        let home = self.home(node).and_then(|own| own.network.as_ref());
        for interface in &node.interfaces {
            let Some((label, network)) =
                interface.network.as_ref().and_then(|own| self.networks.get_key_value(own))
            else {
                continue;
            };
            let name = if Some(label) == home {
                node.fqdn.clone()
            } else {
                let domain = network_domain(&self.domain, label, network.domain.as_ref());
                DomainName::parse(&format!("{}.{domain}", node.name))?
            };
            interface.addresses.iter().for_each(|own| names.add(&name, own.addr()));
        }
        Ok(())
    }

    /// The zones by name, each with what stands in it. One is there as long as its domain or network is, even if it is
    /// empty: its serial number never starts anew.
    #[must_use]
    pub fn zones(&self, names: &Names) -> BTreeMap<String, Zone> {
        let mut zones = BTreeMap::new();
        self.forward_zones(names, &mut zones);
        self.reverse_zones(names, &mut zones);
        zones
    }

    fn forward_zones(&self, names: &Names, zones: &mut BTreeMap<String, Zone>) {
        let domains = self.networks.values().filter_map(|network| network.domain.as_ref());
        let others = domains.filter(|own| !is_inside(own.as_str(), self.domain.as_str()));
        let apexes: BTreeMap<&str, &DomainName> =
            others.chain([&self.domain]).map(|own| (own.as_str(), own)).collect();
        zones.extend(apexes.keys().map(|name| ((*name).to_owned(), Zone::default())));
        for (&name, &apex) in &apexes {
            let above = above(name).and_then(|name| closest(&apexes, name));
            let Some(zone) = above.and_then(|above| zones.get_mut(above)) else { continue };
            zone.delegations.push(apex.clone());
        }
        for (name, addresses) in &names.hosts {
            let own = closest(&apexes, name.as_str());
            // Above a delegation, the addresses of servers below it are needed to get there (RFC 1034 section 4.2.1).
            let serves = names.servers.contains(name);
            let mut at = own;
            while let Some(apex) = at {
                if let Some(zone) = zones.get_mut(apex) {
                    zone.addresses.extend(addresses.iter().map(|own| (name.clone(), *own)));
                }
                at = above(apex).filter(|_| serves).and_then(|name| closest(&apexes, name));
            }
        }
    }

    fn reverse_zones(&self, names: &Names, zones: &mut BTreeMap<String, Zone>) {
        let mut delegated = BTreeMap::<Ipv4Addr, (Ipv4Net, &ReverseZone)>::new();
        let mut aligned = HashMap::<IpNet, String>::new();
        for network in self.networks.values() {
            let own = network.subnet.zip(network.reverse_zone.as_ref());
            delegated.extend(own.map(|(net, zone)| (net.network(), (net, zone))));
            let nets = network.subnets().filter(|net| own.is_none() || matches!(net, IpNet::V6(_)));
            aligned.extend(nets.flat_map(blocks).map(|block| (block, reverse_name(block))));
        }
        zones.extend(delegated.values().map(|(_, zone)| (zone.to_string(), Zone::default())));
        zones.extend(aligned.values().map(|name| (name.clone(), Zone::default())));
        for (address, owner) in &names.owners {
            let classless = |v4: &Ipv4Addr| {
                let (_, (net, zone)) = delegated.range(..=*v4).next_back()?;
                net.contains(v4).then(|| (format!("{}.{zone}", v4.octets()[3]), zone.as_str()))
            };
            let own = if let IpAddr::V4(v4) = address { classless(v4) } else { None };
            let whole = || {
                let zone = blocks_around(*address).find_map(|block| aligned.get(&block))?;
                Some((reverse_name(IpNet::from(*address)), zone.as_str()))
            };
            if let Some((name, zone)) = own.or_else(whole)
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

/// The zone that `name` stands in.
fn closest<'a>(apexes: &BTreeMap<&'a str, &DomainName>, name: &str) -> Option<&'a str> {
    std::iter::successors(Some(name), |name| above(name))
        .find_map(|name| apexes.get_key_value(name).map(|(name, _)| *name))
}
