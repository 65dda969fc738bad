//! Disks and how they are laid out.

use std::path::Path;

use serde::Serialize;

use super::size::Size;
use super::text::AbsPath;
use super::word::{Form, Invalid, Word, all, word};

word! {
    /// A whole disk: a link of `[A-Za-z0-9._:+=@-]` in `/dev/disk/by-id` or `/dev/disk/by-path`, or what the kernel
    /// calls a disk, such as `/dev/sda`.
    DiskId;
    /// Where a further file system is mounted: an [`AbsPath`] outside `/boot`.
    MountPoint;
}

/// What the kernel and udev (`60-persistent-storage.rules`) put into the names of devices.
fn device_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._:+=@/-".contains(&byte)
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// What follows a disk's name of the kernel's own in `name`, so that it is empty for a whole disk: `1` of `sda1`. `None`
/// where the kernel calls no disk so.
fn after_disk(name: &str) -> Option<&str> {
    let letters = |text| str::trim_start_matches(text, |c: char| c.is_ascii_lowercase());
    let numbers = |text| str::trim_start_matches(text, |c: char| c.is_ascii_digit());
    let some = |text: &str, rest: &str| rest.len() < text.len();
    for prefix in ["sd", "vd", "xvd", "hd"] {
        if let Some(text) = name.strip_prefix(prefix) {
            return Some(letters(text)).filter(|rest| some(text, rest));
        }
    }
    if let Some(text) = name.strip_prefix("mmcblk") {
        return Some(numbers(text)).filter(|rest| some(text, rest));
    }
    let controller = name.strip_prefix("nvme")?;
    let namespace =
        numbers(controller).strip_prefix('n').filter(|_| some(controller, numbers(controller)))?;
    Some(numbers(namespace)).filter(|rest| some(namespace, rest))
}

/// What udev links to a volume, and so to what is on disks: LVM, device mapper, md.
const VOLUMES: [&str; 3] = ["lvm-", "dm-", "md-"];

impl Word for DiskId {
    const FORM: Form = Form::new(
        "a whole disk, best by its stable name",
        "^/dev/[A-Za-z0-9._:+=@/-]+$",
        &["/dev/disk/by-id/wwn-0x5002538e40a1b2c3"],
    );

    fn parse(text: &str) -> Result<Self, Invalid> {
        let help = "write `/dev/disk/by-id/…`, as `ls -l /dev/disk/by-id` on the machine shows it";
        let invalid = |message: String| Err(Invalid::new("PG-F02", message, help));
        let normal =
            all(text, device_byte) && text.split('/').skip(1).all(|part| !["", ".", ".."].contains(&part));
        let Some(name) = text.strip_prefix("/dev/").filter(|_| normal) else {
            return invalid(format!("`{text}` is not the path of a disk"));
        };
        let link = name.strip_prefix("disk/by-id/").or_else(|| name.strip_prefix("disk/by-path/"));
        if link.is_none() && name.starts_with("disk/by-")
            || link.is_some_and(|link| VOLUMES.iter().any(|kind| link.starts_with(kind)))
        {
            return invalid(format!("`{text}` names what is on a disk, and installing erases that name"));
        }
        let rest = match link {
            Some(link) if link.contains('/') => None,
            Some(link) => Some(link.rsplit_once("-part").map_or("", |(_, n)| if digits(n) { n } else { "" })),
            None => after_disk(name),
        };
        match rest {
            None => return invalid(format!("`{text}` is not the path of a disk")),
            Some("") => {}
            Some(_) => {
                return invalid(format!("`{text}` is a partition: an installation takes the whole disk"));
            }
        }
        Ok(Self(text.to_owned()))
    }
}

impl DiskId {
    /// Whether the name stays with the disk wherever it is plugged in. The kernel numbers `/dev/sdX` and
    /// `/dev/nvmeXnY` in the order in which it finds them.
    #[must_use]
    pub fn is_stable(&self) -> bool {
        self.0.starts_with("/dev/disk/by-id/")
    }
}

impl Word for MountPoint {
    const FORM: Form =
        Form::new("an absolute path outside /boot", "^(/[A-Za-z0-9._-]+)+$", &["/var/lib/flaredb"]);

    fn parse(text: &str) -> Result<Self, Invalid> {
        if AbsPath::parse(text).is_err() || Path::new(text).starts_with("/boot") {
            let message = format!("`{text}` is not where a further file system may be mounted");
            return Err(Invalid::new("PG-F12", message, "write an absolute path such as `/var/lib/flaredb`"));
        }
        Ok(Self(text.to_owned()))
    }
}

/// The file system of a root or data partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// ext4.
    Ext4,
    /// XFS.
    Xfs,
    /// Btrfs.
    Btrfs,
}

/// A further logical volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Volume {
    /// Its name in the volume group.
    pub name: String,
    /// How large it is.
    pub size: Size,
    /// Where it is mounted.
    pub mount: MountPoint,
    /// Its file system.
    pub format: Format,
}

/// How the disks are divided. Every layout has a BIOS boot partition (EF02) and an ESP, so that either firmware boots.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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
    /// One disk, the root encrypted (LUKS2), its passphrase asked for at the console.
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

/// A layout as it is written: `disk.<style> = { esp, format, … }`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Layout {
    /// How the disks are divided.
    #[serde(flatten)]
    pub style: Style,
    /// The size of the EFI system partition.
    pub esp: Size,
    /// The root file system.
    pub format: Format,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_disks_only() {
        for good in [
            "/dev/disk/by-id/nvme-SAMSUNG_MZQL2960HCJR-00A07_S64FNE0R800001_1",
            "/dev/sda",
            "/dev/nvme0n1",
            "/dev/vdb",
            "/dev/mmcblk0",
            "/dev/sdaa",
            "/dev/disk/by-path/pci-0000:00:17.0-ata-1",
        ] {
            assert!(DiskId::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "sda",
            "/dev/sda1",
            "/dev/nvme0n1p2",
            "/dev/disk/by-id/wwn-0x5000-part1",
            "/dev/disk/by-id/../../sda",
            "/dev/disk/by-label/root",
            "/dev/disk/by-id/a b",
            "/dev/disk/by-id/a/b",
            "/dev/disk/by-id/lvm-pv-uuid-x",
            "/dev/disk/by-id/dm-name-vg-root",
            "/dev/disk/by-id/md-uuid-1:2",
            "/dev/disk/by-path/pci-0000:00:17.0-ata-1-part1",
            "/dev/disk",
            "/dev/null",
            "/dev/sd",
            "/dev/nvme0",
            "/dev/nvme0n",
            "/dev/nvmen1",
            "/dev/md0",
            "/dev/mapper/vg-root",
            "/dev/mmcblk0p1",
            "/dev/mmcblk0boot0",
            "/dev/xvda1",
            "/dev/disk/by-id/a\";x",
        ] {
            assert_eq!(DiskId::parse(bad).unwrap_err().code, "PG-F02", "{bad}");
        }
        assert!(!DiskId::parse("/dev/sda").unwrap().is_stable());
    }

    #[test]
    fn mount_points() {
        assert!(MountPoint::parse("/var/lib/x").is_ok());
        for bad in ["/", "var", "/a/../b", "/boot", "/boot/efi", "/a b"] {
            assert!(MountPoint::parse(bad).is_err(), "{bad}");
        }
    }
}
