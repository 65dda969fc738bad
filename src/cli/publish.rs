//! `plasmagen publish`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, ValueHint};
use time::{Duration, OffsetDateTime};

use crate::image::{BundleManifest, MANIFEST};
use crate::model::{Cluster, Seconds, Verify, Word};
use crate::plan::{self, Plan};
use crate::publish::{self, Installed, Lock, Outcome, Request, install, needed, rollback};
use crate::{outputs, write};

use super::output::{Output, plural};
use super::progress::Progress;
use super::web_root::WebRoot;
use super::{DONE, REFUSED, UNCONFIRMED, root_of};

/// Put bundles and the rendered site into the web root: all of it at once, or nothing
///
/// Each bundle goes to nixos/PROFILE/ID, what render wrote to site/www to site/ID, and the links `current` are switched
/// when everything is there, checked and durable. The generation before stays for machines that are halfway through it.
#[derive(Debug, Args)]
pub(super) struct Publish {
    /// Bundles that plasmagen bundle made, each for another profile
    #[arg(value_name = "BUNDLE", value_hint = ValueHint::DirPath)]
    bundles: Vec<PathBuf>,
    #[command(flatten)]
    root: WebRoot,
    /// Publish this site/ instead of the one beside the inventory
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, conflicts_with = "no_site")]
    site: Option<PathBuf>,
    /// Publish no site, only bundles
    #[arg(long, requires = "bundles")]
    no_site: bool,
    /// Take signatures of the site's files from this directory, which mirrors site/www: ipxe/boot.ipxe.sig and so on
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, conflicts_with = "no_site")]
    signatures: Option<PathBuf>,
    /// Take builds of iPXE from this directory, also instead of such as are in tftp/ already
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    ipxe: Option<PathBuf>,
    /// How many generations stay beside the current one
    #[arg(long, value_name = "N", default_value = "1")]
    keep: usize,
    /// How long it may be booted: a number with s, m, h or d
    #[arg(long, value_name = "TIME", default_value = "90d", value_parser = life)]
    expires_in: Duration,
    /// Go back to the generation before, with a new number
    #[arg(long, value_name = "PROFILE", conflicts_with_all = ["bundles", "site", "no_site", "signatures", "ipxe", "keep"])]
    rollback: Option<String>,
}

fn life(text: &str) -> Result<Duration, String> {
    Seconds::parse(text)
        .map(|seconds| Duration::seconds(seconds.get().into()))
        .map_err(|why| format!("{}: {}", why.message, why.help))
}

impl Publish {
    pub(super) fn run(&self, output: &Output) -> anyhow::Result<u8> {
        let own_site = self.rollback.is_none() && !self.no_site && self.site.is_none();
        let mut cluster = None;
        if own_site || !self.root.is_named() {
            cluster = self.root.cluster(output)?;
            if cluster.is_none() {
                return Ok(REFUSED);
            }
        }
        let root = self.root.path(cluster.as_ref())?;
        let beside = root_of(&self.root.inventory);
        if let Some(cluster) = cluster.as_ref().filter(|_| own_site)
            && is_stale(output, beside, cluster)?
        {
            return Ok(REFUSED);
        }
        if let Some(cluster) = &cluster {
            self.compare(output, cluster);
        }
        let site = own_site.then(|| beside.join("site")).or_else(|| self.site.clone());
        let lock = Lock::acquire(&root)?;
        let now = OffsetDateTime::now_utc();
        let outcome = match &self.rollback {
            Some(profile) => rollback(&lock, profile, now, self.expires_in)?,
            None => {
                self.loaders(output, &lock, cluster.as_ref())?;
                let bytes = self.bundles.iter().chain(&site).map(|path| size_of(path)).sum();
                let progress = Progress::bytes(output, "publish", bytes);
                let request = Request {
                    bundles: &self.bundles,
                    site: site.as_deref(),
                    signatures: self.signatures.as_deref(),
                    signed: cluster.as_ref().is_some_and(|own| own.boot.verify == Verify::Signature),
                    keep: self.keep,
                    now,
                    life: self.expires_in,
                };
                publish::publish(&lock, &request, &|bytes| progress.add(bytes))?
            }
        };
        Ok(report(output, &root, &outcome))
    }

