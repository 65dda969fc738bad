//! `render --check`: what CI runs. It needs no vault, and it writes nothing.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;

use test_kit::strace::{SIGKILL, inject};

use crate::faults::strace;
use crate::kit::{NODE04, PLASMAGEN, Run, Site};

const DISKO: &str = "nodes/node01.cluster.example.com/disko.nix";

/// `render --check` without a home; nothing at all is written.
fn check(site: &Site) -> Run {
    let _ = fs::remove_dir_all(site.home());
    fs::create_dir(site.home()).unwrap();
    let before = test_kit::tree::entries(site.path());
    let run = site.run(&["render", "--check"]);
    assert_eq!(test_kit::tree::entries(site.path()), before);
    run
}

#[test]
fn a_fresh_tree_is_said_to_be() {
    let site = Site::rendered();
    for site in [&site, &site.copy()] {
        let run = check(site);
        run.ends(0, &["nodes/ and site/ are what the inventory says"]);
        assert_eq!(run.stdout, "");
    }
    let quiet = site.run(&["render", "--check", "--quiet"]);
    assert_eq!((quiet.code, quiet.stderr.as_str()), (Some(0), ""));
}

#[test]
fn nothing_rendered_is_stale() {
    let site = Site::new();
    let run = check(&site);
    run.ends(
        1,
        &[" files would change, 3 certificates would be issued: run plasmagen render inventory.toml"],
    );
    assert!(run.stdout.contains("new: nodes/node01.cluster.example.com/ ("), "{}", run.stdout);
    assert!(run.stdout.lines().count() < 30, "{}", run.stdout);
    let full = site.run(&["render", "--check", "--full"]).stdout;
    assert!(full.contains(&format!("--- /dev/null\n+++ {DISKO}\n@@ -0,0 +1")), "{full}");
    site.run(&["render", "--full"]).ends(2, &["--check"]);
}

#[test]
fn an_edited_inventory_is_stale() {
    let site = Site::rendered().copy();
    site.edit("esp = \"1G\"", "esp = \"2G\"");
    let run = check(&site);
    run.ends(1, &["stale: ", "files would change: run plasmagen render inventory.toml\n"]);
    let diff = format!("--- {DISKO}\n+++ {DISKO}\n@@ ");
    assert!(run.stdout.contains(&diff), "{}", run.stdout);
    assert!(run.stdout.contains("\n-") && run.stdout.contains("2G"), "{}", run.stdout);
    // What is printed is a patch.
    site.shell("$P render --check 2>/dev/null | patch -p0 --quiet").ends(0, &[]);
    check(&site).ends(0, &[]);
}

#[test]
fn an_edited_file_is_stale() {
    let site = Site::rendered().copy();
    fs::write(site.root().join(DISKO), site.read(DISKO) + "# mine\n").unwrap();
    let run = check(&site);
    run.ends(1, &["stale: 1 file would change"]);
    assert!(run.stdout.contains("\n-# mine\n"), "{}", run.stdout);
    let quiet = site.run(&["render", "--check", "-q"]);
    assert_eq!((quiet.code, quiet.stderr.as_str(), quiet.stdout), (Some(1), "", run.stdout));
}

#[test]
fn an_edit_that_hides_behind_its_times_is_seen() {
    let site = Site::rendered();
    let script = "touch -r FILE stamp; sed -i s/gpt/tpg/ FILE; touch -r stamp FILE; rm stamp";
    site.shell(&script.replace("FILE", DISKO)).ends(0, &[]);
    check(&site).ends(1, &["stale: 1 file"]);
}

#[test]
fn a_missing_file_is_stale() {
    let site = Site::rendered().copy();
    fs::remove_file(site.root().join(DISKO)).unwrap();
    let run = check(&site);
    run.ends(1, &["stale: 1 file would change"]);
    assert_eq!(run.stdout, format!("new: {DISKO}\n"));
    fs::remove_dir_all(site.root().join("site")).unwrap();
    assert!(check(&site).ends(1, &[]).stdout.contains("new: site/pxe/ ("));
}

#[test]
fn a_missing_certificate_is_stale() {
    let site = Site::rendered().copy();
    fs::remove_file(site.root().join("nodes/node03.cluster.example.com/node03-cert.pem")).unwrap();
    check(&site).ends(1, &["addresses of the inventory: node03\n", "1 certificate would be issued"]);

    let site = Site::rendered().copy();
    fs::remove_file(site.root().join("nodes/node03.cluster.example.com/ca-cert.pem")).unwrap();
    let run = check(&site);
    run.ends(1, &["stale: 1 file would change: "]);
    assert_eq!(run.stdout, "new: nodes/node03.cluster.example.com/ca-cert.pem\n");
}

