//! The way of a member out of its Raft groups, and back. docs/first-boot.md has the requests.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::change::compare::Change;
use crate::change::finding::Consequence;
use crate::change::judges::services::default_data_dir;
use crate::change::quorum::raft_services;
use crate::model::{Cluster, Node};

use super::step::Step;

/// The services that the member `node` leaves: those with a Raft group that one of `found` is about.
pub(super) fn list_left<'a>(node: &'a Node, found: &[&Consequence]) -> Vec<&'a str> {
    let is_left =
        |service: &&str| found.iter().any(|found| found.way.removes_members() && found.concerns(service));
    raft_services(node).filter(is_left).collect()
}

/// The step that takes the member `node` of the cluster `old` out of `services`, or of all its groups; none where the node is
/// no member.
pub(super) fn take_out(
    change: &Change,
    old: &Cluster,
    node: &Node,
    services: Option<&[&str]>,
) -> Option<Step> {
    let services: Vec<&str> = services.map_or_else(|| raft_services(node).collect(), <[&str]>::to_vec);
    if services.is_empty() {
        return None;
    }
    let commands = services.iter().filter_map(|service| {
        let other = find_other(change, old, node, service)?;
        let request = format!("-X DELETE {}/admin/member/{}", url(other, service)?, node.name);
        Some(ask(other, &other.fqdn.to_string(), &request))
    });
    let title = format!(
        "remove {} from {}, and wait until the other members agree (docs/first-boot.md)",
        node.name,
        services.join(" and ")
    );
    Some(Step::new(title, commands.collect::<Vec<_>>()))
}

/// The commands that print the members whom `node`, which is reached at `host`, knows.
pub(super) fn list_members(node: &Node, host: &str) -> Vec<String> {
    let request = |service: &str| Some(format!("{}/admin/cluster/members", url(node, service)?));
    raft_services(node).filter_map(|service| Some(ask(node, host, &request(service)?))).collect()
}

/// The commands that move the data of `services` away on `node`, which is reached at `host`: a member that was removed keeps
/// out of the cluster as long as it has data. The unit's `joined.json` stays: the node joins, and never forms a cluster.
pub(super) fn move_data_away(node: &Node, services: &[&str], host: &str) -> Vec<String> {
    let units: Vec<_> =
        services.iter().map(|name| format!("{name}-cluster-join.service {name}.service")).collect();
    let stop = format!("ssh root@{host} systemctl stop {}", units.join(" "));
    let moves = services.iter().map(|service| {
        let written = node.service(service).and_then(|service| service.settings.get("data_dir"));
        let dir = written.and_then(Value::as_str).map_or_else(|| default_data_dir(service), str::to_owned);
        format!(
            "ssh root@{host} 'mkdir -p {dir}.removed && find {dir} -mindepth 1 -maxdepth 1 -exec mv -t {dir}.removed {{}} +'"
        )
    });
    std::iter::once(stop).chain(moves).collect()
}

/// The command that lets `services` start without data and join, on the node that is reached at `host`.
pub(super) fn join_again(services: &[&str], host: &str) -> String {
    let units: Vec<_> =
        services.iter().map(|name| format!("{name}.service {name}-cluster-join.service")).collect();
    format!("ssh root@{host} systemctl restart {}", units.join(" "))
}

/// Finds a member of `service` that is asked to remove `node`: one that stays as it is, if there is one, and a voter of these.
fn find_other<'a>(change: &Change, old: &'a Cluster, node: &Node, service: &str) -> Option<&'a Node> {
    let touched: BTreeSet<&str> =
        change.memberships.iter().flat_map(|group| &group.touched).map(String::as_str).collect();
    let others = old.nodes.iter().filter(|other| {
        other.name != node.name
            && other.service(service).is_some()
            && !change.removed.iter().any(|name| name == other.name.as_str())
    });
    others.min_by_key(|other| (touched.contains(other.name.as_str()), !other.voter))
}

/// Where `service` of `node` answers.
fn url(node: &Node, service: &str) -> Option<String> {
    Some(format!("https://{}:{}", node.fqdn, node.service(service)?.ports.port))
}

/// The command that sends a request as `node`, which is reached at `host`.
fn ask(node: &Node, host: &str, request: &str) -> String {
    let name = &node.name;
    format!(
        "ssh root@{host} 'cd /etc/nixos/secrets && curl --fail --cacert ca-cert.pem --cert {name}-cert.pem --key \
         {name}-key.pem {request}'"
    )
}
