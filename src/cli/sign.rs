//! `plasmagen sign`.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{ArgGroup, Args, ValueHint};
use time::{Duration, OffsetDateTime};

use crate::model::Cluster;
use crate::publish::{SignOutcome, SigningKey, sign_bundle, sign_manifest, sign_site};
use crate::sign::CmsSigner;

use super::REFUSED;
use super::boot_signer::SignerOptions;
use super::inventory::{InventoryOption, is_half_written, read_checked, root_of};
use super::printer::Printer;
use super::progress::ByteProgress;
use super::publish::{is_stale, size_of};

/// Sign what machines boot, for iPXE to verify (`verify = "signature"`)
///
/// The signatures of a bundle's kernel, initrd and script are written into the bundle. Those of the scripts and overlays of
/// the rendered site are written into a directory for `plasmagen publish --signatures`. Each is a detached CMS signature
/// with the certificates of the signer and of the CA. Signatures that still verify are kept. --ssh-key signs the manifests
/// of the bundles, for `plasmagen verify --signers`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("keys").args(["key", "ssh_key"]).required(true).multiple(true))]
pub(super) struct SignArgs {
    /// Directories that `plasmagen bundle` wrote
    #[arg(value_name = "BUNDLE", value_hint = ValueHint::DirPath)]
    bundles: Vec<PathBuf>,
    #[command(flatten)]
    signer: SignerOptions,
    /// Sign the manifests of the bundles with this SSH key: a private key, or the .pub file of a key that ssh-agent holds
    #[arg(long, value_name = "KEY", requires = "bundles", value_hint = ValueHint::FilePath)]
    ssh_key: Option<PathBuf>,
    /// Sign this site/ instead of the one beside the inventory
    #[arg(long, value_name = "DIR", requires = "key", value_hint = ValueHint::DirPath, conflicts_with = "no_site")]
    site: Option<PathBuf>,
    /// Sign no site, only bundles
    #[arg(long, requires = "bundles")]
    no_site: bool,
    /// The directory for the signatures of the site's files [default: `signatures` beside site/]
    #[arg(long, value_name = "DIR", requires = "key", value_hint = ValueHint::DirPath, conflicts_with = "no_site")]
    to: Option<PathBuf>,
    #[command(flatten)]
    inventory: InventoryOption,
}

impl SignArgs {
    pub(super) fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        let ssh_key = self.ssh_key.as_deref().map(SigningKey::open).transpose()?;
        if self.signer.has_key() {
            let Some(inventory) = self.read_inventory(printer)? else { return Ok(REFUSED) };
            let files = self.signer.find(&inventory.root, inventory.cluster.as_ref())?;
            self.signer.warn_of_place(printer, &inventory.root);
            let signer = files.context("name the key with --key")?.open(OffsetDateTime::now_utc())?;
            warn_of_end(printer, &signer);
            if !self.no_site && self.site.is_none() && is_site_stale(&inventory)? {
                return Ok(REFUSED);
            }
            self.sign(printer, &signer, &inventory)?;
        }
        for bundle in ssh_key.iter().flat_map(|_| &self.bundles) {
            if let Some(key) = &ssh_key {
                print_outcome(printer, &bundle.join("manifest.json"), sign_manifest(bundle, key)?);
            }
        }
        Ok(super::DONE)
    }

    /// Reads the inventory where something depends on it; none where the inventory is refused, which has been printed.
    fn read_inventory(&self, printer: &Printer) -> anyhow::Result<Option<NamedInventory>> {
        let is_needed = !self.signer.names_certificate() || !self.no_site && self.site.is_none();
        if !is_needed && !self.inventory.is_named() {
            return Ok(Some(NamedInventory::default()));
        }
        let path = self.inventory.find()?;
        let cluster = read_checked(printer, &path)?.cluster;
        Ok(cluster.map(|cluster| NamedInventory { root: root_of(&path).to_owned(), cluster: Some(cluster) }))
    }

    /// Signs the site, and then the bundles; says what was signed also where a later one fails.
    fn sign(&self, printer: &Printer, signer: &CmsSigner, inventory: &NamedInventory) -> anyhow::Result<()> {
        let bytes = self.bundles.iter().map(|bundle| size_of(bundle)).sum();
        let progress = ByteProgress::bytes(printer, "sign", bytes);
        let mut outcomes = Vec::new();
        let mut sign = || {
            if !self.no_site {
                let site = self.site.clone().unwrap_or_else(|| inventory.root.join("site"));
                let to = self.to.clone().unwrap_or_else(|| site.with_file_name("signatures"));
                outcomes.push((to.clone(), sign_site(&site, &to, signer, &|bytes| progress.add(bytes))?));
            }
            for bundle in &self.bundles {
                outcomes.push((bundle.clone(), sign_bundle(bundle, signer, &|bytes| progress.add(bytes))?));
            }
            Ok(())
        };
        let signed = sign();
        drop(progress);
        for (path, outcome) in outcomes {
            print_outcome(printer, &path, outcome);
        }
        signed
    }
}

/// How long before the end of a certificate the operator is warned: as long as a publication is valid by default.
const NOTICE: Duration = Duration::days(90);

/// Warns of certificates that end soon.
fn warn_of_end(printer: &Printer, signer: &CmsSigner) {
    let end = signer.certificate().end();
    if end - OffsetDateTime::now_utc() < NOTICE {
        printer.say(&format!(
            "warning: machines accept these signatures until {}, the end of a certificate: issue another before \
             (docs/bundles.md), and sign again",
            end.date()
        ));
    }
}

/// The inventory with its directory; neither where nothing depends on it.
#[derive(Default)]
struct NamedInventory {
    root: PathBuf,
    cluster: Option<Cluster>,
}

/// Whether the site beside the inventory is not what render would write, which has been printed.
fn is_site_stale(inventory: &NamedInventory) -> anyhow::Result<bool> {
    let Some(cluster) = &inventory.cluster else { return Ok(false) };
    Ok(is_half_written(&inventory.root)? || is_stale(&inventory.root, cluster)?)
}

fn print_outcome(printer: &Printer, path: &Path, outcome: SignOutcome) {
    let SignOutcome { signed, kept, removed } = outcome;
    let removed = if removed == 0 { String::new() } else { format!(", {removed} removed") };
    printer.say(&format!("{}: {signed} signed, {kept} kept{removed}", path.display()));
}
