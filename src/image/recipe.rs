//! The recipe of a bundle: the inputs and options of `plasmagen bundle`, and the checks of the options.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};

use super::codec::Codec;
use super::directory::read_directory;
use crate::model::{KernelParam, Label, System, Word};

/// The longest kernel command line of x86 (`COMMAND_LINE_SIZE` of asm/setup.h) and ARM, in bytes.
const COMMAND_LINE_BYTES: usize = 2048;

/// How many of these bytes are reserved for what boot.ipxe adds for a node: its `${initrds}` and `${cmdline}`.
const NODE_BYTES: usize = 512;

/// The kernel parameters that the bundle sets itself.
const OWN_PARAMS: [&str; 2] = ["init=", "initrd="];

/// The inputs of a bundle.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// The machines that the bundle is for: a base, such as `worker`, or another label.
    pub base: String,
    /// The architecture of these machines. `None` takes the kernel's.
    pub arch: Option<System>,
    /// The kernel image.
    pub kernel: PathBuf,
    /// The first part of the initrd.
    pub initrd: InitrdSource,
    /// Directories that are laid over the first part, the later over the earlier.
    pub overlays: Vec<PathBuf>,
    /// The program that the initrd starts at the end, an absolute path.
    pub init: Option<String>,
    /// The kernel command line, without `init=` and `initrd=`.
    pub command_line: String,
    /// The compression of the directories.
    pub codec: Codec,
}

/// The first part of the initrd of a bundle.
#[derive(Clone, Debug)]
pub enum InitrdSource {
    /// An initrd file, which is copied unchanged.
    File(PathBuf),
    /// A directory, which is packed.
    Directory(PathBuf),
}

impl InitrdSource {
    /// The path of the file or directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::File(path) | Self::Directory(path) => path,
        }
    }
}

impl Recipe {
    /// About how many bytes are read to make the bundle.
    ///
    /// # Errors
    /// When an input does not exist.
    pub fn bytes(&self) -> Result<u64> {
        let file_bytes = |path: &Path| {
            let metadata =
                fs::metadata(path).with_context(|| format!("could not look at {}", path.display()))?;
            anyhow::Ok(metadata.len())
        };
        let directory_bytes = |path: &Path| anyhow::Ok(read_directory(path)?.bytes());
        let initrd = match &self.initrd {
            InitrdSource::File(path) => file_bytes(path)?,
            InitrdSource::Directory(path) => directory_bytes(path)?,
        };
        let overlays = self.overlays.iter().map(|path| directory_bytes(path)).sum::<Result<u64>>()?;
        Ok(file_bytes(&self.kernel)? + initrd + overlays)
    }

    /// Checks base, init and command line, and splits the command line into words.
    ///
    /// # Errors
    /// When iPXE or the kernel would reject or misread one of them.
    pub(super) fn command_line_words(&self) -> Result<Vec<&str>> {
        let words: Vec<&str> = self.command_line.split_ascii_whitespace().collect();
        for param in OWN_PARAMS {
            if let Some(word) = words.iter().find(|word| word.starts_with(param)) {
                bail!("the command line has `{word}`, which the bundle sets itself: leave it out");
            }
        }
        let init = self.init.as_deref().unwrap_or_default();
        let relative_init = init.strip_prefix('/');
        ensure!(
            self.init.is_none() || relative_init.is_some(),
            "init is `{init}`, and must be an absolute path in the initrd"
        );
        for word in words.iter().copied().chain(relative_init) {
            check_word::<KernelParam>(word)?;
        }
        check_word::<Label>(&self.base)?;
        let bytes = self.command_line.len() + init.len();
        ensure!(
            bytes + NODE_BYTES <= COMMAND_LINE_BYTES,
            "the command line has {bytes} bytes with init=; the kernel cuts it silently after {COMMAND_LINE_BYTES} bytes, \
             and {NODE_BYTES} of them are reserved for what a node adds: shorten it"
        );
        Ok(words)
    }
}

/// Refuses a word that iPXE or the kernel would read as something else.
fn check_word<W: Word>(text: &str) -> Result<()> {
    W::parse(text).map(drop).map_err(|why| anyhow!("{}: {} ({})", why.message, why.help, why.code))
}
