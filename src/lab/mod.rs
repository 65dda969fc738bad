//! The lab: a cluster's machines, powered on in QEMU behind the real servers on the rendered files.
//!
//! ```text
//! tools     programs and firmware, and the packages that have them
//! space     namespaces that end with their parent, and everything in them
//! wires     bridges, the router, the provisioner's interface
//! servers   DHCP, TFTP, HTTP, relay and router advertisements
//! web       rendered and published as ever
//! payload   a bundle without NixOS: the distribution's kernel and a busybox
//! modules   kernel modules with their dependencies
//! disk      the local disk of a machine
//! trial     which machines are powered on, and how far each must come
//! machine   QEMU
//! follow    how far a machine has come
//! tail      logs and consoles, read while they are written
//! judge     what it must have been told, loaded and become
//! queue     as many machines at once as this one carries
//! report    what came of it
//! call      from the caller's world into the lab's own, and back
//! ```
//!
//! [`start`] runs in the caller's world and [`run`] in the lab's own: between them go an [`Order`] one way and [`Event`]s
//! the other. Nothing here prints.

mod call;
mod disk;
mod follow;
mod judge;
mod machine;
mod modules;
mod payload;
mod queue;
mod report;
mod servers;
mod space;
mod tail;
mod tools;
mod trial;
mod web;
mod wires;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::artifact::ArtifactSet;
use crate::image::{BundleManifest, MANIFEST};
use crate::model::Cluster;
use queue::Lab;
use servers::Servers;
use web::Web;

pub use call::{Event, Order, Running, receive, start};
pub use payload::Parts;
pub use report::{Report, Row};
pub use tools::{Tools, Wants};
pub use trial::{Choice, Kind, Step};

/// How a machine's firmware boots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Boot {
    /// BIOS, over PXE.
    Bios,
    /// UEFI, over PXE.
    Uefi,
    /// UEFI, over HTTP.
    UefiHttp,
}

impl Boot {
    /// Its name on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bios => "bios",
            Self::Uefi => "uefi",
            Self::UefiHttp => "uefi-http",
        }
    }
}

/// What runs machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Acceleration {
    /// The processor itself.
    Kvm,
    /// QEMU's emulation.
    Tcg,
}

impl Acceleration {
    /// QEMU's name for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kvm => "kvm",
            Self::Tcg => "tcg",
        }
    }
}

/// Runs the lab of `order`, in namespaces of its own; `artifacts` is everything rendered.
///
/// # Errors
/// When a server does not start, a bundle is not what it says, or the kernel refuses.
pub fn run(
    order: &Order,
    cluster: &Cluster,
    artifacts: &ArtifactSet,
    now: OffsetDateTime,
    tell: &(dyn Fn(Event) + Sync),
) -> Result<Report> {
    let tools = &order.tools;
    let doing = |what: &str| tell(Event::Doing(what.to_owned()));
    let web_root = Path::new(cluster.provisioner.web_root.as_str());
    space::furnish(tools, web_root, order.keep.as_deref())?;
    let wires = wires::wires(cluster);
    let selection =
        trial::select(cluster, &order.choice, &wires, &|profile| order.bundles.contains_key(profile))?;
    doing("trying what runs machines here");
    let acceleration = machine::acceleration(tools, &space::dir("probe")?);
    doing("making and publishing what machines boot");
    let bundles = bundles(order, cluster, &selection.trials)?;
    let dirs: Vec<PathBuf> = bundles.values().map(|(dir, _)| dir.clone()).collect();
    let site = space::dir("rendered")?;
    let (web, lacking) = Web::publish(cluster, artifacts, &site, &dirs, order.ipxe.as_deref(), now)?;
    doing("starting the servers");
    wires::Net::new(tools).wire(cluster, &wires)?;
    let mut servers = Servers::start(tools, cluster, order.dhcp, &wires, &site.join("site"))?;
    let lab = Lab {
        order,
        cluster,
        artifacts,
        manifests: bundles.into_iter().map(|(profile, (_, manifest))| (profile, manifest)).collect(),
        wires: &wires,
        web: &web,
        acceleration,
        dhcp_log: servers.dhcp_log.clone(),
        lease_message: servers.lease_message,
        tftp_log: servers.tftp_log.clone(),
        tell,
    };
    doing("powering on");
    let rows = lab.run(&selection.trials)?;
    servers.all_run()?;
    let notes = lacking.iter().map(|own| format!("no build of iPXE is published as {own}")).collect();
    Ok(Report::new(order.dhcp, acceleration, rows, selection.like, notes))
}

/// A bundle for each profile that a machine boots: the user's, or one made here.
fn bundles(
    order: &Order,
    cluster: &Cluster,
    trials: &[trial::Trial<'_>],
) -> Result<BTreeMap<String, (PathBuf, BundleManifest)>> {
    let mut bundles = BTreeMap::new();
    for (profile, dir) in &order.bundles {
        let read = std::fs::read(dir.join(MANIFEST))
            .map_err(anyhow::Error::from)
            .and_then(|text| BundleManifest::parse(&text));
        let manifest = read.with_context(|| format!("{} is no bundle", dir.display()))?;
        bundles.insert(profile.clone(), (dir.clone(), manifest));
    }
    let base = cluster.provisioner.base_url();
    for node in trials.iter().filter_map(|trial| trial.node) {
        let profile = node.base.as_str();
        if bundles.contains_key(profile) {
            continue;
        }
        let parts = order.parts.as_ref().context("the lab has nothing to make a bundle of")?;
        let system = parts.system()?;
        ensure!(
            node.system == system,
            "{} is {}, and {} is a kernel for {}: give a --bundle or a --kernel for it, and name the nodes of one kind with \
             --node",
            node.name,
            node.system.as_str(),
            parts.kernel.display(),
            system.as_str()
        );
        let out = space::dir("bundles")?.join(profile);
        let manifest = parts.build(profile, &base, &space::dir(&format!("payload/{profile}"))?, &out)?;
        bundles.insert(profile.to_owned(), (out, manifest));
    }
    Ok(bundles)
}
