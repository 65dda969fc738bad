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
//! judge     what it must have been told, loaded and become
//! queue     as many machines at once as this one carries
//! report    what came of it
//! ```
//!
//! [`start`] runs in the caller's world and [`run`] in the lab's own: between them go an [`Order`] one way and [`Event`]s
//! the other. Nothing here prints.

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
mod tools;
mod trial;
mod web;
mod wires;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::artifact::ArtifactSet;
use crate::image::{MANIFEST, Manifest};
use crate::model::{Cluster, DhcpServer};
use queue::Lab;
use servers::Servers;
use web::Web;

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

/// What a lab is to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Order {
    /// The inventory, whole.
    pub inventory: String,
    /// Its directory: certificates and zones are published there.
    pub root: PathBuf,
    /// Which machines are powered on.
    pub choice: Choice,
    /// Which DHCP server runs: its name in the inventory.
    pub dhcp: String,
    /// Bundles by profile; the others boot what the lab makes.
    pub bundles: BTreeMap<String, PathBuf>,
    /// What the lab makes them of.
    pub parts: Option<Parts>,
    /// Builds of iPXE to publish, instead of this machine's.
    pub ipxe: Option<PathBuf>,
    /// How long a machine may take, in seconds.
    pub patience: u32,
    /// The directory in which everything stays.
    pub keep: Option<PathBuf>,
    /// Where programs are.
    pub tools: Tools,
}

/// What a lab says while it runs, a line of JSON each.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// What it is doing.
    Doing(String),
    /// The machine of that number, and how many steps it has to make.
    #[allow(missing_docs, reason = "each field says it itself")]
    Planned { number: usize, name: String, kind: Kind, firmware: Boot, steps: usize },
    /// It has made a step.
    #[allow(missing_docs, reason = "each field says it itself")]
    Made { number: usize, step: Step, seconds: f64 },
    /// It is done: well or not.
    #[allow(missing_docs, reason = "each field says it itself")]
    Done { number: usize, good: bool },
    /// All is done.
    Report(Report),
    /// The lab itself has failed.
    Failed(String),
}

/// What DHCP servers are called on the command line.
#[must_use]
pub fn name_of(dhcp: DhcpServer) -> &'static str {
    match dhcp {
        DhcpServer::Kea => "kea",
        DhcpServer::Isc => "isc",
        DhcpServer::Dnsmasq => "dnsmasq",
    }
}

/// A lab that runs. It ends, with all that it is made of, when this is dropped or its process ends in whatever way.
#[derive(Debug)]
pub struct Running {
    child: Child,
}

/// Starts `inside` as the lab of `order`; it must call [`receive`] and [`run`].
///
/// # Errors
/// When namespaces can't be made.
pub fn start(order: &Order, inside: &mut Command) -> Result<Running> {
    let parts = order.parts.iter().flat_map(|parts| [Some(&parts.kernel), parts.modules.as_ref(), Some(&parts.busybox)]);
    for path in order.bundles.values().chain(&order.ipxe).chain(&order.keep).chain(parts.flatten()) {
        space::visible(path)?;
    }
    let mut child = space::enter(&order.tools, inside)?;
    let mut line = serde_json::to_string(order)?;
    line.push('\n');
    let input = child.stdin.as_mut().context("the lab has no input")?;
    input.write_all(line.as_bytes()).context("the lab did not take its order")?;
    Ok(Running { child })
}

impl Running {
    /// Tells `heed` of every event, until the lab has ended.
    ///
    /// # Errors
    /// When it ends before it has reported.
    pub fn listen(&mut self, mut heed: impl FnMut(Event)) -> Result<Report> {
        let output = self.child.stdout.take().context("the lab has no output")?;
        let mut report = None;
        for line in BufReader::new(output).lines() {
            let line = line.context("the lab can't be heard")?;
            match serde_json::from_str(&line).with_context(|| format!("the lab said what it should not: {line}"))? {
                Event::Report(own) => report = Some(own),
                Event::Failed(why) => bail!("{why}"),
                event => heed(event),
            }
        }
        report.context("the lab ended before it was done")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// Takes the order that [`start`] gives, and from then on ends this process when its standard input ends.
///
/// # Errors
/// When there is none.
pub fn receive() -> Result<Order> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).context("the lab got no order")?;
    let order = serde_json::from_str(&line).context("the lab got no order")?;
    space::end_with_parent();
    Ok(order)
}

/// Runs the lab of `order`, in namespaces of its own; `artifacts` is everything rendered.
///
/// # Errors
/// When a server does not start, a bundle is not what it says, or the kernel refuses.
pub fn run(
    order: &Order,
    cluster: &Cluster,
    dhcp: DhcpServer,
    artifacts: &ArtifactSet,
    now: OffsetDateTime,
    tell: &(dyn Fn(Event) + Sync),
) -> Result<Report> {
    let tools = &order.tools;
    let doing = |what: &str| tell(Event::Doing(what.to_owned()));
    let web_root = Path::new(cluster.provisioner.web_root.as_str());
    space::furnish(tools, web_root, order.keep.as_deref())?;
    let wires = wires::wires(cluster);
    let selection = trial::select(cluster, &order.choice, &wires, &|profile| order.bundles.contains_key(profile))?;
    doing("trying what runs machines here");
    let acceleration = machine::acceleration(tools, &space::dir("probe")?);
    doing("making and publishing what machines boot");
    let bundles = bundles(order, cluster, &selection.trials)?;
    let dirs: Vec<PathBuf> = bundles.values().map(|(dir, _)| dir.clone()).collect();
    let site = space::dir("rendered")?;
    let (web, lacking) = Web::publish(cluster, artifacts, &site, &dirs, order.ipxe.as_deref(), now)?;
    doing("starting the servers");
    wires::Net::new(tools).wire(cluster, &wires)?;
    let mut servers = Servers::start(tools, cluster, dhcp, &wires, &site.join("site"))?;
    let lab = Lab {
        order,
        cluster,
        artifacts,
        manifests: bundles.into_iter().map(|(profile, (_, manifest))| (profile, manifest)).collect(),
        wires: &wires,
        web: &web,
        acceleration,
        dhcp_log: servers.dhcp_log.clone(),
        tftp_log: servers.tftp_log.clone(),
        tell,
    };
    doing("powering on");
    let rows = lab.run(&selection.trials)?;
    servers.all_run()?;
    let notes = lacking.iter().map(|own| format!("no build of iPXE is published as {own}")).collect();
    Ok(Report::new(dhcp, acceleration, rows, selection.like, notes))
}

/// A bundle for each profile that a machine boots: the user's, or one made here.
fn bundles(
    order: &Order,
    cluster: &Cluster,
    trials: &[trial::Trial<'_>],
) -> Result<BTreeMap<String, (PathBuf, Manifest)>> {
    let mut bundles = BTreeMap::new();
    for (profile, dir) in &order.bundles {
        let read = std::fs::read(dir.join(MANIFEST)).map_err(anyhow::Error::from).and_then(|text| Manifest::parse(&text));
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
        let out = space::dir("bundles")?.join(profile);
        let manifest = parts.build(profile, &base, &space::dir(&format!("payload/{profile}"))?, &out)?;
        bundles.insert(profile.to_owned(), (out, manifest));
    }
    Ok(bundles)
}
