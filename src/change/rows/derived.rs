//! The facts that follow from several keys. The name of such a fact is in parentheses.

use crate::change::effect::Effect::{File, Reboot, Reload, Restart};
use crate::change::judges::{access, members, services, site};
use crate::change::row::Row;

use super::{DHCP, judged, node, nothing, row};

pub(in crate::change) const DERIVED: &[Row] = &[
    judged(
        "nodes.*.(certificate)",
        services::certificate,
        &[],
        "tests/nixos/restarts.rs: the certificate is in restartTriggers",
    ),
    row(
        "nodes.*.(cluster-config).node_id",
        &[nothing("the effects stand at the name")],
        "profiles/first-boot",
    ),
    row(
        "nodes.*.(cluster-config).node_role",
        &[nothing("the effects stand at the profile")],
        "profiles/first-boot",
    ),
    row(
        "nodes.*.(cluster-config).cluster_name",
        &[nothing("the effects stand at the cluster's name")],
        "profiles/first-boot",
    ),
    row(
        "nodes.*.(cluster-config).bootstrap",
        &[node(File, FIRST_BOOT)],
        "profiles/first-boot: restartIfChanged = false",
    ),
    row(
        "nodes.*.(cluster-config).leader_url",
        &[node(File, FIRST_BOOT)],
        "profiles/first-boot: restartIfChanged = false",
    ),
    row(
        "nodes.*.(cluster-config).initial_peers",
        &[node(File, FIRST_BOOT)],
        "profiles/first-boot: restartIfChanged = false",
    ),
    row(
        "nodes.*.(cluster-config).flaredb_peers",
        &[node(File, FIRST_BOOT)],
        "profiles/first-boot: restartIfChanged = false",
    ),
    judged(
        "nodes.*.(cluster-config).raft_addr",
        members::raft_address,
        &[],
        "etcd: peers' addresses are updated before the restart",
    ),
    row(
        "nodes.*.(hosts)",
        &[node(File, "/etc/hosts has other names; programs that run keep what they have resolved")],
        "src/outputs/hosts.rs",
    ),
    row(
        "nodes.*.(settings).*",
        &[node(Restart, "the settings that plasmagen derives are others").units(&["*"])],
        "profiles/service.nix: the file is in restartTriggers",
    ),
    judged("nodes.*.(firewall)", access::firewall, &[], "NixOS: nftables.service has reloadIfChanged"),
    row(
        "nodes.*.(kernel-params)",
        &[node(Reboot, "the kernel has other parameters")],
        "NixOS: boot.kernelParams",
    ),
    judged("zones.*", site::zone, &[], "src/outputs/dns.rs; src/model/dns.rs"),
    row("reservations.*", &[DHCP], "src/model/netboot.rs"),
    row(
        "(provisioner-firewall)",
        &[super::provisioner(Reload, "the firewall has other rules; open connections stay")
            .units(&["nftables"])],
        "src/outputs/firewall.rs",
    ),
];

const FIRST_BOOT: &str = "cluster-config.json changes, which the node reads at its first boot only";
