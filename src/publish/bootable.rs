//! Whether a machine finds everything that it boots once it is armed: the bundle of its image, and the site's files as the
//! inventory renders them now.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use time::OffsetDateTime;

use super::bundle::{Bundle, read_bundle};
use super::channel::Channel;
use super::compare::{ExpectedDir, compare};
use super::fault::{Fault, FaultKind};
use super::publication::Publication;
use super::root::{CURRENT, SITE, WebRoot};
use super::site::find_site_of;
use crate::artifact::{Artifact, ArtifactPath, ArtifactSet};
use crate::fs::{Dir, LIST_LIMIT, Progress, Sha256Sum};
use crate::model::{HostName, MacAddr, Node, SerialNumber, System};

/// Where render writes what publish copies into the web root.
const WWW: &str = "site/www/";

/// A node that is to be armed.
#[derive(Clone, Debug)]
pub struct ArmTarget<'a> {
    /// Name of the node.
    pub node: &'a HostName,
    /// MAC addresses of the network cards that may boot.
    pub macs: Vec<MacAddr>,
    /// Name of the netboot image, which is that of the node's base and system.
    pub image: String,
    /// Architecture of the machine.
    pub system: System,
    /// Serial number of the machine in the inventory.
    pub serial: Option<&'a str>,
    /// The files of the site that the machine fetches, as the inventory renders them now: scripts and overlay.
    pub files: Vec<&'a Artifact>,
}

impl<'a> ArmTarget<'a> {
    /// The target for `node`, whose files are in the rendered site `site`.
    ///
    /// # Errors
    /// When the site lacks a file of the node: a bug in plasmagen.
    pub fn of(node: &'a Node, site: &'a ArtifactSet) -> Result<Self> {
        let macs = node.boot_macs();
        let find = |path: String| {
            let path = ArtifactPath::new(format!("{WWW}{path}"))?;
            site.get(&path).with_context(|| format!("no output writes {path}"))
        };
        let of_card = |mac: &MacAddr| {
            let mac = mac.hyphens();
            [format!("ipxe/node/{mac}.ipxe"), format!("overlay/{mac}.cpio.gz")]
        };
        let paths = ["ipxe/boot.ipxe".to_owned()].into_iter().chain(macs.iter().flat_map(of_card));
        let files = paths.map(find).collect::<Result<_>>()?;
        Ok(Self {
            node: &node.name,
            macs,
            image: node.image(),
            system: node.system,
            serial: node.serial.as_ref().map(SerialNumber::as_str),
            files,
        })
    }
}

/// The current generation of an image's bundles.
#[derive(Clone, Copy)]
pub(super) struct BootableBundle {
    pub(super) id: Sha256Sum,
    /// Number of the generation.
    pub(super) generation: u64,
    arch: System,
}

/// The search for reasons not to arm machines. Each bundle is looked at once.
pub(super) struct BootCheck<'a> {
    pub(super) root: &'a WebRoot,
    pub(super) now: OffsetDateTime,
    /// Whether the contents of the bundles' files are compared with their digests, too.
    pub(super) is_hashed: bool,
    pub(super) progress: Progress<'a>,
    pub(super) bundles: BTreeMap<String, Option<BootableBundle>>,
    /// Why machines must not be armed.
    pub(super) faults: Vec<Fault>,
}

