//! The request of a publication.

use std::path::{Path, PathBuf};

use time::{Duration, OffsetDateTime};

use super::signing_key::SigningKey;
use crate::model::{Cluster, Label, MacAddr};
use crate::sign::SignerCertificate;

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
    /// The builds of iPXE that are published with a site.
    pub loaders: LoaderSource<'a>,
    /// Number of generations that stay beside the current one.
    pub keep: usize,
    /// The terms of the publication.
    pub terms: PublicationTerms<'a>,
}

/// Where the builds of iPXE come from that are published with a site.
#[derive(Clone, Copy, Debug, Default)]
pub enum LoaderSource<'a> {
    /// The builds that were published last stay.
    #[default]
    Unchanged,
    /// The directories of the distributions' packages; somebody's own builds stay.
    Packages,
    /// This directory, whose builds replace somebody's own builds.
    Dir(&'a Path),
}

/// The name by which `--replace-cluster` calls a cluster that no publication names.
pub const UNNAMED: &str = "unnamed";

/// The names of an inventory's cluster.
#[derive(Clone, Copy, Debug)]
pub struct ClusterNames<'a> {
    /// The present name.
    pub name: &'a str,
    /// The names that the cluster had before: `former_names`.
    pub former: &'a [Label],
}

impl<'a> ClusterNames<'a> {
    /// The names of `cluster`.
    #[must_use]
    pub fn of(cluster: &'a Cluster) -> Self {
        Self { name: cluster.name.as_str(), former: cluster.former_names.as_deref().unwrap_or_default() }
    }

    /// Whether `name` is the present name or a former one.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.name == name || self.former.iter().any(|former| former.as_str() == name)
    }
}

/// The terms of a publication, also of one that goes back to an earlier generation.
#[derive(Clone, Copy, Debug)]
pub struct PublicationTerms<'a> {
    /// Names of the inventory's cluster; none without an inventory.
    pub cluster: Option<ClusterNames<'a>>,
    /// MAC addresses of the inventory's nodes; none without an inventory.
    pub machines: &'a [MacAddr],
    /// Name of the cluster whose web root another cluster may take over: [`UNNAMED`] for one that no publication names.
    pub replaced_cluster: Option<&'a str>,
    /// Whether the cluster may come in beside those whose machines boot from the web root.
    pub may_add_cluster: bool,
    /// Whether a bundle may take the place of one that another cluster of the web root has published.
    pub may_replace_images: bool,
    /// Whether the `boot.ipxe` of the site counts for the machines of all clusters of the web root, where theirs differs.
    pub may_replace_boot: bool,
    /// The key that signs the publication; none for an unsigned one.
    pub signing_key: Option<&'a SigningKey>,
    /// The signer by whom what machines boot must be signed; none where the inventory names none.
    pub boot_signer: Option<&'a SignerCertificate>,
    /// Whether armed nodes may get another bundle, script or overlay than those that they were armed for.
    pub may_change_armed: bool,
    /// The present time.
    pub now: OffsetDateTime,
    /// How long the generation may be booted.
    pub life: Duration,
}
