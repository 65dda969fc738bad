//! The signer of what machines boot: the certificate that the inventory or the command line names.

use std::path::Path;

use anyhow::Context;

use crate::fs::{TEXT_LIMIT, read_input_text};
use crate::model::{BootVerification, Cluster};
use crate::sign::SignerCertificate;

/// Reads the certificate in the file `signer`, and that of the CA in the file `ca`; where no such file is named, the CA's
/// certificate may follow the signer's.
pub(super) fn read_signer(signer: &Path, ca: Option<&Path>) -> anyhow::Result<SignerCertificate> {
    let read = |path: &Path| {
        read_input_text(path, TEXT_LIMIT)
            .with_context(|| format!("could not read the certificate {}", path.display()))
    };
    let (text, ca) = (read(signer)?, ca.map(read).transpose()?);
    SignerCertificate::from_pem(&text, ca.as_deref())
        .with_context(|| format!("could not use the certificate {}", signer.display()))
}

/// Reads the certificate that `[boot] signer` names, for `cluster` of the inventory in the directory `root`; none where the
/// inventory names none, or its machines verify no signatures.
pub(super) fn read_boot_signer(root: &Path, cluster: &Cluster) -> anyhow::Result<Option<SignerCertificate>> {
    let boot = &cluster.boot;
    let signer = boot.signer.as_ref().filter(|_| boot.verify == BootVerification::Signature);
    signer.map(|path| read_signer(&root.join(path.as_str()), None)).transpose()
}
