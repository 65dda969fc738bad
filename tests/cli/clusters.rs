//! Two clusters share a web root, as the operator of each sees it.

use std::fs;

use crate::kit::{KEY, Site};
use crate::publish::{at_root, bundle, run_timer};
use crate::web_root::published;

/// A second inventory for the web root of `site`, in `other/`: the cluster elm with nodes, cards and addresses of its own.
fn render_other(site: &Site) {
    let other = site.root().join("other");
    fs::create_dir(&other).unwrap();
    let inventory = site.read("inventory.toml").replace("my-cluster", "elm").replace("node0", "elm0");
    let inventory = inventory.replace("3c:ec:ef:00:00", "3c:ec:ef:00:99").replace("10.0.100.5", "10.0.100.6");
    fs::write(other.join("inventory.toml"), inventory).unwrap();
    site.run(&["render", "other/inventory.toml"]).ends(0, &[]);
}

#[test]
fn two_clusters_share_a_web_root() {
    let site = published();
    render_other(&site);
    let elm = ["--inventory", "other/inventory.toml"];
    let run = |args: &[&str]| at_root(&site, &[args, &elm].concat());
    at_root(&site, &["arm", "node01"]).ends(0, &[]);
    run_timer(&site);
    run(&["publish", "--ipxe", "nowhere"])
        .ends(1, &["this is of the cluster elm", "or beside their site with --add-cluster"]);
    // Two nodes with one address in the boot network.
    let right = site.read("other/inventory.toml");
    let wrong =
        right.replace("address.provisioning = \"10.0.100.60\"", "address.provisioning = \"10.0.100.50\"");
    assert_ne!(right, wrong);
    for (text, code, words) in [
        (
            &wrong,
            1,
            "the same addresses in the boot network: 10.0.100.50 (elm01 of elm, node01 of my-cluster)",
        ),
        (&right, 0, "root/sites/elm: generation"),
    ] {
        fs::write(site.root().join("other/inventory.toml"), text).unwrap();
        site.run(&["render", "other/inventory.toml"]).ends(0, &[]);
        run(&["publish", "--add-cluster", "--ipxe", "nowhere"]).ends(code, &[words]);
    }
    // The nodes of both boot the bundle of the first.
    run(&["arm", "elm01"]).ends(0, &[]);
    let listed = at_root(&site, &["armed"]);
    let names = ["elm01 of elm", "node01 of my-cluster"];
    assert!(names.iter().all(|name| listed.stdout.contains(name)), "{}", listed.stdout);
    for inventory in ["inventory.toml", "other/inventory.toml"] {
        // Nobody signs here.
        let run = site.run(&["verify", "root", "--inventory", inventory, "--format", "json"]);
        let faults = serde_json::from_str::<serde_json::Value>(&run.stdout).unwrap();
        let kinds = faults["faults"].as_array().unwrap().iter().map(|fault| fault["kind"].clone());
        assert!(kinds.clone().count() > 0 && kinds.clone().all(|kind| kind == "unsigned"), "{}", run.stdout);
    }
    site.run(&["verify", "root"]).ends(0, &[]);
    run(&["disarm", "--all"])
        .ends(0, &["elm01 is disarmed", "node01 stays armed: it is a node of another cluster"]);
    assert!(!site.root().join("root/armed/3c-ec-ef-00-99-01").exists());
    bundle(&site, "newer", "two");
    run(&["publish", "newer", "--no-site"])
        .ends(1, &["of the cluster my-cluster boot the bundle", "--replace-image"]);
    run(&["publish", "newer", "--no-site", "--replace-image"])
        .ends(1, &["node01 is armed, and would boot the bundle"]);
    run(&["publish", "--ipxe", "nowhere"]).ends(0, &["root/sites/elm: generation"]);
    run(&["publish", "--rollback", "site"]).ends(2, &["sites/elm has no generation before the current one"]);
    at_root(&site, &["publish", "--rollback", "site"]).ends(2, &["name the inventory of one of them"]);
    at_root(&site, &["publish", "--rollback", "site", "-i", "inventory.toml"])
        .ends(2, &["sites/my-cluster has no generation before the current one"]);
    run(&["publish", "--remove-cluster", "my-cluster"])
        .ends(1, &["node01 is armed, and the site has no script"]);
    at_root(&site, &["disarm", "--all"]).ends(0, &["node01 is disarmed"]);
    run(&["publish", "--remove-cluster", "elm"])
        .ends(0, &["machines of the cluster elm boot nothing from it any more"]);
    assert!(!site.root().join("root/ipxe/node/3c-ec-ef-00-99-01.ipxe").exists());
    assert!(site.root().join("root/ipxe/node/3c-ec-ef-00-00-01.ipxe").exists());
}

