//! The table of nodes beside the inventory, for every command that reads or edits an inventory.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::Value;

use crate::kit::Site;
use crate::node_edits::ADD;

/// A site whose nodes are in `nodes.csv`, made with the program itself.
fn site() -> Site {
    let site = Site::rendered();
    let csv = site.run(&["node", "list", "--format", "csv"]).stdout;
    let text = site.read("inventory.toml");
    let nodes = text.find("[node.node01]").unwrap();
    let rest = text[nodes..].find("\n# ").map_or("", |at| &text[nodes + at + 1..]);
    assert!(!rest.contains("[node."), "{rest}");
    fs::write(site.inventory(), format!("{}[nodes]\nfrom = \"nodes.csv\"\n", &text[..nodes])).unwrap();
    fs::write(site.root().join("nodes.csv"), csv).unwrap();
    site
}

fn edit(site: &Site, old: &str, new: &str) {
    let text = site.read("nodes.csv");
    assert!(text.contains(old), "{text}");
    fs::write(site.root().join("nodes.csv"), text.replacen(old, new, 1)).unwrap();
}

#[test]
fn a_site_moves_its_nodes_into_a_table_and_nothing_changes() {
    let site = site();
    site.run(&["check", "--deny-warnings"]).ends(0, &["inventory.toml is sound: 3 nodes"]);
    site.run(&["render", "--check"]).ends(0, &["are what the inventory says"]);
    site.run(&["diff"]).ends(0, &[]);
    let shown = site.run(&["show", "node02"]).ends(0, &[]).stdout.clone();
    let line = shown.lines().find(|line| line.starts_with("serial")).unwrap();
    assert!(line.contains("nodes.csv:3"), "{shown}");
    let json: Value =
        serde_json::from_str(&site.run(&["show", "node02", "--format", "json"]).stdout).unwrap();
    assert!(json.to_string().contains("\"nodes.csv:3\""), "{json}");
    assert_eq!(site.run(&["node", "list", "--format", "csv"]).stdout, site.read("nodes.csv"));
}

#[test]
fn every_format_names_the_file_the_row_and_the_column() {
    let site = site();
    edit(&site, "3c:ec:ef:00:00:02", "3c:ec:ef");
    let run = site.run(&["check"]);
    run.ends(1, &["error[PG-D01]", "nodes.csv:3:22", "^^^^^^^^", "inventory.toml is refused: 1 error"]);
    let concise = site.run(&["check", "--format", "concise"]);
    assert!(concise.stdout.starts_with("nodes.csv:3:22: error[PG-D01]"), "{}", concise.stdout);
    let json: Value = serde_json::from_str(&site.run(&["check", "--format", "json"]).stdout).unwrap();
    assert_eq!((&json["file"], &json["span"]["start"]["line"]), (&"nodes.csv".into(), &3.into()));
    let github = site.run(&["check", "--format", "github"]).stdout;
    assert!(github.starts_with("::error file=nodes.csv,line=3,endLine=3,col=22"), "{github}");
    let sarif: Value = serde_json::from_str(&site.run(&["check", "--format", "sarif"]).stdout).unwrap();
    let place = &sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "nodes.csv");
    assert_eq!(place["region"]["startLine"], 3);
    // A fault with a place in each file.
    edit(&site, ",3c:ec:ef,", ",3c:ec:ef:00:00:02,");
    site.append("\n[node.node02]\nprofile = \"control-plane\"\n");
    site.run(&["check"]).ends(1, &["there are two nodes `node02`", "nodes.csv:3:1", "inventory.toml:"]);
    let json = site.run(&["check", "--format", "json"]).stdout;
    let first: Value = json
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .find(|found: &Value| found["code"] == "PG-A02")
        .unwrap();
    assert_eq!(first["related"][0]["file"], "inventory.toml");
}

#[test]
fn a_password_in_a_table_is_not_printed() {
    let site = site();
    let text = site.read("nodes.csv");
    let lines: Vec<_> = text
        .lines()
        .enumerate()
        .map(
            |(at, line)| {
                if at == 0 { format!("{line},bmc.password\n") } else { format!("{line},hunter2\n") }
            },
        )
        .collect();
    fs::write(site.root().join("nodes.csv"), lines.concat().replace("3c:ec:ef:00:00:02", "3c")).unwrap();
    for format in ["human", "concise", "json", "github", "sarif"] {
        let run = site.run(&["check", "--format", format]);
        assert!(!(run.stdout + &run.stderr).contains("hunter2"), "{format}");
    }
    site.run(&["check"]).ends(1, &["PG-E03", "passwords stand in the table of nodes", "PG-D01"]);
}

