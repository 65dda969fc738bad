//! `firewall.nft`: the node's only firewall. It drops what is not expected, and never locks the operator out.

use ipnet::IpNet;
use serde::Serialize;

use crate::artifact::Artifact;
use crate::model::{IfName, Node, Protocol, openings, ssh_sources};
use crate::plan::Plan;
use crate::render::Renderer;

use super::{Emit, Output, in_node_dir, template};

pub(super) const OUTPUT: Output = Output {
    name: "firewall.nft",
    about: "which ports of the node are open to whom (nft(8))",
    template: Some(template!("firewall.nft.j2")),
    emit: Emit::Node(emit),
};

#[derive(Serialize)]
struct Context {
    ssh: Vec<Rule>,
    rules: Vec<Rule>,
}

/// One line: packets of `protocol` to `port` from `subnet` that come in through `device`.
#[derive(Serialize)]
struct Rule {
    device: Option<IfName>,
    /// nft's name of the address family: `ip` or `ip6`.
    family: &'static str,
    subnet: IpNet,
    protocol: Protocol,
    port: u16,
    comment: String,
}

fn emit(plan: &Plan, node: &Node, renderer: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    let rule = |subnet: IpNet, device, protocol, port, comment: &str| Rule {
        device,
        family: if subnet.addr().is_ipv4() { "ip" } else { "ip6" },
        subnet,
        protocol,
        port,
        comment: comment.to_owned(),
    };
    let ssh = ssh_sources(&plan.cluster);
    let mut rules = Vec::new();
    for opening in openings(&plan.cluster, node) {
        for source in opening.sources {
            rules.push(rule(source.subnet, source.device, opening.protocol, opening.port, &opening.purpose));
        }
    }
    let context = Context {
        ssh: ssh.into_iter().map(|subnet| rule(subnet, None, Protocol::Tcp, 22, "ssh")).collect(),
        rules,
    };
    let text = renderer.render("firewall.nft.j2", &context)?;
    Ok(vec![Artifact::new(in_node_dir(node, "firewall.nft"), text)?])
}
