//! Chapter G: the ports of services (G09).

use std::collections::HashMap;

use crate::diag::{Diagnostic, Report, Span};
use crate::model::{Protocol, known_service};
use crate::resolve::{Draft, DraftService};

/// G09: ports are known, used once on a node, and the service may bind them.
pub(super) fn g09(draft: &Draft<'_>, report: &mut Report) {
    for node in &draft.nodes {
        let mut seen = HashMap::new();
        let mut taken = HashMap::from([((22, Protocol::Tcp), ("SSH".to_owned(), None))]);
        for service in &node.services {
            let name = service.name.as_str();
            if let Some(first) = seen.insert(name, service.span) {
                let fault = Diagnostic::error("PG-G09", service.span, format!("`{name}` is listed twice"));
                report.push(fault.related(first, "first used here").help("list each service once"));
                continue;
            }
            let Some(ports) = &service.ports else {
                check_port_is_known(draft, name, report);
                continue;
            };
            for (what, port, protocol) in ports.all() {
                let span = find_place(draft, service, what);
                let Some((other, first)) = taken.insert((port, protocol), (format!("`{name}`"), Some(span)))
                else {
                    check_port(draft, name, what, port, span, report);
                    continue;
                };
                let message = format!("`{name}` wants port {port}, which {other} uses on the same machine");
                let fault = Diagnostic::error("PG-G09", span, message);
                let fault =
                    first.into_iter().fold(fault, |fault, first| fault.related(first, "first used here"));
                report.push(fault.help("give one of the two another port"));
            }
        }
    }
}

/// Reports a service that plasmagen does not know and that has no `port`.
fn check_port_is_known(draft: &Draft<'_>, name: &str, report: &mut Report) {
    if let Some(entry) = draft.services.get(name).filter(|entry| entry.value.port.is_none()) {
        let message = format!("`{name}` has no port");
        report.push(Diagnostic::error("PG-G09", &entry.span, message).help("add `port = …`"));
    }
}

/// The place where a port of `service` is written, or else the place that names the service.
fn find_place<'a>(draft: &Draft<'a>, service: &DraftService<'a>, what: &str) -> &'a Span {
    let table = draft.services.get(service.name.as_str()).map(|entry| &entry.value);
    let port = table.and_then(|table| match what {
        "raft_port" => table.raft_port.as_ref(),
        "gossip_port" => table.gossip_port.as_ref(),
        "health_port" => table.health_port.as_ref(),
        _ => table.port.as_ref(),
    });
    port.map_or(service.span, |port| &port.span)
}

/// Reports a privileged port that the service is not known for, and warns of a port that the kernel lends to clients
/// (`net.ipv4.ip_local_port_range`, 32768 to 60999).
fn check_port(draft: &Draft<'_>, name: &str, what: &str, port: u16, span: &Span, report: &mut Report) {
    if !draft.services.contains_key(name) {
        return;
    }
    let known =
        known_service(name).is_some_and(|known| known.all().any(|(_, known_port, _)| known_port == port));
    if port < 1024 && !known {
        let fault = Diagnostic::error(
            "PG-G09",
            span,
            format!("`{name}` may not bind the {what} {port}, which is privileged"),
        );
        report.push(fault.help("write a port from 1024 on"));
    } else if (32_768..=60_999).contains(&port) {
        let fault = Diagnostic::warning(
            "PG-G09",
            span,
            format!("the kernel may lend {port} to an outgoing connection first"),
        );
        report.push(fault.help("write a port below 32768"));
    }
}
