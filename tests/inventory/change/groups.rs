//! The Raft groups that a change touches, and which machine stands behind a name.

use plasmagen::change::{Change, Effect, Flag, Party, Way, compare};

use super::{cluster_of, text_of};

/// The change from the reference with the replacements `before` to that with the replacements `after`, each in the first place
/// of its text.
fn change(before: &[(&str, &str)], after: &[(&str, &str)]) -> Change {
    let edit = |edits: &[(&str, &str)]| {
        edits.iter().fold(text_of("reference"), |text, (from, to)| {
            assert!(text.contains(from), "{from}");
            text.replacen(from, to, 1)
        })
    };
    compare(&cluster_of(&edit(before)), &cluster_of(&edit(after))).unwrap()
}

/// The ways out of the effects on the node `name`.
fn ways(change: &Change, name: &str) -> Vec<Way> {
    let of_node = change.iter().filter(|found| found.who == Party::Node(name.to_owned()));
    let mut ways: Vec<Way> = of_node.map(|found| found.way).filter(|way| *way != Way::Switch).collect();
    ways.sort_unstable();
    ways.dedup();
    ways
}

fn has_flag(change: &Change, name: &str, flag: Flag) -> bool {
    change.iter().any(|found| found.who == Party::Node(name.to_owned()) && found.flags.contains(&flag))
}

fn endangered(change: &Change) -> Vec<&str> {
    let groups = change.memberships.iter().filter(|group| group.is_endangered());
    groups.map(|group| group.service.as_str()).collect()
}

const XFS: [(&str, &str); 3] = [
    ("[node.node01]\n", "[node.node01]\ndisk.single = { format = \"xfs\" }\n"),
    ("[node.node02]\n", "[node.node02]\ndisk.single = { format = \"xfs\" }\n"),
    ("[node.node03]\n", "[node.node03]\ndisk.single = { format = \"xfs\" }\n"),
];

#[test]
fn more_than_one_member_at_once_is_a_danger() {
    let one = change(&[], &XFS[..1]);
    assert_eq!(endangered(&one), [""; 0]);
    assert!(!has_flag(&one, "node01", Flag::Quorum));
    let two = change(&[], &XFS[..2]);
    assert_eq!(endangered(&two), ["chainfire", "flaredb"]);
    assert!(has_flag(&two, "node01", Flag::Quorum) && has_flag(&two, "node02", Flag::Quorum));
    assert!(two.memberships[0].left() >= two.memberships[0].majority());
}

/// Whether members that joined vote is not known: the nodes that formed the group are a majority of their own.
#[test]
fn the_nodes_that_formed_a_group_are_counted_apart() {
    let all = change(&[], &XFS);
    let group = &all.memberships[0];
    assert_eq!((group.voters, group.touched_voters.len()), (3, 3));
    let workers = text_of("reference");
    let start = workers.find("[node.node05]").unwrap();
    let more: String = (6..=7)
        .map(|number| {
            let node = workers[start..].split("\n\n").next().unwrap().to_owned() + "\n\n";
            let node = node
                .replace("node05", &format!("node0{number}"))
                .replace("10.0.100.81", &format!("10.0.100.9{number}"));
            let node = node.replace("10.0.200.21", &format!("10.0.200.6{number}"));
            let mac = node.lines().find(|line| line.starts_with("mac")).unwrap().to_owned();
            let serial = node.lines().find(|line| line.starts_with("serial")).map(str::to_owned);
            let node: String = node
                .lines()
                .filter(|line| !line.starts_with("bmc"))
                .map(|line| format!("{line}\n"))
                .collect();
            let node = node.replace(&mac, &format!("mac = \"3c:ec:ef:00:00:0{number}\""));
            serial
                .map_or(node.clone(), |serial| node.replace(&serial, &format!("serial = \"CN000{number}\"")))
        })
        .collect();
    let more = (&workers[start..start + 14], format!("{more}{}", &workers[start..start + 14]));
    let more = (more.0, more.1.as_str());
    let two = change(&[more], &[more, XFS[0], XFS[1]]);
    let group = &two.memberships[0];
    assert_eq!((group.members, group.left(), group.majority()), (7, 5, 4));
    assert!(group.loses_majority(), "{group:?}");
}

