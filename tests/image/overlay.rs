//! The overlay of every node of every golden case: what GNU cpio unpacks are the facts of the model.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use plasmagen::image::{Archive, Codec, pack_in_memory, read_directory};
use plasmagen::model::{Cluster, MacAddr, Node};
use plasmagen::outputs;
use serde_json::{Value, json};

use crate::kit::{CODECS, packed};
use test_kit::{case_dirs, plan, repository, run};

/// An overlay with its node, the card that loads it and the card's script.
struct Overlay {
    node: Node,
    mac: MacAddr,
    archive: Vec<u8>,
    script: String,
}

/// The overlays of the case in `dir`.
fn overlays(dir: &Path) -> (Cluster, Vec<Overlay>) {
    let plan = plan(dir);
    let files = outputs::render(&plan).unwrap();
    let body =
        |path: String| files.iter().find(|artifact| artifact.path.as_str() == path).unwrap().body.clone();
    let of = |(node, mac): (&Node, MacAddr)| {
        let name = mac.hyphens();
        let script = String::from_utf8(body(format!("site/www/ipxe/node/{name}.ipxe"))).unwrap();
        let archive = body(format!("site/www/overlay/{name}.cpio.gz"));
        Overlay { node: node.clone(), mac, archive, script }
    };
    let cards =
        plan.cluster.nodes.iter().flat_map(|node| node.boot_macs().into_iter().map(move |mac| (node, mac)));
    let all: Vec<_> = cards.map(of).collect();
    let written =
        files.iter().filter(|artifact| artifact.path.as_str().starts_with("site/www/overlay/")).count();
    assert!(written == all.len() && written > 0, "{written} overlays of {} cards", all.len());
    (plan.cluster, all)
}

/// Hands `archive`, unpacked, to `cpio`; what it prints.
fn cpio(archive: &[u8], dir: &Path, options: &str) -> String {
    let mut command = Command::new("bash");
    command.args(["-euo", "pipefail", "-c", &format!("gzip -dc | LC_ALL=C cpio {options} --quiet")]);
    command.current_dir(dir).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(archive).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "cpio {options} (Debian package cpio)");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn gnu_cpio_unpacks_each_overlay_to_the_facts_of_its_node() {
    for case in case_dirs().into_iter().chain([repository().to_owned()]) {
        let (cluster, all) = overlays(&case);
        for Overlay { node, mac, archive, script } in all {
            let dir = tempfile::tempdir().unwrap();
            let listed = cpio(&archive, dir.path(), "-itvn");
            let lines = listed.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
            // Mode, owner, group, path.
            let found: Vec<_> =
                lines.map(|words| [words[0], words[2], words[3], *words.last().unwrap()]).collect();
            let expected = [
                ["drwxr-xr-x", "0", "0", "etc"],
                ["-rw-r--r--", "0", "0", "etc/hostname"],
                ["drwxr-xr-x", "0", "0", "etc/plasmagen"],
                ["-rw-r--r--", "0", "0", "etc/plasmagen/node.json"],
                ["drwx------", "0", "0", "root"],
                ["drwx------", "0", "0", "root/.ssh"],
                ["-rw-------", "0", "0", "root/.ssh/authorized_keys"],
            ];
            assert_eq!(found, expected, "{listed}");
            assert!(listed.lines().all(|line| line.contains(" Jan  1  1970 ")), "{listed}");
            cpio(&archive, dir.path(), "-id --no-preserve-owner");
            let text = |path: &str| fs::read_to_string(dir.path().join(path)).unwrap();
            assert_eq!(text("etc/hostname"), format!("{}\n", node.name));
            let keys: Vec<String> = cluster.admin_keys.iter().map(ToString::to_string).collect();
            assert_eq!(text("root/.ssh/authorized_keys").lines().collect::<Vec<_>>(), keys);
            let facts: Value = serde_json::from_str(&text("etc/plasmagen/node.json")).unwrap();
            assert_eq!(facts, expected_facts(&cluster, &node));
            // Nothing of the machine's other sides: BMC, services, CA.
            packed(&read_directory(dir.path()).unwrap(), Codec::Plain);
            let digest = plasmagen::fs::Sha256Sum::of(&archive);
            let interface = cluster.provisioner.interface_for(node.reservation().unwrap().network);
            let url =
                format!("{}/overlay/{}.cpio.gz", cluster.provisioner.base_url(interface), mac.hyphens());
            assert!(
                script.contains(&format!("\nset overlay {url}\nset overlay-sha256 {digest}\n")),
                "{script}"
            );
        }
    }
}

/// What `node.json` says, by what `inventory.json` says of the same node.
fn expected_facts(cluster: &Cluster, node: &Node) -> Value {
    let model = serde_json::to_value(node).unwrap();
    let mut facts = json!({ "schema": 1, "domain": cluster.domain });
    for key in [
        "name",
        "fqdn",
        "profile",
        "firmware",
        "mac",
        "serial",
        "interfaces",
        "gateway",
        "gateway6",
        "resolvers",
        "disks",
    ] {
        if let Some(value) = model.get(key) {
            facts[key] = value.clone();
        }
    }
    facts
}

#[test]
fn openssh_reads_the_keys() {
    let (cluster, all) = overlays(repository());
    let dir = tempfile::tempdir().unwrap();
    cpio(&all[0].archive, dir.path(), "-id --no-preserve-owner");
    let keys = dir.path().join("root/.ssh/authorized_keys");
    assert_eq!(fs::metadata(&keys).unwrap().permissions().mode() & 0o777, 0o600);
    let output = run("openssh-client", Command::new("ssh-keygen").args(["-l", "-f"]).arg(&keys));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), cluster.admin_keys.len());
}

/// I13. The pools have threads of their own; [`pack_in_memory`] never waits for them.
#[test]
fn threads_change_no_byte() {
    for case in case_dirs() {
        let plan = plan(&case);
        let expected = outputs::render(&plan).unwrap();
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            assert_eq!(pool.install(|| outputs::render(&plan)).unwrap(), expected, "{threads} threads");
        }
    }
}

#[test]
fn in_memory_is_the_same_archive() {
    let (_, all) = overlays(repository());
    let dir = tempfile::tempdir().unwrap();
    cpio(&all[0].archive, dir.path(), "-id --no-preserve-owner");
    let on_disk = read_directory(dir.path()).unwrap();
    let error = pack_in_memory(&on_disk, Codec::Gzip(6)).unwrap_err();
    assert!(error.to_string().contains("is not in memory"), "{error:#}");
    assert_eq!(packed(&on_disk, Codec::Gzip(6)).0, all[0].archive);
    let empty = Archive::default();
    for codec in CODECS {
        assert_eq!(pack_in_memory(&empty, codec).unwrap(), packed(&empty, codec).0, "{codec:?}");
    }
}
