//! Disks that are full or read-only: real ones, in a mount namespace of the program's own.

use std::ffi::OsStr;
use std::fs;

use test_kit::Version;
use test_kit::process::unshare_as_root;

use crate::kit::{PLASMAGEN, Run, Site};
use crate::whole::Scenario;

/// Runs `script` in a new mount namespace, with the program as `$P`, in the directory of all.
fn namespace(site: &Site, script: &str) -> Run {
    let script = format!("set -e; P={PLASMAGEN}; cd {}; {script}", site.path().display());
    let unshare = unshare_as_root(&["--mount"]);
    let words: Vec<&str> =
        unshare.get_args().filter_map(OsStr::to_str).chain(["bash", "-c", &script]).collect();
    site.tool("unshare", "util-linux", &words)
}

/// Renders with `place` on a tmpfs of which all but `free` pages are full, and puts what came of it where it was.
fn render_on_full_disk(site: &Site, place: &str, free: usize) -> Run {
    let parent = site.path().join(place);
    fs::create_dir_all(&parent).unwrap();
    let script = format!(
        "cp -a {place} kept; mount -t tmpfs -o size=2m,mode=700 tmpfs {place}; cp -a kept/. {place}/; rm -r kept; \
         mkdir kept; dd if=/dev/zero of={place}/filler bs=4096 status=none 2>/dev/null || true; \
         truncate -s -{bytes} {place}/filler; \
         code=0; (cd site; $P render) || code=$?; rm {place}/filler; cp -a {place}/. kept/; exit $code",
        bytes = free * 4096
    );
    let run = namespace(site, &script);
    // The namespace is gone, and with it the tmpfs.
    fs::remove_dir_all(&parent).unwrap();
    fs::rename(site.path().join("kept"), &parent).unwrap();
    run
}

/// Renders on a disk with more and more room, until it succeeds: before that nothing has changed.
fn on_ever_larger_disks(scenario: &Scenario, place: &str) {
    for free in 0..200 {
        let site = scenario.before.copy();
        let run = render_on_full_disk(&site, place, free);
        let when = format!("with {free} pages left in {place}");
        if run.code == Some(0) {
            assert!(free > 0, "no run found the disk full");
            assert_eq!(scenario.assert_whole(&site, &when), (Version::New, Version::New), "{when}");
            return;
        }
        run.ends(2, &["No space left on device"]);
        let versions = scenario.assert_whole(&site, &when);
        assert_eq!(versions, scenario.versions(&scenario.before, "before"), "{when}");
        scenario.assert_recovers(&site, &when);
    }
    panic!("no disk is large enough");
}

#[test]
fn a_full_disk_below_the_site_leaves_everything() {
    on_ever_larger_disks(&Scenario::update(), "site");
}

#[test]
fn a_full_disk_below_the_vault_publishes_nothing() {
    on_ever_larger_disks(&Scenario::first(), "home/data");
    on_ever_larger_disks(&Scenario::update(), "home/data");
}

#[test]
fn a_read_only_site_can_be_checked_and_is_not_rendered() {
    let site = Scenario::update().before;
    let read_only = "mount --bind site site; mount -o remount,ro,bind site; cd site; ";
    let run = site.untouched(|| namespace(&site, &format!("{read_only} $P render")));
    run.ends(2, &["could not take the lock", "Read-only file system"]);
    let run = site.untouched(|| namespace(&site, &format!("{read_only} $P render --check")));
    run.ends(1, &["stale: ", "2 certificates would be issued"]);
    let run = site.untouched(|| namespace(&site, &format!("{read_only} $P check && $P certs status")));
    run.ends(0, &["node04 has no certificate yet"]);
}

#[test]
fn a_read_only_vault_publishes_nothing() {
    let scenario = Scenario::update();
    let site = scenario.before.copy();
    let script = "mount --bind home home; mount -o remount,ro,bind home; cd site; $P render";
    let run = site.untouched(|| namespace(&site, script));
    run.ends(2, &["Read-only file system"]);
    scenario.assert_recovers(&site, "with a read-only vault");
    // Where nothing is issued, no vault is needed.
    site.edit("SERIAL0001", "SERIAL0009");
    namespace(&site, script).ends(0, &[]);
}
