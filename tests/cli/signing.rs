//! `publish --sign`: which keys are accepted, and who verifies the signatures.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};

use test_kit::process::is_root;

use crate::kit::Site;
use crate::publish::{at_root, bundle};
use crate::web_root::published;

/// A FIFO without a writer would hold ssh-keygen, and the lock of the web root with it.
#[test]
fn a_signing_key_that_is_no_file_is_refused_before_the_lock() {
    let site = Site::rendered();
    site.shell("mkfifo ../fifo; mkdir ../dir").ends(0, &[]);
    for (key, words) in [("../fifo", "it is a pipe, no regular file"), ("../dir", "Is a directory")] {
        let run = site.shell(&format!("timeout 60 $P publish --root ../served --ipxe nowhere --sign {key}"));
        run.ends(2, &[&format!("could not read the key {key}"), words]);
    }
    assert!(!site.path().join("served").exists(), "the web root was locked");
}

/// Makes an SSH key beside the site, adds it to the inventory's admin keys, and returns the path.
fn sign_as_admin(site: &Site) -> String {
    let key = site.path().join("key").to_str().unwrap().to_owned();
    site.tool("ssh-keygen", "openssh-client", &["-q", "-t", "ed25519", "-N", "", "-f", &key]).ends(0, &[]);
    let public = fs::read_to_string(format!("{key}.pub")).unwrap();
    let words: Vec<_> = public.split_whitespace().collect();
    let (old, new) = (crate::kit::KEY, format!("{} {} signer@example.com", words[0], words[1]));
    site.edit(&format!("\"{old}\""), &format!("\"{old}\", \"{new}\""));
    key
}

#[test]
fn a_renamed_cluster_keeps_its_web_root() {
    let site = Site::rendered();
    bundle(&site, "bundle", "one");
    let key = sign_as_admin(&site);
    site.run(&["render"]).ends(0, &[]);
    let publish = ["publish", "--ipxe", "nowhere", "--sign", &key];
    at_root(&site, &[&publish[..], &["bundle"]].concat()).ends(0, &[]);
    site.edit("\"my-cluster\"", "\"elm\"\nformer_names = [\"my-cluster\"]");
    site.append("\n[boot]\npause = \"45s\"\n");
    site.run(&["render"]).ends(0, &[]);
    at_root(&site, &publish).ends(0, &["root/site: generation 2"]);
    let verify = ["verify", "root", "--inventory", "inventory.toml"];
    site.run(&verify).ends(0, &["is as it was published"]);
    let back = ["publish", "--rollback", "site", "--sign", &key];
    let words =
        ["write its former name into `former_names` of [cluster], and name the inventory with --inventory"];
    at_root(&site, &back).ends(1, &words);
    at_root(&site, &[&back[..], &["--inventory", "inventory.toml"]].concat()).ends(0, &["generation 3"]);
    site.run(&verify).ends(0, &["is as it was published"]);
    // The bundle alone, while the site is of the former name.
    at_root(&site, &["publish", "bundle", "--no-site", "--inventory", "inventory.toml", "--sign", &key])
        .ends(0, &["generation 4"]);
    site.run(&verify).ends(0, &["is as it was published"]);
    // A cluster that never had that name is another one.
    site.edit("former_names = [\"my-cluster\"]", "former_names = [\"oak\"]");
    let run = site.run(&verify);
    assert!(run.ends(1, &["root: 1 fault"]).stdout.contains("my-cluster, and not for elm"), "{}", run.stdout);
}

