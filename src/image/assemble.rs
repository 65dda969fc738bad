//! Writes the initrd of a bundle in one pass: the first part, then each overlay as a further archive.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use super::codec::Codec;
use super::copy::Tee;
use super::directory::read_directory;
use super::entry::LostAttribute;
use super::format::SegmentFormat;
use super::initrd::{InitrdSummary, Segment, UnsupportedSegment, read_initrd};
use super::kernel::Kernel;
use super::manifest::Input;
use super::newc::{CpioHeader, UNREADABLE};
use super::pack::pack;
use super::recipe::{InitrdSource, Recipe};
use super::secret_scan::{InitrdKey, SecretScan};
use crate::fs::{Dir, FileFacts, HashingWriter, Progress, open_input, sync_file};

/// The size of the largest initrd, in bytes: iPXE holds the file in memory, and the kernel its contents beside it.
const INITRD_LIMIT: u64 = 16 << 30;

/// Bytes of an entry that are scanned for keys at once.
const PIECE: usize = 64 << 10;

/// Writes the initrd of `recipe` to the new file `name` in `dir`, and appends what it is made of to `inputs`.
///
/// # Errors
/// When an input cannot be read, is not an initrd or holds a private key, or when no part contains the init of the
/// recipe.
pub(super) fn assemble_initrd(
    recipe: &Recipe,
    kernel: &Kernel,
    dir: &Dir,
    name: &str,
    inputs: &mut Vec<Input>,
    notes: &mut InitrdNotes,
    progress: Progress<'_>,
) -> Result<FileFacts> {
    let file = dir.create(name).with_context(|| format!("could not make {name}"))?;
    let mut out = HashingWriter::new(file);
    let mut init = InitSearch::new(recipe.init.as_deref());
    inputs.push(match &recipe.initrd {
        InitrdSource::File(path) => {
            copy_initrd((path, kernel), &mut out, &mut init, &mut notes.keys, progress)?
        }
        InitrdSource::Directory(path) => {
            pack_directory(("root", path), recipe.codec, &mut out, &mut init, &mut notes.lost, progress)?
        }
    });
    for overlay in &recipe.overlays {
        align(&mut out)?;
        let source = ("overlay", overlay.as_path());
        inputs.push(pack_directory(source, recipe.codec, &mut out, &mut init, &mut notes.lost, progress)?);
    }
    init.finish()?;
    let (file, facts) = out.finish();
    sync_file(&file).context("could not make the initrd durable")?;
    Ok(facts)
}

/// Findings about an initrd that do not keep it from being made.
#[derive(Default)]
pub(super) struct InitrdNotes {
    /// The private keys in an initrd file.
    pub(super) keys: Vec<InitrdKey>,
    /// The attributes that packed files have lost.
    pub(super) lost: Vec<LostAttribute>,
}

/// The search for the program that the initrd starts at the end.
struct InitSearch<'a> {
    /// The path of the program, relative to the root.
    init: Option<&'a str>,
    is_found: bool,
    /// Whether there is a file with a file system in it, which may contain the program. Such files are not opened.
    has_image: bool,
}

impl<'a> InitSearch<'a> {
    fn new(init: Option<&'a str>) -> Self {
        Self { init: init.map(|init| init.trim_start_matches('/')), is_found: false, has_image: false }
    }

    /// Looks at the path of an entry.
    fn visit(&mut self, path: &[u8]) {
        let path = path.strip_prefix(b"./").unwrap_or(path);
        let path = path.strip_prefix(b"/").unwrap_or(path);
        self.is_found |= self.init.is_some_and(|init| init.as_bytes() == path);
        self.has_image |= path.ends_with(b".squashfs") || path.ends_with(b".erofs");
    }

    /// Refuses an initrd without the program (rule F19).
    fn finish(&self) -> Result<()> {
        match self.init {
            Some(init) if !self.is_found && !self.has_image => bail!(
                "the initrd has no /{init}, and the machine would stop with \"no init found\": take kernel, initrd and \
                 init from one build (PG-F19)"
            ),
            _ => Ok(()),
        }
    }
}

