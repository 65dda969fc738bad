//! `publish`, `verify`, `arm`, `disarm` and `armed`: from an inventory to a web root, and what is said on the way.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::kit::Site;
use test_kit::bzimage::bzimage;

/// A rendered site, and a bundle for its nodes in `bundle` beside the inventory.
fn site() -> Site {
    let site = Site::rendered();
    bundle(&site, "bundle", "one");
    site
}

/// Makes a bundle for control planes in `name` beside the inventory, whose init holds `text`.
pub(crate) fn bundle(site: &Site, name: &str, text: &str) {
    let (root, kernel) = (site.root().join("initrd-root"), site.root().join("kernel"));
    fs::create_dir_all(&root).unwrap();
    fs::write(root.join("init"), format!("#!/bin/sh\n# {text}\n")).unwrap();
    fs::write(&kernel, bzimage()).unwrap();
    let args = ["bundle", "--base", "control-plane", "--kernel", "kernel", "--root", "initrd-root"];
    site.run(&[&args[..], &["--init", "/init", "--out", name]].concat()).ends(0, &[]);
}

/// Runs a command with the web root `root` beside the inventory.
pub(crate) fn at_root(site: &Site, args: &[&str]) -> crate::kit::Run {
    site.run(&[args, &["--root", "root"]].concat())
}

/// Leaves the stamp of the provisioner's timer, which ends armings.
pub(crate) fn run_timer(site: &Site) {
    let now = time::OffsetDateTime::now_utc().unix_timestamp();
    fs::write(site.root().join("root/armed/.pxe-health"), format!("{now}\n")).unwrap();
}

fn armed(site: &Site) -> Value {
    let run = at_root(site, &["armed", "--format", "json"]);
    serde_json::from_str::<Value>(&run.ends(0, &[]).stdout).unwrap()["armed"].clone()
}

#[test]
fn from_an_inventory_to_a_machine_that_may_be_erased() {
    let site = site();
    at_root(&site, &["armed"]).ends(2, &["could not open root"]);
    // By default nothing but plasmagen's own directory beside; builds of iPXE from nowhere.
    let run = at_root(&site, &["publish", "bundle", "--ipxe", "nowhere"]);
    run.ends(
        0,
        &[
            "root/nixos/control-plane: generation 1 is",
            "root/site: generation 1",
            "no tftp/ipxe.efi",
            "3 nodes",
        ],
    );
    assert!(!run.stderr.contains("ipxe-arm64"), "no node needs it: {}", run.stderr);
    site.run(&["verify", "root"]).ends(0, &["root: is as it was published"]);
    let json = site.run(&["verify", "root", "--format", "json", "--min-generation", "control-plane=2"]);
    let form: Value = serde_json::from_str(&json.ends(1, &["1 fault"]).stdout).unwrap();
    assert_eq!((&form["faults"][0]["kind"], &form["schema"]), (&Value::from("rolled-back"), &Value::from(1)));
    assert_eq!(form["found"].as_array().unwrap().len(), 2);
    // Of what is gone, or was never there, no generation is old enough.
    for (least, path) in [("worker=1", "nixos/worker"), ("contrl-plane=0", "nixos/contrl-plane")] {
        let run = site.run(&["verify", "root", "--min-generation", least]);
        let fault = format!("missing  {path}: nothing is served");
        assert!(run.ends(1, &["1 fault"]).stdout.contains(&fault), "{run:?}");
    }
    site.run(&["verify", "root", "--min-generation", "1"]).ends(0, &["is as it was published"]);
    site.run(&["verify", "bundle", "--min-generation", "1"]).ends(2, &["has no generation", "a web root"]);

    run_timer(&site);
    at_root(&site, &["arm", "node02.cluster.example.com"]).ends(2, &["did you mean `node02`?"]);
    at_root(&site, &["arm", "nod01"]).ends(2, &["there is no node `nod01`: did you mean `node01`?"]);
    at_root(&site, &["arm", "node01", "node02"])
        .ends(0, &["node01 is armed until 2", "node02 is armed until 2"]);
    let list = armed(&site);
    assert_eq!((list.as_array().unwrap().len(), &list[0]["armed"]["node"]), (2, &Value::from("node01")));
    let left = list[0]["seconds_left"].as_i64().unwrap();
    assert!((4 * 3600 - 600..=4 * 3600).contains(&left), "four hours by default: {left}");
    let table = at_root(&site, &["armed"]).stdout;
    assert!(table.contains("node01  3c:ec:ef:00:00:01  control-plane  "), "{table}");
    assert!(table.contains("UTC, 3 h 5"), "{table}");
    site.run(&["verify", "root"]).ends(0, &[]);
    at_root(&site, &["disarm", "node01"]).ends(0, &["node01 is disarmed"]);
    at_root(&site, &["disarm", "node01"]).ends(0, &["node01 was not armed"]);
    assert_eq!(armed(&site).as_array().unwrap().len(), 1);
    at_root(&site, &["disarm", "node99"]).ends(2, &["there is no node `node99`"]);
    // J03: a node that has left the inventory can still be disarmed.
    let inventory = site.read("inventory.toml").replace("node02", "node99");
    fs::write(site.inventory(), inventory).unwrap();
    at_root(&site, &["disarm", "node02"]).ends(0, &["node02 is disarmed"]);
    assert_eq!(armed(&site).as_array().unwrap().len(), 0);
}

