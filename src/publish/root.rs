//! A web root that is ours: the marker that says so, with the counter of generations.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::fs::{Dir, STATE};

pub(super) const MARKER: &str = "web-root.json";
const SCHEMA: u32 = 1;

/// What belongs to a root beside the names of the site.
pub(super) const NIXOS: &str = "nixos";
pub(super) const SITE: &str = "site";
pub(super) const ARMED: &str = "armed";
pub(super) const TFTP: &str = crate::model::TFTP_DIR;

/// A web root of ours, open.
#[derive(Debug)]
pub struct Root {
    pub(super) dir: Dir,
    pub(super) state: Dir,
}

/// What tells that a root is ours.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Marker {
    schema: u32,
    /// The last generation that was given.
    generation: u64,
}

impl Root {
    /// Opens the web root at `path`.
    ///
    /// # Errors
    /// When there is none, or it is not ours.
    pub fn open(path: &Path) -> Result<Self> {
        let dir = open(path)?;
        let state = dir.open_dir(STATE);
        ensure!(
            state.is_ok(),
            "{} is no web root of plasmagen's: plasmagen publish makes one",
            path.display()
        );
        let root = Self { dir, state: state? };
        root.generation().with_context(|| format!("{} is no web root of plasmagen's", path.display()))?;
        Ok(root)
    }

    /// Whether there is a web root of ours at `path`.
    #[must_use]
    pub fn is_at(path: &Path) -> bool {
        path.join(STATE).join(MARKER).exists()
    }

    /// The last generation that was given.
    pub(super) fn generation(&self) -> Result<u64> {
        let text = self.state.read(MARKER).context("could not read .plasmagen/web-root.json")?;
        let marker: Marker = serde_json::from_slice(&text).context(".plasmagen/web-root.json is damaged")?;
        ensure!(marker.schema == SCHEMA, "it was made by a later plasmagen (schema {})", marker.schema);
        Ok(marker.generation)
    }
}

/// Opens the directory that the command line or the inventory names.
pub(super) fn open(path: &Path) -> Result<Dir> {
    Dir::open(path).with_context(|| format!("could not open {}", path.display()))
}

/// Says that generations up to `generation` were given.
pub(super) fn write_marker(state: &Dir, generation: u64) -> Result<()> {
    let body = serde_json::to_vec(&Marker { schema: SCHEMA, generation })?;
    state.replace(MARKER, &body, true).context("could not write .plasmagen/web-root.json")
}
