//! Makes a netboot bundle: a kernel, an initrd, the script that loads both, and the manifest with their digests.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::assemble::{InitrdNotes, assemble_initrd};
use super::copy::copy;
use super::entry::LostAttribute;
use super::kernel::{KERNEL_LIMIT, Kernel};
use super::manifest::{BundleManifest, INITRD, Input, KERNEL, MANIFEST, SCRIPT, SUMS, compute_id};
use super::recipe::Recipe;
use super::script::Script;
use super::secret_scan::InitrdKey;
use super::staging::Staging;
use crate::fs::{Dir, FileFacts, Sha256Sum, sync_file};

/// A bundle that was made.
#[derive(Clone, Debug)]
pub struct BuiltBundle {
    /// The manifest of the bundle.
    pub manifest: BundleManifest,
    /// The private keys in the initrd file: in a packed directory, a key is an error.
    pub keys: Vec<InitrdKey>,
    /// The attributes that files of packed directories have lost.
    pub lost: Vec<LostAttribute>,
}

/// Makes the bundle of `recipe` in the directory `out`, which is new or empty. `progress` is called with the number of
/// bytes each time that some were read.
///
/// # Errors
/// When an input is not valid or does not fit the others, or when writing fails. `out` is then as it was before.
pub fn build_bundle(recipe: &Recipe, out: &Path, progress: &(dyn Fn(u64) + Sync)) -> Result<BuiltBundle> {
    let words = recipe.command_line_words()?;
    let kernel = Kernel::read(&recipe.kernel)?;
    ensure!(
        recipe.arch.is_none_or(|arch| arch == kernel.system),
        "{} is a kernel for {}, and the bundle is to be for {}: name another kernel, or another --arch",
        recipe.kernel.display(),
        kernel.system.as_str(),
        recipe.arch.unwrap_or(kernel.system).as_str()
    );
    let staging = Staging::begin(out, || check_inputs_outside(recipe, out))?;
    let built = write_files(recipe, &kernel, &words, staging.dir(), progress)
        .and_then(|bundle| staging.finish().map(|()| bundle));
    if built.is_err() {
        staging.abandon();
    }
    built
}

/// Refuses an input that lies in `out`, where only the bundle may be, and an `out` that lies in an input directory, since
/// the bundle would be packed into itself.
fn check_inputs_outside(recipe: &Recipe, out: &Path) -> Result<()> {
    let real_out = out.canonicalize().with_context(|| format!("could not resolve {}", out.display()))?;
    let overlays = recipe.overlays.iter().map(PathBuf::as_path);
    for input in [&*recipe.kernel, recipe.initrd.path()].into_iter().chain(overlays) {
        // A link counts where it lies and where it leads. A pipe has no path, and an input that does not exist is
        // reported when it is read.
        let parent = input.parent().and_then(|dir| dir.join(".").canonicalize().ok());
        let target = input.canonicalize().ok();
        ensure!(
            parent.iter().chain(&target).all(|path| !path.starts_with(&real_out)),
            "{} is in {}, where the bundle goes: name a new directory",
            input.display(),
            out.display()
        );
        ensure!(
            !target.is_some_and(|target| real_out.starts_with(target)),
            "{} is in {}, and would be packed into itself: name a directory elsewhere",
            out.display(),
            input.display()
        );
    }
    Ok(())
}

/// Writes the files of the bundle into the directory `out`.
fn write_files(
    recipe: &Recipe,
    kernel: &Kernel,
    words: &[&str],
    out: &Dir,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<BuiltBundle> {
    let (mut inputs, mut notes) = (Vec::new(), InitrdNotes::default());
    let kernel_facts = copy(&recipe.kernel, KERNEL_LIMIT, out, KERNEL, progress)?;
    inputs.push(Input {
        role: "kernel".to_owned(),
        file: Some(kernel_facts),
        unpacked: None,
        formats: Vec::new(),
    });
    let initrd_facts = assemble_initrd(recipe, kernel, out, INITRD, &mut inputs, &mut notes, progress)?;
    let id =
        compute_id(kernel_facts.sha256, initrd_facts.sha256, recipe.init.as_deref(), &recipe.command_line);
    let script = Script {
        recipe,
        kernel,
        words,
        id,
        kernel_sha256: kernel_facts.sha256,
        initrd_sha256: initrd_facts.sha256,
    };
    let script_facts = write(out, SCRIPT, script.render()?.as_bytes())?;
    let manifest = BundleManifest {
        schema: BundleManifest::SCHEMA,
        id,
        base: recipe.base.clone(),
        arch: kernel.system,
        kernel_version: kernel.version.clone(),
        init: recipe.init.clone(),
        command_line: recipe.command_line.clone(),
        files: BTreeMap::from([
            (KERNEL.to_owned(), kernel_facts),
            (INITRD.to_owned(), initrd_facts),
            (SCRIPT.to_owned(), script_facts),
        ]),
        inputs,
        tool: concat!("plasmagen ", env!("CARGO_PKG_VERSION")).to_owned(),
    };
    write(out, SUMS, manifest.print_sums()?.as_bytes())?;
    write(out, MANIFEST, &manifest.print()?)?;
    Ok(BuiltBundle { manifest, keys: notes.keys, lost: notes.lost })
}

fn write(dir: &Dir, name: &str, bytes: &[u8]) -> Result<FileFacts> {
    let run = || {
        let mut file = dir.create(name)?;
        file.write_all(bytes)?;
        anyhow::Ok(sync_file(&file)?)
    };
    run().with_context(|| format!("could not write {name}"))?;
    Ok(FileFacts { bytes: bytes.len() as u64, sha256: Sha256Sum::of(bytes) })
}
