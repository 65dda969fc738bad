//! The disks of a node as they were rendered last, by `site/inventory.json`, else by the node's `disko.nix`.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::model::{DiskNames, Labels, Node, Style};

/// The style that is always encrypted.
const LUKS: &str = "luks";

/// A node of the cluster as it was rendered last.
#[derive(Clone, Debug)]
pub struct FormerNode {
    /// The name of the node.
    pub name: String,
    /// The MAC address by which the node booted, if it is known.
    pub mac: Option<String>,
    /// The serial number of the machine, if it was known.
    pub serial: Option<String>,
    /// The disks that the node's layout used.
    pub disks: Vec<String>,
    /// Whose name the names on the disks held.
    pub labels: Labels,
    /// The style of the layout, as the inventory calls it.
    pub style: String,
    /// Whether everything but `/boot` was encrypted.
    pub is_encrypted: bool,
    /// The file system of the root.
    pub format: String,
    /// The file system of each further volume, with `swap` as the file system of the swap volume.
    pub volumes: BTreeMap<String, String>,
}

impl FormerNode {
    /// The names on the disks.
    #[must_use]
    pub fn disk_names(&self) -> DiskNames<'_> {
        DiskNames::new(self.labels, &self.name, self.disks.len())
    }

    /// Whether the disks of `other` are divided and called as those of this node.
    pub(super) fn has_equal_disks(&self, other: &Self) -> bool {
        let key = |node: &Self| (node.labels, node.disks.len(), node.is_encrypted);
        let words = |node: &Self| (node.style.clone(), node.format.clone(), node.volumes.clone());
        key(self) == key(other) && words(self) == words(other)
    }

    /// Reads what `text`, the `disko.nix` of the node `name`, says of the node's disks.
    ///
    /// # Errors
    /// When the text is not as plasmagen writes it.
    pub(super) fn from_disko(name: &str, text: &str) -> Result<Self> {
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        let has = |wanted: &str| lines.contains(&wanted);
        let starts = |start: &str| lines.iter().any(|line| line.starts_with(start));
        let is_encrypted = has(r#"type = "luks";"#);
        let style = match () {
            () if has(r#"type = "mdraid";"#) => "raid1",
            () if starts("lvm_vg.") => "lvm",
            () if is_encrypted => LUKS,
            () => "single",
        };
        let written: Vec<&str> =
            lines.iter().filter_map(|line| opened(line)?.strip_prefix("disk.")).collect();
        let first = written.first().context("no disk is in it")?.trim_matches('"');
        let labels = if ["main", "disk1"].contains(&first) { Labels::Disk } else { Labels::Node };
        let disks: Vec<String> =
            lines.iter().filter_map(|line| quoted(line, "device")).map(str::to_owned).collect();
        let is_ours =
            disks.len() == written.len() && DiskNames::new(labels, name, disks.len()).disk(0) == first;
        ensure!(is_ours, "the names of its disks are not those that plasmagen writes");
        let mut volumes = read_volumes(text);
        let mut pairs = lines.windows(2).filter(|pair| pair[1] == r#"mountpoint = "/";"#);
        let format = pairs.next().and_then(|pair| quoted(pair[0], "format")).context("no root is in it")?;
        volumes.remove("root");
        let (name, format, style) = (name.to_owned(), format.to_owned(), style.to_owned());
        Ok(Self { name, mac: None, serial: None, disks, labels, style, is_encrypted, format, volumes })
    }
}

/// The name of the attribute set that `line` opens.
fn opened(line: &str) -> Option<&str> {
    line.strip_suffix(" = {")
}

/// The text that `line` gives to `key`.
fn quoted<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    line.strip_prefix(key)?.strip_prefix(" = \"")?.strip_suffix("\";")
}

/// Reads the file system of each volume of LVM in `text`. The indentation tells a volume from the table in each volume, whose
/// name a volume may have, too.
fn read_volumes(text: &str) -> BTreeMap<String, String> {
    const VOLUME: &str = "        ";
    let mut volumes = BTreeMap::new();
    let mut current = None;
    for line in text.lines().skip_while(|line| line.trim() != "lvs = {").skip(1) {
        let volume = line.strip_prefix(VOLUME).filter(|rest| !rest.starts_with(' ')).and_then(opened);
        current = volume.map(|name| name.trim_matches('"')).or(current);
        let line = line.trim();
        let swap = (line == r#"content.type = "swap";"#).then_some("swap");
        if let (Some(name), Some(format)) = (current, swap.or_else(|| quoted(line, "format"))) {
            volumes.insert(name.to_owned(), format.to_owned());
        }
    }
    volumes
}

/// The file system of each further volume of `node`, as [`FormerNode::volumes`] has them.
#[must_use]
pub fn list_volumes(node: &Node) -> BTreeMap<String, String> {
    let Style::Lvm { swap, volumes } = &node.layout.style else { return BTreeMap::new() };
    let volumes = volumes.iter().map(|volume| (volume.name.clone(), volume.format.name().to_owned()));
    volumes.chain(swap.map(|_| ("swap".to_owned(), "swap".to_owned()))).collect()
}

/// The keys of a node of `site/inventory.json` that are read here.
#[derive(Deserialize)]
pub(super) struct ResolvedNode {
    pub(super) name: String,
    mac: Option<String>,
    pub(super) serial: Option<String>,
    disks: Vec<String>,
    layout: ResolvedLayout,
}

#[derive(Deserialize)]
struct ResolvedLayout {
    style: String,
    format: String,
    /// Absent where a version rendered that wrote no node's name onto disks.
    labels: Option<Labels>,
    /// Absent where nothing is encrypted, or a version rendered that unlocked no disk but by a passphrase.
    unlock: Option<String>,
    swap: Option<String>,
    #[serde(default)]
    volumes: Vec<ResolvedVolume>,
}

#[derive(Deserialize)]
struct ResolvedVolume {
    name: String,
    format: String,
}

impl From<ResolvedNode> for FormerNode {
    fn from(node: ResolvedNode) -> Self {
        let ResolvedNode { name, mac, serial, disks, layout } = node;
        let volumes = layout.volumes.into_iter().map(|volume| (volume.name, volume.format));
        let volumes = volumes.chain(layout.swap.map(|_| ("swap".to_owned(), "swap".to_owned()))).collect();
        let labels = layout.labels.unwrap_or(Labels::Disk);
        let is_encrypted = layout.unlock.is_some() || layout.style == LUKS;
        let (style, format) = (layout.style, layout.format);
        Self { name, mac, serial, disks, labels, style, is_encrypted, format, volumes }
    }
}
