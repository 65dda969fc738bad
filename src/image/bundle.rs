//! A netboot bundle: a kernel, an initrd, the script that loads both, and what proves that they are what was built.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, ensure};

use super::assemble::assemble;
use super::copy::{Hashed, copy};
use super::manifest::{FileFacts, INITRD, Input, KERNEL, MANIFEST, Manifest, SCRIPT, SUMS, id};
use super::script::Script;
use super::staging::Staging;
use super::{Codec, Kernel, walk};
use crate::model::{KernelParam, Label, System, Word};

/// The longest kernel command line of x86 (`COMMAND_LINE_SIZE` of asm/setup.h) and ARM.
const COMMAND_LINE_BYTES: usize = 2048;

/// What boot.ipxe may add to it for a node: `${initrds}` and `${cmdline}` have their place in it.
const ADDED_BYTES: usize = 512;

/// What a bundle is made of.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// Which machines it is for: a profile's base, or another label.
    pub profile: String,
    /// What they are; the kernel's own where it is not said.
    pub arch: Option<System>,
    /// The kernel image.
    pub kernel: PathBuf,
    /// What the initrd begins with.
    pub base: Base,
    /// Trees that are laid over it, the later over the earlier.
    pub overlays: Vec<PathBuf>,
    /// The program that the initrd hands over to.
    pub init: Option<String>,
    /// The kernel command line, without `init=` and `initrd=`.
    pub command_line: String,
    /// How what is packed here is compressed.
    pub codec: Codec,
}

/// What an initrd begins with.
#[derive(Clone, Debug)]
pub enum Base {
    /// An initrd that is there already.
    Initrd(PathBuf),
    /// A tree.
    Root(PathBuf),
}

impl Recipe {
    /// How many bytes are read to make it, about.
    ///
    /// # Errors
    /// When an input is not there.
    pub fn bytes(&self) -> Result<u64> {
        let file = |path: &Path| {
            let metadata =
                fs::metadata(path).with_context(|| format!("could not look at {}", path.display()))?;
            anyhow::Ok(metadata.len())
        };
        let base = match &self.base {
            Base::Initrd(path) => file(path)?,
            Base::Root(root) => walk(root)?.bytes(),
        };
        let overlays = self.overlays.iter().map(|overlay| Ok(walk(overlay)?.bytes())).sum::<Result<u64>>()?;
        Ok(file(&self.kernel)? + base + overlays)
    }
}

/// Makes the bundle `recipe` in the directory `out`, which is new or empty; `progress` is told of every so many bytes
/// that were read.
///
/// # Errors
/// When an input is not what it should be, or does not fit the others; when a disk refuses. `out` is then as it was.
pub fn build(recipe: &Recipe, out: &Path, progress: &(dyn Fn(u64) + Sync)) -> Result<Manifest> {
    let words = words(recipe)?;
    let kernel = Kernel::read(&recipe.kernel)?;
    ensure!(
        recipe.arch.is_none_or(|arch| arch == kernel.system),
        "{} is a kernel for {}, and the bundle is to be for {}",
        recipe.kernel.display(),
        kernel.system.as_str(),
        recipe.arch.unwrap_or(kernel.system).as_str()
    );
    let staging = Staging::begin(out, || apart(recipe, out))?;
    let built = fill(recipe, &kernel, &words, staging.dir(), progress)
        .and_then(|manifest| staging.finish().map(|()| manifest));
    if built.is_err() {
        staging.abandon();
    }
    built
}

/// Refuses an input in `out`, where only the bundle is to be, and an `out` in a tree, which would be packed into itself.
fn apart(recipe: &Recipe, out: &Path) -> Result<()> {
    let place = out.canonicalize().with_context(|| format!("could not resolve {}", out.display()))?;
    let (Base::Initrd(base) | Base::Root(base)) = &recipe.base;
    for input in [&recipe.kernel, base].into_iter().chain(&recipe.overlays) {
        // Of a link both places count. A pipe has none, and what is not there is told of where it is read.
        let beside = input.parent().and_then(|dir| dir.join(".").canonicalize().ok());
        let inside = beside.into_iter().chain(input.canonicalize().ok());
        ensure!(
            inside.into_iter().all(|own| !own.starts_with(&place)),
            "{} is in {}, where the bundle goes: name a new directory",
            input.display(),
            out.display()
        );
        ensure!(
            !input.canonicalize().is_ok_and(|own| place.starts_with(own)),
            "{} is in {}, and would be packed into itself: name a directory elsewhere",
            out.display(),
            input.display()
        );
    }
    Ok(())
}

/// The words of the command line.
fn words(recipe: &Recipe) -> Result<Vec<&str>> {
    let words: Vec<&str> = recipe.command_line.split_ascii_whitespace().collect();
    for own in ["init=", "initrd="] {
        let found = words.iter().find(|word| word.starts_with(own));
        ensure!(
            found.is_none(),
            "the command line has `{}`, which the bundle sets itself",
            found.unwrap_or(&own)
        );
    }
    let init = recipe.init.as_deref().unwrap_or_default();
    let inner = init.strip_prefix('/');
    ensure!(
        recipe.init.is_none() || inner.is_some(),
        "init is `{init}`, and must be an absolute path in the initrd"
    );
    for word in words.iter().copied().chain(inner) {
        legal::<KernelParam>(word)?;
    }
    legal::<Label>(&recipe.profile)?;
    let bytes = recipe.command_line.len() + init.len() + ADDED_BYTES;
    ensure!(
        bytes <= COMMAND_LINE_BYTES,
        "the command line has {} bytes with init=; the kernel cuts it silently after {COMMAND_LINE_BYTES}, and {ADDED_BYTES} \
         are kept for what a node adds",
        bytes - ADDED_BYTES
    );
    Ok(words)
}

/// Refuses what iPXE or the kernel would read as something else.
fn legal<W: Word>(text: &str) -> Result<()> {
    W::parse(text).map(drop).map_err(|why| anyhow!("{}: {} ({})", why.message, why.help, why.code))
}

fn fill(
    recipe: &Recipe,
    kernel: &Kernel,
    words: &[&str],
    out: &Path,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Manifest> {
    let mut inputs = Vec::new();
    let kernel_facts = copy(&recipe.kernel, &out.join(KERNEL), progress)?;
    inputs.push(Input {
        role: "kernel".to_owned(),
        file: Some(kernel_facts),
        unpacked: None,
        formats: Vec::new(),
    });
    let initrd_facts = assemble(recipe, &out.join(INITRD), &mut inputs, progress)?;
    let id = id(kernel_facts.sha256, initrd_facts.sha256, recipe.init.as_deref(), &recipe.command_line);
    let script = Script {
        recipe,
        kernel,
        words,
        id,
        kernel_sha256: kernel_facts.sha256,
        initrd_sha256: initrd_facts.sha256,
    };
    let script_facts = write(&out.join(SCRIPT), script.render()?.as_bytes())?;
    let manifest = Manifest {
        schema: Manifest::SCHEMA,
        id,
        profile: recipe.profile.clone(),
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
    write(&out.join(SUMS), manifest.sums()?.as_bytes())?;
    write(&out.join(MANIFEST), &manifest.print()?)?;
    Ok(manifest)
}

fn write(path: &Path, bytes: &[u8]) -> Result<FileFacts> {
    let run = || {
        let mut out = Hashed::new(File::create_new(path)?);
        out.write_all(bytes)?;
        let (file, facts) = out.finish();
        file.sync_all()?;
        std::io::Result::Ok(facts)
    };
    run().with_context(|| format!("could not write {}", path.display()))
}
