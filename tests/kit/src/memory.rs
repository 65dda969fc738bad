//! Directories of which nothing need outlast a power cut: tests that end a run at each of its calls have it sync files by
//! the ten thousand, and a disk would take most of their time.

use tempfile::TempDir;

/// A new directory: in memory where the machine has a place for that, else where all are.
pub fn tempdir() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}