#[test]
fn publications_are_signed_by_the_operator_and_verified_by_the_inventory() {
    let site = published();
    let key = sign_as_admin(&site);
    let key = key.as_str();
    site.run(&["render"]).ends(0, &[]);
    let verify = ["verify", "root", "--inventory", "inventory.toml"];
    let run = site.run(&verify);
    for unsigned in [
        "publication.json.sig: its publication is not signed: publish again with plasmagen publish --root root --sign KEY",
        "its publication is not signed: publish the same bundle again with plasmagen publish --root root BUNDLE --sign KEY",
    ] {
        assert!(run.ends(1, &["2 faults"]).stdout.contains(unsigned), "{}", run.stdout);
    }
    let publish = ["publish", "bundle", "--ipxe", "nowhere", "--keep", "0", "--sign", key];
    at_root(&site, &publish).ends(0, &["generation 2"]);
    site.run(&verify).ends(0, &["is as it was published"]);
    bundle(&site, "newer", "two");
    // A generation that is kept: to sign the current one leaves it as it is, and each remedy is one.
    at_root(&site, &["publish", "bundle", "--ipxe", "nowhere"]).ends(0, &["generation 3"]);
    at_root(&site, &["publish", "newer", "--ipxe", "nowhere", "--sign", key]).ends(0, &["generation 4"]);
    let run = site.run(&verify);
    let kept = "it is kept, and its publication is not signed: plasmagen publish --root root BUNDLE --keep 0 --sign KEY";
    assert!(run.ends(1, &["1 fault"]).stdout.contains(kept), "{}", run.stdout);
    at_root(&site, &["publish", "newer", "--keep", "0", "--ipxe", "nowhere", "--sign", key]).ends(0, &[]);
    site.run(&verify).ends(0, &["is as it was published"]);
    at_root(&site, &["publish", "bundle", "--keep", "0", "--ipxe", "nowhere", "--sign", key]).ends(0, &[]);
    at_root(&site, &["publish", "newer", "--no-site", "--sign", key]).ends(0, &[]);
    at_root(&site, &["publish", "--rollback", "control-plane", "--sign", key]).ends(0, &["generation 8"]);
    site.run(&verify).ends(0, &["is as it was published"]);
    // The inventory of another cluster with the same operators.
    site.edit("my-cluster", "elm");
    let run = site.run(&verify);
    assert!(
        run.ends(1, &["faults"]).stdout.contains("for the cluster my-cluster, and not for elm"),
        "{}",
        run.stdout
    );
    at_root(&site, &["publish", "--no-site", "newer", "--sign", "nowhere", "--site", "site"])
        .ends(2, &["cannot be used with"]);
}

/// Another user who can exchange the key makes every machine refuse what is published next.
#[test]
fn a_signing_key_that_others_can_exchange_is_refused() {
    let site = Site::rendered();
    let dir = site.path().join("keys");
    fs::create_dir(&dir).unwrap();
    site.shell("ssh-keygen -q -t ed25519 -N '' -f ../keys/key").ends(0, &[]);
    let publish = ["publish", "--root", "../served", "--ipxe", "nowhere", "--sign"];
    let set_mode = |mode| fs::set_permissions(&dir, fs::Permissions::from_mode(mode)).unwrap();
    set_mode(0o777);
    // The public half of a key that an agent holds is looked at as well, also where the name has no `.pub`.
    for script in ["true", "mv ../keys/key ../held"] {
        site.shell(script).ends(0, &[]);
        for key in ["../keys/key", "../keys/key.pub"] {
            let run = site.run(&[&publish[..], &[key]].concat());
            run.ends(
                2,
                &[" is not safe from other users: ", "keys has mode 0777, so other users can replace"],
            );
        }
    }
    assert!(!site.path().join("served").exists(), "the web root was locked");
    site.shell("mv ../held ../keys/key").ends(0, &[]);
    if is_root() {
        // As sudo finds the key of the user who calls it; a third user could exchange it.
        for (of_key, code) in [(65534, 0), (65533, 2)] {
            chown(&dir, Some(65534), None).unwrap();
            set_mode(0o755);
            chown(dir.join("key"), Some(of_key), None).unwrap();
            site.run(&[&publish[..], &["../keys/key"]].concat()).ends(code, &[]);
        }
        chown(&dir, Some(0), None).unwrap();
    }
    set_mode(0o755);
    site.run(&[&publish[..], &["../keys/key"]].concat()).ends(0, &[]);
}
