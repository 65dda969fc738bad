//! Nodes that are named on a command line.

use anyhow::anyhow;

use crate::inventory::nearest;
use crate::model::{Cluster, HostName, Node, Word};

/// Finds the node `name`.
pub(super) fn find_node<'a>(cluster: &'a Cluster, name: &str) -> anyhow::Result<&'a Node> {
    let found = HostName::parse(name).ok().and_then(|name| cluster.node(&name));
    found.ok_or_else(|| unknown(cluster, name))
}

/// The error that there is no node `name`, with the nearest name.
fn unknown(cluster: &Cluster, name: &str) -> anyhow::Error {
    let names: Vec<&str> = cluster.nodes.iter().map(|node| node.name.as_str()).collect();
    // Certificates and directories have the full names of nodes.
    let short = name.split('.').next().filter(|short| names.contains(short));
    let help = match short.or_else(|| nearest(name, &names)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "plasmagen show prints a table of nodes".to_owned(),
    };
    anyhow!("there is no node `{}`: {help}", name.escape_debug())
}
