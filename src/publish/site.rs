//! Reads a site: `site/www` as `plasmagen render` wrote it, with the digests of `site/manifest.json`, or a published
//! generation of it.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use super::channel::Channel;
use super::contents::{Contents, ExpectedFile};
use super::fault::{Fault, FaultKind};
use super::joint::{CLUSTERS, path_of_site, read_served_sites};
use super::publication::PUBLICATION;
use super::root::{ARMED, NIXOS, SITE, SITES, TFTP, WebRoot, open_named};
use super::signatures::{find_signatures, is_fetched, unsigned_fault};
use crate::artifact::ArtifactPath;
use crate::fs::{Dir, LIST_LIMIT, Sha256Sum, TEXT_LIMIT};
use crate::image::MANIFEST;
use crate::model::{Label, Word};
use crate::write::manifest::{ManifestEntry, TreeManifest, print};

/// The directory in `site/` that is published.
const WWW: &str = "www";

/// The resolved inventory beside that directory, which says of which cluster the site is.
const INVENTORY: &str = "inventory.json";

/// The script that says what machines verify.
pub(super) const BOOT: &str = "ipxe/boot.ipxe";

/// The directory of the nodes' scripts in a site.
pub(super) const SCRIPTS: &str = "ipxe/node";

/// The directory of the nodes' overlays in a site.
const OVERLAYS: &str = "overlay";

/// A site as render wrote it.
#[derive(Debug)]
pub(super) struct RenderedSite {
    /// The directory `site/www`.
    pub(super) dir: Dir,
    pub(super) contents: Contents,
    /// The directory of signatures, and the signatures that are published from there.
    pub(super) signatures: Option<(Dir, Contents)>,
    /// The text of the manifest that is published with the site.
    pub(super) manifest: Vec<u8>,
    /// Name of the site's cluster, from `inventory.json`; none in a site without that file.
    pub(super) cluster: Option<String>,
}

impl RenderedSite {
    /// Opens the directory `path`, which render has written, and the directory of signatures of the site's files.
    pub(super) fn open(path: &Path, signatures: Option<&Path>) -> Result<Self> {
        let site = open_named(path)?;
        let manifest = path.join(MANIFEST);
        let manifest = manifest.display();
        let text = site
            .read_limited(MANIFEST, LIST_LIMIT)
            .with_context(|| format!("could not read {manifest}: plasmagen render writes it"))?;
        let tree = TreeManifest::parse(&text).with_context(|| format!("could not read {manifest}"))?;
        let of_www = |(path, sha256): (&str, Sha256Sum)| {
            Some((path.strip_prefix(WWW)?.strip_prefix('/')?.to_owned(), sha256))
        };
        let files: Vec<_> = tree.files().filter_map(of_www).collect();
        let cluster = read_cluster(&site, &tree).with_context(|| {
            format!("could not read {}: run plasmagen render", path.join(INVENTORY).display())
        })?;
        ensure!(!files.is_empty(), "{} has nothing for the web: run plasmagen render", path.display());
        for (path, _) in &files {
            ArtifactPath::new(path.as_str())?;
            let top = path.split('/').next().unwrap_or_default();
            let is_reserved = [NIXOS, SITE, SITES, ARMED, TFTP, MANIFEST, PUBLICATION, CLUSTERS]
                .contains(&top)
                || top.starts_with('.');
            ensure!(!is_reserved, "www/{path} would have the name of plasmagen's own {top}");
        }
        let paths: BTreeSet<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
        let signatures = signatures.map(|dir| find_signatures(dir, &paths)).transpose()?;
        let expected: Vec<_> =
            files.into_iter().map(|(path, sha256)| ExpectedFile { path, bytes: None, sha256 }).collect();
        let manifest = print_manifest(expected.iter().chain(signatures.iter().flat_map(|(_, files)| files)))?;
        let id = Sha256Sum::of(&manifest);
        let contents = |expected| Contents { expected, signatures: Vec::new(), manifest: id };
        let signatures = signatures.map(|(dir, files)| (dir, contents(files)));
        let dir = open_named(&path.join(WWW))?;
        Ok(Self { dir, contents: contents(expected), signatures, manifest, cluster })
    }

