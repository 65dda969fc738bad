//! Nodes and networks that are added, removed and replaced in the text of an inventory: what is not meant stays, byte
//! for byte.

use std::fs;
use std::net::IpAddr;

use ipnet::IpNet;
use plasmagen::check::check;
use plasmagen::edit::{
    Addition, NewHardware, NewNetwork, NewNode, NotEditable, RemoveRequest, add_network, add_nodes,
    list_nodes, remove_nodes, replace_node, toml_string,
};
use plasmagen::inventory::parse;
use plasmagen::model::{Cluster, DiskId, HostName, Label, MacAddr, Node, Role, SerialNumber, Word};
use proptest::prelude::*;

const REFERENCE: &str = include_str!("../../inventory.toml");

/// Somebody's public key.
const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIL845TiWoOe2XrCMNfJUqPLN1eh7VXS0D1UnHilzay57 ops@example.com";

/// All golden inventories, and the reference, by name.
fn goldens() -> Vec<(String, String)> {
    let paths =
        fs::read_dir("tests/golden").unwrap().map(|entry| entry.unwrap().path().join("inventory.toml"));
    let paths = paths.chain(["inventory.toml".into(), "templates/init/inventory.toml".into()]);
    let read = |path: std::path::PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let placeholder = "  # \"ssh-ed25519 AAAA… you@example.com\", as in ~/.ssh/id_ed25519.pub";
        let text = text.replace(placeholder, &format!("  \"{KEY}\","));
        (path.display().to_string(), text)
    };
    paths.map(read).collect()
}

fn cluster(text: &str) -> Cluster {
    let checked = check(text.as_bytes()).unwrap();
    checked.cluster.unwrap_or_else(|| panic!("{:#?}", checked.diagnostics))
}

/// A free address near the end of `subnet`.
fn address_in(subnet: IpNet) -> IpAddr {
    match subnet {
        IpNet::V4(net) => (u32::from(net.broadcast()) - 5).to_be_bytes().into(),
        IpNet::V6(net) => IpAddr::V6((u128::from(net.network()) + 0xfff0).into()),
    }
}

/// A node like `peer`: with facts for everything that `peer` has facts for, and addresses in the same networks.
fn like(cluster: &Cluster, peer: &Node, name: &str) -> NewNode {
    let mac = |last: u8| MacAddr::parse(&format!("3c:ec:ef:99:99:{last:02x}")).unwrap();
    let disk = |number: usize| DiskId::parse(&format!("/dev/disk/by-id/ata-NEW_{number}")).unwrap();
    let mut addresses = Vec::new();
    for interface in &peer.interfaces {
        let Some(network) = &interface.network else { continue };
        let of_peer = |subnet: &IpNet| interface.addresses.iter().any(|address| subnet.contains(address));
        let subnets = cluster.networks[network].subnets().filter(of_peer);
        addresses.extend(subnets.map(|subnet| (network.to_string(), address_in(subnet))));
    }
    // The layout may be the peer's alone.
    let profile = cluster.nodes.iter().filter(|node| node.profile == peer.profile);
    let count = profile.map(|node| node.disks.len()).max().unwrap();
    let bound = peer.interfaces.iter().enumerate().filter(|(_, interface)| interface.mac.is_some());
    NewNode {
        name: Some(HostName::parse(name).unwrap()),
        profile: peer.profile.to_string(),
        mac: Some(mac(0)),
        interface_macs: bound
            .map(|(at, interface)| (interface.device.to_string(), mac(at as u8 + 1)))
            .collect(),
        serial: Some(SerialNumber::parse("SN9999").unwrap()),
        disks: (0..count).map(disk).collect(),
        addresses,
        ..NewNode::default()
    }
}

fn remove(text: &str, name: &str, never_installed: bool) -> String {
    let names = vec![HostName::parse(name).unwrap()];
    remove_nodes(text.as_bytes(), &RemoveRequest { names, never_installed, voters: false }).unwrap().text
}

/// The ways in which a text may be written otherwise, with the same meaning.
fn variants(text: &str) -> Vec<String> {
    let unended = text.trim_end().to_owned();
    vec![text.to_owned(), text.replace('\n', "\r\n"), unended.replace('\n', "\r\n"), unended]
}

