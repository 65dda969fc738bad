//! The layout of a node's disks.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::disk_names::Labels;
use super::size::Size;
use super::text::AbsPath;
use super::word::{Form, Invalid, Word, word};

word! {
    /// The mount point of a further file system: an [`AbsPath`] outside `/boot` and the kernel's file systems.
    MountPoint;
}

impl Word for MountPoint {
    const FORM: Form = Form::new(
        "an absolute path outside /boot, /dev, /proc, /run and /sys",
        "^(/[A-Za-z0-9._-]+)+$",
        &["/var/lib/flaredb"],
    );

    fn parse(text: &str) -> Result<Self, Invalid> {
        let taken =
            ["/boot", "/dev", "/proc", "/run", "/sys"].iter().any(|dir| Path::new(text).starts_with(dir));
        if AbsPath::parse(text).is_err() || taken {
            let message = format!("`{text}` is not where a further file system may be mounted");
            return Err(Invalid::new("PG-F12", message, "write an absolute path such as `/var/lib/flaredb`"));
        }
        Ok(Self(text.to_owned()))
    }
}

/// The file system of a root or data partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// ext4.
    Ext4,
    /// XFS.
    Xfs,
    /// Btrfs.
    Btrfs,
}

impl Format {
    /// The word in the inventory, which is also that of mkfs and mount.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ext4 => "ext4",
            Self::Xfs => "xfs",
            Self::Btrfs => "btrfs",
        }
    }
}

/// A further logical volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// The name in the volume group.
    pub name: String,
    /// The size of the volume.
    pub size: Size,
    /// The mount point of the volume.
    pub mount: MountPoint,
    /// The file system of the volume.
    pub format: Format,
}

/// How the disks are divided. Every layout has a BIOS boot partition (EF02) and an ESP, so that either firmware boots.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "style", rename_all = "lowercase")]
pub enum Style {
    /// One disk, one root partition.
    Single,
    /// Two or more disks that mirror both ESP and root (md RAID1).
    Raid1,
    /// LVM over all disks; the ESP on the first.
    Lvm {
        /// A swap volume.
        swap: Option<Size>,
        /// Further volumes; the root takes what is left.
        volumes: Vec<Volume>,
    },
    /// One disk, the root encrypted (LUKS2).
    Luks,
}

impl Style {
    /// The key in the inventory.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::Raid1 => "raid1",
            Self::Lvm { .. } => "lvm",
            Self::Luks => "luks",
        }
    }
}

/// The way in which encrypted disks (LUKS2) are unlocked at each boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unlock {
    /// Somebody types the passphrase at the console.
    Passphrase,
    /// The machine's TPM 2.0 has the key; the console asks for the passphrase where the TPM does not give it out.
    Tpm2,
}

impl Unlock {
    /// The word in the inventory.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Passphrase => "passphrase",
            Self::Tpm2 => "tpm2",
        }
    }
}

/// The layout of a node's disks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// How the disks are divided.
    #[serde(flatten)]
    pub style: Style,
    /// The size of the EFI system partition.
    pub esp: Size,
    /// The file system of the root.
    pub format: Format,
    /// Whose name the names on the disks hold.
    pub labels: Labels,
    /// The way in which the disks are unlocked; none where they are not encrypted. `/boot` is never encrypted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unlock: Option<Unlock>,
}

impl Layout {
    /// The least size of the disk that boots: the BIOS boot partition, the ESP, the gaps around them and something left.
    #[must_use]
    pub fn least_size(&self) -> Size {
        const REST: u64 = 4;
        Size::mib((self.esp.bytes() >> 20) + REST)
    }

    /// The least size of all disks together. Mirrored disks have one size, and volumes share the disks of LVM.
    #[must_use]
    pub fn least_total(&self) -> Size {
        let Style::Lvm { swap, volumes } = &self.style else { return self.least_size() };
        let sizes = volumes.iter().map(|volume| volume.size).chain(*swap).chain([self.least_size()]);
        Size::mib(sizes.fold(0, |sum, size| sum.saturating_add(size.bytes() >> 20)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mount_points() {
        assert!(["/var/lib/x", "/runner"].iter().all(|good| MountPoint::parse(good).is_ok()));
        for bad in ["/", "var", "/a/../b", "/boot", "/boot/efi", "/a b", "/proc", "/run/x"] {
            assert!(MountPoint::parse(bad).is_err(), "{bad}");
        }
    }
}
