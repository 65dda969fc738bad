//! The stat cache saves time and is never believed where it could be wrong.

use std::fs::{self, File, FileTimes};
use std::io::Write;
use std::path::Path;

use crate::writer::kit::{holding, old, strace, write};

const FILE: &str = "site/pxe/dhcpd.conf";

/// Writes in place: same inode, same size.
fn edit(root: &Path, body: &str) {
    File::options().write(true).open(root.join(FILE)).unwrap().write_all(body.as_bytes()).unwrap();
}

#[test]
fn an_edit_that_puts_its_time_back_is_seen() {
    let root = holding(&old());
    assert!(write(root.path(), &old()).unwrap().is_unchanged());
    let path = root.path().join(FILE);
    let before = fs::metadata(&path).unwrap().modified().unwrap();
    edit(root.path(), "# odl\n");
    File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_times(FileTimes::new().set_modified(before))
        .unwrap();
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), before);
    assert!(write(root.path(), &old()).is_err());
}

#[test]
fn an_edit_within_the_same_tick_of_the_clock_is_seen() {
    let root = holding(&old());
    for round in 0..100 {
        edit(root.path(), "# odl\n");
        assert!(write(root.path(), &old()).is_err(), "the edit of round {round} is lost");
        edit(root.path(), "# old\n");
        assert!(write(root.path(), &old()).unwrap().is_unchanged(), "round {round}");
    }
}

#[test]
fn an_edit_right_after_a_commit_is_seen() {
    let root = holding(&old());
    let mut other = old();
    for round in 0..50 {
        other.insert("site/round".into(), round.to_string());
        write(root.path(), &other).unwrap();
        edit(root.path(), "# odl\n");
        assert!(write(root.path(), &other).is_err(), "the edit of round {round} is lost");
        edit(root.path(), "# old\n");
    }
}

#[test]
fn a_damaged_cache_is_not_believed() {
    let root = holding(&old());
    let cache = root.path().join(".plasmagen/stat-cache");
    let whole = fs::read(&cache).unwrap();
    assert!(whole.len() > 6 * 80, "it is filled by the commit: {}", whole.len());
    // Digests among them: believed, they would look like edits.
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        fs::write(&cache, &damaged).unwrap();
        assert!(write(root.path(), &old()).unwrap().is_unchanged(), "byte {at}");
    }
    for length in [0, 1, 31, 32, 55, whole.len() - 80, whole.len() - 1] {
        fs::write(&cache, &whole[..length]).unwrap();
        assert!(write(root.path(), &old()).unwrap().is_unchanged(), "length {length}");
    }
}

#[test]
fn a_lost_cache_is_made_again() {
    let root = holding(&old());
    let reads = || strace(&["-e", "trace=openat"], root.path(), "", &old()).log.contains("dhcpd.conf");
    assert!(!reads());
    fs::remove_file(root.path().join(".plasmagen/stat-cache")).unwrap();
    assert!(reads(), "without a cache every file is read");
    assert!(!reads(), "and then no more");
}
