//! The table of `plasmagen diff` beside NixOS' module system: one key of the reference is changed at a time, both
//! configurations of a node are evaluated, and the options that differ have the effect that the table predicts, or a lesser one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use plasmagen::change::{Effect, compare};
use plasmagen::check::check;
use plasmagen::plan::{Certificates, HostKeys, Plan, PublishedHostKey, Zones};
use serde_json::Value;
use test_kit::{host_key, nix, render_into, repository};

/// A key that is changed: its pattern in the table, the node that is looked at, and the replacement in the inventory. An empty
/// text is replaced at the end.
type Edit = (&'static str, &'static str, &'static str, &'static str);

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKP4qW8vDaDGGd3oWyyBhj8cVYAMMZp3gAJ6qdjYNM0y ops@example.com";

const EDITS: &[Edit] = &[
    ("formed", "node01", "formed = false", "formed = true"),
    ("state_version", "node01", "state_version = \"24.11\"", "state_version = \"25.05\""),
    ("provisioner.address", "node01", "address = \"10.0.100.10\"", "address = \"10.0.100.11\""),
    ("networks.*.vlan", "node01", "vlan = 200", "vlan = 201"),
    ("nodes.*.gateway", "node01", "gateway = \"10.0.200.1\"", "gateway = \"10.0.200.254\""),
    (
        "nodes.*.resolvers",
        "node01",
        "dns = [\"10.0.200.1\", \"8.8.8.8\"]",
        "dns = [\"10.0.200.1\", \"9.9.9.9\"]",
    ),
    ("vips.*", "node01", "iam = \"10.0.200.102\"", "iam = \"10.0.200.102\"\ncache = \"10.0.200.105\""),
    ("tls.node_days", "node01", "", "\n[tls]\nnode_days = 300\n"),
    ("ssh_from", "node01", "", "\n[firewall]\nssh_from = [\"10.0.200.0/24\"]\n"),
    (
        "firewall.*",
        "node01",
        "",
        "\n[firewall]\nopen.vrrp = { protocol = \"vrrp\", from = [\"10.0.200.0/24\"] }\n",
    ),
    ("ntp", "node01", "", "\n[ntp]\nservers = [\"time.example.net\"]\n"),
    ("log_forward", "node01", "", "\n[logging]\nforward = \"log.example.net\"\n"),
    (
        "nodes.*.kernel_params",
        "node01",
        "\n[node.node01]\n",
        "\n[node.node01]\nkernel_params = [\"console=ttyS1,115200\", \"quiet\"]\n",
    ),
    (
        "nodes.*.interfaces.*.addresses",
        "node01",
        "address.production = \"10.0.200.10\"",
        "address.production = \"10.0.200.15\"",
    ),
    (
        "nodes.*.interfaces.*.mtu",
        "node01",
        "interface.eth1 = { network = \"production\" }",
        "interface.eth1 = { network = \"production\", mtu = 9000 }",
    ),
    (
        "nodes.*.interfaces.*.mac",
        "node01",
        "\n[node.node01]\n",
        "\n[node.node01]\ninterface.eth1 = { network = \"production\", mac = \"3c:ec:ef:00:00:01\" }\n",
    ),
    ("nodes.*.disks", "node01", "S64FNE0R800001_1", "S64FNE0R899001_1"),
    (
        "nodes.*.layout.format",
        "node01",
        "\n[node.node01]\n",
        "\n[node.node01]\ndisk.single = { esp = \"1G\", format = \"xfs\" }\n",
    ),
    ("nodes.*.layout.style", "node01", "\n[node.node01]\n", "\n[node.node01]\ndisk.luks = {}\n"),
    (
        "nodes.*.layout.esp",
        "node01",
        "\n[node.node01]\n",
        "\n[node.node01]\ndisk.single = { esp = \"2G\", format = \"ext4\" }\n",
    ),
    (
        "nodes.*.services.*",
        "node01",
        "\n[node.node01]\n",
        "\n[node.node01]\nservices = [\"chainfire\", \"flaredb\"]\n",
    ),
    ("nodes.*.services.*.settings", "node01", "log_level = \"info\"", "log_level = \"debug\""),
    ("nodes.*.services.*.port", "node01", "", "\n[service.iam]\nport = 8081\n"),
    ("nodes.*.services.*.raft_port", "node01", "", "\n[service.chainfire]\nraft_port = 3380\n"),
    ("nodes.*.hardware.kernel_modules", "node01", "hardware = \"dell-r640\"", "hardware = \"dell-r650\""),
    ("nodes.*.hardware.cpu", "node01", "hardware = \"dell-r640\"", "hardware = \"generic\""),
    ("nodes.*.serial", "node01", "CN7475139H0023", "CN7475139H0029"),
    ("nodes.*.rack", "node01", "\n[node.node01]\n", "\n[node.node01]\nrack = \"r1\"\n"),
    ("nodes.*.mac", "node01", "52:54:00:12:34:56", "52:54:00:12:34:66"),
    ("nodes.*.bmc.address", "node01", "10.0.10.50", "10.0.10.59"),
    ("nodes.*.firmware", "node01", "\n[node.node01]\n", "\n[node.node01]\nfirmware = \"bios\"\n"),
    (
        "nodes.*",
        "node01",
        "",
        "\n[node.node09]\nprofile = \"control-plane\"\nmac = \"3c:ec:ef:00:00:09\"\naddress.provisioning = \"10.0.100.59\"\naddress.production = \"10.0.200.19\"\ndisks = [\"/dev/disk/by-id/nvme-EXAMPLE_9\"]\nserial = \"CN7475139H0099\"\n",
    ),
    ("bootstrap", "node04", "\"node03\"]", "\"node03\", \"node04\", \"node05\"]"),
    ("admin_keys", "node01", "admin_keys = [", "admin_keys = [\n  \"KEY\","),
];

