//! `node` and `network`: the inventory is edited in place, wholly or not at all.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::ExitStatusExt;

use serde_json::{Value, json};
use test_kit::strace::{SIGKILL, inject};

use crate::kit::Site;
use crate::{faults, swept};

/// A node whose machine is at hand.
pub(crate) const ADD: [&str; 11] = [
    "node",
    "add",
    "--profile",
    "control-plane",
    "--mac",
    "3c:ec:ef:00:00:04",
    "--serial",
    "SERIAL0004",
    "--disk",
    "/dev/disk/by-id/nvme-EXAMPLE_DISK_00000004_1",
    "--quiet",
];

#[test]
fn a_node_is_added_removed_and_added_again_under_another_name() {
    let site = Site::rendered();
    let before = site.read("inventory.toml");
    let dry = site.run(&["node", "add", "--profile", "control-plane", "--dry-run"]);
    dry.ends(0, &["was not changed: 1 node would be added", "still missing: mac, disks, serial of node04"]);
    assert!(dry.stdout.starts_with("[node.node04]\nprofile = \"control-plane\"\n"), "{}", dry.stdout);
    assert_eq!(site.read("inventory.toml"), before);
    let run = site.run(&ADD[..10]);
    run.ends(
        0,
        &[
            "node04: provisioning 10.0.100.53, production 10.0.200.13",
            "added 1 node to inventory.toml; plasmagen render writes their files",
        ],
    );
    site.run(&["check"]).ends(0, &["inventory.toml is sound: 4 nodes"]);
    site.run(&["render"]).ends(0, &["issued 1 certificate"]);
    let run = site.run(&["node", "remove", "node04"]);
    run.ends(
        0,
        &[
            "removed node04 from inventory.toml",
            "what is left to do:",
            "plasmagen render removes the files",
            "erase its disks",
        ],
    );
    let after = site.read("inventory.toml");
    assert_eq!(after.replacen("removed = [\"node04\"]\n", "", 1), before);
    site.run(&["render"]).ends(0, &["revoked 1 certificate", "node04"]);
    site.run(&ADD[..10]).ends(0, &["node05: "]);
    site.run(&["node", "add", "node04", "--profile", "control-plane"]).ends(2, &["`node04` is in `removed`"]);
}

#[test]
fn several_nodes_are_added_by_a_range_of_names() {
    let site = Site::new();
    let run = site.run(&["node", "add", "node[04-06]", "--profile", "control-plane", "--rack", "r2"]);
    run.ends(0, &["node04: ", "node06: ", "added 3 nodes", "addresses left for control-plane: "]);
    let list = site.run(&["node", "list", "--rack", "r2", "--format", "json"]);
    let nodes: Value = serde_json::from_str(&list.ends(0, &[]).stdout).unwrap();
    assert_eq!(nodes["nodes"].as_array().unwrap().len(), 3, "{nodes}");
    assert_eq!(nodes["nodes"][2]["name"], "node06");
    let facts = site.run(&["node", "add", "node[07-08]", "--profile", "control-plane", "--serial", "S1"]);
    facts.ends(2, &["facts of one machine", "2 nodes are named"]);
    site.run(&["node", "remove", "node[04-06]", "--never-installed"])
        .ends(0, &["removed node04, node05, node06"]);
    assert!(!site.read("inventory.toml").contains("removed = "));
}

/// The facts of a machine that the inventory does not know.
const FACTS: [&str; 6] = [
    "--mac",
    "3c:ec:ef:00:00:12",
    "--serial",
    "SERIAL0012",
    "--disk",
    "/dev/disk/by-id/nvme-EXAMPLE_DISK_12_1",
];

#[test]
fn other_hardware_gets_new_keys_by_the_commands_that_are_printed() {
    let site = Site::rendered();
    let read = |name: &str| site.read(&format!("nodes/node02.cluster.example.com/{name}"));
    let old = [read("node02-cert.pem"), read("ssh_host_ed25519_key.pub")];
    let run = site.run(&[&["node", "replace", "node02"], &FACTS[..]].concat());
    run.ends(0, &["node02 is another machine in inventory.toml"]);
    let command = "certs renew node02 --new-key";
    assert!(run.stderr.contains(&format!("plasmagen {command}")), "{}", run.stderr);
    site.run(&command.split(' ').collect::<Vec<_>>()).ends(0, &["made 1 SSH host key"]);
    assert_ne!(read("node02-cert.pem"), old[0]);
    assert_ne!(read("ssh_host_ed25519_key.pub"), old[1]);
    let revoked: Value = serde_json::from_str(&site.read("nodes/revoked.json")).unwrap();
    assert!(revoked.to_string().contains("node02"), "{revoked}");
    site.run(&["render", "--check"]).ends(0, &[]);
    let dry = site.run(&[
        "node",
        "replace",
        "node03",
        "--mac",
        "3c:ec:ef:00:00:13",
        "--serial",
        "S13",
        "--disk",
        "/dev/disk/by-id/nvme-EXAMPLE_DISK_13_1",
        "--dry-run",
    ]);
    assert!(dry.ends(0, &["was not changed"]).stdout.contains("+serial = \"S13\"\n"), "{}", dry.stdout);
}