    /// Says which bundles fit no node, and which nodes no bundle.
    fn compare(&self, output: &Output, cluster: &Cluster) {
        let read = |path: &PathBuf| BundleManifest::parse(&fs::read(path.join(MANIFEST)).ok()?).ok();
        for manifest in self.bundles.iter().filter_map(read) {
            let nodes = || cluster.nodes.iter().filter(|node| node.base.as_str() == manifest.profile);
            if nodes().next().is_none() {
                output.say(&format!("warning: no node boots the bundle for {}", manifest.profile));
            }
            let others: Vec<_> = nodes().filter(|node| node.system != manifest.arch).collect();
            if let Some(first) = others.first() {
                output.say(&format!(
                    "warning: the bundle for {} is for {}, and {} ({}) can't boot it",
                    manifest.profile,
                    manifest.arch.as_str(),
                    plural(others.len(), "node"),
                    first.name
                ));
            }
        }
    }

    /// Installs builds of iPXE, and says which are missing.
    fn loaders(&self, output: &Output, lock: &Lock, cluster: Option<&Cluster>) -> anyhow::Result<()> {
        let (installed, lacking) = install(lock, self.ipxe.as_deref())?;
        for (file, how) in installed {
            match how {
                Installed::Copied(from) => output.say(&format!("tftp/{file} is {}", from.display())),
                Installed::Kept => {
                    output.say(&format!("tftp/{file} is your own, and stays (--ipxe replaces it)"));
                }
                Installed::Same => {}
            }
        }
        let needed = cluster.map(needed);
        for own in lacking {
            let nodes = needed.as_ref().map(|needed| needed.get(own.file));
            let who = match nodes {
                Some(None) => continue,
                Some(Some(nodes)) => {
                    format!(", without which {} can't boot", plural(nodes.len(), "node"))
                }
                None => String::new(),
            };
            output.say(&format!(
                "warning: there is no tftp/{}{who}: install {}, or name a directory with --ipxe",
                own.file, own.package
            ));
        }
        Ok(())
    }
}

/// Whether site/www is not what the inventory says; then says so.
fn is_stale(output: &Output, beside: &Path, cluster: &Cluster) -> anyhow::Result<bool> {
    let certificates = plan::gather(beside, cluster)?;
    let artifacts = outputs::render(&Plan {
        cluster: cluster.clone(),
        certificates,
        zones: plan::gather_zones(beside)?,
    })?;
    let changes = write::check(beside, &artifacts).context("could not compare site/ with the inventory")?;
    let stale = changes.iter().filter(|change| change.path.starts_with("site/www/")).count();
    if stale > 0 {
        let files = plural(stale, "file");
        output.say(&format!("stale: {files} in site/www would change: run plasmagen render, or name --site"));
    }
    Ok(stale > 0)
}

/// The bytes of all files in `dir`, for the progress bar.
pub(super) fn size_of(dir: &Path) -> u64 {
    let files = walkdir::WalkDir::new(dir).into_iter().filter_map(Result::ok);
    files.filter_map(|entry| entry.metadata().ok()).filter(fs::Metadata::is_file).map(|own| own.len()).sum()
}

fn report(output: &Output, root: &Path, outcome: &Outcome) -> u8 {
    for own in &outcome.published {
        let what = match own.before {
            Some(before) if before == own.id => "unchanged".to_owned(),
            Some(before) => format!("before: {:.12}", before.to_string()),
            None => "the first".to_owned(),
        };
        output.say(&format!(
            "{}/{}: generation {} is {:.12} ({what}), until {}",
            root.display(),
            own.line,
            own.publication.generation,
            own.id.to_string(),
            own.publication.expires.date()
        ));
    }
    if !outcome.removed.is_empty() {
        output.say(&format!("removed {}", plural(outcome.removed.len(), "old generation")));
    }
    match &outcome.unconfirmed {
        None => DONE,
        Some(error) => {
            output.error(&anyhow::anyhow!("it is published, but may not outlast a power cut: {error:#}"));
            UNCONFIRMED
        }
    }
}
