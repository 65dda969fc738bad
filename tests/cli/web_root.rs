//! A web root as the operator of one cluster or of two sees it: whose it is, and what is said of it.

use std::fs;

use crate::kit::Site;
use crate::publish::{at_root, bundle, run_timer};

/// A rendered site with a published bundle in `root` beside the inventory.
pub(crate) fn published() -> Site {
    let site = Site::rendered();
    bundle(&site, "bundle", "one");
    at_root(&site, &["publish", "bundle", "--ipxe", "nowhere"]).ends(0, &[]);
    site
}

/// Whatever the inventory calls the web root: the marker tells.
#[test]
fn no_key_is_written_into_a_web_root() {
    let site = crate::sealing::site();
    site.run(&["render"]).ends(0, &[]);
    site.run(&["publish", "--root", "../served", "--ipxe", "nowhere"]).ends(0, &[]);
    std::os::unix::fs::symlink("served/site", site.path().join("link")).unwrap();
    for to in ["../served", "../served/new", "../served/site/new/below", "../link/new"] {
        for command in [&["stage", "node01"][..], &["encrypt"]] {
            let args = [&["secrets"], command, &["--to", to]].concat();
            let run = site.untouched(|| site.run(&args));
            run.ends(2, &["is inside", "served, which plasmagen writes or serves in public"]);
        }
    }
    let args = ["secrets", "stage", "node01", "--to", "../out", "--vault", "../served/keys"];
    let run = site.untouched(|| site.run(&args));
    run.ends(2, &["the vault", "served, which plasmagen writes or serves in public"]);
    // Also where nothing is to be issued, and whether something is there already or not.
    fs::create_dir(site.path().join("served/there")).unwrap();
    for (vault, code) in [("../served/there", 1), ("../served", 1), ("../served/missing", 2)] {
        let run = site.untouched(|| site.run(&["render", "--vault", vault]));
        run.ends(code, &["the vault", "served, which plasmagen writes or serves in public"]);
    }
}

#[test]
fn a_second_cluster_needs_consent_and_no_armed_node_in_its_way() {
    let site = published();
    at_root(&site, &["arm", "node01"]).ends(0, &[]);
    run_timer(&site);
    // A second inventory, whose machines boot from the same web root.
    let other = site.root().join("other");
    fs::create_dir(&other).unwrap();
    let inventory =
        site.read("inventory.toml").replace("my-cluster", "elm").replace("3c:ec:ef:00:00", "3c:ec:ef:00:99");
    fs::write(other.join("inventory.toml"), inventory.replace("node0", "elm0")).unwrap();
    site.run(&["render", "other/inventory.toml"]).ends(0, &[]);
    // Its builds of iPXE stay out, too.
    fs::create_dir(site.root().join("builds")).unwrap();
    fs::write(site.root().join("builds/undionly.kpxe"), "a build").unwrap();
    let publish = ["publish", "--inventory", "other/inventory.toml", "--ipxe", "builds"];
    at_root(&site, &publish).ends(
        1,
        &[
            "the web root is another cluster's, and nothing was changed",
            "machines of the cluster my-cluster boot from it",
            "without their scripts node01, node02, node03 could boot nothing; armed: node01",
            "Publish the cluster elm into another web root",
            "--replace-cluster my-cluster",
        ],
    );
    // Nor does its inventory's bundle come in alone.
    let alone = ["publish", "bundle", "--no-site", "--inventory", "other/inventory.toml"];
    at_root(&site, &alone).ends(1, &["this is of the cluster elm", "--replace-cluster my-cluster"]);
    let consent = [&publish[..], &["--replace-cluster", "my-cluster"]].concat();
    at_root(&site, &consent).ends(
        1,
        &[
            "armed/3c-ec-ef-00-00-01: node01 is armed",
            "plasmagen disarm --root root --inventory other/inventory.toml node01 first",
        ],
    );
    site.run(&["verify", "root"]).ends(0, &["is as it was published"]);
    assert!(!site.root().join("root/tftp/undionly.kpxe").exists());
    at_root(&site, &["disarm", "node01"]).ends(0, &[]);
    at_root(&site, &consent)
        .ends(0, &["tftp/undionly.kpxe is builds/undionly.kpxe", "root/site: generation"]);
    let run = site.run(&["verify", "root"]);
    assert!(
        run.ends(1, &["1 fault"]).stdout.contains("plasmagen publish --root root --remove control-plane"),
        "{}",
        run.stdout
    );
    // The way that it names.
    let removal = ["publish", "--remove", "control-plane", "--inventory", "other/inventory.toml"];
    at_root(&site, &removal).ends(
        0,
        &[
            "root/nixos/control-plane is removed: 1 generation",
            "warning: 3 nodes of the published site (elm01)",
        ],
    );
    site.run(&["verify", "root"]).ends(0, &[]);
    at_root(&site, &["publish", "--remove", "control-plane"])
        .ends(2, &["nothing is published for control-plane: there are site"]);
}

#[test]
fn the_lines_of_verify_fit_a_terminal() {
    let site = published();
    bundle(&site, "newer", "two");
    at_root(&site, &["publish", "newer", "--ipxe", "nowhere"]).ends(0, &[]);
    let initrd = site.root().join("root/nixos/control-plane/current/initrd");
    fs::write(initrd, "x").unwrap();
    let run = site.run(&["verify", "root"]);
    run.ends(1, &["root: 1 fault"]);
    assert!(run.stdout.contains("/initrd: it has 1 bytes instead of"), "{}", run.stdout);
    for line in run.stdout.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    // The digest of a file is shortened as well.
    let kernel = site.root().join("root/nixos/control-plane/current/bzImage");
    let mut bytes = fs::read(&kernel).unwrap();
    bytes[600] ^= 1;
    fs::write(kernel, bytes).unwrap();
    let run = site.run(&["verify", "root"]);
    let line = run.stdout.lines().find(|line| line.contains("/bzImage: its SHA-256 is ")).unwrap();
    assert!(!line.split(|char: char| !char.is_ascii_hexdigit()).any(|word| word.len() > 12), "{line}");
    // Programs get all digits.
    let run = site.run(&["verify", "root", "--format", "json"]);
    let is_long = |word: &str| word.len() == 64;
    assert!(run.stdout.split(|char: char| !char.is_ascii_hexdigit()).any(is_long), "{}", run.stdout);
}

