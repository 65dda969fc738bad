//! The names that an installation writes onto the disks of a node: of partitions, RAID arrays and volume groups. An
//! installed machine finds its disks by these names.

use std::fmt::Write;

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

/// Whose name the names on a node's disks hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Labels {
    /// The node's: disks of two nodes in one machine have different names.
    #[default]
    Node,
    /// None: the names are equal on all nodes with the same layout. Versions before this choice wrote them so.
    Disk,
}

/// The longest name of a node that stands in names on disks as it is. A partition has a name of at most 36 UTF-16 units
/// (UEFI specification, section 5.3.3), and `disk-<node>-disk99-root` has 18 beside the node's.
const LONGEST: usize = 18;

/// The number of characters of a longer name that are kept before the digits of its digest.
const KEPT: usize = LONGEST - 1 - DIGITS;

/// The number of hexadecimal digits of a digest that stand in names on disks.
const DIGITS: usize = 8;

/// The names on the disks of one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskNames<'a> {
    labels: Labels,
    node: &'a str,
    /// The number of disks.
    count: usize,
}

impl<'a> DiskNames<'a> {
    /// The names on the `count` disks of `node`.
    #[must_use]
    pub fn new(labels: Labels, node: &'a str, count: usize) -> Self {
        Self { labels, node, count }
    }

    /// The name of the disk at `index`, counted from 0. disko calls the partitions `disk-<name>-<partition>`. With the
    /// node's name, the name of a disk does not depend on the number of disks.
    #[must_use]
    pub fn disk(&self, index: usize) -> String {
        let is_main = index == 0 && (self.labels == Labels::Node || self.count == 1);
        let disk = if is_main { "main".to_owned() } else { format!("disk{}", index + 1) };
        self.behind_node(&disk)
    }

    /// The name of the RAID array for `purpose`: at most 27 bytes, since mdadm puts `any:` before the name, and both
    /// have 32 bytes (md(4), "MD metadata").
    #[must_use]
    pub fn array(&self, purpose: &str) -> String {
        self.behind_node(purpose)
    }

    /// The name of the volume group. The name has letters and digits alone: disko's clean-up before a reinstallation
    /// (disk-deactivate) cuts other names.
    #[must_use]
    pub fn volume_group(&self) -> String {
        let is_plain = |node: &str| node.len() <= LONGEST && node.bytes().all(|b| b.is_ascii_alphanumeric());
        match self.labels {
            Labels::Disk => "pool".to_owned(),
            Labels::Node if is_plain(self.node) => format!("pool{}", self.node),
            Labels::Node => {
                let letters = self.node.chars().filter(char::is_ascii_alphanumeric).take(KEPT);
                format!("pool{}{}", letters.collect::<String>(), shorten_digest(self.node))
            }
        }
    }

    fn behind_node(&self, name: &str) -> String {
        match self.labels {
            Labels::Disk => name.to_owned(),
            Labels::Node => format!("{}-{name}", self.label()),
        }
    }

    /// The name of the node as it stands in names on disks.
    #[must_use]
    pub fn label(&self) -> String {
        if self.node.len() <= LONGEST {
            return self.node.to_owned();
        }
        let start: String = self.node.chars().take(KEPT).collect();
        format!("{start}-{}", shorten_digest(self.node))
    }
}

/// The first digits of the SHA-256 of `name`.
fn shorten_digest(name: &str) -> String {
    let mut digits = String::new();
    for byte in &digest(&SHA256, name.as_bytes()).as_ref()[..DIGITS / 2] {
        // Writing to a string cannot fail.
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(node: &str, count: usize) -> DiskNames<'_> {
        DiskNames::new(Labels::Node, node, count)
    }

    #[test]
    fn names_hold_the_node() {
        let names = of("node01", 2);
        assert_eq!([names.disk(0), names.disk(1)], ["node01-main", "node01-disk2"]);
        assert_eq!(
            (names.array("root").as_str(), names.volume_group().as_str()),
            ("node01-root", "poolnode01")
        );
        assert_eq!(of("node01", 1).disk(0), names.disk(0));
    }

    #[test]
    fn names_of_installed_layouts_stay() {
        let names = |count| DiskNames::new(Labels::Disk, "node01", count);
        assert_eq!([names(1).disk(0), names(2).disk(0), names(2).disk(1)], ["main", "disk1", "disk2"]);
        assert_eq!((names(2).array("root").as_str(), names(2).volume_group().as_str()), ("root", "pool"));
    }

    /// The digests are those of `printf NAME | sha256sum`.
    #[test]
    fn long_names_are_cut_and_stay_different() {
        let (one, other) = ("control-plane-rack1-01", "control-plane-rack1-02");
        assert_eq!(of(one, 1).disk(0), "control-p-425cea22-main");
        assert_eq!(of(other, 1).disk(0), "control-p-eedbb27a-main");
        assert_eq!(of("r1-n2", 1).volume_group(), "poolr1n225ec09f9");
        assert_ne!(of("r1-n2", 1).volume_group(), of("r1n2", 1).volume_group());
        for node in [one, &"x".repeat(63), "exactly-eighteen-c"] {
            assert!(format!("disk-{}-root", of(node, 99).disk(98)).len() <= 36, "{node}");
            assert!(of(node, 2).array("root").len() <= 27, "{node}");
        }
    }
}
