//! What machines ask of DHCP, and what they must be told: from the model, not from rendered text.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use plasmagen::model::{
    Cluster, DEFAULT_LOADER, HTTP_CLIENT, IPXE_CLASS, LOADERS, Label, Loader, Reservation, Role,
};
use serde::Serialize;

/// The architectures that are asked for: all that are known, one that is not, and a machine that names none.
const ARCHITECTURES: [Option<u16>; 9] =
    [Some(0x00), Some(0x06), Some(0x07), Some(0x09), Some(0x0b), Some(0x10), Some(0x13), Some(0x7f), None];

/// Where iPXE runs: it names an architecture too. Some builds send their user class with its length (RFC 3004); other
/// classes mean nothing.
const IPXE: [(Option<u16>, &str); 6] = [
    (Some(0x00), IPXE_CLASS),
    (Some(0x07), IPXE_CLASS),
    (Some(0x0b), IPXE_CLASS),
    (None, IPXE_CLASS),
    (Some(0x00), "\u{4}iPXE"),
    (Some(0x00), "gPXE"),
];

/// What firmware wants to know, and what iPXE does.
const FIRMWARE_WANTS: [u8; 11] = [1, 3, 6, 12, 15, 28, 51, 54, 60, 66, 67];
const IPXE_WANTS: [u8; 11] = [1, 3, 6, 12, 15, 28, 43, 60, 66, 67, 175];

/// How long a lease lives.
pub(crate) const LEASE_SECONDS: u32 = 3600;

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
    architecture: Option<u16>,
    user_class: Option<Vec<u8>>,
    vendor_class: Option<Vec<u8>>,
    client_id: Option<Vec<u8>>,
    wanted: Vec<u8>,
    broadcast: bool,
    relay: Option<Ipv4Addr>,
    server: Ipv4Addr,
    silent: bool,
}

/// Where a machine asks, and what it says of itself.
struct Client<'a> {
    mac: String,
    /// What is kept for it; strangers have nothing.
    node: Option<Reservation<'a>>,
    network: &'a Label,
    architecture: Option<u16>,
    user_class: Option<&'static str>,
}

impl Client<'_> {
    fn is_ipxe(&self) -> bool {
        self.user_class.is_some_and(|class| class.ends_with(IPXE_CLASS))
    }

    /// Whether it loads by HTTP.
    fn is_http(&self) -> bool {
        self.loader().is_some_and(|loader| loader.http) && !self.is_ipxe()
    }

    /// What its architecture loads.
    fn loader(&self) -> Option<&'static Loader> {
        LOADERS
            .iter()
            .find(|loader| self.architecture.is_some_and(|number| loader.architectures.contains(&number)))
    }
}

/// Every node and unknown machines, in every network that machines boot in, for every architecture.
pub(crate) fn all(cluster: &Cluster) -> Vec<Case> {
    let mut cases = Vec::new();
    for (rack, (network, network_model)) in cluster.networks_for(Role::Provisioning).enumerate() {
        let firmware = ARCHITECTURES.map(|architecture| (architecture, None));
        let stages =
            firmware.into_iter().chain(IPXE.map(|(architecture, class)| (architecture, Some(class))));
        for (number, (architecture, user_class)) in stages.enumerate() {
            for reservation in cluster.reservations() {
                // One question is enough of those that stand in another rack.
                if reservation.network == network || (architecture, user_class) == (Some(0x07), None) {
                    let (mac, node) = (reservation.mac.to_string(), Some(reservation));
                    cases.push(case(cluster, &Client { mac, node, network, architecture, user_class }));
                }
            }
            // A stranger asks twice, and then another; one that is told nothing, once.
            let stranger = if network_model.pool.is_some() { number / 2 } else { number };
            let mac = format!("02:00:00:00:{rack:02x}:{stranger:02x}");
            cases.push(case(cluster, &Client { mac, node: None, network, architecture, user_class }));
        }
    }
    cases
}

