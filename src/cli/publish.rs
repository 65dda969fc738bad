//! `plasmagen publish`.

mod outcome;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, ValueHint};
use clap_complete::ArgValueCandidates;
use time::{Duration, OffsetDateTime};

use crate::model::{BootVerification, Cluster, MacAddr};
use crate::pki::VaultUse;
use crate::plan::Plan;
use crate::publish::{
    ClusterNames, LoaderSource, PublicationTerms, PublishOutcome, PublishRequest, SigningKey, WebRootLock,
    publish, remove, remove_cluster, roll_back,
};
use crate::sign::SignerCertificate;
use crate::site;

use self::outcome::{print_finished, print_loaders, print_outcome, print_removal, warn_of_misfits};
use super::boot_signer::BootSignerOption;
use super::committed::read_examined_briefly;
use super::duration::parse_duration;
use super::inventory::is_half_written;
use super::printer::{Printer, plural};
use super::progress::ByteProgress;
use super::vault_option::VaultOption;
use super::web_root::WebRootOptions;
use super::{REFUSED, complete};

/// Copy bundles and the rendered site into the web root: all of them, or none
///
/// A bundle becomes nixos/IMAGE/ID: IMAGE is the name of the base, for 64-bit ARM with -aarch64. site/www beside the
/// inventory becomes site/ID. When everything is copied, checked and durable, the links `current` are switched. The previous
/// generation stays for machines that are still loading it.
#[derive(Debug, Args)]
pub(super) struct PublishArgs {
    /// Directories that `plasmagen bundle` wrote, each for another base or system
    #[arg(value_name = "BUNDLE", value_hint = ValueHint::DirPath)]
    bundles: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) root: WebRootOptions,
    #[command(flatten)]
    vault: VaultOption,
    /// Publish this site/ instead of the one beside the inventory
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, conflicts_with = "no_site")]
    site: Option<PathBuf>,
    /// Publish no site, only bundles
    #[arg(long, requires = "bundles")]
    no_site: bool,
    /// The directory with signatures of the site's files, laid out like site/www: ipxe/boot.ipxe.sig and so on
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, conflicts_with = "no_site")]
    signatures: Option<PathBuf>,
    /// The directory with builds of iPXE, which replace those in tftp/ of the web root
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, conflicts_with = "no_site")]
    ipxe: Option<PathBuf>,
    /// How many older generations to keep
    #[arg(long, value_name = "N", default_value = "1")]
    keep: usize,
    /// How long the new generation may be booted: a number with s, m, h or d
    #[arg(long, value_name = "TIME", default_value = "90d", value_parser = parse_duration)]
    expires_in: Duration,
    /// Sign the publication with this SSH key: a private key, or the .pub file of a key that ssh-agent holds
    #[arg(long, value_name = "KEY", value_hint = ValueHint::FilePath)]
    sign: Option<PathBuf>,
    #[command(flatten)]
    boot_signer: BootSignerOption,
    /// Take over the web root of this cluster, whose machines can no longer boot from it; `unnamed` for a cluster that no
    /// publication names
    #[arg(long, value_name = "CLUSTER")]
    replace_cluster: Option<String>,
    /// Let this cluster share the web root with those whose machines boot from it
    #[arg(long, conflicts_with_all = ["no_site", "replace_cluster", "rollback"])]
    add_cluster: bool,
    /// Publish a bundle also in the place of one that another cluster of this web root has published: nodes of both boot it; with
    /// --remove, remove bundles that nodes of another cluster boot
    #[arg(long)]
    replace_image: bool,
    /// Publish a boot.ipxe also where that of another cluster of this web root differs: the machines of all clusters run it
    #[arg(long, conflicts_with = "no_site")]
    replace_boot: bool,
    /// Publish even if an armed node boots another bundle, or loads another script or overlay, from now on than when it was
    /// armed
    #[arg(long)]
    yes: bool,
    /// Make the previous generation of IMAGE, or of the `site`, the current one again, under a new number
    #[arg(long, value_name = "IMAGE", add = ArgValueCandidates::new(complete::channels),
        conflicts_with_all = ["bundles", "site", "no_site", "signatures", "ipxe", "keep"])]
    rollback: Option<String>,
    /// Remove all bundles for IMAGE, which no armed node boots
    #[arg(long, value_name = "IMAGE", add = ArgValueCandidates::new(complete::images),
        conflicts_with_all = ["bundles", "site", "no_site", "signatures", "ipxe", "keep", "expires_in", "sign", "boot_signer", "replace_cluster", "add_cluster", "replace_boot", "yes", "rollback"])]
    remove: Option<String>,
    /// Take the cluster NAME, no node of which is armed, out of a web root that several clusters share
    #[arg(long, value_name = "NAME",
        conflicts_with_all = ["bundles", "site", "no_site", "signatures", "ipxe", "keep", "expires_in", "sign", "boot_signer", "replace_cluster", "add_cluster", "replace_image", "replace_boot", "yes", "rollback", "remove"])]
    remove_cluster: Option<String>,
}

