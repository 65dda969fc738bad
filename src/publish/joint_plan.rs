//! Plans the joint site of the clusters that share a web root, from a site of each. The same sites give the same bytes, so that
//! verify can tell whether a joint site is that of its parts.

use std::collections::BTreeMap;

use anyhow::{Result, anyhow};

use super::contents::{Contents, ExpectedFile};
use super::fault::{Fault, Refused};
use super::joint::{CLUSTERS, SiteIds, path_of_site, print_sites};
use super::site::{print_manifest, read_part};
use crate::fs::{Dir, Sha256Sum};
use crate::image::MANIFEST;

/// The site of a cluster that is to be joined with others.
pub(super) struct JointPart {
    /// Name of the cluster.
    pub(super) cluster: String,
    /// Id of the generation.
    pub(super) id: Sha256Sum,
    pub(super) dir: Dir,
    pub(super) contents: Contents,
}

/// A joint site that is not written yet.
pub(super) struct JointPlan {
    /// Digest of the manifest, which is the id.
    pub(super) id: Sha256Sum,
    pub(super) manifest: Vec<u8>,
    /// The text of [`CLUSTERS`].
    pub(super) clusters: Vec<u8>,
    /// The files that each part contributes.
    pub(super) files: Vec<Contents>,
}

impl JointPart {
    /// Reads the site `id` of `cluster` in `dir`.
    ///
    /// # Errors
    /// [`Refused`] when it is damaged.
    pub(super) fn read(cluster: &str, id: Sha256Sum, dir: Dir) -> Result<Self> {
        let mut faults = Vec::new();
        let prefix = format!("{}/{id}/", path_of_site(cluster));
        let contents = read_part(&dir, &prefix, &mut faults)?.filter(|contents| contents.manifest == id);
        match contents {
            Some(contents) if faults.is_empty() => {
                Ok(Self { cluster: cluster.to_owned(), id, dir, contents })
            }
            _ => Err(damaged(cluster, faults)),
        }
    }
}

/// The refusal of a publication, since the site of `cluster` has `faults`.
pub(super) fn damaged(cluster: &str, faults: Vec<Fault>) -> anyhow::Error {
    let message = format!(
        "the site of the cluster {cluster}, which shares this web root, is damaged, and nothing was changed: publish that site \
         again. Where the sites of several clusters are damaged, publish one of the others with --replace-cluster {cluster}, and \
         then that of {cluster} with --add-cluster"
    );
    if faults.is_empty() { anyhow!(message) } else { Refused::new(message, faults).into() }
}

impl JointPlan {
    /// Plans the joint site of `parts`. Of a file that several have, such as `boot.ipxe`, that of the cluster `boot` counts, and else
    /// that of the first one by name.
    pub(super) fn of(parts: &[JointPart], boot: Option<&str>) -> Result<Self> {
        let mut all = BTreeMap::<&str, &ExpectedFile>::new();
        let mut ordered: Vec<_> = parts.iter().enumerate().collect();
        ordered.sort_by_key(|(_, part)| (boot != Some(part.cluster.as_str()), part.cluster.as_str()));
        let empty = |part: &JointPart| Contents { expected: Vec::new(), ..part.contents.clone() };
        let mut files: Vec<_> = parts.iter().map(empty).collect();
        for (index, part) in ordered {
            for file in part.contents.expected.iter().filter(|file| file.path != MANIFEST) {
                // The signature of another content would not fit.
                let signed = file.path.strip_suffix(".sig").and_then(|path| all.get(path));
                let fits = signed.is_none_or(|signed| {
                    part.contents
                        .expected
                        .iter()
                        .any(|file| file.path == signed.path && file.sha256 == signed.sha256)
                });
                if fits && !all.contains_key(file.path.as_str()) {
                    all.insert(&file.path, file);
                    files[index].expected.push(file.clone());
                }
            }
        }
        let sites: SiteIds = parts.iter().map(|part| (part.cluster.clone(), part.id)).collect();
        let clusters = print_sites(&sites, boot)?;
        let list = ExpectedFile { path: CLUSTERS.to_owned(), bytes: None, sha256: Sha256Sum::of(&clusters) };
        all.insert(CLUSTERS, &list);
        let manifest = print_manifest(all.into_values())?;
        Ok(Self { id: Sha256Sum::of(&manifest), manifest, clusters, files })
    }

    /// Lists the topmost names of the site, to which the web root gets links.
    pub(super) fn top_names(&self) -> Vec<String> {
        let files = self.files.iter().flat_map(|contents| &contents.expected);
        let mut names: Vec<_> =
            files.map(|file| file.path.split('/').next().unwrap_or_default().to_owned()).collect();
        names.sort();
        names.dedup();
        names
    }
}
