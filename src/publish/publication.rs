//! `publication.json` in a generation: its number, when it was published, and until when it may be booted.

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use crate::fs::Sha256Sum;

/// The file name of a publication.
pub(super) const PUBLICATION: &str = "publication.json";

const SCHEMA: u32 = 1;

/// The publication of one generation of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publication {
    /// Version of this format.
    pub schema: u32,
    /// Number of the generation: higher than every number that this web root has given before (rule PG-I15).
    pub generation: u64,
    /// When the generation was published: RFC 3339, UTC.
    #[serde(with = "time::serde::rfc3339")]
    pub published: OffsetDateTime,
    /// From when on the generation must not be booted any more: RFC 3339, UTC.
    #[serde(with = "time::serde::rfc3339")]
    pub expires: OffsetDateTime,
    /// SHA-256 of the `manifest.json` in the same directory.
    pub manifest: Sha256Sum,
}

impl Publication {
    /// A publication at `now`, in whole seconds, that expires after `life`.
    pub(super) fn new(
        generation: u64,
        now: OffsetDateTime,
        life: Duration,
        manifest: Sha256Sum,
    ) -> Result<Self> {
        let published = now.to_offset(time::UtcOffset::UTC).replace_nanosecond(0)?;
        let expires = published.checked_add(life).context("it would expire after the year 9999")?;
        ensure!(expires > published, "it would expire at the moment of its publication");
        Ok(Self { schema: SCHEMA, generation, published, expires, manifest })
    }

    /// Parses a `publication.json`.
    pub(super) fn parse(text: &[u8]) -> Result<Self> {
        let publication: Self = serde_json::from_slice(text).context("it is not a publication")?;
        ensure!(
            publication.schema == SCHEMA,
            "it was written by a later plasmagen (schema {})",
            publication.schema
        );
        Ok(publication)
    }

    pub(super) fn print(&self) -> Result<Vec<u8>> {
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        Ok(text)
    }

    /// Whether the generation must not be booted any more.
    #[must_use]
    pub fn is_expired(&self, now: OffsetDateTime) -> bool {
        self.expires <= now
    }
}
