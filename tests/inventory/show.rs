//! What is shown is what outputs see, and comes from where it is written.

use std::fs;
use std::path::PathBuf;

use plasmagen::check::check;
use plasmagen::resolve::{Origin, ResolvedValue, list_cluster_values, list_node_values, resolve};
use serde_json::{Value, json};
use test_kit::{case_dirs, repository};

/// An inventory and all that is shown of it: its cluster, then its nodes.
fn shown(inventory: &str, see: impl Fn(Option<&str>, &[ResolvedValue<'_>])) {
    let checked = check(inventory.as_bytes()).unwrap();
    let cluster = checked.cluster.unwrap_or_else(|| panic!("{:#?}", checked.diagnostics));
    let draft = resolve(&checked.inventory);
    see(None, &list_cluster_values(&draft).unwrap());
    for finished in &cluster.nodes {
        let node = draft.node(finished.name.as_str()).unwrap();
        see(Some(finished.name.as_str()), &list_node_values(&draft, &cluster, node).unwrap());
    }
}

/// Inventories, each with the `inventory.json` that was rendered from it.
fn inventories() -> Vec<(PathBuf, String, Value)> {
    let reference = (repository().to_owned(), repository().join("site"));
    let golden = case_dirs().into_iter().map(|case| (case.clone(), case.join("expected/site")));
    let read = |(case, site): (PathBuf, PathBuf)| {
        let inventory = fs::read_to_string(case.join("inventory.toml")).unwrap();
        let rendered = fs::read_to_string(site.join("inventory.json")).unwrap();
        (case, inventory, serde_json::from_str(&rendered).unwrap())
    };
    golden.chain([reference]).map(read).collect()
}

/// The value at `path`, where what tells the tables of a list apart is its name, device or interface.
fn at<'v>(value: &'v Value, path: &[String], address: &Value) -> Option<&'v Value> {
    let Some((key, below)) = path.split_first() else { return Some(value) };
    let Value::Array(items) = value else { return at(value.get(key)?, below, address) };
    let id = |item: &Value| {
        let keys = ["device", "name", "interface"];
        keys.iter().find_map(|id| item.get(id)) == Some(&json!(key))
    };
    let found = items.iter().filter(|item| id(item));
    // A name may be that of two virtual addresses.
    found.filter_map(|item| at(item, below, address)).find(|found| *found == address)
}

/// How many values there are in `value`: what is neither null nor a table nor a list of tables.
fn leaves(value: &Value, free: bool) -> usize {
    match value {
        Value::Null => 0,
        Value::Object(map) if !map.is_empty() => {
            map.iter().map(|(key, value)| leaves(value, free || key == "settings")).sum()
        }
        Value::Array(items) if !free && items.iter().any(Value::is_object) => {
            items.iter().map(|item| leaves(item, free)).sum()
        }
        _ => 1,
    }
}

#[test]
fn every_value_of_the_resolved_inventory_is_shown_as_it_is() {
    for (case, inventory, mut resolved) in inventories() {
        let nodes = resolved["nodes"].take();
        // The version of the file's own form.
        resolved.as_object_mut().unwrap().remove("schema");
        shown(&inventory, |node, values| {
            let whole = match node {
                None => &resolved,
                Some(name) => {
                    nodes.as_array().unwrap().iter().find(|entry| entry["name"] == json!(name)).unwrap()
                }
            };
            for value in values {
                let found = at(whole, &value.path, &value.value);
                assert_eq!(found, Some(&value.value), "{}: {node:?} {:?}", case.display(), value.path);
            }
            assert_eq!(values.len(), leaves(whole, false), "{}: {node:?}", case.display());
        });
    }
}

/// Everything in `value` that a value may have been read off, names of keys too.
fn words(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| {
            found.push(key.clone());
            words(value, found);
        }),
        Value::Array(items) => items.iter().for_each(|item| words(item, found)),
        Value::String(text) => found.push(text.clone()),
        other => found.push(other.to_string()),
    }
}

#[test]
fn values_are_written_where_they_are_said_to_come_from() {
    let mut seen = 0;
    for (case, inventory, _) in inventories() {
        let document: Value = toml::from_str(&inventory).unwrap();
        let count = std::cell::Cell::new(0);
        shown(&inventory, |node, values| {
            for value in values {
                let table = match value.origin {
                    Origin::Table(table) => &document[table],
                    Origin::Named("firewall.open", name) => &document["firewall"]["open"][name],
                    // The name of the interface is the table's.
                    Origin::Named("provisioner.interface", name) if value.value == name => continue,
                    Origin::Named("provisioner.interface", name) => {
                        &document["provisioner"]["interface"][name]
                    }
                    Origin::Named(table, name) => &document[table][name],
                    _ => continue,
                };
                // These are made of something that is written there, or of the table's name.
                let derived = ["fqdn", "voter", "base", "description", "pause", "ttl", "name"];
                if derived.iter().any(|key| value.path.last().is_some_and(|last| last == key)) {
                    continue;
                }
                count.set(count.get() + 1);
                let (mut written, mut read) = (Vec::new(), Vec::new());
                words(table, &mut written);
                words(&value.value, &mut read);
                for word in read {
                    // Of an address with its prefix length, the network says the latter; of a device, the VLAN.
                    let word = if value.path.last().unwrap() == "addresses" {
                        word.split('/').next().unwrap()
                    } else if value.path.last().unwrap() == "device" {
                        word.split('.').next().unwrap()
                    } else {
                        &word
                    };
                    let found =
                        written.iter().any(|other| other.split('.').next() == Some(word) || other == word);
                    let place = case.display();
                    assert!(found, "{place}: {node:?} {:?}: {word} is not in {}", value.path, value.origin);
                }
            }
        });
        seen += count.get();
    }
    assert!(seen > 400, "{seen}");
}

