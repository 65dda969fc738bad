//! `[profile.<name>]`, and what profiles and nodes have in common.

use schemars::JsonSchema;

use crate::diag::{Diagnostic, Report, Span, Spanned};
use crate::model::{
    Base, BondMode, Firmware, Format, IfName, KernelParam, Label, MacAddr, MountPoint, RelPath, Size, System,
};

use super::reader::{Cell, Entries, Read, Table};
use super::settings::SettingsTable;
use super::{List, Maybe};

/// What both a profile and a node may say; the node's word counts.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(transform = super::schema::allow)]
pub struct Common {
    /// What it runs.
    pub services: Maybe<List<Option<Label>>>,
    /// `settings.<service>`: merged by key.
    #[schemars(default)]
    pub settings: Entries<Label, SettingsTable>,
    /// `interface.<name>`: merged by key.
    #[schemars(default, rename = "interface")]
    pub interfaces: Entries<IfName, InterfaceTable>,
    /// `disk.<style>`: how its disks are divided; replaced as a whole.
    #[schemars(rename = "disk")]
    pub layout: Maybe<LayoutTable>,
    /// Its kernel command line beyond what NixOS gives it.
    pub kernel_params: Option<Spanned<List<KernelParam>>>,
    /// How its firmware boots.
    #[schemars(extend("default" = "uefi"))]
    pub firmware: Option<Spanned<Firmware>>,
    /// What kind of machine it is.
    pub system: Option<Spanned<System>>,
    /// Which model it is: one of ours, or `[hardware.<name>]`.
    #[schemars(extend("default" = "generic"))]
    pub hardware: Option<Spanned<Label>>,
    /// Further NixOS modules.
    pub modules: Option<Spanned<List<RelPath>>>,
}

impl Common {
    pub(super) const KEYS: [&'static str; 10] = [
        "allow",
        "services",
        "settings",
        "interface",
        "disk",
        "kernel_params",
        "firmware",
        "system",
        "hardware",
        "modules",
    ];

