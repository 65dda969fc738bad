//! The stat cache: which content a file had when we last looked, as git's index knows it.
//!
//! By inode, since the content belongs to the inode: a tree that moves keeps its records. An optimisation only: without
//! the cache, or with a damaged one, every file is read again.

use std::collections::HashMap;
use std::os::fd::AsFd;

use anyhow::Result;
use sha2::{Digest as _, Sha256};

use super::disk;
use super::manifest::Digest;
use super::scan::{FoundTree, StatData};

const NAME: &str = "stat-cache";
const MAGIC: &[u8] = b"plasmagen stat cache 1\n";
/// Inode and size of 8 bytes each, two times of 16, the sum of 32; all little-endian.
const RECORD: usize = 80;

/// What is known of files by their stat data.
#[derive(Default)]
pub(super) struct Cache(HashMap<u64, (StatData, Digest)>);

impl Cache {
    /// The cache in the directory `state`; empty when there is none or it is damaged.
    pub(super) fn load(state: impl AsFd) -> Self {
        disk::read(state, NAME).ok().and_then(|bytes| Self::parse(&bytes)).unwrap_or_default()
    }

    /// The sum of the file with this stat data.
    pub(super) fn get(&self, stat: &StatData) -> Option<Digest> {
        self.0.get(&stat.ino).filter(|(known, _)| known == stat).map(|(_, sum)| *sum)
    }

    /// Stores what `trees` tell of files that last changed before `moment`, which was taken before `trees` were read.
    ///
    /// A younger file may change once more without its times showing it, within the same tick of the file system's
    /// clock (git calls that racy): it is left out, and so read again next time.
    ///
    /// # Errors
    /// When it can't be written; the caller loses time by that, nothing else.
    pub(super) fn save(state: impl AsFd, trees: &[FoundTree], moment: i128) -> Result<()> {
        let settled = |stat: &StatData| stat.mtime < moment && stat.ctime < moment;
        let mut bytes = MAGIC.to_vec();
        for file in trees.iter().flat_map(FoundTree::files).filter(|file| settled(&file.stat)) {
            bytes.extend_from_slice(&file.stat.ino.to_le_bytes());
            bytes.extend_from_slice(&file.stat.size.to_le_bytes());
            bytes.extend_from_slice(&file.stat.mtime.to_le_bytes());
            bytes.extend_from_slice(&file.stat.ctime.to_le_bytes());
            bytes.extend_from_slice(&file.sha256.0);
        }
        let check = Sha256::digest(&bytes);
        bytes.extend_from_slice(&check);
        disk::replace(state, NAME, &bytes, false)
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (content, check) = bytes.split_last_chunk::<32>()?;
        if Digest::of(content).0 != *check {
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
            files.insert(stat.ino, (stat, Digest(sum.try_into().ok()?)));
        }
        rest.is_empty().then_some(Self(files))
    }
}