impl BootCheck<'_> {
    /// Returns the bundle that the target would boot; none, and faults, where something is in the way.
    pub(super) fn check(&mut self, target: &ArmTarget<'_>) -> Result<Option<BootableBundle>> {
        let before = self.faults.len();
        let bundle = match self.bundles.get(&target.image) {
            Some(known) => *known,
            None => {
                let found = self.check_bundle(&target.image)?;
                self.bundles.insert(target.image.clone(), found);
                found
            }
        };
        if let Some(bundle) = bundle.as_ref().filter(|bundle| bundle.arch != target.system) {
            let (node, wanted, found) = (target.node, target.system.as_str(), bundle.arch.as_str());
            let path = format!("{}/{CURRENT}", Channel::path_of_image(&target.image));
            self.push(path, FaultKind::Swapped, format!("{node} is {wanted}, and the bundle is for {found}"));
        }
        self.check_site(target)?;
        Ok(bundle.filter(|_| self.faults.len() == before))
    }

    fn push(&mut self, path: String, kind: FaultKind, message: String) {
        self.faults.push(Fault::new(kind, path, message));
    }

    /// Checks the current bundle for `image`, and its files by manifest and size.
    fn check_bundle(&mut self, image: &str) -> Result<Option<BootableBundle>> {
        let path = Channel::path_of_image(image);
        let hint = format!("publish a bundle for {image} first: plasmagen publish BUNDLE");
        let Some(channel) = Channel::open(self.root, &path)? else {
            self.push(path, FaultKind::Missing, format!("no bundle is published: {hint}"));
            return Ok(None);
        };
        let current = channel.current_generation()?;
        let path = format!("{path}/{CURRENT}");
        let Some(generation) = current else {
            self.push(path, FaultKind::Missing, format!("it leads nowhere: {hint}"));
            return Ok(None);
        };
        let Some(publication) = generation.publication else {
            self.push(
                path,
                FaultKind::Missing,
                "its publication.json can't be read: publish it again".to_owned(),
            );
            return Ok(None);
        };
        if publication.is_expired(self.now) {
            self.push(path, FaultKind::Expired, expired(&publication));
            return Ok(None);
        }
        let prefix = format!("{path}/");
        let dir = channel.open_generation(generation.id)?;
        let found = read_bundle(&dir, &prefix, &mut self.faults)?;
        let Some(Bundle { manifest, contents }) = found else { return Ok(None) };
        if manifest.id != generation.id {
            self.push(path, FaultKind::Swapped, format!("it holds the bundle {}", manifest.id));
            return Ok(None);
        }
        let before = self.faults.len();
        for file in &contents.expected {
            let found = size_of(&dir, &file.path);
            let message = match (found, file.bytes) {
                (None, _) => "it can't be opened".to_owned(),
                (Some(found), Some(bytes)) if found != bytes => {
                    format!("it has {found} bytes instead of {bytes}")
                }
                _ => continue,
            };
            self.push(format!("{prefix}{}", file.path), FaultKind::Changed, message);
        }
        if self.is_hashed && self.faults.len() == before {
            self.faults.extend(compare(&[ExpectedDir { dir, prefix, contents }], self.progress)?);
        }
        Ok(Some(BootableBundle {
            id: generation.id,
            generation: publication.generation,
            arch: manifest.arch,
        }))
    }

    /// Checks that the published site has the target's files as the inventory renders them now.
    fn check_site(&mut self, target: &ArmTarget<'_>) -> Result<()> {
        let channel = Channel::open(self.root, SITE)?;
        let generation = channel.as_ref().map(Channel::current_generation).transpose()?.flatten();
        let path = format!("{SITE}/{CURRENT}");
        let (Some(channel), Some(generation)) = (channel, generation) else {
            let message = "no site is published, and machines would find no boot.ipxe: run plasmagen publish";
            self.push(path, FaultKind::Missing, message.to_owned());
            return Ok(());
        };
        let dir = channel.open_generation(generation.id)?;
        // A joint site expires with the last of its parts.
        let part = target.macs.first().and_then(|mac| find_site_of(self.root, &mac.hyphens()));
        let part = part.map(|channel| channel.current_generation()).transpose()?.flatten();
        let publication = part.map_or(generation.publication, |part| part.publication);
        if let Some(publication) = publication.filter(|publication| publication.is_expired(self.now)) {
            self.push(path.clone(), FaultKind::Expired, expired(&publication));
        }
        for artifact in &target.files {
            let name = artifact.path.as_str().strip_prefix(WWW).unwrap_or(artifact.path.as_str());
            let (kind, what) = match dir.read_limited(name, LIST_LIMIT) {
                Err(_) => (FaultKind::Missing, "the published site lacks this file"),
                Ok(body) if body != artifact.body => (FaultKind::Changed, "it differs from the file"),
                Ok(_) => continue,
            };
            let message = format!(
                "{what} that the inventory renders for {} now: run plasmagen render, then plasmagen publish",
                target.node
            );
            self.push(format!("{path}/{name}"), kind, message);
        }
        Ok(())
    }
}

fn expired(publication: &Publication) -> String {
    format!("it has expired on {}: publish it again", publication.expires.date())
}

/// The size of a regular file; none where there is no such file.
fn size_of(dir: &Dir, path: &str) -> Option<u64> {
    dir.open_regular(path).ok()?.metadata().ok().map(|meta| meta.len())
}
