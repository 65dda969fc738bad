//! `plasmagen render`.

use std::path::{Path, PathBuf};

use clap::Args;
use time::OffsetDateTime;

use crate::model::{Cluster, Node};
use crate::outputs;
use crate::pki::{Vault, cluster as certificates};
use crate::plan::{self, Certificates, Plan};
use crate::write::{self, Lock, Outcome};

use super::output::{Output, plural};
use super::{DONE, InventoryArgument, REFUSED, VaultArgument};

/// Write nodes/ and site/, and issue the certificates that are missing
///
/// Both directories lie beside the inventory and are owned whole: they are replaced as one, or not at all. What is
/// already as it should be is not touched.
#[derive(Debug, Args)]
pub(super) struct Render {
    #[command(flatten)]
    inventory: InventoryArgument,
    /// Write nothing: print what differs and exit with 1 if anything does (needs no vault)
    #[arg(long, conflicts_with = "discard_edits")]
    check: bool,
    /// Replace files in nodes/ and site/ that were edited by hand
    #[arg(long)]
    discard_edits: bool,
    #[command(flatten)]
    vault: VaultArgument,
}

impl Render {
    pub(super) fn run(&self, output: &Output) -> anyhow::Result<u8> {
        let checked = output.checked(&self.inventory.inventory)?;
        let Some(cluster) = checked.cluster else { return Ok(REFUSED) };
        let root = self.inventory.root();
        if self.check {
            compare(output, root, cluster, &self.inventory.inventory)
        } else {
            self.write(output, root, cluster, checked.vault)
        }
    }

    fn write(
        &self,
        output: &Output,
        root: &Path,
        cluster: Cluster,
        vault: Option<String>,
    ) -> anyhow::Result<u8> {
        let lock = Lock::acquire(root)?;
        let have = plan::gather(root, &cluster)?;
        let lacking = certificates::lacking(&cluster, &have)?;
        let (nodes, published) = (cluster.nodes.len(), have.ca.is_some());
        let mut issue = None;
        let mut certificates = have;
        if !lacking.is_empty() {
            let vault = self.vault.open(root, &cluster, vault)?;
            let issued = issue_all(&cluster, &lacking, certificates, &vault)?;
            certificates = issued.certificates.clone();
            issue = Some((vault, issued));
        }
        let zones = plan::gather_zones(root)?;
        let artifacts = outputs::render(&Plan { cluster, certificates, zones })?;
        let options = write::Options { discard_edits: self.discard_edits };
        // Keys are durable before a certificate is published: a run that dies in between leaves keys, which the next
        // one uses.
        let outcome = write::commit(&lock, &artifacts, options, || match &issue {
            Some((vault, issue)) => vault.keep(issue),
            None => Ok(()),
        })?;
        if let Some((vault, issue)) = &issue {
            if issue.new_ca.is_some() {
                output.say(&format!(
                    "made a certificate authority: its key is in {}; back it up",
                    vault.dir().display()
                ));
            } else if !published {
                output.say(&format!(
                    "took the certificate authority that the vault {} holds already; if it is another cluster's, remove \
                     nodes/ and site/ and name a vault of your own with --vault",
                    vault.dir().display()
                ));
            }
            output.say(&format!("issued {}", plural(issue.issued, "certificate")));
        }
        report(output, root, nodes, &outcome);
        Ok(DONE)
    }
}

fn issue_all(
    cluster: &Cluster,
    lacking: &[&Node],
    have: Certificates,
    vault: &Vault,
) -> anyhow::Result<certificates::Issue> {
    certificates::issue(cluster, lacking, have, vault, OffsetDateTime::now_utc())
}

/// `render --check`: what would be written, against what is there.
fn compare(output: &Output, root: &Path, cluster: Cluster, inventory: &Path) -> anyhow::Result<u8> {
    let have = plan::gather(root, &cluster)?;
    let lacking: Vec<String> =
        certificates::lacking(&cluster, &have)?.into_iter().map(|node| node.name.to_string()).collect();
    let zones = plan::gather_zones(root)?;
    let artifacts = outputs::render(&Plan { cluster, certificates: have, zones })?;
    let changes = write::check(root, &artifacts)?;
    output.print_diff(&changes.iter().map(write::unified_diff).collect::<String>())?;
    for name in &lacking {
        output.say(&format!("{name} has no certificate with the names and addresses of the inventory"));
    }
    if changes.is_empty() && lacking.is_empty() {
        output.say("nodes/ and site/ are what the inventory says");
        return Ok(DONE);
    }
    let missing = match lacking.len() {
        0 => String::new(),
        some => format!(", {} would be issued", plural(some, "certificate")),
    };
    output.say(&format!(
        "stale: {} would change{missing}: run plasmagen render {}",
        plural(changes.len(), "file"),
        inventory.display()
    ));
    Ok(REFUSED)
}

fn report(output: &Output, root: &Path, nodes: usize, outcome: &Outcome) {
    if outcome.is_unchanged() {
        output
            .say(&format!("{}: nodes/ and site/ are up to date, nothing was touched", plural(nodes, "node")));
        return;
    }
    let (added, changed, removed) = (outcome.added.len(), outcome.changed.len(), outcome.removed.len());
    output.say(&format!(
        "{}: {added} added, {changed} changed, {removed} removed in nodes/ and site/",
        plural(nodes, "node")
    ));
    if added > 0 && in_git(root) {
        let trees = ["nodes", "site"].map(|tree| root.strip_prefix(".").unwrap_or(root).join(tree));
        let [nodes, site] = trees.each_ref().map(|tree| tree.display());
        output.say(&format!("a flake sees only files that git knows: git add {nodes} {site}"));
    }
}

/// Whether `root` lies in a git work tree.
fn in_git(root: &Path) -> bool {
    let absolute: PathBuf = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    absolute.ancestors().any(|dir| dir.join(".git").exists())
}
