//! The public halves of the keys in a vault, as `nodes/` has them.

use std::path::Path;

use anyhow::{Context, ensure};

use crate::model::Cluster;
use crate::pki::read::PublicCert;
use crate::plan::{Certificates, HostKeys};

/// The keys that `nodes/` publishes, with which a vault is compared.
#[derive(Clone, Debug, Default)]
pub struct PublishedKeys {
    /// The certificates of the CAs and of nodes.
    pub certificates: Certificates,
    /// The SSH host keys of nodes.
    pub host_keys: HostKeys,
    /// Why the vault cannot be compared with `nodes/`; none where it can.
    pub broken: Option<String>,
}

impl PublishedKeys {
    /// Reads the keys of `cluster` in the `nodes/` directory of `root`. A fault there is no reason to refuse the vault.
    #[must_use]
    pub fn gather(root: &Path, cluster: &Cluster) -> Self {
        let gather = || {
            let certificates = Certificates::gather(root, cluster)?;
            let published = Self { certificates, host_keys: HostKeys::gather(root, cluster)?, broken: None };
            published.authorities()?;
            anyhow::Ok(published)
        };
        gather().unwrap_or_else(|why| Self { broken: Some(format!("{why:#}")), ..Self::default() })
    }

    /// The CAs that `nodes/` publishes.
    ///
    /// # Errors
    /// When the files of the CAs hold no certificates.
    pub(super) fn authorities(&self) -> anyhow::Result<Vec<PublicCert>> {
        let Some(published) = &self.certificates.ca else { return Ok(Vec::new()) };
        let authorities = PublicCert::list_from_pem(published).and_then(|authorities| {
            ensure!(!authorities.is_empty(), "there is no certificate in them");
            Ok(authorities)
        });
        authorities.context("could not use nodes/*/ca-cert.pem: restore the files from git. The cause")
    }
}
