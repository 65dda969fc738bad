//! `publication.json` in a generation: its cluster, its number, when it was published, and until when it may be booted.
//! `publication.json.sig` beside it is a signature of all that and, by the digest of the manifest, of every file.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use crate::fs::Sha256Sum;
use crate::model::{Label, Word};

/// The file name of a publication.
pub(super) const PUBLICATION: &str = "publication.json";

/// The file name of the signature of a publication.
pub(super) const PUBLICATION_SIGNATURE: &str = "publication.json.sig";

const SCHEMA: u32 = 1;

/// The publication of one generation of a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publication {
    /// Version of this format.
    pub schema: u32,
    /// Name of the cluster whose machines boot the generation; none for a bundle that was published into a web root
    /// without a site, by a command line without an inventory.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cluster: Option<String>,
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
    /// SHA-256 of each build of iPXE in `tftp/`, by name; only a site's publication has any.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub loaders: BTreeMap<String, Sha256Sum>,
}

impl Publication {
    /// A publication for `cluster` at `now`, in whole seconds, that expires after `life`.
    pub(super) fn new(
        cluster: Option<&str>,
        generation: u64,
        now: OffsetDateTime,
        life: Duration,
        manifest: Sha256Sum,
    ) -> Result<Self> {
        let published = now.to_offset(time::UtcOffset::UTC).replace_nanosecond(0)?;
        let expires = published.checked_add(life).context("it would expire after the year 9999")?;
        ensure!(expires > published, "it would expire at the moment of its publication");
        let cluster = cluster.map(str::to_owned);
        let loaders = BTreeMap::new();
        Ok(Self { schema: SCHEMA, cluster, generation, published, expires, manifest, loaders })
    }

    /// Parses a `publication.json`.
    pub(super) fn parse(text: &[u8]) -> Result<Self> {
        let publication: Self = serde_json::from_slice(text).context("it is not a publication")?;
        ensure!(
            publication.schema == SCHEMA,
            "it was written by a later plasmagen (schema {})",
            publication.schema
        );
        // Messages print the name, and a web root is what others wrote.
        let is_name = publication.cluster.as_deref().is_none_or(|name| Label::parse(name).is_ok());
        ensure!(is_name, "its cluster has no legal name");
        // verify opens these files.
        let is_plain = |name: &String| !name.is_empty() && !name.starts_with('.') && !name.contains('/');
        ensure!(publication.loaders.keys().all(is_plain), "a build of iPXE has no legal name");
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