    /// Lists everything that is published: the site's files and their signatures.
    pub(super) fn published_contents(&self) -> Contents {
        let mut all = self.contents.clone();
        all.expected.extend(self.signatures.iter().flat_map(|(_, signatures)| signatures.expected.clone()));
        all
    }

    /// Whether the machines of this site boot only signed files.
    pub(super) fn asks_for_signatures(&self) -> bool {
        asks_for_signatures(&self.dir)
    }

    /// The fault that files are unsigned which machines fetch: scripts and overlays.
    pub(super) fn unsigned_fault(&self) -> Option<Fault> {
        find_unsigned(&self.published_contents().expected)
    }

    /// The id of the generation: the digest of its manifest.
    pub(super) fn id(&self) -> Sha256Sum {
        self.contents.manifest
    }

    /// Lists the topmost names of the site, to which the web root gets links.
    pub(super) fn top_names(&self) -> Vec<String> {
        let top = |file: &ExpectedFile| file.path.split('/').next().unwrap_or_default().to_owned();
        let mut names: Vec<_> = self.contents.expected.iter().map(top).collect();
        names.dedup();
        names
    }
}

/// Reads the name of the cluster from the resolved inventory in `site`, which must be as render wrote it.
fn read_cluster(site: &Dir, tree: &TreeManifest) -> Result<Option<String>> {
    #[derive(Deserialize)]
    struct Inventory {
        name: String,
    }
    let Some((sha256, _)) = tree.get(INVENTORY) else { return Ok(None) };
    let text = site.read_limited(INVENTORY, LIST_LIMIT)?;
    ensure!(Sha256Sum::of(&text) == sha256, "it is not as plasmagen render left it");
    let Inventory { name } = serde_json::from_slice(&text).context("it is no resolved inventory")?;
    ensure!(Label::parse(&name).is_ok(), "its cluster has no legal name");
    Ok(Some(name))
}

/// Whether the machines of the published site boot only signed files.
pub(super) fn published_asks_for_signatures(root: &WebRoot) -> Result<bool> {
    let Some(channel) = Channel::open(root, SITE)? else { return Ok(false) };
    // verify reports a link that leads nowhere.
    let current = channel.current().ok().flatten();
    Ok(current.is_some_and(|id| script_asks_for_signatures(&channel.dir, &format!("{id}/{BOOT}"))))
}

/// Whether the machines of the site in `dir` boot only signed files.
pub(super) fn asks_for_signatures(dir: &Dir) -> bool {
    script_asks_for_signatures(dir, BOOT)
}

/// The fault that some of the `files` of a site are unsigned which machines fetch: scripts and overlays.
pub(super) fn find_unsigned(files: &[ExpectedFile]) -> Option<Fault> {
    let paths = || files.iter().map(|file| file.path.as_str());
    let signed: BTreeSet<&str> = paths().filter_map(|path| path.strip_suffix(".sig")).collect();
    let is_unsigned = |path: &&str| is_fetched(path) && !path.ends_with(".sig") && !signed.contains(path);
    unsigned_fault(paths().filter(is_unsigned))
}

fn script_asks_for_signatures(dir: &Dir, script: &str) -> bool {
    let asks = |text: Vec<u8>| text.split(|byte| *byte == b'\n').any(|line| line == b"set verify signature");
    dir.read_limited(script, TEXT_LIMIT).is_ok_and(asks)
}

/// Prints the manifest of `files`, sorted by path.
pub(super) fn print_manifest<'a>(files: impl Iterator<Item = &'a ExpectedFile>) -> Result<Vec<u8>> {
    let mut files: Vec<_> = files.collect();
    files.sort_by_key(|file| file.path.as_str());
    print(files.into_iter().map(|file| ManifestEntry {
        path: file.path.as_str().into(),
        sha256: file.sha256,
        executable: false,
    }))
}

