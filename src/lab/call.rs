//! Between the world that a lab is started in and the lab's own: an order goes in, events come out.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use super::{Boot, Choice, Kind, Parts, Report, Step, Tools, space};
use crate::model::DhcpServer;

/// What a lab is to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Order {
    /// The inventory, whole.
    pub inventory: String,
    /// Its directory: certificates and zones are published there.
    pub root: PathBuf,
    /// Which machines are powered on.
    pub choice: Choice,
    /// Which DHCP server runs.
    pub dhcp: DhcpServer,
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
    /// It is powered on.
    #[allow(missing_docs, reason = "each field says it itself")]
    On { number: usize },
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

/// A lab that runs. It ends, with all that it is made of, when this is dropped or its process ends in whatever way.
#[derive(Debug)]
pub struct Running {
    child: Child,
}

/// Starts `inside` as the lab of `order`; it must call [`receive`] and [`run`](super::run).
///
/// # Errors
/// When namespaces can't be made.
pub fn start(order: &Order, inside: &mut Command) -> Result<Running> {
    let parts = order
        .parts
        .iter()
        .flat_map(|parts| [Some(&parts.kernel), parts.modules.as_ref(), Some(&parts.busybox)]);
    for path in order.bundles.values().chain(&order.ipxe).chain(&order.keep).chain(parts.flatten()) {
        space::visible(path)?;
    }
    let mut child = space::enter(&order.tools, inside)?;
    let mut line = serde_json::to_string(order)?;
    line.push('\n');
    let input = child.stdin.as_mut().context("the lab has no input")?;
    input.write_all(line.as_bytes()).with_context(no_world)?;
    Ok(Running { child })
}

/// Why a lab never began: unshare has said it, and this is what helps.
fn no_world() -> String {
    let mut text = "the lab could not make namespaces of its own".to_owned();
    if !rustix::process::geteuid().is_root() {
        text += ": a user other than root needs subordinate ids (`usermod --add-subuids 100000-165535 --add-subgids \
                 100000-165535 USER`) and a kernel that lets users make namespaces; root needs neither";
    }
    text
}

impl Running {
    /// Tells `heed` of every event, until the lab has ended.
    ///
    /// # Errors
    /// When it ends before it has reported.
    pub fn listen(&mut self, mut heed: impl FnMut(Event)) -> Result<Report> {
        let output = self.child.stdout.take().context("the lab has no output")?;
        let (mut report, mut heard) = (None, false);
        for line in BufReader::new(output).lines() {
            let line = line.context("the lab can't be heard")?;
            heard = true;
            match serde_json::from_str(&line)
                .with_context(|| format!("the lab said what it should not: {line}"))?
            {
                Event::Report(own) => report = Some(own),
                Event::Failed(why) => bail!("{why}"),
                event => heed(event),
            }
        }
        report.with_context(|| if heard { "the lab ended before it was done".to_owned() } else { no_world() })
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