#[test]
fn quiet_says_why_and_the_site_has_a_way_back() {
    let site = published();
    at_root(&site, &["publish", "--rollback", "site"])
        .ends(2, &["site has no generation before the current one"]);
    for option in ["--rollback", "--remove"] {
        at_root(&site, &["publish", option, "wrker"])
            .ends(2, &["nothing is published for wrker: there are control-plane, site"]);
    }
    at_root(&site, &["publish", "--remove", "site"])
        .ends(2, &["the site is not removed", "plasmagen publish --root root --rollback site"]);
    site.edit("3c:ec:ef:00:00:01", "3c:ec:ef:00:00:99");
    let run = at_root(&site, &["publish", "--quiet", "--ipxe", "nowhere"]);
    run.ends(1, &["stale: 4 files in site/www would change: run plasmagen render"]);
    site.run(&["render"]).ends(0, &[]);
    let run = at_root(&site, &["publish", "--quiet", "--ipxe", "nowhere"]);
    assert_eq!(run.ends(0, &[]).stderr, "");
    assert!(!site.root().join("root/ipxe/node/3c-ec-ef-00-00-01.ipxe").exists());
    at_root(&site, &["publish", "--rollback", "site"]).ends(0, &["root/site: generation 3"]);
    assert!(site.root().join("root/ipxe/node/3c-ec-ef-00-00-01.ipxe").exists());
}

/// A note in the web root says that a roll back was killed after its switch.
#[test]
fn a_roll_back_says_that_it_finishes_an_earlier_one() {
    let site = published();
    bundle(&site, "newer", "two");
    at_root(&site, &["publish", "newer", "--ipxe", "nowhere"]).ends(0, &[]);
    let current = fs::read_link(site.root().join("root/nixos/control-plane/current")).unwrap();
    let note = format!("nixos/control-plane {}\n", current.display());
    fs::write(site.root().join("root/.plasmagen/rollback"), note).unwrap();
    let run = site.run(&["verify", "root"]);
    let told =
        "A roll back was interrupted: plasmagen publish --root root --rollback control-plane finishes it";
    assert!(run.ends(1, &["1 fault"]).stdout.contains(told), "{}", run.stdout);
    let run = at_root(&site, &["publish", "--rollback", "control-plane"]);
    let led = format!(
        "it led to {:.12}, which is served. The same command again leads on to ",
        current.display().to_string()
    );
    run.ends(0, &["an earlier roll back of nixos/control-plane, which was interrupted, is finished", &led]);
    site.run(&["verify", "root"]).ends(0, &[]);
    let run = at_root(&site, &["publish", "--rollback", "control-plane"]);
    assert!(!run.ends(0, &[]).stderr.contains("finished"), "{}", run.stderr);
}

#[test]
fn bundles_alone_bring_no_builds_of_ipxe() {
    let site = published();
    let run = at_root(&site, &["publish", "bundle", "--no-site"]);
    assert!(!run.ends(0, &[]).stderr.contains("tftp/"), "{}", run.stderr);
    at_root(&site, &["publish", "bundle", "--no-site", "--ipxe", "nowhere"])
        .ends(2, &["cannot be used with"]);
}

#[test]
fn an_armed_node_gets_another_bundle_with_yes_only() {
    let site = published();
    bundle(&site, "newer", "two");
    at_root(&site, &["arm", "node01"]).ends(0, &[]);
    let publish = ["publish", "newer", "--no-site"];
    at_root(&site, &publish).ends(
        1,
        &[
            "armed nodes would boot another bundle, and nothing was changed",
            "node01 is armed, and would boot the bundle",
        ],
    );
    at_root(&site, &[&publish[..], &["--yes"]].concat())
        .ends(0, &["node01 is armed, and boots the bundle", "now instead of"]);
    let rollback = ["publish", "--rollback", "control-plane"];
    at_root(&site, &rollback).ends(1, &["node01 is armed, and would boot"]);
    at_root(&site, &[&rollback[..], &["--yes"]].concat()).ends(0, &["node01 is armed, and boots"]);
    at_root(&site, &["publish", "--remove", "control-plane"])
        .ends(1, &["node01 is armed and boots it: run plasmagen disarm --root root node01 first"]);
}

/// Two clusters with the name that `init` writes.
#[test]
fn a_cluster_of_the_same_name_with_other_machines_is_another() {
    let site = published();
    site.edit("3c:ec:ef:00:00", "3c:ec:ef:00:99");
    site.run(&["render"]).ends(0, &[]);
    let words =
        "machines of the cluster my-cluster boot from it, and none of them is in the cluster my-cluster";
    at_root(&site, &["publish", "--ipxe", "nowhere"]).ends(1, &[words, "--replace-cluster my-cluster"]);
    at_root(&site, &["publish", "bundle", "--no-site", "-i", "inventory.toml"]).ends(1, &[words]);
    at_root(&site, &["publish", "--ipxe", "nowhere", "--replace-cluster", "my-cluster"]).ends(0, &[]);
}
