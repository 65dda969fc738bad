//! `plasmagen arm` and `disarm`.

use std::collections::BTreeSet;

use clap::Args;
use clap_complete::ArgValueCandidates;
use time::{Duration, OffsetDateTime};

use crate::model::{Cluster, MacAddr, Node};
use crate::outputs;
use crate::plan::{Certificates, HostKeys, Plan, Zones};
use crate::publish::{
    ArmOutcome, ArmRequest, ArmTarget, Armed, ArmedFile, ArmingTimer, ClusterNames, DisarmSelection, WebRoot,
    WebRootLock, arm, disarm, find_quorum_risk, list_armed,
};

use super::armed::print_end;
use super::command_line::carry_options;
use super::duration::parse_duration;
use super::printer::Printer;
use super::progress::ByteProgress;
use super::publish::size_of;
use super::web_root::WebRootOptions;
use super::{DONE, REFUSED, complete, named};

/// Let nodes boot the installer from the network for a limited time
///
/// A node that is not armed boots from its own disk. The installer waits, and nixos-anywhere erases the disks when you run
/// it. Either all of the nodes are armed or none. A node is refused where its bundle is missing, damaged or expired, or
/// where the published site differs from what the inventory renders now.
#[derive(Debug, Args)]
pub(super) struct ArmArgs {
    /// The nodes to arm
    #[arg(value_name = "NODE", required = true, add = ArgValueCandidates::new(complete::nodes))]
    nodes: Vec<String>,
    /// How long the nodes stay armed: a number with m, h or d, from 1m to 7d
    #[arg(long = "for", value_name = "TIME", default_value = "4h", value_parser = parse_period)]
    period: ArmingPeriod,
    /// Also compare the contents of the bundles' files with their digests, as verify does
    #[arg(long)]
    verify: bool,
    /// Arm the nodes even if installing all of them would cost the cluster its quorum
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    pub(super) root: WebRootOptions,
}

/// Let nodes boot from their own disks again
#[derive(Debug, Args)]
pub(super) struct DisarmArgs {
    /// The nodes to disarm
    #[arg(value_name = "NODE", required_unless_present = "all", add = ArgValueCandidates::new(complete::nodes))]
    nodes: Vec<String>,
    /// Disarm every machine; with the inventory of a cluster that shares the web root, all of that cluster's
    #[arg(long, conflicts_with = "nodes")]
    all: bool,
    #[command(flatten)]
    pub(super) root: WebRootOptions,
}

/// How long nodes stay armed.
#[derive(Clone, Debug)]
struct ArmingPeriod {
    /// As the user wrote it.
    text: String,
    duration: Duration,
}

/// Parses a time from one minute to [`Armed::LONGEST`].
fn parse_period(text: &str) -> Result<ArmingPeriod, String> {
    match parse_duration(text) {
        Ok(duration) if (Duration::minutes(1)..=Armed::LONGEST).contains(&duration) => {
            Ok(ArmingPeriod { text: text.to_owned(), duration })
        }
        _ => Err(format!(
            "a node is armed for one minute up to {days} days: write a number with m, h or d, from `1m` to `{days}d`",
            days = Armed::LONGEST.whole_days()
        )),
    }
}

impl ArmArgs {
    pub(super) fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        let Some(cluster) = self.root.cluster(printer)? else { return Ok(REFUSED) };
        let path = self.root.path(Some(&cluster))?;
        let root = WebRoot::open(&path)?;
        let find = |name: &String| named::find_node(&cluster, name);
        let nodes = self.nodes.iter().map(find).collect::<anyhow::Result<Vec<_>>>()?;
        // Neither another arming nor a publication comes between the questions and the arming.
        let lock = WebRootLock::acquire(&path)?;
        let now = OffsetDateTime::now_utc();
        let earlier = list_armed(&root)?;
        // A file whose time has ended, or that another version wrote, still boots the installer.
        let named = earlier.iter().filter_map(|file| Some(file.armed.as_ref()?.node.as_str()));
        let by_mac = |node: &&Node| {
            let names = file_names(node);
            earlier.iter().any(|file| names.contains(&file.name))
        };
        let addressed = cluster.nodes.iter().filter(by_mac).chain(nodes.iter().copied());
        let all: BTreeSet<_> = named.chain(addressed.map(|node| node.name.as_str())).collect();
        if let Some(risk) = find_quorum_risk(&cluster, &all).filter(|_| !self.yes) {
            let nodes = self.nodes.join(" ");
            let verify = if self.verify { " --verify" } else { "" };
            let text = format!(
                "no node is armed: {risk}. If you want that: plasmagen arm --yes --for {}{verify} {nodes}",
                self.period.text
            );
            Printer::warn(&carry_options(&text, &self.root.given()));
            return Ok(REFUSED);
        }
        let plan = Plan {
            cluster: cluster.clone(),
            // The files that machines fetch hold neither certificates, host keys nor zones.
            certificates: Certificates::default(),
            host_keys: HostKeys::default(),
            zones: Zones::default(),
        };
        let site = outputs::render_boot_files(&plan, &nodes)?;
        let targets = nodes.into_iter().map(|node| ArmTarget::of(node, &site));
        let targets = targets.collect::<anyhow::Result<Vec<_>>>()?;
        let bytes = if self.verify { size_of(&path.join("nixos")) } else { 0 };
        let progress = ByteProgress::bytes(printer, "verify", bytes);
        let request = ArmRequest {
            targets: &targets,
            now,
            duration: self.period.duration,
            is_hashed: self.verify,
            progress: &|bytes| progress.add(bytes),
        };
        let outcome = arm(&lock, &request)?;
        drop(progress);
        let is_armed = |node: &String| outcome.armed.iter().any(|armed| armed.node == *node);
        print_recovered(printer, outcome.recovered.iter().filter(|node| !is_armed(node)));
        let endless = ArmingTimer::read(&root, now).explain();
        print_armed(printer, &outcome, endless.is_some());
        if let Some(why) = endless {
            let nodes = self.nodes.join(" ");
            let text = format!("warning: {why}: plasmagen disarm {nodes}");
            Printer::warn(&carry_options(&text, &self.root.given()));
        }
        Ok(DONE)
    }
}

