//! `nginx.conf`: the web root as `/boot/`, and `/health`. Complete, for `nginx -c`.

use std::net::Ipv4Addr;

use serde::Serialize;

use crate::artifact::Artifact;
use crate::model::AbsPath;
use crate::plan::Plan;
use crate::render::Renderer;

use super::{Emit, Output, template};

pub(super) const OUTPUT: Output = Output {
    name: "nginx.conf",
    about: "what the provisioner serves over HTTP",
    template: Some(template!("nginx.nginx.j2")),
    emit: Emit::Site(emit),
};

#[derive(Serialize)]
struct Context<'a> {
    address: Ipv4Addr,
    port: u16,
    /// The web root, without a final slash.
    root: &'a AbsPath,
}

fn emit(plan: &Plan, renderer: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    let provisioner = &plan.cluster.provisioner;
    let context =
        Context { address: provisioner.address, port: provisioner.http_port, root: &provisioner.web_root };
    Ok(vec![Artifact::new("site/pxe/nginx.conf", renderer.render("nginx.nginx.j2", &context)?)?])
}
