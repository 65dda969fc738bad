//! `inventory.json`: the resolved inventory for other tools (jq, Ansible, Terraform).

use serde::Serialize;

use crate::artifact::Artifact;
use crate::model::Cluster;
use crate::plan::Plan;
use crate::render::Renderer;

use super::{Emit, Output, json};

pub(super) const OUTPUT: Output = Output { name: "inventory.json", templates: &[], emit: Emit::Site(emit) };

/// The version of the file's schema. It rises when a key changes its meaning or goes away.
const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Resolved<'a> {
    schema: u32,
    #[serde(flatten)]
    cluster: &'a Cluster,
}

fn emit(plan: &Plan, _: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    let body = json(&Resolved { schema: SCHEMA, cluster: &plan.cluster })?;
    Ok(vec![Artifact::new("site/inventory.json", body)?])
}
