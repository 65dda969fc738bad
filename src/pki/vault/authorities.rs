//! The CAs in a vault: `ca-1`, and further generations, each a directory with certificate and key.

use anyhow::{Context, bail};

use super::entries::VaultEntry;
use super::files::PrivateDir;
use super::site::SITE;
use crate::pki::issue::CaIssuer;
use crate::pki::read::PublicCert;

pub(super) const CA_CERT: &str = "ca-cert.pem";
pub(super) const CA_KEY: &str = "ca-key.pem";

/// Names the directory of the CA of `generation`.
pub(super) fn name_directory(generation: u32) -> String {
    format!("ca-{generation}")
}

/// Parses the name of the directory of a CA, as [`name_directory`] makes it.
pub(super) fn parse_generation(name: &str) -> Option<u32> {
    // `ca-01` and `ca-+1` would be taken for `ca-1`.
    name.strip_prefix("ca-")?.parse().ok().filter(|generation| name_directory(*generation) == name)
}

/// The entry for a CA, with the directory of the site that the CA was made for, if there is one.
pub(super) fn make_entry<'a>(generation: u32, ca: &'a CaIssuer, site: Option<&'a str>) -> VaultEntry<'a> {
    let mut files = vec![(CA_CERT.to_owned(), ca.cert_pem()), (CA_KEY.to_owned(), ca.key().expose())];
    files.extend(site.map(|site| (SITE.to_owned(), site)));
    VaultEntry { name: name_directory(generation), files, replaces: false }
}

/// Reads the CA of the highest generation in the vault `root`; returns the generation and the CA, or none where there is
/// no CA.
pub(super) fn read_newest(root: &PrivateDir) -> anyhow::Result<Option<(u32, CaIssuer)>> {
    let generation = root.list()?.iter().filter_map(|name| parse_generation(name)).max();
    let Some(generation) = generation else { return Ok(None) };
    Ok(Some((generation, read(root, &name_directory(generation))?)))
}

/// Reads the CA in the vault `root` that has the public key of `certificate`.
pub(super) fn find(root: &PrivateDir, certificate: &PublicCert) -> anyhow::Result<Option<CaIssuer>> {
    let found = list_certificates(root)?.into_iter().find(|(_, ca)| ca.public_key == certificate.public_key);
    found.map(|(name, _)| read(root, &name)).transpose()
}

/// Reads the CA in the directory `name` of the vault `root`.
fn read(root: &PrivateDir, name: &str) -> anyhow::Result<CaIssuer> {
    let shown = root.path.join(name);
    let (mut certificate, mut key) = (None, None);
    if let Some(dir) = root.open_dir(name)? {
        certificate = dir.read(CA_CERT)?.map(|pem| pem.to_string());
        key = dir.read_key(CA_KEY)?;
    }
    let (Some(certificate), Some(key)) = (certificate, key) else {
        bail!(
            "the vault has half a CA: {} needs both {CA_CERT} and {CA_KEY}. Restore it from a backup, plasmagen vault \
             restore FILE --vault DIR, into a new directory: a new CA would be unknown to every machine that trusts this one",
            shown.display()
        );
    };
    CaIssuer::load(certificate, key).with_context(|| format!("could not use the CA in {}", shown.display()))
}

/// Reads the certificates of the CAs of all generations in the vault `root`.
pub(super) fn read_certificates(root: &PrivateDir) -> anyhow::Result<Vec<PublicCert>> {
    Ok(list_certificates(root)?.into_iter().map(|(_, certificate)| certificate).collect())
}

/// Lists the directories of CAs in the vault `root`, each with the certificate in it.
fn list_certificates(root: &PrivateDir) -> anyhow::Result<Vec<(String, PublicCert)>> {
    let read = |name: String| {
        let certificate = || {
            let Some(dir) = root.open_dir(&name)? else { return Ok(None) };
            dir.read(CA_CERT)?.map(|pem| PublicCert::from_pem(&pem)).transpose()
        };
        let shown = root.path.join(&name);
        let certificate =
            certificate().with_context(|| format!("could not use the CA in {}", shown.display()));
        Ok(certificate?.map(|certificate| (name, certificate)))
    };
    let names = root.list()?;
    names
        .into_iter()
        .filter(|name| parse_generation(name).is_some())
        .map(read)
        .filter_map(Result::transpose)
        .collect()
}
