//! The signer of what machines boot: the files that the inventory or the command line names.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, ValueHint};

use crate::model::{BootVerification, Cluster};
use crate::sign::{SignerCertificate, SignerFiles};

/// The files of the signer, as options.
#[derive(Debug, Args)]
pub(super) struct SignerOptions {
    /// The private key of the signer, PEM without a passphrase, which only its owner can read; `plasmagen sign` also reads a
    /// pipe such as <(age -d signer.key.age)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    key: Option<PathBuf>,
    /// The certificate of the signer [default: `boot.signer` of the inventory]
    #[arg(long, value_name = "FILE", requires = "key", value_hint = ValueHint::FilePath)]
    signer: Option<PathBuf>,
    /// The certificate of the CA that issued the signer's [default: the second certificate in the file of the signer]
    #[arg(long, value_name = "FILE", requires = "key", value_hint = ValueHint::FilePath)]
    ca: Option<PathBuf>,
}

impl SignerOptions {
    /// Whether a key is named.
    pub(super) fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// Whether the certificate is named here, and not by the inventory.
    pub(super) fn names_certificate(&self) -> bool {
        self.signer.is_some()
    }

    /// Finds the files of the signer; none where no key is named. `cluster` is that of the inventory in the directory
    /// `root`.
    pub(super) fn find(&self, root: &Path, cluster: Option<&Cluster>) -> anyhow::Result<Option<SignerFiles>> {
        let Some(key) = self.key.clone() else { return Ok(None) };
        let written = cluster.and_then(|cluster| cluster.boot.signer.as_ref());
        let written = written.map(|path| root.join(path.as_str()));
        let signer = self.signer.clone().or(written).context(
            "name the certificate of the signer with --signer, or write signer = \"signer.pem\" into [boot] of the inventory",
        )?;
        Ok(Some(SignerFiles { signer, ca: self.ca.clone(), key }))
    }
}

/// Reads the certificate that `[boot] signer` names, for `cluster` of the inventory in the directory `root`; none where the
/// inventory names none, or its machines verify no signatures.
pub(super) fn read_boot_signer(root: &Path, cluster: &Cluster) -> anyhow::Result<Option<SignerCertificate>> {
    let boot = &cluster.boot;
    let signer = boot.signer.as_ref().filter(|_| boot.verify == BootVerification::Signature);
    signer.map(|path| SignerCertificate::open(&root.join(path.as_str()), None)).transpose()
}