#[test]
fn a_node_that_is_added_and_removed_leaves_the_bytes_as_they_were() {
    let mut tried = 0;
    for (path, golden) in goldens() {
        for text in variants(&golden) {
            let cluster = cluster(&text);
            for peer in &cluster.nodes {
                let added = add_nodes(text.as_bytes(), &[like(&cluster, peer, "zz01")]);
                if peer.profile.as_str() == "storage" {
                    // Each node of the profile has a layout of its own, which nobody can guess.
                    let refused = format!("{:#}", added.unwrap_err());
                    assert!(refused.contains("`storage` has no disk layout"), "{refused}");
                    continue;
                }
                let added = added.unwrap_or_else(|error| panic!("{path}, like {}: {error:#}", peer.name));
                assert!(added.missing.is_empty(), "{path}: {:#?}", added.missing);
                assert!(added.text.len() > text.len() && added.text.contains("SN9999"), "{path}");
                assert_eq!(added.text.ends_with('\n'), text.ends_with('\n'), "{path}");
                assert_eq!(added.text.contains('\r'), text.contains('\r'), "{path}");
                assert!(!added.text.replace("\r\n", "").contains('\r'));
                assert_eq!(remove(&added.text, "zz01", true), text, "{path}, like {}", peer.name);
                // The name stays known, in one line or one item more.
                let removed = remove(&added.text, "zz01", false);
                let lines: Vec<_> = similar_lines(&text, &removed);
                assert!(lines.iter().all(|line| line.contains("removed = ")), "{path}: {lines:#?}");
                assert!(removed.contains("\"zz01\""));
                tried += 1;
            }
        }
    }
    assert!(tried > 80, "{tried}");
}

/// The lines of one text that the other has not.
fn similar_lines(one: &str, other: &str) -> Vec<String> {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let (one, other) = (lines(one), lines(other));
    one.iter()
        .filter(|line| !other.contains(line))
        .chain(other.iter().filter(|line| !one.contains(line)))
        .cloned()
        .collect()
}

/// A value on one line.
fn printed(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => toml_string(text),
        toml::Value::Integer(number) => number.to_string(),
        toml::Value::Boolean(truth) => truth.to_string(),
        toml::Value::Array(items) => {
            format!("[{}]", items.iter().map(printed).collect::<Vec<_>>().join(", "))
        }
        toml::Value::Table(table) => {
            let pairs = table.iter().map(|(key, value)| format!("{key} = {}", printed(value)));
            format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", "))
        }
        other => panic!("{other:?}"),
    }
}

/// The nodes of `text`, which are written with headers, in another form.
fn rewritten(text: &str, form: &str) -> String {
    let values: toml::Table = text.parse().unwrap();
    let start = text.find("[node.").unwrap();
    let mut head = text[..start].to_owned();
    let nodes = values["node"].as_table().unwrap();
    match form {
        "inline" => {
            head += "[node]\n";
            nodes.iter().for_each(|(name, node)| head += &format!("{name} = {}\n", printed(node)));
        }
        "root" => {
            let lines: String =
                nodes.iter().map(|(name, node)| format!("node.{name} = {}\n", printed(node))).collect();
            head = head.replacen("schema = 1\n", &format!("schema = 1\n{lines}"), 1);
        }
        "dotted" => {
            head += "[node]\n";
            for (name, node) in nodes {
                let keys = node.as_table().unwrap();
                keys.iter().for_each(|(key, value)| head += &format!("{name}.{key} = {}\n", printed(value)));
            }
        }
        "whole" => {
            head = head.replacen(
                "schema = 1\n",
                &format!("schema = 1\nnode = {}\n", printed(&values["node"])),
                1,
            );
        }
        other => panic!("{other}"),
    }
    head
}

#[test]
fn nodes_on_a_line_each_and_dotted_nodes_are_edited_as_they_are_written() {
    for (form, start) in [("inline", "zz01 = { "), ("root", "node.zz01 = { "), ("dotted", "zz01.profile = ")]
    {
        for (path, golden) in goldens() {
            for text in variants(&rewritten(&golden, form)) {
                let cluster = cluster(&text);
                let peer = &cluster.nodes[0];
                let added = add_nodes(text.as_bytes(), &[like(&cluster, peer, "zz01")]).unwrap();
                assert!(
                    added.text.lines().any(|line| line.starts_with(start)),
                    "{path}, {form}: {}",
                    added.block
                );
                assert_eq!(remove(&added.text, "zz01", true), text, "{path}, {form}");
            }
        }
    }
}

