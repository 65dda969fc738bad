//! `configuration.nix`: the node's names, addresses and services as NixOS options. The NixOS modules in `profiles/`
//! implement the options.

mod network;
mod settings;

use std::net::IpAddr;

use serde::Serialize;

use crate::artifact::Artifact;
use crate::model::{AdminKey, Cluster, DomainName, HostName, Label, Node, Server, Service, StateVersion};
use crate::plan::{CRL, Plan};
use crate::render::{Renderer, Template, template};

use super::{Emit, Output, certificates, path_in_node_dir};
use network::{BondOptions, GatewayOptions, InterfaceOptions, LinkFile, VlanOptions};
use settings::Setting;

pub use settings::DerivedSettings;

const TEMPLATE: Template = template!("configuration.nix.j2");

pub(super) const OUTPUT: Output =
    Output { name: "configuration.nix", templates: &[TEMPLATE], emit: Emit::Node(emit) };

#[derive(Serialize)]
struct Context<'a> {
    module: &'static str,
    /// The user's NixOS modules: paths relative to the node's directory.
    modules: Vec<String>,
    host_name: &'a HostName,
    domain: &'a DomainName,
    interfaces: Vec<InterfaceOptions<'a>>,
    bonds: Vec<BondOptions<'a>>,
    vlans: Vec<VlanOptions<'a>>,
    links: Vec<LinkFile<'a>>,
    /// The default routes, each with the name of its option.
    gateways: Vec<(&'static str, GatewayOptions<'a>)>,
    resolvers: &'a [IpAddr],
    time_servers: &'a [Server],
    /// A rule of rsyslog.conf(5) that sends all messages over TCP.
    log_forward: Option<String>,
    services: Vec<ServiceOptions<'a>>,
    /// The public files in the node's `/etc/nixos/secrets/`.
    files: Vec<InstalledFile>,
    admin_keys: &'a [AdminKey],
    kernel_params: Vec<String>,
    /// Whether disks are encrypted.
    is_encrypted: bool,
    state_version: &'a StateVersion,
}

/// The options of a service's module.
#[derive(Serialize)]
struct ServiceOptions<'a> {
    name: &'a Label,
    /// The options `port`, `raftPort` and the like.
    ports: Vec<(&'static str, u16)>,
    settings: Vec<Setting>,
}

/// A file beside the configuration that is installed on the node.
#[derive(Serialize)]
struct InstalledFile {
    /// The path below `/etc`.
    target: String,
    /// The path relative to the node's directory.
    source: String,
}

fn emit(plan: &Plan, node: &Node, renderer: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    let cluster = &plan.cluster;
    let certificate = certificates::certificate_file(node);
    let file =
        |name: &str| InstalledFile { target: format!("nixos/secrets/{name}"), source: format!("./{name}") };
    let mut files = vec![file("ca-cert.pem"), file(&certificate), file("cluster-config.json")];
    files.extend(plan.certificates.crl.as_ref().map(|_| file(CRL)));
    let context = Context {
        module: node.base.as_str(),
        modules: node.modules.iter().map(|path| format!("../../{path}")).collect(),
        host_name: &node.name,
        domain: &cluster.domain,
        interfaces: network::list_interfaces(node),
        bonds: network::list_bonds(node),
        vlans: network::list_vlans(node),
        links: network::list_links(node),
        gateways: network::list_gateways(node),
        resolvers: &node.resolvers,
        time_servers: &cluster.ntp,
        log_forward: cluster.log_forward.as_ref().map(forward_rule),
        services: node.services.iter().map(|service| service_options(cluster, node, service)).collect(),
        files,
        admin_keys: &cluster.admin_keys,
        kernel_params: list_kernel_params(cluster, node),
        is_encrypted: node.layout.unlock.is_some(),
        state_version: &cluster.state_version,
    };
    let text = renderer.render(TEMPLATE.name, &context)?;
    Ok(vec![Artifact::new(path_in_node_dir(node, "configuration.nix"), text)?])
}

fn service_options<'a>(cluster: &Cluster, node: &Node, service: &'a Service) -> ServiceOptions<'a> {
    let ports = &service.ports;
    let options = [
        ("port", Some(ports.port)),
        ("raftPort", ports.raft_port),
        ("gossipPort", ports.gossip_port),
        ("healthPort", ports.health_port),
    ];
    ServiceOptions {
        name: &service.name,
        ports: options.into_iter().filter_map(|(option, port)| Some((option, port?))).collect(),
        settings: settings::list_settings(cluster, node, service),
    }
}

/// The rule that sends all messages to `server`; an IPv6 address stands in brackets.
fn forward_rule(server: &Server) -> String {
    let server = server.as_str();
    if server.contains(':') { format!("*.* @@[{server}]:514") } else { format!("*.* @@{server}:514") }
}

/// Lists the node's kernel parameters. Unless one of them names a console, the serial console of the node's hardware is
/// added.
#[must_use]
pub fn list_kernel_params(cluster: &Cluster, node: &Node) -> Vec<String> {
    let mut params: Vec<String> = node.kernel_params.iter().map(ToString::to_string).collect();
    if !params.iter().any(|param| param.starts_with("console=")) {
        let console = node.hardware.console.as_ref().or(cluster.boot.console.as_ref());
        params.extend(console.map(|console| format!("console={console}")));
    }
    params
}
