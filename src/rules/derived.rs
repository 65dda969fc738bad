//! Chapter B: names that plasmagen makes from others (B11 and B12).

use std::collections::HashMap;

use crate::diag::{Diagnostic, Report};
use crate::inventory::LayoutTable;
use crate::model::{IfName, Word};
use crate::pki::LONGEST_CLUSTER_NAME;
use crate::resolve::{Draft, DraftInterface};

use super::{disk_names, zones};

/// The name of the device that has the addresses of `interface`.
fn device_name(interface: &DraftInterface<'_>) -> Option<String> {
    let vlan = interface
        .network?
        .value
        .vlan
        .as_ref()
        .and_then(|vlan| vlan.value)
        .filter(|_| interface.tagged.is_some_and(|tagged| tagged.value));
    let suffix = vlan.map(|vlan| format!(".{vlan}")).unwrap_or_default();
    Some(format!("{}{suffix}", interface.key.strip_suffix(&suffix).unwrap_or(interface.key)))
}

/// B11: the devices of VLANs, the volumes of LVM, the certificate authority and the records of zones have names that fit.
pub(super) fn b11(draft: &Draft<'_>, report: &mut Report) {
    check_vlan_devices(draft, report);
    check_ca_name(draft, report);
    zones::check_lengths(draft, report);
    draft.nodes.iter().filter_map(|node| node.layout).for_each(|layout| check_volumes(&layout, report));
}

/// Checks that the cluster's CA can be called after the cluster.
fn check_ca_name(draft: &Draft<'_>, report: &mut Report) {
    let name = draft.inventory.cluster.as_ref().and_then(|cluster| cluster.name.as_ref());
    let Some(name) = name.filter(|name| name.value.as_str().len() > LONGEST_CLUSTER_NAME) else { return };
    let message = format!(
        "this name has {} bytes, and the certificate authority would be called `{} CA 1`: a name in a certificate has at \
         most 64 bytes (X.520)",
        name.value.as_str().len(),
        name.value
    );
    let help = format!("shorten it to {LONGEST_CLUSTER_NAME} bytes");
    report.push(Diagnostic::error("PG-B11", &name.span, message).help(help));
}

/// Checks the names of volumes: lvm(8), "VALID NAMES". A label of RFC 1123 has none of the suffixes that LVM
/// reserves, which begin with `_`.
fn check_volumes(layout: &LayoutTable, report: &mut Report) {
    for volume in layout.keys.volumes.iter().filter(|volume| volume.name.is_some()) {
        let reserved = ["snapshot", "pvmove"].iter().find(|start| volume.key.starts_with(**start));
        if let Some(start) = reserved {
            let message = format!("LVM reserves names that begin with `{start}`");
            let fault = Diagnostic::error("PG-B11", &volume.span, message);
            report.push(fault.help("give the volume another name"));
        } else if volume.key.contains('-') {
            let message = format!(
                "the device of `{}` would have `{}` in its name",
                volume.key,
                volume.key.replace('-', "--")
            );
            let name = volume.key.replace('-', "");
            let fault = Diagnostic::error("PG-B11", &volume.span, message).help(format!("write `{name}`"));
            report.push(fault.edit(volume.span.clone(), name));
        }
    }
}

fn check_vlan_devices(draft: &Draft<'_>, report: &mut Report) {
    for interface in
        draft.nodes.iter().flat_map(|node| &node.interfaces).filter(|interface| interface.name.is_some())
    {
        let Some(device) = device_name(interface).filter(|device| IfName::parse(device).is_err()) else {
            continue;
        };
        let message = format!("the VLAN device would be called `{device}`, which has more than 15 bytes");
        report.push(
            Diagnostic::error("PG-B11", &interface.span, message).help("give the interface a shorter name"),
        );
    }
}

/// B12: no two interfaces have one device, no two records of a zone one name, and no two nodes one name on disks.
pub(super) fn b12(draft: &Draft<'_>, report: &mut Report) {
    zones::check_uniqueness(draft, report);
    disk_names::check_uniqueness(draft, report);
    for node in &draft.nodes {
        let mut seen = HashMap::new();
        for interface in &node.interfaces {
            let Some(device) = device_name(interface) else { continue };
            if let Some(first) = seen.insert(device.clone(), &interface.span) {
                let message = format!("two interfaces become the device `{device}`");
                let fault = Diagnostic::error("PG-B12", &interface.span, message);
                report.push(
                    fault
                        .related(first, "the other interface")
                        .help("put the networks on different interfaces or VLANs"),
                );
            }
        }
    }
}
