//! `[firewall]`.

use ipnet::IpNet;

use crate::diag::{Diagnostic, Spanned};
use crate::model::{Label, OpenOn, OpenProtocol, PortRange};

use super::key::{entries, number, optional, required};
use super::reader::{Entries, Table};
use super::tables::tables;
use super::written::{List, Maybe};

tables! {
    /// `[firewall]`: the senders of SSH, and further openings.
    FirewallTable(allow) {
        /// Subnets that SSH is open to. Without them, the management, provisioning and cluster networks.
        ssh_from: Option<Spanned<List<IpNet>>> = optional(),
        /// `open.<name>`: packets that nodes let in besides those of their services, such as
        /// `open.metrics = { port = 9100, from = ["10.0.10.0/24"] }`.
        open: Entries<Label, OpenTable> = entries(),
    }

    /// `[firewall.open.<name>]`: packets that nodes let in besides those of their services.
    OpenTable(allow) {
        /// Port that is opened, of TCP or UDP.
        port: Maybe<u16> = number("PG-G09", 1..=u16::MAX),
        /// Range of ports that is opened instead of one `port`, such as `30000-32767`.
        ports: Option<Spanned<PortRange>> = optional(),
        /// Protocol of the packets: `tcp`, `udp`; another protocol over IP such as `vrrp` or `112`, which has no ports; or
        /// `any` for every packet.
        protocol: Option<Spanned<OpenProtocol>> = optional().default("tcp"),
        /// Subnets that the packets come from.
        from: Option<Spanned<List<IpNet>>> = required(),
        /// Machines that let the packets in: all `nodes`, the `provisioner`, or `all` of them.
        on: Option<Spanned<OpenOn>> = optional().default("nodes"),
    } then check_ports
}

/// TCP and UDP need a port or a range of ports; packets of other protocols have none.
fn check_ports(open: OpenTable, table: &mut Table<'_, '_>) -> OpenTable {
    // A protocol that was not understood may need a port or not.
    if let Some(protocol) = open
        .protocol
        .as_ref()
        .map(|protocol| protocol.value)
        .or_else(|| table.lacks("protocol").then(OpenProtocol::default))
    {
        let fault = find_port_fault(&open, protocol, table);
        table.report.push_some(fault);
    }
    open
}

fn find_port_fault(open: &OpenTable, protocol: OpenProtocol, table: &Table<'_, '_>) -> Option<Diagnostic> {
    let port = open.port.as_ref().map(|port| ("port", &port.span));
    let ports = open.ports.as_ref().map(|ports| ("ports", &ports.span));
    if protocol.transport().is_none() {
        let (key, span) = port.or(ports)?;
        let message = format!("packets of the protocol `{protocol}` have no ports");
        return Some(Diagnostic::error("PG-A04", span, message).help(format!("remove `{key}`")));
    }
    if let (Some((_, first)), Some((_, second))) = (port, ports) {
        let fault = Diagnostic::error("PG-A04", second, "`ports` stands beside `port`");
        return Some(fault.related(first, "the other one").help("keep one of the two"));
    }
    (table.lacks("port") && table.lacks("ports")).then(|| {
        let fault = Diagnostic::error("PG-A04", &table.span, "this opens no port");
        fault.help("add `port = …` or `ports = \"first-last\"`; `protocol = \"any\"` lets every packet in")
    })
}