#[test]
fn a_form_that_is_not_edited_is_refused_with_the_lines_to_paste() {
    let text = rewritten(REFERENCE, "whole");
    let cluster = cluster(&text);
    let error = add_nodes(text.as_bytes(), &[like(&cluster, &cluster.nodes[0], "zz01")]).unwrap_err();
    let form = error.downcast_ref::<NotEditable>().unwrap();
    assert!(form.block.starts_with("[node.zz01]\nprofile = \"control-plane\"\nmac = "), "{}", form.block);
}

/// A node of the reference's profile `worker`, of which nothing is known.
fn worker() -> NewNode {
    NewNode { profile: "worker".to_owned(), ..NewNode::default() }
}

fn add_to_reference(node: NewNode) -> Addition {
    add_nodes(REFERENCE.as_bytes(), &[node]).unwrap()
}

#[test]
fn a_node_gets_the_next_name_and_the_next_addresses_and_nothing_is_made_up() {
    let added = add_to_reference(worker());
    let expected = "\
[node.node06]
profile = \"worker\"
address.provisioning = \"10.0.100.82\"
address.production = \"10.0.200.22\"
";
    assert_eq!(added.block, expected);
    let missing: Vec<_> = added.missing.iter().map(|fault| fault.message.as_str()).collect();
    assert_eq!(missing.len(), 3, "{missing:?}");
    assert!(
        missing.iter().any(|message| message.contains("mac"))
            && missing.iter().any(|message| message.contains("disks"))
    );
    // The next run goes on after an inventory with errors.
    let again = add_nodes(added.text.as_bytes(), &[worker()]).unwrap();
    assert!(
        again.block.starts_with("[node.node07]\n") && again.block.contains("10.0.100.83"),
        "{}",
        again.block
    );
}

#[test]
fn the_address_of_the_bmc_is_the_next_of_its_range_and_the_rest_as_at_the_others() {
    let range = "subnet = \"10.0.10.0/24\"\nrange.worker = \"10.0.10.54-10.0.10.58\"";
    let text = REFERENCE.replace("subnet = \"10.0.10.0/24\"", range);
    let added = add_nodes(text.as_bytes(), &[worker(), worker()]).unwrap();
    let bmc = "bmc = { address = \"10.0.10.56\", user = \"admin\", password_file = \"bmc/node06\", protocol = \"ipmi\" }\n";
    assert!(added.block.contains(bmc), "{}", added.block);
    let left = &added.left["worker"];
    assert_eq!(
        left.iter().map(|(network, _, left)| (network.as_str(), *left)).collect::<Vec<_>>(),
        [("management", 1), ("production", 76), ("provisioning", 16)]
    );
}

#[test]
fn names_that_were_removed_and_addresses_that_are_taken_are_left_out() {
    let text = REFERENCE
        .replace("formed = false ", "removed = [\"node06\"]\nformed = false ")
        .replace("dns = [\"10.0.200.1\", \"8.8.8.8\"]", "dns = [\"10.0.200.22\", \"8.8.8.8\"]")
        .replace("10.0.100.81", "10.0.100.82");
    let added = add_nodes(text.as_bytes(), &[worker(), worker()]).unwrap();
    assert_eq!(added.nodes[0].name, "node07");
    let addresses =
        |at: usize| added.nodes[at].addresses.iter().map(|one| one.1.to_string()).collect::<Vec<_>>();
    // 10.0.200.22 is a resolver's.
    assert_eq!(addresses(0), ["10.0.100.81", "10.0.200.23"]);
    assert_eq!(addresses(1), ["10.0.100.83", "10.0.200.24"]);
}

#[test]
fn what_cannot_be_added_is_refused_with_the_reason() {
    let named = |name: &str| NewNode { name: Some(HostName::parse(name).unwrap()), ..worker() };
    let at = |address: &str| NewNode {
        addresses: vec![("provisioning".to_owned(), address.parse().unwrap())],
        ..worker()
    };
    let full = REFERENCE.replace("10.0.100.80-10.0.100.99", "10.0.100.80-10.0.100.81");
    let bare = REFERENCE.replace("range.worker = \"10.0.200.20-10.0.200.99\"\n", "");
    let removed = REFERENCE.replace("formed = false ", "removed = [\"node06\"]\nformed = false ");
    for (text, node, words) in [
        (REFERENCE, named("node02"), &["there is a node `node02` already"][..]),
        (&removed, named("node06"), &["`node06` is in `removed`", "PG-G06"]),
        (
            &full,
            worker(),
            &[
                "10.0.100.80-10.0.100.81 of `worker`",
                "full, held by `node04`, `node05`",
                "left are 78 in 10.0.200.20-10.0.200.99 of `production`",
            ],
        ),
        (
            &bare,
            worker(),
            &[
                "`production` has no range for the profile `worker`",
                "range.worker",
                "--address production=ADDRESS",
            ],
        ),
        (REFERENCE, at("10.0.100.50"), &["10.0.100.50 belongs to `node01`"]),
        (REFERENCE, at("10.0.100.120"), &["belongs to the pool"]),
        (REFERENCE, at("10.0.7.1"), &["PG-C01", "Nothing was written"]),
        (
            REFERENCE,
            NewNode { profile: "wrker".to_owned(), ..named("x1") },
            &["no profile `wrker`", "control-plane, worker"],
        ),
        ("node = [", worker(), &["not TOML", "plasmagen check"]),
    ] {
        let error = format!("{:#}", add_nodes(text.as_bytes(), &[node]).unwrap_err());
        assert!(words.iter().all(|word| error.contains(word)), "{error}");
    }
}