/// Each step names the inventory: in the directory of another cluster, the same command would take that cluster's node.
#[test]
fn printed_steps_work_from_another_directory() {
    let (site, other) = (Site::rendered(), Site::rendered());
    let inventory = site.inventory().display().to_string();
    let run = |args: &[&str]| other.untouched(|| site.within(&other.root(), args));
    let replaced = run(&[&["node", "replace", "node02", "-i", &inventory][..], &FACTS[..]].concat());
    site.run(&ADD).ends(0, &[]);
    let removed = run(&["node", "remove", "node04", "-i", &inventory, "--dry-run"]);
    for said in [&replaced.ends(0, &[]).stderr, &removed.ends(0, &[]).stderr] {
        let steps = said.lines().filter(|line| line.starts_with("  "));
        let commands: Vec<_> = steps.flat_map(|step| step.split("plasmagen ").skip(1)).collect();
        assert!(commands.len() >= 3, "{said}");
        for command in commands {
            assert!(command.contains(&format!(" -i {inventory}")), "{command}");
        }
    }
    run(&["certs", "renew", "-i", &inventory, "node02", "--new-key"]).ends(0, &["revoked 1 certificate"]);
}

/// A machine that was armed and not installed yet boots the installer, whatever the inventory says.
#[test]
fn a_node_that_was_never_installed_may_be_armed() {
    let site = Site::new();
    site.run(&ADD).ends(0, &[]);
    let remove = ["node", "remove", "node04", "--never-installed"];
    let copy = site.copy();
    assert!(!copy.run(&remove).ends(0, &[]).stderr.contains("left to do"));
    site.run(&["render"]).ends(0, &[]);
    let run = site.run(&remove);
    run.ends(
        0,
        &["1. disarm the machine where it is armed", "2. plasmagen render removes the files of node04"],
    );
    assert!(!run.stderr.contains("erase"), "{}", run.stderr);
}

#[test]
fn the_list_is_a_table_json_or_csv() {
    let site = Site::new();
    let table = site.run(&["node", "list"]);
    let lines: Vec<_> = table.ends(0, &[]).stdout.lines().collect();
    assert!(lines.len() == 4 && lines[0].starts_with("name    profile"), "{lines:#?}");
    let csv = site.run(&["node", "list", "--format", "csv", "--profile", "control-plane"]);
    assert!(csv.stdout.starts_with("name,profile,mac,serial,disks,bmc.address"), "{}", csv.stdout);
    let json = site.run(&["node", "list", "--format", "json"]);
    let value: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(value["nodes"][1]["disks"], json!(["/dev/disk/by-id/nvme-EXAMPLE_DISK_00000002_1"]));
    // An inventory with errors is listed.
    site.edit("vlan = 10\n", "vlan = 5000\n");
    assert_eq!(site.run(&["node", "list"]).ends(0, &[]).stdout, table.stdout);
}

#[test]
fn a_network_is_added_and_the_rest_of_the_work_is_printed() {
    let site = Site::new();
    let arguments = [
        "network",
        "add",
        "rack2",
        "--role",
        "provisioning",
        "--subnet",
        "10.0.120.0/24",
        "--gateway",
        "10.0.120.1",
        "--vlan",
        "120",
        "--pool",
        "10.0.120.100-10.0.120.200",
        "--range",
        "control-plane=10.0.120.50-10.0.120.79",
    ];
    let run = site.run(&arguments);
    run.ends(
        0,
        &["added the network rack2", "what else it needs:", "relays them to 10.0.100.10", "carry VLAN 120"],
    );
    assert!(
        site.read("inventory.toml").contains(
            "[network.rack2]\nroles = [\"provisioning\"]\nvlan = 120\nsubnet = \"10.0.120.0/24\"\n"
        )
    );
    site.run(&["check"]).ends(0, &[]);
    site.run(&arguments).ends(2, &["there is a network `rack2` already"]);
    site.run(&["render"]).ends(0, &[]);
    let far = ["network", "add", "far", "--role", "client", "--subnet", "172.20.0.0/24", "--dry-run"];
    site.run(&far).ends(0, &["may not vouch for addresses in 172.20.0.0/24: plasmagen certs rotate begin"]);
    let near = ["network", "add", "near", "--role", "client", "--subnet", "10.9.0.0/24", "--dry-run"];
    assert!(!site.run(&near).ends(0, &["was not changed"]).stderr.contains("vouch"));
    let overlapping = ["network", "add", "x", "--role", "client", "--subnet", "10.0.120.0/25"];
    let before = site.read("inventory.toml");
    site.run(&overlapping).ends(2, &["PG-C07", "Nothing was written"]);
    assert_eq!(site.read("inventory.toml"), before);
}

#[test]
fn mode_and_links_stay() {
    let site = Site::new();
    let inventory = site.inventory();
    fs::set_permissions(&inventory, fs::Permissions::from_mode(0o640)).unwrap();
    let real = site.path().join("real.toml");
    fs::rename(&inventory, &real).unwrap();
    symlink("../real.toml", &inventory).unwrap();
    site.run(&ADD).ends(0, &[]);
    assert!(fs::symlink_metadata(&inventory).unwrap().is_symlink());
    assert_eq!(fs::metadata(&real).unwrap().mode() & 0o7777, 0o640);
    assert!(fs::read_to_string(&real).unwrap().contains("[node.node04]"));
    assert!(!site.path().join(".real.toml.plasmagen-new").exists());
}

