//! Passphrases of encrypted disks: for whom `render` makes one, who keeps it, and that only the vault and a staged tree hold
//! it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use test_kit::tree::entries;

use crate::faults::strace;
use crate::kit::{NODE04, Site};
use crate::sealing;

const FULL: &str = "node04.cluster.example.com";
const STAGED: &str = "etc/nixos/secrets/luks-passphrase";

/// Adds node04 with `layout` to the inventory of `site`.
fn add_node(site: &Site, layout: &str) {
    site.append(&format!("{NODE04}{layout}\n"));
}

/// A rendered site whose node04 has the encrypted `layout`.
fn rendered(layout: &str) -> Site {
    let site = Site::rendered();
    add_node(&site, layout);
    site.run(&["render"]).ends(0, &["made 1 passphrase for encrypted disks: node04\n"]);
    site
}

fn file(site: &Site) -> PathBuf {
    site.vault().join(FULL).join("luks-passphrase")
}

fn passphrase(site: &Site) -> String {
    fs::read_to_string(file(site)).unwrap()
}

/// The files below `dir` that hold `passphrase`.
fn list_holders(dir: &Path, passphrase: &str) -> Vec<PathBuf> {
    let holds = |path: &PathBuf| {
        let bytes = fs::read(path).unwrap_or_default();
        bytes.windows(passphrase.len()).any(|window| window == passphrase.as_bytes())
    };
    entries(dir).into_keys().filter(holds).collect()
}

#[test]
fn a_new_node_with_encrypted_disks_gets_a_passphrase_and_others_get_none() {
    let site = rendered("disk.luks = { unlock = \"tpm2\" }");
    let made = passphrase(&site);
    assert_eq!((made.len(), made.split('-').filter(|group| group.len() == 4).count()), (39, 8));
    assert_eq!(fs::metadata(file(&site)).unwrap().permissions().mode() & 0o7777, 0o600);
    let all = entries(&site.vault()).into_keys().filter(|path| path.ends_with("luks-passphrase"));
    assert_eq!(all.collect::<Vec<_>>(), [file(&site)]);
    site.untouched(|| site.run(&["render"]).ends(0, &["nothing was touched"]).code);
    site.untouched(|| {
        site.run(&["render", "--install-anew", "node04"]).ends(0, &["nothing was touched"]).code
    });
    // Of two nodes, each has its own.
    let five = NODE04.replace("node04", "node05").replace("4\"", "5\"").replace("_1\"", "1_1\"");
    let five =
        five.replace("0.53\"", "0.54\"").replace("200.14\"", "200.15\"").replace("00000004", "00000005");
    let five = five.replace(":04\"", ":05\"").replace("SERIAL0004", "SERIAL0005");
    site.append(&format!("{five}disk.luks = {{}}\n"));
    site.run(&["render"]).ends(0, &["made 1 passphrase for encrypted disks: node05\n"]);
    let other = fs::read_to_string(file(&site).to_str().unwrap().replace("node04", "node05")).unwrap();
    assert_ne!(other, made);
}

#[test]
fn only_a_tpm_is_shown_the_passphrase_by_its_node() {
    for (unlock, is_staged, boot) in [
        ("tpm2", true, "somebody types that passphrase at the console, and the node enrols its TPM"),
        ("passphrase", false, "somebody types that passphrase at the console of the node at each boot"),
    ] {
        let site = rendered(&format!("disk.luks = {{ unlock = \"{unlock}\" }}"));
        let staged = site.run(&["secrets", "stage", "node04", "--to", "../out"]);
        let option = format!("--disk-encryption-keys /run/disk-encryption.key {} ", file(&site).display());
        staged.ends(0, &["staged the key and the SSH host key of node04", &option, boot]);
        let path = site.path().join("out").join(STAGED);
        assert_eq!(path.exists(), is_staged, "{unlock}");
        assert_eq!(staged.stderr.contains("the passphrase of its disks"), is_staged, "{unlock}");
        if is_staged {
            assert_eq!(fs::read_to_string(&path).unwrap(), passphrase(&site));
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
        }
        // The layout reads what nixos-anywhere writes.
        let layout = site.read(&format!("nodes/{FULL}/disko.nix"));
        assert!(layout.contains("passwordFile = \"/run/disk-encryption.key\";"), "{layout}");
        let again = site.run(&["secrets", "stage", "node04", "--to", "../out"]);
        again.ends(0, &["nothing was touched", &option]);
        // A node with disks in the clear has nothing of it.
        let plain = site.run(&["secrets", "stage", "node01", "--to", "../plain"]);
        assert!(!plain.ends(0, &[]).stderr.contains("disk"), "{}", plain.stderr);
    }
}

