//! `disk.<style>`: how the disks of a node are divided.

use serde_json::{Value, json};

use crate::diag::{Diagnostic, Report, Span, Spanned};
use crate::model::{Format, Label, Labels, MountPoint, Size, Unlock};

use super::key::{entries, optional, required, section};
use super::reader::{Cell, Entries, Read, Table};
use super::schema::{Schema, map_of};
use super::tables::{Keys, table_schema, tables};

tables! {
    /// The layout of a node's disks.
    LayoutKeys {
        /// Size of the EFI system partition, which holds the kernels and initrds of all generations.
        esp: Option<Spanned<Size>> = optional().default("1G"),
        /// File system of the root.
        format: Option<Spanned<Format>> = optional().default("ext4"),
        /// Names of partitions, RAID arrays and volume groups: `node` has the node's name in them, `disk` does not. `disk` is
        /// for nodes that an older plasmagen installed, which find their disks by these names. Without this key, nodes keep
        /// the names that were rendered last, and the default is for new nodes.
        labels: Option<Spanned<Labels>> = optional().default("node"),
        /// Size of the swap volume (`disk.lvm` only). Without it, the node has no swap.
        swap: Option<Spanned<Size>> = optional(),
        /// `volume.<name>`: a further logical volume (`disk.lvm` only). The root takes what is left.
        volumes as "volume": Entries<Label, VolumeTable> = entries(),
        /// Way in which the disk is unlocked at each boot (`disk.luks` only). `passphrase`: somebody types the passphrase at
        /// the console. `tpm2`: the machine's TPM 2.0 unlocks the disk, and the console asks where the TPM does not.
        /// `plasmagen render` makes the passphrase and keeps it in the vault.
        unlock: Option<Spanned<Unlock>> = optional().default("passphrase"),
        /// Encrypts everything but `/boot` (`disk.raid1` and `disk.lvm` only): the mirrored root, or all volumes and the
        /// swap. `luks = {}` is enough.
        luks: Option<LuksTable> = section(),
    }

    /// `disk.raid1.luks` or `disk.lvm.luks`: encryption (LUKS2).
    LuksTable {
        /// Way in which the disks are unlocked at each boot, as in `disk.luks`.
        unlock: Option<Spanned<Unlock>> = optional().default("passphrase"),
    }

    /// `disk.lvm.volume.<name>`: a further logical volume.
    VolumeTable {
        /// Size of the volume.
        size: Option<Spanned<Size>> = required(),
        /// Absolute path at which the volume is mounted, such as `/var/lib/flaredb`.
        mount: Option<Spanned<MountPoint>> = required(),
        /// File system of the volume.
        format: Option<Spanned<Format>> = optional().default("ext4"),
    }
}

/// The styles, each with its description.
const STYLES: [(&str, &str); 4] = [
    ("single", "One disk with one root partition."),
    ("raid1", "Two or more disks that mirror both the ESP and the root (md RAID1)."),
    ("lvm", "LVM over all disks, with the ESP on the first disk."),
    ("luks", "One disk with an encrypted root (LUKS2)."),
];

const LVM: &str = "lvm";
const RAID1: &str = "raid1";

/// The keys of the layout `style`.
fn list_keys(style: &str) -> &'static [&'static str] {
    match style {
        LVM => &["esp", "format", "labels", "swap", "volume", "luks"],
        RAID1 => &["esp", "format", "labels", "luks"],
        "luks" => &["esp", "format", "labels", "unlock"],
        _ => &["esp", "format", "labels"],
    }
}

/// `disk.<style> = { … }` as written.
#[derive(Clone, Debug)]
pub struct LayoutTable {
    /// The style: `single`, `raid1`, `lvm` or `luks`.
    pub style: &'static str,
    /// The place of the style.
    pub span: Span,
    /// The keys below the style.
    pub keys: LayoutKeys,
}

impl Read for LayoutTable {
    fn read(cell: Cell<'_>, report: &mut Report) -> Option<Self> {
        let mut styles = Table::open(cell, &["single", "raid1", "lvm", "luks"], report)?;
        let chosen = styles.choice();
        styles.finish();
        let (style, cell) = chosen?;
        let mut table = Table::open(cell, list_keys(style), report)?;
        let mut keys = LayoutKeys::read_keys(&mut table);
        if style == RAID1 {
            keys.format = keys.format.and_then(|format| check_mirrored(format, table.report));
        }
        let span = table.span.clone();
        table.finish();
        Some(Self { style, span, keys })
    }

    /// Exactly one of the styles.
    fn schema() -> Schema {
        let mut styles = Schema::new();
        for (style, about) in STYLES {
            let mut schema = table_schema::<LayoutKeys>(&[about]);
            if let Some(Value::Object(keys)) = schema.get_mut("properties") {
                keys.retain(|key, _| list_keys(style).contains(&key.as_str()));
            }
            styles.insert(style.into(), schema.into());
        }
        let formats = styles.get_mut(RAID1).and_then(|style| style.pointer_mut("/properties/format/enum"));
        if let Some(Value::Array(formats)) = formats {
            formats.retain(|format| format != "btrfs");
        }
        map_of(json!({
            "type": "object",
            "properties": styles,
            "additionalProperties": false,
            "minProperties": 1,
            "maxProperties": 1,
        }))
    }
}

/// The format, unless a mirror keeps it alive: disko stops an array without erasing what is in it, `sgdisk --zap-all`
/// hits the signatures of ext4 and XFS but not that of Btrfs, and disko formats nothing that has a signature. A
/// reinstallation would find the old data.
fn check_mirrored(format: Spanned<Format>, report: &mut Report) -> Option<Spanned<Format>> {
    if format.value != Format::Btrfs {
        return Some(format);
    }
    let fault = Diagnostic::error(
        "PG-A04",
        &format.span,
        "btrfs in a mirror outlives an installation: the old data stays",
    );
    report.push(fault.help("legal for `disk.raid1` are `ext4`, `xfs`"));
    None
}
