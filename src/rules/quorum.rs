//! Chapter G: the first voters.

use std::collections::BTreeMap;

use crate::diag::{Diagnostic, Report, Span};
use crate::inventory::ClusterTable;
use crate::model::service::{CHAINFIRE, FLAREDB};
use crate::resolve::{Draft, DraftNode};

/// The table of the cluster, and the place and the length of its list of voters; none where the list is missing.
fn voters<'a>(draft: &Draft<'a>) -> Option<(&'a ClusterTable, &'a Span, usize)> {
    let cluster = draft.inventory.cluster.as_ref()?;
    let list = cluster.bootstrap.as_ref()?;
    Some((cluster, &list.span, list.value.len()))
}

/// G01: a new cluster has its first voters.
pub(super) fn g01(draft: &Draft<'_>, report: &mut Report) {
    let Some((_, span, 0)) = voters(draft) else { return };
    let fault = Diagnostic::error("PG-G01", span, "the list is empty, so that no node forms the cluster");
    report.push(fault.help(
        "name the first voters, `bootstrap = [\"node01\", \"node02\", \"node03\"]`, and keep them once the cluster is \
         formed",
    ));
}

/// G02: a first voter runs the Raft store, and all of them run FlareDB or none.
pub(super) fn g02(draft: &Draft<'_>, report: &mut Report) {
    for (name, span) in draft.bootstrap() {
        if let Some(node) = draft.node(name).filter(|node| !node.may_run(CHAINFIRE)) {
            let fault = Diagnostic::error(
                "PG-G02",
                span,
                format!("`{name}` does not run {CHAINFIRE}, so that it cannot vote"),
            );
            report.push(
                fault
                    .related(&node.entry.span, "this node")
                    .help(format!("add \"{CHAINFIRE}\" to its services, or name another node")),
            );
        }
    }
    // The voters of FlareDB are those of the Raft store.
    let voters = || draft.bootstrap().filter_map(|(name, span)| Some((draft.node(name)?, span)));
    for (node, span) in voters().filter(|(node, _)| !node.may_run(FLAREDB)) {
        if let Some((other, _)) = voters().find(|(other, _)| other.runs(FLAREDB)) {
            let message =
                format!("`{}` does not run {FLAREDB}, as `{}` does", node.entry.key, other.entry.key);
            let fault = Diagnostic::error("PG-G02", span, message).related(&node.entry.span, "this node");
            report.push(fault.help(format!("add \"{FLAREDB}\" to the services of all voters, or of none")));
        }
    }
    if voters().next().is_some() && voters().all(|(node, _)| !node.may_run(FLAREDB)) {
        report_services_without_voter(draft, FLAREDB, report);
    }
}

/// Reports every place that asks for the service `name`, which no voter runs.
fn report_services_without_voter(draft: &Draft<'_>, name: &str, report: &mut Report) {
    let mut places = BTreeMap::new();
    for service in
        draft.nodes.iter().flat_map(|node| &node.services).filter(|service| service.name.as_str() == name)
    {
        places.insert(service.span.start, service.span);
    }
    for span in places.values() {
        let message = format!("no voter runs {name}, so that there is no {name} to join");
        let fault = Diagnostic::error("PG-G02", span, message);
        report.push(fault.help(format!("add \"{name}\" to the services of all nodes in `bootstrap`")));
    }
}

/// G03: voters are odd in number and three or more; one voter where the cluster says `single = true`.
pub(super) fn g03(draft: &Draft<'_>, report: &mut Report) {
    let Some((cluster, span, count)) = voters(draft) else { return };
    let Some(single) = cluster.single.as_ref().map_or(Some(false), |single| single.value) else { return };
    let fault = |message: &str| Diagnostic::error("PG-G03", span, message);
    match count {
        0 => {}
        1 if single => {}
        1 => report.push(fault("one voter is no quorum: the cluster is lost with that machine").help(
            "name three nodes, or say `single = true` for a cluster that may be lost with one machine",
        )),
        _ if single => {
            let message = format!("the cluster is single, but {count} voters are named");
            let at = cluster.single.as_ref().map_or(span, |single| &single.span);
            let fault = Diagnostic::error("PG-G03", at, message).related(span, "the voters");
            report.push(fault.help("remove `single`, or name one voter"));
        }
        _ if count % 2 == 0 => {
            let message = format!("{count} voters survive no more failures than {}", count - 1);
            report.push(fault(&message).help("name one voter more, or one fewer"));
        }
        _ => {}
    }
}

/// G04: there are at most seven voters, better five.
pub(super) fn g04(draft: &Draft<'_>, report: &mut Report) {
    let Some((_, span, count)) = voters(draft) else { return };
    let help = "name five voters; other members join later, as learners or followers";
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

/// G11: the voters survive the loss of any rack.
pub(super) fn g11(draft: &Draft<'_>, report: &mut Report) {
    let Some((_, span, count @ 2..)) = voters(draft) else { return };
    let mut racks = BTreeMap::<&str, Vec<&Span>>::new();
    for node in draft.bootstrap().filter_map(|(name, _)| draft.node(name)) {
        if let Some(rack) = &node.entry.value.rack {
            racks.entry(rack.value.as_str()).or_default().push(&rack.span);
        }
    }
    for (rack, places) in racks.into_iter().filter(|(_, places)| places.len() > count / 2) {
        let message = format!(
            "{} of {count} voters stand in `{rack}`: the cluster stops when that rack fails",
            places.len()
        );
        let fault = Diagnostic::warning("PG-G11", span, message);
        let fault = places.iter().fold(fault, |fault, place| fault.related(place, "in that rack"));
        report.push(fault.help("name voters in other racks, so that each rack holds less than half of them"));
    }
}

/// The settings of the heartbeat interval and the election time-out, in the names that a service may have for them.
const TIMERS: [[&str; 2]; 2] =
    [["heartbeat_interval_ms", "election_timeout_ms"], ["heartbeat_interval", "election_timeout"]];

/// G12: an election waits for several heartbeats.
pub(super) fn g12(draft: &Draft<'_>, report: &mut Report) {
    for node in &draft.nodes {
        for service in
            node.services.iter().filter(|service| [CHAINFIRE, FLAREDB].contains(&service.name.as_str()))
        {
            for timers in TIMERS {
                let [heartbeat, election] =
                    timers.map(|key| read_number(draft, node, service.name.as_str(), key));
                let (Some((heartbeat, first)), Some((election, span))) = (heartbeat, election) else {
                    continue;
                };
                if election >= heartbeat.saturating_mul(5) {
                    continue;
                }
                let message =
                    format!("an election time-out of {election} is less than five heartbeats of {heartbeat}");
                let fault = Diagnostic::error("PG-G12", span, message).related(first, "the heartbeat");
                report.push(fault.help("write ten heartbeats: a single late one is not a failure"));
            }
        }
    }
}

/// Reads the number that a setting of `service` has on `node`, with its place: the setting of the node, else of the
/// profile, else of the service.
fn read_number<'a>(
    draft: &Draft<'a>,
    node: &DraftNode<'a>,
    service: &str,
    key: &str,
) -> Option<(u64, &'a Span)> {
    let layers =
        node.layers().flat_map(|layer| &layer.common().settings).filter(|entry| entry.key == service);
    let common_settings = draft.services.get(service).and_then(|entry| entry.value.settings.as_ref());
    let tables =
        common_settings.map(|settings| &settings.value).into_iter().chain(layers.map(|entry| &entry.value));
    let set = tables.filter_map(|table| Some((table.values.get(key)?, table.places.get(key)?))).last();
    set.and_then(|(value, place)| Some((value.as_u64()?, place)))
}