/// Bundles that nodes of both clusters boot once they are armed.
#[test]
fn an_image_of_two_clusters_is_removed_with_consent() {
    let site = published();
    render_other(&site);
    let run = |args: &[&str]| at_root(&site, &[args, &["--inventory", "other/inventory.toml"]].concat());
    run(&["publish", "--add-cluster", "--ipxe", "nowhere"]).ends(0, &[]);
    let remove = ["publish", "--remove", "control-plane"];
    let words = "node01, node02, node03 of the cluster my-cluster boot this image once armed";
    run(&remove).ends(1, &["nixos/control-plane is not removed", words, "add --replace-image"]);
    at_root(&site, &remove).ends(1, &["elm01, elm02, elm03 of the cluster elm boot this image once armed"]);
    run(&[&remove[..], &["--replace-image"]].concat()).ends(0, &["nixos/control-plane is removed"]);
}

/// Each cluster signs with a key of its own, and both boot one image, which has the signature of one.
#[test]
fn each_cluster_verifies_its_own_site_and_names_who_may_sign_images() {
    let site = Site::rendered();
    bundle(&site, "bundle", "one");
    site.shell("for key in oak elm; do ssh-keygen -q -t ed25519 -N '' -C ops@example.com -f $key; done")
        .ends(0, &[]);
    render_other(&site);
    for (inventory, key) in [("inventory.toml", "oak.pub"), ("other/inventory.toml", "elm.pub")] {
        let (path, key) = (site.root().join(inventory), site.read(key));
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(KEY));
        // The key that was rendered stays beside the new one (PG-J06), and signs nothing.
        fs::write(&path, text.replace(&format!("\"{KEY}\""), &format!("\"{KEY}\", \"{}\"", key.trim())))
            .unwrap();
        fs::write(site.root().join(format!("{inventory}.signers")), format!("ops {key}")).unwrap();
        site.run(&["render", inventory]).ends(0, &[]);
    }
    at_root(&site, &["publish", "bundle", "--ipxe", "nowhere", "--sign", "oak"]).ends(0, &[]);
    let elm = ["--add-cluster", "--ipxe", "nowhere", "--sign", "elm", "--inventory", "other/inventory.toml"];
    at_root(&site, &[&["publish"], &elm[..]].concat()).ends(0, &[]);
    let verify = |args: &[&str]| site.run(&[&["verify", "root"], args].concat());
    verify(&["--inventory", "inventory.toml"]).ends(0, &[]);
    let run = verify(&["--inventory", "other/inventory.toml"]);
    assert!(run.ends(1, &["1 fault"]).stdout.contains("nixos/control-plane/"), "{}", run.stdout);
    verify(&["--inventory", "other/inventory.toml", "--signers", "inventory.toml.signers"]).ends(0, &[]);
    // A key of elm's does not vouch for oak's site, unless somebody names that key.
    let run = verify(&["--signers", "other/inventory.toml.signers"]);
    assert!(run.ends(1, &["2 faults"]).stdout.contains("sites/my-cluster/"), "{}", run.stdout);
}
