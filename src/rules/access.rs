//! Chapters H and I: who can log in, and who can read secrets when the operator cannot.

use std::collections::HashMap;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::diag::{Diagnostic, Report, Spanned};
use crate::pki::recipient::{InvalidRecipient, Recipient};
use crate::resolve::Draft;

/// H16: there are at least two recipients where there are any, and age knows each of them.
pub(super) fn h16(draft: &Draft<'_>, report: &mut Report) {
    let Some(recipients) = &draft.inventory.vault.recipients else { return };
    let mut seen = HashMap::new();
    for Spanned { value, span } in &recipients.value {
        match value.as_deref().map(Recipient::parse) {
            Some(Ok(recipient)) => {
                if let Some(first) = seen.insert(recipient.identity().to_owned(), span) {
                    let fault = Diagnostic::error("PG-H16", span, "this recipient is listed twice");
                    report.push(fault.related(first, "first used here").help("list each recipient once"));
                }
            }
            Some(Err(InvalidRecipient { message, help })) => {
                report.push(Diagnostic::error("PG-H16", span, message).help(help));
            }
            None => {}
        }
    }
    if recipients.value.len() < 2 {
        let message = match recipients.value.len() {
            0 => "nobody could decrypt the vault",
            _ => "only one person could decrypt the vault",
        };
        let help = "add a second recipient whose key lies in a safe";
        report.push(Diagnostic::error("PG-H16", &recipients.span, message).help(help));
    }
}

/// The subnets that are never the source of a packet from another machine: the host itself, "this network" and
/// multicast (RFC 1122 section 3.2.1.3, RFC 4291 sections 2.5.2, 2.5.3 and 2.7).
const NEVER_A_SOURCE: [&str; 6] =
    ["0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/3", "::/128", "::1/128", "ff00::/8"];

/// Whether no packet from another machine has a source in `subnet`.
fn is_never_a_source(subnet: &IpNet) -> bool {
    NEVER_A_SOURCE
        .iter()
        .filter_map(|network| network.parse::<IpNet>().ok())
        .any(|network| network.contains(subnet))
}

/// I07: SSH is open to somebody, and to the provisioner, which installs the nodes over SSH.
pub(super) fn i07(draft: &Draft<'_>, report: &mut Report) {
    let Some(sources) = &draft.inventory.firewall.ssh_from else { return };
    let impossible =
        sources.value.iter().filter(|source| is_never_a_source(&source.value)).collect::<Vec<_>>();
    for source in &impossible {
        let message = format!("no packet from another machine has a source in {}", source.value);
        let fault = Diagnostic::error("PG-I07", &source.span, message);
        report.push(fault.help("name the subnets that operators come from"));
    }
    if sources.value.is_empty() {
        let fault = Diagnostic::error("PG-I07", &sources.span, "no network may reach SSH on the nodes");
        report.push(fault.help(
            "name the subnets that operators come from, or remove `ssh_from`: its default is the management, \
             provisioning and cluster networks",
        ));
    } else if impossible.is_empty() {
        for address in draft.provisioner_interfaces().filter_map(|interface| interface.address) {
            let provisioner = IpAddr::from(address.value);
            if !sources.value.iter().any(|source| source.value.contains(&provisioner)) {
                let message = format!("the provisioner, {provisioner}, may not reach SSH on the nodes");
                let fault = Diagnostic::warning("PG-I07", &sources.span, message);
                report.push(fault.related(&address.span, "the provisioner's address").help(format!(
                    "add \"{}\", or acknowledge it with `allow = [\"PG-I07\"]` in [firewall] where nobody logs in from there",
                    IpNet::from(provisioner)
                )));
            }
        }
    }
}
