//! The files that all machines of a web root share, such as `boot.ipxe`. Where the sites of its clusters have them with different
//! contents, those of one cluster count, which the joint site names.

use std::collections::BTreeMap;

use super::contents::{Contents, ExpectedFile};
use super::fault::{Fault, FaultKind};
use super::joint::path_of_site;
use super::joint_plan::JointPart;
use super::site::{asks_for_signatures, find_mac, find_unsigned};
use crate::fs::{LIST_LIMIT, Sha256Sum};
use crate::image::MANIFEST;

/// The choice of the cluster whose files count, for a joint site that is built.
#[derive(Clone, Copy)]
pub(super) struct BootChoice<'a> {
    /// Name of the cluster whose site is published; none where a cluster leaves.
    pub(super) publisher: Option<&'a str>,
    /// Whether the publisher's files count, whatever the others have.
    pub(super) may_replace: bool,
    /// The site that is served.
    pub(super) served: Option<&'a Contents>,
}

/// Whether all machines share the file at `path` of a site. Signatures of equal files may differ.
fn is_shared(file: &ExpectedFile) -> bool {
    file.path != MANIFEST && !file.path.ends_with(".sig") && find_mac(&file.path).is_none()
}

fn find_digest(contents: &Contents, path: &str) -> Option<Sha256Sum> {
    contents.expected.iter().find(|file| file.path == path).map(|file| file.sha256)
}

/// Lists the shared files that two of `parts` have with different contents.
fn list_differing(parts: &[JointPart]) -> Vec<&str> {
    let mut first = BTreeMap::<&str, (Sha256Sum, bool)>::new();
    for file in parts.iter().flat_map(|part| &part.contents.expected).filter(|file| is_shared(file)) {
        let (sha256, differs) = first.entry(&file.path).or_insert((file.sha256, false));
        *differs |= *sha256 != file.sha256;
    }
    first.into_iter().filter(|(_, (_, differs))| *differs).map(|(path, _)| path).collect()
}

impl BootChoice<'_> {
    /// Finds the cluster whose shared files count in the joint site of `parts`; none where the files are equal. Without consent, the
    /// publisher's files must be those that are served: nobody changes what another cluster's machines run without a question.
    ///
    /// # Errors
    /// The faults by which the publication is refused.
    pub(super) fn find_cluster(self, parts: &[JointPart]) -> Result<Option<String>, Vec<Fault>> {
        let differing = list_differing(parts);
        if differing.is_empty() {
            return Ok(None);
        }
        let is_publisher =
            |part: &&JointPart| self.publisher.is_none_or(|publisher| publisher == part.cluster);
        let is_served = |part: &&JointPart| {
            let same = |path: &&str| {
                self.served
                    .is_some_and(|served| find_digest(served, path) == find_digest(&part.contents, path))
            };
            differing.iter().all(same)
        };
        let has_consent = self.may_replace && self.publisher.is_some();
        let counts = |part: &&JointPart| is_publisher(part) && (has_consent || is_served(part));
        let Some(chosen) = parts.iter().find(counts) else {
            let one = parts.iter().find(is_publisher).or(parts.first());
            let mut others: Vec<_> = parts.iter().collect();
            others.sort_by_key(|part| !is_served(part));
            let report = |path: &&str| {
                let differs = |other: &&&JointPart| {
                    one.is_some_and(|one| {
                        find_digest(&one.contents, path) != find_digest(&other.contents, path)
                    })
                };
                one.zip(others.iter().find(differs))
                    .map(|(one, other)| explain_conflict(path, one, other, self.publisher.is_none()))
            };
            return Err(differing.iter().filter_map(report).collect());
        };
        let asks = has_consent && asks_for_signatures(&chosen.dir);
        let mut unsigned = Vec::new();
        for part in parts.iter().filter(|_| asks) {
            unsigned.extend(find_unsigned(&part.contents.expected).map(|fault| {
                let path = format!("{}/{}/{}", path_of_site(&part.cluster), part.id, fault.path);
                Fault::new(fault.kind, path, fault.message)
            }));
        }
        if unsigned.is_empty() { Ok(Some(chosen.cluster.clone())) } else { Err(unsigned) }
    }
}

/// The fault that two clusters have a shared file with different contents, when one publishes, or when a third is leaving.
fn explain_conflict(path: &str, one: &JointPart, other: &JointPart, is_leaving: bool) -> Fault {
    let remedy = if is_leaving {
        "The cluster that leaves has the file that machines run: first publish the site of a cluster that stays with \
         --replace-boot"
    } else {
        "To change the file for the machines of all, add --replace-boot, and then render and publish the site of each other \
         cluster"
    };
    let message = format!(
        "it is one file for all machines, and the clusters {} and {} have it with different contents: {}. {remedy}",
        other.cluster,
        one.cluster,
        explain_difference(path, other, one)
    );
    Fault::new(FaultKind::Changed, path, message)
}

/// Reports the shared files of a served joint site that differ between its parts. Those of the cluster `boot` count.
pub(super) fn report_differing(parts: &[JointPart], boot: Option<&str>, faults: &mut Vec<Fault>) {
    let Some(counting) = parts.iter().find(|part| boot.is_none_or(|boot| boot == part.cluster)) else {
        return;
    };
    for path in list_differing(parts) {
        let served = find_digest(&counting.contents, path);
        for part in parts.iter().filter(|part| find_digest(&part.contents, path) != served) {
            let message = format!(
                "machines of all clusters run that of the cluster {}, and the site of {} has another: {}, and publish the site of \
                 {} again",
                counting.cluster,
                part.cluster,
                explain_difference(path, counting, part),
                part.cluster
            );
            faults.push(Fault::new(FaultKind::Changed, path, message));
        }
    }
}

/// Says which key of the two inventories makes the difference between two versions of `boot.ipxe`.
fn explain_difference(path: &str, one: &JointPart, other: &JointPart) -> String {
    let read = |part: &JointPart| {
        let body = part.dir.read_limited(path, LIST_LIMIT).unwrap_or_default();
        String::from_utf8_lossy(&body).into_owned()
    };
    let (one, other) = (read(one), read(other));
    let differing = one.lines().zip(other.lines()).find(|(one, other)| one != other);
    let Some((one, other)) = differing else {
        return "one is longer than the other: render both with the same version of plasmagen".to_owned();
    };
    let key = if one.starts_with("set base ") {
        "let both inventories have the same address, interfaces and http_port in [provisioner]"
    } else if one.starts_with("set verify ") {
        "let both inventories have the same verify in [boot]"
    } else if one.starts_with("prompt --timeout ") {
        "let both inventories have the same pause in [boot]"
    } else {
        "render both with the same version of plasmagen"
    };
    format!("`{}` and `{}`: {key}", one.escape_debug(), other.escape_debug())
}
