//! Where each resolved value comes from: the layers that resolving goes through, asked who speaks for it.

mod services;

use std::fmt;

use serde_json::Value;

use crate::inventory::{Common, InterfaceTable};
use crate::model::{Node, Role, known_hardware};

use super::{Draft, DraftNode, NetworkEntry};
use services::of_setting;
pub(super) use services::{holds, of_port, setting_of_service};

/// Where a resolved value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin<'a> {
    /// A table that is there once, such as `cluster`.
    Table(&'static str),
    /// A table with a name, such as `profile.worker`.
    Named(&'static str, &'a str),
    /// A service or a model that is known from the start.
    BuiltIn(&'static str, &'a str),
    /// Nobody says anything else.
    Default,
}

impl fmt::Display for Origin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table(table) => f.write_str(table),
            Self::Named(table, name) => write!(f, "{table}.{name}"),
            Self::BuiltIn(table, name) => write!(f, "built-in {table}.{name}"),
            Self::Default => f.write_str("default"),
        }
    }
}

impl Origin<'_> {
    /// This, if it `says` something, and else the default.
    pub(super) fn if_it(self, says: bool) -> Self {
        if says { self } else { Self::Default }
    }
}

/// Where the value at `path` of the cluster comes from, nodes aside; `None` for a path that is not known here.
pub(super) fn of_cluster<'a>(draft: &Draft<'a>, path: &[&str], value: &Value) -> Option<Origin<'a>> {
    let inventory = draft.inventory;
    let table = |name, says| Some(Origin::Table(name).if_it(says));
    let cluster = inventory.cluster.as_ref()?;
    let provisioner = inventory.provisioner.as_ref()?;
    match path {
        ["name" | "domain" | "bootstrap" | "state_version" | "admin_keys"] => table("cluster", true),
        ["formed"] => table("cluster", cluster.formed.is_some()),
        ["provisioner", key, ..] => table(
            "provisioner",
            match *key {
                "http_port" => provisioner.http_port.is_some(),
                "dhcp" => provisioner.dhcp.is_some(),
                "web_root" => provisioner.web_root.is_some(),
                "extra" => provisioner.extra.iter().len() > 0,
                _ => true,
            },
        ),
        ["networks", name, key] => {
            let entry = draft.networks.get(name)?;
            Some(Origin::Named("network", &entry.key).if_it(*key != "dns" || entry.value.dns.is_some()))
        }
        ["vips"] => Some(Origin::Default),
        // The families have a table each, and a name may be in both.
        ["vips", _, "address"] => table(if value.as_str()?.contains(':') { "vip6" } else { "vip" }, true),
        ["vips", name, _] => {
            let first = inventory.vips.iter().any(|vip| vip.key == *name);
            table(if first { "vip" } else { "vip6" }, true)
        }
        ["tls", "algorithm"] => table("tls", inventory.tls.algorithm.is_some()),
        ["tls", "ca_days"] => table("tls", inventory.tls.ca_days.is_some()),
        ["tls", "node_days"] => table("tls", inventory.tls.node_days.is_some()),
        ["boot", "verify"] => table("boot", inventory.boot.verify.is_some()),
        ["boot", "pause"] => table("boot", inventory.boot.pause.is_some()),
        ["boot", "console"] => table("boot", true),
        ["dns", "name_servers"] => table("dns", inventory.dns.name_servers.is_some()),
        ["dns", "ttl"] => table("dns", inventory.dns.ttl.is_some()),
        ["dns", "contact"] => table("dns", true),
        ["ssh_from"] => table("firewall", true),
        ["firewall"] => Some(Origin::Default),
        ["firewall", name, key] => {
            let open = inventory.firewall.open.iter().find(|open| open.key == *name)?;
            let says = *key != "protocol" || open.value.protocol.is_some();
            Some(Origin::Named("firewall.open", &open.key).if_it(says))
        }
        ["ntp"] => table("ntp", inventory.ntp.servers.is_some()),
        ["log_forward"] => table("logging", true),
        ["profiles"] => Some(Origin::Default),
        ["profiles", name, path @ ..] => super::profile::origin(draft, name, path),
        _ => None,
    }
}

