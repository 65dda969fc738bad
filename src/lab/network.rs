//! The networks of the lab: a bridge for each boot network, a router with an interface in every one, and the
//! provisioner, whose interfaces lie in the lab's first network namespace.
//!
//! ```text
//! provisioner ── eth0 ── bridge of the provisioner's network ── machines
//!                              │
//!                            router ── bridge of another network ── machines
//! ```
//!
//! The router relays DHCP. It also sends IPv6 router advertisements, so that no machine waits for one. Where the provisioner
//! is the gateway of its network, the router has no IPv4 address there, and the provisioner forwards.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::command::run_command;
use super::tools::Tools;
use crate::model::{Cluster, Label, Network, ProvisionerInterface, Role};

/// The network namespace of all bridges, in which the machines run.
pub(super) const SWITCH: &str = "switch";

/// The network namespace of the router.
pub(super) const ROUTER: &str = "router";

/// The IPv6 prefix that is advertised when the inventory has none: a unique local prefix (RFC 4193).
const DEFAULT_PREFIX6: [u16; 3] = [0xfd70, 0x6c61, 0x7362];

/// A boot network of the cluster, as it exists in the lab.
#[derive(Debug)]
pub(super) struct LabNetwork<'a> {
    pub(super) name: &'a Label,
    pub(super) network: &'a Network,
    /// The number in the names of the bridge and of the router's interface.
    number: usize,
    /// The provisioner's interface in this network.
    interface: Option<&'a ProvisionerInterface>,
}

impl LabNetwork<'_> {
    fn bridge(&self) -> String {
        format!("br{}", self.number)
    }

    /// The router's interface in this network.
    pub(super) fn router_interface(&self) -> String {
        format!("router{}", self.number)
    }

    /// The IPv6 prefix that the router advertises in this network, and its address there.
    pub(super) fn router6(&self) -> (Ipv6Addr, Ipv6Addr) {
        if let (Some(subnet), Some(router)) = (self.network.subnet6, self.network.gateway6)
            && subnet.prefix_len() == 64
        {
            return (subnet.network(), router);
        }
        let [a, b, c] = DEFAULT_PREFIX6;
        let number = u16::try_from(self.number).unwrap_or_default();
        let address = |last| Ipv6Addr::new(a, b, c, number, 0, 0, 0, last);
        (address(0), address(1))
    }

    /// The address at which the router relays DHCP for this network, if the DHCP server is in another one.
    pub(super) fn relay_address(&self) -> Option<Ipv4Addr> {
        self.router_address().filter(|_| self.interface.is_none())
    }

    /// The router's address: that of the gateway, unless the provisioner is the gateway.
    fn router_address(&self) -> Option<Ipv4Addr> {
        let provisioner = self.interface.map(|interface| interface.address);
        self.network.gateway.filter(|gateway| Some(*gateway) != provisioner)
    }

    fn prefix_length(&self) -> u8 {
        self.network.subnet.map_or(32, |subnet| subnet.prefix_len())
    }
}

/// Lists the boot networks of `cluster`.
pub(super) fn list_networks(cluster: &Cluster) -> Vec<LabNetwork<'_>> {
    let networks = cluster.networks_for(Role::Provisioning).enumerate();
    let to_lab = |(number, (name, network))| LabNetwork {
        name,
        network,
        number,
        interface: cluster.provisioner.interface_in(name),
    };
    networks.map(to_lab).collect()
}

/// Prepares `program` to run in the network namespace `namespace`.
pub(super) fn command_in(tools: &Tools, namespace: &str, program: &Path) -> Command {
    let mut command = Command::new(&tools.ip);
    command.args(["netns", "exec", namespace]).arg(program);
    command
}