#[test]
fn each_service_with_a_group_is_counted() {
    // FlareDB on the voters only.
    let workers = ("\"chainfire\", \"flaredb\", \"plasmavmc\"", "\"chainfire\", \"plasmavmc\"");
    let old = text_of("reference");
    assert!(old.contains(workers.0), "{old}");
    let two = change(&[workers], &[workers, XFS[0], XFS[1]]);
    let flaredb = two.memberships.iter().find(|group| group.service == "flaredb").unwrap();
    assert_eq!((flaredb.members, flaredb.left()), (3, 1));
    assert!(flaredb.loses_majority());
    // A member of FlareDB alone.
    let only = ("\"chainfire\", \"flaredb\", \"plasmavmc\"", "\"flaredb\", \"plasmavmc\"");
    let moved = ("10.0.200.21", "10.0.200.29");
    let moved = change(&[only], &[only, moved]);
    assert_eq!(ways(&moved, "node05"), [Way::Rejoin]);
    assert!(
        moved.memberships.iter().any(|group| group.service == "flaredb" && group.touched.contains("node05"))
    );
}

/// node05 has disks with the kernel's names only.
#[test]
fn another_machine_under_an_old_name_has_none_of_its_data() {
    let text = text_of("reference");
    let node = &text[text.find("[node.node05]").unwrap()..];
    let value = |key: &str| {
        let line = node.lines().find(|line| line.starts_with(key)).unwrap();
        line.split('"').nth(1).unwrap().to_owned()
    };
    let (mac, serial) = (value("mac"), value("serial"));
    let (mac_edit, serial_edit) = ((mac.as_str(), "3c:ec:ef:00:00:77"), (serial.as_str(), "CN7475139H0777"));
    let is_lost = |edits: &[(&str, &str)]| {
        let change = change(&[], edits);
        let is_lost = change.effect_on("node05") == Effect::Data;
        assert_eq!(
            is_lost,
            change.memberships.iter().all(|group| group.touched.contains("node05")),
            "{edits:?}"
        );
        assert_eq!(is_lost, has_flag(&change, "node05", Flag::Identity), "{edits:?}");
        assert_eq!(is_lost, ways(&change, "node05") == [Way::Install], "{edits:?}");
        is_lost
    };
    assert!(is_lost(&[mac_edit, serial_edit]));
    assert!(is_lost(&[serial_edit]));
    // Another NIC in the same machine.
    assert!(!is_lost(&[mac_edit]));
    // The disks of node01 are known by their serial numbers: they are the old ones in another chassis.
    let board =
        change(&[], &[("CN7475139H0023", "CN7475139H0777"), ("52:54:00:12:34:56", "3c:ec:ef:00:00:77")]);
    assert_ne!(board.effect_on("node01"), Effect::Data);
}

/// The machine counts, and then the name.
#[test]
fn a_machine_with_the_name_of_another_one_is_renamed() {
    let swapped = [
        ("52:54:00:12:34:56", "TEMP_A"),
        ("52:54:00:12:34:57", "52:54:00:12:34:56"),
        ("TEMP_A", "52:54:00:12:34:57"),
        ("CN7475139H0023", "TEMP_B"),
        ("CN7475139H0024", "CN7475139H0023"),
        ("TEMP_B", "CN7475139H0024"),
    ];
    let change = change(&[], &swapped);
    let mut renamed = change.renamed.clone();
    renamed.sort_unstable();
    let name = |old: &str, new: &str| (old.to_owned(), new.to_owned());
    assert_eq!(renamed, [name("node01", "node02"), name("node02", "node01")]);
    for node in ["node01", "node02"] {
        assert_eq!(change.effect_on(node), Effect::Data);
    }
    assert_eq!(endangered(&change), ["chainfire", "flaredb"]);
}

