//! The last step: a draft without faults becomes a cluster, complete and without places.
//!
//! Each value goes through a [`Recorder`] together with its origin. `None` anywhere means that a value is missing that
//! the rules ask for: after a report without errors, a bug of plasmagen.

mod cluster;
mod hardware;
mod interface;
mod layout;
mod node;
mod profile;
mod provisioner;
mod unspanned;

use crate::model::{Cluster, control_ports, list_holders, list_references};

use super::draft::Draft;
use super::recorder::Recorder;

pub(super) use cluster::finish_without_nodes;
pub(super) use node::finish_node;

/// The cluster that `draft` describes.
#[must_use]
pub fn finish(draft: &Draft<'_>) -> Option<Cluster> {
    let mut recorder = Recorder::off();
    let mut cluster = finish_without_nodes(draft, &mut recorder)?;
    let nodes = draft.nodes.iter().map(|node| finish_node(draft, &cluster, node, &mut recorder));
    cluster.nodes = nodes.collect::<Option<_>>()?;
    cluster.nodes.sort_by(|a, b| a.name.cmp(&b.name));
    cluster.virtual_holders = list_holders(&cluster);
    cluster.references = list_references(&cluster);
    cluster.control_ports = control_ports(&cluster);
    Some(cluster)
}