#[test]
fn comments_of_sections_stay_when_the_first_node_of_the_section_goes() {
    let text = remove(REFERENCE, "node04", false);
    let comment = "allow = [\"PG-D04\"]\n\n# The workers join the cluster that the three above have formed.\n\n[node.node05]\n";
    assert!(text.contains(comment), "{text}");
    assert!(text.contains("no node forms another one then\nremoved = [\"node04\"]\nsystem ="), "{text}");
    // A comment directly above a table, or directly below, is about that table.
    let glued = REFERENCE.replace("[node.node05]", "# slow disks\n[node.node05]");
    assert!(!remove(&glued, "node05", false).contains("slow disks"));
    let before = REFERENCE.replace("\n[node.node05]", "# node04 is old\n\n# loose\n\n[node.node05]");
    let after = remove(&before, "node04", false);
    assert!(!after.contains("is old") && after.contains("# loose\n\n[node.node05]"), "{after}");
}

#[test]
fn a_voter_is_removed_only_with_the_option_and_an_odd_rest() {
    let request = |names: &[&str], voters| RemoveRequest {
        names: names.iter().map(|name| HostName::parse(name).unwrap()).collect(),
        voters,
        never_installed: false,
    };
    let refuse = |names: &[&str], voters| {
        format!("{:#}", remove_nodes(REFERENCE.as_bytes(), &request(names, voters)).unwrap_err())
    };
    assert!(refuse(&["node02"], false).contains("`node02` is a voter"));
    assert!(refuse(&["node02"], true).contains("2 of 3 voters would be left"));
    assert!(refuse(&["nod02"], true).contains("did you mean `node02`?"));
    // One voter is too few where `single` does not say so.
    assert!(refuse(&["node02", "node03"], true).contains("PG-G03"));
    let single = REFERENCE.replace("formed = false ", "single = true\nformed = false ");
    let removal = remove_nodes(single.as_bytes(), &request(&["node02", "node03"], true)).unwrap();
    assert!(removal.text.contains("bootstrap = [\"node01\"] # the first Raft voters\n"), "{}", removal.text);
    assert_eq!(removal.voters, ["node02", "node03"]);
    assert_eq!(removal.memberships, ["chainfire", "flaredb"]);
}

/// The facts of a machine.
fn hardware(interfaces: &[(&str, &str)]) -> NewHardware {
    NewHardware {
        mac: MacAddr::parse("3c:ec:ef:00:00:77").unwrap(),
        serial: Some(SerialNumber::parse("SN77").unwrap()),
        disks: vec![DiskId::parse("/dev/disk/by-id/nvme-NEW_77_1").unwrap()],
        interface_macs: interfaces
            .iter()
            .map(|(name, mac)| ((*name).to_owned(), MacAddr::parse(mac).unwrap()))
            .collect(),
        bmc_mac: None,
    }
}

fn replace(text: &str, name: &str, hardware: &NewHardware) -> anyhow::Result<String> {
    Ok(replace_node(text.as_bytes(), &HostName::parse(name).unwrap(), hardware)?.text)
}