/// Every node once, in its own rack.
pub(crate) fn once(cluster: &Cluster) -> Vec<Case> {
    let case = |reservation: Reservation<'_>| {
        let (mac, architecture) = (reservation.mac.to_string(), Some(0x07));
        let client = Client {
            mac,
            node: Some(reservation),
            network: reservation.network,
            architecture,
            user_class: None,
        };
        case(cluster, &client)
    };
    cluster.reservations().map(case).collect()
}

fn case(cluster: &Cluster, client: &Client<'_>) -> Case {
    let Client { ref mac, node, network, architecture, user_class } = *client;
    let expected = expected(cluster, client);
    let ipxe = client.is_ipxe();
    let class = if client.is_http() { HTTP_CLIENT } else { "PXEClient" };
    // Firmware names itself by its UUID, iPXE by its address: it is one machine with one lease all the same.
    let octets = mac.split(':').map(|octet| u8::from_str_radix(octet, 16).unwrap());
    let client_id = if ipxe { vec![1] } else { vec![0; 11] }.into_iter().chain(octets).collect();
    let question = Question {
        mac: mac.clone(),
        architecture,
        user_class: user_class.map(Into::into),
        vendor_class: architecture.map(|number| format!("{class}:Arch:{number:05}:UNDI:003016").into()),
        client_id: architecture.map(|_| client_id),
        wanted: if ipxe { IPXE_WANTS } else { FIRMWARE_WANTS }.to_vec(),
        broadcast: !ipxe,
        relay: cluster.networks[network].gateway.filter(|_| *network != cluster.provisioner.network),
        server: cluster.provisioner.address,
        silent: expected.is_none(),
    };
    let who = node.map_or_else(|| "a stranger".to_owned(), |reservation| reservation.name.to_string());
    let what = architecture.map_or_else(|| "no architecture".to_owned(), |number| format!("{number:#04x}"));
    let stage = user_class.map_or_else(|| "firmware".to_owned(), |class| format!("user class {class:?}"));
    let name = format!("{who} ({mac}) in {network}: {stage}, {what}");
    let at_home = node.is_some_and(|reservation| reservation.network == network);
    Case { name, question, expected, at_home, is_ipxe: ipxe }
}

/// What such a client must be told.
fn expected(cluster: &Cluster, client: &Client<'_>) -> Option<Facts> {
    let network = &cluster.networks[client.network];
    let home = client.node.filter(|reservation| reservation.network == client.network);
    let address = match (home.and_then(|reservation| reservation.address), network.pool) {
        (Some(address), _) => address.to_string(),
        (None, Some(pool)) => in_pool(pool.first, pool.last),
        (None, None) => return None,
    };
    let base = cluster.provisioner.base_url();
    let build = client.loader().map_or(DEFAULT_LOADER, |loader| loader.file);
    let file = match (client.is_ipxe(), client.is_http()) {
        (true, _) => format!("{base}/ipxe/boot.ipxe"),
        (false, true) => format!("{base}/tftp/{build}"),
        (false, false) => build.to_owned(),
    };
    let resolvers: Vec<_> =
        network.dns.iter().filter(|resolver| resolver.is_ipv4()).map(ToString::to_string).collect();
    let facts = [
        ("address", Some(address)),
        ("next server", Some(cluster.provisioner.address.to_string())),
        ("file", Some(file)),
        ("host name", home.map(|reservation| reservation.name.to_string())),
        ("subnet mask", network.subnet.map(|subnet| subnet.netmask().to_string())),
        ("broadcast", network.subnet.map(|subnet| subnet.broadcast().to_string())),
        ("routers", network.gateway.map(|gateway| gateway.to_string())),
        ("resolvers", (!resolvers.is_empty()).then(|| resolvers.join(" "))),
        ("domain", network.domain.as_ref().map(ToString::to_string)),
        ("lease time", Some(LEASE_SECONDS.to_string())),
        ("vendor class", client.is_http().then(|| HTTP_CLIENT.to_owned())),
        ("iPXE", client.is_ipxe().then(|| NO_PROXY.to_owned())),
    ];
    Some(facts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
}

/// An address of a pool: which one is the server's choice.
pub(crate) fn in_pool(first: Ipv4Addr, last: Ipv4Addr) -> String {
    format!("one of {first}-{last}")
}
