//! Firewalls, loaded by nft, iptables-restore and ip6tables-restore into network namespaces of their own: what the
//! kernel then has is what the model says, in both languages; and packets go where they may, and nowhere else.

mod gateway;
mod iptables;
mod live;
pub(crate) mod model;
mod named;
mod nft;
mod routed;
mod unusual;

use std::path::{Path, PathBuf};
use std::process::Output;

use plasmagen::model::Cluster;
use test_kit::process::unshare;
use test_kit::{case_dirs, plan, repository, run};

/// Every rendered tree with its cluster: the golden cases and the reference.
fn trees() -> Vec<(Cluster, PathBuf)> {
    let cases = case_dirs().into_iter().map(|case| (plan(&case).cluster, case.join("expected")));
    cases.chain([(plan(repository()).cluster, repository().to_owned())]).collect()
}

/// Runs `script` in a network namespace of its own, with `files` for its arguments. Its output, once it succeeds.
fn in_namespace(package: &str, script: &str, files: &[&Path]) -> String {
    let output = try_in_namespace(script, files);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{files:?}: {said} (Debian package {package})");
    String::from_utf8(output.stdout).unwrap()
}

fn try_in_namespace(script: &str, files: &[&Path]) -> Output {
    // The legacy backend of iptables locks a file, which only root may write at its usual place.
    let lock = tempfile::NamedTempFile::new().unwrap();
    let mut command = unshare(&["--net", "sh", "-c", script, "sh"]);
    run("util-linux", command.args(files).env("XTABLES_LOCKFILE", lock.path()))
}

#[test]
fn both_languages_open_the_same() {
    for (cluster, tree) in trees() {
        compare(&cluster, &tree);
    }
}

/// Fails unless the files in `site/firewall/` below `tree` do what the model says, both languages alike.
fn compare(cluster: &Cluster, tree: &Path) {
    for (name, expected) in model::of_site(cluster) {
        let file = |extension: &str| tree.join(format!("site/firewall/{name}.{extension}"));
        let by_nft = nft::loaded(&file("nft"));
        assert_eq!(by_nft, expected, "{}: {name}", tree.display());
        let by_iptables = iptables::loaded(&file("iptables"), &file("ip6tables"));
        assert_eq!(by_iptables, expected, "{}: {name}", tree.display());
    }
}