/// Where the value at `path` of a node comes from; `None` for a path that is not known here.
pub(super) fn of_node<'a>(
    draft: &Draft<'a>,
    node: &DraftNode<'a>,
    sealed: &Node,
    path: &[&str],
) -> Option<Origin<'a>> {
    let own = Origin::Named("node", &node.entry.key);
    let table = &node.entry.value;
    let said = |says: fn(&Common) -> bool| Some(layer(node, says).unwrap_or(Origin::Default));
    let home = node.home();
    match path {
        ["name" | "profile" | "mac" | "disks" | "hardware_file" | "rack" | "serial"] => Some(own),
        ["fqdn" | "voter"] => Some(Origin::Table("cluster")),
        // Without a word of its own, a profile is built on the module of its name.
        ["base"] => Some(Origin::Named("profile", &node.profile?.key)),
        ["system"] => {
            let cluster = Origin::Table("cluster");
            let says = draft.inventory.cluster.as_ref()?.system.is_some();
            Some(layer(node, |common| common.system.is_some()).unwrap_or_else(|| cluster.if_it(says)))
        }
        ["firmware"] => said(|common| common.firmware.is_some()),
        ["modules"] => said(|common| common.modules.is_some()),
        ["kernel_params"] => said(|common| common.kernel_params.is_some()),
        ["boot_interface"] => {
            interface(node, node.interface_for(Role::Provisioning)?.key, |own| own.network.is_some())
        }
        ["interfaces", device, key, ..] => {
            let at = sealed.interfaces.iter().position(|own| own.device.as_str() == *device)?;
            of_interface(node, at, key)
        }
        ["gateway"] => routed(node, |own| own.value.gateway.is_some()),
        ["gateway6"] => routed(node, |own| own.value.gateway6.is_some()),
        ["resolvers"] => Some(home.map_or(Origin::Default, |home| {
            Origin::Named("network", &home.key).if_it(home.value.dns.is_some())
        })),
        ["layout", path @ ..] => of_layout(node, path),
        ["services"] => said(|common| common.services.is_some()),
        ["services", _, "name"] => said(|common| common.services.is_some()),
        ["services", name, "settings", path @ ..] => of_setting(draft, node, name, path),
        ["services", name, key] => {
            of_port(draft, node.services.iter().find(|own| own.name.as_str() == *name)?, key)
        }
        ["hardware", key] => of_hardware(draft, node, key),
        ["bmc", "user"] => Some(own.if_it(table.bmc.as_ref()?.user.is_some())),
        ["bmc", "protocol"] => Some(own.if_it(table.bmc.as_ref()?.protocol.is_some())),
        ["bmc", _] => Some(own),
        _ => None,
    }
}

/// The cluster network of the node that `routes`.
fn routed<'a>(node: &DraftNode<'a>, routes: fn(&NetworkEntry) -> bool) -> Option<Origin<'a>> {
    let network = node.cluster_networks().find(|network| routes(network))?;
    Some(Origin::Named("network", &network.key))
}

/// The node, if it `says` something, else its profile, if that does.
fn layer<'a>(node: &DraftNode<'a>, says: impl Fn(&Common) -> bool) -> Option<Origin<'a>> {
    if says(&node.entry.value.common) {
        return Some(Origin::Named("node", &node.entry.key));
    }
    let profile = node.profile.filter(|profile| says(&profile.value.common))?;
    Some(Origin::Named("profile", &profile.key))
}

/// Who `says` something of the interface called `key`.
fn interface<'a>(
    node: &DraftNode<'a>,
    key: &str,
    says: impl Fn(&InterfaceTable) -> bool,
) -> Option<Origin<'a>> {
    layer(node, |common| common.interfaces.iter().any(|own| own.key == key && says(&own.value)))
}

fn of_interface<'a>(node: &DraftNode<'a>, at: usize, key: &str) -> Option<Origin<'a>> {
    let draft = node.interfaces.get(at)?;
    let says = |says: fn(&InterfaceTable) -> bool| interface(node, draft.key, says);
    match key {
        "name" | "device" => says(|_| true),
        "network" => says(|own| own.network.is_some()),
        "vlan" => Some(Origin::Named("network", &draft.network?.key)),
        "addresses" => Some(Origin::Named("node", &node.entry.key)),
        "mtu" => says(|own| own.mtu.is_some()),
        "bond" => says(|own| own.bond.is_some()),
        "mac" => says(|own| own.mac.is_some()),
        _ => None,
    }
}

fn of_layout<'a>(node: &DraftNode<'a>, path: &[&str]) -> Option<Origin<'a>> {
    let table = node.layout?;
    let own = layer(node, |common| common.layout.is_some())?;
    Some(match path {
        ["esp"] => own.if_it(table.esp.is_some()),
        ["format"] => own.if_it(table.format.is_some()),
        ["volumes"] => Origin::Default,
        ["volumes", name, "format"] => {
            let volume = table.volumes.iter().find(|volume| volume.key == *name)?;
            own.if_it(volume.value.format.is_some())
        }
        ["style" | "swap"] | ["volumes", _, "name" | "size" | "mount"] => own,
        _ => return None,
    })
}

fn of_hardware<'a>(draft: &Draft<'a>, node: &DraftNode<'a>, key: &str) -> Option<Origin<'a>> {
    let name = node.said(|common| common.hardware.as_ref()).map_or("generic", |name| name.value.as_str());
    let Some(entry) = draft.inventory.hardware.iter().find(|entry| entry.key == name) else {
        return Some(Origin::BuiltIn("hardware", name));
    };
    let own = Origin::Named("hardware", name);
    // What a model of the user's does not say is that of ours, by its name or else generic.
    let base = if known_hardware(name).is_some() { name } else { "generic" };
    let or_base = |says| if says { own } else { Origin::BuiltIn("hardware", base) };
    Some(match key {
        // Its name, if it says nothing.
        "description" => own,
        "cpu" => own.if_it(entry.value.cpu.is_some()),
        "kernel_modules" => or_base(entry.value.kernel_modules.is_some()),
        "console" => or_base(entry.value.console.is_some()),
        _ => return None,
    })
}
