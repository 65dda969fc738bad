//! Chapter F: disks and their layouts.

use std::collections::HashMap;

use crate::diag::{Diagnostic, Report, Span, Spanned};
use crate::model::Size;
use crate::resolve::{Draft, DraftNode};

use super::loading::kernel_params;

/// F01: a disk is named by its identity, not by the order in which the kernel found it.
pub(super) fn f01(draft: &Draft<'_>, report: &mut Report) {
    for (disk, span) in draft.nodes.iter().flat_map(DraftNode::disks).filter(|(disk, _)| !disk.is_stable()) {
        let message = if disk.as_str().starts_with("/dev/disk/by-path/") {
            format!("`{disk}` is the disk that is plugged in there, which may change")
        } else {
            format!("`{disk}` may be another disk at the next boot")
        };
        let fault = Diagnostic::warning("PG-F01", span, message);
        report
            .push(fault.help(
                "write `/dev/disk/by-id/…`, or acknowledge it with `allow = [\"PG-F01\"]` in the node",
            ));
    }
}

/// F03: a disk belongs to one node. Names that exist on every machine may repeat.
pub(super) fn f03(draft: &Draft<'_>, report: &mut Report) {
    let mut seen = HashMap::<_, (&str, &Span)>::new();
    for node in &draft.nodes {
        for (disk, span) in node.disks().filter(|(disk, _)| disk.is_stable()) {
            match seen.get(disk) {
                Some((owner, first)) if *owner != node.entry.key => {
                    let fault = Diagnostic::error("PG-F03", span, format!("`{owner}` already has this disk"));
                    report.push(
                        fault
                            .related(first, "first used here")
                            .help("write a disk of this machine, as `ls -l /dev/disk/by-id` there shows it"),
                    );
                }
                Some(_) => {}
                None => {
                    seen.insert(disk, (node.entry.key.as_str(), span));
                }
            }
        }
    }
}

/// F04: a node names as many disks as its layout needs, each once.
pub(super) fn f04(draft: &Draft<'_>, report: &mut Report) {
    for node in &draft.nodes {
        let mut seen = HashMap::new();
        for (disk, span) in node.disks() {
            if let Some(first) = seen.insert(disk, span) {
                let fault = Diagnostic::error("PG-F04", span, format!("`{disk}` is named twice"));
                report.push(fault.related(first, "first used here").help("name each disk once"));
            }
        }
        let (Some(layout), Some(disks)) = (node.layout, &node.entry.value.disks) else { continue };
        let (fits, wants) = match layout.style {
            "raid1" => (disks.value.len() >= 2, "two disks or more"),
            "lvm" => (!disks.value.is_empty(), "one disk or more"),
            _ => (disks.value.len() == 1, "exactly one disk"),
        };
        if !fits {
            let message = format!("`disk.{}` takes {wants}, not {}", layout.style, disks.value.len());
            let fault = Diagnostic::error("PG-F04", &disks.span, message).related(&layout.span, "the layout");
            report.push(fault.help(format!("name {wants}, or choose another layout")));
        }
    }
}

/// F10: the kernels and initrds of all generations fit on the EFI system partition.
pub(super) fn f10(draft: &Draft<'_>, report: &mut Report) {
    for layout in draft.nodes.iter().filter_map(|node| node.layout) {
        let Some(esp) = layout.keys.esp.as_ref().filter(|esp| esp.value < Size::gib(1)) else { continue };
        let message = format!("an ESP of {} fills up with kernels and initrds", esp.value);
        let fault = if esp.value < Size::mib(512) {
            Diagnostic::error("PG-F10", &esp.span, message)
        } else {
            Diagnostic::warning("PG-F10", &esp.span, message)
        };
        report.push(
            fault.help(
                "write `esp = \"1G\"` or more: the partition cannot grow once the machine is installed",
            ),
        );
    }
}

/// F13: no machine hibernates: the state that it wakes up with is older than that of its peers.
pub(super) fn f13(draft: &Draft<'_>, report: &mut Report) {
    for param in kernel_params(draft).flat_map(|list| &list.value) {
        if ["resume=", "resume_offset="].iter().any(|start| param.value.as_str().starts_with(start)) {
            let message = format!("`{}` wakes a machine with memory from before it slept", param.value);
            let fault = Diagnostic::error("PG-F13", &param.span, message);
            report.push(fault.help("remove it: members of a cluster do not hibernate"));
        }
    }
}

/// F12: the volumes of a layout have different mount points.
pub(super) fn f12(draft: &Draft<'_>, report: &mut Report) {
    for layout in draft.nodes.iter().filter_map(|node| node.layout) {
        let mut seen = HashMap::new();
        let mut volumes: Vec<_> = layout.keys.volumes.iter().collect();
        volumes.sort_by_key(|entry| entry.span.start);
        for entry in volumes {
            if ["root", "swap"].contains(&entry.key.as_str()) {
                let fault = Diagnostic::error(
                    "PG-F12",
                    &entry.span,
                    format!("the layout itself makes a volume `{}`", entry.key),
                );
                report.push(
                    fault.help(
                        "give the volume another name; `swap = \"8G\"` sets the size of the swap volume",
                    ),
                );
            }
            let Some(mount) = &entry.value.mount else { continue };
            if let Some(first) = seen.insert(&mount.value, &mount.span) {
                let fault =
                    Diagnostic::error("PG-F12", &mount.span, format!("`{}` is mounted twice", mount.value));
                report.push(fault.related(first, "first used here").help("mount one of the two elsewhere"));
            }
        }
    }
}

/// F06: a node says which serial number its machine shows, and no other node says the same number.
pub(super) fn f06(draft: &Draft<'_>, report: &mut Report) {
    for node in draft.nodes.iter().filter(|node| node.entry.value.serial.is_none()) {
        let message = format!(
            "`{}` has no `serial`: nothing shows whether an installer runs on the right machine",
            node.entry.key
        );
        let fault = Diagnostic::error("PG-F06", &node.entry.span, message);
        report.push(fault.help("add `serial = \"…\"`, as `cat /sys/class/dmi/id/product_serial` prints it"));
    }
    let mut seen = HashMap::new();
    for node in &draft.nodes {
        let Some(Spanned { value: Some(serial), span }) = &node.entry.value.serial else { continue };
        if let Some(first) = seen.insert(serial, span) {
            let message = format!(
                "two machines show the serial number `{serial}`, which then tells no machine from another"
            );
            let fault = Diagnostic::warning("PG-F06", span, message).related(first, "first used here");
            report.push(fault.help(
                "write the serial number of each machine; where firmware shows the same for all, acknowledge it with \
                 `allow = [\"PG-F06\"]` in the node",
            ));
        }
    }
}

/// F23: the serial number of a node is that of a machine, not the placeholder of a template or of firmware.
pub(super) fn f23(draft: &Draft<'_>, report: &mut Report) {
    for node in &draft.nodes {
        let Some(Spanned { value: Some(serial), span }) = &node.entry.value.serial else { continue };
        if serial.is_example() || serial.is_placeholder() {
            let message = format!(
                "`{serial}` is a placeholder and the serial number of no machine: nothing shows whether an installer \
                 runs on the right machine"
            );
            let fault = Diagnostic::warning("PG-F23", span, message);
            report.push(fault.help(
                "write the machine's number, as `cat /sys/class/dmi/id/product_serial` prints it; look at the node's MAC \
                 address and disks, too",
            ));
        }
    }
}