#[test]
fn nodes_are_edited_in_the_table() {
    let site = site();
    let (text, table) = (site.read("inventory.toml"), site.read("nodes.csv"));
    let run = site.run(&ADD[..10]);
    run.ends(0, &["node04: provisioning 10.0.100.53", "added 1 node to nodes.csv"]);
    assert_eq!(site.read("inventory.toml"), text);
    let row = site.read("nodes.csv").strip_prefix(&table).unwrap().to_owned();
    assert!(row.starts_with("node04,control-plane,3c:ec:ef:00:00:04,SERIAL0004,"), "{row}");
    site.run(&["check"]).ends(0, &["4 nodes"]);
    let diff = site.run(&["node", "remove", "node04", "--dry-run"]).stdout;
    assert!(diff.contains("+removed = [\"node04\"]") && diff.contains("-node04,control-plane"), "{diff}");
    site.run(&["node", "remove", "node04"]).ends(0, &["removed node04"]);
    assert_eq!(site.read("nodes.csv"), table);
    assert_eq!(site.read("inventory.toml").replacen("removed = [\"node04\"]\n", "", 1), text);
    let facts = ["--mac", "3c:ec:ef:00:00:12", "--serial", "S12", "--disk", "/dev/disk/by-id/wwn-0x12"];
    site.run(&[&["node", "replace", "node02"], &facts[..]].concat()).ends(0, &["node02 is another machine"]);
    assert!(
        site.read("nodes.csv")
            .contains("node02,control-plane,3c:ec:ef:00:00:12,S12,/dev/disk/by-id/wwn-0x12,")
    );
    fs::write(
        site.root().join("more.csv"),
        "name,profile,mac,serial,disks\nnode06,control-plane,3c:ec:ef:00:00:06,S6,/dev/disk/by-id/wwn-0x6\n",
    )
    .unwrap();
    site.run(&["import", "csv", "more.csv", "--write"]).ends(0, &["added 1 node to nodes.csv"]);
    site.run(&["import", "csv", "more.csv"]).ends(0, &["has all machines"]);
}

#[test]
fn the_table_lies_below_the_inventory() {
    let site = site();
    let path = site.root().join("nodes.csv");
    let outside = site.path().join("outside.csv");
    fs::rename(&path, &outside).unwrap();
    site.run(&["check"]).ends(1, &["PG-A18", "there is no file nodes.csv"]);
    site.run(&["node", "add", "--profile", "control-plane"]).ends(2, &["there is no file nodes.csv"]);
    site.run(&["node", "list"]).ends(2, &["there is no file nodes.csv"]);
    symlink("../outside.csv", &path).unwrap();
    site.run(&["check"]).ends(1, &["leads out of the inventory's directory"]);
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    site.run(&["render"]).ends(1, &["nodes.csv: Is a directory"]);
    fs::remove_dir(&path).unwrap();
    assert!(site.shell("mkfifo nodes.csv").code == Some(0));
    site.run(&["check"]).ends(1, &["it is a pipe"]);
    fs::remove_file(&path).unwrap();
    fs::rename(&outside, site.root().join("real.csv")).unwrap();
    symlink("real.csv", &path).unwrap();
    site.run(&["check"]).ends(0, &[]);
    site.run(&ADD).ends(0, &[]);
    assert!(fs::symlink_metadata(&path).unwrap().is_symlink());
    assert!(site.read("real.csv").contains("node04"));
}

#[test]
fn an_inventory_on_standard_input_finds_the_table_by_its_name() {
    let site = site();
    site.shell("$P check --stdin-filename inventory.toml <inventory.toml").ends(0, &["3 nodes"]);
    let elsewhere = site.shell("$P check --stdin-filename sub/inventory.toml <inventory.toml");
    elsewhere.ends(1, &["PG-A18", "there is no file sub/nodes.csv"]);
    site.shell("$P diff inventory.toml - <inventory.toml").ends(1, &["PG-A18", "nothing lies beside"]);
}

#[test]
fn a_comparison_with_git_reads_both_files_of_the_revision() {
    let site = site();
    site.shell("git init -q && git add . && git -c user.name=x -c user.email=x@example.com commit -qm x")
        .ends(0, &[]);
    site.run(&["diff", "--since", "HEAD"]).ends(0, &[]);
    edit(&site, "node02,control-plane,3c:ec:ef:00:00:02", "node02,control-plane,3c:ec:ef:00:00:22");
    let diff = site.run(&["diff", "--since", "HEAD"]).ends(0, &[]).stdout.clone();
    assert!(diff.contains("node02") && diff.contains("3c:ec:ef:00:00:22"), "{diff}");
    site.shell("git rm -q --cached nodes.csv && git -c user.name=x -c user.email=x@example.com commit -qm y")
        .ends(0, &[]);
    site.run(&["diff", "--since", "HEAD"]).ends(1, &["PG-A18", "HEAD"]);
}

/// Where the second file cannot be replaced, the first one is as it was.
#[test]
fn two_files_change_together_or_not_at_all() {
    let site = site();
    site.run(&ADD).ends(0, &[]);
    fs::create_dir(site.root().join("racks")).unwrap();
    fs::rename(site.root().join("nodes.csv"), site.root().join("racks/nodes.csv")).unwrap();
    site.edit("\"nodes.csv\"", "\"racks/nodes.csv\"");
    let before = (site.read("inventory.toml"), site.read("racks/nodes.csv"));
    // The new file cannot be made where a directory has its name.
    fs::create_dir_all(site.root().join("racks/.nodes.csv.plasmagen-new/x")).unwrap();
    site.run(&["node", "remove", "node04"]).ends(2, &["could not remove .nodes.csv.plasmagen-new"]);
    assert_eq!((site.read("inventory.toml"), site.read("racks/nodes.csv")), before);
    fs::remove_dir_all(site.root().join("racks/.nodes.csv.plasmagen-new")).unwrap();
    site.run(&["node", "remove", "node04"]).ends(0, &[]);
}
