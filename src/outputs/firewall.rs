//! Firewalls: a node's only one, `firewall.nft`; and for other hosts those of the provisioner and of each profile, for
//! nft(8) and for iptables-restore(8). They drop what is not expected, and never lock the operator out.

mod rules;

use serde::Serialize;

use crate::artifact::Artifact;
use crate::model::{Node, forwarding, openings, provisioner_openings};
use crate::plan::Plan;
use crate::render::Renderer;

use super::{Emit, Output, in_node_dir, template};
use rules::{Forward, RuleSet};

pub(super) const NODE: Output = Output {
    name: "firewall.nft",
    about: "which ports of the node are open to whom (nft(8))",
    template: Some(template!("firewall.nft.j2")),
    emit: Emit::Node(node),
};

pub(super) const SITE: Output = Output {
    name: "site/firewall",
    about: "the same of the provisioner and of each profile, for nft(8) and for iptables-restore(8)",
    template: Some(template!("firewall.iptables.j2")),
    emit: Emit::Site(site),
};

/// What iptables-restore and ip6tables-restore load: a family each.
#[derive(Serialize)]
struct OneFamily {
    v6: bool,
    #[serde(flatten)]
    rules: RuleSet,
}

fn node(plan: &Plan, node: &Node, renderer: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    let cluster = &plan.cluster;
    let forward = Forward::new(forwarding(cluster, node));
    let rules = RuleSet::new(cluster, openings(cluster, node), Some(forward));
    let text = renderer.render("firewall.nft.j2", &rules)?;
    Ok(vec![Artifact::new(in_node_dir(node, "firewall.nft"), text)?])
}

fn site(plan: &Plan, renderer: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    let cluster = &plan.cluster;
    // Whether the provisioner is somebody's router, the inventory does not know: what it forwards stays as it is.
    let provisioner = RuleSet::new(cluster, provisioner_openings(cluster), None);
    // Rule B04: no profile is called so.
    let mut artifacts = in_each_language("provisioner", &provisioner, renderer)?;
    for profile in &cluster.profiles {
        let forward = Forward::new(forwarding(cluster, profile));
        let rules = RuleSet::new(cluster, openings(cluster, profile), Some(forward));
        artifacts.extend(in_each_language(profile.name.as_str(), &rules, renderer)?);
    }
    Ok(artifacts)
}

fn in_each_language(name: &str, rules: &RuleSet, renderer: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    let file = |extension: &str, text| Artifact::new(format!("site/firewall/{name}.{extension}"), text);
    let nft = renderer.render("firewall.nft.j2", rules)?;
    let mut artifacts = vec![file("nft", nft)?];
    for (extension, v6) in [("iptables", false), ("ip6tables", true)] {
        let rules = rules.of_family(v6);
        let text = renderer.render("firewall.iptables.j2", OneFamily { v6, rules })?;
        artifacts.push(file(extension, text)?);
    }
    Ok(artifacts)
}