/// Prints the nodes that are armed now, and until when: where nothing ends armings, until somebody disarms them.
fn print_armed(printer: &Printer, outcome: &ArmOutcome, is_endless: bool) {
    // A node has a file for each network card.
    let mut nodes = BTreeSet::new();
    for armed in outcome.armed.iter().filter(|armed| nodes.insert(&armed.node)) {
        let end = if is_endless { "until somebody disarms it".to_owned() } else { print_end(armed) };
        printer.say(&format!(
            "{} is armed {end}: it boots the installer {:.12} of {} from the network",
            armed.node,
            armed.bundle.to_string(),
            armed.image
        ));
    }
}

/// Prints the nodes that a killed run had left half armed or half disarmed.
fn print_recovered<'a>(printer: &Printer, nodes: impl Iterator<Item = &'a String>) {
    for node in nodes {
        printer.say(&format!("{node} is disarmed: an earlier run that armed or disarmed it was killed"));
    }
}

impl DisarmArgs {
    pub(super) fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        let mut cluster = None;
        if !self.all || !self.root.is_named() || self.root.inventory.is_named() {
            cluster = self.root.cluster(printer)?;
            if cluster.is_none() {
                return Ok(REFUSED);
            }
        }
        let root = WebRoot::open_to_disarm(&self.root.path(cluster.as_ref())?)?;
        let Some(cluster) = cluster.as_ref().filter(|_| !self.all) else {
            return disarm_all(printer, &root, cluster.as_ref());
        };
        let armed = list_armed(&root)?;
        let files = |name: &String| armed_files(name, cluster, &armed);
        let files = self.nodes.iter().map(files).collect::<anyhow::Result<Vec<_>>>()?;
        let outcome = disarm(&root, DisarmSelection::Files(&files.concat()))?;
        print_recovered(printer, outcome.recovered.iter());
        for (name, files) in self.nodes.iter().zip(files) {
            let was_armed = files.iter().any(|file| outcome.disarmed.contains_key(file));
            printer.say(&format!("{name} {}", if was_armed { "is disarmed" } else { "was not armed" }));
        }
        Ok(DONE)
    }
}

/// Disarms every machine, but none of which another cluster than `cluster` has the script.
fn disarm_all(printer: &Printer, root: &WebRoot, cluster: Option<&Cluster>) -> anyhow::Result<u8> {
    let files = cluster.map_or_else(Vec::new, |_| list_armed(root).unwrap_or_default());
    let is_foreign = |file: &&ArmedFile| {
        let names = file.cluster.as_ref().zip(cluster.map(ClusterNames::of));
        names.is_some_and(|(of_file, names)| !names.has(of_file))
    };
    let (foreign, ours): (Vec<_>, Vec<_>) = files.iter().partition(is_foreign);
    let names: Vec<_> = ours.into_iter().map(|file| file.name.clone()).collect();
    let selection = if foreign.is_empty() { DisarmSelection::All } else { DisarmSelection::Files(&names) };
    let outcome = disarm(root, selection)?;
    for label in foreign.iter().map(|file| file.label()).collect::<BTreeSet<_>>() {
        printer.say(&format!("{label} stays armed: it is a node of another cluster"));
    }
    print_recovered(printer, outcome.recovered.iter());
    // A node has a file for each network card.
    for node in outcome.disarmed.values().collect::<BTreeSet<_>>() {
        printer.say(&format!("{node} is disarmed"));
    }
    if outcome.disarmed.is_empty() {
        printer.say("no node was armed");
    }
    Ok(DONE)
}

/// The names of the files that arm `node`: one for each network card that may boot.
fn file_names(node: &Node) -> Vec<String> {
    node.boot_macs().into_iter().map(MacAddr::hyphens).collect()
}

/// The names of the files that arm the node `name`. A node that has left the inventory, or has another network card now,
/// must not stay armed: so its name in the files counts, too.
fn armed_files(name: &str, cluster: &Cluster, armed: &[ArmedFile]) -> anyhow::Result<Vec<String>> {
    let names_node = |file: &&ArmedFile| file.armed.as_ref().is_some_and(|armed| armed.node == name);
    let mut files: Vec<_> = armed.iter().filter(names_node).map(|file| file.name.clone()).collect();
    match named::find_node(cluster, name) {
        Ok(node) => files.extend(file_names(node)),
        Err(unknown) if files.is_empty() => return Err(unknown),
        Err(_) => {}
    }
    files.sort();
    files.dedup();
    Ok(files)
}
