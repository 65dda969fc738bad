//! Chapter G: the first voters.

use crate::diag::{Diagnostic, Report, Span};
use crate::inventory::ClusterTable;
use crate::model::service::CHAINFIRE;
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
