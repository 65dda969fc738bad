//! What machines ask of DHCP, and what they must be told: from the model, not from rendered text.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use plasmagen::model::{
    Cluster, DEFAULT_LOADER, HTTP_CLIENT, LOADERS, Label, Loader, MacAddr, Platform, Reservation, Role,
};
use serde::Serialize;

use crate::live::servers::Server;
use crate::live::stages::Stage;

/// What firmware wants to know, and what iPXE does.
const FIRMWARE_WANTS: [u8; 11] = [1, 3, 6, 12, 15, 28, 51, 54, 60, 66, 67];
const IPXE_WANTS: [u8; 11] = [1, 3, 6, 12, 15, 28, 43, 60, 66, 67, 175];

/// How long a lease lives.
pub(crate) const LEASE_SECONDS: u32 = 3600;

/// How long Kea's lease of a node lives that may boot through several NICs: while it boots, and while it runs.
const SHARED_SECONDS: [u32; 2] = [10, 600];

/// Option 175 with its own option 176: iPXE need not wait for proxies (`ipxe.no-pxedhcp`).
const NO_PROXY: &str = "b0 01 01";

/// A fact that DHCP gives, in words: what it is, and its value.
pub(crate) type Facts = BTreeMap<String, String>;

/// A question, and the answer to it; none: silence.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) question: Question,
    pub(crate) expected: Option<Facts>,
    /// Whether a node asks, in its own rack.
    pub(crate) at_home: bool,
    pub(crate) is_ipxe: bool,
}

/// What `dhcp_client.py` reads.
#[derive(Debug, Serialize)]
pub(crate) struct Question {
    mac: String,
    architectures: Vec<u16>,
    user_class: Option<Vec<u8>>,
    vendor_class: Option<Vec<u8>>,
    client_id: Option<Vec<u8>>,
    wanted: Vec<u8>,
    broadcast: bool,
    /// The client's end of the wire.
    wire: String,
    relay: Option<Ipv4Addr>,
    server: Ipv4Addr,
    silent: bool,
}

/// Where a machine asks, and what it says of itself.
struct Client<'a> {
    server: Server,
    mac: String,
    /// The reservation of the machine; strangers have none.
    node: Option<&'a Reservation<'a>>,
    network: &'a Label,
    stage: Stage,
    /// Whether the router relays although the provisioner has an interface in the network.
    is_relayed: bool,
}

impl<'a> Client<'a> {
    /// The reservation of the machine in the network where it asks.
    fn home(&self) -> Option<&'a Reservation<'a>> {
        self.node.filter(|reservation| reservation.network == self.network)
    }

    /// The build of iPXE that it loads, and whether it loads that by HTTP. A node loads what runs on it.
    fn loader(&self) -> (&'static str, bool) {
        let platform = self.home().map(|reservation| reservation.platform);
        let runs = |loader: &&Loader| platform.is_none_or(|platform| platform.system == loader.system);
        if let Some(loader) = LOADERS.iter().filter(|loader| self.stage.starts(loader)).find(runs) {
            return (loader.file, loader.http);
        }
        let http = LOADERS.iter().any(|loader| loader.http && self.stage.starts(loader));
        match platform {
            Some(Platform { system, .. }) if http => (Loader::over_http(system).file, true),
            Some(Platform { system, firmware }) => (Loader::over_pxe(firmware, system).file, false),
            None => (DEFAULT_LOADER, false),
        }
    }

    fn is_http(&self) -> bool {
        !self.stage.is_ipxe() && self.loader().1
    }

    fn lease_seconds(&self) -> u32 {
        let is_shared = self.home().is_some_and(|reservation| reservation.macs.len() > 1);
        let Stage { architectures, has_vendor_class, .. } = self.stage;
        let boots = !architectures.is_empty() || has_vendor_class || self.stage.is_ipxe();
        match (is_shared && self.server == Server::Kea, boots) {
            (true, true) => SHARED_SECONDS[0],
            (true, false) => SHARED_SECONDS[1],
            (false, _) => LEASE_SECONDS,
        }
    }
}

