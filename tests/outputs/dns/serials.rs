//! Serial numbers: state that goes on from what was published last (rule B09).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use plasmagen::check::check;
use plasmagen::outputs;
use plasmagen::plan::{Certificates, HostKeys, Plan, Zones};

use crate::dns::{files, inventories, published};
use test_kit::{plan, repository};

fn reference() -> String {
    fs::read_to_string(repository().join("inventory.toml")).unwrap()
}

/// The plan of `inventory` after `zones` were published.
fn after(inventory: &str, zones: Zones) -> Plan {
    let cluster = check(inventory.as_bytes()).unwrap().cluster.unwrap();
    Plan { cluster, certificates: Certificates::default(), host_keys: HostKeys::default(), zones }
}

/// `inventory` with `old`, which is there once, replaced.
fn edited(inventory: &str, old: &str, new: &str) -> String {
    assert_eq!(inventory.matches(old).count(), 1, "{old}");
    inventory.replace(old, new)
}

fn serial(zone: &str) -> u32 {
    let line = zone.lines().find(|line| line.contains("; serial")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// The zones of `new` with another text than in `old`, each with its serial number.
fn changed(old: &BTreeMap<String, String>, new: &BTreeMap<String, String>) -> Vec<(String, u32)> {
    let zones = new.iter().filter(|(name, _)| name.ends_with(".zone"));
    zones
        .filter(|(name, text)| old.get(*name) != Some(text))
        .map(|(name, text)| (name.clone(), serial(text)))
        .collect()
}

#[test]
fn what_was_published_unchanged_stays_as_it_is() {
    for dir in inventories() {
        let mut plan = plan(&dir);
        let first = files(&plan);
        assert!(published(&first).0.values().all(|zone| serial(zone) == 1));
        plan.zones = published(&first);
        assert_eq!(files(&plan), first, "{}", dir.display());
        // Whichever number it was.
        for zone in plan.zones.0.values_mut() {
            *zone = zone.replace("  1 ; serial", "  2024010199 ; serial");
        }
        let later = files(&plan);
        assert_eq!(published(&later).0, plan.zones.0);
    }
}

#[test]
fn a_changed_record_raises_the_serial_numbers_of_its_zones_alone() {
    let first = files(&after(&reference(), Zones::default()));
    let both = ["200.0.10.in-addr.arpa.zone", "example.com.zone"];
    let moved =
        edited(&reference(), "address.production = \"10.0.200.10\"", "address.production = \"10.0.200.13\"");
    let second = files(&after(&moved, published(&first)));
    assert_eq!(changed(&first, &second), both.map(|name| (name.to_owned(), 2)));
    // And back.
    let third = files(&after(&reference(), published(&second)));
    assert_eq!(changed(&second, &third), both.map(|name| (name.to_owned(), 3)));
    // Another address in another network, once those two have numbers of their own.
    let boots = edited(&reference(), "10.0.100.81", "10.0.100.82");
    let fourth = files(&after(&boots, published(&third)));
    let expected = [("100.0.10.in-addr.arpa.zone", 2), ("example.com.zone", 4)];
    assert_eq!(changed(&third, &fourth), expected.map(|(name, serial)| (name.to_owned(), serial)));
    // What no zone holds raises nothing.
    let other = edited(&reference(), "CN7475139H0023", "CN7475139H0099");
    assert_eq!(changed(&first, &files(&after(&other, published(&first)))), []);
    // What the SOA record holds raises all.
    let contact = format!("{}\n[dns]\ncontact = \"ops@example.com\"\n", reference());
    let all = changed(&first, &files(&after(&contact, published(&first))));
    assert_eq!(all.len(), published(&first).0.len());
    assert!(all.iter().all(|(_, serial)| *serial == 2));
}

/// RFC 1982 section 3.2: the new one is greater by less than half of all there are.
#[test]
fn serial_numbers_go_round() {
    let mut zones = published(&files(&after(&reference(), Zones::default())));
    for zone in zones.0.values_mut() {
        *zone = zone.replace("  1 ; serial", "  4294967295 ; serial");
    }
    let moved = edited(&reference(), "10.0.200.20\"", "10.0.200.29\"");
    let next = files(&after(&moved, zones.clone()));
    let zone = &next["example.com.zone"];
    assert_eq!(serial(zone), 1);
    assert!((1..1 << 31).contains(&serial(zone).wrapping_sub(u32::MAX)));
    assert_eq!(next["10.0.10.in-addr.arpa.zone"], zones.0["10.0.10.in-addr.arpa.zone"]);
}

/// J03.
#[test]
fn a_removed_node_leaves_no_record() {
    let all = reference();
    let at = all.find("[node.node05]").unwrap();
    let first = files(&after(&all, Zones::default()));
    let second = files(&after(&all[..at], published(&first)));
    let zones = ["10.0.10.in-addr.arpa", "100.0.10.in-addr.arpa", "200.0.10.in-addr.arpa", "example.com"];
    assert_eq!(changed(&first, &second), zones.map(|zone| (format!("{zone}.zone"), 2)));
    for (name, text) in &second {
        for residue in ["node05", "10.0.10.55", "10.0.100.81", "10.0.200.21"] {
            assert!(!text.contains(residue), "{name}: {residue}");
        }
    }
}

#[test]
fn a_serial_number_that_cannot_be_read_is_an_error() {
    let first = published(&files(&after(&reference(), Zones::default())));
    let text = &first.0["example.com.zone"];
    for broken in [
        String::new(),
        "\0\u{1b}[2J".to_owned(),
        text.replace("  1 ; serial", "  one ; serial"),
        text.replace("  1 ; serial", "  4294967296 ; serial"),
        text.replace("; serial", "; number"),
        text.replace("  1 ; serial", "  1 ; serial\n  2 ; serial"),
    ] {
        let mut zones = first.clone();
        zones.0.insert("example.com.zone".to_owned(), broken.clone());
        let error = format!("{:#}", outputs::render(&after(&reference(), zones)).unwrap_err());
        assert!(
            error.starts_with("could not read the serial number of site/dns/example.com.zone"),
            "{error}"
        );
        assert!(error.contains("restore the file from git"), "{error}");
    }
}

fn plasmagen(root: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plasmagen"));
    command.current_dir(root).args(arguments).output().unwrap()
}

#[test]
fn the_program_goes_on_from_the_tree() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let render = |inventory: &str| {
        fs::write(root.join("inventory.toml"), inventory).unwrap();
        let output = plasmagen(root, &["render", "--vault", "vault"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(plasmagen(root, &["render", "--check"]).status.code(), Some(0));
        ["example.com", "44.1.10.in-addr.arpa"]
            .map(|zone| serial(&fs::read_to_string(root.join(format!("site/dns/{zone}.zone"))).unwrap()))
    };
    assert_eq!(render(&reference()), [1, 1]);
    assert_eq!(render(&reference()), [1, 1]);
    let moved = edited(&reference(), "10.0.200.20\"", "10.0.200.29\"");
    assert_eq!(render(&moved), [2, 1]);
    assert_eq!(render(&reference()), [3, 1]);

    let zone = root.join("site/dns/example.com.zone");
    fs::write(&zone, "by hand\n").unwrap();
    for arguments in [&["render", "--check"][..], &["render", "--vault", "vault", "--discard-edits"]] {
        let output = plasmagen(root, arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("could not read the serial number of site/dns/example.com.zone"), "{said}");
    }
    assert_eq!(fs::read_to_string(&zone).unwrap(), "by hand\n");

    // Nothing is read by way of a symbolic link: neither a zone nor the directory.
    fs::remove_file(&zone).unwrap();
    std::os::unix::fs::symlink(root.join("inventory.toml"), &zone).unwrap();
    let dir = root.join("site/dns");
    let refused = |what: &str| {
        let output = plasmagen(root, &["render", "--check"]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(what), "{said}");
    };
    refused("it is a symbolic link, no regular file");
    fs::rename(&dir, root.join("elsewhere")).unwrap();
    std::os::unix::fs::symlink(root.join("elsewhere"), &dir).unwrap();
    refused("not a directory");
}
