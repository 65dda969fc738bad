//! The health checker: what `/health` answers is what systemd says of the units, asked every 15 seconds.

use serde::Serialize;

use crate::artifact::{Artifact, ArtifactPath};
use crate::plan::Plan;
use crate::render::Renderer;

use super::{Emit, Output, template};

pub(super) const SCRIPT: Output = Output {
    name: "pxe-health",
    about: "asks systemd how the provisioner's servers are, for /health",
    template: None,
    emit: Emit::Site(script),
};

pub(super) const SERVICE: Output = Output {
    name: "pxe-health.service",
    about: "runs pxe-health once",
    template: None,
    emit: Emit::Site(service),
};

pub(super) const TIMER: Output = Output {
    name: "pxe-health.timer",
    about: "runs pxe-health every 15 seconds",
    template: None,
    emit: Emit::Site(timer),
};

pub(super) const UNITS: Output = Output {
    name: "pxe-health.default",
    about: "which units pxe-health asks about",
    template: Some(template!("pxe-health.shell.j2")),
    emit: Emit::Site(units),
};

/// The one program, which the NixOS module runs too.
const PROGRAM: &str = include_str!("../../profiles/pxe-server/health.sh");

#[derive(Serialize)]
struct Context {
    /// Words `NAME=UNIT`.
    units: String,
}

fn script(_: &Plan, _: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    let path = ArtifactPath::new("site/pxe/pxe-health")?;
    Ok(vec![Artifact { path, executable: true, body: PROGRAM.into() }])
}

fn service(_: &Plan, _: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    let text = include_str!("../../templates/pxe-health/service");
    Ok(vec![Artifact::new("site/pxe/pxe-health.service", text)?])
}

fn timer(_: &Plan, _: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    let text = include_str!("../../templates/pxe-health/timer");
    Ok(vec![Artifact::new("site/pxe/pxe-health.timer", text)?])
}

fn units(plan: &Plan, renderer: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    // The names of Debian's units.
    let server = plan.cluster.provisioner.dhcp.facts();
    let tftp = if server.serves_tftp { server.unit } else { "tftpd-hpa.service" };
    let units = format!("dhcp={} tftp={tftp} http=nginx.service", server.unit);
    let text = renderer.render("pxe-health.shell.j2", Context { units })?;
    Ok(vec![Artifact::new("site/pxe/pxe-health.default", text)?])
}
