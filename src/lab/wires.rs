//! The lab's networks: a bridge for each network that machines boot in, a router with a leg in every one, and the
//! provisioner, which is the lab itself.
//!
//! ```text
//! provisioner ── eth0 ── bridge of its own network ── machines
//!                              │
//!                            router ── bridge of another network ── machines
//! ```
//!
//! The router relays DHCP and, so that no machine waits for it, advertises itself to IPv6.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::space::{run, with_length};
use super::tools::Tools;
use crate::model::{Cluster, Label, Network, Role};

/// The namespaces: that of all bridges, where machines are, and the router's.
pub(super) const SWITCH: &str = "switch";
pub(super) const ROUTER: &str = "router";

/// The addresses that are advertised where the inventory has none: a unique local prefix (RFC 4193).
const PREFIX: [u16; 3] = [0xfd70, 0x6c61, 0x7362];

/// A network that machines boot in.
#[derive(Debug)]
pub(super) struct Wire<'a> {
    pub(super) name: &'a Label,
    pub(super) network: &'a Network,
    /// Its number: `br3` is its bridge, `leg3` the router's interface.
    pub(super) number: usize,
    /// Whether the provisioner stands in it.
    pub(super) is_home: bool,
}

impl Wire<'_> {
    pub(super) fn bridge(&self) -> String {
        format!("br{}", self.number)
    }

    pub(super) fn leg(&self) -> String {
        format!("leg{}", self.number)
    }

    /// What the router advertises there.
    pub(super) fn router6(&self) -> (Ipv6Addr, Ipv6Addr) {
        if let (Some(subnet), Some(router)) = (self.network.subnet6, self.network.gateway6)
            && subnet.prefix_len() == 64
        {
            return (subnet.network(), router);
        }
        let [a, b, c] = PREFIX;
        let number = u16::try_from(self.number).unwrap_or_default();
        let own = |last| Ipv6Addr::new(a, b, c, number, 0, 0, 0, last);
        (own(0), own(1))
    }
}

/// The networks that machines of `cluster` boot in.
pub(super) fn wires(cluster: &Cluster) -> Vec<Wire<'_>> {
    let home = &cluster.provisioner.network;
    let wire = |(number, (name, network))| Wire { name, network, number, is_home: name == home };
    cluster.networks_for(Role::Provisioning).enumerate().map(wire).collect()
}

/// Programs that run in a network namespace.
#[derive(Clone, Debug)]
pub(super) struct Net<'a> {
    tools: &'a Tools,
}

impl<'a> Net<'a> {
    pub(super) fn new(tools: &'a Tools) -> Self {
        Self { tools }
    }

    /// `program`, to be run in the network namespace `space`.
    pub(super) fn within(&self, space: &str, program: &Path) -> Command {
        let mut command = Command::new(&self.tools.ip);
        command.args(["netns", "exec", space]).arg(program);
        command
    }

    fn ip(&self, line: &str) -> Result<()> {
        run(Command::new(&self.tools.ip).args(line.split(' ')))
    }

    /// Wires everything up.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub(super) fn wire(&self, cluster: &Cluster, wires: &[Wire<'_>]) -> Result<()> {
        self.ip(&format!("netns add {SWITCH}"))?;
        self.ip(&format!("netns add {ROUTER}"))?;
        self.ip("link set lo up")?;
        for space in [SWITCH, ROUTER] {
            self.ip(&format!("-n {space} link set lo up"))?;
        }
        for wire in wires {
            self.bridge(wire).with_context(|| format!("could not make the network {}", wire.name))?;
        }
        let provisioner = &cluster.provisioner;
        let interface = &provisioner.interface;
        let home = wires.iter().find(|wire| wire.is_home).context("the provisioner has no network")?;
        let length = home.network.subnet.map_or(32, |subnet| subnet.prefix_len());
        self.ip(&format!("link add {interface} type veth peer name home netns {SWITCH}"))?;
        self.ip(&format!("-n {SWITCH} link set home master {} up", home.bridge()))?;
        let address = with_length(provisioner.address, length);
        self.ip(&format!("address add {address} broadcast + dev {interface}"))?;
        self.ip(&format!("link set {interface} up"))?;
        // Racks behind the router are reached through it, by its address in the provisioner's own network or, where
        // that has no gateway, by the rack's.
        for wire in wires.iter().filter(|wire| !wire.is_home) {
            let (Some(subnet), Some(own)) = (wire.network.subnet, wire.network.gateway) else { continue };
            let by = home.network.gateway.unwrap_or(own);
            self.ip(&format!("route add {subnet} via {by} dev {interface} onlink"))?;
        }
        Ok(())
    }

    /// A bridge, and the router's leg in it.
    fn bridge(&self, wire: &Wire<'_>) -> Result<()> {
        let (bridge, leg) = (wire.bridge(), wire.leg());
        self.ip(&format!(
            "-n {SWITCH} link add {bridge} type bridge stp_state 0 forward_delay 0 mcast_snooping 0"
        ))?;
        self.ip(&format!("-n {SWITCH} link set {bridge} up"))?;
        self.ip(&format!("-n {ROUTER} link add {leg} type veth peer name to-{leg} netns {SWITCH}"))?;
        self.ip(&format!("-n {SWITCH} link set to-{leg} master {bridge} up"))?;
        let length = wire.network.subnet.map_or(32, |subnet| subnet.prefix_len());
        if let Some(router) = wire.network.gateway {
            let address = with_length(router, length);
            self.ip(&format!("-n {ROUTER} address add {address} broadcast + dev {leg}"))?;
        }
        self.ip(&format!("-n {ROUTER} address add {}/64 dev {leg} nodad", wire.router6().1))?;
        self.ip(&format!("-n {ROUTER} link set {leg} up"))?;
        if let (Some(subnet), None) = (wire.network.subnet, wire.network.gateway) {
            self.ip(&format!("-n {ROUTER} route add {subnet} dev {leg}"))?;
        }
        Ok(())
    }

    /// A plug for a machine in the network `wire`.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub(super) fn tap(&self, name: &str, wire: &Wire<'_>) -> Result<()> {
        self.ip(&format!("-n {SWITCH} tuntap add dev {name} mode tap"))?;
        self.ip(&format!("-n {SWITCH} link set {name} master {} up", wire.bridge()))
    }
}

/// Whether the router relays DHCP from `wire`, and as which address.
pub(super) fn relay(wire: &Wire<'_>) -> Option<Ipv4Addr> {
    wire.network.gateway.filter(|_| !wire.is_home)
}
