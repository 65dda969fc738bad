//! Chapter G: quorum, identities and ports; and who may log in.

use std::collections::HashMap;

use crate::diag::{Diagnostic, Report, Span};
use crate::inventory::{ClusterTable, Entry};
use crate::model::service::{CHAINFIRE, Settings};
use crate::model::{Label, Role};
use crate::resolve::{Draft, DraftService};

/// The voters' list as it is written, unless it is missing.
fn voters<'a>(draft: &Draft<'a>) -> Option<(&'a ClusterTable, &'a Span, usize)> {
    let cluster = draft.inventory.cluster.as_ref()?;
    let list = cluster.bootstrap.as_ref()?;
    Some((cluster, &list.span, list.value.len()))
}

/// A new cluster has its first voters.
pub(super) fn g01(draft: &Draft<'_>, report: &mut Report) {
    let Some((_, span, 0)) = voters(draft) else { return };
    let fault = Diagnostic::error("PG-G01", span, "no node forms the cluster");
    report.push(fault.help("name the first voters: `bootstrap = [\"node01\", \"node02\", \"node03\"]`; keep them once it is formed"));
}

/// A first voter runs the Raft store.
pub(super) fn g02(draft: &Draft<'_>, report: &mut Report) {
    for name in draft.bootstrap() {
        let Some(node) = draft.node(&name.value).filter(|node| node.profile.is_some()) else { continue };
        if !node.runs(CHAINFIRE) {
            let fault = Diagnostic::error(
                "PG-G02",
                &name.span,
                format!("`{}` does not run {CHAINFIRE}, so that it cannot vote", name.value),
            );
            report.push(
                fault
                    .related(&node.entry.span, "this node")
                    .help(format!("add \"{CHAINFIRE}\" to its services, or name another node")),
            );
        }
    }
}

/// Voters are odd in number and three or more; one where the cluster says that it is single.
pub(super) fn g03(draft: &Draft<'_>, report: &mut Report) {
    let Some((cluster, span, count)) = voters(draft) else { return };
    let single = cluster.single.as_ref().filter(|single| single.value);
    let help = match (count, single) {
        (1, None) => {
            "name three nodes, or say `single = true` for a cluster that may lose everything with one machine"
        }
        (1, Some(_)) => return,
        (_, Some(single)) if count > 1 => {
            let fault = Diagnostic::error(
                "PG-G03",
                &single.span,
                format!("the cluster is single, and {count} voters are named"),
            );
            report.push(fault.related(span, "the voters").help("drop `single`, or name one voter"));
            return;
        }
        _ if count % 2 == 0 && count > 0 => "name one more or one fewer",
        _ => return,
    };
    report.push(
        Diagnostic::error(
            "PG-G03",
            span,
            format!("{count} voters make no quorum that survives a failure better"),
        )
        .help(help),
    );
}

/// Voters are seven at most, better five.
pub(super) fn g04(draft: &Draft<'_>, report: &mut Report) {
    let Some((_, span, count)) = voters(draft) else { return };
    let help = "name five; other members join as learners or followers later";
    if count > 7 {
        report.push(
            Diagnostic::error("PG-G04", span, format!("{count} voters are more than Raft is meant for"))
                .help(help),
        );
    } else if count > 5 {
        report.push(
            Diagnostic::warning(
                "PG-G04",
                span,
                format!("every write waits for {} of {count} voters", count / 2 + 1),
            )
            .help(help),
        );
    }
}

/// A key that plasmagen writes itself, found in settings at `place`.
fn reserved<'a>(draft: &'a Draft<'_>) -> impl Iterator<Item = (&'a str, &'a Settings, &'a Span)> {
    let of_services = draft.services.values().filter_map(|own| {
        let settings = own.value.settings.as_ref()?;
        Some((own.key.as_str(), &settings.value, &settings.span))
    });
    let profiles = draft.inventory.profiles.iter().flat_map(|own| &own.value.common.settings);
    let nodes = draft.inventory.nodes.iter().flat_map(|own| &own.value.common.settings);
    let entry = |own: &'a Entry<Label, Settings>| (own.key.as_str(), &own.value, &own.span);
    of_services.chain(profiles.chain(nodes).map(entry))
}

fn refuse_setting(draft: &Draft<'_>, report: &mut Report, code: &'static str, keys: &[&str], why: &str) {
    for (service, settings, span) in reserved(draft) {
        for key in keys.iter().filter(|key| settings.contains_key(**key)) {
            let fault =
                Diagnostic::error(code, span, format!("the settings of `{service}` set `{key}`, {why}"));
            report.push(
                fault.help(format!("remove `{key}`: plasmagen writes it from the rest of the inventory")),
            );
        }
    }
}

/// Every voter has the same list of peers: no name twice, and none in settings.
pub(super) fn g05(draft: &Draft<'_>, report: &mut Report) {
    let mut seen = HashMap::new();
    for name in draft.bootstrap() {
        if let Some(first) = seen.insert(name.value.as_str(), &name.span) {
            let fault = Diagnostic::error("PG-G05", &name.span, format!("`{}` is listed twice", name.value));
            report.push(fault.related(first, "first used here").help("list each voter once"));
        }
    }
    let keys = ["initial_peers", "peers", "flaredb_peers"];
    refuse_setting(draft, report, "PG-G05", &keys, "which must be one same list on every voter");
}