/// Killed, or refused by the disk, at each of its calls: the inventory is the old one or the new one, and the next run
/// is not kept from its work.
#[test]
fn the_inventory_is_old_or_new_whatever_ends_the_run() {
    let site = Site::new();
    let old = site.read("inventory.toml");
    let calls = swept::calls(&site.copy(), &ADD, "plasmagen-new");
    assert!(calls.len() > 5, "{calls:#?}");
    let new = {
        let site = site.copy();
        site.run(&ADD).ends(0, &[]);
        site.read("inventory.toml")
    };
    assert!(new.contains("[node.node04]"));
    for call in calls {
        for fault in ["signal=KILL", "error=ENOSPC", "error=EIO"] {
            let site = site.copy();
            let (status, run, _) = faults::strace(&site, &inject(&call.name, fault, call.nth), &ADD);
            let when = format!("{fault} at {call}");
            let now = site.read("inventory.toml");
            assert!(now == old || now == new, "{when}: {now}");
            assert!(run.code != Some(0) || now == new, "{when}: {run:?}");
            if status.signal() != Some(SIGKILL) {
                assert!(
                    !site.root().join(".inventory.toml.plasmagen-new").exists() || run.code == Some(2),
                    "{when}"
                );
            }
            if now == old {
                site.run(&ADD).ends(0, &[]);
                assert_eq!(site.read("inventory.toml"), new, "{when}");
            }
        }
    }
}

/// The console blocks of docs/nodes.md show what the commands print.
#[test]
fn the_page_shows_what_the_commands_print() {
    let page = fs::read_to_string("docs/nodes.md").unwrap();
    let site = Site::empty();
    fs::create_dir(site.root()).unwrap();
    fs::copy("inventory.toml", site.inventory()).unwrap();
    for (start, name) in [("```csv\n", "nodes.csv"), ("```toml\n", "facts.toml")] {
        let text = page.split(start).nth(1).unwrap().split("```").next().unwrap();
        fs::write(site.root().join(name), text).unwrap();
    }
    let mut shown = 0;
    for block in page.split("```console\n").skip(1).map(|rest| rest.split("```").next().unwrap()) {
        let block = block.replace(" \\\n    ", " ");
        let (command, output) = block.split_once('\n').unwrap();
        let arguments: Vec<_> = command.strip_prefix("$ plasmagen ").unwrap().split(' ').collect();
        let run = site.run(&arguments);
        run.ends(0, &[]);
        assert_eq!(run.stdout + &run.stderr, output, "{command}");
        // Each block begins anew, apart from the node that the next one removes.
        if !command.contains("node add") {
            fs::copy("inventory.toml", site.inventory()).unwrap();
        }
        shown += 1;
    }
    assert!(shown >= 6, "{shown}");
}

#[test]
fn nodes_are_imported_as_a_text_to_review_or_into_the_file() {
    let site = Site::new();
    let before = site.read("inventory.toml");
    let table = "name,profile,mac,serial,disks\nnode04,control-plane,3C:EC:EF:00:00:04,SERIAL0004,\n";
    fs::write(site.root().join("nodes.csv"), table).unwrap();
    let facts = "[node.NAME]\nmac = \"3c:ec:ef:00:00:04\"\nserial = \"SERIAL0004\"\ndisks = [\n  \
                 \"/dev/disk/by-id/nvme-EXAMPLE_DISK_00000004_1\", # nvme0n1, 960 GB\n]\n";
    fs::write(site.root().join("facts.toml"), facts).unwrap();
    let read = site.run(&["import", "csv", "nodes.csv", "--facts", "facts.toml"]);
    read.ends(0, &["inventory.toml was not changed: --write adds 1 node"]);
    assert!(read.stdout.starts_with("[node.node04]\n"), "{}", read.stdout);
    assert_eq!(site.read("inventory.toml"), before);
    site.run(&["import", "csv", "nodes.csv", "--facts", "facts.toml", "--write"]).ends(0, &["added 1 node"]);
    site.run(&["check"]).ends(0, &["inventory.toml is sound: 4 nodes"]);
    site.run(&["import", "csv", "nodes.csv"])
        .ends(0, &["`node04` in the inventory", "has all machines of these files"]);
    let wrong = site.shell(
        "printf 'name,profile,mac\\nnode05,control-plane,3c:ec\\nnode06,x,\\n' | $P import csv - --write",
    );
    wrong.ends(1, &["-:2:22: ", "-:3:8: there is no profile `x`", "nothing was imported: 2 faults"]);
    let piped = site.shell("sed s/:04/:05/ facts.toml | sed 's/0004/0005/' | $P import facts - --as node05 --profile control-plane");
    assert!(piped.ends(0, &[]).stdout.starts_with("[node.node05]\n"), "{}", piped.stdout);
}
