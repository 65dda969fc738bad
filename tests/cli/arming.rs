//! The words of `arm`, `disarm` and `armed` about armings that do not end, and the commands that they name.

use std::fs;

use serde_json::Value;

use crate::kit::Site;
use crate::publish::{at_root, bundle, run_timer};

/// A rendered site with a published bundle in `root` beside the inventory.
fn published() -> Site {
    let site = Site::rendered();
    bundle(&site, "bundle", "one");
    at_root(&site, &["publish", "bundle", "--ipxe", "nowhere"]).ends(0, &[]);
    site
}

#[test]
fn no_end_is_promised_where_nothing_ends_armings() {
    let site = published();
    let run = at_root(&site, &["armed"]);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", "no machine is armed\n"));
    let json =
        |args: &[&str]| serde_json::from_str::<Value>(&at_root(&site, args).ends(0, &[]).stdout).unwrap();
    let value = json(&["armed", "--format", "json"]);
    assert_eq!((&value["armed"], &value["ends"]), (&Value::from(Vec::<Value>::new()), &Value::from(false)));
    let never = "nothing is known to end armings here: pxe-health has left no stamp in this web root. It does not run here, or is an earlier version: install it again (docs/pxe-server.md)";
    for quiet in [false, true] {
        let arm = ["arm", "node01", "--quiet"];
        let run = at_root(&site, if quiet { &arm } else { &arm[..2] });
        run.ends(0, &[never, "plasmagen disarm --root root node01"]);
        assert!(!run.stderr.contains("UTC"), "{}", run.stderr);
        assert_eq!(run.stderr.contains("node01 is armed until somebody disarms it: it boots"), !quiet);
    }
    let run = at_root(&site, &["armed"]);
    assert!(run.ends(0, &[never]).stdout.contains("  until somebody disarms it\n"), "{}", run.stdout);
    let run = site.run(&["verify", "root"]);
    assert!(run.ends(1, &["1 fault"]).stdout.contains(&format!("expired  armed: {never}")), "{}", run.stdout);
    run_timer(&site);
    let run = at_root(&site, &["arm", "node01"]);
    run.ends(0, &["node01 is armed until 2"]);
    assert!(!run.stderr.contains("warning"), "{}", run.stderr);
    assert_eq!(json(&["armed", "--format", "json"])["ends"], true);
    site.run(&["verify", "root"]).ends(0, &[]);
    // Another bundle than the one that the node was armed for.
    bundle(&site, "newer", "two");
    at_root(&site, &["publish", "newer", "--no-site", "--yes"]).ends(0, &[]);
    let value = json(&["armed", "--format", "json"]);
    let (armed, boots) = (&value["armed"][0]["armed"]["bundle"], &value["armed"][0]["boots"]);
    assert_ne!(armed, boots);
    let table = at_root(&site, &["armed"]).stdout;
    let [armed, boots] = [armed, boots].map(|id| id.as_str().unwrap()[..12].to_owned());
    assert!(
        table.contains(&format!("  {boots}  until 2")) && table.contains(&format!("; armed for {armed}")),
        "{table}"
    );
}

/// To disarm is the safe direction: neither a damaged counter of generations nor the lock of another program prevents it.
#[test]
fn nothing_keeps_a_node_armed_that_is_disarmed() {
    let site = published();
    let file = |node: u8| site.root().join(format!("root/armed/3c-ec-ef-00-00-0{node}"));
    at_root(&site, &["arm", "node01", "node02"]).ends(0, &[]);
    fs::write(site.root().join("root/.plasmagen/disarm"), "3c-ec-ef-00-00-03\n").unwrap();
    site.shell("flock root/armed $P disarm node01 --root root").ends(0, &["node01 is disarmed"]);
    assert!(!file(1).exists() && file(2).exists());
    at_root(&site, &["arm", "node01"]).ends(0, &[]);
    let marker = site.root().join("root/.plasmagen/web-root.json");
    fs::write(&marker, "{").unwrap();
    at_root(&site, &["arm", "node03"]).ends(2, &["web-root.json is damaged"]);
    at_root(&site, &["disarm", "node01"]).ends(0, &["node01 is disarmed"]);
    fs::remove_file(&marker).unwrap();
    at_root(&site, &["disarm", "--all"]).ends(0, &["node02 is disarmed"]);
    assert!(!file(1).exists() && !file(2).exists());
    // A directory that is no web root at all.
    site.run(&["disarm", "--all", "--root", "nodes"]).ends(2, &["nodes is not a web root of plasmagen's"]);
}

/// A command in a message can be pasted into a shell.
#[test]
fn commands_carry_the_options_that_were_given() {
    let site = published();
    fs::rename(site.root().join("root"), site.root().join("web root")).unwrap();
    fs::create_dir(site.root().join("sub")).unwrap();
    let root = ["--root", "../web root", "-i", "../inventory.toml"];
    let run = |args: &[&str]| site.within(&site.root().join("sub"), &[args, &root].concat());
    let asked = run(&["arm", "node01", "node02", "node03", "--for", "2h", "--verify"]);
    let command = "plasmagen arm --yes --root '../web root' --inventory ../inventory.toml --for 2h --verify node01 node02 \
                   node03";
    asked.ends(1, &[command]);
    let script = format!("cd sub; {}", command.replacen("plasmagen", "\"$P\"", 1));
    site.shell(&script).ends(0, &["node03 is armed"]);
    bundle(&site, "newer", "two");
    let refused = run(&["publish", "../newer", "--no-site"]);
    let command = "plasmagen disarm --root '../web root' --inventory ../inventory.toml node01";
    refused.ends(1, &[command]);
    site.shell(&format!("cd sub; {}", command.replacen("plasmagen", "\"$P\"", 1)))
        .ends(0, &["node01 is disarmed"]);
    fs::remove_dir_all(site.root().join("web root/nixos")).unwrap();
    let found = site.run(&["verify", "web root"]);
    let command = "plasmagen disarm --root 'web root' node02";
    assert!(found.ends(1, &[]).stdout.contains(command), "{}", found.stdout);
    site.shell(&command.replacen("plasmagen", "\"$P\"", 1)).ends(0, &["node02 is disarmed"]);
}
