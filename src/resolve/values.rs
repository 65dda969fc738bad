//! Every value of a cluster with its origin: the draft is finished once more, with the recorder switched on.

use anyhow::Context;

use crate::model::Cluster;

use super::draft::Draft;
use super::finish::{finish_node, finish_without_nodes};
use super::node::DraftNode;
use super::recorder::{Recorder, ResolvedValue};

const INCOMPLETE: &str =
    "the inventory passed every rule, and yet a value is missing: a bug of plasmagen, please report it";

/// Every value of the cluster besides those of its nodes, by path.
///
/// # Errors
/// When the rules accepted a draft without a required value: a bug of plasmagen.
pub fn list_cluster_values<'a>(draft: &Draft<'a>) -> anyhow::Result<Vec<ResolvedValue<'a>>> {
    let mut recorder = Recorder::on();
    finish_without_nodes(draft, &mut recorder).context(INCOMPLETE)?;
    recorder.into_values()
}

/// Every value of a node, by path; `cluster` is the finished draft.
///
/// # Errors
/// When the rules accepted a draft without a required value: a bug of plasmagen.
pub fn list_node_values<'a>(
    draft: &Draft<'a>,
    cluster: &Cluster,
    node: &DraftNode<'a>,
) -> anyhow::Result<Vec<ResolvedValue<'a>>> {
    let mut recorder = Recorder::on();
    finish_node(draft, cluster, node, &mut recorder).context(INCOMPLETE)?;
    recorder.into_values()
}
