//! Chapter B over the resolved inventory: names.

use std::collections::HashMap;

use crate::diag::{Diagnostic, Report};
use crate::resolve::Draft;

/// A node's full name fits the kernel.
pub(super) fn b03(draft: &Draft<'_>, report: &mut Report) {
    let Some(domain) = draft.inventory.cluster.as_ref().and_then(|cluster| cluster.domain.as_ref()) else {
        return;
    };
    for node in &draft.nodes {
        if let Some(Err(invalid)) = node.entry.name.as_ref().map(|name| name.in_domain(&domain.value)) {
            let fault = Diagnostic::error(invalid.code, &node.entry.span, invalid.message).help(invalid.help);
            report.push(fault.related(&domain.span, "the domain"));
        }
    }
}

/// A profile is not called `vip`, which ranges reserve for virtual addresses. (Host names are checked as they are read.)
pub(super) fn b04(draft: &Draft<'_>, report: &mut Report) {
    if let Some(profile) = draft.profiles.get("vip") {
        let fault = Diagnostic::error(
            "PG-B04",
            &profile.span,
            "`vip` is a reserved name: `range.vip` means the virtual addresses",
        );
        report.push(fault.help("give the profile another name"));
    }
}

/// No virtual address bears a node's name, since both stand in one zone.
pub(super) fn b05(draft: &Draft<'_>, report: &mut Report) {
    let nodes: HashMap<String, _> =
        draft.nodes.iter().map(|node| (node.entry.key.to_ascii_lowercase(), node.entry)).collect();
    for vip in draft.vips() {
        if let Some(node) = nodes.get(&vip.key.to_ascii_lowercase()) {
            let fault = Diagnostic::error(
                "PG-B05",
                vip.key_span,
                format!("`{}` is the name of a node already", vip.key),
            );
            report.push(
                fault.related(&node.span, "first used here").help("give the virtual address another name"),
            );
        }
    }
}