#[test]
fn a_certificate_that_does_not_say_what_the_inventory_asks_for_is_stale() {
    let site = Site::rendered().copy();
    site.edit("iam = \"10.0.200.101\"", "iam = \"10.0.200.101\"\nflaredb = \"10.0.200.102\"");
    check(&site)
        .ends(1, &["no certificate with the names and addresses of the inventory: node01, node02, node03\n"]);
    let site = Site::rendered().copy();
    site.append(NODE04);
    check(&site).ends(1, &["addresses of the inventory: node04\n", "1 certificate would be issued"]);
}

#[test]
fn what_is_there_beside_is_stale() {
    let site = Site::rendered().copy();
    fs::write(site.root().join("site/notes.txt"), "mine\n").unwrap();
    let run = check(&site);
    run.ends(1, &["stale: 1 file would change"]);
    assert_eq!(run.stdout, "removed: site/notes.txt\n");
    let full = site.run(&["render", "--check", "--full"]).stdout;
    assert_eq!(full, "--- site/notes.txt\n+++ /dev/null\n@@ -1 +0,0 @@\n-mine\n");
    fs::remove_file(site.root().join("site/notes.txt")).unwrap();
    fs::set_permissions(site.root().join(DISKO), fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(check(&site).ends(1, &[]).stdout, format!("{DISKO}: is no longer executable\n"));
}

#[test]
fn a_refused_inventory_is_no_answer() {
    let site = Site::rendered();
    crate::check::refuse(&site);
    let run = check(&site);
    run.ends(1, &["is refused: 2 errors"]);
    assert!(run.stdout.is_empty() && !run.stderr.contains("stale"), "{run:?}");
}

#[test]
fn another_user_can_check_a_directory_that_is_read_only() {
    let site = Site::rendered();
    site.shell("chmod -R a-w . && rm -rf ../home && mkdir ../home && chmod 555 ../home").ends(0, &[]);
    fs::copy(PLASMAGEN, site.path().join("plasmagen")).unwrap();
    let check = |program: &Path| {
        let program = program.to_str().unwrap();
        if test_kit::process::is_root() {
            let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups", program, "render", "--check"];
            site.tool("setpriv", "util-linux", &nobody)
        } else {
            site.run(&["render", "--check"])
        }
    };
    let before = test_kit::tree::entries(site.path());
    check(&site.path().join("plasmagen")).ends(0, &["are what the inventory says"]);
    assert_eq!(test_kit::tree::entries(site.path()), before);
    // The state is private to who rendered.
    site.shell("chmod u+w . inventory.toml; chmod 700 .plasmagen; echo '# later' >> inventory.toml")
        .ends(0, &[]);
    check(&site.path().join("plasmagen")).ends(0, &[]);
    site.shell("sed -i s/SERIAL0001/SERIAL0009/ inventory.toml").ends(0, &[]);
    check(&site.path().join("plasmagen")).ends(1, &["stale"]);
    site.shell("chmod -R u+w .").ends(0, &[]);
}

#[test]
fn a_fresh_clone_of_a_committed_site_is_fresh() {
    let site = Site::rendered();
    let script = "git init --quiet . && git add . && \
                  git -c user.name=a -c user.email=a@example.com commit --quiet -m x && \
                  umask 077 && git clone --quiet . ../clone && cd ../clone && $P render --check && $P render";
    let run = site.shell(script);
    run.ends(0, &["nodes/ and site/ are what the inventory says", "nothing was touched"]);
    let run = site.shell("cd ../clone && git status --porcelain --ignored && ls -A");
    assert!(run.stdout.starts_with("!! .plasmagen/\n.git"), "{run:?}");
    // A line ending that git changed on the way is a difference.
    site.shell("cd ../clone && sed -i 's/$/\\r/' site/pxe/dhcpd.conf && $P render --check")
        .ends(1, &["1 file"]);
}

/// Killed between the renames of nodes/ and site/.
#[test]
fn trees_of_two_versions_are_told_of_until_the_next_render() {
    let site = Site::rendered();
    site.edit("EXAMPLE_DISK_00000001_1", "EXAMPLE_DISK_00000009_1");
    let (status, run, _) = strace(&site, &inject("renameat2", "signal=KILL", 2), &["render"]);
    assert_eq!(status.signal(), Some(SIGKILL), "{run:?}");
    let words = ["nodes/ and site/ are of two versions", "Run plasmagen render"];
    site.run(&["check"]).ends(1, &words);
    site.run(&["publish", "--root", "root", "--ipxe", "nowhere"]).ends(1, &words);
    assert!(!site.root().join("root").exists());
    site.run(&["render"]).ends(0, &[]);
    let run = site.run(&["check"]);
    assert!(!run.ends(0, &[]).stderr.contains("two versions"), "{run:?}");
    site.run(&["render", "--check"]).ends(0, &[]);
}