#[test]
fn check_says_who_types_a_passphrase() {
    let site = Site::rendered();
    let note = "note: at each boot, somebody types the passphrase of the disks at the console of node04";
    add_node(&site, "disk.luks = {}");
    site.run(&["check", "--deny-warnings"]).ends(0, &["0 warnings", note]);
    site.edit("disk.luks = {}", "disk.luks = { unlock = \"tpm2\" }");
    assert!(!site.run(&["check"]).ends(0, &[]).stderr.contains("note: "));
}

/// A machine that an earlier version rendered has a passphrase of its operator's.
#[test]
fn no_passphrase_is_made_for_disks_that_may_have_one() {
    let site = rendered("disk.luks = {}");
    fs::remove_file(file(&site)).unwrap();
    site.untouched(|| site.run(&["render"]).ends(0, &["nothing was touched"]).code);
    let missing = ["the vault has no passphrase of the encrypted disks of node04", "--install-anew node04"];
    site.run(&["secrets", "stage", "node04", "--to", "../out"]).ends(0, &missing);
    // No backup was made that could tell of the loss.
    for command in ["verify", "status"] {
        let run = site.run(&["vault", command]);
        let said = &run.ends(1, &["1 fault"]).stdout;
        for words in [missing[0], "plasmagen vault restore FILE", "belongs into", "--install-anew node04"] {
            assert!(said.contains(words), "{words}: {said}");
        }
    }
    site.run(&["certs", "renew", "node04", "--new-key"]).ends(0, &["issued 1 certificate"]);
    assert!(!file(&site).exists());
    // The operator's own is taken as it is, and is not replaced.
    fs::write(file(&site), "correct horse battery staple\n").unwrap();
    fs::set_permissions(file(&site), fs::Permissions::from_mode(0o600)).unwrap();
    site.run(&["render", "--install-anew", "node04"]).ends(0, &["nothing was touched"]);
    site.edit("disk.luks = {}", "disk.luks = { unlock = \"tpm2\" }");
    site.run(&["render"]).ends(0, &["changed"]);
    site.run(&["secrets", "stage", "node04", "--to", "../tpm"]).ends(0, &["the passphrase of its disks"]);
    let staged = fs::read_to_string(site.path().join("tpm").join(STAGED)).unwrap();
    assert_eq!(staged, "correct horse battery staple", "as disko reads it");
    fs::remove_file(file(&site)).unwrap();
    let anew = ["made 1 passphrase for encrypted disks: node04", "keys that no backup has"];
    site.run(&["render", "--install-anew", "node04"]).ends(0, &anew);
    assert!(file(&site).exists());
    // Another name for a machine that is there already, with a passphrase that the vault does not know.
    let site = rendered("disk.luks = { labels = \"disk\" }");
    fs::remove_file(file(&site)).unwrap();
    site.edit("[node.node04]", "[node.node05]");
    let words = "no passphrase was made for the encrypted disks of node05: the machine was rendered before";
    site.run(&["render"]).ends(0, &[words, "plasmagen render --install-anew node05 makes one"]);
    assert!(!site.vault().join("node05.cluster.example.com/luks-passphrase").exists());
}

