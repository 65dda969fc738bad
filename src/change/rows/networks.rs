//! The keys of networks. The effects on nodes stand at the keys of nodes: a node has its addresses, gateway and resolvers.

use crate::change::judges::networks;
use crate::change::row::Row;

use super::{judged, nothing, row};

pub(in crate::change) const NETWORKS: &[Row] = &[
    judged("networks.*", networks::network, &[], "src/outputs/dhcp/mod.rs"),
    judged(
        "networks.*.roles",
        networks::roles,
        &[],
        "src/outputs/dhcp/mod.rs; src/model/exposure/openings.rs",
    ),
    judged("networks.*.vlan", networks::vlan, &[], "src/outputs/configuration/network.rs"),
    judged("networks.*.subnet", networks::subnet, &[], "src/outputs/dhcp/mod.rs; src/pki/constraints.rs"),
    judged("networks.*.subnet6", networks::subnet, &[], "src/outputs/dhcp/mod.rs; src/pki/constraints.rs"),
    judged(
        "networks.*.gateway",
        networks::gateway,
        &[],
        "src/outputs/dhcp/mod.rs; src/model/exposure/routing.rs",
    ),
    judged(
        "networks.*.gateway6",
        networks::gateway,
        &[],
        "src/outputs/dhcp/mod.rs; src/model/exposure/routing.rs",
    ),
    judged("networks.*.dns", networks::options, &[], "src/outputs/dhcp/mod.rs"),
    judged("networks.*.domain", networks::options, &[], "src/outputs/dhcp/mod.rs; src/model/dns.rs"),
    row("networks.*.zone", &[nothing("zones come, go or change their records")], "src/model/dns.rs"),
    row("networks.*.reverse_zone", &[nothing("zones come, go or change their records")], "src/model/dns.rs"),
    judged("networks.*.pool", networks::pool, &[], "src/outputs/dhcp/mod.rs"),
    judged("networks.*.pool6", networks::pool, &[], "src/outputs/dhcp/mod.rs"),
];
