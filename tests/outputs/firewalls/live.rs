//! Packets between network namespaces, one of them with a firewall of the reference.

use std::fmt::Debug;
use std::path::Path;

use test_kit::process::unshare;
use test_kit::{repository, run};

/// Runs `live/<script>` with `arguments`, then commands that each load a file: by its path, or by its name in the
/// reference's `site/firewall/`.
pub(super) fn packets(script: &str, arguments: &[&str], loads: &[(&str, impl AsRef<Path> + Debug)]) {
    let lock = tempfile::NamedTempFile::new().unwrap();
    let mut python = unshare(&["--net", "python3", "-B"]);
    python.arg(repository().join("tests/outputs/firewalls/live").join(script)).args(arguments);
    for (command, file) in loads {
        python.arg(command).arg(repository().join("site/firewall").join(file));
    }
    let output = run("util-linux", python.env("XTABLES_LOCKFILE", lock.path()));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{loads:?}: {said} (Debian packages python3, iproute2, nftables, iptables)"
    );
}

#[test]
fn packets_come_in_where_nft_lets_them() {
    packets("input.py", &[], &[("nft -f", "control-plane.nft")]);
}

#[test]
fn packets_come_in_where_iptables_lets_them() {
    packets(
        "input.py",
        &[],
        &[("iptables-restore", "control-plane.iptables"), ("ip6tables-restore", "control-plane.ip6tables")],
    );
}

#[test]
fn tenants_are_kept_out_of_management_and_provisioning_and_of_the_nodes_own_ports() {
    packets("forward.py", &["cluster"], &[("nft -f", "worker.nft")]);
    packets("forward.py", &["cluster"], &[("iptables-restore", "worker.iptables")]);
}

#[test]
fn nothing_is_forwarded_where_no_service_does() {
    packets("forward.py", &[""], &[("nft -f", "control-plane.nft")]);
    packets("forward.py", &[""], &[("iptables-restore", "control-plane.iptables")]);
}