/// Copies the initrd file of a kernel, and reads its entries at the same time.
fn copy_initrd(
    (path, kernel): (&Path, &Kernel),
    out: &mut HashingWriter<File>,
    init: &mut InitSearch<'_>,
    keys: &mut Vec<InitrdKey>,
    progress: Progress<'_>,
) -> Result<Input> {
    let mut copied = HashingWriter::new(out);
    let file =
        open_input(path, INITRD_LIMIT).with_context(|| format!("could not open {}", path.display()))?;
    let source = Tee { inner: file, copy: &mut copied, progress };
    let mut visit = |header: &CpioHeader, content: &mut dyn Read| {
        init.visit(&header.path);
        if let Some(what) = find_key_in(content)? {
            keys.push(InitrdKey { path: header.path.escape_ascii().to_string(), what });
        }
        Ok(())
    };
    let refused = || format!("{} is not an initrd that the kernel unpacks", path.display());
    let InitrdSummary { segments, bytes, sha256 } = read_initrd(source, &mut visit).with_context(refused)?;
    let (out, facts) = copied.finish();
    end_lz4(&segments, kernel, out).with_context(refused)?;
    let mut formats: Vec<String> =
        segments.iter().map(|segment| segment.format.as_str().to_owned()).collect();
    formats.dedup();
    let unpacked = Some(FileFacts { bytes, sha256 });
    Ok(Input { role: "initrd".to_owned(), file: Some(facts), unpacked, formats })
}

/// Ends an initrd whose last segment is in lz4's legacy format, which has no end mark: the kernel would take the node's
/// overlay, which is loaded behind the initrd, for the next block. Linux 5.14 and newer stop at a length of zero.
///
/// # Errors
/// An [`UnsupportedSegment`], where the kernel is older, and when writing fails.
fn end_lz4(segments: &[Segment], kernel: &Kernel, out: &mut HashingWriter<File>) -> Result<()> {
    let Some(&Segment { format: format @ SegmentFormat::Lz4, offset, .. }) = segments.last() else {
        return Ok(());
    };
    if kernel.is_older_than(5, 14) {
        let version = &kernel.version;
        let property = format!("no end mark, and Linux {version} would lose the node's overlay behind it");
        return Err(UnsupportedSegment { format, offset, property }.into());
    }
    out.write_all(&[0; 4]).context("could not write the initrd")?;
    align(out)
}

/// Writes zeros up to a multiple of four bytes: the kernel skips a plain archive that begins elsewhere.
///
/// # Errors
/// When writing fails.
fn align(out: &mut HashingWriter<File>) -> Result<()> {
    let padding = (out.bytes().wrapping_neg() % 4) as usize;
    out.write_all(&[0; 3][..padding]).context("could not write the initrd")
}

/// Reads the content of an entry, and names the type of a private key in it.
fn find_key_in(content: &mut dyn Read) -> Result<Option<&'static str>> {
    let mut scan = SecretScan::default();
    let mut piece = Vec::with_capacity(PIECE);
    let mut found = None;
    loop {
        piece.clear();
        let read = content.take(PIECE as u64).read_to_end(&mut piece).context(UNREADABLE)?;
        found = found.or_else(|| scan.find(&piece, read < PIECE));
        if read < PIECE {
            return Ok(found);
        }
    }
}

/// Packs a directory, given as its role and its path.
fn pack_directory(
    (role, path): (&str, &Path),
    codec: Codec,
    out: &mut HashingWriter<File>,
    init: &mut InitSearch<'_>,
    lost: &mut Vec<LostAttribute>,
    progress: Progress<'_>,
) -> Result<Input> {
    let archive = read_directory(path)?;
    ensure!(!archive.is_empty(), "{} is empty", path.display());
    archive.iter().for_each(|(name, _)| init.visit(name.as_str().as_bytes()));
    let packed =
        pack(&archive, codec, out, progress).with_context(|| format!("could not pack {}", path.display()))?;
    lost.extend_from_slice(archive.lost());
    let unpacked = Some(FileFacts { bytes: packed.archive_bytes, sha256: packed.archive_sha256 });
    Ok(Input {
        role: role.to_owned(),
        file: None,
        unpacked,
        formats: vec![codec.format().as_str().to_owned()],
    })
}
