//! The SSH host keys of nodes: `ssh_host_ed25519_key.pub` beside the node's configuration, and `site/known_hosts` with the
//! keys of all nodes, in the form that sshd(8) describes under "SSH_KNOWN_HOSTS FILE FORMAT".

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::artifact::Artifact;
use crate::model::Node;
use crate::model::dns::SiteNames;
use crate::plan::{PUBLIC_HOST_KEY, Plan, PublishedHostKey};
use crate::render::Renderer;

use super::{Emit, Output, path_in_node_dir};

pub(super) const NODE: Output =
    Output { name: PUBLIC_HOST_KEY, templates: &[], emit: Emit::Node(emit_public) };

pub(super) const SITE: Output = Output { name: "known_hosts", templates: &[], emit: Emit::Site(emit_known) };

const HEADER: &str = "\
# The SSH host keys of the nodes: ssh -o UserKnownHostsFile=site/known_hosts root@NODE
# A node without a line has a host key that plasmagen does not know: plasmagen keys adopt
";

/// Copies the host key of the plan. A key that has not been made yet is left out, as a certificate is.
fn emit_public(plan: &Plan, node: &Node, _: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    let key = plan.host_keys.keys.get(&node.name);
    let file = |key: &PublishedHostKey| {
        Artifact::new(path_in_node_dir(node, PUBLIC_HOST_KEY), key.print(node.fqdn.as_str()))
    };
    key.map(file).into_iter().collect()
}

fn emit_known(plan: &Plan, _: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    let names = plan.cluster.names();
    let names = names.map_err(|invalid| anyhow::anyhow!("a bug in plasmagen: {}", invalid.message))?;
    let mut text = HEADER.to_owned();
    for node in &plan.cluster.nodes {
        if let Some(published) = plan.host_keys.keys.get(&node.name) {
            writeln!(text, "{} {}", list_names(node, &names).join(","), published.key)?;
        }
    }
    Ok(vec![Artifact::new("site/known_hosts", text)?])
}

/// Lists the names and addresses under which an operator reaches `node`: the full name, the short name, the names of the
/// node in its other networks, and all addresses, since sshd listens at all of them.
fn list_names(node: &Node, names: &SiteNames) -> Vec<String> {
    let mut listed = vec![node.fqdn.to_string(), node.name.to_string()];
    let owners = node.addresses().filter_map(|address| names.owners.get(&address));
    let others: BTreeSet<String> =
        owners.filter(|name| **name != node.fqdn).map(ToString::to_string).collect();
    listed.extend(others);
    listed.extend(node.addresses().map(|address| address.to_string()));
    listed
}
