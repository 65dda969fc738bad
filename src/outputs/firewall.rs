//! Firewalls. `firewall.nft` is a node's only firewall. `site/firewall/` has the firewalls of the provisioner and of each
//! profile for hosts that are not installed by plasmagen, for nft(8) and for iptables-restore(8). All of them drop
//! unexpected packets, and none of them locks the operator out.

mod rules;

use serde::Serialize;

use crate::artifact::Artifact;
use crate::model::{Node, forwarding, openings, provisioner_openings, provisioner_routing};
use crate::plan::Plan;
use crate::render::{Renderer, Template, template};

use super::{Emit, Output, path_in_node_dir};
use rules::{ForwardRules, RoutingRules, RuleSet};

const NFT_TEMPLATE: Template = template!("firewall.nft.j2");
const IPTABLES_TEMPLATE: Template = template!("firewall.iptables.j2");

/// The firewall of a node.
pub(super) const NODE: Output =
    Output { name: "firewall.nft", templates: &[NFT_TEMPLATE], emit: Emit::Node(emit_node) };

/// The firewalls of the provisioner and of each profile.
pub(super) const SITE: Output =
    Output { name: "site/firewall", templates: &[IPTABLES_TEMPLATE], emit: Emit::Site(emit_site) };

/// The rules of one family: iptables-restore loads those of IPv4, ip6tables-restore those of IPv6.
#[derive(Serialize)]
struct FamilyContext {
    v6: bool,
    #[serde(flatten)]
    rules: RuleSet,
}

fn emit_node(plan: &Plan, node: &Node, renderer: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    let cluster = &plan.cluster;
    let forward = ForwardRules::new(forwarding(cluster, node));
    let rules = RuleSet::new(cluster, openings(cluster, node), Some(forward));
    let text = renderer.render(NFT_TEMPLATE.name, &rules)?;
    Ok(vec![Artifact::new(path_in_node_dir(node, "firewall.nft"), text)?])
}

fn emit_site(plan: &Plan, renderer: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    let cluster = &plan.cluster;
    // Where the provisioner is the gateway of no network, the inventory does not say whether it forwards for others: its
    // forwarding stays as it is.
    let routing = provisioner_routing(cluster).map(RoutingRules::new);
    let provisioner = RuleSet::new(cluster, provisioner_openings(cluster), None).with_routing(routing);
    // Rule B04 sees to it that no profile is called `provisioner`.
    let mut artifacts = emit_in_each_language("provisioner", &provisioner, renderer)?;
    for profile in &cluster.profiles {
        let forward = ForwardRules::new(forwarding(cluster, profile));
        let rules = RuleSet::new(cluster, openings(cluster, profile), Some(forward));
        artifacts.extend(emit_in_each_language(profile.name.as_str(), &rules, renderer)?);
    }
    Ok(artifacts)
}

fn emit_in_each_language(name: &str, rules: &RuleSet, renderer: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    let file = |extension: &str, text| Artifact::new(format!("site/firewall/{name}.{extension}"), text);
    let nft = renderer.render(NFT_TEMPLATE.name, rules)?;
    let mut artifacts = vec![file("nft", nft)?];
    for (extension, v6) in [("iptables", false), ("ip6tables", true)] {
        let rules = rules.select_family(v6);
        let text = renderer.render(IPTABLES_TEMPLATE.name, FamilyContext { v6, rules })?;
        artifacts.push(file(extension, text)?);
    }
    Ok(artifacts)
}
