//! Armed machines, which the installer may erase: `armed/<mac>` exists while a machine is armed (rule PG-F07).
//!
//! The file is a script that `boot.ipxe` runs: the script must name the node that the machine takes itself for. So neither a
//! server that answers every request with a page of its own, nor the file of another node, arms a machine.

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::bundle::read_bundle;
use super::channel::{CURRENT, Channel};
use super::root::{ARMED, SITE, WebRoot};
use crate::fs::{Dir, Sha256Sum};
use crate::model::{HostName, MacAddr, Node, SerialNumber, System};

const SCHEMA: u32 = 1;

/// A node that is to be armed.
#[derive(Clone, Copy, Debug)]
pub struct ArmTarget<'a> {
    /// Name of the node.
    pub node: &'a HostName,
    /// MAC address of the network card that boots.
    pub mac: MacAddr,
    /// Base of the netboot image, which is that of the node's profile.
    pub base: &'a str,
    /// Architecture of the machine.
    pub system: System,
    /// Serial number of the machine, which the installer compares.
    pub serial: Option<&'a str>,
}

impl<'a> ArmTarget<'a> {
    /// The target for `node`.
    #[must_use]
    pub fn of(node: &'a Node) -> Self {
        Self {
            node: &node.name,
            mac: node.mac,
            base: node.base.as_str(),
            system: node.system,
            serial: node.serial.as_ref().map(SerialNumber::as_str),
        }
    }
}

/// The record of an armed node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Armed {
    /// Version of this format.
    pub schema: u32,
    /// Name of the node.
    pub node: String,
    /// MAC address of the network card that boots.
    pub mac: String,
    /// Serial number of the machine, which the installer compares.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub serial: Option<String>,
    /// Base of the netboot image.
    #[serde(rename = "profile")]
    pub base: String,
    /// Id of the bundle that was current.
    pub bundle: Sha256Sum,
    /// Number of the bundle's generation.
    pub generation: u64,
    /// When the node was armed: RFC 3339, UTC.
    #[serde(with = "time::serde::rfc3339")]
    pub armed: OffsetDateTime,
}

/// A file in `armed/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArmedFile {
    /// Name of the file: a MAC address with hyphens.
    pub name: String,
    /// Content of the file; none where `plasmagen arm` did not write the file.
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

    fn parse(text: &[u8]) -> Result<Self> {
        let text = std::str::from_utf8(text)?;
        let line = text.lines().find_map(|line| line.strip_prefix("# {")).context("it has no record")?;
        let armed: Self = serde_json::from_str(&format!("{{{line}"))?;
        ensure!(armed.schema == SCHEMA && armed.print()? == text, "plasmagen arm did not write it");
        Ok(armed)
    }
}

/// Arms all `targets`, or none where one of them must not be armed.
///
/// # Errors
/// When there is nothing published that a target could boot, or a disk refuses.
pub fn arm(root: &WebRoot, targets: &[ArmTarget<'_>], now: OffsetDateTime) -> Result<Vec<Armed>> {
    let prepare = |target: &ArmTarget<'_>| {
        prepare(root, target, now).with_context(|| format!("{} is not armed, nor is any other", target.node))
    };
    let all = targets.iter().map(prepare).collect::<Result<Vec<_>>>()?;
    let dir = open_locked(root)?;
    for (armed, target) in all.iter().zip(targets) {
        dir.replace_from(&root.state, &target.mac.hyphens(), armed.print()?.as_bytes())
            .with_context(|| format!("could not arm {}", armed.node))?;
    }
    Ok(all)
}

/// Disarms the machines with these names in `armed/`; returns whether each was armed.
///
/// # Errors
/// When a disk refuses.
pub fn disarm(root: &WebRoot, names: &[String]) -> Result<Vec<bool>> {
    let dir = open_locked(root)?;
    let mut were_armed = Vec::new();
    for name in names {
        were_armed.push(dir.exists(name)?);
        dir.remove_file(name)?;
    }
    dir.sync().context("could not make armed/ durable")?;
    Ok(were_armed)
}

/// Lists the files in `armed/`, sorted by name.
///
/// # Errors
/// When a disk refuses.
pub fn list_armed(root: &WebRoot) -> Result<Vec<ArmedFile>> {
    if !root.dir.exists(ARMED)? {
        return Ok(Vec::new());
    }
    let dir = root.dir.open_dir(ARMED).context("could not open armed/")?;
    let mut files = Vec::new();
    for (name, _) in dir.list().context("could not list armed/")? {
        let armed = dir.read_limited(&name).and_then(|text| Armed::parse(&text));
        let armed = armed.ok().filter(|armed| armed.mac.replace(':', "-") == name);
        files.push(ArmedFile { name, armed });
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

/// Opens `armed/` for one writer at a time.
fn open_locked(root: &WebRoot) -> Result<Dir> {
    let dir = root.dir.ensure_dir(ARMED)?;
    dir.wait_for_lock().context("could not lock armed/")?;
    Ok(dir)
}

/// Makes the record of `target`, for which everything that it boots must be published.
fn prepare(root: &WebRoot, target: &ArmTarget<'_>, now: OffsetDateTime) -> Result<Armed> {
    let path = Channel::path_of_base(target.base);
    let hint = format!("plasmagen publish a bundle for {} first", target.base);
    let channel = Channel::open(root, &path)?.with_context(|| format!("{path} is not there: {hint}"))?;
    let current = channel.current_generation()?;
    let current = current.with_context(|| format!("{path}/{CURRENT} leads nowhere: {hint}"))?;
    let publication = current.publication;
    let publication =
        publication.with_context(|| format!("{path}/{CURRENT} is damaged: publish it again"))?;
    ensure!(
        !publication.is_expired(now),
        "its bundle has expired on {}: publish it again",
        publication.expires.date()
    );
    let Some(bundle) = read_bundle(&channel.open_generation(current.id)?, "", &mut Vec::new())? else {
        bail!("{path}/{CURRENT} is damaged: plasmagen verify says where");
    };
    ensure!(
        bundle.manifest.arch == target.system,
        "it is {}, and its bundle is for {}",
        target.system.as_str(),
        bundle.manifest.arch.as_str()
    );
    check_published_site(root, target)?;
    Ok(Armed {
        schema: SCHEMA,
        node: target.node.to_string(),
        mac: target.mac.to_string(),
        serial: target.serial.map(str::to_owned),
        base: target.base.to_owned(),
        bundle: current.id,
        generation: publication.generation,
        armed: now.to_offset(time::UtcOffset::UTC).replace_nanosecond(0)?,
    })
}

/// Refuses a target that the published site does not know, or knows as another node: the site is then not the inventory's.
fn check_published_site(root: &WebRoot, target: &ArmTarget<'_>) -> Result<()> {
    let channel = Channel::open(root, SITE)?;
    let current = channel.as_ref().map(Channel::current).transpose()?.flatten();
    let (Some(channel), Some(id)) = (channel, current) else {
        bail!("no site is published: machines would find no boot.ipxe");
    };
    let path = format!("{id}/ipxe/node/{}.ipxe", target.mac.hyphens());
    let text = channel.dir.read_limited(&path);
    let text =
        text.with_context(|| format!("the published site knows no {}: publish it again", target.mac))?;
    let text = String::from_utf8_lossy(&text);
    for fact in [format!("set node {}", target.node), format!("set profile {}", target.base)] {
        ensure!(
            text.lines().any(|line| line == fact),
            "the published site says something else of {}: publish it again",
            target.mac
        );
    }
    Ok(())
}
