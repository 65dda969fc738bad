//! `publication.json` in a generation: its number, since when it is published, and until when.

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use crate::fs::Sha256Sum;

/// Its name.
pub(super) const PUBLICATION: &str = "publication.json";

const SCHEMA: u32 = 1;

/// Which generation of a web root a directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publication {
    /// The version of this form.
    pub schema: u32,
    /// The generation: higher than every one that this web root has given before (rule PG-I15).
    pub generation: u64,
    /// When it was published: RFC 3339, UTC.
    #[serde(with = "time::serde::rfc3339")]
    pub published: OffsetDateTime,
    /// From when on it must not be booted any more: RFC 3339, UTC.
    #[serde(with = "time::serde::rfc3339")]
    pub expires: OffsetDateTime,
    /// The digest of the `manifest.json` beside it.
    pub manifest: Sha256Sum,
}

impl Publication {
    /// The generation `generation`, of whole seconds.
    pub(super) fn new(
        generation: u64,
        now: OffsetDateTime,
        life: Duration,
        manifest: Sha256Sum,
    ) -> Result<Self> {
        let published = now.to_offset(time::UtcOffset::UTC).replace_nanosecond(0)?;
        let expires = published.checked_add(life).context("it would expire after the end of time")?;
        ensure!(expires > published, "it would have expired when it is published");
        Ok(Self { schema: SCHEMA, generation, published, expires, manifest })
    }

    /// Reads a `publication.json`.
    pub(super) fn parse(text: &[u8]) -> Result<Self> {
        let own: Self = serde_json::from_slice(text).context("it is no publication")?;
        ensure!(own.schema == SCHEMA, "it was written by a later plasmagen (schema {})", own.schema);
        Ok(own)
    }

    pub(super) fn print(&self) -> Result<Vec<u8>> {
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        Ok(text)
    }

    /// Whether it must not be booted any more.
    #[must_use]
    pub fn is_expired(&self, now: OffsetDateTime) -> bool {
        self.expires <= now
    }
}
