//! Chapter G: the first voters.

use crate::diag::{Diagnostic, Report, Span};
use crate::inventory::ClusterTable;
use crate::model::service::{CHAINFIRE, FLAREDB};
use crate::resolve::Draft;

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
    // FlareDB's voters are those of the Raft store.
    let voters = || draft.bootstrap().filter_map(|(name, span)| Some((draft.node(name)?, span)));
    for (node, span) in voters().filter(|(node, _)| !node.may_run(FLAREDB)) {
        if let Some((other, _)) = voters().find(|(other, _)| other.runs(FLAREDB)) {
            let message =
                format!("`{}` does not run {FLAREDB}, as `{}` does", node.entry.key, other.entry.key);
            let fault = Diagnostic::error("PG-G02", span, message).related(&node.entry.span, "this node");
            report.push(fault.help(format!("let all voters run {FLAREDB}, or none")));
        }
    }
}

/// Voters are odd in number and three or more; one where the cluster says that it is single.
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
            let message = format!("the cluster is single, and {count} voters are named");
            let at = cluster.single.as_ref().map_or(span, |single| &single.span);
            let fault = Diagnostic::error("PG-G03", at, message).related(span, "the voters");
            report.push(fault.help("drop `single`, or name one voter"));
        }
        _ if count % 2 == 0 => {
            let message = format!("{count} voters survive no more failures than {}", count - 1);
            report.push(fault(&message).help("name one more or one fewer"));
        }
        _ => {}
    }
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