/// A node that boots through a bond has a file for each member, and is one node for its operator.
#[test]
fn a_bond_is_armed_as_one_node() {
    let site = Site::new();
    let cards = test_kit::repository().join("tests/golden/cards/inventory.toml");
    fs::copy(cards, site.inventory()).unwrap();
    site.run(&["render"]).ends(0, &[]);
    bundle(&site, "bundle", "one");
    at_root(&site, &["publish", "bundle", "--ipxe", "nowhere"]).ends(0, &[]);
    run_timer(&site);
    let run = at_root(&site, &["arm", "bonded"]);
    run.ends(0, &["bonded is armed until 2"]);
    assert_eq!(run.stderr.matches("bonded is armed").count(), 1, "{}", run.stderr);
    assert_eq!(armed(&site).as_array().unwrap().len(), 2);
    let table = at_root(&site, &["armed"]).stdout;
    assert!(table.contains("bonded  3c:ec:ef:31:00:01 3c:ec:ef:31:01:01  control-plane  "), "{table}");
    assert_eq!(table.matches("bonded").count(), 1, "{table}");
    site.run(&["verify", "root"]).ends(0, &[]);
    at_root(&site, &["disarm", "bonded"]).ends(0, &["bonded is disarmed"]);
    assert_eq!(armed(&site).as_array().unwrap().len(), 0);
    at_root(&site, &["arm", "bonded"]).ends(0, &[]);
    let run = at_root(&site, &["disarm", "--all"]);
    assert_eq!(run.ends(0, &[]).stderr.matches("bonded is disarmed").count(), 1, "{}", run.stderr);
}

#[test]
fn what_is_stale_damaged_or_foreign_is_refused() {
    let site = site();
    let publish = ["publish", "bundle", "--ipxe", "nowhere"];
    let initrd = site.root().join("bundle/initrd");
    let whole = fs::read(&initrd).unwrap();
    fs::write(&initrd, "damaged").unwrap();
    at_root(&site, &publish)
        .ends(1, &["could not publish the bundle bundle, and nothing was changed", "initrd: it has 7 bytes"]);
    let run = site.run(&["verify", "bundle"]);
    assert!(
        run.ends(1, &["bundle: 1 fault"]).stdout.contains("changed  initrd: it has 7 bytes"),
        "{}",
        run.stdout
    );
    fs::write(&initrd, whole).unwrap();
    fs::create_dir(site.root().join("other")).unwrap();
    fs::write(site.root().join("other/file"), "").unwrap();
    site.run(&["publish", "bundle", "--root", "other"]).ends(2, &["it holds file"]);
    site.run(&["verify", "other"]).ends(2, &["neither a web root"]);
    // The inventory says something that site/www does not.
    site.edit("3c:ec:ef:00:00:01", "3c:ec:ef:00:00:99");
    at_root(&site, &publish).ends(1, &["stale: 4 files in site/www would change: run plasmagen render"]);
    at_root(&site, &["publish", "bundle", "--no-site"]).ends(0, &["generation 1"]);
    assert!(!site.root().join("root/site").exists());
    at_root(&site, &[&publish[..], &["--site", "site"]].concat())
        .ends(0, &["unchanged", "root/site: generation 2"]);
    at_root(&site, &["publish", "--rollback", "control-plane"])
        .ends(2, &["no generation before the current one"]);
    bundle(&site, "newer", "two");
    at_root(&site, &["publish", "newer", "--no-site"]).ends(0, &["generation 3"]);
    at_root(&site, &["publish", "--rollback", "control-plane", "--expires-in", "1h"])
        .ends(0, &["generation 4"]);
    site.run(&["publish", "--rollback", "x", "newer"]).ends(2, &["cannot be used with"]);
    at_root(&site, &["publish", "--expires-in", "soon"]).ends(2, &["`soon` is not a time"]);
}