/// A Raft identity is a node's own, and never one that was removed.
pub(super) fn g06(draft: &Draft<'_>, report: &mut Report) {
    let removed = draft.inventory.cluster.as_ref().and_then(|cluster| cluster.removed.as_ref());
    for name in removed.iter().flat_map(|list| &list.value) {
        if let Some(node) = draft.node(name.value.as_str()) {
            let fault = Diagnostic::error(
                "PG-G06",
                &node.entry.span,
                format!("`{}` is the identity of a node that was removed", name.value),
            );
            report.push(fault.related(&name.span, "removed here").help("give the new node another name"));
        }
    }
    refuse_setting(draft, report, "PG-G06", &["node_id"], "which is the node's own name");
}

/// A member is reached at an address of its own in the cluster network.
pub(super) fn g07(draft: &Draft<'_>, report: &mut Report) {
    for node in draft.nodes.iter().filter(|node| node.runs(CHAINFIRE)) {
        let network = node.interface_for(Role::Cluster).and_then(|own| own.network);
        let has = network.is_some_and(|network| node.has_address(&network.key));
        let dangling = node.interfaces.iter().any(|own| own.network_name.is_some() && own.network.is_none());
        if !has && !dangling {
            let message = format!(
                "`{}` has no address in a cluster network, so that no peer reaches it",
                node.entry.key
            );
            let written = network.map_or("production", |network| network.key.as_str());
            let fault = Diagnostic::error("PG-G07", &node.entry.span, message);
            report.push(
                fault.help(format!("add `address.{written} = \"…\"` and an interface in that network")),
            );
        }
    }
    for node in &draft.nodes {
        for own in
            node.addresses.iter().filter(|own| own.address.is_loopback() || own.address.is_unspecified())
        {
            let fault =
                Diagnostic::error("PG-G07", own.span, format!("{} reaches no other machine", own.address));
            report.push(fault.help("write the node's address in that network"));
        }
    }
}

/// A node belongs to this cluster.
pub(super) fn g08(draft: &Draft<'_>, report: &mut Report) {
    refuse_setting(draft, report, "PG-G08", &["cluster_name"], "which is the name of the whole cluster");
}

/// Ports are known, used once on a node, and bindable.
pub(super) fn g09(draft: &Draft<'_>, report: &mut Report) {
    for node in &draft.nodes {
        let mut taken = HashMap::from([((22, crate::model::Protocol::Tcp), ("SSH", None))]);
        for service in &node.services {
            let name = service.name.value.as_str();
            let Some(ports) = &service.ports else {
                if let Some(entry) = draft.services.get(name).filter(|entry| entry.value.port.is_none()) {
                    let fault = Diagnostic::error(
                        "PG-G09",
                        &entry.span,
                        format!("nothing says where `{name}` listens"),
                    );
                    report.push(fault.help("add `port = …`"));
                }
                continue;
            };
            for (what, port, protocol) in ports.all() {
                let span = place(draft, service, what);
                if let Some((other, first)) = taken.insert((port, protocol), (name, Some(span))) {
                    let message =
                        format!("`{name}` wants port {port}, which `{other}` uses on `{}`", node.entry.key);
                    let fault =
                        Diagnostic::error("PG-G09", span, message).help("give one of the two another port");
                    report.push(
                        first.into_iter().fold(fault, |fault, first| fault.related(first, "first used here")),
                    );
                }
                unfit(draft, name, what, port, span, report);
            }
        }
    }
    twice(draft, report);
}

/// Where a service's port is written, or else where the service is asked for.
fn place<'a>(draft: &Draft<'a>, service: &DraftService<'a>, what: &str) -> &'a Span {
    let table = draft.services.get(service.name.value.as_str()).map(|entry| &entry.value);
    let own = table.and_then(|table| match what {
        "raft_port" => table.raft_port.as_ref(),
        "gossip_port" => table.gossip_port.as_ref(),
        "health_port" => table.health_port.as_ref(),
        _ => table.port.as_ref(),
    });
    own.map_or(&service.name.span, |port| &port.span)
}

/// Privileged ports that the service is not known for, and ports that the kernel lends to clients
/// (`net.ipv4.ip_local_port_range`, 32768 to 60999).
fn unfit(draft: &Draft<'_>, name: &str, what: &str, port: u16, span: &Span, report: &mut Report) {
    if !draft.services.contains_key(name) {
        return;
    }
    let known = crate::model::known_service(name).is_some_and(|known| known.all().any(|own| own.1 == port));
    if port < 1024 && !known {
        let fault =
            Diagnostic::error("PG-G09", span, format!("`{name}` may not bind the privileged {what} {port}"));
        report.push(fault.help("take a port from 1024 on"));
    } else if (32_768..=60_999).contains(&port) {
        let fault = Diagnostic::warning(
            "PG-G09",
            span,
            format!("the kernel may lend {port} to an outgoing connection first"),
        );
        report.push(fault.help("take a port below 32768"));
    }
}

/// A service is asked for once.
fn twice(draft: &Draft<'_>, report: &mut Report) {
    for node in &draft.nodes {
        let list = node.said(|common| common.services.as_ref());
        let mut seen = HashMap::new();
        for name in list.iter().flat_map(|list| &list.value) {
            if let Some(first) = seen.insert(&name.value, &name.span) {
                let fault =
                    Diagnostic::error("PG-G09", &name.span, format!("`{}` is listed twice", name.value));
                report.push(fault.related(first, "first used here").help("list each service once"));
            }
        }
    }
}

/// Somebody can log in, and nobody is listed twice.
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