/// Reads the manifest of a published site in `dir`. Messages have `prefix` before each path.
pub(super) fn read_published(dir: &Dir, prefix: &str, faults: &mut Vec<Fault>) -> Result<Option<Contents>> {
    let mut fault =
        |kind, message: String| faults.push(Fault::new(kind, format!("{prefix}{MANIFEST}"), message));
    if !dir.exists(MANIFEST)? {
        fault(FaultKind::Missing, "without a list of its files it is no site".to_owned());
        return Ok(None);
    }
    match dir.read_limited(MANIFEST, LIST_LIMIT).map_err(Into::into).and_then(|text| parse_published(&text)) {
        Ok(contents) => {
            contents.report_extra(dir, prefix, faults)?;
            Ok(Some(contents))
        }
        Err(error) => {
            fault(FaultKind::Changed, format!("{error:#}"));
            Ok(None)
        }
    }
}

/// Reads the manifest of the published site of a cluster that shares a web root, as [`read_published`] does. A list of clusters
/// would make a joint site of that, for which other sites vouch.
pub(super) fn read_part(dir: &Dir, prefix: &str, faults: &mut Vec<Fault>) -> Result<Option<Contents>> {
    let contents = read_published(dir, prefix, faults)?;
    if contents.iter().any(|contents| contents.expected.iter().any(|file| file.path == CLUSTERS)) {
        let message = "the site of a single cluster has no such file: publish that site again";
        faults.push(Fault::new(FaultKind::Swapped, format!("{prefix}{CLUSTERS}"), message));
    }
    Ok(contents)
}

/// Lists the contents of a published site from the text of its manifest.
pub(super) fn parse_published(text: &[u8]) -> Result<Contents> {
    let manifest = Sha256Sum::of(text);
    let mut expected = Vec::new();
    for (path, sha256) in TreeManifest::parse(text)?.files() {
        if path == MANIFEST || path == PUBLICATION {
            bail!("it lists {path}");
        }
        ArtifactPath::new(path)?;
        expected.push(ExpectedFile { path: path.to_owned(), bytes: None, sha256 });
    }
    expected.push(ExpectedFile { path: MANIFEST.to_owned(), bytes: None, sha256: manifest });
    Ok(Contents { expected, signatures: Vec::new(), manifest })
}

/// The path of a node's script in a site; `mac` has hyphens.
pub(super) fn path_of_script(mac: &str) -> String {
    format!("{SCRIPTS}/{mac}.ipxe")
}

/// The path of a node's overlay in a site; `mac` has hyphens.
pub(super) fn path_of_overlay(mac: &str) -> String {
    format!("{OVERLAYS}/{mac}.cpio.gz")
}

/// Finds the MAC address, with hyphens, of the machine that the file at `path` of a site is for; none for a file that all machines
/// share.
pub(super) fn find_mac(path: &str) -> Option<&str> {
    let name = [SCRIPTS, OVERLAYS].iter().find_map(|dir| path.strip_prefix(dir)?.strip_prefix('/'))?;
    Some(name.split_once('.').map_or(name, |(mac, _)| mac))
}

/// Finds the channel of the site that has the script of the MAC address `mac`, which has hyphens, where several clusters share
/// `root`.
pub(super) fn find_site_of(root: &WebRoot, mac: &str) -> Option<Channel> {
    // verify reports what can't be read.
    let sites = read_served_sites(root).ok()??;
    sites.iter().find_map(|(cluster, id)| {
        let channel = Channel::open(root, &path_of_site(cluster)).ok()??;
        let has_script = channel.open_generation(*id).ok()?.exists(&path_of_script(mac)).ok()?;
        has_script.then_some(channel)
    })
}
