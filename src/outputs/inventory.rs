//! `inventory.json`: the resolved inventory for other tools (jq, Ansible, Terraform).

use crate::artifact::Artifact;
use crate::model::ResolvedInventory;
use crate::plan::Plan;
use crate::render::Renderer;

use super::{Emit, Output, json};

pub(super) const OUTPUT: Output = Output { name: "inventory.json", templates: &[], emit: Emit::Site(emit) };

fn emit(plan: &Plan, _: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    let body = json(&ResolvedInventory::new(&plan.cluster))?;
    Ok(vec![Artifact::new("site/inventory.json", body)?])
}
