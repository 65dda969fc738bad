//! The reservations of other clusters that the provisioner serves, too: files that `[provisioner] reservations` names, which
//! plasmagen renders for those clusters as `site/pxe/reservations.json`.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use crate::fs::{LIST_LIMIT, read_input};
use crate::model::{
    Cluster, ForeignReservation, HostName, Label, MacAddr, Network, Platform, RelPath, ReservationFile,
    ReservedNode, Role, Word,
};

/// What is taken in the boot networks already, with its owner.
struct Taken {
    names: HashMap<String, String>,
    macs: HashMap<String, String>,
    addresses: HashMap<IpAddr, String>,
}

/// Reads the reservations of other clusters that `cluster` names, below `root`.
///
/// # Errors
/// The path of a file with the reason why it cannot be used.
pub(super) fn read_neighbours(
    root: &Path,
    cluster: &Cluster,
) -> Result<Vec<ForeignReservation>, (RelPath, anyhow::Error)> {
    let mut taken = Taken::by(cluster);
    let mut clusters = HashSet::from([cluster.name.to_string()]);
    let mut all = Vec::new();
    for path in &cluster.provisioner.reservations {
        let read = read_file(&root.join(path.as_str()), cluster, &mut clusters, &mut taken);
        all.extend(read.map_err(|error| (path.clone(), error))?);
    }
    Ok(all)
}

fn read_file(
    path: &Path,
    cluster: &Cluster,
    clusters: &mut HashSet<String>,
    taken: &mut Taken,
) -> Result<Vec<ForeignReservation>> {
    let text = read_input(path, LIST_LIMIT).context("it can't be read")?;
    let file: ReservationFile = serde_json::from_slice(&text)
        .context("it is no file of reservations: copy site/pxe/reservations.json of the other cluster")?;
    ensure!(
        file.schema == ReservationFile::SCHEMA,
        "it was written by a later plasmagen (schema {})",
        file.schema
    );
    ensure!(Label::parse(&file.cluster).is_ok(), "its cluster has no legal name");
    ensure!(
        clusters.insert(file.cluster.clone()),
        "the cluster {} has its reservations already: name the file of another cluster",
        file.cluster
    );
    file.reservations.iter().map(|node| taken.take(node, &file.cluster, cluster)).collect()
}

impl Taken {
    /// What the provisioner, the networks and the nodes of `cluster` take.
    fn by(cluster: &Cluster) -> Self {
        let mut taken = Self { names: HashMap::new(), macs: HashMap::new(), addresses: HashMap::new() };
        for node in &cluster.nodes {
            let owner = format!("the node {}", node.name);
            taken.names.insert(node.name.to_string(), owner.clone());
            let macs = node.interfaces.iter().filter_map(|interface| interface.mac);
            for mac in node.boot_macs().into_iter().chain(macs) {
                taken.macs.insert(mac.to_string(), owner.clone());
            }
            for address in node.interfaces.iter().flat_map(|interface| &interface.addresses) {
                taken.addresses.insert(address.addr(), owner.clone());
            }
        }
        for vip in &cluster.vips {
            taken.addresses.insert(vip.address, format!("the virtual address {}", vip.name));
        }
        for (name, network) in &cluster.networks {
            let gateways =
                network.gateway.map(IpAddr::V4).into_iter().chain(network.gateway6.map(IpAddr::V6));
            for gateway in gateways {
                taken.addresses.insert(gateway, format!("the gateway of the network {name}"));
            }
        }
        for interface in cluster.provisioner.interfaces() {
            taken.addresses.insert(IpAddr::V4(interface.address), "the provisioner".to_owned());
        }
        taken
    }

    /// Takes the name, the NICs and the addresses of `node` of the cluster `owner`.
    fn take(&mut self, node: &ReservedNode, owner: &str, cluster: &Cluster) -> Result<ForeignReservation> {
        let name = HostName::parse(&node.name).ok().context("a node has no legal name")?;
        let macs = node.macs.iter().map(|mac| MacAddr::parse(mac).ok()).collect::<Option<Vec<_>>>();
        let macs = macs.filter(|macs| !macs.is_empty());
        let macs = macs.with_context(|| format!("{name} has no legal MAC address"))?;
        let holder = format!("{name} of the cluster {owner}");
        let refuse = |what: String, other: &str| format!("{what} is that of {other} and of {holder}");
        if let Some(other) = self.names.insert(name.to_string(), holder.clone()) {
            bail!(refuse(format!("the name {name}"), &other));
        }
        for mac in &macs {
            if let Some(other) = self.macs.insert(mac.to_string(), holder.clone()) {
                bail!(refuse(format!("the MAC address {mac}"), &other));
            }
        }
        let addresses = node.address.map(IpAddr::V4).into_iter().chain(node.address6.map(IpAddr::V6));
        let mut network = None;
        for address in addresses {
            if let Some(other) = self.addresses.insert(address, holder.clone()) {
                bail!(refuse(format!("the address {address}"), &other));
            }
            let (label, found) = find_network(cluster, address)
                .with_context(|| format!("{holder} has {address}, which is in no provisioning network"))?;
            ensure!(!is_in_pool(found, address), "{holder} has {address}, which is in the pool of {label}");
            network = network.or(Some(label));
        }
        let network = network.with_context(|| format!("{holder} has no address"))?.clone();
        let platform = Platform { system: node.system, firmware: node.firmware };
        let (address, address6) = (node.address, node.address6);
        Ok(ForeignReservation { name, macs, platform, network, address, address6 })
    }
}

/// The provisioning network that `address` lies in.
fn find_network(cluster: &Cluster, address: IpAddr) -> Option<(&Label, &Network)> {
    cluster.networks_for(Role::Provisioning).find(|(_, network)| match address {
        IpAddr::V4(address) => network.subnet.is_some_and(|subnet| subnet.contains(&address)),
        IpAddr::V6(address) => network.subnet6.is_some_and(|subnet| subnet.contains(&address)),
    })
}

fn is_in_pool(network: &Network, address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => network.pool.is_some_and(|pool| (pool.first..=pool.last).contains(&address)),
        IpAddr::V6(address) => network.pool6.is_some_and(|pool| (pool.first..=pool.last).contains(&address)),
    }
}