#[test]
fn other_hardware_takes_the_place_of_the_old_and_nothing_else_changes() {
    let text = replace(REFERENCE, "node01", &hardware(&[])).unwrap();
    let lines = similar_lines(REFERENCE, &text);
    assert_eq!(
        lines[3..],
        [
            "mac = \"3c:ec:ef:00:00:77\" # the NIC that PXE-boots",
            "disks = [\"/dev/disk/by-id/nvme-NEW_77_1\"]",
            "serial = \"SN77\" # the installer's console warns when the machine has another serial number",
        ]
    );
    // A key that was missing, in each form.
    let (bare, whole) =
        (REFERENCE.replace("serial = \"S329745X9B01235\"\n", ""), NewHardware { ..hardware(&[]) });
    let added = replace(&bare, "node05", &whole).unwrap();
    assert!(added.contains("allow = [\"PG-D04\", \"PG-F01\"]\nserial = \"SN77\"\n"), "{added}");
    for form in ["inline", "dotted", "root"] {
        let text = replace(&rewritten(&bare, form), "node05", &whole).unwrap();
        assert_eq!(
            cluster(&text)
                .node(&HostName::parse("node05").unwrap())
                .unwrap()
                .serial
                .as_ref()
                .unwrap()
                .as_str(),
            "SN77"
        );
    }
}

/// The BMC of the old machine would be given the address of the new one's, and what may be kept is said.
#[test]
fn the_bmc_of_the_old_machine_does_not_stay_and_what_stays_is_said() {
    let old = "3c:ec:ef:10:00:01";
    let bmc = |mac: &str| {
        format!("bmc = {{ address = \"10.0.10.50\", mac = \"{mac}\", password_file = \"bmc/node01\" }}")
    };
    let at = REFERENCE.find("[node.node01]").unwrap();
    let (head, tail) = REFERENCE.split_at(at);
    let line = tail.lines().find(|line| line.starts_with("bmc = ")).unwrap();
    let text = format!("{head}{}", tail.replacen(line, &bmc(old), 1));
    let name = HostName::parse("node01").unwrap();
    let given = NewHardware { bmc_mac: Some(MacAddr::parse("3c:ec:ef:10:00:77").unwrap()), ..hardware(&[]) };
    let refused = |text: &str, hardware: &NewHardware| {
        format!("{:#}", replace_node(text.as_bytes(), &name, hardware).unwrap_err())
    };
    assert!(refused(&text, &hardware(&[])).contains("give --bmc-mac"));
    assert!(refused(REFERENCE, &given).contains("leave --bmc-mac out"));
    let replaced = replace_node(text.as_bytes(), &name, &given).unwrap();
    assert!(
        replaced.text.contains(&bmc("3c:ec:ef:10:00:77")) && !replaced.text.contains(old),
        "{}",
        replaced.text
    );
    let kept = replaced.kept.join(", ");
    assert!(kept.contains("bmc.password_file") && kept.contains("allow PG-D04"), "{kept}");
    // A machine that runs is no other machine.
    let node = cluster(REFERENCE).node(&name).unwrap().clone();
    let same = "plasmagen render --same-machine node01";
    assert!(refused(REFERENCE, &NewHardware { mac: node.mac, ..hardware(&[]) }).contains(same));
    assert!(refused(REFERENCE, &NewHardware { disks: node.disks.clone(), ..hardware(&[]) }).contains(same));
}

#[test]
fn facts_of_the_old_machine_do_not_stay() {
    let nameless = NewHardware { serial: None, ..hardware(&[]) };
    let refused = |text: &str, name: &str, hardware: &NewHardware| {
        format!("{:#}", replace(text, name, hardware).unwrap_err())
    };
    assert!(refused(REFERENCE, "node01", &nameless).contains("--serial"));
    let bonds = fs::read_to_string("tests/golden/bonds-and-vlans/inventory.toml").unwrap();
    let two = NewHardware {
        disks: vec![
            DiskId::parse("/dev/disk/by-id/ata-A").unwrap(),
            DiskId::parse("/dev/disk/by-id/ata-B").unwrap(),
        ],
        ..hardware(&[("lan1", "3c:ec:ef:00:00:78"), ("lan2", "3c:ec:ef:00:00:79")])
    };
    assert!(
        refused(&bonds, "r1n1", &hardware(&[("lan1", "3c:ec:ef:00:00:78")]))
            .contains("--interface-mac lan2=MAC")
    );
    assert!(
        refused(REFERENCE, "node01", &hardware(&[("eth7", "3c:ec:ef:00:00:78")]))
            .contains("binds no MAC address to an interface `eth7`")
    );
    // In an inline table and as a dotted key.
    let text = replace(&bonds, "r1n1", &two).unwrap();
    assert!(text.contains("interface.lan1 = { mac = \"3c:ec:ef:00:00:78\", mtu = 9000 }\ninterface.lan2.mac = \"3c:ec:ef:00:00:79\"\n"), "{text}");
    // The machine of another node.
    let known = NewHardware { mac: MacAddr::parse("52:54:00:12:34:57").unwrap(), ..hardware(&[]) };
    assert!(
        refused(REFERENCE, "node01", &known).contains("PG-D05"),
        "{}",
        refused(REFERENCE, "node01", &known)
    );
}

