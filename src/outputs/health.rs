//! The health check of the provisioner's servers: every 15 seconds, pxe-health asks systemd for the state of the units,
//! writes the answer of `/health`, and removes the files of machines whose arming has ended.

use serde::Serialize;

use crate::artifact::{Artifact, ArtifactPath};
use crate::plan::Plan;
use crate::render::{Renderer, Template, template};

use super::{Emit, Output};

const TEMPLATE: Template = template!("pxe-health.shell.j2");

/// The program.
pub(super) const SCRIPT: Output =
    Output { name: "pxe-health", templates: &[], emit: Emit::Site(emit_script) };

/// The systemd service that runs the program once.
pub(super) const SERVICE: Output =
    Output { name: "pxe-health.service", templates: &[], emit: Emit::Site(emit_service) };

/// The systemd timer that starts the service every 15 seconds.
pub(super) const TIMER: Output =
    Output { name: "pxe-health.timer", templates: &[], emit: Emit::Site(emit_timer) };

/// The settings of the program: the units that it asks about, and the directory of armed machines.
pub(super) const UNITS: Output =
    Output { name: "pxe-health.default", templates: &[TEMPLATE], emit: Emit::Site(emit_units) };

/// The source of the program, which the NixOS module runs too.
const PROGRAM: &str = include_str!("../../profiles/pxe-server/health.sh");

#[derive(Serialize)]
struct Context {
    /// Words `NAME=UNIT`.
    units: String,
    /// The directory of armed machines in the web root.
    armed: String,
}

fn emit_script(_: &Plan, _: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    let path = ArtifactPath::new("site/pxe/pxe-health")?;
    Ok(vec![Artifact { path, executable: true, body: PROGRAM.into() }])
}

fn emit_service(plan: &Plan, _: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    // systemd replaces no variables in `ReadWritePaths`. The characters of an `AbsPath` mean nothing else in a unit file.
    let text = include_str!("../../templates/pxe-health/service").replace("@ARMED@", &armed_dir(plan));
    Ok(vec![Artifact::new("site/pxe/pxe-health.service", text)?])
}

fn emit_timer(_: &Plan, _: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    let text = include_str!("../../templates/pxe-health/timer");
    Ok(vec![Artifact::new("site/pxe/pxe-health.timer", text)?])
}

fn emit_units(plan: &Plan, renderer: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    // The names of Debian's units.
    let server = plan.cluster.provisioner.dhcp.facts();
    let tftp = if server.serves_tftp { server.unit } else { "tftpd-hpa.service" };
    let units = format!("dhcp={} tftp={tftp} http=nginx.service", server.unit);
    let text = renderer.render(TEMPLATE.name, Context { units, armed: armed_dir(plan) })?;
    Ok(vec![Artifact::new("site/pxe/pxe-health.default", text)?])
}

/// The directory of armed machines in the web root.
fn armed_dir(plan: &Plan) -> String {
    format!("{}/armed", plan.cluster.provisioner.web_root)
}
