//! Chapter B: names.

use std::collections::HashMap;

use crate::diag::{Diagnostic, Report, Spanned};
use crate::model::DomainName;
use crate::resolve::Draft;

use super::zones;

/// The largest time to live: 2^31 - 1 seconds (RFC 2181 section 8).
const LONGEST_TTL: u32 = i32::MAX as u32;

/// B03: a node's full name fits the kernel.
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

/// B04: no profile is called `vip`, which ranges reserve for virtual addresses, or like another file in
/// `site/firewall/`. Host names are checked when they are read.
pub(super) fn b04(draft: &Draft<'_>, report: &mut Report) {
    for (name, why) in [
        ("vip", "`range.vip` means the virtual addresses"),
        ("provisioner", "site/firewall/provisioner.nft is the provisioner's"),
    ] {
        if let Some(profile) = draft.profiles.get(name) {
            let message = format!("`{name}` is a reserved name: {why}");
            let fault = Diagnostic::error("PG-B04", &profile.span, message);
            report.push(fault.help("give the profile another name"));
        }
    }
}

/// B05: no virtual address has the name of a node, since both stand in one zone.
pub(super) fn b05(draft: &Draft<'_>, report: &mut Report) {
    let nodes: HashMap<String, _> =
        draft.nodes.iter().map(|node| (node.entry.key.to_ascii_lowercase(), node.entry)).collect();
    for vip in draft.vips() {
        if let Some(node) = nodes.get(&vip.key.to_ascii_lowercase()) {
            let fault = Diagnostic::error(
                "PG-B05",
                vip.key_span,
                format!("a node already has the name `{}`", vip.key),
            );
            report.push(
                fault.related(&node.span, "first used here").help("give the virtual address another name"),
            );
        }
    }
}

/// B07: a domain belongs to the site: it is not a public suffix, and not the domain of multicast DNS.
pub(super) fn b07(draft: &Draft<'_>, report: &mut Report) {
    let inventory = draft.inventory;
    let cluster = inventory.cluster.as_ref().and_then(|cluster| cluster.domain.as_ref());
    let networks = inventory.networks.iter().filter_map(|network| network.value.domain.as_ref());
    for Spanned { value: domain, span } in cluster.into_iter().chain(networks) {
        if is_public_suffix(domain) {
            let message = format!("`{domain}` is a public suffix: names in it belong to other people");
            let fault = Diagnostic::error("PG-B07", span, message);
            report
                .push(fault.help(format!("write a domain that you own, such as `cluster.example.{domain}`")));
        } else if domain.as_str().rsplit('.').next() == Some("local") {
            let message = format!("`{domain}` is looked up by multicast DNS, not at the name server");
            let fault = Diagnostic::warning("PG-B07", span, message);
            report.push(fault.help("write a domain that you own, or one under `home.arpa` or `internal`"));
        }
    }
}

/// Whether anybody can register names in `domain`, by the Public Suffix List (<https://publicsuffix.org>).
/// `home.arpa` is on the list, but is meant for private use (RFC 8375).
pub(super) fn is_public_suffix(domain: &DomainName) -> bool {
    let name = domain.as_str();
    name != "home.arpa"
        && psl::suffix(name.as_bytes())
            .is_some_and(|suffix| suffix == name.as_bytes() && suffix.typ() == Some(psl::Type::Icann))
}

/// B10: the time to live and the name servers can be written into a zone.
pub(super) fn b10(draft: &Draft<'_>, report: &mut Report) {
    zones::check_name_servers(draft, report);
    let Some(ttl) = draft.inventory.dns.ttl.as_ref().filter(|ttl| ttl.value.get() > LONGEST_TTL) else {
        return;
    };
    let message = format!("{} seconds are more than DNS can express", ttl.value.get());
    report.push(
        Diagnostic::error("PG-B10", &ttl.span, message)
            .help(format!("write at most {LONGEST_TTL} seconds; `1h` is usual")),
    );
}
