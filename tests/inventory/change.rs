//! The comparison of two clusters: the table of keys is complete, and a cluster survives being written and read.

mod groups;
mod keys;
mod procedure;
mod situations;

use plasmagen::change::compare;
use plasmagen::check::check;
use plasmagen::model::{Cluster, ResolvedInventory, read_resolved};
use test_kit::{case_dirs, repository};

/// The cluster of an inventory that is sound.
fn cluster_of(text: &str) -> Cluster {
    let checked = check(text.as_bytes()).unwrap();
    checked.cluster.unwrap_or_else(|| panic!("{:#?}", checked.diagnostics))
}

/// The text of the golden case `case`, or of the reference for the name `reference`.
fn text_of(case: &str) -> String {
    let dir = if case == "reference" {
        repository().to_owned()
    } else {
        repository().join("tests/golden").join(case)
    };
    std::fs::read_to_string(dir.join("inventory.toml")).unwrap()
}

#[test]
fn a_cluster_that_is_written_and_read_is_the_same_cluster() {
    for case in case_dirs() {
        let written = cluster_of(&std::fs::read_to_string(case.join("inventory.toml")).unwrap());
        let json = serde_json::to_vec(&ResolvedInventory::new(&written)).unwrap();
        let read = read_resolved(&json).unwrap();
        assert_eq!(json, serde_json::to_vec(&ResolvedInventory::new(&read)).unwrap(), "{}", case.display());
        let change = compare(&written, &read).unwrap();
        assert!(change.is_empty(), "{}: {:#?}", case.display(), change.differences);
    }
}

#[test]
fn a_file_that_is_no_resolved_inventory_is_an_error() {
    let json = serde_json::to_string(&ResolvedInventory::new(&cluster_of(&text_of("reference")))).unwrap();
    for (from, to, expected) in [
        ("\"schema\":1,", "\"schema\":2,", "schema 2"),
        ("\"schema\":1,", "", "`schema`"),
        ("\"fqdn\":\"node01", "\"full\":\"node01", "missing field `fqdn`"),
        ("52:54:00:12:34:56", "52:54:00:12:34", "is not a MAC address"),
        ("\"name\":\"node02\",\"fqdn\"", "\"name\":\"node01\",\"fqdn\"", "two nodes of one name"),
    ] {
        assert!(json.contains(from), "{from}");
        let error = format!("{:#}", read_resolved(json.replacen(from, to, 1).as_bytes()).unwrap_err());
        assert!(error.contains(expected), "{from}: {error}");
    }
}
