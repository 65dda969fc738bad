//! Machines that may be erased: `armed/<mac>` exists while one is armed (rule PG-F07).
//!
//! The file is a script that `boot.ipxe` runs: it must name the node that the machine takes itself for. So neither a
//! server that answers everything with a page of its own, nor the file of another node, arms a machine.

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::bundle;
use super::line::{CURRENT, Line};
use super::root::{ARMED, Root, SITE};
use crate::fs::{Dir, Sha256Sum};
use crate::model::{HostName, MacAddr, Node, SerialNumber, System};

const SCHEMA: u32 = 1;

/// A node that is to be armed.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// Its name.
    pub node: &'a HostName,
    /// The NIC that boots.
    pub mac: MacAddr,
    /// Which netboot image: the profile's base.
    pub profile: &'a str,
    /// What kind of machine it is.
    pub system: System,
    /// The serial number that the installer must find.
    pub serial: Option<&'a str>,
}

impl<'a> Target<'a> {
    /// What of `node` matters here.
    #[must_use]
    pub fn of(node: &'a Node) -> Self {
        Self {
            node: &node.name,
            mac: node.mac,
            profile: node.base.as_str(),
            system: node.system,
            serial: node.serial.as_ref().map(SerialNumber::as_str),
        }
    }
}

/// What is said of a node that is armed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Armed {
    /// The version of this form.
    pub schema: u32,
    /// The node.
    pub node: String,
    /// The NIC that boots.
    pub mac: String,
    /// The serial number that the installer must find.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub serial: Option<String>,
    /// Which netboot image.
    pub profile: String,
    /// The bundle that was current.
    pub bundle: Sha256Sum,
    /// Its generation.
    pub generation: u64,
    /// Since when it is armed: RFC 3339, UTC.
    #[serde(with = "time::serde::rfc3339")]
    pub armed: OffsetDateTime,
}

/// A file in `armed/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArmedFile {
    /// Its name: a MAC address with hyphens.
    pub name: String,
    /// What it says; none where `plasmagen arm` did not write it.
    pub armed: Option<Armed>,
}

impl Armed {
    fn print(&self) -> Result<String> {
        let node = &self.node;
        Ok(format!(
            "#!ipxe\n# {node} is erased at its next network boot. plasmagen disarm {node} takes that back.\n# {}\nset \
             armed {node}\n",
            serde_json::to_string(self)?
        ))
    }

    pub(super) fn parse(text: &[u8]) -> Result<Self> {
        let text = std::str::from_utf8(text)?;
        let line = text.lines().find_map(|line| line.strip_prefix("# {")).context("it says nothing")?;
        let own: Self = serde_json::from_str(&format!("{{{line}"))?;
        ensure!(own.schema == SCHEMA && own.print()? == text, "plasmagen arm did not write it");
        Ok(own)
    }
}

/// Arms `targets`: all of them, or none where one must not be.
///
/// # Errors
/// When nothing that a target could boot is published, or a disk refuses.
pub fn arm(root: &Root, targets: &[Target<'_>], now: OffsetDateTime) -> Result<Vec<Armed>> {
    let plan = |own: &Target<'_>| {
        plan(root, own, now).with_context(|| format!("{} is not armed, nor is any other", own.node))
    };
    let all = targets.iter().map(plan).collect::<Result<Vec<_>>>()?;
    let dir = lock(root)?;
    for (own, target) in all.iter().zip(targets) {
        dir.replace_from(&root.state, &target.mac.hyphens(), own.print()?.as_bytes())
            .with_context(|| format!("could not arm {}", own.node))?;
    }
    Ok(all)
}

/// Disarms machines; whether they were armed.
///
/// # Errors
/// When a disk refuses.
pub fn disarm(root: &Root, names: &[String]) -> Result<Vec<bool>> {
    let dir = lock(root)?;
    let mut were = Vec::new();
    for name in names {
        were.push(dir.exists(name)?);
        dir.remove_file(name)?;
    }
    dir.sync().context("could not make armed/ durable")?;
    Ok(were)
}

/// What is in `armed/`, in the order of names.
///
/// # Errors
/// When a disk refuses.
pub fn armed(root: &Root) -> Result<Vec<ArmedFile>> {
    if !root.dir.exists(ARMED)? {
        return Ok(Vec::new());
    }
    let dir = root.dir.open_dir(ARMED).context("could not open armed/")?;
    let mut found = Vec::new();
    for (name, _) in dir.list().context("could not list armed/")? {
        let armed = dir.read_limited(&name).and_then(|text| Armed::parse(&text));
        let armed = armed.ok().filter(|own| own.mac.replace(':', "-") == name);
        found.push(ArmedFile { name, armed });
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

/// Opens `armed/` for one writer at a time.
fn lock(root: &Root) -> Result<Dir> {
    let dir = root.dir.ensure_dir(ARMED)?;
    dir.wait_for_lock().context("could not lock armed/")?;
    Ok(dir)
}

/// What will be said of `target`, which finds everything that it boots.
fn plan(root: &Root, target: &Target<'_>, now: OffsetDateTime) -> Result<Armed> {
    let path = Line::of_profile(target.profile);
    let publish = format!("plasmagen publish a bundle for {} first", target.profile);
    let line = Line::open(root, &path)?.with_context(|| format!("{path} is not there: {publish}"))?;
    let current = line.current_generation()?;
    let current = current.with_context(|| format!("{path}/{CURRENT} leads nowhere: {publish}"))?;
    let publication = current.publication;
    let publication =
        publication.with_context(|| format!("{path}/{CURRENT} is damaged: publish it again"))?;
    ensure!(
        !publication.is_expired(now),
        "its bundle has expired on {}: publish it again",
        publication.expires.date()
    );
    let dir = line.dir.open_dir(&current.id.to_string()).context("could not open its bundle")?;
    let Some(bundle) = bundle::open(&dir, "", &mut Vec::new())? else {
        bail!("{path}/{CURRENT} is damaged: plasmagen verify says where");
    };
    ensure!(
        bundle.manifest.arch == target.system,
        "it is {}, and its bundle is for {}",
        target.system.as_str(),
        bundle.manifest.arch.as_str()
    );
    known(root, target)?;
    Ok(Armed {
        schema: SCHEMA,
        node: target.node.to_string(),
        mac: target.mac.to_string(),
        serial: target.serial.map(str::to_owned),
        profile: target.profile.to_owned(),
        bundle: current.id,
        generation: publication.generation,
        armed: now.to_offset(time::UtcOffset::UTC).replace_nanosecond(0)?,
    })
}

/// Refuses a node whose machine would not know, or would take itself for another: the published site is not the
/// inventory's.
fn known(root: &Root, target: &Target<'_>) -> Result<()> {
    let line = Line::open(root, SITE)?;
    let current = line.as_ref().map(Line::current).transpose()?.flatten();
    let (Some(line), Some(id)) = (line, current) else {
        bail!("no site is published: machines would find no boot.ipxe");
    };
    let path = format!("{id}/ipxe/node/{}.ipxe", target.mac.hyphens());
    let text = line.dir.read_limited(&path);
    let text =
        text.with_context(|| format!("the published site knows no {}: publish it again", target.mac))?;
    let text = String::from_utf8_lossy(&text);
    for fact in [format!("set node {}", target.node), format!("set profile {}", target.profile)] {
        ensure!(
            text.lines().any(|line| line == fact),
            "the published site says something else of {}: publish it again",
            target.mac
        );
    }
    Ok(())
}