/// Every node and unknown machines, in every network that machines boot in, in every stage.
pub(crate) fn all(cluster: &Cluster, server: Server) -> Vec<Case> {
    let reservations: Vec<_> = cluster.reservations().collect();
    let mut cases = Vec::new();
    for (rack, (network, network_model)) in cluster.networks_for(Role::Provisioning).enumerate() {
        for (number, stage) in Stage::all().enumerate() {
            for reservation in &reservations {
                // One question is enough of those that stand in another rack.
                if reservation.network == network || stage == Stage::firmware(&[0x07]) {
                    let mac = reservation.macs[0].to_string();
                    cases.push(case(
                        cluster,
                        &Client { server, mac, node: Some(reservation), network, stage, is_relayed: false },
                    ));
                }
            }
            // A stranger asks twice, and then another; one that is told nothing, once.
            let stranger = if network_model.pool.is_some() { number / 2 } else { number };
            let mac = format!("02:00:00:00:{rack:02x}:{stranger:02x}");
            cases.push(case(cluster, &Client { server, mac, node: None, network, stage, is_relayed: false }));
        }
    }
    cases.extend(relayed(cluster, server));
    cases
}

/// Nodes in networks with another interface of the provisioner, whose routers go on to relay DHCP to its home address.
fn relayed(cluster: &Cluster, server: Server) -> Vec<Case> {
    let mut cases = Vec::new();
    for reservation in cluster.reservations() {
        let network = reservation.network;
        let others = &cluster.provisioner.other_interfaces;
        let is_elsewhere = others.iter().any(|interface| interface.network == *network);
        if is_elsewhere && cluster.networks[network].gateway.is_some() {
            let ipxe = Stage { user_class: Some(b"iPXE"), ..Stage::firmware(&[0x07]) };
            for stage in [ipxe, Stage::firmware(&[0x10])] {
                let mac = reservation.macs[0].to_string();
                let node = Some(&reservation);
                cases.push(case(cluster, &Client { server, mac, node, network, stage, is_relayed: true }));
            }
        }
    }
    cases
}

/// Every node once, in its own rack.
pub(crate) fn once(cluster: &Cluster, server: Server) -> Vec<Case> {
    let reservations: Vec<_> = cluster.reservations().collect();
    let case = |reservation: &Reservation<'_>| {
        at_home(cluster, server, reservation, reservation.macs[0], Stage::firmware(&[0x07]))
    };
    reservations.iter().map(case).collect()
}

/// A boot of the node `reservation` through the NIC `mac`: its firmware, iPXE, and the installer.
pub(crate) fn boot(
    cluster: &Cluster,
    server: Server,
    reservation: &Reservation<'_>,
    mac: MacAddr,
) -> Vec<Case> {
    let ipxe = Stage { user_class: Some(b"iPXE"), ..Stage::firmware(&[0x07]) };
    let stages = [Stage::firmware(&[0x07]), ipxe, Stage::firmware(&[])];
    stages.into_iter().map(|stage| at_home(cluster, server, reservation, mac, stage)).collect()
}

fn at_home(
    cluster: &Cluster,
    server: Server,
    reservation: &Reservation<'_>,
    mac: MacAddr,
    stage: Stage,
) -> Case {
    let network = reservation.network;
    let (mac, node) = (mac.to_string(), Some(reservation));
    case(cluster, &Client { server, mac, node, network, stage, is_relayed: false })
}