/// The least effect of a changed option, by the beginning of its path: what NixOS does with it.
const OPTIONS: &[(&str, Effect)] = &[
    ("/boot/kernelParams", Effect::Reboot),
    ("/boot/initrd", Effect::Reboot),
    ("/boot/kernelModules", Effect::Restart),
    ("/boot/supportedFilesystems", Effect::Reboot),
    ("/boot/kernel/sysctl", Effect::Restart),
    ("/boot/loader", Effect::Reboot),
    ("/boot/swraid", Effect::Restart),
    ("/hardware", Effect::Reboot),
    ("/disko", Effect::Data),
    ("/networking/hostName", Effect::Reboot),
    ("/networking/domain", Effect::Reboot),
    ("/networking/interfaces", Effect::Network),
    ("/networking/vlans", Effect::Network),
    ("/networking/bonds", Effect::Reboot),
    ("/networking/defaultGateway", Effect::Network),
    ("/networking/nameservers", Effect::Restart),
    ("/networking/timeServers", Effect::Restart),
    ("/networking/hosts", Effect::File),
    ("/systemd/network/links", Effect::Reboot),
    ("/systemd/network/networks", Effect::Network),
    ("/systemd/services", Effect::Restart),
    ("/systemd/timers", Effect::Restart),
    ("/services/rsyslogd", Effect::Restart),
    // Their units and files are options of their own.
    ("/services", Effect::Nothing),
    ("/plasmagen", Effect::Nothing),
    ("/environment/etc", Effect::File),
    ("/users", Effect::File),
    ("/system/stateVersion", Effect::Restart),
];

/// Files that the options name and whose texts they do not show.
const FILES: [(&str, Effect); 2] = [("firewall.nft", Effect::Reload), ("cluster-config.json", Effect::File)];

fn apply(text: &str, (key, _, from, to): &Edit) -> String {
    let to = to.replace("KEY", KEY);
    if from.is_empty() {
        return text.to_owned() + &to;
    }
    if from.starts_with("interface") {
        return text.replace(from, &to);
    }
    // The last network of the inventory is the cluster's.
    let at = text.rfind(from).unwrap_or_else(|| panic!("{key}: {from}"));
    text[..at].to_owned() + &to + &text[at + from.len()..]
}

/// Renders the inventory `text` and copies the directory of `node` to `dir`.
fn write(text: &str, node: &str, dir: &Path) {
    let checked = check(text.as_bytes()).unwrap();
    let cluster = checked.cluster.unwrap_or_else(|| panic!("{:#?}", checked.diagnostics));
    let nodes = cluster.nodes.iter().map(|node| (node.name.clone(), format!("that of {}\n", node.fqdn)));
    let certificates =
        Certificates { ca: Some("the CA\n".to_owned()), nodes: nodes.collect(), ..Certificates::default() };
    let mut host_keys = HostKeys::default();
    for node in &cluster.nodes {
        host_keys.set(node, PublishedHostKey::made(host_key(node.fqdn.as_str())));
    }
    let plan = Plan { cluster, certificates, host_keys, zones: Zones::default() };
    let rendered = tempfile::tempdir().unwrap();
    render_into(&plan, rendered.path());
    let from = rendered.path().join(format!("nodes/{node}.example.com"));
    fs::create_dir(dir).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), dir.join(entry.file_name())).unwrap();
    }
}

