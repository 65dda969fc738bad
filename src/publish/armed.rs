//! The files of armed machines: `armed/<mac>` exists while a machine is armed (rule PG-F07).
//!
//! The file is a script that `boot.ipxe` runs: the script must name the node that the machine takes itself for. So neither a
//! server that answers every request with a page of its own, nor the file of another node, arms a machine.
//!
//! An arming ends at a time that the second line of the file says. iPXE reads no clock: the file works until somebody
//! removes it, which the provisioner's timer `pxe-health` does within 15 seconds after the end.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use super::channel::Channel;
use super::joint::cluster_of;
use super::root::{ARMED, WebRoot};
use super::site::find_site_of;
use super::timer::is_stamp;
use crate::fs::{Dir, Sha256Sum, TEXT_LIMIT};
use crate::model::{Label, MacAddr, Word as _};

const SCHEMA: u32 = 2;

/// The second line of the file before the end of the arming in seconds since 1970, for `profiles/pxe-server/health.sh`.
const END: &str = "# until ";

/// The file in the state directory with the names of the files that a run changes in `armed/`, one a line: a run that
/// changes several writes them first. When the run is killed, the next run that arms or disarms anything disarms these
/// machines: half of an arming is taken back, half of a disarming is finished.
const INTERRUPTED: &str = "disarm";

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
    /// Serial number of the machine in the inventory. Arming does not compare the number with the machine.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub serial: Option<String>,
    /// Name of the netboot image: that of the base, and for 64-bit ARM with an ending.
    #[serde(rename = "profile")]
    pub image: String,
    /// Id of the bundle that was current.
    pub bundle: Sha256Sum,
    /// Number of the bundle's generation.
    pub generation: u64,
    /// When the node was armed: RFC 3339, UTC.
    #[serde(with = "time::serde::rfc3339")]
    pub armed: OffsetDateTime,
    /// When the arming ends: RFC 3339, UTC.
    #[serde(with = "time::serde::rfc3339")]
    pub until: OffsetDateTime,
}

/// A file in `armed/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArmedFile {
    /// Name of the file: a MAC address with hyphens.
    pub name: String,
    /// Content of the file; none where `plasmagen arm` did not write the file.
    pub armed: Option<Armed>,
    /// Id of the bundle that the node boots now: a publication may have changed the bundle for the base. None where there is
    /// none.
    pub boots: Option<Sha256Sum>,
    /// Name of the cluster whose site has the node's script, where several clusters share the web root.
    pub cluster: Option<String>,
    /// Whether a run that was killed has left the file. The next run that arms or disarms anything removes the file.
    pub is_interrupted: bool,
}

impl Armed {
    /// The longest arming. A node that is to be installed later is armed again.
    pub const LONGEST: Duration = Duration::days(7);

    /// Begin and end of an arming at `now` for `duration`, in whole seconds, UTC.
    pub(super) fn period(
        now: OffsetDateTime,
        duration: Duration,
    ) -> Result<(OffsetDateTime, OffsetDateTime)> {
        let armed = now.to_offset(time::UtcOffset::UTC).replace_nanosecond(0)?;
        let until = armed.checked_add(duration).context("the arming would end after the year 9999")?;
        ensure!(until > armed, "the arming would end at the moment of its begin");
        Ok((armed, until))
    }

    /// Whether the arming has ended: the node does not count as armed any more.
    #[must_use]
    pub fn has_ended(&self, now: OffsetDateTime) -> bool {
        self.until <= now
    }

