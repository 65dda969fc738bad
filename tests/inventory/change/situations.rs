//! What single changes of golden inventories do.

use plasmagen::change::{Change, Effect, Flag, Party, compare};

use super::{cluster_of, text_of};

/// The change of replacing `from` by `to` in the inventory of `case`.
fn change(case: &str, from: &str, to: &str) -> Change {
    let old = text_of(case);
    assert!(old.contains(from), "{case}: {from}");
    compare(&cluster_of(&old), &cluster_of(&old.replace(from, to))).unwrap()
}

/// The flags of the consequences for the node `name` with `effect`.
fn flags(change: &Change, name: &str, effect: Effect) -> Vec<Flag> {
    let of_node = change.iter().filter(|found| found.who == Party::Node(name.to_owned()));
    of_node.filter(|found| found.effect == effect).flat_map(|found| found.flags.iter().copied()).collect()
}

#[test]
fn a_layout_is_data_loss_and_a_majority_at_once_is_told() {
    let change = change("reference", "format = \"ext4\" }", "format = \"xfs\" }");
    for node in ["node01", "node02", "node03"] {
        assert_eq!(change.effect_on(node), Effect::Data);
        assert_eq!(flags(&change, node, Effect::Data), [Flag::Quorum]);
    }
    assert_eq!(change.effect_on("node04"), Effect::Nothing);
    let group = &change.memberships[0];
    assert_eq!((group.service.as_str(), group.left(), group.majority()), ("chainfire", 2, 3));
}

#[test]
fn a_renamed_machine_is_one_machine() {
    let change = change("reference", "node02", "node09");
    assert_eq!(change.renamed, [("node02".to_owned(), "node09".to_owned())]);
    assert!(change.added.is_empty() && change.removed.is_empty());
    assert_eq!(change.effect_on("node09"), Effect::Data);
    assert_eq!(flags(&change, "node09", Effect::Data), [Flag::Identity]);
    for group in &change.memberships {
        assert_eq!(group.touched.iter().collect::<Vec<_>>(), ["node09"], "{}", group.service);
    }
}

#[test]
fn a_value_that_moves_to_a_profile_changes_nothing() {
    let old = text_of("reference");
    let moved = old.replace("[node.node01]\n", "[node.node01]\nkernel_params = [\"console=ttyS0,115200\"]\n");
    let change = compare(&cluster_of(&old), &cluster_of(&moved)).unwrap();
    assert!(change.is_empty(), "{:#?}", change.differences);
}

#[test]
fn values_of_settings_are_not_shown() {
    let change = change("reference", "log_level = \"info\"", "log_level = \"hunter2\"");
    assert_eq!(change.effect_on("node01"), Effect::Restart);
    let shown = format!("{:?}", change.consequences);
    assert!(shown.contains("log_level") && !shown.contains("hunter2"), "{shown}");
}

/// A list of volumes may be empty, and other layouts have no such list.
#[test]
fn volumes_of_lvm_may_be_none() {
    let lvm = change("reference", "disk.single = { esp = \"1G\", format = \"ext4\" }", "disk.lvm = {}");
    assert_eq!(lvm.effect_on("node01"), Effect::Data);
}

/// Nanoseconds that this thread has computed (schedstat in the kernel's documentation).
fn thread_time() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split_whitespace().next().unwrap().parse().unwrap()
}

/// Nobody runs a service called after the virtual address, which each node's certificate asks.
#[test]
fn eight_times_the_nodes_take_eight_times_as_long() {
    let cluster = |nodes: usize, vip: &str| cluster_of(&(test_kit::many::inventory(nodes, "ONE") + vip));
    let measure = |nodes: usize| {
        let (old, new) = (cluster(nodes, ""), cluster(nodes, "[vip]\ncache = \"10.128.0.5\"\n"));
        let once = || {
            let before = thread_time();
            assert_eq!(compare(&old, &new).unwrap().effect_on("n00000"), Effect::Restart);
            thread_time() - before
        };
        (0..3).map(|_| once()).min().unwrap()
    };
    let (few, many) = (measure(250), measure(2000));
    assert!(many < 24 * few, "250 nodes: {few} ns, 2000 nodes: {many} ns");
}
