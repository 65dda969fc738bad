//! The request of a publication.

use std::path::{Path, PathBuf};

use time::{Duration, OffsetDateTime};

/// A publication: bundles and a site, with options.
#[derive(Clone, Copy, Debug)]
pub struct PublishRequest<'a> {
    /// Directories of bundles, each for another base.
    pub bundles: &'a [PathBuf],
    /// The directory `site/` that render has written.
    pub site: Option<&'a Path>,
    /// The directory of signatures of the site's files: `ipxe/boot.ipxe.sig` and so on.
    pub signatures: Option<&'a Path>,
    /// Whether files that machines fetch must be signed. They must also be where the `boot.ipxe` of the site, or of the
    /// published site, says so.
    pub signed: bool,
    /// Number of generations that stay beside the current one.
    pub keep: usize,
    /// The present time.
    pub now: OffsetDateTime,
    /// How long the generation may be booted.
    pub life: Duration,
}
