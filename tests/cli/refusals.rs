//! Input that `render` refuses: not one byte, mode or time of nodes/, site/ and the home changes.

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;

use plasmagen::write::SiteLock;
use rustix::fs::{FlockOperation, flock};

use crate::kit::{NODE04, Run, Site};

const NODE01: &str = "nodes/node01.cluster.example.com";

/// `render` ends with `code` and changes nothing, whether there are certificates to issue or not.
#[track_caller]
fn refused(site: &Site, code: i32, words: &[&str]) -> Run {
    let run = site.untouched(|| site.run(&["render"]));
    run.ends(code, words);
    assert_eq!(run.stdout, "");
    assert!(
        !site.root().join(".plasmagen/stage").exists() && !site.root().join(".plasmagen/journal").exists()
    );
    run
}

/// A rendered site, and one where a certificate has to be issued as well.
fn sites() -> [Site; 2] {
    let due = Site::rendered();
    due.append(NODE04);
    [Site::rendered(), due]
}

#[test]
fn a_refused_inventory() {
    for site in [Site::new(), Site::rendered()] {
        crate::check::refuse(&site);
        refused(&site, 1, &["is refused: 2 errors"]);
        fs::write(site.inventory(), b"\xff").unwrap();
        refused(&site, 1, &["not UTF-8"]);
        fs::write(site.inventory(), "").unwrap();
        refused(&site, 1, &["the inventory is empty"]);
    }
}

#[test]
fn an_inventory_that_cannot_be_read() {
    let site = Site::rendered();
    fs::remove_file(site.inventory()).unwrap();
    refused(&site, 2, &["there is no inventory inventory.toml"]);
    fs::create_dir(site.inventory()).unwrap();
    refused(&site, 2, &["inventory.toml is a directory"]);
    site.untouched(|| {
        site.within(&site.home(), &["render", "/proc/self/mem"]).ends(2, &["could not read"]).code
    });
}

#[test]
fn a_file_edited_by_hand() {
    for site in sites() {
        let file = site.root().join(NODE01).join("disko.nix");
        fs::write(&file, "{ mine = true; }\n").unwrap();
        refused(&site, 2, &["modified nodes/node01.cluster.example.com/disko.nix", "--discard-edits"]);
        site.run(&["render", "--discard-edits"]).ends(0, &[" changed"]);
        assert!(!fs::read_to_string(&file).unwrap().contains("mine"));
    }
}

#[test]
fn a_certificate_edited_by_hand() {
    for site in sites() {
        let certificate = site.root().join(NODE01).join("node01-cert.pem");
        let pem = fs::read_to_string(&certificate).unwrap();
        let remedy = [
            "error[PG-H04]: the certificate of `node01` cannot be read",
            "remove nodes/node01.cluster.example.com/node01-cert.pem: `plasmagen render` issues a new certificate",
        ];
        for broken in ["", "mine\n", &pem[..200], &pem.replacen("MII", "MIJ", 1), &pem.repeat(2)] {
            fs::write(&certificate, broken).unwrap();
            refused(&site, 1, &remedy);
            site.untouched(|| site.run(&["render", "--check"]).ends(1, &remedy).code);
            site.untouched(|| site.run(&["render", "--discard-edits"]).ends(1, &remedy).code);
        }
        // One of a cluster of the same name, with the same names and addresses in it.
        let other = Site::rendered();
        fs::copy(other.root().join(NODE01).join("node01-cert.pem"), &certificate).unwrap();
        refused(&site, 1, &["error[PG-H12]: the certificate of `node01` is not from a CA in ca-cert.pem"]);
        fs::remove_file(&certificate).unwrap();
        site.run(&["render"]).ends(0, &["issued "]);
    }
}

#[test]
fn of_several_faults_all_are_told() {
    let site = Site::rendered();
    for n in 1..=3 {
        fs::write(site.root().join(format!("nodes/node0{n}.cluster.example.com/node0{n}-cert.pem")), "")
            .unwrap();
    }
    refused(&site, 1, &["certificate of `node01` ", "certificate of `node02` ", "certificate of `node03` "]);
}

#[test]
fn another_ca_among_the_nodes() {
    for site in sites() {
        let ca = site.root().join("nodes/node02.cluster.example.com/ca-cert.pem");
        let other = Site::rendered().read("nodes/node02.cluster.example.com/ca-cert.pem");
        for ca_cert in [other.as_str(), "", "mine"] {
            fs::write(&ca, ca_cert).unwrap();
            refused(
                &site,
                2,
                &["ca-cert.pem is another CA than that of the nodes before it: restore it from git"],
            );
        }
    }
}

#[test]
fn a_certificate_that_is_a_symbolic_link() {
    for site in sites() {
        let ca = site.root().join(NODE01).join("ca-cert.pem");
        let elsewhere = site.root().join("elsewhere.pem");
        fs::rename(&ca, &elsewhere).unwrap();
        symlink(&elsewhere, &ca).unwrap();
        refused(&site, 2, &["ca-cert.pem: it is a symbolic link, no regular file"]);
    }
}

