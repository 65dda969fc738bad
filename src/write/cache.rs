//! The stat cache: which content a file had when we last looked, as git's index knows it.
//!
//! By inode, since the content belongs to the inode: a tree that moves keeps its records. An optimisation only: without
//! the cache, or with a damaged one, every file is read again.

use std::collections::HashMap;

use anyhow::Result;

use super::scan::{Content, StatData};
use crate::fs::{Dir, Sha256Sum};

const NAME: &str = "stat-cache";
const MAGIC: &[u8] = b"plasmagen stat cache 1\n";
/// Inode and size of 8 bytes each, two times of 16, the sum of 32; all little-endian.
const RECORD: usize = 80;

/// What is known of files by their stat data.
#[derive(Default)]
pub(super) struct Cache(HashMap<u64, Content>);

impl Cache {
    /// The cache in the directory `state`; empty when there is none or it is damaged.
    pub(super) fn load(state: &Dir) -> Self {
        state.read(NAME).ok().and_then(|bytes| Self::parse(&bytes)).unwrap_or_default()
    }

    /// The sum of the file with this stat data.
    pub(super) fn get(&self, stat: &StatData) -> Option<Sha256Sum> {
        self.0.get(&stat.ino).filter(|(known, _)| known == stat).map(|(_, sum)| *sum)
    }

    /// Stores the contents of the files that last changed before `moment`, which was taken before they were looked at.
    ///
    /// A younger file may change once more without its times showing it, within the same tick of the file system's
    /// clock (git calls that racy): it is left out, and so read again next time.
    ///
    /// # Errors
    /// When it can't be written; the caller loses time by that, nothing else.
    pub(super) fn save(state: &Dir, files: impl Iterator<Item = Content>, moment: i128) -> Result<()> {
        let settled = |stat: &StatData| stat.mtime < moment && stat.ctime < moment;
        let mut bytes = MAGIC.to_vec();
        for (stat, sha256) in files.filter(|(stat, _)| settled(stat)) {
            bytes.extend_from_slice(&stat.ino.to_le_bytes());
            bytes.extend_from_slice(&stat.size.to_le_bytes());
            bytes.extend_from_slice(&stat.mtime.to_le_bytes());
            bytes.extend_from_slice(&stat.ctime.to_le_bytes());
            bytes.extend_from_slice(&sha256.0);
        }
        let check = Sha256Sum::of(&bytes);
        bytes.extend_from_slice(&check.0);
        state.replace(NAME, &bytes, false)
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (content, check) = bytes.split_last_chunk::<32>()?;
        if Sha256Sum::of(content).0 != *check {
            return None;
        }
        let (records, rest) = content.strip_prefix(MAGIC)?.as_chunks::<RECORD>();
        let mut files = HashMap::with_capacity(records.len());
        for record in records {
            let (ino, record) = record.split_first_chunk()?;
            let (size, record) = record.split_first_chunk()?;
            let (mtime, record) = record.split_first_chunk()?;
            let (ctime, sum) = record.split_first_chunk()?;
            let stat = StatData {
                ino: u64::from_le_bytes(*ino),
                size: u64::from_le_bytes(*size),
                mtime: i128::from_le_bytes(*mtime),
                ctime: i128::from_le_bytes(*ctime),
            };
            files.insert(stat.ino, (stat, Sha256Sum(sum.try_into().ok()?)));
        }
        rest.is_empty().then_some(Self(files))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Here by hand, since file systems since Linux 6.13 give two changes one time only rarely.
    #[test]
    fn a_file_changed_in_the_tick_of_the_look_is_not_remembered() {
        let stat = |ino, mtime, ctime| StatData { ino, size: 1, mtime, ctime };
        let (settled, modified, linked) = (stat(1, 99, 99), stat(2, 100, 99), stat(3, 99, 100));
        let files = [settled, modified, linked].map(|stat| (stat, Sha256Sum::of(b"x")));
        let state = tempfile::tempdir().unwrap();
        let dir = Dir::open(state.path()).unwrap();
        Cache::save(&dir, files.into_iter(), 100).unwrap();
        let cache = Cache::load(&dir);
        assert_eq!(cache.get(&settled), Some(Sha256Sum::of(b"x")));
        assert_eq!(cache.get(&modified), None);
        assert_eq!(cache.get(&linked), None);
        for other in [stat(1, 98, 99), stat(1, 99, 98), stat(9, 99, 99), StatData { size: 2, ..settled }] {
            assert_eq!(cache.get(&other), None, "{other:?}");
        }
    }
}