    /// Prints the file.
    pub(super) fn print(&self) -> Result<String> {
        let node = &self.node;
        let (date, (hour, minute, second)) = (self.until.date(), self.until.to_hms());
        Ok(format!(
            "#!ipxe\n{END}{}\n# {node} boots the installer at every network boot until {date} \
             {hour:02}:{minute:02}:{second:02} UTC. plasmagen disarm {node} ends that earlier.\n# {}\nset armed {node}\n",
            self.until.unix_timestamp(),
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

    /// The version of the format that this program writes.
    pub(super) fn schema() -> u32 {
        SCHEMA
    }
}

impl ArmedFile {
    /// Whether `boot.ipxe` may run the file although this version of plasmagen can't read it, such as one that an earlier
    /// version wrote: iPXE fetches the file of its MAC address, whatever wrote it.
    pub(super) fn is_foreign(&self) -> bool {
        self.armed.is_none() && MacAddr::parse(&self.name.replace('-', ":")).is_ok()
    }

    /// The name of the node, or of the file where no node is known.
    #[must_use]
    pub fn label(&self) -> String {
        self.armed.as_ref().map_or_else(|| self.name.escape_debug().to_string(), |armed| armed.node.clone())
    }
}

/// Lists the files in `armed/`, sorted by name, also those whose time has ended.
///
/// # Errors
/// When a disk refuses.
pub fn list_armed(root: &WebRoot) -> Result<Vec<ArmedFile>> {
    if !root.dir.exists(ARMED)? {
        return Ok(Vec::new());
    }
    let dir = root.dir.open_dir(ARMED).context("could not open armed/")?;
    // verify reports a list that can't be read.
    let mut interrupted = read_interrupted(root).unwrap_or_default();
    if !interrupted.is_empty() {
        // A run at work has such a list too, for a moment. A lock that is held for longer keeps nobody from disarming.
        let _ = lock(&dir);
        interrupted = read_interrupted(root).unwrap_or_default();
    }
    let (mut files, mut bundles) = (Vec::new(), BTreeMap::new());
    let names = dir.list_names().context("could not list armed/")?;
    for name in names.into_iter().filter(|name| !is_stamp(name)) {
        let mut file = read_armed(&dir, name);
        file.cluster =
            find_site_of(root, &file.name).and_then(|channel| cluster_of(&channel.path).map(str::to_owned));
        file.is_interrupted = interrupted.contains(&file.name);
        if let Some(armed) = &file.armed {
            file.boots =
                *bundles.entry(armed.image.clone()).or_insert_with(|| find_bundle(root, &armed.image));
        }
        files.push(file);
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

/// Finds the id of the current bundle for `base`; none where nothing is served.
fn find_bundle(root: &WebRoot, image: &str) -> Option<Sha256Sum> {
    Label::parse(image).ok()?;
    // verify reports a file in the place of a directory, and a link that leads nowhere.
    Channel::open(root, &Channel::path_of_image(image)).ok()??.current().ok()?
}

/// Reads the file `name` in `armed/`.
pub(super) fn read_armed(dir: &Dir, name: String) -> ArmedFile {
    let armed = dir.read_limited(&name, TEXT_LIMIT).map_err(Into::into).and_then(|text| Armed::parse(&text));
    let armed = armed.ok().filter(|armed| armed.mac.replace(':', "-") == name);
    ArmedFile { name, armed, boots: None, cluster: None, is_interrupted: false }
}

/// Waits a while until no other run changes `armed/`, nor the provisioner's timer.
pub(super) fn lock(dir: &Dir) -> Result<()> {
    dir.wait_for_lock().context("could not lock armed/: perhaps another program holds the lock (fuser armed)")
}

/// Reads the names of the files that an interrupted run has left half done.
///
/// # Errors
/// When the list can't be read.
pub(super) fn read_interrupted(root: &WebRoot) -> Result<Vec<String>> {
    if !root.state.exists(INTERRUPTED)? {
        return Ok(Vec::new());
    }
    let text = root.state.read_limited(INTERRUPTED, TEXT_LIMIT).context(
        "could not read .plasmagen/disarm: remove it, and disarm all machines that should not be armed",
    )?;
    Ok(String::from_utf8_lossy(&text).lines().map(str::to_owned).collect())
}

/// Writes the names of the files that this run changes, for the case that it is killed.
pub(super) fn write_interrupted<'a>(root: &WebRoot, names: impl Iterator<Item = &'a String>) -> Result<()> {
    let text: String = names.map(|name| format!("{name}\n")).collect();
    root.state.replace(INTERRUPTED, text.as_bytes(), true).context("could not write .plasmagen/disarm")
}

/// Removes the list of [`write_interrupted`] durably.
pub(super) fn clear_interrupted(root: &WebRoot) -> Result<()> {
    if root.state.exists(INTERRUPTED)? {
        root.state.remove_file(INTERRUPTED)?;
        root.state.sync().context("could not make .plasmagen durable")?;
    }
    Ok(())
}