#[test]
fn admin_keys_vouch_for_bundles() {
    let site = site();
    let key: PathBuf = site.path().join("key");
    site.tool(
        "ssh-keygen",
        "openssh-client",
        &["-q", "-t", "ed25519", "-N", "", "-f", key.to_str().unwrap()],
    )
    .ends(0, &[]);
    let verify = ["verify", "bundle", "--inventory", "inventory.toml"];
    assert!(
        site.run(&verify)
            .ends(1, &[])
            .stdout
            .contains("unsigned  manifest.json.sig: its manifest is not signed")
    );
    let sign = ["-Y", "sign", "-q", "-n", "plasmagen", "-f", key.to_str().unwrap(), "bundle/manifest.json"];
    site.tool("ssh-keygen", "openssh-client", &sign).ends(0, &[]);
    assert!(site.run(&verify).ends(1, &[]).stdout.contains("who is no signer"));
    let public = fs::read_to_string(key.with_extension("pub")).unwrap();
    let words: Vec<_> = public.split_whitespace().collect();
    site.edit(crate::kit::KEY, &format!("{} {} ops@example.com", words[0], words[1]));
    site.run(&verify).ends(0, &["is as it was published"]);
    fs::write(site.root().join("signers"), format!("ops {public}")).unwrap();
    site.run(&["verify", "bundle", "--signers", "signers"]).ends(0, &[]);
}

#[test]
fn an_arming_lasts_as_long_as_it_should() {
    let site = site();
    at_root(&site, &["publish", "bundle", "--ipxe", "nowhere"]).ends(0, &[]);
    run_timer(&site);
    let words = "one minute up to 7 days: write a number with m, h or d, from `1m` to `7d`";
    for period in ["soon", "5", "30s", "59s", "8d"] {
        at_root(&site, &["arm", "node01", "--for", period]).ends(2, &[words]);
    }
    at_root(&site, &["arm", "node01", "--for", "7d", "--verify"]).ends(0, &["node01 is armed until"]);
    let table = at_root(&site, &["armed"]).stdout;
    assert!(table.contains("UTC, 167 h 5") || table.contains("UTC, 168 h 0 min left"), "{table}");
    // The end of an arming may lie in the past.
    let file = site.root().join("root/armed/3c-ec-ef-00-00-01");
    let text = fs::read_to_string(&file).unwrap();
    let record: Value =
        serde_json::from_str(text.lines().nth(3).unwrap().strip_prefix("# ").unwrap()).unwrap();
    let (until, begin) = (record["until"].as_str().unwrap(), record["armed"].as_str().unwrap());
    let seconds = |text: &str| {
        let rfc3339 = &time::format_description::well_known::Rfc3339;
        time::OffsetDateTime::parse(text, rfc3339).unwrap().unix_timestamp().to_string()
    };
    let shown = |text: &str| text.replace('T', " ").replace('Z', " UTC");
    let past = text
        .replace(&seconds(until), &seconds(begin))
        .replace(&shown(until), &shown(begin))
        .replace(until, begin);
    fs::write(&file, past).unwrap();
    let table = at_root(&site, &["armed"]).stdout;
    assert!(table.contains("ended, but the file is there"), "{table}");
    assert_eq!(armed(&site)[0]["seconds_left"], 0);
    // It still boots the installer, so it counts.
    at_root(&site, &["arm", "node02", "node03"]).ends(1, &["all bootstrap nodes", "node01, node02, node03"]);
    at_root(&site, &["arm", "node02", "node03", "--yes"]).ends(0, &["node02 is armed", "node03 is armed"]);
    // Without an inventory: nobody should have to mend one to disarm.
    site.append("[");
    at_root(&site, &["disarm", "node02"]).ends(1, &["is refused"]);
    at_root(&site, &["disarm", "--all"]).ends(0, &["node01 is disarmed", "node02 is disarmed"]);
    at_root(&site, &["disarm", "--all"]).ends(0, &["no node was armed"]);
    at_root(&site, &["disarm"]).ends(2, &["required"]);
    at_root(&site, &["disarm", "--all", "node01"]).ends(2, &["cannot be used with"]);
}

