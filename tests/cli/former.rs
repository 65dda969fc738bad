//! The voters of an inventory beside those of the cluster that was rendered last.

use std::fs;

use crate::kit::Site;

const VOTERS: &str = "[\"node01\", \"node02\", \"node03\"]";

/// A rendered site with three more nodes, of which the inventory makes its voters.
fn exchanged() -> Site {
    let site = Site::rendered();
    for number in 4..=6 {
        let node = crate::kit::NODE04.replace("node04", &format!("node0{number}"));
        let node =
            node.replace(":04", &format!(":1{number}")).replace("EXAMPLE", &format!("EXAMPLE_{number}"));
        let node = node.replace("SERIAL", &format!("SERIAL_{number}"));
        site.append(
            &node.replace(".53\"", &format!(".8{number}\"")).replace(".14\"", &format!(".8{number}\"")),
        );
    }
    site.run(&["render"]).ends(0, &[]);
    site.edit(VOTERS, "[\"node04\", \"node05\", \"node06\"]");
    site
}

#[test]
fn a_second_set_of_voters_is_refused() {
    let site = exchanged();
    let words =
        ["error[PG-G13]", "3 of 3 voters (node04, node05, node06) are not among those", "`formed = true`"];
    for args in [&["check"][..], &["render"], &["render", "--check"]] {
        site.untouched(|| site.run(args).ends(1, &words).code);
    }
    // The voters are known by either tree.
    let copy = site.copy();
    copy.shell("rm nodes/*/cluster-config.json").ends(0, &[]);
    copy.run(&["check"]).ends(1, &words);
    fs::remove_file(site.root().join("site/inventory.json")).unwrap();
    site.run(&["check"]).ends(1, &words);
    // Both ways out that the message names.
    copy.edit("formed = false", "formed = true");
    copy.run(&["check"]).ends(0, &[]);
    site.shell("rm nodes/*/cluster-config.json").ends(0, &[]);
    site.run(&["render"]).ends(0, &[]);
    site.run(&["check"]).ends(0, &[]);
}

/// A majority of new voters elects a leader without the former ones; a minority cannot.
#[test]
fn a_majority_of_new_voters_is_refused() {
    let site = exchanged();
    for (voters, fresh) in [
        (&["node01", "node04", "node05"][..], Some("2 of 3 voters (node04, node05) ")),
        (&["node01", "node02", "node03", "node04", "node05"], None),
        (&["node01", "node02", "node04"], None),
        (
            &["node01", "node02", "node04", "node05", "node06"],
            Some("3 of 5 voters (node04, node05, node06) "),
        ),
        (&["node02"], None),
        (&["node06"], Some("1 of 1 voters (node06) ")),
    ] {
        let copy = site.copy();
        let single = if voters.len() == 1 { "single = true\n" } else { "" };
        let list = format!("{voters:?}\n{single}");
        copy.edit("[\"node04\", \"node05\", \"node06\"]", list.trim_end());
        let run = copy.run(&["check"]);
        match fresh {
            Some(fresh) => {
                run.ends(1, &["error[PG-G13]", fresh, "they are a majority", "`formed = true`"]);
            }
            None => assert!(!run.stderr.contains("PG-G13"), "{voters:?}: {}", run.stderr),
        }
    }
}

#[test]
fn a_voter_that_is_renamed_or_gone_is_told() {
    let site = Site::new();
    site.edit("formed = false", "formed = true");
    site.run(&["render"]).ends(0, &[]);
    site.edit("node02", "node09");
    let words =
        ["warning[PG-J04]", "`node09` has the serial number of `node02`, a voter of the formed cluster"];
    site.run(&["check"]).ends(1, &words);
    site.run(&["render", "--install-anew", "node09"]).ends(0, &words);
    let site = Site::new();
    site.edit("formed = false", "formed = true");
    site.run(&["render"]).ends(0, &[]);
    site.edit("node02", "node09");
    for known in ["SERIAL0002", "00:00:02", "DISK_00000002"] {
        site.edit(known, &known.replace('2', "9"));
    }
    site.run(&["check"])
        .ends(0, &["`node02`, a voter of the formed cluster, is gone", "removed = [\"node02\"]"]);
    site.edit("[cluster]", "[cluster]\nremoved = [\"node02\"]");
    assert!(!site.run(&["check"]).ends(0, &[]).stderr.contains("PG-J04"));
}
