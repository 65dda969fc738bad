//! `plasmagen diff --live`: what nodes run beside what was rendered for them.

use std::net::IpAddr;
use std::path::Path;

use anyhow::{Context, ensure};
use ipnet::IpNet;
use rayon::prelude::*;

use crate::change::{Change, DriftedNode, LiveNode, QUESTION, RenderedFiles, compare_live};
use crate::cli::named::find_node;
use crate::cli::printer::Printer;
use crate::fs::{LIST_LIMIT, Sha256Sum, TEXT_LIMIT, read_input};
use crate::model::{Cluster, Node};
use crate::plan::node_dir;
use crate::remote::{Terms, run_script};

/// The directory of the file `known_hosts`, relative to the inventory.
const KNOWN_HOSTS: &str = "site";

/// Asks the nodes called `names` what they run, and compares their answers with what was rendered in `root`. Says which nodes
/// have not answered, and returns how many those are.
///
/// # Errors
/// When a name is no node's, or a rendered file cannot be read.
pub(super) fn compare_nodes(
    root: &Path,
    cluster: &Cluster,
    names: &[String],
) -> anyhow::Result<(Change, usize)> {
    let nodes: Vec<&Node> =
        names.iter().map(|name| find_node(cluster, name)).collect::<anyhow::Result<_>>()?;
    let known_hosts = root.join(KNOWN_HOSTS);
    ensure!(
        known_hosts.join("known_hosts").is_file(),
        "there is no {}/known_hosts, which has the host keys of the nodes: run plasmagen render",
        known_hosts.display()
    );
    let terms = Terms::new(known_hosts);
    let answers: Vec<_> = nodes.par_iter().map(|node| ask(node, &terms)).collect();
    let (mut found, mut silent) = (Vec::new(), 0);
    for (node, answer) in nodes.into_iter().zip(answers) {
        match answer {
            Ok(live) => found.push(DriftedNode { node, live, rendered: read_rendered(root, node)? }),
            Err(why) => {
                Printer::warn(&format!("{}: {why:#}", node.name));
                silent += 1;
            }
        }
    }
    Ok((compare_live(cluster, &found)?, silent))
}

/// Asks `node` at its address in the home network.
fn ask(node: &Node, terms: &Terms) -> anyhow::Result<LiveNode> {
    let addresses = node.home_interface().map(|home| &home.addresses);
    let address: IpAddr = addresses
        .and_then(|nets| nets.first())
        .map(IpNet::addr)
        .context("it has no address in its home network")?;
    let answer = run_script(address, QUESTION, terms)?;
    LiveNode::parse(&answer.output).context("could not use its answer")
}

/// The digests of the files that were rendered for `node`.
fn read_rendered(root: &Path, node: &Node) -> anyhow::Result<RenderedFiles> {
    let certificate = format!("{}-cert.pem", node.name);
    let files = [
        ("ca-cert.pem", TEXT_LIMIT),
        ("ca-crl.pem", LIST_LIMIT),
        (certificate.as_str(), TEXT_LIMIT),
        ("cluster-config.json", TEXT_LIMIT),
    ];
    let mut rendered = RenderedFiles::new();
    for (name, limit) in files {
        let path = root.join(node_dir(node)).join(name);
        match read_input(&path, limit) {
            Ok(bytes) => drop(rendered.insert(name.to_owned(), Sha256Sum::of(&bytes).to_string())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| format!("could not read {}", path.display())),
        }
    }
    Ok(rendered)
}