    /// Its keys behind those of a table that has more.
    pub(super) const fn keys_after<const OWN: usize, const ALL: usize>(
        own: [&'static str; OWN],
    ) -> [&'static str; ALL] {
        assert!(ALL == OWN + Self::KEYS.len());
        let mut all = [""; ALL];
        let (before, behind) = all.split_at_mut(OWN);
        before.copy_from_slice(&own);
        behind.copy_from_slice(&Self::KEYS);
        all
    }

    pub(super) fn read(table: &mut Table<'_, '_>) -> Self {
        table.allow();
        Self {
            services: table.optional("services"),
            settings: table.entries("settings"),
            interfaces: table.entries("interface"),
            layout: table.optional("disk"),
            kernel_params: table.optional("kernel_params"),
            firmware: table.optional("firmware"),
            system: table.optional("system"),
            hardware: table.optional("hardware"),
            modules: table.optional("modules"),
        }
    }
}

/// A profile as it is written.
#[derive(Clone, Debug, JsonSchema)]
pub struct ProfileTable {
    /// Which module and image it is built on.
    pub base: Maybe<Base>,
    /// What a node may say as well.
    #[schemars(flatten)]
    pub common: Common,
}

/// A profile's own key, then those of [`Common`].
const KEYS: [&str; 1 + Common::KEYS.len()] = Common::keys_after(["base"]);

impl Read for ProfileTable {
    fn read(cell: Cell<'_>, report: &mut Report) -> Option<Self> {
        let mut table = Table::open(cell, &KEYS, report)?;
        let profile = Self { base: table.optional("base"), common: Common::read(&mut table) };
        table.finish();
        Some(profile)
    }
}

/// `interface.<name>` as it is written.
#[derive(Clone, Debug, Default, JsonSchema)]
pub struct InterfaceTable {
    /// The network that it is connected to.
    pub network: Maybe<Label>,
    /// Whether it tags that network's VLAN.
    pub tagged: Option<Spanned<bool>>,
    /// The largest packet in bytes.
    #[schemars(range(min = 576, max = 9216))]
    pub mtu: Maybe<u16>,
    /// The interfaces that it is made of.
    pub bond: Option<Spanned<BondTable>>,
    /// The address that the name is bound to.
    pub mac: Option<Spanned<MacAddr>>,
}

impl Read for InterfaceTable {
    fn read(cell: Cell<'_>, report: &mut Report) -> Option<Self> {
        let mut table = Table::open(cell, &["network", "tagged", "mtu", "bond", "mac"], report)?;
        let interface = Self {
            network: table.optional("network"),
            tagged: table.optional("tagged"),
            mtu: table.number("mtu", "PG-D10", 576..=9216),
            bond: table.optional("bond"),
            mac: table.optional("mac"),
        };
        table.finish();
        Some(interface)
    }
}

/// `bond = { mode, members }` as it is written.
#[derive(Clone, Debug, JsonSchema)]
pub struct BondTable {
    /// How the members share the load.
    #[schemars(required)]
    pub mode: Option<Spanned<BondMode>>,
    /// The interfaces.
    #[schemars(required)]
    pub members: Option<Spanned<List<Option<IfName>>>>,
}

impl Read for BondTable {
    fn read(cell: Cell<'_>, report: &mut Report) -> Option<Self> {
        let mut table = Table::open(cell, &["mode", "members"], report)?;
        let bond = Self { mode: table.required("mode"), members: table.required("members") };
        table.finish();
        Some(bond)
    }
}

/// `disk.<style> = { … }` as it is written.
#[derive(Clone, Debug, JsonSchema)]
pub struct LayoutTable {
    /// `single`, `raid1`, `lvm` or `luks`.
    #[schemars(skip)]
    pub style: &'static str,
    /// Where that is written.
    #[schemars(skip)]
    pub span: Span,
    /// The size of the EFI system partition.
    #[schemars(extend("default" = "1G"))]
    pub esp: Option<Spanned<Size>>,
    /// The root file system.
    #[schemars(extend("default" = "ext4"))]
    pub format: Option<Spanned<Format>>,
    /// LVM: a swap volume.
    pub swap: Option<Spanned<Size>>,
    /// LVM: further volumes.
    #[schemars(default, rename = "volume")]
    pub volumes: Entries<Label, VolumeTable>,
}

impl Read for LayoutTable {
    fn read(cell: Cell<'_>, report: &mut Report) -> Option<Self> {
        let mut styles = Table::open(cell, &["single", "raid1", "lvm", "luks"], report)?;
        let chosen = styles.choice();
        styles.finish();
        let (style, cell) = chosen?;
        let lvm = style == "lvm";
        let keys: &[_] = if lvm { &["esp", "format", "swap", "volume"] } else { &["esp", "format"] };
        let mut table = Table::open(cell, keys, report)?;
        let mut layout = Self {
            style,
            span: table.span.clone(),
            esp: table.optional("esp"),
            format: table.optional("format"),
            swap: if lvm { table.optional("swap") } else { None },
            volumes: if lvm { table.entries("volume") } else { Entries::default() },
        };
        if style == "raid1" {
            layout.format = layout.format.and_then(|format| mirrored(format, table.report));
        }
        table.finish();
        Some(layout)
    }
}

/// The format, unless a mirror keeps it alive: disko stops an array without erasing what is in it, `sgdisk --zap-all`
/// hits the signatures of ext4 and XFS but not that of Btrfs, and disko formats nothing that has a signature. A
/// reinstallation would find the old data.
fn mirrored(format: Spanned<Format>, report: &mut Report) -> Option<Spanned<Format>> {
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

/// `disk.lvm.volume.<name>` as it is written.
#[derive(Clone, Debug, JsonSchema)]
pub struct VolumeTable {
    /// How large it is.
    #[schemars(required)]
    pub size: Option<Spanned<Size>>,
    /// Where it is mounted.
    #[schemars(required)]
    pub mount: Option<Spanned<MountPoint>>,
    /// Its file system.
    #[schemars(extend("default" = "ext4"))]
    pub format: Option<Spanned<Format>>,
}

impl Read for VolumeTable {
    fn read(cell: Cell<'_>, report: &mut Report) -> Option<Self> {
        let mut table = Table::open(cell, &["size", "mount", "format"], report)?;
        let volume = Self {
            size: table.required("size"),
            mount: table.required("mount"),
            format: table.optional("format"),
        };
        table.finish();
        Some(volume)
    }
}