#[test]
fn certificates_without_their_ca() {
    for site in sites() {
        for dir in fs::read_dir(site.root().join("nodes")).unwrap() {
            let _ = fs::remove_file(dir.unwrap().path().join("ca-cert.pem"));
        }
        refused(&site, 1, &["error[PG-H03]: nodes/ holds certificates but no ca-cert.pem", "from git"]);
    }
}

#[test]
fn a_directory_of_somebody_else() {
    for tree in ["nodes", "site"] {
        let site = Site::new();
        fs::create_dir_all(site.root().join(tree).join("src")).unwrap();
        fs::write(site.root().join(tree).join("src/app.js"), "mine").unwrap();
        let words = format!("{tree}/ is not known to be plasmagen's");
        refused(&site, 2, &[&words]);
        site.untouched(|| site.run(&["render", "--discard-edits"]).ends(2, &[&words]).code);
        site.untouched(|| site.run(&["render", "--check"]).ends(2, &[&words]).code);
    }
    let site = Site::rendered();
    fs::write(site.root().join("site/manifest.json"), "<<<<<<< HEAD\n").unwrap();
    site.edit("SERIAL0001", "SERIAL0009");
    refused(&site, 2, &["site/ is not known to be plasmagen's"]);
}

#[test]
fn a_tree_that_is_no_directory() {
    let elsewhere = Site::rendered();
    for tree in ["nodes", "site"] {
        let site = Site::new();
        fs::write(site.root().join(tree), "mine").unwrap();
        refused(&site, 2, &[&format!("{tree} is not a directory")]);
        fs::remove_file(site.root().join(tree)).unwrap();
        symlink(elsewhere.root().join(tree), site.root().join(tree)).unwrap();
        elsewhere.untouched(|| refused(&site, 2, &[&format!("{tree} is a symbolic link")]));
    }
}

#[test]
fn a_file_that_plasmagen_did_not_write() {
    for site in sites() {
        fs::write(site.root().join("nodes/notes.txt"), "mine").unwrap();
        fs::write(site.root().join(NODE01).join("extra.pem"), "mine").unwrap();
        fs::write(site.root().join("nodes/\u{1b}[2J\n"), "mine").unwrap();
        refused(&site, 2, &["added nodes/notes.txt", "added nodes/node01.cluster.example.com/extra.pem"]);
        let run = refused(&site, 2, &[r"added nodes/\u{1b}[2J\n"]);
        assert!(!run.stderr.contains('\u{1b}'), "{}", run.stderr);
        let diff = site.run(&["render", "--check"]);
        assert!(diff.stdout.contains(r"nodes/\u{1b}[2J\n") && !diff.stdout.contains('\u{1b}'), "{diff:?}");
    }
}

#[test]
fn a_name_that_the_ca_may_not_vouch_for() {
    let site = Site::rendered();
    site.edit("cluster.example.com", "cluster.example.org");
    let words = ["error[PG-H09]", "may not vouch for names below cluster.example.org"];
    refused(&site, 1, &words);
    // Even where the vault is lost, the machines' trust is not: no second CA.
    fs::remove_dir_all(site.vault()).unwrap();
    refused(&site, 1, &["error[PG-H18]", "may vouch for `cluster.example.com`"]);
}

#[test]
fn a_second_run_at_once_is_told_who_holds_the_lock() {
    for site in sites() {
        let lock = SiteLock::acquire(&site.root()).unwrap();
        let holder = format!("another plasmagen (process {})", std::process::id());
        refused(&site, 3, &[&holder, "Wait until it is done"]);
        site.run(&["check"]).ends(0, &[]);
        assert!(site.run(&["render", "--check"]).code != Some(3), "reading needs no lock");
        drop(lock);
        // By flock(2), so by whoever has it.
        let file = fs::OpenOptions::new().write(true).open(site.root().join(".plasmagen/lock")).unwrap();
        flock(&file, FlockOperation::LockExclusive).unwrap();
        (&file).write_all(b"4711\n").unwrap();
        file.set_len(5).unwrap();
        refused(&site, 3, &["another plasmagen (process 4711)"]);
        drop(file);
        site.run(&["render"]).ends(0, &[]);
    }
}

#[test]
fn of_many_runs_at_once_one_ca_remains() {
    let site = Site::new();
    let script = "for n in 1 2 3 4 5 6; do ($P render 2>/dev/null; echo $?) & done; wait";
    let run = site.shell(script);
    let codes: Vec<_> = run.stdout.lines().collect();
    assert_eq!(codes.len(), 6);
    assert!(codes.contains(&"0") && codes.iter().all(|code| ["0", "3"].contains(code)), "{codes:?}");
    site.untouched(|| site.run(&["render"]).ends(0, &["nothing was touched"]).code);
    crate::certificates::assert_verified(&site, &["node01", "node02", "node03"]);
    crate::certificates::assert_keys_belong(&site, "after many runs at once");
}