#[test]
fn data_that_is_out_of_reach_is_moved_and_not_erased() {
    let settings = "[service.chainfire.settings]\n";
    let dir = |value: &str| format!("{settings}data_dir = \"{value}\"\n");
    let (other, default) = (dir("/srv/chainfire"), dir("/var/lib/chainfire"));
    let inner = format!("{settings}storage.data_dir = \"/srv/chainfire\"\n");
    for text in [&other, &inner] {
        let change = change(&[], &[(settings, text)]);
        assert_eq!(
            (change.effect_on("node01"), ways(&change, "node01")),
            (Effect::Data, vec![Way::MoveData])
        );
    }
    assert_eq!(change(&[], &[(settings, &default)]).effect_on("node01"), Effect::Restart);
    let node = "[node.node01]\n";
    let lvm = |volumes: &str| format!("{node}disk.lvm = {{ {volumes} }}\n");
    let (plain, data) = (lvm(""), lvm("volume.data = { size = \"10G\", mount = \"/var/lib/chainfire\" }"));
    let xfs = lvm("volume.data = { size = \"10G\", mount = \"/var/lib/chainfire\", format = \"xfs\" }");
    let elsewhere = lvm("volume.data = { size = \"10G\", mount = \"/srv/data\" }");
    for (old, new, effect, way) in [
        (&plain, &data, Effect::Data, Way::MoveData),
        (&data, &xfs, Effect::Data, Way::MoveData),
        (&data, &plain, Effect::Data, Way::MoveData),
        (&data, &elsewhere, Effect::Data, Way::MoveData),
        (&plain, &elsewhere, Effect::Unbootable, Way::Prepare),
    ] {
        let change = change(&[(node, old)], &[(node, new)]);
        assert_eq!((change.effect_on("node01"), ways(&change, "node01")), (effect, vec![way]), "{old} {new}");
        let is_touched = change.memberships.iter().any(|group| group.touched.contains("node01"));
        assert_eq!(is_touched, effect == Effect::Data, "{old} {new}");
    }
}

#[test]
fn a_mirror_is_a_set_of_disks() {
    let node = text_of("reference");
    let at = node.find("[node.node04]").unwrap();
    let line = node[at..].lines().find(|line| line.starts_with("disks")).unwrap();
    let disks: Vec<&str> = line.split('"').skip(1).step_by(2).collect();
    let turned = format!("disks = [\"{}\", \"{}\"]", disks[1], disks[0]);
    assert_eq!(change(&[], &[(line, &turned)]).effect_on("node04"), Effect::Restart);
    let exchanged = format!("disks = [\"{}\", \"/dev/disk/by-id/nvme-EXAMPLE_9\"]", disks[0]);
    let exchanged = change(&[], &[(line, &exchanged)]);
    assert_eq!(
        (exchanged.effect_on("node04"), ways(&exchanged, "node04")),
        (Effect::Unbootable, vec![Way::Prepare])
    );
    assert!(exchanged.memberships.iter().all(|group| group.touched.is_empty()));
}

#[test]
fn a_way_in_that_follows_from_the_networks_is_told() {
    let change = change(&[], &[("subnet = \"10.0.10.0/24\"", "subnet = \"10.0.0.0/20\"")]);
    assert!(!has_flag(&change, "node01", Flag::LockOut), "{:#?}", change.consequences);
    let text = text_of("reference");
    let moved = text.replace("10.0.10.", "10.0.11.");
    let moved = compare(&cluster_of(&text), &cluster_of(&moved)).unwrap();
    assert!(has_flag(&moved, "node01", Flag::LockOut), "{:#?}", moved.consequences);
    assert!(
        moved.iter().any(|found| found.text == "SSH is closed to 10.0.10.0/24"),
        "{:#?}",
        moved.consequences
    );
}