/// The disks are as they were.
#[test]
fn a_machine_keeps_its_passphrase_under_another_name() {
    let site = rendered("disk.luks = { labels = \"disk\" }");
    let made = passphrase(&site);
    let copy = site.copy();
    let read = |site: &Site, fqdn: &str| fs::read_to_string(site.vault().join(fqdn).join("luks-passphrase"));
    site.edit("[node.node04]", "[node.node05]");
    assert!(!site.run(&["render"]).ends(0, &[]).stderr.contains("passphrase"));
    assert_eq!(read(&site, "node05.cluster.example.com").unwrap(), made);
    copy.edit("\"cluster.example.com\"", "\"new.cluster.example.com\"");
    assert!(!copy.run(&["render"]).ends(0, &[]).stderr.contains("passphrase"));
    assert_eq!(read(&copy, "node04.new.cluster.example.com").unwrap(), made);
    for site in [&site, &copy] {
        site.run(&["vault", "verify"]).ends(0, &[]);
    }
    // The name of a machine that is gone says nothing of the disks of another one.
    let site = rendered("disk.luks = { labels = \"disk\" }");
    site.edit("[node.node04]", "[node.node05]");
    site.edit("ef:00:00:04", "ef:00:00:14");
    site.edit("SERIAL0004", "SERIAL0014");
    site.run(&["render"]).ends(0, &["made 1 passphrase for encrypted disks: node05\n"]);
    assert_ne!(read(&site, "node05.cluster.example.com").unwrap(), passphrase(&site));
}

#[test]
fn a_new_key_for_the_certificate_leaves_the_disks_their_passphrase() {
    let site = rendered("disk.luks = {}");
    let made = passphrase(&site);
    site.run(&["certs", "renew", "node04", "--new-key"]).ends(0, &["issued 1 certificate"]);
    assert_eq!(passphrase(&site), made);
    // A run that put the entry aside, and was killed before it stored the new one.
    let entry = format!("{}/{FULL}", site.vault().display());
    site.shell(&format!("mv {entry} $(dirname {entry})/.retired/{FULL}.2")).ends(0, &[]);
    site.run(&["certs", "renew", "node04", "--new-key"]).ends(0, &["issued 1 certificate"]);
    assert_eq!(passphrase(&site), made);
    // A machine that takes the name of one that was removed has other disks.
    let inventory = site.read("inventory.toml");
    let at = inventory.find("[node.node04]").unwrap();
    fs::write(site.inventory(), &inventory[..at]).unwrap();
    site.run(&["render"]).ends(0, &["was removed"]);
    let other = inventory.replace("ef:00:00:04", "ef:00:00:14").replace("SERIAL0004", "SERIAL0014");
    fs::write(site.inventory(), other.replace("00000004_1", "00000014_1")).unwrap();
    site.run(&["render"]).ends(0, &["made 1 passphrase for encrypted disks: node04"]);
    assert_ne!(passphrase(&site), made);
}

/// J05: encryption comes and goes with an installation alone; the way to unlock may change.
#[test]
fn encryption_of_an_installed_node_stays() {
    let site = Site::rendered();
    let (plain, encrypted) = ("disk.lvm = {}", "disk.lvm = { luks = { unlock = \"tpm2\" } }");
    add_node(&site, plain);
    site.run(&["render"]).ends(0, &[]);
    site.edit(plain, encrypted);
    let refusal = ["error[PG-J05]", "they were not encrypted, and are now", "remove `luks` from `disk.lvm`"];
    for known in [true, false] {
        site.untouched(|| site.run(&["render"]).ends(1, &refusal).code);
        if known {
            // disko.nix says the same.
            site.shell("cp -r site ../site.kept; rm site/inventory.json").ends(0, &[]);
        }
    }
    site.shell("rm -r site; mv ../site.kept site").ends(0, &[]);
    let anew = ["made 1 passphrase for encrypted disks: node04", "keys that no backup has"];
    site.run(&["render", "--install-anew", "node04"]).ends(0, &anew);
    let made = passphrase(&site);
    site.run(&["vault", "verify"]).ends(0, &[]);
    site.edit("\"tpm2\"", "\"passphrase\"");
    site.run(&["render"]).ends(0, &["changed"]);
    site.edit("luks = { unlock = \"passphrase\" }", "");
    let refusal =
        ["error[PG-J05]", "they were encrypted, and are not now", "write `luks = {}` in `disk.lvm`"];
    site.untouched(|| site.run(&["render"]).ends(1, &refusal).code);
    site.run(&["render", "--install-anew", "node04"]).ends(0, &["changed"]);
    assert_eq!(passphrase(&site), made, "a disk that is not erased yet needs it");
}