fn case(cluster: &Cluster, client: &Client<'_>) -> Case {
    let Client { ref mac, node, network, stage, .. } = *client;
    let expected = expected(cluster, client);
    let ipxe = stage.is_ipxe();
    let class = if client.is_http() { HTTP_CLIENT } else { "PXEClient" };
    // Firmware names itself by its UUID, iPXE by its address: it is one machine with one lease all the same.
    let octets = mac.split(':').map(|octet| u8::from_str_radix(octet, 16).unwrap());
    let client_id = if ipxe { vec![1] } else { vec![0; 11] }.into_iter().chain(octets).collect();
    let number = stage.architectures.first().copied().unwrap_or_default();
    let vendor_class = format!("{class}:Arch:{number:05}:UNDI:003016");
    let question = Question {
        mac: mac.clone(),
        architectures: stage.architectures.to_vec(),
        user_class: stage.user_class.map(Into::into),
        vendor_class: stage.has_vendor_class.then(|| vendor_class.into()),
        client_id: stage.has_vendor_class.then_some(client_id),
        wanted: if ipxe { IPXE_WANTS } else { FIRMWARE_WANTS }.to_vec(),
        broadcast: !ipxe,
        wire: wire(cluster, network),
        relay: cluster.networks[network]
            .gateway
            .filter(|_| client.is_relayed || cluster.provisioner.interface_in(network).is_none()),
        server: cluster.provisioner.home.address,
        silent: expected.is_none(),
    };
    let who = node.map_or_else(|| "a stranger".to_owned(), |reservation| reservation.name.to_string());
    let relayed = if client.is_relayed { ", relayed" } else { "" };
    let name = format!("{who} ({mac}) in {network}{relayed}: {stage:x?}");
    Case { name, question, expected, at_home: client.home().is_some(), is_ipxe: ipxe }
}

/// The client's end of the wire to `network`, as `setup.sh` calls it.
fn wire(cluster: &Cluster, network: &Label) -> String {
    let others = &cluster.provisioner.other_interfaces;
    let other = others.iter().find(|interface| interface.network == *network);
    other.map_or_else(|| "wire".to_owned(), |interface| format!("wire-{}", interface.name))
}

/// What such a client must be told.
fn expected(cluster: &Cluster, client: &Client<'_>) -> Option<Facts> {
    let network = &cluster.networks[client.network];
    let home = client.home();
    let address = match (home.and_then(|reservation| reservation.address), network.pool) {
        (Some(address), _) => address.to_string(),
        (None, Some(pool)) => in_pool(pool.first, pool.last),
        (None, None) => return None,
    };
    let load_from = cluster.provisioner.interface_for(client.network);
    let base = format!("http://{}:{}/boot", load_from.address, cluster.provisioner.http_port);
    let file = match (client.stage.is_ipxe(), client.loader()) {
        (true, _) => format!("{base}/ipxe/boot.ipxe"),
        (false, (build, true)) => format!("{base}/tftp/{build}"),
        (false, (build, false)) => build.to_owned(),
    };
    let resolvers: Vec<_> =
        network.dns.iter().filter(|resolver| resolver.is_ipv4()).map(ToString::to_string).collect();
    let facts = [
        ("address", Some(address)),
        ("next server", Some(load_from.address.to_string())),
        ("file", Some(file)),
        ("host name", home.map(|reservation| reservation.name.to_string())),
        ("subnet mask", network.subnet.map(|subnet| subnet.netmask().to_string())),
        ("broadcast", network.subnet.map(|subnet| subnet.broadcast().to_string())),
        ("routers", network.gateway.map(|gateway| gateway.to_string())),
        ("resolvers", (!resolvers.is_empty()).then(|| resolvers.join(" "))),
        ("domain", network.domain.as_ref().map(ToString::to_string)),
        ("lease time", Some(client.lease_seconds().to_string())),
        ("vendor class", client.is_http().then(|| HTTP_CLIENT.to_owned())),
        ("iPXE", client.stage.is_ipxe().then(|| NO_PROXY.to_owned())),
    ];
    Some(facts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
}

/// An address of a pool: which one is the server's choice.
pub(crate) fn in_pool(first: Ipv4Addr, last: Ipv4Addr) -> String {
    format!("one of {first}-{last}")
}
