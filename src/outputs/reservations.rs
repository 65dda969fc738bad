//! `reservations.json`: the DHCP reservations of the cluster's nodes, for the inventory of another cluster whose provisioner
//! serves both.

use crate::artifact::Artifact;
use crate::model::{Node, ReservationFile, ReservedNode};
use crate::plan::Plan;
use crate::render::Renderer;

use super::{Emit, Output, json};

pub(super) const OUTPUT: Output =
    Output { name: "reservations.json", templates: &[], emit: Emit::Site(emit) };

fn emit(plan: &Plan, _: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    let ours = plan.cluster.nodes.iter().filter_map(Node::reservation);
    let file = ReservationFile {
        schema: ReservationFile::SCHEMA,
        cluster: plan.cluster.name.to_string(),
        reservations: ours.map(|reservation| ReservedNode::of(&reservation)).collect(),
    };
    Ok(vec![Artifact::new("site/pxe/reservations.json", json(&file)?)?])
}
