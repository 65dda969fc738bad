//! `cargo bench --bench publish [-- DIR...]` measures `plasmagen publish` and `plasmagen verify` on a bundle of 234 MB.
//!
//! Publishing is compared with `cp` and `sha256sum` of the same files, with and without sync(1); verifying is compared with
//! `sha256sum --check`. The steps take turns in each DIR, by default the temporary directory. Medians and ratios are
//! printed.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use plasmagen::fs::{FileFacts, Sha256Sum};
use plasmagen::image::BundleManifest;
use plasmagen::model::System;
use plasmagen::publish::{
    LoaderSource, PublicationTerms, PublishRequest, VerifyRequirements, WebRootLock, publish, verify,
};
use time::OffsetDateTime;

const ROUNDS: usize = 7;

/// Writes a bundle of the usual size into `dir`. The files are random bytes, since publishing reads the manifest only.
fn bundle(dir: &Path) -> Result<()> {
    fs::create_dir_all(dir)?;
    let mut files = BTreeMap::new();
    for (name, megabytes) in [("bzImage", 12), ("initrd", 222), ("boot.ipxe", 0)] {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ megabytes;
        let noise = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()
        };
        let count = usize::try_from(megabytes * 1_000_000 / 8)?;
        let body: Vec<u8> = std::iter::repeat_with(noise).take(count).flatten().collect();
        let sha256 = Sha256Sum::of(&body);
        files.insert(name.to_owned(), FileFacts { bytes: body.len() as u64, sha256 });
        fs::write(dir.join(name), body)?;
    }
    let mut manifest = BundleManifest {
        schema: BundleManifest::SCHEMA,
        id: Sha256Sum([0; 32]),
        base: "worker".to_owned(),
        arch: System::X86_64,
        kernel_version: "6.12".to_owned(),
        init: None,
        command_line: String::new(),
        files,
        inputs: Vec::new(),
        tool: "bench".to_owned(),
    };
    manifest.id = manifest.compute_id().context("it has a kernel and an initrd")?;
    fs::write(dir.join("manifest.json"), manifest.print()?)?;
    fs::write(dir.join("SHA256SUMS"), manifest.print_sums()?)?;
    Ok(())
}

/// Runs `script` by the shell in `dir`.
fn shell(dir: &Path, script: &str) -> Result<()> {
    let status = Command::new("sh").args(["-ec", script]).current_dir(dir).status()?;
    ensure!(status.success(), "{script}");
    Ok(())
}

fn publish_into(dir: &Path) -> Result<()> {
    let bundles = [dir.join("bundle")];
    let request = PublishRequest {
        bundles: &bundles,
        site: None,
        signatures: None,
        signed: false,
        loaders: LoaderSource::Unchanged,
        keep: 1,
        terms: PublicationTerms {
            cluster: None,
            machines: &[],
            replaced_cluster: None,
            may_add_cluster: false,
            may_replace_images: false,
            may_replace_boot: false,
            signing_key: None,
            boot_signer: None,
            may_change_armed: false,
            now: OffsetDateTime::UNIX_EPOCH,
            life: time::Duration::days(90),
        },
    };
    let outcome = publish(&WebRootLock::acquire(&dir.join("root"))?, &request, &|_| {})?;
    ensure!(outcome.unconfirmed.is_none(), "unconfirmed");
    Ok(())
}

fn verify_root(dir: &Path) -> Result<()> {
    let terms = VerifyRequirements {
        now: OffsetDateTime::UNIX_EPOCH,
        least: &[],
        signers: None,
        boot_signer: None,
        cluster: None,
    };
    let report = verify(&dir.join("root"), &terms, &|_| {})?;
    ensure!(report.faults.is_empty(), "{:?}", report.faults);
    Ok(())
}

type Step = (&'static str, fn(&Path) -> Result<()>);

const STEPS: [Step; 5] = [
    ("publish", publish_into),
    ("cp, sha256sum", |dir| shell(dir, "cp -r bundle copy; cd copy; sha256sum --quiet -c SHA256SUMS")),
    ("cp, sync, sha256sum", |dir| {
        shell(dir, "cp -r bundle synced; sync synced/*; cd synced; sha256sum --quiet -c SHA256SUMS")
    }),
    ("verify", verify_root),
    ("sha256sum --check", |dir| shell(dir, "cd bundle; sha256sum --quiet -c SHA256SUMS")),
];

fn main() -> Result<()> {
    let dirs: Vec<PathBuf> =
        std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).map(PathBuf::from).collect();
    let dirs = if dirs.is_empty() { vec![std::env::temp_dir()] } else { dirs };
    let mut out = io::stdout();
    for parent in dirs {
        let dir = tempfile::tempdir_in(&parent)?;
        bundle(&dir.path().join("bundle"))?;
        let mut times = STEPS.map(|_| Vec::<Duration>::new());
        for _ in 0..ROUNDS {
            for ((_, run), times) in STEPS.iter().zip(&mut times) {
                let start = Instant::now();
                run(dir.path())?;
                times.push(start.elapsed());
            }
            shell(dir.path(), "rm -rf root copy synced; sync")?;
        }
        let medians = times.map(|mut times| {
            times.sort_unstable();
            times[ROUNDS / 2].as_secs_f64()
        });
        writeln!(out, "{}: 234 MB", parent.display())?;
        for (step, (name, _)) in STEPS.iter().enumerate() {
            let against = medians[if step < 3 { 0 } else { 3 }];
            writeln!(out, "  {name:<20} {:.3} s  {:.2}x", medians[step], medians[step] / against)?;
        }
    }
    Ok(())
}
