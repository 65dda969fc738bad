//! Chapters G and H: the members of the cluster, their identities and their peers; and who may log in to them.

use std::collections::HashMap;

use crate::diag::{Code, Diagnostic, Report};
use crate::inventory::SettingsTable;
use crate::model::Role;
use crate::model::service::CHAINFIRE;
use crate::resolve::Draft;

/// All `settings` tables, with the name of the service that each is for.
fn settings<'a>(draft: &Draft<'a>) -> impl Iterator<Item = (&'a str, &'a SettingsTable)> {
    let inventory = draft.inventory;
    let of_services = inventory.services.iter().filter_map(|service| {
        let settings = service.value.settings.as_ref()?;
        Some((service.key.as_str(), &settings.value))
    });
    let profiles = inventory.profiles.iter().flat_map(|profile| &profile.value.common.settings);
    let nodes = inventory.nodes.iter().flat_map(|node| &node.value.common.settings);
    of_services.chain(profiles.chain(nodes).map(|entry| (entry.key.as_str(), &entry.value)))
}

/// Reports each of `keys` in settings, since plasmagen writes those keys itself.
fn refuse_setting(draft: &Draft<'_>, report: &mut Report, code: Code, keys: &[&str], why: &str) {
    for (service, settings) in settings(draft) {
        for (key, span) in keys.iter().filter_map(|key| Some((key, settings.places.get(*key)?))) {
            let fault =
                Diagnostic::error(code, span, format!("the settings of `{service}` set `{key}`, {why}"));
            report.push(
                fault.help(format!("remove `{key}`: plasmagen writes it from the rest of the inventory")),
            );
        }
    }
}

/// G05: every voter has the same list of peers: no name is listed twice, and no settings have another list.
pub(super) fn g05(draft: &Draft<'_>, report: &mut Report) {
    let mut seen = HashMap::new();
    for (name, span) in draft.bootstrap() {
        if let Some(first) = seen.insert(name, span) {
            let fault = Diagnostic::error("PG-G05", span, format!("`{name}` is listed twice"));
            report.push(fault.related(first, "first used here").help("list each voter once"));
        }
    }
    let keys = ["initial_peers", "peers", "flaredb_peers"];
    refuse_setting(draft, report, "PG-G05", &keys, "which must be the same list on every voter");
}

/// G06: a Raft identity belongs to one node, and a removed one is never given again.
pub(super) fn g06(draft: &Draft<'_>, report: &mut Report) {
    let removed = draft.inventory.cluster.as_ref().and_then(|cluster| cluster.removed.as_ref());
    for name in removed.iter().flat_map(|list| &list.value) {
        if let Some(node) = draft.node(name.value.as_str()) {
            let fault = Diagnostic::error(
                "PG-G06",
                &node.entry.span,
                format!("`{}` is the name of a node that was removed", name.value),
            );
            report.push(fault.related(&name.span, "removed here").help("give the new node another name"));
        }
    }
    refuse_setting(draft, report, "PG-G06", &["node_id"], "which must be the name of the node");
}

/// G07: a member is reached at an address in a cluster network that no other machine has.
pub(super) fn g07(draft: &Draft<'_>, report: &mut Report) {
    let mut networks = draft.networks.values().filter(|network| network.value.may_be(Role::Cluster));
    match networks.next() {
        Some(network) => check_member_addresses(draft, &network.key, report),
        None if draft.inventory.networks.is_whole() => {
            let voters = draft.inventory.cluster.as_ref().and_then(|cluster| cluster.bootstrap.as_ref());
            let fault = |span| Diagnostic::error("PG-G07", span, "no network has the role \"cluster\"");
            let fault = voters.map(|voters| fault(&voters.span));
            report.push_some(fault.map(|fault| {
                fault.help("add \"cluster\" to the roles of the network that the voters share")
            }));
        }
        None => {}
    }
    for address in draft.nodes.iter().flat_map(|node| &node.addresses) {
        if address.address.is_loopback() || address.address.is_unspecified() {
            let message = format!("{} reaches no other machine", address.address);
            let fault = Diagnostic::error("PG-G07", address.span, message);
            report.push(fault.help("write the node's address in that network"));
        }
    }
}

/// Reports the members that have no address in a cluster network; `example` is the name of such a network.
fn check_member_addresses(draft: &Draft<'_>, example: &str, report: &mut Report) {
    for node in draft.nodes.iter().filter(|node| node.runs(CHAINFIRE)) {
        let network = node.interface_for(Role::Cluster).and_then(|interface| interface.network);
        let fault = match network {
            Some(network) if !node.may_have_address(&draft.networks, &network.key) => {
                let written = format!("address.{}", network.key);
                let message = format!("`{}` has no `{written}`: no peer reaches it", node.entry.key);
                let fault = Diagnostic::error("PG-G07", &node.entry.span, message);
                Some(fault.help(format!("add `{written} = \"…\"`")))
            }
            None if node.networks_known() => {
                let (who, span) = node.who_lacks(|common| common.interfaces.iter().next().is_some());
                let message = format!("{who} has no interface in a cluster network");
                let fault = Diagnostic::error("PG-G07", span, message);
                Some(fault.help(format!("add `interface.eth1 = {{ network = \"{example}\" }}`")))
            }
            _ => None,
        };
        report.push_some(fault);
    }
}

/// G08: a node belongs to this cluster.
pub(super) fn g08(draft: &Draft<'_>, report: &mut Report) {
    refuse_setting(draft, report, "PG-G08", &["cluster_name"], "which must be the name of the whole cluster");
}

/// H13: somebody can log in, and no key is listed twice.
pub(super) fn h13(draft: &Draft<'_>, report: &mut Report) {
    let Some(keys) = draft.inventory.cluster.as_ref().and_then(|cluster| cluster.admin_keys.as_ref()) else {
        return;
    };
    if keys.value.is_empty() {
        let fault = Diagnostic::error("PG-H13", &keys.span, "nobody can log in to the machines");
        report.push(fault.help("paste the one line of a `.pub` file, such as ~/.ssh/id_ed25519.pub"));
    }
    let mut seen = HashMap::new();
    for key in &keys.value {
        let Some(body) = key.value.as_ref().and_then(|key| key.as_str().split(' ').nth(1)) else { continue };
        if let Some(first) = seen.insert(body, &key.span) {
            let fault = Diagnostic::error("PG-H13", &key.span, "this SSH key is listed twice");
            report.push(fault.related(first, "first used here").help("list each key once"));
        }
    }
}
