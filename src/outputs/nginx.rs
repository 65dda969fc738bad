//! `nginx.conf`: the web root as `/boot/`, and `/health`. The file is complete: nginx starts with `nginx -c`.

use std::net::Ipv4Addr;

use serde::Serialize;

use crate::artifact::Artifact;
use crate::model::AbsPath;
use crate::plan::Plan;
use crate::render::{Renderer, Template, template};

use super::{Emit, Output};

const TEMPLATE: Template = template!("nginx.nginx.j2");

pub(super) const OUTPUT: Output =
    Output { name: "nginx.conf", templates: &[TEMPLATE], emit: Emit::Site(emit) };

#[derive(Serialize)]
struct Context<'a> {
    /// The addresses that nginx listens at. nginx does not start while one of them is missing, so that one cable would keep
    /// all networks from booting.
    addresses: Vec<Ipv4Addr>,
    port: u16,
    /// The web root, without a final slash.
    root: &'a AbsPath,
}

fn emit(plan: &Plan, renderer: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    let provisioner = &plan.cluster.provisioner;
    let address = provisioner.listening_address();
    let local = (!address.is_unspecified()).then_some(Ipv4Addr::LOCALHOST);
    let addresses = std::iter::once(address).chain(local).collect();
    let context = Context { addresses, port: provisioner.http_port, root: &provisioner.web_root };
    Ok(vec![Artifact::new("site/pxe/nginx.conf", renderer.render(TEMPLATE.name, &context)?)?])
}
