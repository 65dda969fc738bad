//! The trees as they were committed last, in memory: for a commit that changes a few of their files.

use anyhow::{Context, Result, ensure};
use rayon::prelude::*;

use super::lock::SiteLock;
use super::manifest::{self, TreeManifest};
use super::trees::TREES;
use crate::artifact::{Artifact, ArtifactSet};
use crate::fs::{Dir, LIST_LIMIT, Sha256Sum};

/// Reads the files of `nodes/` and `site/` that their manifests list.
///
/// # Errors
/// When a tree has no manifest of plasmagen's, a file is not as its manifest says, or the disk refuses.
pub fn read_committed(lock: &SiteLock) -> Result<ArtifactSet> {
    let mut set = ArtifactSet::default();
    for tree in TREES {
        let path = format!("{tree}/{}", manifest::NAME);
        let body = lock.root().read_limited(&path, LIST_LIMIT);
        let body = body.with_context(|| format!("could not read {path}: plasmagen render writes {tree}/"))?;
        let manifest = TreeManifest::parse(&body).with_context(|| format!("could not understand {path}"))?;
        let listed: Vec<_> = manifest.files().collect();
        let read = |(path, sha256): &(&str, Sha256Sum)| {
            let is_executable = manifest.get(path).is_some_and(|(_, is_executable)| is_executable);
            read_file(lock.root(), &format!("{tree}/{path}"), *sha256, is_executable)
        };
        let files: Vec<_> = listed.par_iter().map(read).collect();
        for file in files {
            set.insert(file?)?;
        }
    }
    Ok(set)
}

/// Reads the file `path` of `root`, whose content has the digest `sha256`.
fn read_file(root: &Dir, path: &str, sha256: Sha256Sum, is_executable: bool) -> Result<Artifact> {
    let body = root.read_limited(path, LIST_LIMIT).with_context(|| format!("could not read {path}"))?;
    ensure!(
        Sha256Sum::of(&body) == sha256,
        "{path} was edited by hand: plasmagen render --check shows the edit, and plasmagen render --discard-edits throws it \
         away"
    );
    Ok(Artifact { executable: is_executable, ..Artifact::new(path, body)? })
}
