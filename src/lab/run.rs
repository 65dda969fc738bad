//! Runs the lab inside its namespaces: file systems, bundles, web root, networks, servers, then the machines.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use time::OffsetDateTime;

use super::accelerator::Accelerator;
use super::boot_test::BootTest;
use super::command::make_dir;
use super::config::{Event, LabConfig};
use super::mounts::{mount_bind, mount_file_systems};
use super::network::{create_networks, list_networks};
use super::report::LabReport;
use super::scheduler::Scheduler;
use super::select::select;
use super::servers::Servers;
use super::tools::Tools;
use super::web_root::{LabSources, LabWebRoot};
use crate::artifact::ArtifactSet;
use crate::model::Cluster;
use crate::publish::sign_bundle;
use crate::sign::CmsSigner;

/// Runs the lab. `artifacts` is the rendered site of `cluster`; `on_event` is called with each event.
///
/// # Errors
/// When a server does not start, a bundle is not valid, or the kernel refuses a namespace, a mount or an interface.
pub fn run(
    config: &LabConfig,
    cluster: &Cluster,
    artifacts: &ArtifactSet,
    now: OffsetDateTime,
    on_event: &(dyn Fn(Event) + Sync),
) -> Result<LabReport> {
    let tools = &config.tools;
    let begin_phase = |what: &str| on_event(Event::Phase(what.to_owned()));
    mount_file_systems(tools, Path::new(cluster.provisioner.web_root.as_str()), config.keep.as_deref())?;
    let selection = select(cluster, &config.selector, &|image| config.bundles.contains_key(image))?;
    begin_phase("trying whether KVM works");
    let accelerator = Accelerator::detect(tools, &make_dir("accelerator")?);
    begin_phase("making and publishing bundles and the site");
    let bundles = collect_bundles(config, cluster, &selection.tests)?;
    let signer = config.signer.as_ref().map(|texts| texts.open(now)).transpose()?;
    let bundles = match &signer {
        Some(signer) => sign_bundles(tools, &bundles, signer)?,
        None => bundles.into_values().collect(),
    };
    let rendered = make_dir("rendered")?;
    let sources = LabSources { bundles: &bundles, ipxe: config.ipxe.as_deref(), signer: signer.as_ref() };
    let (web_root, missing_loaders, manifests) =
        LabWebRoot::publish(cluster, artifacts, &rendered, sources, now)?;
    begin_phase("starting the servers");
    let networks = list_networks(cluster);
    create_networks(tools, cluster, &networks)?;
    let mut servers = Servers::start(tools, cluster, config.dhcp, &networks, &rendered.join("site"))?;
    let scheduler = Scheduler {
        config,
        artifacts,
        manifests,
        networks: &networks,
        web_root: &web_root,
        accelerator,
        lease_log: servers.lease_log.clone(),
        tftp_log: servers.tftp_log.clone(),
        on_event,
    };
    begin_phase("powering on");
    let machines = scheduler.run(&selection.tests)?;
    servers.all_run()?;
    let to_note = |loader| format!("no build of iPXE is published as {loader}");
    let notes = missing_loaders.into_iter().map(to_note).collect();
    Ok(LabReport::new(config.dhcp, accelerator, machines, selection.skipped, notes))
}

/// Signs `bundles`, which may be the user's, in directories of the lab: each shows the bundle's files, which are not copied into
/// memory, and holds the new signatures. Returns these directories.
fn sign_bundles(
    tools: &Tools,
    bundles: &BTreeMap<String, PathBuf>,
    signer: &CmsSigner,
) -> Result<Vec<PathBuf>> {
    let sign = |(image, bundle): (&String, &PathBuf)| {
        let signed = make_dir(&format!("signed/{image}"))?;
        show_files(tools, bundle, &signed).with_context(|| format!("could not show {}", bundle.display()))?;
        sign_bundle(&signed, signer, &|_| ())?;
        Ok(signed)
    };
    bundles.iter().map(sign).collect()
}

/// Mounts the files in the directory `from` on files of the same names in the directory `to`, except earlier signatures.
fn show_files(tools: &Tools, from: &Path, to: &Path) -> Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        let text = name.to_string_lossy();
        let is_signature = text.ends_with(".sig") || text.ends_with(".sig.new");
        if is_signature || !entry.file_type()?.is_file() {
            continue;
        }
        let target = to.join(&name);
        fs::write(&target, "")?;
        mount_bind(tools, &entry.path(), &target)?;
    }
    Ok(())
}

/// Collects a bundle for the image of each node that is powered on: the user's bundle, or one with the test system.
/// Returns their directories by image.
fn collect_bundles(
    config: &LabConfig,
    cluster: &Cluster,
    tests: &[BootTest<'_>],
) -> Result<BTreeMap<String, PathBuf>> {
    let mut bundles = config.bundles.clone();
    for node in tests.iter().filter_map(|test| test.node) {
        let image = node.image();
        if bundles.contains_key(&image) {
            continue;
        }
        let test_system = config.test_system.as_ref().context("the lab has no files of the test system")?;
        let system = test_system.read_system()?;
        ensure!(
            node.system == system,
            "{} is {}, and {} is a kernel for {}: give a --bundle or a --kernel for {}, and name the nodes of one \
             architecture with --node",
            node.name,
            node.system.as_str(),
            test_system.kernel.display(),
            system.as_str(),
            node.system.as_str()
        );
        let out = make_dir("bundles")?.join(&image);
        let root = make_dir(&format!("test-system/{image}"))?;
        test_system.build_bundle(node, cluster.provisioner.http_port, &root, &out)?;
        bundles.insert(image, out);
    }
    Ok(bundles)
}