#[test]
fn what_the_inventory_says_and_nobody_published_is_not_armed() {
    let site = site();
    let publish = ["publish", "bundle", "--ipxe", "nowhere"];
    at_root(&site, &publish).ends(0, &[]);
    for (old, new) in [
        ("SERIAL0001", "CN7475139H0023"),
        ("nvme-EXAMPLE_DISK_00000001_1", "nvme-EXAMPLE_DISK_00000009_1"),
        ("address.production = \"10.0.200.10\"", "address.production = \"10.0.200.17\""),
    ] {
        site.edit(old, new);
        let overlay = "site/current/overlay/3c-ec-ef-00-00-01.cpio.gz: it differs from the file that";
        at_root(&site, &["arm", "node02", "node01"]).ends(
            1,
            &["could not arm node02, node01", overlay, "run plasmagen render, then plasmagen publish"],
        );
        assert_eq!(armed(&site).as_array().unwrap().len(), 0);
        // Other nodes may be armed.
        at_root(&site, &["arm", "node02"]).ends(0, &[]);
        at_root(&site, &["disarm", "node02"]).ends(0, &[]);
        site.run(&["render"]).ends(0, &[]);
        at_root(&site, &["arm", "node01"]).ends(1, &[overlay]);
        at_root(&site, &["publish", "--ipxe", "nowhere"]).ends(0, &[]);
        at_root(&site, &["arm", "node01"]).ends(0, &["node01 is armed"]);
        at_root(&site, &["disarm", "node01"]).ends(0, &[]);
    }
    site.append("\n[boot]\npause = \"45s\"\n");
    at_root(&site, &["arm", "node01"])
        .ends(1, &["site/current/ipxe/boot.ipxe: it differs from the file that"]);
}

#[test]
fn a_cluster_does_not_lose_its_quorum_by_accident() {
    let site = site();
    at_root(&site, &["publish", "bundle", "--ipxe", "nowhere"]).ends(0, &[]);
    // Not formed, as far as the inventory knows: the first installation arms all of them.
    let all = ["arm", "node01", "node02", "node03"];
    at_root(&site, &all).ends(1, &["no node is armed: all bootstrap nodes"]);
    at_root(&site, &["arm", "node01", "node02"]).ends(0, &[]);
    // Those that are armed already count.
    at_root(&site, &["arm", "node03"]).ends(1, &["all bootstrap nodes would be armed at once"]);
    at_root(&site, &[&all[..], &["--yes"]].concat()).ends(0, &["node03 is armed"]);
    at_root(&site, &["disarm", "--all"]).ends(0, &[]);
    site.edit("formed = false", "formed = true");
    site.run(&["render"]).ends(0, &[]);
    at_root(&site, &["publish", "--ipxe", "nowhere"]).ends(0, &[]);
    at_root(&site, &["arm", "node01", "node02"])
        .ends(1, &["2 of the 3 voters of chainfire would be armed at once (node01, node02)", "needs 2"]);
    at_root(&site, &["arm", "node01"]).ends(0, &[]);
    at_root(&site, &["arm", "node02"]).ends(1, &["(node01, node02)"]);
    at_root(&site, &["arm", "node02", "--yes"]).ends(0, &["node02 is armed"]);
    at_root(&site, &["disarm", "--all"]).ends(0, &[]);
    // A file of another version boots the installer, too.
    let mac = "3c-ec-ef-00-00-01";
    fs::write(site.root().join("root/armed").join(mac), "#!ipxe\nset armed node01\n").unwrap();
    at_root(&site, &["arm", "node02"]).ends(1, &["(node01, node02)"]);
}