/// Every layer says something, and the later ones something else.
const LAYERS: &str = r#"
schema = 1
cluster.name = "lab"
cluster.domain = "lab.example.com"
cluster.bootstrap = ["n1"]
cluster.single = true
cluster.state_version = "24.11"
cluster.admin_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIL845TiWoOe2XrCMNfJUqPLN1eh7VXS0D1UnHilzay57 x"]
provisioner = { network = "lan", address = "192.168.7.2", interface = "enp1s0", http_port = 8000 }
boot.pause = "10s"

[network.lan]
roles = ["provisioning", "cluster"]
subnet = "192.168.7.0/24"
gateway = "192.168.7.1"
dns = ["192.168.7.1"]

[service.chainfire]
raft_port = 12380
settings = { log_level = "info", store = { path = "/a", sync = true }, limits = { a = 1 } }

[service.mine]
port = 7000

[hardware.box]
cpu = "amd"
memory = "64G"

[profile.worker]
services = ["chainfire", "mine"]
interface.eth0 = { network = "lan", mtu = 9000 }
interface.eth1 = { mtu = 9100 }
disk.single = { esp = "2G" }
kernel_params = ["quiet"]
firmware = "bios"
hardware = "box"
settings.chainfire = { store = { path = "/b" }, limits = 5 }

[node.n1]
profile = "worker"
mac = "3c:ec:ef:00:00:01"
address.lan = "192.168.7.10"
disks = ["/dev/disk/by-id/ata-EXAMPLE_1"]
serial = "S1"
interface.eth0.mtu = 1500
interface.eth1.mac = "3c:ec:ef:00:00:02"
firmware = "uefi"
settings.chainfire = { log_level = "warn", "a key" = 1 }
"#;

#[test]
fn the_layer_that_counts_is_named() {
    let seen = std::cell::RefCell::new(Vec::new());
    shown(LAYERS, |_, values| {
        seen.borrow_mut().extend(
            values.iter().map(|value| format!("{} = {} # {}", value.key(), value.value, value.origin)),
        );
    });
    let seen = seen.into_inner();
    for line in [
        "provisioner.http_port = 8000 # provisioner",
        "provisioner.dhcp = \"kea\" # default",
        "boot.pause = 10 # boot",
        "boot.verify = \"none\" # default",
        "firmware = \"uefi\" # node.n1",
        "system = \"x86_64-linux\" # default",
        "kernel_params = [\"quiet\"] # profile.worker",
        "modules = [] # default",
        "gateway = \"192.168.7.1\" # network.lan",
        "resolvers = [\"192.168.7.1\"] # network.lan",
        "interfaces.eth0.network = \"lan\" # profile.worker",
        "interfaces.eth0.mtu = 1500 # node.n1",
        "interfaces.eth1.mtu = 9100 # profile.worker",
        "interfaces.eth1.mac = \"3c:ec:ef:00:00:02\" # node.n1",
        "layout.esp = \"2G\" # profile.worker",
        "layout.format = \"ext4\" # default",
        "services.chainfire.name = \"chainfire\" # profile.worker",
        "services.chainfire.port = 2379 # built-in service.chainfire",
        "services.chainfire.raft_port = 12380 # service.chainfire",
        "services.mine.port = 7000 # service.mine",
        "services.mine.udp = false # default",
        "services.chainfire.settings.log_level = \"warn\" # node.n1",
        "services.chainfire.settings.\"a key\" = 1 # node.n1",
        "services.chainfire.settings.store.path = \"/b\" # profile.worker",
        "services.chainfire.settings.store.sync = true # service.chainfire",
        "services.chainfire.settings.limits = 5 # profile.worker",
        "hardware.cpu = \"amd\" # hardware.box",
        "memory = \"64G\" # hardware.box",
        "voter = true # cluster",
        "profiles.worker.base = \"worker\" # profile.worker",
        "profiles.worker.interfaces.eth0.mtu = 9000 # profile.worker",
        "profiles.worker.services.chainfire.raft_port = 12380 # service.chainfire",
        "profiles.worker.services.chainfire.gossip_port = 2381 # built-in service.chainfire",
        "profiles.worker.services.chainfire.settings.store.path = \"/b\" # profile.worker",
        "profiles.worker.services.chainfire.settings.store.sync = true # service.chainfire",
    ] {
        assert!(seen.iter().any(|other| other == line), "{line}\n{seen:#?}");
    }
    let modules = seen.iter().find(|line| line.starts_with("hardware.kernel_modules")).unwrap();
    assert!(modules.ends_with("# built-in hardware.generic"), "{modules}");
}
