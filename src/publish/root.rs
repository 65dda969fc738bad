//! A web root of plasmagen's: the marker file that says so, with the counter of generations.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::fs::{Dir, STATE, TEXT_LIMIT};

/// The marker file in the state directory.
pub(super) const MARKER: &str = "web-root.json";

/// The version of the marker file where one site is served alone.
pub(super) const SCHEMA: u32 = 1;

/// The version of the marker file where several clusters share the web root: an earlier plasmagen, which knows no joint site, would
/// switch all machines to the site of one cluster.
pub(super) const SHARED_SCHEMA: u32 = 2;

/// The directories of a web root beside those of the site.
pub(super) const NIXOS: &str = "nixos";
pub(super) const SITE: &str = "site";
/// The sites of the clusters that share a web root.
pub(super) const SITES: &str = "sites";
pub(super) const ARMED: &str = "armed";
pub(super) const TFTP: &str = crate::model::TFTP_DIR;

/// The symbolic link to the generation that machines boot.
pub(super) const CURRENT: &str = "current";

/// An open web root.
#[derive(Debug)]
pub struct WebRoot {
    pub(super) dir: Dir,
    pub(super) state: Dir,
}

/// The content of the marker file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Marker {
    schema: u32,
    /// Number of the last generation.
    generation: u64,
}

impl WebRoot {
    /// Opens the web root at `path`.
    ///
    /// # Errors
    /// When there is no directory, or the directory is not a web root of plasmagen's.
    pub fn open(path: &Path) -> Result<Self> {
        let root = Self::open_to_disarm(path)?;
        root.last_generation()
            .with_context(|| format!("{} is not a web root of plasmagen's", path.display()))?;
        Ok(root)
    }

    /// Opens the web root at `path` without the counter of generations: a damaged marker file must not keep anybody from
    /// disarming.
    ///
    /// # Errors
    /// When there is no directory, or no state directory of plasmagen's in it.
    pub fn open_to_disarm(path: &Path) -> Result<Self> {
        let dir = open_named(path)?;
        let state = dir.open_dir(STATE);
        ensure!(
            state.is_ok(),
            "{} is not a web root of plasmagen's: plasmagen publish makes one",
            path.display()
        );
        Ok(Self { dir, state: state? })
    }

    /// Whether there is a web root of plasmagen's at `path`.
    #[must_use]
    pub fn is_at(path: &Path) -> bool {
        path.join(STATE).join(MARKER).exists()
    }

    /// The number of the last generation; 0 before the first one.
    pub(super) fn last_generation(&self) -> Result<u64> {
        self.read_marker().map(|(generation, _)| generation)
    }

    /// Reads the number of the last generation and the version of the marker file.
    pub(super) fn read_marker(&self) -> Result<(u64, u32)> {
        let text =
            self.state.read_limited(MARKER, TEXT_LIMIT).context("could not read .plasmagen/web-root.json")?;
        let marker: Marker = serde_json::from_slice(&text).context(".plasmagen/web-root.json is damaged")?;
        ensure!(
            [SCHEMA, SHARED_SCHEMA].contains(&marker.schema),
            "it was made by a later plasmagen (schema {})",
            marker.schema
        );
        Ok((marker.generation, marker.schema))
    }
}

/// Opens the directory that the command line or the inventory names.
pub(super) fn open_named(path: &Path) -> Result<Dir> {
    Dir::open(path).with_context(|| format!("could not open {}", path.display()))
}

/// Writes the marker file of the version `schema` into the state directory, with the number of the last generation.
pub(super) fn write_marker(state: &Dir, generation: u64, schema: u32) -> Result<()> {
    let body = serde_json::to_vec(&Marker { schema, generation })?;
    state.replace(MARKER, &body, true).context("could not write .plasmagen/web-root.json")
}