/// The commands of docs/bundles.md that make a signer, sign and publish, and what they print.
fn documented() -> (String, Vec<&'static str>) {
    let docs = include_str!("../../docs/bundles.md");
    let section = docs.split("\n## Signing\n").nth(1).unwrap();
    let section = section.split("\nplasmagen reads no key from a token").next().unwrap();
    let blocks = section.split("```console\n").skip(1).map(|block| block.split("```").next().unwrap());
    let (mut commands, mut printed) = (String::new(), Vec::new());
    for line in blocks.flat_map(str::lines) {
        match line.strip_prefix("$ ") {
            Some(command) => commands += &format!("{command}\n"),
            None if commands.ends_with("\\\n") => commands += &format!("{line}\n"),
            None => printed.push(line),
        }
    }
    (commands, printed)
}

#[test]
fn what_docs_say_of_signing_is_what_machines_need() {
    let site = site();
    site.append("\n[boot]\nverify = \"signature\"\n");
    site.run(&["render"]).ends(0, &[]);
    let publish = ["publish", "bundle", "--ipxe", "nowhere"];
    let lacks = "bzImage.sig: it is missing, and no machine boots without it";
    at_root(&site, &publish).ends(1, &[lacks, "so are initrd.sig, boot.ipxe.sig"]);
    at_root(&site, &["publish", "--ipxe", "nowhere"]).ends(
        1,
        &["ipxe/boot.ipxe.sig: it is missing", "overlay/3c-ec-ef-00-00-01.cpio.gz.sig", "and 1 more"],
    );
    assert!(!site.root().join("root/site").exists() && !site.root().join("root/nixos").exists());

    fs::rename(site.root().join("bundle"), site.root().join("result-bundle")).unwrap();
    let plasmagen = "set -e\nplasmagen() {\n[ $1 = sign ] || set -- \"$@\" --root root --ipxe nowhere\n\"$P\" \"$@\"\n}\n";
    let (commands, printed) = documented();
    site.edit("verify = \"signature\"", "verify = \"signature\"\nsigner = \"signer.pem\"");
    let run = site.shell(&(plasmagen.to_owned() + &commands));
    run.ends(0, &[&printed[..], &["root/site: generation 1"]].concat());
    assert_eq!(printed.len(), 2, "docs show what plasmagen sign prints");
    site.run(&["verify", "root"]).ends(0, &["is as it was published"]);
    assert!(!run.stderr.contains("warning: the key"), "{}", run.stderr);
    // Nothing private is where git takes it along.
    let listed = site.shell("git init -q . && git add -A && git ls-files '*.key' && rm -rf .git");
    assert_eq!(listed.ends(0, &[]).stdout, "");
    // Each signature is good of what lies beside it.
    let good = "cd root; for file in ipxe/boot.ipxe ipxe/node/*.ipxe overlay/*.gz \
                nixos/*/current/{bzImage,initrd,boot.ipxe}; do openssl cms -verify -binary -inform DER -in $file.sig \
                -content $file -purpose any -CAfile ~/boot-ca/boot-ca.pem -out /dev/null 2>/dev/null && echo $file; done";
    let run = site.shell(good);
    assert_eq!(run.ends(0, &[]).stdout.lines().count(), 1 + 3 + 3 + 3, "{}{}", run.stdout, run.stderr);

    bundle(&site, "newer", "two");
    at_root(&site, &["publish", "newer", "--no-site"]).ends(1, &[lacks]);
    let again = ["publish", "--ipxe", "nowhere", "--signatures", "signatures"];
    at_root(&site, &again).ends(0, &["unchanged"]);
    fs::write(site.root().join("signatures/ipxe/node/node99.ipxe.sig"), "x").unwrap();
    at_root(&site, &again).ends(1, &["ipxe/node/node99.ipxe.sig: the site has no such file"]);
    at_root(&site, &["publish", "result-bundle", "--no-site", "--signatures", "signatures"])
        .ends(2, &["cannot be used with"]);
}