impl PublishArgs {
    pub(super) fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        let is_new = self.rollback.is_none() && self.remove.is_none() && self.remove_cluster.is_none();
        let from_inventory = is_new && !self.no_site && self.site.is_none();
        let mut cluster = None;
        if from_inventory || !self.root.is_named() || self.root.inventory.is_named() {
            cluster = if from_inventory {
                let inventory = &self.root.inventory.find()?;
                read_examined_briefly(printer, inventory, &self.vault, VaultUse::Comparison)?.checked.cluster
            } else {
                self.root.cluster(printer)?
            };
            if cluster.is_none() {
                return Ok(REFUSED);
            }
        }
        let root = self.root.path(cluster.as_ref())?;
        let beside = if from_inventory { Some(self.root.inventory.find_root()?) } else { None };
        if let Some((beside, cluster)) = beside.as_ref().zip(cluster.as_ref())
            && (is_half_written(beside)? || is_stale(beside, cluster)?)
        {
            return Ok(REFUSED);
        }
        let site = beside.map(|dir| dir.join("site")).or_else(|| self.site.clone());
        let signing_key = self.sign.as_deref().map(SigningKey::open).transpose()?;
        let boot_signer = self.read_boot_signer(cluster.as_ref())?;
        let lock = WebRootLock::acquire(&root)?;
        let machines = list_macs(cluster.as_ref());
        let terms = PublicationTerms {
            cluster: cluster.as_ref().map(ClusterNames::of),
            machines: &machines,
            replaced_cluster: self.replace_cluster.as_deref(),
            may_add_cluster: self.add_cluster,
            may_replace_images: self.replace_image,
            may_replace_boot: self.replace_boot,
            signing_key: signing_key.as_ref(),
            boot_signer: boot_signer.as_ref(),
            may_change_armed: self.yes,
            now: OffsetDateTime::now_utc(),
            life: self.expires_in,
        };
        if let Some(image) = &self.remove {
            return Ok(print_removal(printer, &root, &remove(&lock, image, &terms)?));
        }
        if let Some(name) = &self.remove_cluster {
            let outcome = remove_cluster(&lock, name, &terms)?;
            printer.say(&format!(
                "{}: machines of the cluster {name} boot nothing from it any more",
                root.display()
            ));
            return Ok(print_outcome(printer, &root, &outcome));
        }
        let (outcome, finished) = match &self.rollback {
            Some(name) => roll_back(&lock, name, &terms)?,
            None => (self.publish(printer, &lock, site.as_deref(), cluster.as_ref(), terms)?, None),
        };
        cluster.iter().for_each(|cluster| warn_of_misfits(printer, &outcome, cluster));
        let status = print_outcome(printer, &root, &outcome);
        if let Some(finished) = finished {
            print_finished(printer, &outcome, finished);
        }
        Ok(status)
    }

    /// Reads the certificate of the signer whose signatures machines ask for; none where nothing is published.
    fn read_boot_signer(&self, cluster: Option<&Cluster>) -> anyhow::Result<Option<SignerCertificate>> {
        if self.remove.is_some() || self.remove_cluster.is_some() {
            return Ok(None);
        }
        let root = if cluster.is_some() { self.root.inventory.find_root()? } else { PathBuf::new() };
        self.boot_signer.read(&root, cluster)
    }

    /// Publishes the bundles, and `site` with builds of iPXE.
    fn publish(
        &self,
        printer: &Printer,
        lock: &WebRootLock,
        site: Option<&Path>,
        cluster: Option<&Cluster>,
        terms: PublicationTerms<'_>,
    ) -> anyhow::Result<PublishOutcome> {
        let bundles = self.bundles.iter().map(PathBuf::as_path);
        let bytes = bundles.chain(site).map(size_of).sum();
        let progress = ByteProgress::bytes(printer, "publish", bytes);
        let request = PublishRequest {
            bundles: &self.bundles,
            site,
            signatures: self.signatures.as_deref(),
            signed: cluster.is_some_and(|cluster| cluster.boot.verify == BootVerification::Signature),
            loaders: self.ipxe.as_deref().map_or(LoaderSource::Packages, LoaderSource::Dir),
            keep: self.keep,
            terms,
        };
        let outcome = publish(lock, &request, &|bytes| progress.add(bytes))?;
        drop(progress);
        print_loaders(printer, &outcome.loaders, cluster);
        Ok(outcome)
    }
}

/// Lists the MAC addresses of the nodes of `cluster`.
fn list_macs(cluster: Option<&Cluster>) -> Vec<MacAddr> {
    cluster.into_iter().flat_map(|cluster| &cluster.nodes).map(|node| node.mac).collect()
}

/// Whether site/www differs from what the inventory says, which is then printed, also with --quiet: it is the reason of the
/// exit status.
pub(super) fn is_stale(beside: &Path, cluster: &Cluster) -> anyhow::Result<bool> {
    let plan = Plan::gather(beside, cluster.clone())?;
    let changes = site::changes(beside, &plan).context("could not compare site/ with the inventory")?;
    let stale = changes.iter().filter(|change| change.path.starts_with("site/www/")).count();
    if stale > 0 {
        let files = plural(stale, "file");
        Printer::warn(&format!(
            "stale: {files} in site/www would change: run plasmagen render, or name --site"
        ));
    }
    Ok(stale > 0)
}

/// The size of all files in `dir`, in bytes, for the progress bar.
pub(super) fn size_of(dir: &Path) -> u64 {
    let files = walkdir::WalkDir::new(dir).into_iter().filter_map(Result::ok);
    files.filter_map(|entry| entry.metadata().ok()).filter(fs::Metadata::is_file).map(|file| file.len()).sum()
}
