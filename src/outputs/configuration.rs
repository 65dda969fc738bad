//! `configuration.nix`: what the node is, in NixOS's terms. How that is done is in `profiles/`.

mod network;
mod settings;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::Serialize;

use crate::artifact::Artifact;
use crate::model::{AdminKey, Cluster, DomainName, HostName, Label, Node, Server, StateVersion};
use crate::plan::Plan;
use crate::render::Renderer;

use super::{Emit, Output, certificates, in_node_dir, template};
use network::{Bond, Interface, Link, Vlan};
use settings::Setting;

pub(super) const OUTPUT: Output = Output {
    name: "configuration.nix",
    about: "what the node is: names, addresses, services",
    template: Some(template!("configuration.nix.j2")),
    emit: Emit::Node(emit),
};

#[derive(Serialize)]
struct Context<'a> {
    module: &'static str,
    /// The user's own modules, seen from the node's directory.
    modules: Vec<String>,
    host_name: &'a HostName,
    domain: &'a DomainName,
    interfaces: Vec<Interface<'a>>,
    bonds: Vec<Bond<'a>>,
    vlans: Vec<Vlan<'a>>,
    links: Vec<Link<'a>>,
    gateway: Option<Ipv4Addr>,
    gateway6: Option<Ipv6Addr>,
    resolvers: &'a [IpAddr],
    time_servers: &'a [Server],
    /// A rule of rsyslog.conf(5): everything, over TCP.
    log_forward: Option<String>,
    services: Vec<Service<'a>>,
    /// Public files that the node finds in `/etc/nixos/secrets/`.
    files: Vec<File>,
    admin_keys: &'a [AdminKey],
    kernel_params: Vec<String>,
    state_version: &'a StateVersion,
}

#[derive(Serialize)]
struct Service<'a> {
    name: &'a Label,
    /// Options of its module: `port`, `raftPort` and the like.
    ports: Vec<(&'static str, u16)>,
    settings: Vec<Setting>,
}

/// A file beside the configuration that is installed on the node.
#[derive(Serialize)]
struct File {
    /// Below `/etc`.
    target: String,
    /// Seen from the node's directory.
    source: String,
}

fn emit(plan: &Plan, node: &Node, renderer: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    let cluster = &plan.cluster;
    let certificate = certificates::certificate_file(node);
    let file = |name: &str| File { target: format!("nixos/secrets/{name}"), source: format!("./{name}") };
    let context = Context {
        module: node.base.as_str(),
        modules: node.modules.iter().map(|path| format!("../../{path}")).collect(),
        host_name: &node.name,
        domain: &cluster.domain,
        interfaces: network::interfaces(node),
        bonds: network::bonds(node),
        vlans: network::vlans(node),
        links: network::links(node),
        gateway: node.gateway,
        gateway6: node.gateway6,
        resolvers: &node.resolvers,
        time_servers: &cluster.ntp,
        log_forward: cluster.log_forward.as_ref().map(forward),
        services: node.services.iter().map(|own| service(cluster, node, own)).collect(),
        files: vec![file("ca-cert.pem"), file(&certificate), file("cluster-config.json")],
        admin_keys: &cluster.admin_keys,
        kernel_params: kernel_params(cluster, node),
        state_version: &cluster.state_version,
    };
    let text = renderer.render("configuration.nix.j2", &context)?;
    Ok(vec![Artifact::new(in_node_dir(node, "configuration.nix"), text)?])
}

fn service<'a>(cluster: &Cluster, node: &Node, own: &'a crate::model::Service) -> Service<'a> {
    let ports = &own.ports;
    let options = [
        ("port", Some(ports.port)),
        ("raftPort", ports.raft_port),
        ("gossipPort", ports.gossip_port),
        ("healthPort", ports.health_port),
    ];
    Service {
        name: &own.name,
        ports: options.into_iter().filter_map(|(option, port)| Some((option, port?))).collect(),
        settings: settings::of(cluster, node, own),
    }
}

fn forward(server: &Server) -> String {
    let server = server.as_str();
    if server.contains(':') { format!("*.* @@[{server}]:514") } else { format!("*.* @@{server}:514") }
}

/// The node's parameters, and the serial console of its hardware unless they name one.
pub(super) fn kernel_params(cluster: &Cluster, node: &Node) -> Vec<String> {
    let mut params: Vec<String> = node.kernel_params.iter().map(ToString::to_string).collect();
    if !params.iter().any(|param| param.starts_with("console=")) {
        let console = node.hardware.console.as_ref().or(cluster.boot.console.as_ref());
        params.extend(console.map(|console| format!("console={console}")));
    }
    params
}
