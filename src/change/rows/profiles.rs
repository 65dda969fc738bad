//! The keys of profiles, whose values nodes have.

use crate::change::row::Row;

use super::{nothing, row};

pub(in crate::change) const PROFILES: &[Row] = &[
    row("profiles.*", &[nothing("nodes have the values of their profile")], "src/outputs/firewall.rs"),
    row("profiles.*.name", &[nothing("the name tells profiles apart")], "src/change/difference.rs"),
    row("profiles.*.base", &[nothing("nodes have the values of their profile")], "src/resolve/node.rs"),
    row(
        "profiles.*.interfaces.*",
        &[nothing("nodes have the values of their profile")],
        "src/resolve/node.rs",
    ),
    row(
        "profiles.*.interfaces.*.name",
        &[nothing("nodes have the values of their profile")],
        "src/resolve/node.rs",
    ),
    row(
        "profiles.*.interfaces.*.device",
        &[nothing("nodes have the values of their profile")],
        "src/resolve/node.rs",
    ),
    row(
        "profiles.*.interfaces.*.network",
        &[nothing("nodes have the values of their profile")],
        "src/resolve/node.rs",
    ),
    row(
        "profiles.*.interfaces.*.vlan",
        &[nothing("nodes have the values of their profile")],
        "src/resolve/node.rs",
    ),
    row("profiles.*.interfaces.*.addresses", &[nothing("profiles have no addresses")], "src/resolve/node.rs"),
    row(
        "profiles.*.interfaces.*.mtu",
        &[nothing("nodes have the values of their profile")],
        "src/resolve/node.rs",
    ),
    row("profiles.*.interfaces.*.mac", &[nothing("profiles have no MAC addresses")], "src/resolve/node.rs"),
    row(
        "profiles.*.interfaces.*.bond",
        &[nothing("nodes have the values of their profile")],
        "src/resolve/node.rs",
    ),
    row(
        "profiles.*.interfaces.*.bond.mode",
        &[nothing("nodes have the values of their profile")],
        "src/resolve/node.rs",
    ),
    row(
        "profiles.*.interfaces.*.bond.members",
        &[nothing("nodes have the values of their profile")],
        "src/resolve/node.rs",
    ),
    row("profiles.*.services.*", &[nothing("nodes have the values of their profile")], "src/resolve/node.rs"),
    row(
        "profiles.*.services.*.name",
        &[nothing("the name tells services apart")],
        "src/change/difference.rs",
    ),
    row(
        "profiles.*.services.*.port",
        &[nothing("nodes have the values of their profile")],
        "src/resolve/node.rs",
    ),
    row(
        "profiles.*.services.*.raft_port",
        &[nothing("nodes have the values of their profile")],
        "src/resolve/node.rs",
    ),
    row(
        "profiles.*.services.*.gossip_port",
        &[nothing("nodes have the values of their profile")],
        "src/resolve/node.rs",
    ),
    row(
        "profiles.*.services.*.health_port",
        &[nothing("nodes have the values of their profile")],
        "src/resolve/node.rs",
    ),
    row(
        "profiles.*.services.*.udp",
        &[nothing("nodes have the values of their profile")],
        "src/resolve/node.rs",
    ),
    row(
        "profiles.*.services.*.clients",
        &[nothing("nodes have the values of their profile")],
        "src/resolve/node.rs",
    ),
    row(
        "profiles.*.services.*.settings",
        &[nothing("nodes have the values of their profile")],
        "src/resolve/node.rs",
    ),
];
