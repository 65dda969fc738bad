//! `keys status`: which admin key opens what, from the inventory to the web root, while keys are rotated.

use std::fs;

use serde_json::{Value, json};

use crate::kit::{KEY, Site};

const STATUS: [&str; 4] = ["keys", "status", "--root", "../web"];

/// The words of the row of the key with `comment`, without the key and the comment; none where there is no such row.
fn row(text: &str, comment: &str) -> Option<String> {
    let line = text.lines().find(|line| line.ends_with(comment))?;
    let words: Vec<_> = line.split_whitespace().collect();
    Some(words[1..words.len() - 1].join(" "))
}

/// The rows of the old and the new key are these, and the last remark ends with `remark`.
#[track_caller]
fn shows(site: &Site, old: Option<&str>, new: Option<&str>, remark: &str) {
    let run = site.untouched(|| site.run(&STATUS));
    run.ends(0, &[]);
    assert_eq!(row(&run.stdout, "ops@example.com").as_deref(), old, "{}", run.stdout);
    assert_eq!(row(&run.stdout, "new@example.com").as_deref(), new, "{}", run.stdout);
    assert!(run.stderr.ends_with(remark) && run.stderr.is_empty() == remark.is_empty(), "{}", run.stderr);
}

#[test]
fn a_rotation_is_seen_from_the_inventory_to_the_web_root() {
    let site = Site::rendered();
    site.shell("ssh-keygen -q -t ed25519 -N '' -C new@example.com -f ../new").ends(0, &[]);
    let new = fs::read_to_string(site.path().join("new.pub")).unwrap();
    let publish = || site.run(&["publish", "--root", "../web"]).ends(0, &[]).code;
    let render = || site.run(&["render"]).ends(0, &[]).code;
    let (rendered, published) = (
        "everything that the rendered site says: plasmagen render\n",
        "all published installers: plasmagen publish\n",
    );
    let everywhere = Some("yes all all yes all");
    shows(&site, Some("yes all all yes unknown"), None, "");
    publish();
    shows(&site, everywhere, None, "");

    site.edit(&format!("\"{KEY}\""), &format!("\"{KEY}\", \"{}\"", new.trim_end()));
    shows(&site, everywhere, Some("yes none none no none"), &format!(" does not open {rendered}"));
    render();
    shows(&site, everywhere, Some("yes all all yes none"), &format!(" does not open {published}"));
    publish();
    shows(&site, everywhere, everywhere, "");

    // The comment of the removed key is known from the site, as long as that has the key.
    site.edit(&format!("\"{KEY}\", "), "");
    shows(&site, Some("no all all yes all"), everywhere, &format!(" still opens {rendered}"));
    render();
    shows(&site, Some("no none none no all"), everywhere, &format!(" still opens {published}"));
    publish();
    shows(&site, None, everywhere, "");
    assert_listed(&site);
}

/// The JSON lists the new key, which is everywhere, by the fingerprint of `ssh-keygen`.
fn assert_listed(site: &Site) {
    let json = site.run(&[&STATUS[..], &["--format", "json"]].concat()).ends(0, &[]).stdout.clone();
    let json: Value = serde_json::from_str(&json).unwrap();
    let listed = site.shell("ssh-keygen -lf ../new.pub").stdout;
    let nodes = ["node01", "node02", "node03"];
    let key = json!({
        "fingerprint": listed.split(' ').nth(1).unwrap(), "type": "ssh-ed25519", "comment": "new@example.com",
        "inventory": true, "image": true, "configuration": nodes, "overlay": nodes, "published": nodes,
    });
    assert_eq!(json, json!({ "schema": 1, "keys": [key], "unknown_host_keys": [] }));
}

/// All keys replaced at once lock everybody out where the new one does not work.
#[test]
fn one_key_at_least_stays_until_the_new_ones_were_tried() {
    let site = Site::rendered();
    site.shell(
        "for key in new other; do ssh-keygen -q -t ed25519 -N '' -C $key@example.com -f ../$key; done",
    )
    .ends(0, &[]);
    let [new, other] = ["new.pub", "other.pub"]
        .map(|file| fs::read_to_string(site.path().join(file)).unwrap().trim_end().to_owned());
    let listed = |keys: &[&str]| {
        let text = site.read("inventory.toml");
        let start = text.find("admin_keys = [").unwrap();
        let end = start + text[start..].find(']').unwrap() + 1;
        fs::write(site.inventory(), format!("{}admin_keys = {keys:?}{}", &text[..start], &text[end..]))
            .unwrap();
    };
    let words = ["error[PG-J06]", "nobody can log in any more", KEY, "docs/ssh-keys.md"];
    for keys in [&[new.as_str()][..], &[&new, &other]] {
        listed(keys);
        for args in [&["check"][..], &["render"], &["certs", "renew"]] {
            site.untouched(|| site.run(args).ends(1, &words).code);
        }
    }
    // A comment is no key: this is the old one, under another name.
    let renamed = KEY.replace("ops@example.com", "root@example.com");
    for keys in [&[renamed.as_str()][..], &[KEY, &new], &[&new], &[&new, &other], &[&other]] {
        listed(keys);
        site.run(&["check"]).ends(0, &[]);
        site.run(&["render"]).ends(0, &[]);
    }
    // A site that was never rendered knows no key.
    site.shell("rm -r nodes site").ends(0, &[]);
    listed(&[&new]);
    site.run(&["check"]).ends(0, &[]);
}

#[test]
fn a_line_that_is_no_key_alone_is_told() {
    let site = Site::rendered();
    let line = KEY
        .replace("ops@example.com", "guest@example.com")
        .replace("ssh-ed25519", "cert-authority ssh-ed25519");
    let config = "nodes/node02.cluster.example.com/configuration.nix";
    let text = site.read(config);
    let at = text.find("authorizedKeys.keys = [").unwrap();
    let at = at + text[at..].find('\n').unwrap() + 1;
    fs::write(site.root().join(config), format!("{}      \"{line}\"\n{}", &text[..at], &text[at..])).unwrap();
    let run = site.run(&STATUS);
    run.ends(0, &["cert-authority ssh-ed25519 is not a key alone", "plasmagen render --discard-edits"]);
    assert!(run.stdout.contains("unreadable line"), "{}", run.stdout);
    assert!(
        run.stdout.lines().any(|row| row.ends_with("cert-authority ssh-ed25519") && row.contains("1 of 3")),
        "{}",
        run.stdout
    );
}
