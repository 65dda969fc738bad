//! Verifies the builds of iPXE in `tftp/`: those that were published are unchanged, and where signatures are asked for,
//! there are no others.

use std::io::ErrorKind;

use anyhow::{Context, Result};

use super::builds::LOADER_LIMIT;
use super::fault::{Fault, FaultKind};
use super::loaders::list_vouched;
use super::report::VerifyRequirements;
use super::root::{TFTP, WebRoot};
use crate::fs::{FileType, Sha256Sum, kind_of};

/// Verifies everything in `tftp/`.
pub(super) fn verify_loaders(
    root: &WebRoot,
    requirements: &VerifyRequirements<'_>,
    faults: &mut Vec<Fault>,
) -> Result<()> {
    let published = list_vouched(root, requirements.cluster)?;
    let mut fault = |kind, name: &str, message: &str| {
        faults.push(Fault::new(kind, format!("{TFTP}/{}", name.escape_debug()), message));
    };
    for (name, sha256) in &published {
        match root.dir.read_limited(&format!("{TFTP}/{name}"), LOADER_LIMIT) {
            Ok(body) if Sha256Sum::of(&body) == *sha256 => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {
                fault(
                    FaultKind::Missing,
                    name,
                    "it was published: plasmagen publish --ipxe DIR publishes it again",
                );
            }
            _ => fault(
                FaultKind::Changed,
                name,
                "it is not what was published: plasmagen publish --ipxe DIR replaces it",
            ),
        }
    }
    if !root.dir.exists(TFTP)? {
        return Ok(());
    }
    let list =
        root.dir.open_dir(TFTP).context("could not open tftp/")?.list().context("could not list tftp/")?;
    for (name, stat) in list.iter().filter(|(name, _)| !published.contains_key(name)) {
        match kind_of(stat) {
            // The module for NixOS makes links to builds of nixpkgs.
            FileType::RegularFile | FileType::Directory | FileType::Symlink
                if requirements.signers.is_none() => {}
            FileType::RegularFile | FileType::Directory | FileType::Symlink => fault(
                FaultKind::Unsigned,
                name,
                "machines may load it, and no publication has its digest: plasmagen publish --ipxe DIR --sign KEY \
                 publishes a build, or remove it",
            ),
            _ => fault(FaultKind::Extra, name, "it is no regular file: remove it"),
        }
    }
    Ok(())
}