/// Makes all network namespaces, bridges and interfaces.
///
/// # Errors
/// When a call of ip(8) fails.
pub(super) fn create_networks(tools: &Tools, cluster: &Cluster, networks: &[LabNetwork<'_>]) -> Result<()> {
    ip(tools, "link set lo up")?;
    for namespace in [SWITCH, ROUTER] {
        ip(tools, &format!("netns add {namespace}"))?;
        ip(tools, &format!("-n {namespace} link set lo up"))?;
    }
    for network in networks {
        create_bridge(tools, network)
            .with_context(|| format!("could not make the network {}", network.name))?;
    }
    for network in networks {
        if let Some(interface) = network.interface {
            attach_provisioner(tools, interface, network)
                .with_context(|| format!("could not make the provisioner's interface {}", interface.name))?;
        }
    }
    // The provisioner reaches the networks without an interface of its own through the router: by the gateway of its home
    // network, or by that of the other network if its own has none.
    let home = &cluster.provisioner.home;
    let gateway = networks.iter().find(|network| *network.name == home.network);
    let gateway = gateway.and_then(LabNetwork::router_address);
    for network in networks.iter().filter(|network| network.interface.is_none()) {
        let (Some(subnet), Some(relay)) = (network.network.subnet, network.router_address()) else {
            continue;
        };
        let via = gateway.unwrap_or(relay);
        ip(tools, &format!("route add {subnet} via {via} dev {} onlink", home.name))?;
    }
    Ok(())
}

/// Makes the provisioner's interface in a network.
fn attach_provisioner(
    tools: &Tools,
    interface: &ProvisionerInterface,
    network: &LabNetwork<'_>,
) -> Result<()> {
    let (name, peer) = (&interface.name, format!("to-boot{}", network.number));
    ip(tools, &format!("link add {name} type veth peer name {peer} netns {SWITCH}"))?;
    ip(tools, &format!("-n {SWITCH} link set {peer} master {} up", network.bridge()))?;
    let address = with_prefix_length(interface.address, network.prefix_length());
    ip(tools, &format!("address add {address} broadcast + dev {name}"))?;
    ip(tools, &format!("link set {name} up"))
}

/// Makes the bridge of a network, and the router's interface in it.
fn create_bridge(tools: &Tools, network: &LabNetwork<'_>) -> Result<()> {
    let (bridge, interface) = (network.bridge(), network.router_interface());
    ip(
        tools,
        &format!("-n {SWITCH} link add {bridge} type bridge stp_state 0 forward_delay 0 mcast_snooping 0"),
    )?;
    ip(tools, &format!("-n {SWITCH} link set {bridge} up"))?;
    ip(
        tools,
        &format!("-n {ROUTER} link add {interface} type veth peer name to-{interface} netns {SWITCH}"),
    )?;
    ip(tools, &format!("-n {SWITCH} link set to-{interface} master {bridge} up"))?;
    if let Some(gateway) = network.router_address() {
        let address = with_prefix_length(gateway, network.prefix_length());
        ip(tools, &format!("-n {ROUTER} address add {address} broadcast + dev {interface}"))?;
    }
    ip(tools, &format!("-n {ROUTER} address add {}/64 dev {interface} nodad", network.router6().1))?;
    ip(tools, &format!("-n {ROUTER} link set {interface} up"))?;
    if let (Some(subnet), None) = (network.network.subnet, network.router_address()) {
        ip(tools, &format!("-n {ROUTER} route add {subnet} dev {interface}"))?;
    }
    Ok(())
}

/// Makes a TAP interface called `name`, which connects a machine to `network`.
///
/// # Errors
/// When a call of ip(8) fails.
pub(super) fn create_tap(tools: &Tools, name: &str, network: &LabNetwork<'_>) -> Result<()> {
    ip(tools, &format!("-n {SWITCH} tuntap add dev {name} mode tap"))?;
    ip(tools, &format!("-n {SWITCH} link set {name} master {} up", network.bridge()))
}

/// Runs ip(8) with the words of `line`.
fn ip(tools: &Tools, line: &str) -> Result<()> {
    run_command(Command::new(&tools.ip).args(line.split(' ')))
}

fn with_prefix_length(address: impl Into<IpAddr>, length: u8) -> String {
    format!("{}/{length}", address.into())
}
