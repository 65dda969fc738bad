//! Writes the public files of a site: [`commit()`] replaces `nodes/` and `site/` by an
//! [`ArtifactSet`](crate::artifact::ArtifactSet), wholly or not at all.
//!
//! Both trees belong to plasmagen: a file that is not in the set is removed. Neither a power cut nor a second run nor a full
//! disk ever leaves half a change.
//!
//! From the ground floor up; a file uses only files above it in this list:
//!
//! ```text
//! trees     the names of the trees
//! manifest  paths and digests of a tree           nodes/manifest.json site/manifest.json
//! scan      the files on disk, hashed             nodes/ site/
//! cache     digests of known files, by stat data  .plasmagen/stat-cache
//! wanted    the artifacts, hashed, with manifests in memory
//! compare   which paths differ, and which edits would be lost
//! check     the differences, to be shown
//! lock      one run at a time                     .plasmagen/lock
//! journal   which exchanges are about to happen   .plasmagen/journal
//! staging   the new trees, made durable           .plasmagen/stage/
//! exchange  one rename a tree
//! committed the files of the last commit          nodes/ site/
//! recover   finishes what a killed run has begun, before the next one begins
//! commit    all of the above, in order
//! ```
//!
//! Nothing in this room prints. No file is changed in place: an unchanged file is a hard link to the old one.

mod cache;
mod check;
mod commit;
mod committed;
mod compare;
mod exchange;
mod journal;
mod lock;
pub(crate) mod manifest;
mod recover;
mod scan;
mod staging;
mod trees;
mod wanted;

pub use self::check::{FileChange, Side, check, unified_diff};
pub use self::commit::{CommitOptions, CommitOutcome, commit};
pub use self::committed::read_committed;
pub use self::lock::SiteLock;
pub use self::recover::is_half_written;
