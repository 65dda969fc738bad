//! The stat cache: the digests that files had when a run last looked at them, as in git's index.
//!
//! Records are found by inode, since a content belongs to an inode: a tree that moves keeps its records. The cache only
//! saves time: without it, or with a damaged one, every file is read again.

use std::collections::HashMap;

use anyhow::Result;

use super::scan::{HashedStat, StatData};
use crate::fs::{Dir, LIST_LIMIT, Sha256Sum};

const NAME: &str = "stat-cache";
const MAGIC: &[u8] = b"plasmagen stat cache 1\n";
/// Bytes of a record: inode and size of 8 bytes each, two times of 16, the digest of 32; all little-endian.
const RECORD: usize = 80;

/// The digests of known files, by inode.
#[derive(Default)]
pub(super) struct StatCache(HashMap<u64, HashedStat>);

impl StatCache {
    /// Loads the cache from the directory `state`; it is empty when there is none or the file is damaged.
    pub(super) fn load(state: &Dir) -> Self {
        state.read_limited(NAME, LIST_LIMIT).ok().and_then(|bytes| Self::parse(&bytes)).unwrap_or_default()
    }

    /// The digest of the file with this stat data.
    pub(super) fn get(&self, stat: &StatData) -> Option<Sha256Sum> {
        self.0.get(&stat.ino).filter(|(known, _)| known == stat).map(|(_, sha256)| *sha256)
    }

    /// Stores the digests of the files that last changed before `moment`, which was taken before anybody looked at them.
    ///
    /// A younger file may change once more within the same tick of the file system's clock, so that its times do not show
    /// the change (git calls that racy): it is left out, and so read again next time.
    ///
    /// # Errors
    /// When the cache can't be written; the next run then reads every file.
    pub(super) fn save(state: &Dir, files: impl Iterator<Item = HashedStat>, moment: i128) -> Result<()> {
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
            let (ctime, sha256) = record.split_first_chunk()?;
            let stat = StatData {
                ino: u64::from_le_bytes(*ino),
                size: u64::from_le_bytes(*size),
                mtime: i128::from_le_bytes(*mtime),
                ctime: i128::from_le_bytes(*ctime),
            };
            files.insert(stat.ino, (stat, Sha256Sum(sha256.try_into().ok()?)));
        }
        rest.is_empty().then_some(Self(files))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With made-up times, since file systems rarely give two changes the same time since Linux 6.13.
    #[test]
    fn a_file_changed_in_the_tick_of_the_look_is_not_remembered() {
        let stat = |ino, mtime, ctime| StatData { ino, size: 1, mtime, ctime };
        let (settled, modified, linked) = (stat(1, 99, 99), stat(2, 100, 99), stat(3, 99, 100));
        let files = [settled, modified, linked].map(|stat| (stat, Sha256Sum::of(b"x")));
        let state = tempfile::tempdir().unwrap();
        let dir = Dir::open(state.path()).unwrap();
        StatCache::save(&dir, files.into_iter(), 100).unwrap();
        let cache = StatCache::load(&dir);
        assert_eq!(cache.get(&settled), Some(Sha256Sum::of(b"x")));
        assert_eq!(cache.get(&modified), None);
        assert_eq!(cache.get(&linked), None);
        for other in [stat(1, 98, 99), stat(1, 99, 98), stat(9, 99, 99), StatData { size: 2, ..settled }] {
            assert_eq!(cache.get(&other), None, "{other:?}");
        }
    }
}
