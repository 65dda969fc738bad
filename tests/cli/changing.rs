//! docs/changing.md shows what `plasmagen diff` prints for six situations, on the reference. `UPDATE=1` records it again.

use std::fs;
use std::path::Path;

use crate::kit::Site;

const PAGE: &str = "docs/changing.md";

/// A rack with two workers, behind the text of node05.
const RACK: &str = r#"
[node.node06]
profile = "worker"
rack = "r2"
mac = "3c:ec:ef:00:00:06"
address.provisioning = "10.0.100.82"
address.production = "10.0.200.22"
disks = ["/dev/disk/by-id/nvme-SAMSUNG_MZQL2960HCJR-00A07_S64FNE0R800006_1", "/dev/disk/by-id/nvme-SAMSUNG_MZQL2960HCJR-00A07_S64FNE0R810006_1"]
serial = "CN7475139H0066"

[node.node07]
profile = "worker"
rack = "r2"
mac = "3c:ec:ef:00:00:07"
address.provisioning = "10.0.100.83"
address.production = "10.0.200.23"
disks = ["/dev/disk/by-id/nvme-SAMSUNG_MZQL2960HCJR-00A07_S64FNE0R800007_1", "/dev/disk/by-id/nvme-SAMSUNG_MZQL2960HCJR-00A07_S64FNE0R810007_1"]
serial = "CN7475139H0067"
"#;

/// A heading, replacements, and words.
type Situation = (&'static str, &'static [(&'static str, &'static str)], &'static [&'static str]);

/// The headings of the page, each with the replacements in the reference's inventory, and words that must be printed.
const SITUATIONS: [Situation; 6] = [
    (
        "A virtual address is added",
        &[("iam = \"10.0.200.102\"", "iam = \"10.0.200.102\"\ncache = \"10.0.200.105\"")],
        &["5 nodes: 5 restart. 5 new certificates", "vips.cache is new"],
    ),
    ("A rack is added", &[], &["node06 node07", "install", "a new machine", "7 nodes: 2 "]),
    (
        "A voter is replaced",
        &[
            ("formed = false", "formed = true"),
            ("52:54:00:12:34:57", "3c:ec:ef:00:00:22"),
            ("S64FNE0R800002", "S64FNE0R899002"),
            ("CN7475139H0024", "CN7475139H0099"),
        ],
        &[
            "DATA LOSS",
            "another machine under the old name",
            "1 of 5 members",
            "4 stay, 3 are needed for a majority",
        ],
    ),
    (
        "A disk layout is changed",
        &[("[node.node02]\n", "[node.node02]\ndisk.single = { format = \"xfs\" }\n")],
        &["DATA LOSS", "do not switch to this", "layout.format ext4 → xfs", "1 DATA LOSS, 4 unchanged"],
    ),
    (
        "An MTU is changed",
        &[("network = \"production\" }", "network = \"production\", mtu = 9000 }")],
        &["network", "interfaces.eth1.mtu is 9000", "the switch and all machines"],
    ),
    (
        "A node is renamed",
        &[("node02", "node09")],
        &["node02 is renamed to node09: it is one machine", "name node02 → node09", "identity"],
    ),
];

/// What `plasmagen diff` prints for a situation.
fn print(replacements: &[(&str, &str)], heading: &str) -> String {
    let site = Site::empty();
    fs::create_dir(site.root()).unwrap();
    let reference = Path::new(env!("CARGO_MANIFEST_DIR"));
    let old = fs::read_to_string(reference.join("inventory.toml")).unwrap();
    fs::create_dir(site.root().join("site")).unwrap();
    fs::write(site.root().join("old.toml"), &old).unwrap();
    let mut new = old;
    for (from, to) in replacements {
        assert!(new.contains(from), "{heading}: {from}");
        new = new.replace(from, to);
    }
    if heading.contains("rack") {
        new += RACK;
    }
    fs::write(site.inventory(), new).unwrap();
    if heading.contains("voter") {
        // The cluster was formed long ago.
        let text = fs::read_to_string(site.root().join("old.toml")).unwrap();
        fs::write(site.root().join("old.toml"), text.replace("formed = false", "formed = true")).unwrap();
    }
    let run = site.run(&["diff", "old.toml"]);
    run.ends(0, &[]);
    run.stdout
}

#[test]
fn the_page_shows_what_is_printed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    let mut page = fs::read_to_string(&path).unwrap();
    for (heading, replacements, words) in SITUATIONS {
        let printed = print(replacements, heading);
        for word in words {
            assert!(printed.contains(word), "{heading}: {word:?} is not in:\n{printed}");
        }
        let section =
            page.find(&format!("## {heading}\n")).unwrap_or_else(|| panic!("{heading} has no section"));
        let start = section + page[section..].find("```text\n").unwrap() + "```text\n".len();
        let end = start + page[start..].find("```").unwrap();
        if std::env::var_os("UPDATE").is_some() {
            page.replace_range(start..end, &printed);
        } else {
            assert_eq!(page[start..end], printed, "{heading}");
        }
    }
    if std::env::var_os("UPDATE").is_some() {
        fs::write(path, page).unwrap();
    }
}
