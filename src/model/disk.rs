//! Disks by their device names.

use super::path::is_normal_path;
use super::word::{Form, Invalid, Word, has_only, word};

word! {
    /// A whole disk: a link of `[A-Za-z0-9._:+=@-]` in `/dev/disk/by-id` or `/dev/disk/by-path`, or what the kernel
    /// calls a disk, such as `/dev/sda`.
    DiskId;
}

/// Whether the kernel and udev (`60-persistent-storage.rules`) put `byte` into the names of devices.
fn is_device_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._:+=@/-".contains(&byte)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// The rest of `name` behind the kernel's name of a disk: empty for a whole disk, `1` for `sda1`. `None` where the kernel
/// gives no disk such a name.
fn strip_disk(name: &str) -> Option<&str> {
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

/// The prefixes of udev's links to volumes, which are on disks: LVM, device mapper, md.
const VOLUMES: [&str; 3] = ["lvm-", "dm-", "md-"];

/// Whether the device-mapper name `map` is that of a multipath device: by its UUID, or as multipathd names devices.
fn is_multipath(map: &str) -> bool {
    map.starts_with("uuid-mpath-") || map.starts_with("name-mpath")
}

/// Refuses the multipath device `map`. By its World Wide Identifier, the disk behind it has a name of its own: the
/// digit 3 stands before an NAA identifier, which is also that of the `wwn-` link (scsi_id(8)).
fn refuse_multipath(text: &str, map: &str) -> Invalid {
    let message = format!("`{text}` is a multipath device, which the installer does not set up");
    let naa = map.strip_prefix("uuid-mpath-3").filter(|naa| naa.bytes().all(|b| b.is_ascii_hexdigit()));
    let invalid = Invalid::new(
        "PG-F02",
        message,
        "write the `wwn-…` name of the disk, which leads to one of the paths: `ls -l /dev/disk/by-id` shows it",
    );
    match naa {
        Some(naa) => Invalid {
            instead: Some(format!("/dev/disk/by-id/wwn-0x{naa}")),
            help: format!("write `/dev/disk/by-id/wwn-0x{naa}`, which leads to one of the paths to the disk"),
            ..invalid
        },
        None => invalid,
    }
}

/// Whether `c` may stand in a link of udev's for which no other name is needed.
fn is_link_char(c: char) -> bool {
    u8::try_from(c).is_ok_and(is_device_byte) && c != '/'
}

/// Whether `name`, of `/dev/disk/by-id/`, is udev's link for a whole NVMe controller: `nvme-<model>_<serial>`, which
/// moves to whichever of its namespaces changed last (systemd#31448). Those of one namespace are `nvme-eui.…`,
/// `nvme-uuid.…` and `nvme-nvme.…`, by what the namespace calls itself, and `nvme-<model>_<serial>_<number>`. A last
/// part of five digits or more, or with a leading zero, is a serial number: no controller has so many namespaces.
fn is_nvme_controller(name: &str) -> bool {
    let number = |part: &str| part.len() <= 4 && !part.starts_with('0') && is_number(part);
    name.strip_prefix("nvme-").is_some_and(|rest| {
        !["eui.", "uuid.", "nvme."].iter().any(|prefix| rest.starts_with(prefix))
            && !rest.rsplit_once('_').is_some_and(|(_, last)| number(last))
    })
}

impl Word for DiskId {
    const FORM: Form = Form::new(
        "a whole disk, best by its stable name",
        "^/dev/[A-Za-z0-9._:+=@/-]+$",
        &["/dev/disk/by-id/wwn-0x5002538e40a1b2c3"],
    );

    fn parse(text: &str) -> Result<Self, Invalid> {
        let help = "write `/dev/disk/by-id/…`, as `ls -l /dev/disk/by-id` on the machine shows it";
        let odd =
            text.strip_prefix("/dev/disk/by-id/").and_then(|link| link.chars().find(|c| !is_link_char(*c)));
        if let Some(odd) = odd {
            let message = format!("`{odd}` in `{text}` means something else to the shell, or to udev");
            let help = "write another name of the same disk, such as `wwn-…` or `nvme-eui.…`: `ls -l /dev/disk/by-id` \
                        shows all that lead to one device";
            return Err(Invalid::new("PG-F02", message, help));
        }
        let invalid = |message: String| Err(Invalid::new("PG-F02", message, help));
        let path =
            text.strip_prefix("/dev/").filter(|path| has_only(path, is_device_byte) && is_normal_path(path));
        let Some(name) = path else {
            return invalid(format!("`{text}` is not the path of a disk"));
        };
        let link = name.strip_prefix("disk/by-id/").or_else(|| name.strip_prefix("disk/by-path/"));
        if let Some(map) = link.and_then(|link| link.strip_prefix("dm-")).filter(|map| is_multipath(map)) {
            return Err(refuse_multipath(text, map));
        }
        if link.is_none() && name.starts_with("disk/by-")
            || link.is_some_and(|link| VOLUMES.iter().any(|kind| link.starts_with(kind)))
        {
            return invalid(format!("`{text}` names what is on a disk, and installing erases that name"));
        }
        let rest = match link {
            Some(link) if link.contains('/') => None,
            Some(link) => {
                Some(link.rsplit_once("-part").map_or("", |(_, n)| if is_number(n) { n } else { "" }))
            }
            None => strip_disk(name),
        };
        match rest {
            None => return invalid(format!("`{text}` is not the path of a disk")),
            Some("") => {}
            Some(_) => {
                return invalid(format!("`{text}` is a partition: an installation takes the whole disk"));
            }
        }
        if name.strip_prefix("disk/by-id/").is_some_and(is_nvme_controller) {
            let message = format!("`{text}` moves between the namespaces of that controller");
            let help = "write the name that ends in the number of the namespace, `nvme-<model>_<serial>_1`, or \
                        `nvme-eui.…`: `ls -l /dev/disk/by-id` shows both";
            return Err(Invalid::new("PG-F05", message, help));
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
    fn nvme_names_are_those_of_a_namespace() {
        for good in [
            "nvme-SAMSUNG_MZQL2960HCJR-00A07_S64FNE0R800001_1",
            "nvme-INTEL_SSDPE2KX010T8_PHLJ0001_32",
            "nvme-eui.0025385b71b0a2d1",
            "nvme-uuid.6e1a3f0c-7f0a-4b5e-9d9b-0c6a5d2f1b11",
            "nvme-nvme.144d-5336-53414d53554e47-00000001",
            "ata-SAMSUNG_MZ7LH960_S45NNE0M800001",
            "wwn-0x5002538e40a1b2c3",
        ] {
            assert!(DiskId::parse(&format!("/dev/disk/by-id/{good}")).is_ok(), "{good}");
        }
        for bad in [
            "nvme-SAMSUNG_MZQL2960HCJR-00A07_S64FNE0R800001",
            "nvme-Micron_7450_21330012345",
            "nvme-EXAMPLE_DISK_0001",
            "nvme-EXAMPLE",
        ] {
            let invalid = DiskId::parse(&format!("/dev/disk/by-id/{bad}")).unwrap_err();
            assert_eq!(invalid.code, "PG-F05", "{bad}");
        }
    }
}
