//! `[profile.<name>]`, and the keys that profiles and nodes have in common.

use crate::diag::Spanned;
use crate::model::{Base, BondMode, Firmware, IfName, KernelParam, Label, MacAddr, RelPath, Size, System};

use super::key::{entries, number, optional, required};
use super::layout::LayoutTable;
use super::reader::Entries;
use super::settings::SettingsTable;
use super::tables::tables;
use super::written::{List, Maybe};

tables! {
    /// The keys that profiles and nodes have in common; the node's value counts.
    Common(allow) {
        /// Services that the nodes run: built-in services or `[service.<name>]`. The list of a node replaces that of its
        /// profile.
        services: Maybe<List<Option<Label>>> = optional(),
        /// `settings.<service>`: settings of a service, laid key by key over those of `[service.<name>]`; those of a node over
        /// those of its profile.
        settings: Entries<Label, SettingsTable> = entries(),
        /// `interface.<name>`: a network interface. The keys of a node's interface override those of its profile's.
        interfaces as "interface": Entries<IfName, InterfaceTable> = entries(),
        /// `disk.<style>`: how the disks are divided. The layout of a node replaces that of its profile.
        layout as "disk": Maybe<LayoutTable> = optional(),
        /// Kernel parameters in addition to those that NixOS sets, one string each, such as `console=ttyS0,115200`.
        kernel_params: Option<Spanned<List<KernelParam>>> = optional(),
        /// How the firmware boots: `uefi` or `bios`.
        firmware: Option<Spanned<Firmware>> = optional().default("uefi"),
        /// Kind of machine, in Nix's terms. Without it, that of `[cluster]`.
        system: Option<Spanned<System>> = optional(),
        /// Model of the machine: a built-in model, such as `dell-r640`, or `[hardware.<name>]`.
        hardware: Option<Spanned<Label>> = optional().default("generic"),
        /// Main memory of the machine, such as `64G`: `plasmagen bundle` warns of an initrd that does not fit. Without it, that
        /// of the hardware model.
        memory: Option<Spanned<Size>> = optional(),
        /// NixOS modules of your own, relative to the inventory, such as `custom/foo.nix`.
        modules: Option<Spanned<List<RelPath>>> = optional(),
    }

    /// `[profile.<name>]`: the values that several nodes have in common.
    ProfileTable + common: Common {
        /// Built-in module set and netboot image that the profile uses. Without it, the base of the profile's name.
        base: Maybe<Base> = optional(),
    }

    /// `interface.<name>`: a network interface.
    InterfaceTable {
        /// Name of the network that the interface is connected to. The members of a bond have none.
        network: Maybe<Label> = optional(),
        /// Whether the frames carry the tag of the network's VLAN: the interface becomes the device `<name>.<vlan>`. By default
        /// they do not.
        tagged: Option<Spanned<bool>> = optional(),
        /// MTU in bytes: the largest packet. Without it, the kernel's default of 1500.
        mtu: Maybe<u16> = number("PG-D10", 576..=9216),
        /// Bond that the interface is, such as `{ mode = "802.3ad", members = ["eth0", "eth1"] }`.
        bond: Option<Spanned<BondTable>> = optional(),
        /// MAC address of the NIC that gets the interface's name, so that a change of hardware renames nothing.
        /// A machine that boots through a bond is known by the addresses of all members that have one.
        mac: Option<Spanned<MacAddr>> = optional(),
    }

    /// `bond = { mode, members }`: several NICs that act as one interface.
    BondTable {
        /// How the members share the load: `802.3ad` (LACP, the switch takes part), `active-backup` (one works, the others
        /// wait) or `balance-xor` (by a hash of the MAC addresses).
        mode: Option<Spanned<BondMode>> = required(),
        /// Names of the bonded interfaces, two or more.
        members: Option<Spanned<List<Option<IfName>>>> = required(),
    }
}
