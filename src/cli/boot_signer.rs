//! The signer of what machines boot: the files that the inventory or the command line names.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, ValueHint};

use crate::model::{BootVerification, Cluster};
use crate::sign::{SignerCertificate, SignerFiles};

use super::printer::Printer;

/// The files of the signer, as options.
#[derive(Debug, Args)]
pub(super) struct SignerOptions {
    /// The private key of the signer, PEM without a passphrase, which only its owner can read, or a pipe such as
    /// <(age -d signer.key.age)
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

    /// Warns of a key in the directory `root` of the inventory.
    pub(super) fn warn_of_place(&self, printer: &Printer, root: &Path) {
        let Some(key) = &self.key else { return };
        let Some((real, root)) = key.canonicalize().ok().zip(root.canonicalize().ok()) else { return };
        if real.starts_with(&root) {
            printer.say(&format!(
                "warning: the key {} is in the inventory's directory, which git, and the Nix store for a flake, take as a \
                 whole: move it to a directory elsewhere that only you can read",
                key.display()
            ));
        }
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

/// The certificate of the signer, as an option of commands that verify signatures.
#[derive(Debug, Args)]
pub(super) struct BootSignerOption {
    /// The signatures of what machines boot must be by a signer of this CA: a file with the certificate of a signer, and that of
    /// the CA after it [default: `boot.signer` of the inventory]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    boot_signer: Option<PathBuf>,
}

impl BootSignerOption {
    /// Reads the certificate that the option names, or else `[boot] signer` of `cluster`, whose inventory is in the directory
    /// `root`; none where nothing names one, or the machines of the inventory verify no signatures.
    pub(super) fn read(
        &self,
        root: &Path,
        cluster: Option<&Cluster>,
    ) -> anyhow::Result<Option<SignerCertificate>> {
        let boot = cluster.map(|cluster| &cluster.boot);
        let boot = boot.filter(|boot| boot.verify == BootVerification::Signature);
        let written = boot.and_then(|boot| boot.signer.as_ref()).map(|path| root.join(path.as_str()));
        let path = self.boot_signer.clone().or(written);
        path.map(|path| SignerCertificate::open(&path)).transpose()
    }
}