/// Lists the options that differ.
fn list_options(at: &str, old: &Value, new: &Value, found: &mut BTreeSet<String>) {
    match (old, new) {
        (Value::Object(olds), Value::Object(news)) => {
            for key in olds.keys().chain(news.keys()).collect::<BTreeSet<_>>() {
                let [old, new] = [olds, news].map(|of| of.get(key).unwrap_or(&Value::Null));
                list_options(&format!("{at}/{key}"), old, new, found);
            }
        }
        _ if old != new => drop(found.insert(at.to_owned())),
        _ => {}
    }
}

/// The effect of the options and files that differ between two configurations of a node.
fn effect_of(old: &Value, new: &Value, dirs: [&Path; 2]) -> (Effect, BTreeSet<String>) {
    let mut found = BTreeSet::new();
    list_options("", old, new, &mut found);
    let mut effect = Effect::Nothing;
    for option in &found {
        let row = OPTIONS.iter().find(|(start, _)| option.starts_with(start));
        let (_, mut least) = *row.unwrap_or_else(|| panic!("what does NixOS do with {option}?"));
        // disko divides no disk of an installed machine: sizes count at the next installation.
        if option.starts_with("/disko") && option.ends_with("/size") {
            least = Effect::Nothing;
        }
        // switch-to-configuration leaves such units alone.
        let service = option.strip_prefix("/systemd/services/").and_then(|rest| rest.split('/').next());
        let unit = service.map(|name| &new["systemd"]["services"][name]);
        if unit.is_some_and(|unit| unit["restartIfChanged"] == false) {
            least = Effect::File;
        }
        effect = effect.max(least);
    }
    for (file, least) in FILES {
        if fs::read(dirs[0].join(file)).unwrap() != fs::read(dirs[1].join(file)).unwrap() {
            effect = effect.max(least);
            found.insert(file.to_owned());
        }
    }
    (effect, found)
}

#[test]
fn no_prediction_is_below_what_nixos_does() {
    let reference = fs::read_to_string(repository().join("inventory.toml")).unwrap();
    let mut pairs: Vec<(String, &str, String)> = Vec::new();
    for edit in EDITS {
        pairs.push((edit.0.to_owned(), edit.1, apply(&reference, edit)));
    }
    // Several changes at once, as far as they fit together.
    let of_node = |edit: &&Edit| edit.1 == "node01" && !edit.2.is_empty() && !edit.2.contains("[node");
    let single: Vec<&Edit> = EDITS.iter().filter(of_node).collect();
    for window in single.windows(3) {
        let text = window.iter().fold(reference.clone(), |text, edit| apply_if_there(&text, edit));
        pairs.push((window.iter().map(|edit| edit.0).collect::<Vec<_>>().join(" and "), "node01", text));
    }
    let is_refused = |text: &str| check(text.as_bytes()).unwrap().cluster.is_none();
    let refused: Vec<_> = pairs.iter().filter(|(_, _, text)| is_refused(text)).map(|(key, ..)| key).collect();
    assert!(refused.is_empty(), "{refused:#?}");
    let dir = tempfile::tempdir().unwrap();
    for node in ["node01", "node04"] {
        write(&reference, node, &dir.path().join(node));
    }
    for (number, (_, node, text)) in pairs.iter().enumerate() {
        write(text, node, &dir.path().join(format!("pair{number}")));
    }
    let all = nix::evaluate(dir.path());
    let cluster = |text: &str| check(text.as_bytes()).unwrap().cluster.unwrap();
    let (old, mut misses, mut figures) = (cluster(&reference), Vec::new(), BTreeMap::<&str, usize>::new());
    for (number, (key, node, text)) in pairs.iter().enumerate() {
        let change = compare(&old, &cluster(text)).unwrap();
        let name = format!("pair{number}");
        let dirs = [dir.path().join(node), dir.path().join(&name)];
        let (computed, options) = effect_of(&all[node], &all[&name], [&dirs[0], &dirs[1]]);
        let predicted = change.effect_on(node);
        if number < EDITS.len() {
            let keys: BTreeSet<&str> =
                change.differences.iter().map(|found| found.pattern.as_str()).collect();
            assert!(keys.contains(key.as_str()), "{key} did not change: {keys:?}");
        }
        *figures.entry(if predicted == computed { "equal" } else { "above" }).or_default() += 1;
        if predicted < computed {
            misses.push(format!("{key}: predicted {predicted:?}, NixOS does {computed:?}: {options:?}"));
        }
    }
    println!("{} rows, {} pairs: {figures:?}", EDITS.len(), pairs.len());
    assert!(misses.is_empty(), "{misses:#?}");
}

/// Applies `edit` where an edit before it has left its text.
fn apply_if_there(text: &str, edit: &Edit) -> String {
    if text.contains(edit.2) { apply(text, edit) } else { text.to_owned() }
}
