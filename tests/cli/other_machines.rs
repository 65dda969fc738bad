//! Another machine under the name of a node: the keys of the machine that left do not go to the machine that came.

use std::fs;

use crate::kit::{NODE04, Site};

const FULL: &str = "node04.cluster.example.com";
const FILES: [&str; 3] = ["node04-key.pem", "ssh_host_ed25519_key", "luks-passphrase"];

/// A rendered site whose node04 has encrypted disks.
fn rendered() -> Site {
    let site = Site::rendered();
    site.append(&format!("{NODE04}disk.luks = {{}}\n"));
    site.run(&["render"]).ends(0, &["made 1 passphrase"]);
    site
}

/// Gives node04 other hardware, and renders, as somebody does who has not read the steps.
fn replaced() -> Site {
    let site = rendered();
    let facts = [
        "--mac",
        "3c:ec:ef:00:00:14",
        "--serial",
        "SERIAL0014",
        "--disk",
        "/dev/disk/by-id/nvme-EXAMPLE_14_1",
    ];
    site.run(&[&["node", "replace", "node04"], &facts[..]].concat()).ends(0, &[]);
    site.run(&["render"]).ends(0, &["warning[PG-J07]", "plasmagen certs renew node04 --new-key"]);
    site
}

/// The secrets of node04 in the directory `dir` of the vault.
fn read(site: &Site, dir: &str) -> [String; 3] {
    FILES.map(|file| fs::read_to_string(site.vault().join(dir).join(file)).unwrap())
}

fn stage(site: &Site) -> crate::kit::Run {
    site.run(&["secrets", "stage", "node04", "--to", "../out"])
}

#[test]
fn keys_of_the_machine_that_left_are_not_staged() {
    let site = replaced();
    let old = read(&site, FULL);
    let words = [
        "the vault's keys of node04 are for another machine (serial number SERIAL0004, MAC address 3c:ec:ef:00:00:04)",
        "plasmagen certs renew node04 --new-key makes others",
        "plasmagen render --same-machine node04 keeps them",
    ];
    site.untouched(|| stage(&site).ends(2, &words).code);
    assert!(!site.path().join("out").exists());
    site.run(&["check", "--deny-warnings"]).ends(1, &["warning[PG-J07]"]);
    let renewed = site.run(&["certs", "renew", "node04", "--new-key"]);
    renewed.ends(
        0,
        &["issued 1 certificate", "made 1 SSH host key", "made 1 passphrase for encrypted disks: node04"],
    );
    assert!(
        !renewed.stderr.contains("PG-J07") && !renewed.stderr.contains("do not open"),
        "{}",
        renewed.stderr
    );
    for (new, old) in read(&site, FULL).iter().zip(&old) {
        assert_ne!(new, old);
    }
    assert_eq!(read(&site, &format!(".retired/{FULL}.1")), old);
    assert!(site.read("nodes/revoked.json").contains("node04"));
    for command in [&["check", "--deny-warnings"][..], &["vault", "verify"], &["render", "--check"]] {
        site.run(command).ends(0, &[]);
    }
    stage(&site).ends(0, &["staged the key and the SSH host key of node04"]);
}

/// A run was killed when it had put the old keys aside, and before it stored the new ones.
#[test]
fn a_killed_run_brings_no_secret_of_the_old_machine_back() {
    let site = replaced();
    let old = read(&site, FULL);
    let entry = format!("{}/{FULL}", site.vault().display());
    let retired = format!("{}/.retired", site.vault().display());
    site.shell(&format!("mkdir -m 700 -p {retired}; mv {entry} {retired}/{FULL}.1")).ends(0, &[]);
    site.run(&["certs", "renew", "node04", "--new-key"]).ends(0, &["issued 1 certificate"]);
    for (new, old) in read(&site, FULL).iter().zip(&old) {
        assert_ne!(new, old);
    }
}

#[test]
fn a_machine_with_another_mainboard_keeps_its_keys_by_the_operators_word() {
    let site = replaced();
    let old = read(&site, FULL);
    let said = [
        "the keys stay, and the vault has recorded the new facts of the machines: node04",
        "nothing was touched",
    ];
    site.run(&["render", "--same-machine", "node04"]).ends(0, &said);
    assert_eq!(read(&site, FULL), old);
    site.run(&["check", "--deny-warnings"]).ends(0, &[]);
    site.run(&["vault", "verify"]).ends(0, &[]);
    stage(&site).ends(0, &["staged the key and the SSH host key of node04"]);
    site.untouched(|| {
        site.run(&["render", "--same-machine", "node04"])
            .ends(0, &["the vault knows of no other machine: node04"])
            .code
    });
    site.run(&["render", "--same-machine", "node09"]).ends(2, &["--same-machine names `node09`"]);
}

/// One fact that stays is enough, and a new key for another reason leaves the disks their passphrase.
#[test]
fn a_repaired_machine_is_no_other_one() {
    let site = rendered();
    let old = read(&site, FULL);
    site.edit("3c:ec:ef:00:00:04", "3c:ec:ef:00:00:14");
    site.run(&["render"]).ends(0, &[]);
    site.run(&["check", "--deny-warnings"]).ends(0, &[]);
    stage(&site).ends(0, &[]);
    let kept =
        ["no other SSH host key and no other passphrase of disks was made", "plasmagen keys make node04"];
    site.run(&["certs", "renew", "node04", "--new-key"]).ends(0, &kept);
    let new = read(&site, FULL);
    assert_eq!((&new[1], &new[2]), (&old[1], &old[2]));
    assert_ne!(new[0], old[0]);
}

/// L12: the serial number that firmware shows for all machines of a maker.
#[test]
fn a_placeholder_makes_no_two_machines_one() {
    let site = Site::rendered();
    let node = NODE04.replace("SERIAL0004", "To Be Filled By O.E.M.");
    site.append(&format!("{node}disk.luks = {{}}\n"));
    site.run(&["render"]).ends(0, &[]);
    site.edit("3c:ec:ef:00:00:04", "3c:ec:ef:00:00:14");
    site.edit("EXAMPLE_DISK_00000004_1", "EXAMPLE_DISK_00000014_1");
    site.run(&["render"]).ends(0, &["warning[PG-J07]"]);
    stage(&site).ends(2, &["another machine (MAC address 3c:ec:ef:00:00:04)"]);
}

#[test]
fn a_new_passphrase_is_offered_behind_the_backup() {
    let site = rendered();
    fs::remove_file(site.vault().join(FULL).join(FILES[2])).unwrap();
    let run = site.run(&["secrets", "stage", "node04", "--to", "../out dir"]);
    let said = &run.ends(0, &["--extra-files '../out dir'"]).stderr;
    let [backup, new] = ["plasmagen vault restore FILE", "--install-anew node04 makes one"]
        .map(|words| said.find(words).unwrap());
    assert!(backup < new && said.contains("does not open disks that are installed"), "{said}");
    let anew = [
        "made 1 passphrase",
        "the new passphrases do not open disks that are installed: node04",
        "restore a backup now",
    ];
    site.run(&["render", "--install-anew", "node04"]).ends(0, &anew);
}
