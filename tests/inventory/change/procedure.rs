//! The procedure of a change: its order, and what it never does.

use plasmagen::change::{Procedure, compare, install_commands, plan_procedure};
use test_kit::repository;

use super::{cluster_of, text_of};

/// The procedure of replacing each first text of `edits` by the second one in the reference.
fn procedure(edits: &[(&str, &str)]) -> Procedure {
    let old = text_of("reference");
    let mut new = old.clone();
    for (from, to) in edits {
        assert!(new.contains(from), "{from}");
        new = new.replace(from, to);
    }
    let (old, new) = (cluster_of(&old), cluster_of(&new));
    plan_procedure(&compare(&old, &new).unwrap(), &old, &new)
}

/// The procedure as lines: titles and commands.
fn lines(procedure: &Procedure) -> Vec<String> {
    assert_eq!(procedure.refusal, None);
    let steps = procedure.steps.iter();
    steps.flat_map(|step| std::iter::once(&step.title).chain(&step.commands)).cloned().collect()
}

fn place(lines: &[String], words: &str) -> usize {
    lines.iter().position(|line| line.contains(words)).unwrap_or_else(|| panic!("{words}: {lines:#?}"))
}

const LAYOUT: &str = "disk.single = { format = \"xfs\" }\n";

/// The text of a node's table with `line` in it.
fn in_node(name: &str, line: &str) -> (String, String) {
    let head = format!("[node.{name}]\n");
    (head.clone(), format!("{head}{line}"))
}

#[test]
fn one_member_is_back_before_the_next_one_leaves() {
    for line in [LAYOUT, "kernel_params = [\"quiet\"]\ndisk.single = { format = \"xfs\" }\n"] {
        let (first, second) =
            (in_node("node01", line), in_node("node04", "disk.raid1 = { format = \"xfs\" }\n"));
        let lines = lines(&procedure(&[(&first.0, &first.1), (&second.0, &second.1)]));
        let mut away = None;
        let mut removed = 0;
        for line in &lines {
            if let Some(name) = line.strip_prefix("remove ").and_then(|rest| rest.split(' ').next()) {
                assert_eq!(away, None, "{lines:#?}");
                (away, removed) = (Some(name.to_owned()), removed + 1);
            }
            if line.starts_with("wait until chainfire and flaredb list ") {
                assert!(away.take().is_some_and(|name| line.contains(&name)), "{lines:#?}");
            }
        }
        assert_eq!((away, removed), (None, 2), "{lines:#?}");
        // What fails at the worker costs no vote.
        assert!(place(&lines, "remove node04") < place(&lines, "remove node01"), "{lines:#?}");
        assert!(place(&lines, "disarm node04") < place(&lines, "nixos-anywhere --flake .#node04"));
    }
}

#[test]
fn there_is_no_procedure_that_loses_the_majority() {
    let layouts = [in_node("node01", LAYOUT), in_node("node02", LAYOUT)];
    let voters: Vec<_> = layouts.iter().map(|(from, to)| (from.as_str(), to.as_str())).collect();
    let port = [(
        "[service.chainfire.settings]",
        "[service.chainfire]\nraft_port = 3380\n\n[service.chainfire.settings]",
    )];
    for (edits, words) in [(&voters[..], "Split the change: one member"), (&port, "5 of 5 members")] {
        let procedure = procedure(edits);
        assert!(procedure.steps.is_empty(), "{procedure:#?}");
        assert!(procedure.refusal.as_ref().is_some_and(|why| why.contains(words)), "{procedure:#?}");
    }
    let old = text_of("reference");
    let line = old.lines().find(|line| line.starts_with("name = ")).unwrap().to_owned();
    let refusal = self::procedure(&[(&line, "name = \"another\"")]).refusal;
    assert!(refusal.is_some_and(|why| why.contains("take the old value back")));
}

#[test]
fn what_moves_data_erases_no_machine() {
    let edits =
        [("[service.chainfire.settings]\n", "[service.chainfire.settings]\ndata_dir = \"/srv/chainfire\"\n")];
    let lines = lines(&procedure(&edits));
    for words in ["nixos-anywhere", "--install-anew", "remove node", "arm node"] {
        assert!(!lines.iter().any(|line| line.contains(words)), "{words}: {lines:#?}");
    }
    let (stop, by_hand) =
        (place(&lines, "systemctl stop chainfire.service"), place(&lines, "by hand on node04"));
    assert!(stop < by_hand && by_hand < place(&lines, "nixos-rebuild switch --flake .#node04"), "{lines:#?}");
}

