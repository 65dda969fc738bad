//! The initrd of a bundle, in one pass: what it begins with, then each overlay as a further archive.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use super::bundle::{Base, Recipe};
use super::copy::{Hashed, Tee};
use super::initrd::{Unpacked, scan};
use super::manifest::{FileFacts, Input, Sha256Sum};
use super::{Codec, Header, pack, walk};

/// Writes the initrd of `recipe` to the new file `to`, and what it is made of to `inputs`.
///
/// # Errors
/// When an input cannot be read, is no initrd, holds a private key, or nothing has the init of the recipe.
pub(super) fn assemble(
    recipe: &Recipe,
    to: &Path,
    inputs: &mut Vec<Input>,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<FileFacts> {
    let file = File::create_new(to).with_context(|| format!("could not make {}", to.display()))?;
    let mut out = Hashed::new(file);
    let init = recipe.init.as_deref().map(|init| init.trim_start_matches('/'));
    let mut carries = Carries { init, found: false, hidden: false };
    match &recipe.base {
        Base::Initrd(path) => inputs.push(existing(path, &mut out, &mut carries, progress)?),
        Base::Root(path) => inputs.push(tree("root", path, recipe.codec, &mut out, &mut carries, progress)?),
    }
    for overlay in &recipe.overlays {
        // The kernel passes over a plain archive that begins elsewhere than at a multiple of four.
        let padding = (out.bytes().wrapping_neg() % 4) as usize;
        out.write_all(&[0; 3][..padding]).context("could not write the initrd")?;
        inputs.push(tree("overlay", overlay, recipe.codec, &mut out, &mut carries, progress)?);
    }
    carries.check()?;
    let (file, facts) = out.finish();
    file.sync_all().context("could not make the initrd durable")?;
    Ok(facts)
}

/// Whether an initrd has the program that it is to hand over to.
struct Carries<'a> {
    init: Option<&'a str>,
    found: bool,
    /// Whether it may lie in a file system inside a file, which is not looked into.
    hidden: bool,
}

impl Carries<'_> {
    fn see(&mut self, name: &[u8]) {
        let name = name.strip_prefix(b"./").unwrap_or(name);
        let name = name.strip_prefix(b"/").unwrap_or(name);
        self.found |= self.init.is_some_and(|init| init.as_bytes() == name);
        self.hidden |= name.ends_with(b".squashfs") || name.ends_with(b".erofs");
    }

    /// Rule F19.
    fn check(&self) -> Result<()> {
        match self.init {
            Some(init) if !self.found && !self.hidden => bail!(
                "the initrd has no /{init}: kernel, initrd and init must come from one build (PG-F19), or the machine stops \
                 with \"no init found\""
            ),
            _ => Ok(()),
        }
    }
}

/// Copies an initrd, and reads it on the way.
fn existing(
    path: &Path,
    out: &mut Hashed<File>,
    carries: &mut Carries<'_>,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Input> {
    let mut read = Hashed::new(out);
    let file = File::open(path).with_context(|| format!("could not open {}", path.display()))?;
    let source = Tee { inner: file, copy: &mut read, progress };
    let mut visit = |header: &Header, _: &mut dyn Read| {
        carries.see(&header.name);
        Ok(())
    };
    let unpacked = scan(source, &mut visit)
        .with_context(|| format!("{} is no initrd that the kernel takes", path.display()))?;
    let (_, facts) = read.finish();
    let Unpacked { segments, bytes, sha256 } = unpacked;
    let mut formats: Vec<String> =
        segments.iter().map(|segment| segment.format.as_str().to_owned()).collect();
    formats.dedup();
    let unpacked = Some(FileFacts { bytes, sha256: Sha256Sum(sha256) });
    Ok(Input { role: "initrd".to_owned(), file: Some(facts), unpacked, formats })
}

/// Packs a tree.
fn tree(
    role: &str,
    path: &Path,
    codec: Codec,
    out: &mut Hashed<File>,
    carries: &mut Carries<'_>,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Input> {
    let archive = walk(path)?;
    ensure!(!archive.is_empty(), "{} is empty", path.display());
    archive.iter().for_each(|(name, _)| carries.see(name.as_str().as_bytes()));
    let packed =
        pack(&archive, codec, out, progress).with_context(|| format!("could not pack {}", path.display()))?;
    let unpacked = Some(FileFacts { bytes: packed.archive_bytes, sha256: Sha256Sum(packed.archive_sha256) });
    Ok(Input {
        role: role.to_owned(),
        file: None,
        unpacked,
        formats: vec![codec.format().as_str().to_owned()],
    })
}