/// What `plasmagen diff` says of a change from the rendered `old` layout to `new`.
fn diff(old: &str, new: &str) -> String {
    let site = Site::rendered();
    add_node(&site, old);
    site.run(&["render"]).ends(0, &[]);
    site.edit(old, new);
    site.run(&["diff"]).stdout
}

#[test]
fn diff_tells_another_way_to_unlock_from_an_installation() {
    let (plain, typed) = ("disk.lvm = {}", "disk.lvm = { luks = {} }");
    let tpm = "disk.lvm = { luks = { unlock = \"tpm2\" } }";
    for (old, new, words) in [
        (typed, tpm, "put the passphrase of the vault on the node"),
        (tpm, typed, "from the next boot on, somebody types the passphrase"),
        (plain, tpm, "the disks are divided in another way"),
        (typed, plain, "the disks are divided in another way"),
    ] {
        let said = diff(old, new);
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(words) && said.contains("node04"), "{old} → {new}: {said}");
    }
}

#[test]
fn a_backup_holds_the_passphrase_and_a_faulty_one_is_told() {
    let site = sealing::site();
    add_node(&site, "disk.luks = {}");
    site.run(&["render"]).ends(0, &["made 1 passphrase"]);
    let made = passphrase(&site);
    site.run(&["vault", "backup", "--to", "vault.age"]).ends(0, &["backed up "]);
    let restore = ["vault", "restore", "vault.age", "--vault", "../new", "--identity", "../ops.key"];
    site.run(&restore).ends(0, &["restored "]);
    assert_eq!(fs::read_to_string(site.path().join("new").join(FULL).join("luks-passphrase")).unwrap(), made);
    fs::write(file(&site), "").unwrap();
    let verify = || site.run(&["vault", "verify"]).ends(1, &["1 fault"]).stdout.clone();
    assert!(verify().contains("the passphrase is unusable. Bring the entry back from a backup"));
    site.run(&["secrets", "stage", "node04", "--to", "../out"]).ends(2, &["could not use", "one line"]);
    fs::remove_file(file(&site)).unwrap();
    assert!(verify().contains("the vault has no passphrase of the encrypted disks of node04"));
    site.run(&["vault", "backup", "--to", "vault.age"]).ends(2, &["has faults"]);
}

/// Neither an argument, nor the environment of a process, nor a message, nor any file but those of the vault and of the staged
/// tree.
#[test]
fn a_passphrase_is_in_its_files_alone() {
    let site = Site::rendered();
    add_node(&site, "disk.luks = { unlock = \"tpm2\" }");
    let options = ["-y", "-v", "-s", "1000000", "-e", "trace=execve,write,pwrite64,writev,sendto,sendmsg"];
    let mut logs = Vec::new();
    for args in [&["render"][..], &["secrets", "stage", "node04", "--to", "../out"], &["vault", "status"]] {
        let (status, run, log) = strace(&site, &options, args);
        assert_eq!(status.code(), Some(0), "{run:?}");
        logs.push((run, log));
    }
    let made = passphrase(&site);
    let mut written = 0;
    for (run, log) in &logs {
        assert!(!format!("{run:?}").contains(&made));
        assert!(log.contains("execve("), "{log}");
        for line in log.lines().filter(|line| line.contains(&made)) {
            let (call, _) = line.split_once(", \"").unwrap();
            assert!(call.contains("write(") && call.contains("/luks-passphrase>"), "{line}");
            written += 1;
        }
    }
    assert_eq!(written, 2, "into the vault, and into the staged tree");
    let staged = site.path().join("out").join(STAGED);
    let mut holders = list_holders(site.path(), &made);
    holders.sort();
    let mut known = vec![file(&site), staged];
    known.sort();
    assert_eq!(holders, known);
    // Whoever writes it elsewhere is told, without a quotation.
    site.append(&format!("# {made}\n"));
    let shown = site.run(&["check"]);
    assert!(!format!("{shown:?}").contains(&made));
    site.append(&format!("settings = {{ x = \"{made}\" }}\n"));
    let refused = site.run(&["check"]);
    assert!(refused.code == Some(1) && !format!("{refused:?}").contains(&made), "{refused:?}");
}