#[test]
fn a_member_with_another_address_leaves_without_its_data_and_is_reached_where_it_is() {
    let edits = [(
        "address.production = \"10.0.200.11\"",
        "address.production = \"10.0.200.15\"\nkernel_params = [\"quiet\"]",
    )];
    let lines = lines(&procedure(&edits));
    let steps = [
        "remove node02 from chainfire and flaredb",
        "-X DELETE https://node01.example.com:2379/admin/member/node02",
        "ssh root@10.0.200.11 systemctl stop",
        "find /var/lib/chainfire -mindepth 1 -maxdepth 1 -exec mv -t /var/lib/chainfire.removed {} +",
        "nixos-rebuild boot --flake .#node02 --target-host root@10.0.200.11",
        "ssh root@10.0.200.11 systemctl reboot",
        "until ssh root@10.0.200.15 systemctl is-system-running --wait",
        "wait until chainfire and flaredb list node02 as a member",
    ];
    let places: Vec<_> = steps.iter().map(|words| place(&lines, words)).collect();
    assert!(places.is_sorted(), "{places:?} {lines:#?}");
    // The mark of a node that has joined keeps it from forming a cluster of its own.
    assert!(!lines.iter().any(|line| line.contains("joined.json")), "{lines:#?}");
    let plain = procedure(&[edits[0], ("\nkernel_params = [\"quiet\"]", "")]);
    let lines = self::lines(&plain);
    let join = "ssh root@10.0.200.15 systemctl restart chainfire.service chainfire-cluster-join.service";
    assert!(place(&lines, "nixos-rebuild switch --flake .#node02") < place(&lines, join), "{lines:#?}");
}

#[test]
fn tasks_stand_where_they_are_done() {
    let old = text_of("reference");
    let start = old.find("[node.node05]").unwrap();
    let end = old[start + 1..].find("\n[").map_or(old.len(), |end| start + 1 + end);
    let without = old[..start].to_owned() + &old[end..];
    let (before, after) = (cluster_of(&old), cluster_of(&without));
    let lines = self::lines(&plan_procedure(&compare(&before, &after).unwrap(), &before, &after));
    assert!(place(&lines, "remove node05 from chainfire") < place(&lines, "erase its disks"), "{lines:#?}");
    assert_eq!(lines.iter().filter(|line| line.contains("switch node05 off")).count(), 1, "{lines:#?}");
    let key = "admin_keys = [";
    let added = format!(
        "{key}\n  \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKP4qW8vDaDGGd3oWyyBhj8cVYAMMZp3gAJ6qdjYNM0y a@example.com\","
    );
    let lines = self::lines(&procedure(&[(key, &added)]));
    let (render, build) = (place(&lines, "plasmagen render"), place(&lines, "build and publish the bundles"));
    assert!(render < build && build < place(&lines, "plasmagen publish"), "{lines:#?}");
}

#[test]
fn an_effect_does_not_hide_another() {
    let (from, to) = in_node("node04", "firmware = \"bios\"\nkernel_params = [\"quiet\"]\n");
    let lines = lines(&procedure(&[(&from, &to)]));
    let reboot = place(&lines, "ssh root@node04.example.com systemctl reboot");
    assert!(reboot < place(&lines, "until ssh root@node04.example.com systemctl is-system-running --wait"));
    assert!(
        reboot < place(&lines, "by hand on node04: the mode is set in the firmware's setup"),
        "{lines:#?}"
    );
}

#[test]
fn a_node_is_installed_as_the_guide_says() {
    let page = std::fs::read_to_string(repository().join("docs/nix.md")).unwrap();
    let commands: Vec<&str> = page
        .lines()
        .skip_while(|line| !line.starts_with("$ plasmagen arm node01"))
        .take_while(|line| line.starts_with("$ "))
        .map(|line| line[2..].split(" # ").next().unwrap().trim())
        .collect();
    let cluster = cluster_of(&text_of("reference"));
    assert_eq!(commands, install_commands(&cluster.nodes[0]));
    let (from, to) = in_node("node01", "disk.luks = {}\n");
    let lines = lines(&procedure(&[(&from, &to)]));
    let install = &lines[place(&lines, "nixos-anywhere")];
    let option = "--disk-encryption-keys /run/disk-encryption.key VAULT/node01.example.com/luks-passphrase";
    assert!(install.ends_with(option), "{install}");
}