fn storage() -> NewNetwork {
    NewNetwork {
        name: Label::parse("storage").unwrap(),
        roles: vec![Role::Client],
        subnets: vec!["10.0.60.0/24".parse().unwrap()],
        vlan: Some(60),
        gateways: Vec::new(),
        dns: Vec::new(),
        domain: None,
        pools: Vec::new(),
        ranges: vec![(
            "worker".to_owned(),
            plasmagen::model::Range {
                first: "10.0.60.20".parse().unwrap(),
                last: "10.0.60.99".parse().unwrap(),
            },
        )],
    }
}

#[test]
fn a_network_is_put_behind_the_last_one() {
    let added = add_network(REFERENCE.as_bytes(), &storage()).unwrap();
    let expected = "[network.storage]\nroles = [\"client\"]\nvlan = 60\nsubnet = \"10.0.60.0/24\"\nrange.worker = \"10.0.60.20-10.0.60.99\"\n";
    assert_eq!(added.block, expected);
    assert_eq!(added.text, REFERENCE.replace("\n[vip]\n", &format!("\n{expected}\n[vip]\n")));
    assert!(added.needs.iter().any(|need| need.contains("VLAN 60")), "{:?}", added.needs);
    let overlapping = NewNetwork { subnets: vec!["10.0.100.0/25".parse().unwrap()], ..storage() };
    let refused = format!("{:#}", add_network(REFERENCE.as_bytes(), &overlapping).unwrap_err());
    assert!(refused.contains("PG-C07") && refused.contains("Nothing was written"), "{refused}");
    for (path, golden) in goldens() {
        for text in variants(&golden) {
            let network = NewNetwork {
                subnets: vec!["10.77.0.0/24".parse().unwrap()],
                vlan: Some(777),
                ranges: Vec::new(),
                ..storage()
            };
            let added =
                add_network(text.as_bytes(), &network).unwrap_or_else(|error| panic!("{path}: {error:#}"));
            assert_eq!(added.text.ends_with('\n'), text.ends_with('\n'), "{path}");
            assert!(similar_lines(&text, &added.text).len() <= 4, "{path}");
        }
    }
}

#[test]
fn the_list_has_a_column_for_each_key_that_a_node_has() {
    let inventory = parse(REFERENCE, &mut plasmagen::diag::Report::default());
    let list = list_nodes(&inventory, |node| {
        node.profile.as_ref().is_some_and(|profile| profile.value.as_str() == "worker")
    });
    assert_eq!(
        list.columns.join(" "),
        "name profile mac serial disks hardware bmc.address bmc.user bmc.password_file bmc.protocol address.provisioning address.production"
    );
    assert_eq!(list.rows.len(), 2);
    assert_eq!(
        list.rows[0][4],
        ["/dev/disk/by-id/wwn-0x5002538e40a1b2c3", "/dev/disk/by-id/wwn-0x5002538e40a1b2c4"]
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    /// Whatever stands between the tables, an edit and its opposite leave the text as it was.
    #[test]
    fn comments_and_blank_lines_between_tables_survive(
        gaps in proptest::collection::vec("(\n|# [a-z]{0,5}\n|\\[vip6\\]\n|  # x\n){0,4}", 6),
        unended: bool,
    ) {
        let mut text = String::new();
        let mut has_vip6 = false;
        for (at, part) in REFERENCE.split_inclusive("\n[node.").enumerate() {
            if at > 0 {
                let cut = text.len() - "[node.".len();
                let mut gap = gaps[at].clone();
                if has_vip6 { gap = gap.replace("[vip6]\n", ""); } else { gap = gap.replacen("[vip6]\n", "[vip6]@", 1).replace("[vip6]\n", "").replace('@', "\n"); }
                has_vip6 |= gap.contains("[vip6]");
                text.insert_str(cut, &gap);
            }
            text += part;
        }
        if unended { text = text.trim_end().to_owned(); }
        let node = NewNode { name: Some(HostName::parse("zz01").unwrap()), ..worker() };
        for node in [node.clone(), NewNode { profile: "control-plane".to_owned(), ..node }] {
            let added = add_nodes(text.as_bytes(), &[node]).unwrap();
            prop_assert_eq!(&remove(&added.text, "zz01", true), &text);
        }
    }
}
